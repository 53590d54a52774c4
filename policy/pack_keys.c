#include "policy/pack_keys.h"

#include <errno.h>
#include <string.h>

#include "policy/keys.h"
#include "policy/pack_check.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define PACK_ENTRIES_MAX 512

static const char *const decision_choices[] = {"", "allow", "ask", "deny", NULL};

/* ---- options: "-m --message =" -------------------------------------------------------------- */

static const struct {
	const char *mark;
	enum pack_value value;
} value_marks[] = {
    {"=", PACK_VALUE_WORD},
    {"=!", PACK_VALUE_ATTACHED},
    {"=?", PACK_VALUE_OPTIONAL},
    {"=#", PACK_VALUE_NUMBER},
    {"=b", PACK_VALUE_BOOLEAN},
    {"=2", PACK_VALUE_TWO},
    {"=;", PACK_VALUE_LINE},
    {"=+", PACK_VALUE_LINES},
};

static bool find_mark(const char *text, size_t len, enum pack_value *ret_value)
{
	for (size_t i = 0; i < sizeof(value_marks) / sizeof(value_marks[0]); i++) {
		if (strlen(value_marks[i].mark) != len || memcmp(value_marks[i].mark, text, len))
			continue;
		*ret_value = value_marks[i].value;
		return true;
	}
	return false;
}

static uint32_t count_parts(const char *text)
{
	uint32_t count = 0;

	for (; *text; text += strcspn(text, " ")) {
		text += strspn(text, " ");
		count += *text != '\0';
	}
	return count;
}

static int read_option(
    struct schema *schema, const struct yaml_node *node, struct pack_option *option)
{
	struct policy_word *names;
	const char *text;
	int fault = schema_text(schema, node, &text);

	if (fault)
		return fault;
	names = arena_array(schema->arena, count_parts(text), sizeof(*names));
	if (!names)
		return -ENOMEM;
	option->names.items = names;
	option->pos = node->pos;
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (option->value != PACK_VALUE_NONE || len > PACK_OPTION_BYTES_MAX)
			return schema_refuse(schema, node,
			    "is not an option; write its names, then = =! =? =# =b =2 =; or =+");
		if (!find_mark(text, len, &option->value)) {
			struct policy_word *name = &names[option->names.count++];

			name->pos = node->pos;
			name->text = arena_text(schema->arena, text, len);
			if (!name->text)
				return -ENOMEM;
		}
		text += len;
	}
	if (!option->names.count)
		return schema_refuse(schema, node, "names no option; write its names first");
	option->name = names[0].text;
	return 0;
}

static int read_option_list(
    struct schema *schema, const struct yaml_node *node, struct pack_table *table)
{
	struct pack_option *options;

	if (node->kind != YAML_KIND_SEQUENCE)
		return schema_refuse(schema, node, "is not a list; write [-f --force, -o =]");
	options = arena_array(schema->arena, node->count, sizeof(*options));
	if (!options)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		int fault = read_option(schema, item, &options[item->index]);

		if (fault)
			return fault;
	}
	table->options = options;
	table->option_count = node->count;
	return 0;
}

static int read_options(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	return read_option_list(schema, node, place_of(record, key->place));
}

/* sets: {name: [options]} */
static int read_sets(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_pack *pack = record;
	struct pack_table *sets;

	(void)key;
	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write name: [options]");
	sets = arena_array(schema->arena, node->count, sizeof(*sets));
	if (!sets)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct policy_word *name = arena_alloc(schema->arena, sizeof(*name));
		int fault;

		if (!name)
			return -ENOMEM;
		*name = (struct policy_word){item->key, item->key_pos};
		sets[item->index].names = (struct policy_words){name, 1};
		sets[item->index].pos = item->key_pos;
		fault = read_option_list(schema, item, &sets[item->index]);
		if (fault)
			return fault;
	}
	pack->sets = sets;
	pack->set_count = node->count;
	return 0;
}

/* ---- rules -------------------------------------------------------------------------------- */

/* A condition of nothing would hold always: whoever wrote it meant something else. */
static int refuse_empty(struct schema *schema, const struct yaml_node *node)
{
	return schema_refuse(schema, node, "is empty; fill it or remove the key");
}

