#include "agent-api/wire/value.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "supervisor/base/cleanup.h"

void value_start(void)
{
	json_object_seed(0);
}

/* What a message would cost, told from its bytes alone. */
struct census {
	size_t depth;
	size_t depth_max;
	size_t elements;
};

/* Returns the position after the string that begins at text[at]; len if it never ends. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len; at++) {
		if (text[at] == '\\')
			at++;
		else if (text[at] == '"')
			return at + 1;
	}
	return len;
}

/* Counts structure without judging syntax: every value but the first follows one of "[{,:". */
static struct census take_census(const char *text, size_t len)
{
	struct census census = {.elements = 1};

	for (size_t i = 0; i < len;) {
		char c = text[i];

		if (c == '"') {
			i = skip_string(text, len, i);
			continue;
		}
		if (c == '[' || c == '{') {
			census.depth++;
			census.elements++;
		} else if (c == ']' || c == '}') {
			census.depth -= census.depth > 0;
		} else if (c == ',' || c == ':') {
			census.elements++;
		}
		if (census.depth > census.depth_max)
			census.depth_max = census.depth;
		i++;
	}
	return census;
}

static int check_limits(const char *text, size_t len, struct err_note *note)
{
	struct census census = take_census(text, len);

	if (len > WIRE_MESSAGE_MAX)
		return err_note(note, -EINVAL, "JSON: longer than %d bytes", WIRE_MESSAGE_MAX);
	if (census.depth_max > WIRE_DEPTH_MAX)
		return err_note(note, -EINVAL, "JSON: nested deeper than %d", WIRE_DEPTH_MAX);
	if (census.elements > WIRE_ELEMENTS_MAX)
		return err_note(note, -EINVAL, "JSON: more than %d elements", WIRE_ELEMENTS_MAX);
	return 0;
}

/* In our words where the library's would tell of its own switches. */
static int refuse_text(const json_error_t *error, struct err_note *note)
{
	enum json_error_code code = json_error_code(error);

	if (code == json_error_null_character || code == json_error_null_byte_in_key)
		return err_note(
		    note, -EINVAL, "JSON: a string holds NUL, at byte %d", error->position);
	return err_note(note, -EINVAL, "JSON: %s, at byte %d", error->text, error->position);
}

int value_read(const char *text, size_t len, json_t **ret, struct err_note *note)
{
	json_error_t error;
	json_t *value;
	int r = check_limits(text, len, note);

	if (r < 0)
		return r;
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (!value && json_error_code(&error) == json_error_out_of_memory)
		return -ENOMEM;
	if (!value)
		return refuse_text(&error, note);
	*ret = value;
	return 0;
}

static int append_to_buf(const char *bytes, size_t len, void *data)
{
	return buf_put(data, bytes, len) == 0 ? 0 : -1;
}

int value_write(struct buf *out, const json_t *value)
{
	int r = json_dump_callback(value, append_to_buf, out, JSON_COMPACT | JSON_ENCODE_ANY);

	if (out->fault < 0)
		return out->fault;
	return r == 0 ? 0 : -EINVAL;
}

/* Length of the well-formed UTF-8 sequence (RFC 3629) at bytes, 0 if there is none. */
static size_t sequence_len(const uint8_t *bytes, size_t len)
{
	uint8_t first = bytes[0];
	uint8_t low = 0x80, high = 0xBF;
	size_t need;

	if (first < 0x80)
		return first != 0;
	if (first < 0xC2 || first > 0xF4)
		return 0;
	need = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
	if (first == 0xE0)
		low = 0xA0; /* no longer form of a shorter code */
	else if (first == 0xED)
		high = 0x9F; /* no surrogates */
	else if (first == 0xF0)
		low = 0x90;
	else if (first == 0xF4)
		high = 0x8F; /* nothing above U+10FFFF */
	if (len < need || bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < need; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	}
	return need;
}

int value_clean(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	size_t i = 0;

	while (i < len && out->fault == 0) {
		size_t start = i, step;

		while (i < len && (step = sequence_len(from + i, len - i)) > 0)
			i += step;
		if (i > start)
			buf_put(out, from + start, i - start);
		if (i < len) {
			buf_text(out, "\xEF\xBF\xBD");
			i++;
		}
	}
	return out->fault;
}

json_t *value_text(const void *bytes, size_t len)
{
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, 3 * len + 1);
	if (value_clean(&text, bytes, len) < 0)
		return NULL;
	return json_stringn(text.len ? (const char *)text.data : "", text.len);
}
