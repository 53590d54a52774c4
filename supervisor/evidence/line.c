#include "supervisor/evidence/line.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/evidence/record.h"

#define HEX_LEN    (DIGEST_HEX_MAX - 1)
#define DIGITS_MAX 19 /* decimal digits that cannot overflow 64 bits */

/* Steps over a literal. 1 if it was there. */
static int skip(struct line_cursor *cursor, const char *literal)
{
	size_t len = strlen(literal);

	if ((size_t)(cursor->end - cursor->next) < len || memcmp(cursor->next, literal, len) != 0)
		return 0;
	cursor->next += len;
	return 1;
}

/* A decimal number without leading zeros. */
static int take_number(struct line_cursor *cursor, uint64_t *ret)
{
	const char *start = cursor->next;
	uint64_t value = 0;

	while (cursor->next < cursor->end && isdigit((unsigned char)*cursor->next)) {
		if (cursor->next - start == DIGITS_MAX)
			return -EBADMSG;
		value = value * 10 + (uint64_t)(*cursor->next++ - '0');
	}
	if (cursor->next == start || (*start == '0' && cursor->next - start > 1))
		return -EBADMSG;
	*ret = value;
	return 0;
}

int line_head(struct line_head *ret, const void *line, size_t len)
{
	struct line_cursor cursor = {.next = line, .end = (const char *)line + len};
	struct line_head head;
	const char *quote;

	if (!skip(&cursor, "{\"@n\":") || take_number(&cursor, &head.n) < 0 ||
	    !skip(&cursor, ",\"@prev\":\"") || cursor.end - cursor.next < HEX_LEN)
		return -EBADMSG;
	head.prev_hex = cursor.next;
	cursor.next += HEX_LEN;
	if (!skip(&cursor, "\",\"@timestamp\":\""))
		return -EBADMSG;
	quote = memchr(cursor.next, '"', (size_t)(cursor.end - cursor.next));
	if (!quote || quote - cursor.next >= CLOCK_STAMP_MAX)
		return -EBADMSG;
	head.stamp = cursor.next;
	head.stamp_len = (size_t)(quote - cursor.next);
	head.len = (size_t)(quote + 1 - (const char *)line);
	*ret = head;
	return 0;
}

void line_members(
    struct line_cursor *cursor, const struct line_head *head, const void *line, size_t len)
{
	*cursor = (struct line_cursor){(const char *)line + head->len, (const char *)line + len};
}

int line_members_of(struct line_cursor *cursor, const struct line_member *object)
{
	if (object->value_len < 2 || object->value[0] != '{')
		return -EBADMSG;
	*cursor = (struct line_cursor){object->value + 1, object->value + object->value_len};
	return 0;
}

/* Steps over a string including its quotes. */
static int skip_string(struct line_cursor *cursor)
{
	if (!skip(cursor, "\""))
		return -EBADMSG;
	while (cursor->next < cursor->end) {
		char c = *cursor->next++;

		if (c == '"')
			return 0;
		if (c == '\\' && cursor->next < cursor->end)
			cursor->next++;
	}
	return -EBADMSG;
}

/* Steps over a number or a word. */
static int skip_scalar(struct line_cursor *cursor)
{
	const char *start = cursor->next;

	while (cursor->next < cursor->end &&
	       (isalnum((unsigned char)*cursor->next) || *cursor->next == '-'))
		cursor->next++;
	return cursor->next > start ? 0 : -EBADMSG;
}

/* Steps over any value. Brackets are counted, not matched in kind: the bytes are either ours or
 * forged, and a forged line has already failed by its hash. */
static int skip_value(struct line_cursor *cursor)
{
	unsigned depth = 0;

	do {
		if (cursor->next == cursor->end)
			return -EBADMSG;
		if (*cursor->next == '"') {
			if (skip_string(cursor) < 0)
				return -EBADMSG;
		} else if (strchr("{[", *cursor->next) && *cursor->next) {
			depth++;
			cursor->next++;
		} else if (depth > 0 && strchr("}]", *cursor->next) && *cursor->next) {
			depth--;
			cursor->next++;
		} else if (depth > 0 && strchr(",:", *cursor->next) && *cursor->next) {
			cursor->next++;
		} else if (skip_scalar(cursor) < 0) {
			return -EBADMSG;
		}
	} while (depth > 0);
	return 0;
}

