/*
 * ECMA-262 patterns, read in full and written anew for PCRE2: nothing reaches PCRE2 that was not
 * understood here, so none of its own extensions can be meant by accident.
 *
 * Accepted: what a pattern with the u flag may hold, and beside it what older patterns write and
 * only one reading fits: { } ] standing for themselves, a backslash before any ASCII punctuation,
 * a - beside a set in a class. Refused, since no reader agrees on them or since they cost without
 * bound: references to groups, options such as (?i), possessive and atomic groups, \A \z \Z \a \e
 * and other letters that ECMA-262 does not have, lone surrogates. Groups capture nothing.
 */
#include "policy/json_schema_regex.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/str.h"

#define GROUPS_MAX 100
#define REPEAT_MAX 65535
#define CODE_MAX   0x10ffffU

static const char set_digit[] = "0-9";
static const char set_not_digit[] = "\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}";
static const char set_word[] = "0-9A-Z_a-z";
static const char set_not_word[] =
    "\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}";
static const char set_space[] = "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}"
				"\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}";
static const char set_not_space[] =
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}";
static const char not_line_end[] = "[^\\x{a}\\x{d}\\x{2028}\\x{2029}]";

struct translation {
	const char *start;
	const char *at;
	const char *end;
	struct buf *out;
	char *why;
	bool repeatable;        /* what was written last is something that can be repeated */
	unsigned open;          /* groups begun and not ended */
	bool looks[GROUPS_MAX]; /* those of them that only look ahead or behind */
};

/* One character, or a set of them as the inside of a class. */
struct atom {
	bool is_set;
	uint32_t code;
	char set[384];
};

static int refuse(struct translation *t, const char *why)
{
	snprintf(t->why, JSON_REGEX_WHY_MAX, "byte %zu: %s", (size_t)(t->at - t->start), why);
	return -EINVAL;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool next_is(const struct translation *t, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(t->end - t->at) >= len && !memcmp(t->at, text, len);
}

static bool take(struct translation *t, const char *text)
{
	if (!next_is(t, text))
		return false;
	t->at += strlen(text);
	return true;
}

/* The pattern is known to be UTF-8. */
static uint32_t take_code(struct translation *t)
{
	uint8_t lead = (uint8_t)*t->at++;
	int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
	uint32_t code = more == 3 ? lead & 0x07U : more == 2 ? lead & 0x0fU : lead & 0x1fU;

	if (!more)
		return lead;
	while (more-- && t->at < t->end)
		code = code << 6 | ((uint8_t)*t->at++ & 0x3fU);
	return code;
}

static void put_code(struct translation *t, uint32_t code)
{
	if (code < 0x80 && (is_alpha((char)code) || is_digit((char)code)))
		buf_textf(t->out, "%c", (char)code);
	else
		buf_textf(t->out, "\\x{%x}", (unsigned)code);
}

/* ---- escapes --------------------------------------------------------------------------------- */

/* Up to max hex digits into *ret; how many there were. */
static int take_hex(struct translation *t, int max, uint32_t *ret)
{
	int count = 0;

	*ret = 0;
	for (; count < max && t->at < t->end; count++, t->at++) {
		char c = *t->at;
		int digit = is_digit(c)            ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			break;
		*ret = *ret << 4 | (uint32_t)digit;
	}
	return count;
}

/* After \u: four digits, a pair of surrogates, or {...}. */
static int take_unicode(struct translation *t, uint32_t *ret)
{
	uint32_t code = 0, low = 0;

	if (take(t, "{")) {
		if (take_hex(t, 6, &code) == 0 || !take(t, "}") || code > CODE_MAX)
			return refuse(t, "\\u{...} needs one to six hex digits up to 10ffff");
	} else if (take_hex(t, 4, &code) != 4) {
		return refuse(t, "\\u needs four hex digits; a backslash itself is \\\\");
	} else if (code >= 0xd800 && code <= 0xdbff && take(t, "\\u")) {
		if (take_hex(t, 4, &low) != 4 || low < 0xdc00 || low > 0xdfff)
			return refuse(t, "half of a surrogate pair; write \\u{...}");
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
	}
	if (code >= 0xd800 && code <= 0xdfff)
		return refuse(t, "half of a surrogate pair; write \\u{...}");
	*ret = code;
	return 0;
}

/* General categories that ECMA-262 also spells out; PCRE2 knows only the short names. */
static const char *short_category(const char *name)
{
	static const char *const names[][2] = {{"Other", "C"}, {"Control", "Cc"}, {"Format", "Cf"},
	    {"Unassigned", "Cn"}, {"Private_Use", "Co"}, {"Letter", "L"},
	    {"Lowercase_Letter", "Ll"}, {"Modifier_Letter", "Lm"}, {"Other_Letter", "Lo"},
	    {"Titlecase_Letter", "Lt"}, {"Uppercase_Letter", "Lu"}, {"Mark", "M"},
	    {"Spacing_Mark", "Mc"}, {"Enclosing_Mark", "Me"}, {"Nonspacing_Mark", "Mn"},
	    {"Number", "N"}, {"Decimal_Number", "Nd"}, {"digit", "Nd"}, {"Letter_Number", "Nl"},
	    {"Other_Number", "No"}, {"Punctuation", "P"}, {"punct", "P"},
	    {"Connector_Punctuation", "Pc"}, {"Dash_Punctuation", "Pd"},
	    {"Close_Punctuation", "Pe"}, {"Final_Punctuation", "Pf"}, {"Initial_Punctuation", "Pi"},
	    {"Other_Punctuation", "Po"}, {"Open_Punctuation", "Ps"}, {"Symbol", "S"},
	    {"Currency_Symbol", "Sc"}, {"Modifier_Symbol", "Sk"}, {"Math_Symbol", "Sm"},
	    {"Other_Symbol", "So"}, {"Separator", "Z"}, {"Line_Separator", "Zl"},
	    {"Paragraph_Separator", "Zp"}, {"Space_Separator", "Zs"}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i][0]))
			return names[i][1];
	}
	return name;
}