static int read_some(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return refuse_empty(schema, node);
	return read_words(schema, node, key, record);
}

struct match_list {
	const struct pack_match *items;
	uint32_t count;
};

static int read_matches(
    struct schema *schema, const struct yaml_node *node, struct match_list *list)
{
	const struct schema_key words = {.place = 1};
	struct pack_match *matches;

	if (node->kind != YAML_KIND_MAPPING)
		return schema_refuse(schema, node, "is not a mapping; write option: [globs]");
	if (!node->count)
		return refuse_empty(schema, node);
	matches = arena_array(schema->arena, node->count, sizeof(*matches));
	if (!matches)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		struct pack_match *match = &matches[item->index];
		int fault = read_some(schema, item, &words, &match->globs);

		if (fault)
			return fault;
		match->option = item->key;
		match->pos = item->key_pos;
	}
	*list = (struct match_list){matches, node->count};
	return 0;
}

static int read_values(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct pack_rule *rule = record;
	struct match_list list = {NULL};
	int fault = read_matches(schema, node, &list);

	(void)key;
	rule->values = list.items;
	rule->value_count = list.count;
	return fault;
}

static int read_values_not(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct pack_rule *rule = record;
	struct match_list list = {NULL};
	int fault = read_matches(schema, node, &list);

	(void)key;
	rule->values_not = list.items;
	rule->value_not_count = list.count;
	return fault;
}

#define KEY_SOME(type, name_, member)                                                              \
	{                                                                                          \
		.name = (name_), .read = read_some, .place = PLACE(type, member)                   \
	}
#define KEY_WORDS(type, name_, member)                                                             \
	{                                                                                          \
		.name = (name_), .read = read_words, .place = PLACE(type, member)                  \
	}
#define KEY_TEXT(type, name_, member, max_)                                                        \
	{                                                                                          \
		.name = (name_), .read = read_text, .place = PLACE(type, member), .max = (max_)    \
	}
#define KEY_FLAG(type, name_, member)                                                              \
	{                                                                                          \
		.name = (name_), .read = read_bool, .place = PLACE(type, member)                   \
	}
#define KEY_CHOICE(type, name_, member, choices_)                                                  \
	{                                                                                          \
		.name = (name_), .read = read_choice, .place = PLACE(type, member),                \
		.choices = (choices_)                                                              \
	}
#define KEY_COUNT(type, name_, member)                                                             \
	{                                                                                          \
		.name = (name_), .read = read_count, .place = PLACE(type, member), .min = 1,       \
		.max = 100, .range = "1 to 100"                                                    \
	}

static const struct schema_key rule_keys[] = {
    KEY_TEXT(pack_rule, "id", id, 64),
    KEY_SOME(pack_rule, "subcommand", subcommands),
    KEY_SOME(pack_rule, "option", options),
    KEY_SOME(pack_rule, "missing", missing),
    {.name = "option_value", .read = read_values},
    {.name = "option_value_not", .read = read_values_not},
    KEY_SOME(pack_rule, "operand", operands),
    KEY_SOME(pack_rule, "operand_not", operands_not),
    KEY_SOME(pack_rule, "first", first),
    KEY_SOME(pack_rule, "first_not", first_not),
    KEY_SOME(pack_rule, "assignment", assignments),
    KEY_SOME(pack_rule, "assignment_not", assignments_not),
    KEY_SOME(pack_rule, "program", programs),
    KEY_SOME(pack_rule, "program_holds", program_holds),
    KEY_FLAG(pack_rule, "no_operand", no_operand),
    KEY_COUNT(pack_rule, "least_operands", least_operands),
    KEY_COUNT(pack_rule, "most_operands", most_operands),
    KEY_CHOICE(pack_rule, "decision", decision, decision_choices),
    KEY_TEXT(pack_rule, "reason", reason, 256),
    KEY_END,
};

static int end_rule(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct pack_rule *rule = element;

	if (!rule->id)
		return schema_refuse(schema, node, "has no id; write id: name");
	if (rule->decision == DECISION_NONE)
		return schema_refuse(schema, node, "has no decision; write decision: ask");
	if (!rule->reason)
		return schema_refuse(schema, node, "has no reason; write why, for people");
	return 0;
}

