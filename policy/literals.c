/*
 * Reads what json_regex_translate() wrote, which is far plainer than what people write: a
 * character is a letter, a digit or \x{...}; everything else stands for one thing only. What is
 * not known here gives no literals at all.
 *
 * Each part of a pattern means a few whole texts (exact), or sets of which something must occur,
 * or nothing. Parts in a row are put together while they are few and short; where that ends, what
 * was put together becomes a set. ^ and $ are empty texts that stand at an end, and what only looks
 * (\b, lookaround) is an empty text.
 */
#include "policy/literals.h"

#include <errno.h>
#include <string.h>

#include "policy/json_schema_regex.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define TRANSLATED_MAX (1024 * 1024)
#define UNION_MAX      256  /* texts of one set */
#define PRODUCT_MAX    64   /* texts that come of putting several after several */
#define BYTES_MAX      4096 /* of all texts that are put together */
#define CLASS_MAX      4    /* characters of a class that is taken apart */
#define COPIES_MAX     8    /* of what is repeated {n} times */

struct parse {
	const char *at, *end;
	struct arena arena; /* of one pattern */
	bool failed;        /* no memory */
	bool lost;          /* not understood */
};

struct meaning {
	bool exact;               /* what it matches is one of these texts */
	struct literal_set texts; /* if exact */
	struct literals needs;    /* what the whole text must hold besides */
};

static const struct meaning unknown = {.exact = false};

static struct literal_set make_set(struct parse *parse, uint32_t count)
{
	struct literal *items = arena_array(&parse->arena, count, sizeof(*items));

	if (!items) {
		parse->failed = true;
		return (struct literal_set){NULL, 0};
	}
	return (struct literal_set){items, count};
}

static struct meaning one_text(struct parse *parse, const struct literal *text)
{
	struct meaning meaning = {.exact = true, .texts = make_set(parse, 1)};

	if (meaning.texts.count)
		meaning.texts.items[0] = *text;
	return meaning;
}

static struct meaning nothing_at(struct parse *parse, bool at_start, bool at_end)
{
	return one_text(parse, &(struct literal){"", 0, at_start, at_end});
}

/* ---- sets that must occur ------------------------------------------------------------------ */

/* Every text holds an empty one. */
static bool is_useful(const struct literal_set *set)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const struct literal *item = &set->items[i];

		if (!item->len && !(item->at_start && item->at_end))
			return false;
	}
	return set->count > 0;
}

/* The higher, the fewer texts will hold one: the shortest counts, then how many there are. */
static uint32_t worth(const struct literal_set *set)
{
	uint32_t least = UINT32_MAX;

	for (uint32_t i = 0; i < set->count; i++) {
		const struct literal *item = &set->items[i];
		uint32_t value = item->len + item->at_start + item->at_end;

		if (value < least)
			least = value;
	}
	return least * UNION_MAX + UNION_MAX - set->count;
}

/* When there are too many, the worst goes. */
static void need(struct literals *needs, const struct literal_set *set)
{
	uint32_t worst = 0;

	if (!is_useful(set))
		return;
	if (needs->count < LITERAL_SETS_MAX) {
		needs->sets[needs->count++] = *set;
		return;
	}
	for (uint32_t i = 1; i < needs->count; i++)
		if (worth(&needs->sets[i]) < worth(&needs->sets[worst]))
			worst = i;
	if (worth(set) > worth(&needs->sets[worst]))
		needs->sets[worst] = *set;
}

static void need_all(struct literals *needs, const struct literals *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		need(needs, &more->sets[i]);
}

/* What a part needs when its own texts are no longer put together with others. */
static struct literals needs_of(const struct meaning *meaning)
{
	struct literals needs = meaning->needs;

	if (meaning->exact)
		need(&needs, &meaning->texts);
	return needs;
}

/* ---- putting together ---------------------------------------------------------------------- */

static struct literal_set join(
    struct parse *parse, const struct literal_set *a, const struct literal_set *b)
{
	struct literal_set both = make_set(parse, a->count + b->count);

	if (!both.count)
		return both;
	for (uint32_t i = 0; i < a->count; i++)
		both.items[i] = a->items[i];
	for (uint32_t i = 0; i < b->count; i++)
		both.items[a->count + i] = b->items[i];
	return both;
}

/* a|b */
static struct meaning either(struct parse *parse, const struct meaning *a, const struct meaning *b)
{
	struct meaning result = unknown;
	struct literals left, right;
	uint32_t i = 0, j = 0;

