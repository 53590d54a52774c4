#include "supervisor/evidence/record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"

#define RECORD_INTEGER_MAX ((INT64_C(1) << 53) - 1) /* exact in every JSON reader (RFC 8785) */
#define RECORD_KEY_MAX     64

/* What stands in front of each field between processes. */
enum record_tag {
	TAG_NONE,
	TAG_TEXT,   /* key, bytes */
	TAG_INT,    /* key, i64 */
	TAG_BOOL,   /* key, u8 0 or 1 */
	TAG_DIGEST, /* key, 32 bytes */
	TAG_LIST,   /* key, u32 count, that many bytes */
	TAG_OPEN,   /* key */
	TAG_CLOSE,  /* nothing */
	TAG_COUNT,
};

static const struct {
	const char *name;
	enum record_writer writer;
	enum record_writer heir;
} record_types[RECORD_TYPE_COUNT] = {
#define RECORD_ROW_(id, name, writer, heir)                                                        \
	[RECORD_##id] = {name, RECORD_WRITER_##writer, RECORD_WRITER_##heir},
    RECORD_TYPES(RECORD_ROW_)
#undef RECORD_ROW_
};

static bool type_is_known(enum record_type type)
{
	return (unsigned)type > RECORD_NONE && (unsigned)type < RECORD_TYPE_COUNT;
}

const char *record_type_name(enum record_type type)
{
	return type_is_known(type) ? record_types[type].name : NULL;
}

enum record_type record_type_from_name(const char *name)
{
	for (unsigned type = RECORD_NONE + 1; type < RECORD_TYPE_COUNT; type++) {
		if (strcmp(record_types[type].name, name) == 0)
			return (enum record_type)type;
	}
	return RECORD_NONE;
}

enum record_writer record_type_writer(enum record_type type)
{
	return type_is_known(type) ? record_types[type].writer : RECORD_WRITER_NONE;
}

bool record_may_write(enum record_writer writer, enum record_type type)
{
	return type_is_known(type) && writer != RECORD_WRITER_NONE &&
	       (record_types[type].writer == writer || record_types[type].heir == writer);
}

/* ---- fields, between processes --------------------------------------------------------------- */

static void put_head(struct buf *out, enum record_tag tag, const char *key)
{
	buf_put_u8(out, (uint8_t)tag);
	buf_put_str(out, key);
}

void record_put_bytes(struct buf *out, const char *key, const void *bytes, size_t len)
{
	put_head(out, TAG_TEXT, key);
	buf_put_bytes(out, bytes, len);
}

void record_put_str(struct buf *out, const char *key, const char *text)
{
	if (text)
		record_put_bytes(out, key, text, strlen(text));
}

void record_put_int(struct buf *out, const char *key, int64_t value)
{
	put_head(out, TAG_INT, key);
	buf_put_i64(out, value);
}

void record_put_bool(struct buf *out, const char *key, bool value)
{
	put_head(out, TAG_BOOL, key);
	buf_put_u8(out, value);
}

void record_put_digest(struct buf *out, const char *key, const struct digest *digest)
{
	put_head(out, TAG_DIGEST, key);
	buf_put(out, digest->bytes, DIGEST_LEN);
}

void record_put_list(struct buf *out, const char *key, const char *const *texts, size_t count)
{
	if (count > UINT32_MAX && !out->fault)
		out->fault = -ENOBUFS;
	put_head(out, TAG_LIST, key);
	buf_put_u32(out, (uint32_t)count);
	for (size_t i = 0; i < count && !out->fault; i++)
		buf_put_bytes(out, texts[i], strlen(texts[i]));
}

void record_open(struct buf *out, const char *key)
{
	put_head(out, TAG_OPEN, key);
}

void record_close(struct buf *out)
{
	buf_put_u8(out, TAG_CLOSE);
}

/* ---- the line -------------------------------------------------------------------------------- */

static void emit_escaped(struct buf *out, uint8_t byte)
{
	/* The two-character forms of RFC 8785 3.2.2.2, at the place of the byte they stand for. */
	static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";

	for (const char *form = short_forms; *form; form += 2) {
		if ((uint8_t)form[0] == byte) {
			buf_textf(out, "\\%c", form[1]);
			return;
		}
	}
	buf_textf(out, "\\u%04x", byte);
}

int record_emit_string(struct buf *out, const void *text, size_t len)
{
	const uint8_t *bytes = text;
	size_t done = 0;

	if (!str_is_utf8(text, len)) {
		buf_text(out, "{\"b64\":\"");
		str_base64(out, text, len);
		return buf_text(out, "\"}");
	}
	buf_text(out, "\"");
	for (size_t i = 0; i < len && !out->fault; i++) {
		if (bytes[i] >= 0x20 && bytes[i] != '"' && bytes[i] != '\\')
			continue;
		buf_put(out, bytes + done, i - done);
		emit_escaped(out, bytes[i]);
		done = i + 1;
	}
	buf_put(out, bytes + done, len - done);
	return buf_text(out, "\"");
}

/* One record on its way from fields to line. */
struct emitter {
	struct buf *out;
	struct reader fields;
	const char *type;                       /* to be merged in; NULL once written */
	const char *last[RECORD_DEPTH_MAX + 1]; /* newest key of each open object */
	unsigned depth;                         /* 0: the line itself */
	int bad;                                /* 0 or -EBADMSG */
};

/* Keys in ascending order within the object, none that would change what a line means: "type" is
 * ours, and an object {"b64": …} would read as bytes. '@' cannot occur. */
static bool key_is_good(const struct emitter *emitter, const char *key)
{
	size_t len = strlen(key);

	if (len == 0 || len > RECORD_KEY_MAX ||
	    strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") != len)
		return false;
	if (strcmp(key, "b64") == 0 || (emitter->depth == 0 && strcmp(key, "type") == 0))
		return false;
	return strcmp(key, emitter->last[emitter->depth]) > 0;
}

static void emit_type(struct emitter *emitter)
{
	buf_textf(emitter->out, ",\"type\":\"%s\"", emitter->type);
	emitter->type = NULL;
}

static void emit_key(struct emitter *emitter)
{
	const char *key = reader_str(&emitter->fields);

	if (!key_is_good(emitter, key)) {
		emitter->bad = -EBADMSG;
		return;
	}
	if (emitter->depth == 0 && emitter->type && strcmp(key, "type") > 0)
		emit_type(emitter);
	if (*emitter->last[emitter->depth])
		buf_text(emitter->out, ",");
	buf_textf(emitter->out, "\"%s\":", key);
	emitter->last[emitter->depth] = key;
}

static void emit_text(struct emitter *emitter)
{
	size_t len;
	const void *text = reader_bytes(&emitter->fields, &len);

	if (text)
		record_emit_string(emitter->out, text, len);
}

static void emit_int(struct emitter *emitter)
{
	int64_t value = reader_i64(&emitter->fields);

	if (value < -RECORD_INTEGER_MAX || value > RECORD_INTEGER_MAX)
		emitter->bad = -EBADMSG;
	buf_textf(emitter->out, "%" PRId64, value);
}

static void emit_bool(struct emitter *emitter)
{
	uint8_t value = reader_u8(&emitter->fields);

	if (value > 1)
		emitter->bad = -EBADMSG;
	buf_text(emitter->out, value ? "true" : "false");
}

static void emit_digest(struct emitter *emitter)
{
	const void *bytes = reader_raw(&emitter->fields, DIGEST_LEN);
	char hex[DIGEST_HEX_MAX];

	if (!bytes)
		return;
	str_hex(hex, bytes, DIGEST_LEN);
	buf_textf(emitter->out, "\"%s\"", hex);
}

static void emit_list(struct emitter *emitter)
{
	uint32_t count = reader_u32(&emitter->fields);

	buf_text(emitter->out, "[");
	for (uint32_t i = 0; i < count && !emitter->fields.fault && !emitter->out->fault; i++) {
		if (i > 0)
			buf_text(emitter->out, ",");
		emit_text(emitter);
	}
	buf_text(emitter->out, "]");
}

static void emit_open(struct emitter *emitter)
{
	if (emitter->depth == RECORD_DEPTH_MAX) {
		emitter->bad = -EBADMSG;
		return;
	}
	emitter->last[++emitter->depth] = "";
	buf_text(emitter->out, "{");
}

static void emit_close(struct emitter *emitter)
{
	if (emitter->depth == 0) {
		emitter->bad = -EBADMSG;
		return;
	}
	emitter->depth--;
	buf_text(emitter->out, "}");
}

static void emit_field(struct emitter *emitter)
{
	uint8_t tag = reader_u8(&emitter->fields);

	if (tag == TAG_NONE || tag >= TAG_COUNT) {
		emitter->bad = -EBADMSG;
		return;
	}
	if (tag != TAG_CLOSE)
		emit_key(emitter);
	if (emitter->bad)
		return;
	switch ((enum record_tag)tag) {
	case TAG_TEXT: emit_text(emitter); break;
	case TAG_INT: emit_int(emitter); break;
	case TAG_BOOL: emit_bool(emitter); break;
	case TAG_DIGEST: emit_digest(emitter); break;
	case TAG_LIST: emit_list(emitter); break;
	case TAG_OPEN: emit_open(emitter); break;
	case TAG_CLOSE: emit_close(emitter); break;
	case TAG_NONE:
	case TAG_COUNT: break; /* refused above */
	}
}

static void emit_place(struct buf *out, const struct record_place *place)
{
	char stamp[CLOCK_STAMP_MAX], prev[DIGEST_HEX_MAX];

	buf_textf(out, "{\"@n\":%" PRIu64 ",\"@prev\":\"%s\",\"@timestamp\":\"%s\"", place->n,
	    digest_hex(prev, &place->prev), clock_stamp(stamp, place->wall_us));
}

/* The line into a buf of its own with limit RECORD_LINE_MAX. */
static int emit_line(struct buf *line, const struct record_place *place, enum record_type type,
    const void *fields, size_t len)
{
	struct emitter emitter = {
	    .out = line,
	    .type = record_type_name(type),
	    .last = {"@timestamp"}, /* also keeps keys that sort before it out of the line */
	};

	if (!emitter.type || place->n > (uint64_t)RECORD_INTEGER_MAX)
		return -EBADMSG;
	reader_init(&emitter.fields, fields, len);
	emit_place(line, place);
	while (emitter.fields.left > 0 && !emitter.fields.fault && !emitter.bad && !line->fault)
		emit_field(&emitter);
	/* Asked in this order, so that a line that ran full is not called malformed. */
	if (line->fault)
		return line->fault == -ENOMEM ? -ENOMEM : -EMSGSIZE;
	if (emitter.bad || reader_end(&emitter.fields) < 0 || emitter.depth > 0)
		return -EBADMSG;
	if (emitter.type)
		emit_type(&emitter);
	buf_text(line, "}");
	return line->fault == -ENOBUFS ? -EMSGSIZE : line->fault;
}

int record_emit(struct buf *out, const struct record_place *place, enum record_type type,
    const void *fields, size_t len)
{
	struct buf line;
	int r;

	if (len > RECORD_FIELDS_MAX)
		return -EMSGSIZE;
	buf_init(&line, RECORD_LINE_MAX);
	r = emit_line(&line, place, type, fields, len);
	if (r == 0)
		r = buf_put(out, line.data, line.len);
	buf_fini(&line);
	return r;
}
