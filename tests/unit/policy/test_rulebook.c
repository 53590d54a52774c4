/* The index finds what looking at every row would find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/rule_index.h"
#include "policy/rulebook.h"
#include "tests/unit/policy/random_pattern.h"

#define RULES      200
#define CONDITIONS 3
#define POLICIES   60
#define QUESTIONS  150
#define SCHEMA_MAX 1200

static const char parameters[] =
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},"
    "\"c\":{}}}";

/* One policy after another; each row's conditions once more, compiled for the plain scan. */
static struct policy_rule rules[RULES];
static struct policy_when whens[RULES][CONDITIONS];
static char schemas[RULES][CONDITIONS][SCHEMA_MAX];
static struct json_schema *compiled[RULES][CONDITIONS];
static char patterns[RULES][RANDOM_PATTERN_MAX];
static char ids[RULES][16];
static struct policy_tool tool;
static struct policy policy;
static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	return random_below(&seed, sides);
}

static json_t *word(void)
{
	char text[RANDOM_TEXT_MAX];

	random_text(text, NULL, &seed);
	return json_string(text);
}

static json_t *any_value(void)
{
	switch (dice(10)) {
	case 0: return json_integer(dice(9));
	case 1: return json_real(dice(9) / 2.0);
	case 2: return json_boolean(dice(2));
	case 3: return json_null();
	case 4: return json_pack("[i]", dice(2));
	case 5: return json_real(9223372036854775808.0 * (dice(2) ? 1 : -1));
	case 6: return json_integer(dice(2) ? INT64_MAX : INT64_MIN);
	default: return word();
	}
}

/* One condition of each kind that the index treats apart. */
static json_t *make_schema(char pattern[RANDOM_PATTERN_MAX])
{
	random_pattern(pattern, &seed);
	switch (dice(15)) {
	case 0: return json_pack("{s:o}", "const", any_value());
	case 1: return json_pack("{s:[o, o]}", "enum", word(), word());
	case 2: return json_pack("{s:[o, o, o]}", "enum", any_value(), any_value(), word());
	case 3: return json_pack("{s:{s:o}}", "not", "const", any_value());
	case 4: return json_pack("{s:i}", "minLength", dice(4));
	case 5: return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
	case 6: return json_pack("{s:[{s:s}, {s:i}]}", "allOf", "pattern", pattern, "minLength", 2);
	case 7: return json_pack("{s:s, s:o}", "pattern", pattern, "const", any_value());
	case 8: return json_boolean(dice(3));
	case 9: return json_pack("{s:{s:s}}", "contains", "pattern", pattern);
	case 10:
		return json_pack(
		    "{s:{s:o}, s:i}", "contains", "const", any_value(), "minContains", dice(2));
	case 11:
		return json_pack("{s:s, s:[{s:{s:s, s:s}}]}", "type", "array", "allOf", "contains",
		    "type", "string", "pattern", pattern);
	default: return json_pack("{s:s}", "pattern", pattern);
	}
}

static void take_schema(unsigned row, unsigned column)
{
	static const char *const names[] = {"a", "b", "c", "d"};
	json_t *schema = NULL;
	char *text;

	do {
		json_decref(schema);
		schema = make_schema(patterns[row]);
		assert_non_null(schema);
	} while (json_schema_compile(schema, &compiled[row][column], NULL));
	text = json_dumps(schema, JSON_ENCODE_ANY);
	assert_non_null(text);
	assert_true(strlen(text) < SCHEMA_MAX);
	strcpy(schemas[row][column], text);
	free(text);
	json_decref(schema);
	whens[row][column] =
	    (struct policy_when){.name = names[dice(4)], .schema = schemas[row][column]};
}

