#include "policy/pack_check.h"

#include <string.h>

static bool table_has(const struct pack_table *table, const char *name)
{
	for (uint32_t i = 0; i < table->option_count; i++) {
		const struct policy_words *names = &table->options[i].names;

		for (uint32_t j = 0; j < names->count; j++) {
			if (!strcmp(names->items[j].text, name))
				return true;
		}
	}
	return false;
}

static bool pack_has(const struct policy_pack *pack, const char *name)
{
	bool found = table_has(&pack->main, name);

	for (uint32_t i = 0; !found && i < pack->set_count; i++)
		found = table_has(&pack->sets[i], name);
	for (uint32_t i = 0; !found && i < pack->subcommand_count; i++)
		found = table_has(&pack->subcommands[i], name);
	return found;
}

/* --no-x where x can be negated, --x where --no-x can, and what a scan gives. */
static bool is_option_name(const struct policy_pack *pack, const char *name)
{
	char other[PACK_OPTION_BYTES_MAX + 8] = "--";

	if (pack_has(pack, name))
		return true;
	if (pack->scan != PACK_SCAN_NONE && !strncmp(name, "script:", 7))
		return true;
	if (!pack->negate || strncmp(name, "--", 2) || strlen(name) > PACK_OPTION_BYTES_MAX)
		return false;
	if (!strncmp(name, "--no-", 5)) {
		memcpy(other + 2, name + 5, strlen(name) - 4);
	} else {
		memcpy(other, "--no-", 5);
		memcpy(other + 5, name + 2, strlen(name) - 1);
	}
	return pack_has(pack, other);
}

static int check_options(struct schema *schema, const struct policy_pack *pack,
    const struct policy_words *names, const char *path)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (!is_option_name(pack, names->items[i].text))
			return schema_refuse_at(schema, names->items[i].pos, path,
			    "'%.60s' is no option; name one of the tables", names->items[i].text);
	}
	return 0;
}

static int check_matches(struct schema *schema, const struct policy_pack *pack,
    const struct pack_match *matches, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct policy_word name = {matches[i].option, matches[i].pos};
		int fault = check_options(schema, pack, &(struct policy_words){&name, 1}, "rules");

		if (fault)
			return fault;
	}
	return 0;
}

static bool is_subcommand(const struct policy_pack *pack, const char *name)
{
	for (uint32_t i = 0; i < pack->subcommand_count; i++) {
		const struct policy_words *names = &pack->subcommands[i].names;

		for (uint32_t j = 0; j < names->count; j++) {
			if (!strcmp(names->items[j].text, name))
				return true;
		}
	}
	return false;
}

static int check_subcommands(struct schema *schema, const struct policy_pack *pack,
    const struct policy_words *names, const char *path)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (!is_subcommand(pack, names->items[i].text))
			return schema_refuse_at(schema, names->items[i].pos, path,
			    "'%.60s' is no subcommand; name one of subcommands",
			    names->items[i].text);
	}
	return 0;
}

/* Only * and ? are special in a glob: who writes [!/]* expects what does not happen. */
static int check_globs(struct schema *schema, const struct policy_words *globs, const char *path)
{
	for (uint32_t i = 0; i < globs->count; i++) {
		const char *open = strchr(globs->items[i].text, '[');

		if (open && strchr(open, ']'))
			return schema_refuse_at(schema, globs->items[i].pos, path,
			    "'%.60s' has brackets, which would mean themselves; use * and ? only",
			    globs->items[i].text);
	}
	return 0;
}

static int check_rule_globs(struct schema *schema, const struct pack_rule *rule)
{
	const struct policy_words *lists[] = {&rule->operands, &rule->operands_not, &rule->first,
	    &rule->first_not, &rule->assignments, &rule->assignments_not, &rule->programs};
	int fault = 0;

	for (size_t i = 0; !fault && i < sizeof(lists) / sizeof(lists[0]); i++)
		fault = check_globs(schema, lists[i], "rules");
	for (uint32_t i = 0; !fault && i < rule->value_count; i++)
		fault = check_globs(schema, &rule->values[i].globs, "rules");
	for (uint32_t i = 0; !fault && i < rule->value_not_count; i++)
		fault = check_globs(schema, &rule->values_not[i].globs, "rules");
	return fault;
}

