#include "supervisor/control/diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/command.h"

#define AROUND    3
#define CELLS_MAX (4 * 1024 * 1024) /* of the table of what two texts share */

#define RED       "\033[31m"
#define GREEN     "\033[32m"
#define BOLD      "\033[1m"
#define PLAIN     "\033[0m"

/* ---- the line of a change -------------------------------------------------------------------- */

static void print_marks(const json_t *change, struct diff_style style)
{
	static const struct {
		const char *name, *words;
	} marks[] = {{"runs_later", "RUNS LATER on the host"},
	    {"leads_out", "LEADS OUT of the workspace"},
	    {"underneath", "CHANGED UNDERNEATH, cannot be committed"},
	    {"special", "SPECIAL, never committed"}};
	const json_t *mark;
	size_t i;

	json_array_foreach(json_object_get(change, "marks"), i, mark)
	{
		for (size_t k = 0; k < sizeof(marks) / sizeof(marks[0]); k++)
			if (json_is_string(mark) &&
			    strcmp(json_string_value(mark), marks[k].name) == 0)
				printf("  %s%s%s", style.colour ? BOLD RED : "", marks[k].words,
				    style.colour ? PLAIN : "");
	}
}

static void print_sides(const json_t *change)
{
	const char *was = command_text_of(change, "type_before");
	const char *is = command_text_of(change, "type_after");
	const char *before = command_text_of(change, "mode_before");
	const char *after = command_text_of(change, "mode_after");
	const json_t *size = json_object_get(change, is[0] ? "size_after" : "size_before");

	printf("  (%s", command_text_of(change, "type"));
	if (was[0] && is[0] && strcmp(was, is) != 0)
		printf(", was a %s", strcmp(was, "special") == 0 ? "special file" : was);
	if (before[0] && after[0] && strcmp(before, after) != 0)
		printf(", mode %s -> %s", before, after);
	else if (after[0] || before[0])
		printf(", mode %s", after[0] ? after : before);
	if (size && strcmp(command_text_of(change, "kind"), "mode") != 0)
		printf(", %lld bytes", (long long)json_integer_value(size));
	printf(")");
}

void diff_print_change(const json_t *change, struct diff_style style)
{
	const char *target = command_text_of(change, "target");

	printf("%s%-8s", style.colour ? BOLD : "", command_text_of(change, "kind"));
	command_print_rendered(command_text_of(change, "path"));
	printf("%s", style.colour ? PLAIN : "");
	print_sides(change);
	if (target[0]) {
		printf(" -> ");
		command_print_rendered(target);
	}
	print_marks(change, style);
	if (json_is_true(json_object_get(change, "committed")))
		printf("  committed");
	putchar('\n');
}

/* ---- texts as lines -------------------------------------------------------------------------- */

struct line {
	const char *text;
	size_t len;
};
struct lines {
	struct line *items; /* owned; point into the answer */
	size_t count;
	bool unended; /* the last has no newline */
};

static void lines_fini(struct lines *lines)
{
	free(lines->items);
}

/* False: no memory. */
static bool split(struct lines *lines, const json_t *side)
{
	const char *at = json_string_value(json_object_get(side, "data"));
	const size_t len = at ? json_string_length(json_object_get(side, "data")) : 0;
	const char *end = at + len;

	lines->items = calloc(len + 1, sizeof(*lines->items));
	if (!lines->items)
		return false;
	while (at && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		lines->items[lines->count++] =
		    (struct line){at, (size_t)((newline ? newline : end) - at)};
		lines->unended = !newline;
		at = newline ? newline + 1 : end;
	}
	return true;
}

static bool same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->text, b->text, a->len) == 0;
}

static void print_signed(char sign, const struct line *line, struct diff_style style)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *colour = sign == '-' ? RED : sign == '+' ? GREEN : "";

	buf_init(&out, 10 * (line->len + 1));
	(void)str_escape(&out, line->text, line->len);
	printf("%s%c%s%s\n", style.colour ? colour : "", sign, buf_cstr(&out) ? buf_cstr(&out) : "",
	    style.colour && *colour ? PLAIN : "");
}

/* ---- the diff -------------------------------------------------------------------------- */

/* How the lines of one text become those of the other: ' ', '-' or '+' for each. */
struct script {
	char *signs; /* owned */
	size_t count;
};

static void script_fini(struct script *script)
{
	free(script->signs);
}