/* What PCRE2 calls the property of this name, into out: 0 or -EINVAL. */
static int rename_property(char *out, size_t max, const char *name)
{
	static const char *const prefixes[][2] = {{"General_Category=", ""}, {"gc=", ""},
	    {"Script_Extensions=", "scx:"}, {"scx=", "scx:"}, {"Script=", "sc:"}, {"sc=", "sc:"}};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t len = strlen(prefixes[i][0]);

		if (!strncmp(name, prefixes[i][0], len)) {
			snprintf(out, max, "%s%s", prefixes[i][1], short_category(name + len));
			return strchr(name + len, '=') ? -EINVAL : 0;
		}
	}
	/* Xan and its like are PCRE2's own. */
	if (strchr(name, '=') || (name[0] == 'X' && strlen(name) == 3))
		return -EINVAL;
	snprintf(out, max, "%s", short_category(name));
	return 0;
}

/* After \p or \P. PCRE2 says whether there is such a property. */
static int take_property(struct translation *t, char letter, struct atom *ret)
{
	char name[64], known[80];
	size_t len = 0;

	if (!take(t, "{"))
		return refuse(t, "\\p needs a property in braces, as in \\p{L}");
	while (t->at < t->end && len + 1 < sizeof(name) &&
	       (is_alpha(*t->at) || is_digit(*t->at) || *t->at == '_' || *t->at == '='))
		name[len++] = *t->at++;
	name[len] = '\0';
	if (len == 0 || !take(t, "}") || rename_property(known, sizeof(known), name) < 0)
		return refuse(t, "no such Unicode property; as in \\p{L} or \\p{Script=Greek}");
	ret->is_set = true;
	snprintf(ret->set, sizeof(ret->set), "\\%c{%s}", letter, known);
	return 0;
}

static int set_atom(struct atom *ret, const char *set)
{
	ret->is_set = true;
	snprintf(ret->set, sizeof(ret->set), "%s", set);
	return 0;
}

static int code_atom(struct atom *ret, uint32_t code)
{
	ret->is_set = false;
	ret->code = code;
	return 0;
}

