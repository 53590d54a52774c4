/* The index finds what looking at every row would find. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/rulebook.h"

#define RULES      400
#define CONDITIONS 3
#define QUESTIONS  3000

static const char parameters[] =
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},"
    "\"c\":{}}}";

static struct policy_rule rules[RULES];
static struct policy_when whens[RULES][CONDITIONS];
static char schemas[RULES][CONDITIONS][160];
static char ids[RULES][16];
static struct policy_tool tool;
static struct policy policy;
static uint32_t seed = 1;

static uint32_t dice(uint32_t sides)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % sides;
}

static void word(char out[16], unsigned longest)
{
	static const char letters[] = "ab/é";
	unsigned len = dice(longest + 1);

	out[0] = '\0';
	for (unsigned i = 0; i < len; i++) {
		unsigned pick = dice(4);

		strncat(
		    out, pick == 3 ? "\xc3\xa9" : (char[2]){letters[pick], '\0'}, 15 - strlen(out));
	}
}

/* One condition of each kind that the index treats apart. */
static void make_schema(char out[160])
{
	char one[16], two[16];

	word(one, 3);
	word(two, 3);
	switch (dice(9)) {
	case 0: snprintf(out, 160, "{\"const\":\"%s\"}", one); return;
	case 1: snprintf(out, 160, "{\"enum\":[\"%s\",\"%s\"]}", one, two); return;
	case 2: snprintf(out, 160, "{\"pattern\":\"^%s\"}", one); return;
	case 3: snprintf(out, 160, "{\"pattern\":\"^%sa*%s\"}", one, two); return;
	case 4:
		snprintf(out, 160, "{\"type\":\"string\",\"pattern\":\"^%s(%s)?$\"}", one, two);
		return;
	case 5: snprintf(out, 160, "{\"pattern\":\"^%s|%s\"}", one, two); return;
	case 6: snprintf(out, 160, "{\"not\":{\"const\":\"%s\"}}", one); return;
	case 7: snprintf(out, 160, "{\"enum\":[\"%s\",7]}", one); return;
	default: snprintf(out, 160, "{\"minLength\":%u}", dice(4)); return;
	}
}

static int make_policy(void **state)
{
	static const char *const names[] = {"a", "b", "c", "d"};

	(void)state;
	for (unsigned i = 0; i < RULES; i++) {
		snprintf(ids[i], sizeof(ids[i]), "r%u", i);
		rules[i] = (struct policy_rule){.id = ids[i],
		    .decision = DECISION_ASK,
		    .reason = "",
		    .when = whens[i],
		    .when_count = dice(CONDITIONS + 1)};
		for (unsigned j = 0; j < CONDITIONS; j++) {
			make_schema(schemas[i][j]);
			whens[i][j] =
			    (struct policy_when){.name = names[dice(4)], .schema = schemas[i][j]};
		}
	}
	tool = (struct policy_tool){.name = "t",
	    .type = TOOL_COMMAND,
	    .parameters = parameters,
	    .output_schema = "",
	    .exec = {.program = "true"},
	    .rules = rules,
	    .rule_count = RULES};
	policy = (struct policy){.file = "p.yaml", .tools = &tool, .tool_count = 1};
	return 0;
}

static json_t *make_arguments(void)
{
	json_t *arguments = json_object();
	char text[16];

	word(text, 6);
	(void)json_object_set_new(arguments, "a", json_string(text));
	word(text, 6);
	if (dice(4))
		(void)json_object_set_new(arguments, "b", json_string(text));
	word(text, 6);
	if (dice(2))
		(void)json_object_set_new(
		    arguments, "c", dice(2) ? json_integer(dice(9)) : json_string(text));
	return arguments;
}

static bool is_met(const struct policy_rule *rule, const json_t *arguments)
{
	for (uint32_t i = 0; i < rule->when_count; i++) {
		const json_t *value = json_object_get(arguments, rule->when[i].name);
		json_t *text = json_loads(rule->when[i].schema, 0, NULL);
		struct json_schema *schema = NULL;
		int result = 1;

		assert_int_equal(json_schema_compile(text, &schema, NULL), 0);
		if (value)
			result = json_schema_check(schema, value, "", NULL);
		json_schema_free(schema);
		json_decref(text);
		if (result)
			return false;
	}
	return true;
}

static void the_index_forgets_no_row(void **state)
{
	struct rulebook *book = NULL;
	struct err_note note = {""};
	uint32_t matched = 0;

	(void)state;
	if (rulebook_new(&policy, &book, &note))
		fail_msg("%s", note.text);
	for (unsigned i = 0; i < QUESTIONS; i++) {
		json_t *arguments = make_arguments();
		const struct question question = {
		    .policy = &policy, .book = book, .tool = &tool, .facts = arguments};
		const struct policy_rule **found = NULL;
		uint32_t count = 0, next = 0;

		assert_int_equal(rulebook_match(book, &question, &found, &count), 0);
		/* Every row against the answer, of a tenth of the questions: it is slow. */
		for (unsigned j = 0; i % 10 == 0 && j < RULES; j++) {
			bool told = next < count && found[next] == &rules[j];

			if (told != is_met(&rules[j], arguments)) {
				char *text = json_dumps(arguments, 0);

				fail_msg("row %u with %s", j, text);
			}
			next += told;
		}
		if (i % 10 == 0)
			assert_int_equal(next, count);
		matched += count;
		free(found);
		json_decref(arguments);
	}
	assert_true(matched > QUESTIONS);
	rulebook_free(book);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(the_index_forgets_no_row, make_policy),
	    cmocka_unit_test(roles_are_part_of_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