static void make_policy(void)
{
	for (unsigned i = 0; i < RULES; i++) {
		snprintf(ids[i], sizeof(ids[i]), "r%u", i);
		rules[i] = (struct policy_rule){.id = ids[i],
		    .decision = DECISION_ASK,
		    .reason = "",
		    .when = whens[i],
		    .when_count = dice(8) ? 1 + dice(CONDITIONS) : 0};
		for (unsigned j = 0; j < CONDITIONS; j++)
			take_schema(i, j);
	}
	tool = (struct policy_tool){.name = "t",
	    .type = TOOL_COMMAND,
	    .parameters = parameters,
	    .output_schema = "",
	    .exec = {.program = "true"},
	    .rules = rules,
	    .rule_count = RULES};
	policy = (struct policy){.file = "p.yaml", .tools = &tool, .tool_count = 1};
}

static void forget_policy(void)
{
	for (unsigned i = 0; i < RULES; i++)
		for (unsigned j = 0; j < CONDITIONS; j++)
			json_schema_free(compiled[i][j]);
}

/* Often what some row speaks of. */
static json_t *likely_value(bool text_only)
{
	const char *schema = schemas[dice(RULES)][dice(CONDITIONS)];
	json_t *read = json_loads(schema, JSON_DECODE_ANY, NULL), *result = NULL;
	char text[RANDOM_TEXT_MAX];

	if (!dice(3))
		result = json_incref(json_object_get(read, "const"));
	json_decref(read);
	if (result && (!text_only || json_is_string(result)))
		return result;
	json_decref(result);
	if (!text_only && dice(3))
		return any_value();
	random_text(text, patterns[dice(RULES)], &seed);
	if (!text_only && !dice(3))
		return json_pack("[o, s, o]", any_value(), text, any_value());
	return json_string(text);
}

static json_t *make_arguments(void)
{
	json_t *arguments = json_object();

	(void)json_object_set_new(arguments, "a", likely_value(true));
	if (dice(4))
		(void)json_object_set_new(arguments, "b", likely_value(true));
	if (dice(4))
		(void)json_object_set_new(arguments, "c", likely_value(false));
	if (dice(4))
		(void)json_object_set_new(arguments, "d", likely_value(false));
	return arguments;
}

/* Adds to work, as a decision does; *ret_too_much: it does not reach. */
static bool is_met(
    unsigned row, const json_t *arguments, struct json_schema_work *work, bool *ret_too_much)
{
	for (uint32_t i = 0; i < rules[row].when_count; i++) {
		const json_t *value = json_object_get(arguments, whens[row][i].name);
		int result = value
				 ? json_schema_check_within(work, compiled[row][i], value, "", NULL)
				 : JSON_SCHEMA_INVALID;

		if (result == JSON_SCHEMA_TOO_MUCH)
			*ret_too_much = true;
		if (result != JSON_SCHEMA_VALID)
			return false;
	}
	return true;
}

/* Every row against the answer, if patterns do not cost more than a decision has: the index looks
 * at fewer of them. How many matched. */
static uint32_t ask(const struct rulebook *book)
{
	struct json_schema_work work = {.steps = 0};
	bool met[RULES], too_much = false;
	json_t *arguments = make_arguments();
	const struct question question = {
	    .policy = &policy, .book = book, .tool = &tool, .facts = arguments};
	const struct policy_rule **found = NULL;
	uint32_t count = 0, next = 0;

	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	for (unsigned i = 0; i < RULES; i++)
		met[i] = is_met(i, arguments, &work, &too_much);
	for (unsigned i = 0; !too_much && i < RULES; i++) {
		bool told = next < count && found[next] == &rules[i];

		if (told != met[i])
			fail_msg("row %u (%s) with %s", i, schemas[i][0],
			    json_dumps(arguments, JSON_ENCODE_ANY));
		next += told;
	}
	if (!too_much)
		assert_int_equal(next, count);
	free(found);
	json_decref(arguments);
	return too_much ? 0 : count;
}

static void the_index_forgets_no_row(void **state)
{
	uint32_t matched = 0;

	(void)state;
	for (unsigned i = 0; i < POLICIES; i++) {
		struct rulebook *book = NULL;
		struct err_note note = {""};

		make_policy();
		if (rulebook_new(&policy, &book, &note))
			fail_msg("%s", note.text);
		for (unsigned j = 0; j < QUESTIONS; j++)
			matched += ask(book);
		rulebook_free(book);
		forget_policy();
	}
	assert_true(matched > POLICIES * QUESTIONS * 4);
}

