#include "policy/policy.h"

#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"
#include "policy/order.h"
#include "policy/pack.h"
#include "supervisor/base/str.h"

_Static_assert(offsetof(struct policy_tool, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_role, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_agent, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_namespace, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_tenant, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_env, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_pack, name) == 0, "named_compare");
_Static_assert(offsetof(struct policy_channel, name) == 0, "named_compare");

void policy_free(struct policy *policy)
{
	struct arena *arena = policy ? policy->storage : NULL;
	struct arena held;

	if (!arena)
		return;
	/* The policy and its arena live in the arena's own chunks. */
	held = *arena;
	arena_fini(&held);
}

const char *word_basename(const char *text)
{
	const char *slash = strrchr(text, '/');

	return slash ? slash + 1 : text;
}

int word_compare(enum word_order order, const char *a, const char *b)
{
	if (order == WORD_ORDER_BASENAME)
		return strcmp(word_basename(a), word_basename(b));
	return strcmp(a, b);
}

const struct policy_word *word_find(
    const struct policy_words *words, enum word_order order, const char *text)
{
	uint32_t low = 0, high = words->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (word_compare(order, words->items[middle].text, text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == words->count || word_compare(order, words->items[low].text, text))
		return NULL;
	return &words->items[low];
}

int named_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* name is the first member of every element, so its address is a key of the same form. */
static const void *named_find(const void *items, uint32_t count, size_t size, const char *name)
{
	return count ? bsearch(&name, items, count, size, named_compare) : NULL;
}

bool words_hold(const struct policy_words *words, const char *text)
{
	for (uint32_t i = 0; i < words->count; i++) {
		if (!strcmp(words->items[i].text, text))
			return true;
	}
	return false;
}

bool globs_hold(const struct policy_words *globs, const char *text)
{
	for (uint32_t i = 0; i < globs->count; i++) {
		if (str_glob(globs->items[i].text, text))
			return true;
	}
	return false;
}

const struct policy_tool *policy_find_tool(const struct policy *policy, const char *name)
{
	return named_find(policy->tools, policy->tool_count, sizeof(*policy->tools), name);
}

const struct policy_namespace *policy_find_namespace(const struct policy *policy, const char *name)
{
	return named_find(
	    policy->namespaces, policy->namespace_count, sizeof(*policy->namespaces), name);
}

const struct policy_agent *policy_find_agent(const struct policy *policy, const char *name)
{
	return named_find(policy->agents, policy->agent_count, sizeof(*policy->agents), name);
}

const struct policy_channel *policy_find_channel(const struct policy *policy, const char *name)
{
	return named_find(policy->channels, policy->channel_count, sizeof(*policy->channels), name);
}

const struct policy_role *policy_find_role(const struct policy *policy, const char *name)
{
	return named_find(policy->roles, policy->role_count, sizeof(*policy->roles), name);
}

const struct policy_pack *policy_find_pack(const struct policy *policy, const char *name)
{
	return named_find(policy->packs, policy->pack_count, sizeof(*policy->packs), name);
}

const struct policy_tenant *policy_tenant_of(const struct policy *policy, const char *space)
{
	for (uint32_t i = 0; i < policy->tenant_count; i++) {
		const struct policy_words *spaces = &policy->tenants[i].namespaces;

		for (uint32_t j = 0; j < spaces->count; j++) {
			if (!strcmp(spaces->items[j].text, space))
				return &policy->tenants[i];
		}
	}
	return NULL;
}

const char *decision_name(enum decision decision)
{
	switch (decision) {
	case DECISION_NONE: return "none";
	case DECISION_ALLOW: return "allow";
	case DECISION_ASK: return "ask";
	case DECISION_DENY: return "deny";
	}
	return "none";
}

const char *visibility_name(enum visibility visibility)
{
	switch (visibility) {
	case VISIBILITY_NONE: return "none";
	case VISIBILITY_PUBLIC: return "public";
	case VISIBILITY_INTERNAL: return "internal";
	case VISIBILITY_PRIVATE: return "private";
	}
	return "none";
}

static const char *const permission_names[] = {
#define POLICY_PERMISSION_NAME_(id, text) [PERMISSION_BIT_##id] = text,
    POLICY_PERMISSIONS(POLICY_PERMISSION_NAME_)
#undef POLICY_PERMISSION_NAME_
};

uint32_t permission_from_name(const char *name)
{
	for (uint32_t i = 0; i < PERMISSION_BIT_COUNT; i++) {
		if (!strcmp(permission_names[i], name))
			return 1u << i;
	}
	return 0;
}

const char *permission_name(uint32_t bit)
{
	for (uint32_t i = 0; i < PERMISSION_BIT_COUNT; i++) {
		if (bit == 1u << i)
			return permission_names[i];
	}
	return "";
}