static int check_rule(
    struct schema *schema, const struct policy_pack *pack, const struct pack_rule *rule)
{
	int fault = check_options(schema, pack, &rule->options, "rules");

	if (!fault)
		fault = check_options(schema, pack, &rule->missing, "rules");
	if (!fault)
		fault = check_options(schema, pack, &rule->program_holds, "rules");
	if (!fault)
		fault = check_matches(schema, pack, rule->values, rule->value_count);
	if (!fault)
		fault = check_matches(schema, pack, rule->values_not, rule->value_not_count);
	if (!fault)
		fault = check_rule_globs(schema, rule);
	return fault ? fault : check_subcommands(schema, pack, &rule->subcommands, "rules");
}

/* An option has one meaning in a table; a second one would be read by nobody. */
static int check_names(struct schema *schema, const struct pack_table *table)
{
	for (uint32_t i = 0; i < table->option_count; i++) {
		const struct policy_words *names = &table->options[i].names;
		const struct pack_table before = {.options = table->options, .option_count = i};

		for (uint32_t j = 0; j < names->count; j++) {
			if (table_has(&before, names->items[j].text))
				return schema_refuse_at(schema, names->items[j].pos, "options",
				    "'%.60s' is an option already; remove one",
				    names->items[j].text);
		}
	}
	return 0;
}

static int check_ids(struct schema *schema, const struct policy_pack *pack)
{
	for (uint32_t i = 1; i < pack->rule_count; i++) {
		for (uint32_t j = 0; j < i; j++) {
			if (!strcmp(pack->rules[i].id, pack->rules[j].id))
				return schema_refuse_at(schema, pack->rules[i].pos, "rules",
				    "'%.60s' is the id of an earlier rule; rename one",
				    pack->rules[i].id);
		}
	}
	return 0;
}

static int check_use(struct schema *schema, const struct policy_pack *pack,
    const struct pack_table *table, const char *path)
{
	for (uint32_t i = 0; i < table->use.count; i++) {
		const struct policy_word *use = &table->use.items[i];
		bool known = false;

		for (uint32_t j = 0; j < pack->set_count; j++)
			known = known || !strcmp(pack->sets[j].names.items[0].text, use->text);
		if (!known)
			return schema_refuse_at(schema, use->pos, path,
			    "'%.60s' is no set; name one of sets", use->text);
	}
	return 0;
}

static int check_tables(struct schema *schema, const struct policy_pack *pack)
{
	int fault = check_use(schema, pack, &pack->main, "use");

	if (!fault)
		fault = check_names(schema, &pack->main);
	for (uint32_t i = 0; !fault && i < pack->set_count; i++)
		fault = check_names(schema, &pack->sets[i]);
	for (uint32_t i = 0; !fault && i < pack->subcommand_count; i++) {
		fault = check_use(schema, pack, &pack->subcommands[i], "subcommands");
		if (!fault)
			fault = check_names(schema, &pack->subcommands[i]);
	}
	return fault;
}

int pack_check(struct schema *schema, const struct yaml_node *root, const struct policy_pack *pack)
{
	int fault;

	if (!pack->name || !pack->version || !pack->description || !pack->programs.count)
		return schema_refuse(
		    schema, root, "lacks one of pack, version, description, programs; write it");
	fault = check_globs(schema, &pack->programs, "programs");
	if (!fault)
		fault = check_ids(schema, pack);
	for (uint32_t i = 0; !fault && i < pack->rule_count; i++)
		fault = check_rule(schema, pack, &pack->rules[i]);
	for (uint32_t i = 0; !fault && i < pack->run_count; i++) {
		fault = check_options(schema, pack, &pack->runs[i].options, "runs");
		if (!fault)
			fault = check_subcommands(schema, pack, &pack->runs[i].subcommands, "runs");
	}
	return fault ? fault : check_tables(schema, pack);
}