/* ---- how well ------------------------------------------------------------------------------ */

static const char *const names[] = {"branch", "remote", "count"};

/* How many rows are looked at for these arguments, of a thousand whose conditions have %u where
 * their number belongs. */
static uint32_t looked_at(const char *first, const char *second, const char *arguments)
{
	static char texts[1000][2][120];
	static struct policy_when pairs[1000][2];
	static struct policy_rule rows[1000];
	json_t *properties = json_loads("{\"branch\":{\"type\":\"string\"}}", 0, NULL);
	json_t *given = json_loads(arguments, 0, NULL);
	struct rule_index *index = NULL;
	uint32_t *found = NULL, count = 0;

	assert_non_null(given);
	for (unsigned i = 0; i < 1000; i++) {
		const char *const templates[] = {first, second};

		for (unsigned j = 0; j < 2; j++) {
			const char *number = strstr(templates[j], "%u");
			int before = number ? (int)(number - templates[j]) : 100;

			snprintf(texts[i][j], 120, "%.*s", before, templates[j]);
			if (number)
				snprintf(texts[i][j] + before, 120 - (size_t)before, "%u%s", i,
				    number + 2);
			pairs[i][j] = (struct policy_when){.name = names[j], .schema = texts[i][j]};
		}
		rows[i] = (struct policy_rule){.when = pairs[i], .when_count = second[0] ? 2 : 1};
	}
	assert_int_equal(rule_index_new(rows, 1000, properties, &index), 0);
	assert_int_equal(rule_index_find(index, given, &found, &count), 0);
	free(found);
	rule_index_free(index);
	json_decref(properties);
	json_decref(given);
	return count;
}