/* table[i][k]: how many lines the rests from i and from k share. */
static void fill_table(uint32_t *table, const struct lines *a, const struct lines *b)
{
	const size_t width = b->count + 1;

	for (size_t i = a->count; i-- > 0;)
		for (size_t k = b->count; k-- > 0;) {
			uint32_t down = table[(i + 1) * width + k],
				 right = table[i * width + k + 1];

			table[i * width + k] = same(&a->items[i], &b->items[k])
						   ? table[(i + 1) * width + k + 1] + 1
					       : down > right ? down
							      : right;
		}
}

/* Where there are too many lines to compare each with each, all go and all come. False: no
 * memory. */
static bool compare(struct script *script, const struct lines *a, const struct lines *b)
{
	const size_t width = b->count + 1, cells = (a->count + 1) * width;
	uint32_t *cleanup_free table = cells <= CELLS_MAX ? calloc(cells, sizeof(*table)) : NULL;
	size_t i = 0, k = 0;

	script->signs = malloc(a->count + b->count + 1);
	if (!script->signs)
		return false;
	if (table)
		fill_table(table, a, b);
	while (i < a->count || k < b->count) {
		char sign = '-';

		if (table && i < a->count && k < b->count && same(&a->items[i], &b->items[k]))
			sign = ' ';
		else if (i == a->count ||
			 (table && k < b->count &&
			     table[i * width + k + 1] > table[(i + 1) * width + k]))
			sign = '+';
		i += sign != '+';
		k += sign != '-';
		script->signs[script->count++] = sign;
	}
	return true;
}

/* Is there a change within AROUND lines of this one? */
static bool is_near(const struct script *script, size_t at)
{
	const size_t first = at > AROUND ? at - AROUND : 0;

	for (size_t i = first; i < script->count && i <= at + AROUND; i++)
		if (script->signs[i] != ' ')
			return true;
	return false;
}

/* The head of the hunk that begins at this place. */
static void print_head(const struct script *script, size_t at, size_t i, size_t k)
{
	size_t old = 0, new = 0;

	for (; at < script->count && is_near(script, at); at++) {
		old += script->signs[at] != '+';
		new += script->signs[at] != '-';
	}
	printf("@@ -%zu,%zu +%zu,%zu @@\n", old ? i + 1 : i, old, new ? k + 1 : k, new);
}

static void print_script(const struct script *script, const struct lines *a, const struct lines *b,
    struct diff_style style)
{
	bool shown = false;
	size_t i = 0, k = 0;

	for (size_t at = 0; at < script->count; at++) {
		const char sign = script->signs[at];
		const bool near = is_near(script, at);

		if (near && !shown)
			print_head(script, at, i, k);
		if (near)
			print_signed(sign, sign == '+' ? &b->items[k] : &a->items[i], style);
		if (near && ((sign != '+' && a->unended && i + 1 == a->count) ||
				(sign == '+' && b->unended && k + 1 == b->count)))
			printf("\\ no newline at the end\n");
		shown = near;
		i += sign != '+';
		k += sign != '-';
	}
}

/* NULL: it can be shown; else why not. */
static const char *why_not(const json_t *side)
{
	if (json_is_true(json_object_get(side, "cut")))
		return "too large to be shown";
	if (json_is_object(side) && strcmp(command_text_of(side, "encoding"), "utf-8") != 0)
		return "no text";
	return NULL;
}

/* A link's text is no content: where it led is said, and where it leads the line above has said. */
static const json_t *content_of(const json_t *look, const char *side, const char *type)
{
	return strcmp(command_text_of(look, type), "link") == 0 ? NULL
								: json_object_get(look, side);
}

static void print_old_link(const json_t *look)
{
	const json_t *before = json_object_get(look, "before");

	if (strcmp(command_text_of(look, "type_before"), "link") != 0)
		return;
	printf("  (led to ");
	if (strcmp(command_text_of(before, "encoding"), "utf-8") == 0)
		command_print_escaped(command_text_of(before, "data"));
	else
		printf("what is no text");
	printf(")\n");
}

void diff_print(const json_t *look, struct diff_style style)
{
	const json_t *before = content_of(look, "before", "type_before"),
		     *after = content_of(look, "after", "type_after");
	struct lines cleanup_with(lines_fini) a = {.count = 0};
	struct lines cleanup_with(lines_fini) b = {.count = 0};
	struct script cleanup_with(script_fini) script = {.count = 0};
	const char *why = why_not(before) ? why_not(before) : why_not(after);

	print_old_link(look);
	if (why) {
		printf("  (%s: %lld bytes before, %lld after)\n", why,
		    (long long)json_integer_value(json_object_get(before, "size")),
		    (long long)json_integer_value(json_object_get(after, "size")));
		return;
	}
	if (split(&a, before) && split(&b, after) && compare(&script, &a, &b))
		print_script(&script, &a, &b, style);
}