/* \cA, \xNN, \uNNNN, \0 and the refusals: what takes more than the one letter. */
static int take_long_escape(struct translation *t, char letter, struct atom *ret)
{
	ret->is_set = false;
	switch (letter) {
	case 'c':
		if (t->at == t->end || !is_alpha(*t->at))
			return refuse(t, "\\c needs a letter; a backslash itself is \\\\");
		return code_atom(ret, (uint32_t)(*t->at++ & 31));
	case 'x':
		if (take_hex(t, 2, &ret->code) != 2)
			return refuse(t, "\\x needs two hex digits; a backslash itself is \\\\");
		return 0;
	case 'u': return take_unicode(t, &ret->code);
	case '0':
		if (t->at < t->end && is_digit(*t->at))
			return refuse(t, "octal escapes are not read; write \\xNN");
		return code_atom(ret, 0);
	default: break;
	}
	if (is_digit(letter) || letter == 'k')
		return refuse(t, "references to groups are not read; write the pattern without");
	if (is_alpha(letter) || (uint8_t)letter >= 0x80 || (uint8_t)letter < 0x21)
		return refuse(t, "this escape is not one of ECMA-262; write \\\\ for a backslash");
	return code_atom(ret, (uint8_t)letter);
}

/* After the backslash; \b and \B outside a class are the caller's. */
static int take_escape(struct translation *t, struct atom *ret)
{
	char letter;

	if (t->at == t->end)
		return refuse(t, "ends in a backslash; a backslash itself is \\\\");
	letter = *t->at++;
	switch (letter) {
	case 'd': return set_atom(ret, set_digit);
	case 'D': return set_atom(ret, set_not_digit);
	case 'w': return set_atom(ret, set_word);
	case 'W': return set_atom(ret, set_not_word);
	case 's': return set_atom(ret, set_space);
	case 'S': return set_atom(ret, set_not_space);
	case 'p':
	case 'P': return take_property(t, letter, ret);
	case 't': return code_atom(ret, '\t');
	case 'n': return code_atom(ret, '\n');
	case 'v': return code_atom(ret, '\v');
	case 'f': return code_atom(ret, '\f');
	case 'r': return code_atom(ret, '\r');
	default: return take_long_escape(t, letter, ret);
	}
}

/* ---- classes --------------------------------------------------------------------------------- */

static int take_class_atom(struct translation *t, struct atom *ret)
{
	if (t->at == t->end)
		return refuse(t, "[ without ]; a bracket itself is \\[");
	if (take(t, "\\b"))
		return code_atom(ret, '\b');
	if (take(t, "\\"))
		return take_escape(t, ret);
	return code_atom(ret, take_code(t));
}

static void put_class_atom(struct translation *t, const struct atom *atom)
{
	if (atom->is_set)
		buf_text(t->out, atom->set);
	else
		put_code(t, atom->code);
}

static int translate_class_item(struct translation *t)
{
	struct atom first, last;
	int r = take_class_atom(t, &first);

	if (r < 0)
		return r;
	put_class_atom(t, &first);
	if (!next_is(t, "-") || t->end - t->at < 2 || t->at[1] == ']')
		return 0;
	t->at++;
	r = take_class_atom(t, &last);
	if (r < 0)
		return r;
	if (first.is_set || last.is_set)
		put_code(t, '-');
	else if (first.code > last.code)
		return refuse(t, "the range is upside down; write the lower character first");
	else
		buf_text(t->out, "-");
	put_class_atom(t, &last);
	return 0;
}

/* After the opening bracket. */
static int translate_class(struct translation *t)
{
	bool negated = take(t, "^");

	t->repeatable = true;
	if (take(t, "]")) {
		buf_text(t->out, negated ? "[\\x{0}-\\x{10ffff}]" : "(?:(?!))");
		return 0;
	}
	buf_text(t->out, negated ? "[^" : "[");
	while (!take(t, "]")) {
		int r = translate_class_item(t);

		if (r < 0)
			return r;
	}
	buf_text(t->out, "]");
	return 0;
}

/* ---- groups, repetition, everything ---------------------------------------------------------- */

/* After the opening parenthesis. */
static int translate_group(struct translation *t)
{
	static const char *const kinds[] = {"?:", "?=", "?!", "?<=", "?<!"};

	if (t->open == GROUPS_MAX)
		return refuse(t, "too many groups inside each other; 100 at most");
	t->looks[t->open++] = false;
	t->repeatable = false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (take(t, kinds[i])) {
			t->looks[t->open - 1] = i > 0;
			buf_textf(t->out, "(%s", kinds[i]);
			return 0;
		}
	}
	if (take(t, "?<")) {
		const char *name = t->at;

		while (t->at < t->end && (is_alpha(*t->at) || *t->at == '_' || *t->at == '$' ||
					     (is_digit(*t->at) && t->at > name)))
			t->at++;
		if (t->at == name || !take(t, ">"))
			return refuse(t, "not the name of a group; write (?<name>...) or (?:...)");
	} else if (next_is(t, "?") || next_is(t, "*")) {
		return refuse(t, "this kind of group is not one of ECMA-262; write (?:...)");
	}
	buf_text(t->out, "(?:");
	return 0;
}

