#include "sandbox/functions/editor_text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/functions/request.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"

#define LINE_SHOWN_MAX (16 * 1024) /* bytes of one line */
#define NUMBER_MAX     32          /* "%6zu\t" and the words of a cut line */

static enum line_ends ends_of(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	bool lf = false, crlf = false;

	for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))); at++) {
		if (at > bytes && at[-1] == '\r')
			crlf = true;
		else
			lf = true;
	}
	return !crlf ? LINE_ENDS_LF : lf ? LINE_ENDS_MIXED : LINE_ENDS_CRLF;
}

/* Copies without the CR of each CRLF. out has room for len bytes. */
static size_t without_cr(char *out, const char *bytes, size_t len)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\r' && i + 1 < len && bytes[i + 1] == '\n')
			continue;
		out[used++] = bytes[i];
	}
	return used;
}

int editor_text_read(struct editor_text *ret, const char *bytes, size_t len)
{
	enum line_ends ends;
	char *copy;

	if (memchr(bytes, '\0', len) || !str_is_utf8(bytes, len))
		return -EILSEQ;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	ends = ends_of(bytes, len);
	if (ends == LINE_ENDS_CRLF)
		len = without_cr(copy, bytes, len);
	else
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	*ret = (struct editor_text){.bytes = copy, .len = len, .ends = ends};
	return 0;
}

void editor_text_fini(struct editor_text *text)
{
	free(take_ptr(text->bytes));
}

static size_t count_line_ends(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	size_t count = 0;

	for (const char *at = bytes; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		count++;
	return count;
}

int editor_text_bytes(const struct editor_text *text, char **ret_bytes, size_t *ret_len)
{
	size_t more = text->ends == LINE_ENDS_CRLF ? count_line_ends(text->bytes, text->len) : 0;
	char *out = malloc(text->len + more + 1);
	size_t used = 0;

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < text->len; i++) {
		if (more > 0 && text->bytes[i] == '\n')
			out[used++] = '\r';
		out[used++] = text->bytes[i];
	}
	out[used] = '\0';
	*ret_bytes = out;
	*ret_len = used;
	return 0;
}

char *editor_text_given(const struct editor_text *text, const char *given)
{
	size_t len = strlen(given);
	char *copy = malloc(len + 1);

	if (!copy)
		return NULL;
	if (text->ends == LINE_ENDS_CRLF)
		len = without_cr(copy, given, len);
	else
		memcpy(copy, given, len);
	copy[len] = '\0';
	return copy;
}

int editor_text_splice(struct editor_text *text, size_t offset, size_t cut, const char *more)
{
	size_t more_len = strlen(more), tail = text->len - offset - cut;
	char *bytes = malloc(text->len - cut + more_len + 1);

	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, text->bytes, offset);
	memcpy(bytes + offset, more, more_len);
	memcpy(bytes + offset + more_len, text->bytes + offset + cut, tail);
	text->len = offset + more_len + tail;
	bytes[text->len] = '\0';
	free(text->bytes);
	text->bytes = bytes;
	return 0;
}

/* ---- lines ---------------------------------------------------------------------------------- */

size_t editor_text_lines(const struct editor_text *text)
{
	size_t ends = count_line_ends(text->bytes, text->len);

	return ends + (text->len > 0 && text->bytes[text->len - 1] != '\n' ? 1 : 0);
}

size_t editor_text_offset(const struct editor_text *text, size_t line)
{
	const char *at = text->bytes, *end = text->bytes + text->len;

	while (line > 1 && at < end) {
		const char *feed = memchr(at, '\n', (size_t)(end - at));

		at = feed ? feed + 1 : end;
		line--;
	}
	return (size_t)(at - text->bytes);
}

size_t editor_text_line_of(const struct editor_text *text, size_t offset)
{
	return 1 + count_line_ends(text->bytes, offset);
}

/* How many of these bytes to show: a whole line, or its begin up to a character's end. */
static size_t shown_len(const char *line, size_t len)
{
	if (len <= LINE_SHOWN_MAX)
		return len;
	len = LINE_SHOWN_MAX;
	while (len > 0 && ((uint8_t)line[len] & 0xc0) == 0x80)
		len--;
	return len;
}

size_t editor_text_show(const struct editor_text *text, size_t first, size_t last, struct buf *out)
{
	size_t at = editor_text_offset(text, first), number = first;

	for (; number <= last && at < text->len; number++) {
		const char *line = text->bytes + at;
		const char *feed = memchr(line, '\n', text->len - at);
		size_t len = feed ? (size_t)(feed - line) : text->len - at;
		size_t shown = shown_len(line, len);

		if (!request_has_room(out, shown + 2 * NUMBER_MAX))
			break;
		(void)buf_textf(out, "%6zu\t", number);
		(void)buf_put(out, line, shown);
		if (shown < len)
			(void)buf_textf(out, " [%zu bytes more]", len - shown);
		(void)buf_put(out, "\n", 1);
		at += len + 1;
	}
	return number - 1;
}