	if (a->exact && b->exact && a->texts.count + b->texts.count <= UNION_MAX) {
		result.exact = true;
		result.texts = join(parse, &a->texts, &b->texts);
		return result;
	}
	left = needs_of(a);
	right = needs_of(b);
	if (!left.count || !right.count)
		return result;
	for (uint32_t k = 1; k < left.count; k++)
		i = worth(&left.sets[k]) > worth(&left.sets[i]) ? k : i;
	for (uint32_t k = 1; k < right.count; k++)
		j = worth(&right.sets[k]) > worth(&right.sets[j]) ? k : j;
	if (left.sets[i].count + right.sets[j].count > UNION_MAX)
		return result;
	result.needs.sets[0] = join(parse, &left.sets[i], &right.sets[j]);
	result.needs.count = result.needs.sets[0].count ? 1 : 0;
	return result;
}

/* A text that would begin after its beginning matches nothing: to say less of it is no fault. */
static struct literal concatenate(
    struct parse *parse, const struct literal *a, const struct literal *b)
{
	struct literal result = {.len = a->len + b->len,
	    .at_start = a->at_start || (!a->len && b->at_start),
	    .at_end = b->at_end || (!b->len && a->at_end)};
	char *text = arena_alloc(&parse->arena, result.len + 1u);

	if (!text) {
		parse->failed = true;
		return (struct literal){"", 0, false, false};
	}
	memcpy(text, a->text, a->len);
	memcpy(text + a->len, b->text, b->len);
	result.text = text;
	return result;
}

static bool is_too_much(const struct literal_set *a, const struct literal_set *b)
{
	size_t a_bytes = 0, b_bytes = 0, a_most = 0, b_most = 0;

	for (uint32_t i = 0; i < a->count; i++) {
		a_bytes += a->items[i].len;
		a_most = a->items[i].len > a_most ? a->items[i].len : a_most;
	}
	for (uint32_t i = 0; i < b->count; i++) {
		b_bytes += b->items[i].len;
		b_most = b->items[i].len > b_most ? b->items[i].len : b_most;
	}
	if (a->count > 1 && b->count > 1 && (size_t)a->count * b->count > PRODUCT_MAX)
		return true;
	return a_most + b_most > LITERAL_MAX || a_bytes * b->count + b_bytes * a->count > BYTES_MAX;
}

static struct literal_set multiply(
    struct parse *parse, const struct literal_set *a, const struct literal_set *b)
{
	struct literal_set product = make_set(parse, a->count * b->count);

	for (uint32_t i = 0; i < product.count; i++)
		product.items[i] =
		    concatenate(parse, &a->items[i / b->count], &b->items[i % b->count]);
	return product;
}

/* A run of parts: run is what was put together since it was last broken off. */
struct run {
	struct meaning whole; /* exact: never broken off */
	struct literal_set texts;
};

static void break_off(struct parse *parse, struct run *run)
{
	need(&run->whole.needs, &run->texts);
	run->whole.exact = false;
	run->texts = nothing_at(parse, false, false).texts;
}

static void append(struct parse *parse, struct run *run, const struct meaning *part)
{
	need_all(&run->whole.needs, &part->needs);
	if (!part->exact || !part->texts.count) {
		break_off(parse, run);
		return;
	}
	if (is_too_much(&run->texts, &part->texts)) {
		break_off(parse, run);
		run->texts = part->texts;
		return;
	}
	run->texts = multiply(parse, &run->texts, &part->texts);
}

/* ---- parts --------------------------------------------------------------------------------- */

static bool next_is(const struct parse *parse, const char *text)
{
	size_t len = strlen(text);

	return (size_t)(parse->end - parse->at) >= len && !memcmp(parse->at, text, len);
}

static bool take(struct parse *parse, const char *text)
{
	if (!next_is(parse, text))
		return false;
	parse->at += strlen(text);
	return true;
}

static bool is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* A letter, a digit or \x{...}. False, and nothing taken, if it is none. */
static bool take_code(struct parse *parse, uint32_t *ret)
{
	const char *at = parse->at;
	uint32_t code = 0;

	if (at < parse->end && is_plain(*at)) {
		*ret = (uint8_t)*at;
		parse->at++;
		return true;
	}
	if (!next_is(parse, "\\x{"))
		return false;
	for (at += 3; at < parse->end && is_plain(*at) && code <= 0x10ffff; at++)
		code = code << 4 | (uint32_t)(*at <= '9' ? *at - '0' : (*at | 0x20) - 'a' + 10);
	if (at == parse->end || *at != '}' || code > 0x10ffff || (code & 0x1ff800) == 0xd800)
		return false;
	parse->at = at + 1;
	*ret = code;
	return true;
}