static void few_rows_are_looked_at(void **state)
{
	static const struct {
		const char *first, *second, *arguments;
		uint32_t most;
	} cases[] = {
	    {"{\"const\":\"t-%u\"}", "", "{\"branch\":\"t-17\"}", 1},
	    {"{\"const\":%u}", "", "{\"branch\":17.0}", 1},
	    {"{\"enum\":[\"a-%u\",\"b-%u\"]}", "", "{\"branch\":\"a-17\"}", 1},
	    {"{\"pattern\":\"^t-%u/\"}", "", "{\"branch\":\"t-17/x\"}", 1},
	    {"{\"pattern\":\".*prod-%u-.*\"}", "", "{\"branch\":\"a-prod-17-b\"}", 1},
	    {"{\"pattern\":\"(^|/)secrets-%u/\"}", "", "{\"branch\":\"a/secrets-17/b\"}", 1},
	    {"{\"pattern\":\"\\\\.env%u$\"}", "", "{\"branch\":\"a.env17\"}", 1},
	    {"{\"pattern\":\"[a-z]+-%u-release\"}", "", "{\"branch\":\"my-17-release\"}", 1},
	    {"{\"pattern\":\"^(hot|fix)-%u$\"}", "", "{\"branch\":\"fix-17\"}", 1},
	    {"{\"pattern\":\"^refs/heads/.+-team-%u$\"}", "",
		"{\"branch\":\"refs/heads/x-team-17\"}", 1},
	    {"{\"pattern\":\"^[a-z]\"}", "{\"const\":\"r-%u\"}",
		"{\"branch\":\"x\",\"remote\":\"r-17\"}", 1},
	    {"{\"const\":\"x\"}", "{\"pattern\":\"r-%u/\"}",
		"{\"branch\":\"x\",\"remote\":\"r-17/\"}", 1},
	    {"{\"pattern\":\"^[a-z]+$\"}", "", "{\"branch\":\"x\"}", 1000},
	    {"{\"pattern\":\"^[a-z]+$\"}", "", "{\"remote\":\"x\"}", 0},
	    {"{\"contains\":{\"pattern\":\"^t-%u/\"}}", "", "{\"branch\":[\"t-17/x\",\"y\"]}", 1},
	    {"{\"contains\":{\"const\":%u}}", "", "{\"branch\":[1.5,17.0]}", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t count = looked_at(cases[i].first, cases[i].second, cases[i].arguments);

		if (count > cases[i].most || (cases[i].most && !count))
			fail_msg("%s %s: %u rows", cases[i].first, cases[i].second, count);
	}
}

static void roles_are_part_of_a_row(void **state)
{
	const struct policy_word words[] = {{.text = "dev"}};
	struct policy_rule row = {
	    .id = "x", .decision = DECISION_ALLOW, .reason = "", .roles = {words, 1}};
	struct policy_tool one = {.name = "t",
	    .type = TOOL_COMMAND,
	    .parameters = "",
	    .output_schema = "",
	    .rules = &row,
	    .rule_count = 1};
	struct policy of_one = {.file = "p.yaml", .tools = &one, .tool_count = 1};
	const struct policy_role dev = {.name = "dev"}, ops = {.name = "ops"};
	struct identity identity = {.roles = {&ops}, .role_count = 1};
	const struct policy_rule **found = NULL;
	struct rulebook *book = NULL;
	uint32_t count = 9;
	struct question question = {.policy = &of_one, .tool = &one, .identity = &identity};

	(void)state;
	assert_int_equal(rulebook_new(&of_one, &book, NULL), 0);
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	assert_int_equal(count, 0);
	free(found);
	identity.roles[identity.role_count++] = &dev;
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	assert_int_equal(count, 1);
	free(found);
	question.identity = NULL;
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	assert_int_equal(count, 1);
	free(found);
	rulebook_free(book);
}

/* A pattern that costs without end uses up what all rows have together: then what restricts is
 * met, and what allows is not. */
static void rows_share_one_budget(void **state)
{
	char *texts[] = {"{\"pattern\":\"^(a|aa)+$\"}", "{\"not\":{\"pattern\":\"^x\"}}",
	    "{\"pattern\":\"^x\"}", "{\"maxLength\":9}"};
	const enum decision decisions[] = {
	    DECISION_ALLOW, DECISION_ALLOW, DECISION_ASK, DECISION_DENY};
	struct policy_when conditions[4];
	struct policy_rule rows[4];
	struct policy_tool one = {.name = "t", .type = TOOL_COMMAND, .exec = {.program = "p"}};
	const struct policy policy_of_one = {.file = "p.yaml", .tools = &one, .tool_count = 1};
	struct question question = {.policy = &policy_of_one, .tool = &one};
	const struct policy_rule **found = NULL;
	struct err_note note = {""};
	struct rulebook *book = NULL;
	char text[32] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
	json_t *arguments = json_pack("{s:s}", "s", text);
	uint32_t count = 0;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		conditions[i] = (struct policy_when){.name = "s", .schema = texts[i]};
		rows[i] = (struct policy_rule){
		    .id = "r", .when = &conditions[i], .when_count = 1, .decision = decisions[i]};
	}
	one.rules = rows;
	one.rule_count = 4;
	assert_int_equal(rulebook_new(&policy_of_one, &book, &note), 0);
	question.book = book;
	question.facts = arguments;
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	/* The third is not even looked at: no x at the front. */
	assert_int_equal(count, 0);
	free(found);
	texts[2] = "{\"pattern\":\"[a-z]\"}";
	rulebook_free(book);
	conditions[2].schema = texts[2];
	assert_int_equal(rulebook_new(&policy_of_one, &book, &note), 0);
	question.book = book;
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	assert_int_equal(count, 1);
	assert_ptr_equal(found[0], &rows[2]);
	free(found);
	/* The arguments themselves may have cost all of it. */
	rows[2].decision = DECISION_ALLOW;
	question.spent.pattern_steps = JSON_SCHEMA_PATTERN_STEPS_MAX;
	assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
	assert_int_equal(count, 0);
	rulebook_free(book);
	json_decref(arguments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_index_forgets_no_row),
	    cmocka_unit_test(few_rows_are_looked_at),
	    cmocka_unit_test(roles_are_part_of_a_row),
	    cmocka_unit_test(rows_share_one_budget),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