static const struct schema_list rule_list = {
    .size = sizeof(struct pack_rule),
    .count_place = PLACE(policy_pack, rule_count),
    .pos_place = PLACE(pack_rule, pos),
    .max = PACK_ENTRIES_MAX,
    .keys = rule_keys,
    .end = end_rule,
};

/* ---- subcommands, runs, tests --------------------------------------------------------------- */

static const struct schema_key subcommand_keys[] = {
    KEY_SOME(pack_table, "names", names),
    KEY_WORDS(pack_table, "use", use),
    {.name = "options", .read = read_options, .place = 1},
    KEY_END,
};

static int end_subcommand(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct pack_table *table = element;

	if (!table->names.count)
		return schema_refuse(schema, node, "has no name; write names: [name]");
	return 0;
}

static const struct schema_list subcommand_list = {
    .size = sizeof(struct pack_table),
    .count_place = PLACE(policy_pack, subcommand_count),
    .pos_place = PLACE(pack_table, pos),
    .max = PACK_ENTRIES_MAX,
    .keys = subcommand_keys,
    .end = end_subcommand,
};

static const char *const form_choices[] = {"", "words", "shell", "program", "joined", NULL};

static const struct schema_key run_keys[] = {
    KEY_SOME(pack_run, "subcommand", subcommands),
    KEY_SOME(pack_run, "option", options),
    KEY_COUNT(pack_run, "operand", operand),
    KEY_CHOICE(pack_run, "form", form, form_choices),
    KEY_FLAG(pack_run, "appended", appended),
    KEY_FLAG(pack_run, "filled", filled),
    KEY_FLAG(pack_run, "remote", remote),
    KEY_END,
};

static int end_run(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct pack_run *run = element;

	if (run->form == PACK_FORM_NONE)
		return schema_refuse(schema, node, "has no form; write form: words");
	if (!run->operand == !run->options.count)
		return schema_refuse(
		    schema, node, "needs either option or operand; write where it stands");
	if (run->form == PACK_FORM_JOINED && !run->operand)
		return schema_refuse(schema, node, "joins operands only; write operand: 2");
	return 0;
}

static const struct schema_list run_list = {
    .size = sizeof(struct pack_run),
    .count_place = PLACE(policy_pack, run_count),
    .pos_place = PLACE(pack_run, pos),
    .max = PACK_ENTRIES_MAX,
    .keys = run_keys,
    .end = end_run,
};

