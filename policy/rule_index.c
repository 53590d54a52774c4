#include "policy/rule_index.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/needles.h"
#include "supervisor/base/cleanup.h"

#define SCALAR_MAX 48
#define WHOLE_MAX  9223372036854775808.0 /* a real in [-this, this) fits an integer */

struct rows {
	uint32_t *items; /* owned */
	uint32_t count, cap;
};

/* One parameter that conditions speak of. */
struct column {
	char *name; /* owned */
	struct needles *needles;
	struct rows given;   /* rows to look at when it is given */
	struct rows other;   /* when it is given and no text */
	struct rows no_list; /* rows found by the elements of a list: when it is given and none */
	struct rows odd;     /* of these, when an element is no text */
	struct rows keyed;   /* rows found by texts, of a column that may be unknown */
};

struct rule_index {
	struct column *columns;
	uint32_t column_count;
	struct rows always; /* rows without conditions */
	uint32_t row_count;
};

/* ---- rows ---------------------------------------------------------------------------------- */

static int rows_add(struct rows *rows, uint32_t row)
{
	if (rows->count == rows->cap) {
		uint32_t cap = rows->cap ? rows->cap * 2 : 16;
		uint32_t *larger = realloc(rows->items, cap * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		rows->items = larger;
		rows->cap = cap;
	}
	rows->items[rows->count++] = row;
	return 0;
}

static void rows_mark(const struct rows *rows, uint64_t *marks)
{
	for (uint32_t i = 0; i < rows->count; i++)
		marks[rows->items[i] / 64] |= UINT64_C(1) << (rows->items[i] % 64);
}

/* ---- what a condition offers --------------------------------------------------------------- */

/* One way to find a row: by any of these texts in that column. */
struct option {
	struct option *next; /* of the same row */
	struct column *column;
	struct literal_set texts;
	bool other;    /* a value that is neither text nor number may meet the condition, too */
	bool elements; /* the texts are of an element, as is what other says */
};

struct build {
	struct rule_index *index;
	struct arena arena; /* options and what they point to, gone when it is built */
	const json_t *properties;
	struct option **options; /* by row */
	uint32_t row;
	bool elements; /* what is offered now is of an element */
};

/* A number, true, false or null as text that no text of JSON equals; 1.0 is 1. Its length; 0: it
 * is none of them. */
static size_t scalar_text(const json_t *value, char out[SCALAR_MAX])
{
	double real = json_real_value(value);
	int len = 0;

	if (json_is_boolean(value) || json_is_null(value))
		len = snprintf(out, SCALAR_MAX, "\xff%c",
		    json_is_null(value)   ? 'n'
		    : json_is_true(value) ? 't'
					  : 'f');
	else if (json_is_integer(value))
		len = snprintf(
		    out, SCALAR_MAX, "\xff%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value) && real >= -WHOLE_MAX && real < WHOLE_MAX &&
		 (double)(json_int_t)real == real)
		len = snprintf(out, SCALAR_MAX, "\xff%" JSON_INTEGER_FORMAT, (json_int_t)real);
	else if (json_is_real(value))
		len = snprintf(out, SCALAR_MAX, "\xff%.17g", real);
	return len > 0 ? (size_t)len : 0;
}

static int offer(struct build *build, struct column *column, struct literal_set texts, bool other)
{
	struct option *option = arena_alloc(&build->arena, sizeof(*option));

	if (!option)
		return -ENOMEM;
	*option =
	    (struct option){build->options[build->row], column, texts, other, build->elements};
	build->options[build->row] = option;
	for (uint32_t i = 0; i < texts.count; i++)
		needles_note(column->needles, &texts.items[i]);
	return 0;
}

/* const and enum: the value is one of these. */
static int offer_values(struct build *build, struct column *column, const json_t *values)
{
	struct literal_set texts = {
	    arena_array(&build->arena, json_array_size(values), sizeof(struct literal)), 0};
	bool other = false;
	const json_t *value;
	size_t i;

	if (!texts.items)
		return -ENOMEM;
	json_array_foreach(values, i, value)
	{
		char scalar[SCALAR_MAX];
		size_t len =
		    json_is_string(value) ? json_string_length(value) : scalar_text(value, scalar);
		const char *text = json_is_string(value) ? json_string_value(value) : scalar;

		if (!json_is_string(value) && !len) {
			other = true;
			continue;
		}
		text = arena_text(&build->arena, text, len);
		if (!text)
			return -ENOMEM;
		texts.items[texts.count++] = (struct literal){text, (uint32_t)len, true, true};
	}
	return offer(build, column, texts, other);
}

static bool is_text(const json_t *schema)
{
	const char *type = json_string_value(json_object_get(schema, "type"));

	return type && !strcmp(type, "string");
}

/* A pattern says nothing of what is no text. */
static int offer_pattern(
    struct build *build, struct column *column, const json_t *pattern, bool text_only)
{
	struct literals literals;
	int fault = literals_of_pattern(
	    &build->arena, json_string_value(pattern), json_string_length(pattern), &literals);

	for (uint32_t i = 0; !fault && i < literals.count; i++)
		fault = offer(build, column, literals.sets[i], !text_only);
	return fault;
}

/* What stands in one schema holds together, so each part of it alone finds the row. */
static int offer_schema(
    struct build *build, struct column *column, const json_t *schema, bool text_only)
{
	json_t *constant = json_object_get(schema, "const");
	json_t *listed = json_object_get(schema, "enum");
	json_t *pattern = json_object_get(schema, "pattern");
	int fault = 0;

	text_only = text_only || is_text(schema);
	if (constant) {
		json_t *one = json_pack("[O]", constant);

		fault = one ? offer_values(build, column, one) : -ENOMEM;
		json_decref(one);
	}
	if (!fault && json_is_array(listed))
		fault = offer_values(build, column, listed);
	if (!fault && json_is_string(pattern))
		fault = offer_pattern(build, column, pattern, text_only);
	return fault;
}

/* A list must have an element that meets this schema, unless it wants none. */
static int offer_elements(struct build *build, struct column *column, const json_t *schema)
{
	const json_t *contains = json_object_get(schema, "contains");
	const json_t *least = json_object_get(schema, "minContains");
	int fault;

	if (!json_is_object(contains) || (least && json_number_value(least) < 1))
		return 0;
	build->elements = true;
	fault = offer_schema(build, column, contains, false);
	build->elements = false;
	return fault;
}

/* What these hold may be unknown, and then meets whatever restricts (policy/facts.h): no text of
 * theirs finds a row then. */
static bool may_be_unknown(const char *parameter)
{
	return !strcmp(parameter, "argv") || !strcmp(parameter, "stdin");
}

static int offer_condition(
    struct build *build, struct column *column, const struct policy_when *when)
{
	json_t *schema = json_loads(when->schema, JSON_DECODE_ANY, NULL);
	const json_t *all = json_object_get(schema, "allOf"), *part;
	bool text_only = is_text(schema) || is_text(json_object_get(build->properties, when->name));
	int fault = offer_schema(build, column, schema, text_only);
	size_t i;

	if (!fault)
		fault = offer_elements(build, column, schema);
	json_array_foreach(all, i, part)
	{
		if (!fault)
			fault = offer_schema(build, column, part, text_only);
		if (!fault)
			fault = offer_elements(build, column, part);
	}
	json_decref(schema);
	return fault;
}

/* ---- birth --------------------------------------------------------------------------------- */

/* Parameters are few. NULL: no memory. */
static struct column *column_of(struct rule_index *index, const char *name, bool make)
{
	struct column *column;

	for (uint32_t i = 0; i < index->column_count; i++)
		if (!strcmp(index->columns[i].name, name))
			return &index->columns[i];
	if (!make)
		return NULL;
	column = &index->columns[index->column_count];
	*column = (struct column){.name = strdup(name), .needles = needles_new(index->row_count)};
	if (!column->name || !column->needles) {
		free(column->name);
		needles_free(column->needles);
		return NULL;
	}
	index->column_count++;
	return column;
}

static int make_columns(struct rule_index *index, const struct policy_rule *rules)
{
	json_t *names = json_object();
	int fault = names ? 0 : -ENOMEM;

	for (uint32_t i = 0; !fault && i < index->row_count; i++)
		for (uint32_t j = 0; !fault && j < rules[i].when_count; j++)
			fault =
			    json_object_set_new_nocheck(names, rules[i].when[j].name, json_null())
				? -ENOMEM
				: 0;
	if (!fault)
		index->columns = calloc(json_object_size(names) + 1, sizeof(*index->columns));
	json_decref(names);
	return index->columns ? 0 : -ENOMEM;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* How often a row would be looked at in vain: how many rows are found by the same piece, and how
 * likely a few bytes are in any text. */
static uint64_t cost_of(const struct option *option)
{
	uint64_t cost = 1;

	for (uint32_t i = 0; i < option->texts.count; i++) {
		const struct literal *text = &option->texts.items[i];
		uint64_t rarity = min_u64(text->len + (text->at_start || text->at_end), 4) +
				  2 * (text->at_start && text->at_end);

		cost += (uint64_t)needles_crowd(option->column->needles, text)
			<< (rarity < 4 ? 8 - 2 * rarity : 0);
	}
	return cost;
}

/* Whatever may meet a keyed row's condition without any of its texts. */
static int add_exceptions(const struct option *option, uint32_t row)
{
	struct column *column = option->column;
	int fault = option->elements ? rows_add(&column->no_list, row) : 0;

	if (!fault && option->other)
		fault = rows_add(option->elements ? &column->odd : &column->other, row);
	if (!fault && may_be_unknown(column->name))
		fault = rows_add(&column->keyed, row);
	return fault;
}

static int add_row(struct build *build, const struct policy_rule *rule)
{
	const struct option *best = build->options[build->row];
	int fault = 0;

	if (!rule->when_count)
		return rows_add(&build->index->always, build->row);
	if (!best)
		return rows_add(
		    &column_of(build->index, rule->when[0].name, false)->given, build->row);
	for (const struct option *next = best->next; next; next = next->next)
		if (cost_of(next) < cost_of(best))
			best = next;
	for (uint32_t i = 0; !fault && i < best->texts.count; i++)
		fault = needles_add(best->column->needles, &best->texts.items[i], build->row);
	return fault ? fault : add_exceptions(best, build->row);
}

static int offer_row(struct build *build, const struct policy_rule *rule)
{
	int fault = 0;

	for (uint32_t i = 0; !fault && i < rule->when_count; i++) {
		struct column *column = column_of(build->index, rule->when[i].name, true);

		fault = column ? offer_condition(build, column, &rule->when[i]) : -ENOMEM;
	}
	return fault;
}

static int fill(struct build *build, const struct policy_rule *rules)
{
	struct rule_index *index = build->index;
	int fault = make_columns(index, rules);

	for (build->row = 0; !fault && build->row < index->row_count; build->row++)
		fault = offer_row(build, &rules[build->row]);
	for (build->row = 0; !fault && build->row < index->row_count; build->row++)
		fault = add_row(build, &rules[build->row]);
	for (uint32_t i = 0; !fault && i < index->column_count; i++)
		fault = needles_seal(index->columns[i].needles);
	return fault;
}

int rule_index_new(const struct policy_rule *rules, uint32_t count, const json_t *properties,
    struct rule_index **ret)
{
	struct build build = {.index = calloc(1, sizeof(*build.index)),
	    .properties = properties,
	    .options = calloc(count + 1u, sizeof(struct option *))};
	int fault = build.index && build.options ? 0 : -ENOMEM;

	if (!fault) {
		build.index->row_count = count;
		fault = fill(&build, rules);
	}
	arena_fini(&build.arena);
	free(build.options);
	if (fault)
		rule_index_free(build.index);
	else
		*ret = build.index;
	return fault;
}

void rule_index_free(struct rule_index *index)
{
	if (!index)
		return;
	for (uint32_t i = 0; i < index->column_count; i++) {
		free(index->columns[i].name);
		needles_free(index->columns[i].needles);
		free(index->columns[i].given.items);
		free(index->columns[i].other.items);
		free(index->columns[i].no_list.items);
		free(index->columns[i].odd.items);
		free(index->columns[i].keyed.items);
	}
	free(index->columns);
	free(index->always.items);
	free(index);
}

/* ---- looking ------------------------------------------------------------------------------- */

/* Rows that are found by the value as text. */
static int mark_text(const struct column *column, const json_t *value, uint64_t *marks)
{
	char scalar[SCALAR_MAX];
	size_t len;

	if (json_is_string(value))
		return needles_find(
		    column->needles, json_string_value(value), json_string_length(value), marks);
	len = scalar_text(value, scalar);
	return len ? needles_find(column->needles, scalar, len, marks) : 0;
}

static int mark_elements(const struct column *column, const json_t *list, uint64_t *marks)
{
	bool odd = false;
	int fault = 0;

	for (size_t i = 0; !fault && i < json_array_size(list); i++) {
		const json_t *element = json_array_get(list, i);

		odd = odd || !json_is_string(element);
		fault = mark_text(column, element, marks);
	}
	if (odd)
		rows_mark(&column->odd, marks);
	return fault;
}

static int mark_column(const struct column *column, const json_t *value, uint64_t *marks)
{
	rows_mark(&column->given, marks);
	if (!json_is_string(value))
		rows_mark(&column->other, marks);
	if (!json_is_array(value)) {
		rows_mark(&column->no_list, marks);
		return mark_text(column, value, marks);
	}
	return column->no_list.count ? mark_elements(column, value, marks) : 0;
}

static void mark_unknown(const struct column *column, uint64_t *marks)
{
	rows_mark(&column->given, marks);
	rows_mark(&column->keyed, marks);
}

/* The numbers of the bits that are set. */
static int list_marks(const uint64_t *marks, uint32_t words, uint32_t **ret, uint32_t *ret_count)
{
	uint32_t count = 0, at = 0;

	for (uint32_t i = 0; i < words; i++)
		count += (uint32_t)__builtin_popcountll(marks[i]);
	*ret = NULL;
	*ret_count = count;
	if (!count)
		return 0;
	*ret = calloc(count, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	for (uint32_t i = 0; i < words; i++)
		for (uint64_t left = marks[i]; left; left &= left - 1)
			(*ret)[at++] = i * 64 + (uint32_t)__builtin_ctzll(left);
	return 0;
}

int rule_index_find(
    const struct rule_index *index, const json_t *arguments, uint32_t **ret, uint32_t *ret_count)
{
	uint32_t words = index->row_count / 64 + 1;
	uint64_t cleanup_free *marks = calloc(words, sizeof(*marks));
	int fault = marks ? 0 : -ENOMEM;

	if (!fault)
		rows_mark(&index->always, marks);
	for (uint32_t i = 0; !fault && i < index->column_count; i++) {
		const struct column *column = &index->columns[i];
		const json_t *value = json_object_get(arguments, column->name);

		if (value)
			fault = mark_column(column, value, marks);
		else if (may_be_unknown(column->name))
			mark_unknown(column, marks);
	}
	return fault ? fault : list_marks(marks, words, ret, ret_count);
}

uint32_t rule_index_unkeyed(const struct rule_index *index)
{
	uint32_t count = index->always.count;

	for (uint32_t i = 0; i < index->column_count; i++)
		count += index->columns[i].given.count;
	return count;
}

size_t rule_index_size(const struct rule_index *index)
{
	size_t size = sizeof(*index) + index->always.cap * sizeof(uint32_t);

	for (uint32_t i = 0; i < index->column_count; i++) {
		const struct column *column = &index->columns[i];

		size += sizeof(*column) + strlen(column->name) + 1 +
			(column->given.cap + column->other.cap + column->no_list.cap +
			    column->odd.cap + column->keyed.cap) *
			    sizeof(uint32_t) +
			needles_size(column->needles);
	}
	return size;
}