/* How many bytes of out, which holds 4. */
static uint32_t put_utf8(char *out, uint32_t code)
{
	uint32_t more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
	static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};

	for (uint32_t i = more; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(leads[more] | code);
	return more + 1;
}

static bool is_repeated(const struct parse *parse)
{
	return parse->at < parse->end && memchr("*+?{", *parse->at, 4);
}

/* Characters up to one that something is said of; none if that is the first. */
static struct meaning read_plain(struct parse *parse)
{
	char *text = arena_alloc(&parse->arena, LITERAL_MAX + 4);
	struct literal literal = {.text = text};
	const char *before = parse->at;
	uint32_t code;

	if (!text) {
		parse->failed = true;
		return unknown;
	}
	while (literal.len <= LITERAL_MAX - 4 && take_code(parse, &code)) {
		if (is_repeated(parse)) {
			parse->at = before;
			break;
		}
		literal.len += put_utf8(text + literal.len, code);
		before = parse->at;
	}
	return one_text(parse, &literal);
}

static struct meaning one_of(struct parse *parse, const uint32_t *codes, uint32_t count)
{
	struct meaning meaning = {.exact = true, .texts = make_set(parse, count)};

	for (uint32_t i = 0; i < meaning.texts.count; i++) {
		char *text = arena_alloc(&parse->arena, 4);

		if (!text) {
			parse->failed = true;
			return unknown;
		}
		meaning.texts.items[i].text = text;
		meaning.texts.items[i].len = put_utf8(text, codes[i]);
	}
	return meaning;
}

/* One character or range of a class into codes. False: none that is read here, or too many. */
static bool take_members(struct parse *parse, uint32_t codes[CLASS_MAX], uint32_t *count)
{
	uint32_t code, last;

	if (!take_code(parse, &code))
		return false;
	last = code;
	if (take(parse, "-") && !take_code(parse, &last))
		return false;
	if (last < code || last - code >= CLASS_MAX - *count)
		return false;
	while (code <= last)
		codes[(*count)++] = code++;
	return true;
}

/* After the bracket. A bracket inside is always written \x{5d}. */
static struct meaning read_class(struct parse *parse)
{
	const char *end = memchr(parse->at, ']', (size_t)(parse->end - parse->at));
	uint32_t codes[CLASS_MAX], count = 0;
	bool few = true;

	if (!end) {
		parse->lost = true;
		return unknown;
	}
	while (few && parse->at < end)
		few = take_members(parse, codes, &count);
	parse->at = end + 1;
	return few && count ? one_of(parse, codes, count) : unknown;
}

static struct meaning read_alternatives(struct parse *parse);

/* After the parenthesis. What is looked for ahead or behind must be in the text as well. */
static struct meaning read_group(struct parse *parse)
{
	bool negative = next_is(parse, "?!") || next_is(parse, "?<!");
	bool looks = negative || next_is(parse, "?=") || next_is(parse, "?<=");
	struct meaning inside, outside;

	if (!take(parse, "?:") && !take(parse, "?=") && !take(parse, "?!") && !take(parse, "?<=") &&
	    !take(parse, "?<!")) {
		parse->lost = true;
		return unknown;
	}
	inside = read_alternatives(parse);
	if (!take(parse, ")"))
		parse->lost = true;
	if (!looks || parse->lost)
		return inside;
	outside = nothing_at(parse, false, false);
	if (!negative)
		outside.needs = needs_of(&inside);
	return outside;
}

static struct meaning read_part(struct parse *parse)
{
	uint32_t code;

	if (take(parse, "^"))
		return nothing_at(parse, true, false);
	if (take(parse, "$"))
		return nothing_at(parse, false, true);
	if (take(parse, "\\b") || take(parse, "\\B"))
		return nothing_at(parse, false, false);
	if (take(parse, "("))
		return read_group(parse);
	if (take(parse, "["))
		return read_class(parse);
	if (take_code(parse, &code))
		return one_of(parse, &code, 1);
	parse->lost = true;
	return unknown;
}

/* ---- repetition ---------------------------------------------------------------------------- */

struct repeat {
	uint32_t least;
	bool fixed;    /* exactly so often */
	bool optional; /* once or not at all */
};

static uint32_t take_number(struct parse *parse)
{
	uint32_t number = 0;

	while (parse->at < parse->end && *parse->at >= '0' && *parse->at <= '9' && number < 100000)
		number = number * 10 + (uint32_t)(*parse->at++ - '0');
	return number;
}

