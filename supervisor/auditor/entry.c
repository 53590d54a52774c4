#include "supervisor/auditor/entry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/evidence/line.h"

#define HEADER_MAX 3 /* allow, call, plan */

static struct entry *entry_alloc(const void *fields, size_t len)
{
	struct entry *entry = calloc(1, sizeof(*entry) + len);

	if (!entry)
		return NULL;
	if (len > 0)
		memcpy(entry->fields, fields, len);
	entry->len = len;
	return entry;
}

struct entry *entry_from_message(const struct message *message, enum record_writer writer)
{
	const struct message_record *record = &message->u.record;
	struct entry *entry = entry_alloc(record->body.data, record->body.len);
	size_t call_len = record->call ? strnlen(record->call, CALL_ID_MAX + 1) : 0;

	if (!entry)
		return NULL;
	entry->type = (enum record_type)record->record;
	entry->writer = writer;
	entry->serial = message->serial;
	entry->plan = record->plan;
	entry->allow = record->allow;
	if (call_len <= CALL_ID_MAX)
		memcpy(entry->call, record->call ? record->call : "", call_len);
	else
		entry->type = RECORD_NONE; /* refused when its line is made */
	return entry;
}

struct entry *entry_new(enum record_type type, const struct buf *fields)
{
	struct entry *entry = fields->fault ? NULL : entry_alloc(fields->data, fields->len);

	if (!entry)
		return NULL;
	entry->type = type;
	entry->writer = RECORD_WRITER_AUDITOR;
	return entry;
}

void entry_free(struct entry *entry)
{
	free(entry);
}

void entries_free(struct entry **list)
{
	while (*list) {
		struct entry *next = (*list)->next;

		entry_free(*list);
		*list = next;
	}
}

/* Whether such a record may say that something may now be done. */
static bool decides(enum record_type type)
{
	return type == RECORD_CALL_DECISION || type == RECORD_EFFECTS_DECISION;
}

int entry_is_allow(const struct entry *entry)
{
	return decides(entry->type) && entry->allow == 1;
}

/* ---- what the header says ------------------------------------------------------------------ */

struct header {
	const char *key;
	struct buf value; /* raw JSON */
};

static size_t header_fill(struct header header[HEADER_MAX], const struct entry *entry)
{
	char hex[DIGEST_HEX_MAX];
	size_t count = 0;

	for (size_t i = 0; i < HEADER_MAX; i++)
		buf_init(&header[i].value, RECORD_LINE_MAX);
	if (decides(entry->type)) {
		header[count].key = "allow";
		buf_text(&header[count++].value, entry->allow ? "true" : "false");
	}
	if (entry->call[0]) {
		header[count].key = "call";
		record_emit_string(&header[count++].value, entry->call, strlen(entry->call));
	}
	if (!digest_is_zero(&entry->plan)) {
		header[count].key = "plan";
		buf_textf(&header[count++].value, "\"%s\"", digest_hex(hex, &entry->plan));
	}
	return count;
}

static void header_fini(struct header header[HEADER_MAX])
{
	for (size_t i = 0; i < HEADER_MAX; i++)
		buf_fini(&header[i].value);
}

static void put_member(struct buf *out, const char *key, const struct buf *value)
{
	buf_textf(out, ",\"%s\":", key);
	buf_put(out, value->data, value->len);
	if (value->fault && !out->fault)
		out->fault = value->fault;
}

static int compare_key(const char *key, const struct line_member *member)
{
	int r = strncmp(key, member->key, member->key_len);

	return r ? r : key[member->key_len] != '\0';
}

/* Puts the header's members among those of the line, both being in order. 0, or -EBADMSG with
 * the name of the member that contradicts the header. */
static int merge(struct buf *out, const struct buf *line, const struct header *header, size_t count,
    const char **ret_key)
{
	struct line_head head;
	struct line_cursor cursor;
	struct line_member member;
	size_t at = 0;
	int r = line_head(&head, line->data, line->len);

	if (r < 0)
		return r;
	buf_put(out, line->data, head.len);
	line_members(&cursor, &head, line->data, line->len);
	while ((r = line_next(&cursor, &member)) > 0) {
		for (; at < count && compare_key(header[at].key, &member) < 0; at++)
			put_member(out, header[at].key, &header[at].value);
		if (at < count && compare_key(header[at].key, &member) == 0) {
			*ret_key = header[at].key;
			if (member.value_len != header[at].value.len ||
			    memcmp(member.value, header[at].value.data, member.value_len) != 0)
				return -EBADMSG;
			at++;
		}
		buf_text(out, ",");
		buf_put(out, member.key - 1,
		    (size_t)(member.value + member.value_len - member.key) + 1);
	}
	for (; at < count; at++)
		put_member(out, header[at].key, &header[at].value);
	buf_text(out, "}");
	return r;
}

static int refuse(struct err_note *note, int fault, const char *why)
{
	return err_note(note, fault, "record not written: %s", why);
}

int entry_line(struct buf *out, const struct record_place *place, const struct entry *entry,
    struct err_note *note)
{
	struct buf cleanup_with(buf_fini) plain, merged;
	struct header header[HEADER_MAX] = {{NULL, {0}}};
	const char *key = "";
	int r;

	buf_init(&plain, RECORD_LINE_MAX);
	buf_init(&merged, RECORD_LINE_MAX);
	if (!record_may_write(entry->writer, entry->type) || entry->allow > 1 ||
	    (entry->allow && !decides(entry->type)))
		return refuse(note, -EBADMSG, "its header is malformed");
	r = record_emit(&plain, place, entry->type, entry->fields, entry->len);
	if (r == -EMSGSIZE)
		return refuse(note, r, "longer than 65535 bytes");
	if (r == -EBADMSG)
		return refuse(note, r, "its fields are malformed or out of order");
	if (r < 0)
		return r;
	r = merge(&merged, &plain, header, header_fill(header, entry), &key);
	header_fini(header);
	if (r < 0)
		return err_note(
		    note, r, "record not written: its body contradicts its header in \"%s\"", key);
	if (merged.fault == -ENOBUFS)
		return refuse(note, -EMSGSIZE, "longer than 65535 bytes");
	return merged.fault ? merged.fault : buf_put(out, merged.data, merged.len);
}
