#include "supervisor/evidence/seal.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/line.h"

#define SEAL_TYPE_MEMBER "\"type\":\"log.seal\"}"
#define EM_DASH          "\xe2\x80\x94 "

int seal_emit(struct buf *out, const struct record_place *place, const char *note)
{
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "note", note);
	if (fields.fault)
		return fields.fault;
	return record_emit(out, place, RECORD_LOG_SEAL, fields.data, fields.len);
}

bool seal_is(const void *line, size_t len)
{
	size_t tail = sizeof(SEAL_TYPE_MEMBER) - 1;

	return len > tail && memcmp((const char *)line + len - tail, SEAL_TYPE_MEMBER, tail) == 0;
}

static int bad(const char **ret_why, const char *why)
{
	*ret_why = why;
	return -EBADMSG;
}

/* "note" and "type" and nothing else. The string must be as the emitter writes it, or the same
 * note would have two spellings. */
static int take_note(struct seal *seal, const void *line, size_t len, const char **ret_why)
{
	struct buf cleanup_with(buf_fini) note, again;
	struct line_cursor cursor;
	struct line_head head;
	struct line_member member, type, more;

	buf_init(&note, NOTE_MAX - 1);
	buf_init(&again, RECORD_LINE_MAX);
	if (line_head(&head, line, len) < 0)
		return bad(ret_why, "line");
	line_members(&cursor, &head, line, len);
	if (line_next(&cursor, &member) != 1 || member.key_len != 4 ||
	    memcmp(member.key, "note", 4) != 0 || line_next(&cursor, &type) != 1 ||
	    line_next(&cursor, &more) != 0)
		return bad(ret_why, "line");
	if (line_text(&note, &member) < 0)
		return bad(ret_why, "string");
	record_emit_string(&again, note.data, note.len);
	if (again.fault == -ENOMEM)
		return again.fault;
	if (again.fault || again.len != member.value_len ||
	    memcmp(again.data, member.value, again.len) != 0 || memchr(note.data, '\0', note.len))
		return bad(ret_why, "string");
	memcpy(seal->note, note.data, note.len);
	seal->note[note.len] = '\0';
	seal->note_len = note.len;
	return 0;
}

/* The signature line: "— origin base64(id || signature)\n", and the end. */
static int take_signature(struct seal *seal, const char *at, const char **ret_why)
{
	uint8_t blob[SEAL_KEY_ID_LEN + SIGNATURE_LEN];
	size_t name_len = strlen(seal->checkpoint.origin), blob_len;
	const char *end = seal->note + seal->note_len;

	if (strncmp(at, EM_DASH, sizeof(EM_DASH) - 1) != 0)
		return bad(ret_why, "signature-line");
	at += sizeof(EM_DASH) - 1;
	if (strncmp(at, seal->checkpoint.origin, name_len) != 0 || at[name_len] != ' ')
		return bad(ret_why, "signature-name");
	at += name_len + 1;
	if (end[-1] != '\n' || memchr(at, '\n', (size_t)(end - at)) != end - 1)
		return bad(ret_why, "signature-count");
	if (str_unbase64(blob, sizeof(blob), at, (size_t)(end - 1 - at), &blob_len) < 0 ||
	    blob_len != sizeof(blob))
		return bad(ret_why, "signature-base64");
	memcpy(seal->key_id, blob, SEAL_KEY_ID_LEN);
	return 0;
}

int seal_parse(struct seal *ret, const void *line, size_t len, const char **ret_why)
{
	struct seal seal = {.note_len = 0};
	const char *blank;
	int r = take_note(&seal, line, len, ret_why);

	if (r < 0)
		return r;
	blank = strstr(seal.note, "\n\n");
	if (!blank)
		return bad(ret_why, "no-signature");
	r = checkpoint_parse(&seal.checkpoint, seal.note, (size_t)(blank + 1 - seal.note));
	if (r == -EBADMSG)
		return bad(ret_why, "checkpoint");
	if (r < 0)
		return r;
	r = take_signature(&seal, blank + 2, ret_why);
	if (r < 0)
		return r;
	*ret = seal;
	return 0;
}

int seal_verify(const struct seal *seal, const struct note_key *key)
{
	struct checkpoint checkpoint;

	return note_open(&checkpoint, key, seal->note, seal->note_len);
}