/* A word of a test may be empty, which no other text of a pack is. */
static int read_argv(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_words *words = place_of(record, key->place);
	struct policy_word *items;

	if (node->kind != YAML_KIND_SEQUENCE || !node->count)
		return schema_refuse(schema, node, "is not a list; write [program, argument]");
	items = arena_array(schema->arena, node->count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	for (const struct yaml_node *item = node->first; item; item = item->next) {
		if (item->kind != YAML_KIND_SCALAR)
			return schema_refuse(schema, item, "is not a word; write text");
		items[item->index] = (struct policy_word){item->text, item->pos};
	}
	*words = (struct policy_words){items, node->count};
	return 0;
}

static const struct schema_key test_keys[] = {
    KEY_TEXT(pack_test, "command", command, 4096),
    {.name = "argv", .read = read_argv, .place = PLACE(pack_test, argv)},
    KEY_CHOICE(pack_test, "expect", expect, decision_choices),
    KEY_TEXT(pack_test, "rule", rule, 64),
    KEY_WORDS(pack_test, "inner", inner),
    KEY_END,
};

static void begin_test(void *element)
{
	struct pack_test *test = element;

	test->rule = "";
}

static int end_test(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct pack_test *test = element;

	if (!test->command == !test->argv.count)
		return schema_refuse(schema, node, "needs either command or argv; write one");
	if (test->expect == DECISION_NONE)
		return schema_refuse(schema, node, "expects nothing; write expect: ask");
	return 0;
}

static const struct schema_list test_list = {
    .size = sizeof(struct pack_test),
    .count_place = PLACE(policy_pack, test_count),
    .pos_place = PLACE(pack_test, pos),
    .max = PACK_ENTRIES_MAX,
    .keys = test_keys,
    .begin = begin_test,
    .end = end_test,
};

/* ---- the whole ---------------------------------------------------------------------------- */

static const char *const permute_choices[] = {"all", "none", "once", NULL};
static const char *const subcommand_choices[] = {"", "split", "anywhere", NULL};
static const char *const assignment_choices[] = {"", "leading", "anywhere", NULL};
static const char *const scan_choices[] = {"", "sed", NULL};

static const struct schema_key reading_keys[] = {
    KEY_FLAG(policy_pack, "abbreviate", abbreviate),
    KEY_FLAG(policy_pack, "negate", negate),
    KEY_FLAG(policy_pack, "whole", whole),
    KEY_FLAG(policy_pack, "single", single),
    KEY_FLAG(policy_pack, "old_style", old_style),
    KEY_FLAG(policy_pack, "fold_values", fold_values),
    KEY_FLAG(policy_pack, "fold_options", fold_options),
    KEY_CHOICE(policy_pack, "permute", permute, permute_choices),
    KEY_CHOICE(policy_pack, "subcommands", subcommand_style, subcommand_choices),
    KEY_CHOICE(policy_pack, "assignments", assignments, assignment_choices),
    KEY_CHOICE(policy_pack, "scan", scan, scan_choices),
    KEY_END,
};

static const struct schema_key pack_keys[] = {
    KEY_TEXT(policy_pack, "pack", name, 64),
    KEY_TEXT(policy_pack, "version", version, 256),
    KEY_TEXT(policy_pack, "description", description, 8192),
    KEY_WORDS(policy_pack, "programs", programs),
    {.name = "unknown_option",
	.read = read_choice,
	.place = PLACE(policy_pack, unknown_option),
	.pos_place = PLACE(policy_pack, unknown_pos),
	.choices = decision_choices},
    {.name = "otherwise",
	.read = read_choice,
	.place = PLACE(policy_pack, otherwise),
	.pos_place = PLACE(policy_pack, otherwise_pos),
	.choices = decision_choices},
    {.name = "reading", .read = read_section, .keys = reading_keys},
    {.name = "options", .read = read_options, .place = PLACE(policy_pack, main)},
    {.name = "use", .read = read_words, .place = PLACE(policy_pack, main.use)},
    {.name = "sets", .read = read_sets},
    {.name = "subcommands",
	.read = read_rows,
	.place = PLACE(policy_pack, subcommands),
	.list = &subcommand_list},
    {.name = "rules", .read = read_rows, .place = PLACE(policy_pack, rules), .list = &rule_list},
    {.name = "runs", .read = read_rows, .place = PLACE(policy_pack, runs), .list = &run_list},
    {.name = "tests", .read = read_rows, .place = PLACE(policy_pack, tests), .list = &test_list},
    KEY_END,
};

int pack_load_text(struct policy_pack *ret, struct arena *arena, const char *file, const char *text,
    struct err_note *note)
{
	const struct policy_source source = {.file = file, .text = text, .len = strlen(text)};
	struct schema schema = {.source = &source, .arena = arena, .note = note};
	const struct yaml_node *root;
	int fault = yaml_tree_read(&source, arena, &root, note);

	if (fault)
		return fault;
	*ret = (struct policy_pack){.unknown_option = DECISION_ASK, .otherwise = DECISION_ASK};
	ret->file = arena_text(arena, file, strlen(file));
	if (!ret->file)
		return -ENOMEM;
	fault = schema_mapping(&schema, root, pack_keys, ret);
	return fault ? fault : pack_check(&schema, root, ret);
}

int pack_load(struct policy_pack *ret, struct arena *arena, const char *name, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) words = {0};
	const char *text;
	size_t len;

	buf_init(&words, 512);
	text = pack_text(name, &len);
	if (text) {
		buf_textf(&words, "packs/%s.yaml", name);
		return words.fault ? words.fault
				   : pack_load_text(ret, arena, buf_cstr(&words), text, note);
	}
	for (const char *const *known = pack_names(); *known; known++)
		buf_textf(&words, "%s%s", words.len ? ", " : "", *known);
	return err_note(note, -ENOENT, "'%.60s' is not a pack; choose from %s", name,
	    words.fault ? "the list in callgate.yaml(5)" : buf_cstr(&words));
}
