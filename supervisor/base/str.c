#include "supervisor/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"

#define ESCAPED_MAX 32 /* "\u{10ffff}", "\x20{18446744073709551615}" and a NUL */
#define BLANKS_MAX  16 /* as many in a row are shown as they are */

/* ---- numbers ------------------------------------------------------------------------------- */

struct unit {
	const char *suffix;
	uint64_t factor;
};

/* Leading decimal digits. *ret_rest points behind them. */
static int number_prefix(const char *text, uint64_t *ret_value, const char **ret_rest)
{
	uint64_t value = 0;
	const char *at = text;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		value = value * 10 + digit;
	}
	if (at == text)
		return -EINVAL;
	*ret_value = value;
	*ret_rest = at;
	return 0;
}

int str_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
	const char *rest;
	uint64_t value;
	int r = number_prefix(text, &value, &rest);

	if (r < 0)
		return r;
	if (*rest != '\0')
		return -EINVAL;
	if (value > max)
		return -ERANGE;
	*ret_value = value;
	return 0;
}

/* units ends with a NULL suffix. */
static int number_with_unit(const char *text, const struct unit *units, uint64_t *ret_value)
{
	const char *rest;
	uint64_t value;
	int r = number_prefix(text, &value, &rest);

	if (r < 0)
		return r;
	while (units->suffix && strcmp(units->suffix, rest) != 0)
		units++;
	if (!units->suffix)
		return -EINVAL;
	if (value > UINT64_MAX / units->factor)
		return -ERANGE;
	*ret_value = value * units->factor;
	return 0;
}

int str_duration_ms(const char *text, uint64_t *ret_ms)
{
	static const struct unit units[] = {
	    {"", 1000},
	    {"ms", 1},
	    {"s", 1000},
	    {"m", 60 * 1000},
	    {"h", 60 * 60 * 1000},
	    {"d", 24 * 60 * 60 * 1000},
	    {NULL, 0},
	};

	return number_with_unit(text, units, ret_ms);
}

int str_size(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
	    {"", 1},
	    {"B", 1},
	    {"kB", 1000},
	    {"MB", 1000 * 1000},
	    {"GB", 1000 * 1000 * 1000},
	    {"TB", 1000ULL * 1000 * 1000 * 1000},
	    {"KiB", 1ULL << 10},
	    {"MiB", 1ULL << 20},
	    {"GiB", 1ULL << 30},
	    {"TiB", 1ULL << 40},
	    {NULL, 0},
	};

	return number_with_unit(text, units, ret_bytes);
}

/* ---- UTF-8 and escaping --------------------------------------------------------------------- */

/* Code points of one byte sequence length: bits of the lead byte, and the least value that
 * needs this length (anything smaller is an overlong form). */
struct utf8_form {
	uint8_t mask, lead;
	uint32_t least;
};