/* {n,m} or {n,}: json_regex_translate() writes no other. */
static struct repeat read_braces(struct parse *parse)
{
	struct repeat repeat = {.least = take_number(parse)};

	if (!take(parse, ","))
		parse->lost = true;
	if (!next_is(parse, "}")) {
		uint32_t most = take_number(parse);

		repeat.fixed = most == repeat.least;
		repeat.optional = most == 1 && !repeat.least;
	}
	if (!take(parse, "}"))
		parse->lost = true;
	return repeat;
}

static struct repeat read_repeat(struct parse *parse)
{
	struct repeat repeat = {.least = 1, .fixed = true};

	if (!is_repeated(parse))
		return repeat;
	if (take(parse, "*"))
		repeat = (struct repeat){.least = 0};
	else if (take(parse, "+"))
		repeat = (struct repeat){.least = 1};
	else if (take(parse, "?"))
		repeat = (struct repeat){.optional = true};
	else if (take(parse, "{"))
		repeat = read_braces(parse);
	(void)take(parse, "?"); /* lazy: which match is found, not whether */
	return repeat;
}

static void append_optional(struct parse *parse, struct run *run, const struct meaning *part)
{
	struct meaning empty = nothing_at(parse, false, false);
	struct meaning maybe = either(parse, &empty, part);

	append(parse, run, maybe.exact ? &maybe : &unknown);
}

static void append_repeated(struct parse *parse, struct run *run, const struct meaning *part)
{
	struct repeat repeat = read_repeat(parse);

	if (repeat.optional) {
		append_optional(parse, run, part);
		return;
	}
	for (uint32_t i = 0; i < repeat.least && i < COPIES_MAX; i++)
		append(parse, run, part);
	if (!repeat.fixed || repeat.least > COPIES_MAX)
		append(parse, run, &unknown);
}

/* ---- the walk ------------------------------------------------------------------------------ */

static bool goes_on(const struct parse *parse)
{
	return !parse->lost && !parse->failed;
}

static struct meaning read_sequence(struct parse *parse)
{
	struct run run = {.whole = {.exact = true}, .texts = nothing_at(parse, false, false).texts};

	while (goes_on(parse) && parse->at < parse->end && *parse->at != '|' && *parse->at != ')') {
		struct meaning part = read_plain(parse);

		if (part.texts.count && !part.texts.items[0].len) {
			part = read_part(parse);
			append_repeated(parse, &run, &part);
		} else {
			append(parse, &run, &part);
		}
	}
	if (run.whole.exact)
		run.whole.texts = run.texts;
	else
		need(&run.whole.needs, &run.texts);
	return run.whole;
}

/* Recursion is bounded by the groups that json_regex_translate() allows inside each other. */
static struct meaning read_alternatives(struct parse *parse)
{
	struct meaning all = read_sequence(parse);

	while (goes_on(parse) && take(parse, "|")) {
		struct meaning next = read_sequence(parse);

		all = either(parse, &all, &next);
	}
	return all;
}

/* Out of the arena of one pattern. */
static int keep(struct arena *arena, const struct literals *from, struct literals *ret)
{
	for (uint32_t i = 0; i < from->count; i++) {
		const struct literal_set *set = &from->sets[i];
		struct literal *items = arena_array(arena, set->count, sizeof(*items));

		if (!items)
			return -ENOMEM;
		for (uint32_t j = 0; j < set->count; j++) {
			items[j] = set->items[j];
			items[j].text = arena_text(arena, items[j].text, items[j].len);
			if (!items[j].text)
				return -ENOMEM;
		}
		ret->sets[ret->count++] = (struct literal_set){items, set->count};
	}
	return 0;
}

int literals_of_pattern(struct arena *arena, const char *pattern, size_t len, struct literals *ret)
{
	struct buf cleanup_with(buf_fini) translated;
	struct parse parse = {.lost = false};
	char why[JSON_REGEX_WHY_MAX];
	struct literals needs;
	struct meaning all;
	int fault;

	*ret = (struct literals){.count = 0};
	buf_init(&translated, TRANSLATED_MAX);
	fault = json_regex_translate(&translated, pattern, len, why);
	if (fault || !translated.len)
		return fault == -ENOMEM ? fault : 0;
	parse.at = (const char *)translated.data;
	parse.end = parse.at + translated.len;
	all = read_alternatives(&parse);
	needs = needs_of(&all);
	fault = parse.failed ? -ENOMEM : 0;
	if (!fault && !parse.lost && parse.at == parse.end)
		fault = keep(arena, &needs, ret);
	arena_fini(&parse.arena);
	return fault;
}
