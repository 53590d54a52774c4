#include "policy/text.h"

#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/str.h"

#define DISTANCE_NAME_MAX 64

bool text_is_clean(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return str_is_utf8(text, len);
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Wagner and Fischer's dynamic programme, one row at a time. */
size_t text_distance(const char *a, const char *b, size_t most)
{
	size_t row[DISTANCE_NAME_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > DISTANCE_NAME_MAX || b_len > DISTANCE_NAME_MAX)
		return most;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t replaced = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = least(replaced, least(row[j], row[j - 1]) + 1);
		}
	}
	return least(row[b_len], most);
}

static bool part_is(const char *part, size_t len, const char *text)
{
	return strlen(text) == len && !memcmp(part, text, len);
}

bool text_is_plain_path(const char *text)
{
	if (text[0] != '/')
		return false;
	while (*text) {
		size_t len = strcspn(++text, "/");

		if (!len || part_is(text, len, ".") || part_is(text, len, ".."))
			return false;
		text += len;
	}
	return true;
}

bool text_climbs(const char *text)
{
	for (;;) {
		size_t len = strcspn(text, "/");

		if (part_is(text, len, ".."))
			return true;
		if (!text[len])
			return false;
		text += len + 1;
	}
}

bool text_is_variable(const char *text)
{
	static const char fit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strspn(text, fit);

	return len && len <= 128 && !text[len] && (*text < '0' || *text > '9');
}

bool text_is_tool_variable(const char *text)
{
	static const char *const fixed[] = {"PATH", "HOME", "TMPDIR", "USER"};

	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (!strcmp(text, fixed[i]))
			return false;
	}
	return text_is_variable(text) && strncmp(text, "LD_", 3) != 0 &&
	       strncmp(text, "CALLGATE_", 9) != 0;
}

void text_quote(struct buf *out, const char *text)
{
	const char *plain = text;

	buf_text(out, "\"");
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)
			continue;
		buf_put(out, plain, (size_t)(text - plain));
		if (byte == '"' || byte == '\\')
			buf_textf(out, "\\%c", byte);
		else
			buf_textf(out, "\\u%04x", byte);
		plain = text + 1;
	}
	buf_text(out, plain);
	buf_text(out, "\"");
}
