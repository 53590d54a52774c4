#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/check.h"
#include "policy/order.h"
#include "policy/pack_keys.h"

#define PATH_SHOWN_MAX 120

static int refuse_pack(
    struct schema *schema, const struct policy_tool *tool, const struct policy_word *word)
{
	uint32_t index = (uint32_t)(word - tool->packs.items);
	char path[PATH_SHOWN_MAX];

	snprintf(path, sizeof(path), "tools.%.64s.packs[%u]", tool->name, index);
	for (const char *const *name = pack_names(); *name; name++) {
		if (schema_is_close(word->text, *name))
			return schema_refuse_at(schema, word->pos, path,
			    "there is no pack '%.64s'; did you mean %s?",
			    schema_shown(schema, word->text), *name);
	}
	return schema_refuse_at(schema, word->pos, path,
	    "there is no pack '%.64s'; callgate.yaml(5) lists them",
	    schema_shown(schema, word->text));
}

/* Each pack once, in order of their names: their number is small, so they are inserted. */
static int add_pack(struct schema *schema, struct policy *policy, const struct policy_tool *tool,
    const struct policy_word *word)
{
	struct policy_pack pack = {0};
	uint32_t at = 0;
	int fault;

	while (at < policy->pack_count && strcmp(policy->packs[at].name, word->text) < 0)
		at++;
	if (at < policy->pack_count && !strcmp(policy->packs[at].name, word->text))
		return 0;
	fault = pack_load(&pack, schema->arena, word->text, schema->note);
	if (fault == -ENOENT)
		return refuse_pack(schema, tool, word);
	if (fault)
		return fault;
	memmove(policy->packs + at + 1, policy->packs + at,
	    (policy->pack_count - at) * sizeof(*policy->packs));
	policy->packs[at] = pack;
	policy->pack_count++;
	return 0;
}

int policy_load_packs(struct schema *schema, struct policy *policy)
{
	size_t most = 0;
	int fault = 0;

	while (pack_names()[most])
		most++;
	policy->packs = arena_array(schema->arena, most, sizeof(*policy->packs));
	if (!policy->packs)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		const struct policy_tool *tool = &policy->tools[i];

		for (uint32_t j = 0; !fault && j < tool->packs.count; j++)
			fault = add_pack(schema, policy, tool, &tool->packs.items[j]);
	}
	return fault;
}