/* Digits after an opening brace; -1 if there are none. */
static long take_number(const char **at, const char *end)
{
	long number = -1;

	for (; *at < end && is_digit(**at); (*at)++) {
		if (number < REPEAT_MAX + 1)
			number = (number < 0 ? 0 : number) * 10 + (**at - '0');
	}
	return number;
}

/* {n} {n,} {n,m} at t->at. Returns 1 if it was one, 0 if the brace stands for itself. */
static int translate_braces(struct translation *t)
{
	const char *at = t->at + 1;
	long least = take_number(&at, t->end), most = least;
	bool open_ended = false;

	if (least < 0)
		return 0;
	if (at < t->end && *at == ',') {
		at++;
		most = take_number(&at, t->end);
		open_ended = most < 0;
	}
	if (at == t->end || *at != '}')
		return 0;
	if (least > REPEAT_MAX || most > REPEAT_MAX)
		return refuse(t, "repeats too often; 65535 times at most");
	if (!open_ended && least > most)
		return refuse(t, "the repetition is upside down; write the smaller number first");
	if (!t->repeatable)
		return refuse(
		    t, "nothing to repeat; the character itself has a backslash before it");
	t->at = at + 1;
	if (open_ended)
		buf_textf(t->out, "{%ld,}", least);
	else
		buf_textf(t->out, "{%ld,%ld}", least, most);
	return 1;
}

/* A repetition at t->at, with the ? of the lazy kind. 1, 0 if there is none, -EINVAL. */
static int translate_repeat(struct translation *t)
{
	int r = 1;

	if (next_is(t, "{")) {
		r = translate_braces(t);
		if (r <= 0)
			return r;
	} else if (next_is(t, "*") || next_is(t, "+") || next_is(t, "?")) {
		if (!t->repeatable)
			return refuse(
			    t, "nothing to repeat; the character itself has a backslash before it");
		buf_textf(t->out, "%c", *t->at++);
	} else {
		return 0;
	}
	if (take(t, "?"))
		buf_text(t->out, "?");
	t->repeatable = false;
	return r;
}

/* ^ $ | ) and \b: what matches no character. 1, 0 if it is none of them, -EINVAL. */
static int translate_bare(struct translation *t)
{
	static const char *const bare[] = {"^", "$", "|", "\\b", "\\B"};

	for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
		if (take(t, bare[i])) {
			buf_text(t->out, bare[i]);
			t->repeatable = false;
			return 1;
		}
	}
	if (!next_is(t, ")"))
		return 0;
	if (t->open == 0)
		return refuse(t, ") without (; a parenthesis itself is \\)");
	t->at++;
	t->repeatable = !t->looks[--t->open];
	buf_text(t->out, ")");
	return 1;
}

static int translate_next(struct translation *t)
{
	struct atom atom;
	int r = translate_repeat(t);

	if (r == 0)
		r = translate_bare(t);
	if (r != 0)
		return r < 0 ? r : 0;
	if (take(t, "("))
		return translate_group(t);
	if (take(t, "["))
		return translate_class(t);
	t->repeatable = true;
	if (take(t, ".")) {
		buf_text(t->out, not_line_end);
		return 0;
	}
	if (!take(t, "\\")) {
		put_code(t, take_code(t));
		return 0;
	}
	r = take_escape(t, &atom);
	if (r < 0)
		return r;
	if (atom.is_set)
		buf_textf(t->out, "[%s]", atom.set);
	else
		put_code(t, atom.code);
	return 0;
}

int json_regex_translate(
    struct buf *out, const char *pattern, size_t len, char why[JSON_REGEX_WHY_MAX])
{
	struct translation t = {
	    .start = pattern, .at = pattern, .end = pattern + len, .out = out, .why = why};

	if (!str_is_utf8(pattern, len))
		return refuse(&t, "not UTF-8; write the pattern in UTF-8");
	while (t.at < t.end) {
		int r = translate_next(&t);

		if (r < 0)
			return r;
	}
	if (t.open)
		return refuse(&t, "( without ); a parenthesis itself is \\(");
	return out->fault;
}