int line_next(struct line_cursor *cursor, struct line_member *ret)
{
	struct line_member member;

	if (skip(cursor, "}"))
		return cursor->next == cursor->end ? 0 : -EBADMSG;
	(void)skip(cursor, ","); /* absent before the first member of an inner object */
	member.key = cursor->next + 1;
	if (skip_string(cursor) < 0)
		return -EBADMSG;
	member.key_len = (size_t)(cursor->next - member.key) - 1;
	if (!skip(cursor, ":"))
		return -EBADMSG;
	member.value = cursor->next;
	if (skip_value(cursor) < 0)
		return -EBADMSG;
	member.value_len = (size_t)(cursor->next - member.value);
	*ret = member;
	return 1;
}

int line_find(const void *line, size_t len, const char *key, struct line_member *ret)
{
	struct line_head head;
	struct line_cursor cursor;
	struct line_member member;
	int r = line_head(&head, line, len);

	if (r < 0)
		return r;
	line_members(&cursor, &head, line, len);
	while ((r = line_next(&cursor, &member)) > 0) {
		if (member.key_len == strlen(key) && memcmp(member.key, key, member.key_len) == 0) {
			*ret = member;
			return 1;
		}
	}
	return r;
}

/* The byte behind a backslash, for the escapes that record_emit() makes. -1: none of those. */
static int unescape(struct line_cursor *cursor)
{
	static const char names[] = "\"\\bfnrt", bytes[] = "\"\\\b\f\n\r\t";
	char c = cursor->next < cursor->end ? *cursor->next++ : '\0';
	const char *at = c ? strchr(names, c) : NULL;
	char hex[3] = {0};
	uint8_t byte;

	if (at)
		return (unsigned char)bytes[at - names];
	if (c != 'u' || !skip(cursor, "00") || cursor->end - cursor->next < 2)
		return -1;
	memcpy(hex, cursor->next, 2);
	cursor->next += 2;
	return str_unhex(&byte, 1, hex) == 0 && byte < 0x20 ? byte : -1;
}

static int decode_string(struct buf *out, const char *value, size_t len)
{
	struct line_cursor cursor = {.next = value + 1, .end = value + len - 1};

	while (cursor.next < cursor.end) {
		const char *stop = memchr(cursor.next, '\\', (size_t)(cursor.end - cursor.next));
		size_t plain = (size_t)((stop ? stop : cursor.end) - cursor.next);
		int byte;

		buf_put(out, cursor.next, plain);
		cursor.next += plain;
		if (!stop)
			break;
		cursor.next++;
		byte = unescape(&cursor);
		if (byte < 0)
			return -EBADMSG;
		buf_put_u8(out, (uint8_t)byte);
	}
	return out->fault;
}

static int decode_base64(struct buf *out, const struct line_member *object)
{
	struct line_cursor cursor;
	struct line_member inner;
	uint8_t bytes[RECORD_LINE_MAX];
	size_t len;

	if (line_members_of(&cursor, object) < 0 || line_next(&cursor, &inner) != 1 ||
	    inner.key_len != 3 || memcmp(inner.key, "b64", 3) != 0 || inner.value_len < 2 ||
	    str_unbase64(bytes, sizeof(bytes), inner.value + 1, inner.value_len - 2, &len) < 0)
		return -EBADMSG;
	return buf_put(out, bytes, len);
}

int line_text(struct buf *out, const struct line_member *member)
{
	if (member->value_len >= 2 && member->value[0] == '"')
		return decode_string(out, member->value, member->value_len);
	if (member->value_len >= 2 && member->value[0] == '{')
		return decode_base64(out, member);
	return -EBADMSG;
}

int line_is(const struct line_member *member, const char *text)
{
	size_t len = strlen(text);

	return member->value_len == len + 2 && member->value[0] == '"' &&
	       memcmp(member->value + 1, text, len) == 0;
}