size_t str_utf8_next(const uint8_t *bytes, size_t len, uint32_t *ret_code)
{
	static const struct utf8_form forms[] = {
	    {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
	const struct utf8_form *form = forms;
	uint32_t code;
	size_t need;

	for (need = 1; (bytes[0] & form->mask) != form->lead; need++, form++) {
		if (need == 4)
			return 0;
	}
	if (need > len)
		return 0;
	code = bytes[0] & (uint8_t)~form->mask;
	for (size_t i = 1; i < need; i++) {
		if ((bytes[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	if (code < form->least || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return need;
}

bool str_is_utf8(const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint32_t code;

	while (len > 0) {
		size_t step = str_utf8_next(at, len, &code);

		if (step == 0)
			return false;
		at += step;
		len -= step;
	}
	return true;
}

/* Code points that a terminal acts upon, that turn the direction of text, break a line, show as
 * nothing or as a blank that is not U+0020, overlay another character, or have no meaning of their
 * own (private use). Ascending. */
static const struct {
	uint32_t first, last;
} hidden_ranges[] = {
    {0x0000, 0x001f},    /* C0 */
    {0x007f, 0x00a0},    /* DEL, C1, no-break space */
    {0x00ad, 0x00ad},    /* soft hyphen */
    {0x0332, 0x0338},    /* combining lines under and through the letter before */
    {0x034f, 0x034f},    /* combining grapheme joiner */
    {0x061c, 0x061c},    /* Arabic letter mark */
    {0x115f, 0x1160},    /* Hangul fillers */
    {0x1680, 0x1680},    /* Ogham space */
    {0x17b4, 0x17b5},    /* Khmer inherent vowels */
    {0x180b, 0x180f},    /* Mongolian selectors and vowel separator */
    {0x2000, 0x200f},    /* blanks, zero-width characters, direction marks */
    {0x2028, 0x202f},    /* line and paragraph separators, bidi embeddings, narrow space */
    {0x205f, 0x206f},    /* blanks, word joiner, invisible operators, bidi isolates */
    {0x20d0, 0x20ff},    /* combining marks around and through symbols */
    {0x2800, 0x2800},    /* empty Braille pattern */
    {0x3000, 0x3000},    /* ideographic space */
    {0x3164, 0x3164},    /* Hangul filler */
    {0xe000, 0xf8ff},    /* private use: whatever the font shows */
    {0xfe00, 0xfe0f},    /* variation selectors */
    {0xfeff, 0xfeff},    /* byte order mark */
    {0xffa0, 0xffa0},    /* half-width Hangul filler */
    {0xfff0, 0xfffc},    /* unassigned specials, interlinear annotation, object */
    {0x1bca0, 0x1bca3},  /* shorthand format controls */
    {0x1d173, 0x1d17a},  /* musical format controls */
    {0xe0000, 0xe0fff},  /* tags, variation selectors supplement */
    {0xf0000, 0x10ffff}, /* private use planes */
};

bool str_is_hidden(uint32_t code)
{
	for (size_t i = 0; i < sizeof(hidden_ranges) / sizeof(hidden_ranges[0]); i++) {
		if (code <= hidden_ranges[i].last)
			return code >= hidden_ranges[i].first;
	}
	return false;
}

/* Blanks at the start of bytes that would push what follows out of sight; 0: no more than usual. */
static size_t padding(const uint8_t *bytes, size_t len)
{
	size_t count = 0;

	while (count < len && bytes[count] == ' ')
		count++;
	return count > BLANKS_MAX ? count : 0;
}

/* Writes the printable form of the first code point (or bad byte) of bytes; backslashes pass.
 * Returns how many bytes were consumed. len is at least 1. */
static size_t escape_next(char out[ESCAPED_MAX], const uint8_t *bytes, size_t len)
{
	uint32_t code = 0;
	size_t step = padding(bytes, len);

	if (step > 0) {
		snprintf(out, ESCAPED_MAX, "\\x20{%zu}", step);
		return step;
	}
	step = str_utf8_next(bytes, len, &code);
	if (step <= 1 && (step == 0 || str_is_hidden(code))) {
		snprintf(out, ESCAPED_MAX, "\\x%02x", bytes[0]);
		return 1;
	}
	if (str_is_hidden(code)) {
		snprintf(out, ESCAPED_MAX, "\\u{%04x}", (unsigned)code);
		return step;
	}
	memcpy(out, bytes, step);
	out[step] = '\0';
	return step;
}

/* escape_next() plus the short forms. quote is the byte that needs a backslash, or a backslash. */
static int escape_into(struct buf *out, const uint8_t *bytes, size_t len, char quote)
{
	char piece[ESCAPED_MAX];

	for (size_t step; len > 0; bytes += step, len -= step) {
		step = 1;
		if (*bytes == '\n')
			buf_text(out, "\\n");
		else if (*bytes == '\t')
			buf_text(out, "\\t");
		else if (*bytes == '\\' || *bytes == (uint8_t)quote)
			buf_textf(out, "\\%c", *bytes);
		else {
			step = escape_next(piece, bytes, len);
			buf_text(out, piece);
		}
	}
	return out->fault;
}

int str_escape(struct buf *out, const void *bytes, size_t len)
{
	return escape_into(out, bytes, len, '\\');
}

size_t str_printable(char *out, size_t max, const char *text)
{
	size_t left = strlen(text), len = 0;
	const uint8_t *at = (const uint8_t *)text;
	char piece[ESCAPED_MAX];

	while (left > 0) {
		size_t step = escape_next(piece, at, left);
		size_t piece_len = strlen(piece);

		if (piece_len >= max - len)
			break;
		memcpy(out + len, piece, piece_len);
		len += piece_len;
		at += step;
		left -= step;
	}
	out[len] = '\0';
	return len;
}

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* All of text is letters, digits or one of `others`. */
static bool holds_only(const char *text, const char *others)
{
	while (*text && (is_alnum(*text) || strchr(others, *text)))
		text++;
	return *text == '\0';
}

bool str_is_seen(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;

	for (size_t left = strlen(text); left > 0;) {
		uint32_t code = 0;
		size_t step = str_utf8_next(at, left, &code);

		if (step > 0 && code != ' ' && !str_is_hidden(code))
			return true;
		at += step ? step : 1;
		left -= step ? step : 1;
	}
	return false;
}

/* Would str_escape() change anything? */
static bool needs_escape(const char *text)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t left = strlen(text);
	uint32_t code = 0;

	for (size_t step; left > 0; at += step, left -= step) {
		step = str_utf8_next(at, left, &code);
		if (step == 0 || code == '\\' || str_is_hidden(code) || padding(at, left))
			return true;
	}
	return false;
}

int str_quote(struct buf *out, const char *text)
{
	if (*text && holds_only(text, "_@%+=:,./-"))
		return buf_text(out, text);
	if (needs_escape(text)) {
		buf_text(out, "$'");
		escape_into(out, (const uint8_t *)text, strlen(text), '\'');
		return buf_text(out, "'");
	}
	buf_text(out, "'");
	for (const char *at = text; *at; at++) {
		if (*at == '\'')
			buf_text(out, "'\\''");
		else
			buf_put(out, at, 1);
	}
	return buf_text(out, "'");
}

/* ---- encodings ------------------------------------------------------------------------------ */

void str_hex(char *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[at[i] >> 4];
		out[2 * i + 1] = digits[at[i] & 15];
	}
	out[2 * len] = '\0';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int str_unhex(void *out, size_t len, const char *text)
{
	uint8_t *at = out;

	if (strlen(text) != 2 * len)
		return -EINVAL;
	for (size_t i = 0; i < 2 * len; i++) {
		if (hex_value(text[i]) < 0)
			return -EINVAL;
	}
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int str_base64(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)at[i] << 16;
		char group[4];

		bits |= have > 1 ? (uint32_t)at[i + 1] << 8 : 0;
		bits |= have > 2 ? (uint32_t)at[i + 2] : 0;
		for (size_t j = 0; j < 4; j++)
			group[j] = j <= have ? base64_digits[bits >> (18 - 6 * j) & 63] : '=';
		buf_put(out, group, sizeof(group));
	}
	return out->fault;
}

/* By ranges and not by a search: the verifier of a long trail lives here. */
static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to 24 bits; *ret_have is how many bytes of them count. Padding may stand only
 * in the last group, and the bits it leaves over must be zero: one text per value. */
static int base64_group(const char *text, bool last, uint32_t *ret_bits, size_t *ret_have)
{
	size_t pad = last && text[3] == '=' ? (text[2] == '=' ? 2 : 1) : 0;
	uint32_t bits = 0;

	for (size_t j = 0; j < 4 - pad; j++) {
		int value = base64_value(text[j]);

		if (value < 0)
			return -EINVAL;
		bits |= (uint32_t)value << (18 - 6 * j);
	}
	if (bits & ((1u << 8 * pad) - 1))
		return -EINVAL;
	*ret_bits = bits;
	*ret_have = 3 - pad;
	return 0;
}

int str_unbase64(void *out, size_t max, const char *text, size_t len, size_t *ret_len)
{
	uint8_t *at = out;
	size_t used = 0;

	if (len % 4 != 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t bits;
		size_t have;
		int r = base64_group(text + i, i + 4 == len, &bits, &have);

		if (r < 0)
			return r;
		if (have > max - used)
			return -ENOBUFS;
		for (size_t j = 0; j < have; j++)
			at[used++] = (uint8_t)(bits >> (16 - 8 * j));
	}
	*ret_len = used;
	return 0;
}

/* ---- names ---------------------------------------------------------------------------------- */

bool str_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *resume = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = ++pattern;
			resume = text;
		} else if (*pattern == *text || *pattern == '?') {
			pattern++;
			text++;
		} else if (star) {
			/* Only the last star can need to take one byte more. */
			pattern = star;
			text = ++resume;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}

bool str_is_name(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 255 && holds_only(text, "_-");
}

bool str_is_tool_name(const char *text)
{
	size_t len = strlen(text);

	return len >= 1 && len <= 64 && holds_only(text, "_.-");
}
