/* Where questions go: approvals.channels, and what tools say of them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/check.h"

#define PATH_SHOWN_MAX 200

static const char terminal[] = "terminal";

/* What a file that names no order says: the terminal, then all as they are written. */
int channels_order(struct schema *schema, struct policy *policy)
{
	uint32_t count = policy->channel_count + 1;
	struct policy_word *items;

	if (!policy->channel_count)
		return 0;
	items = arena_array(schema->arena, count, sizeof(*items));
	if (!items)
		return -ENOMEM;
	items[0] = (struct policy_word){terminal, {0, 0}};
	for (uint32_t i = 1; i < count; i++)
		items[i] =
		    (struct policy_word){policy->channels[i - 1].name, policy->channels[i - 1].pos};
	policy->approval.channels = (struct policy_words){items, count};
	return 0;
}

/* The last one is asked for nothing when the question has expired by then. */
static int check_escalation(struct schema *schema, const struct policy *policy,
    const struct policy_approval *approval, const char *path)
{
	char key[PATH_SHOWN_MAX];
	uint64_t steps = approval->channels.count ? approval->channels.count - 1 : 0;

	if (!approval->escalate_given || !approval->escalate_after_ms)
		return 0;
	snprintf(key, sizeof(key), "%.160s.escalate_after", path);
	if (!steps)
		return schema_refuse_at(schema, approval->escalate_pos, key,
		    "has nobody to go on to; give approvals.channels one web hook at least, or "
		    "remove it");
	if (approval->escalate_after_ms * steps >= policy->approval_timeout_ms)
		schema_warn_at(schema, approval->escalate_pos, key,
		    "the last channel is never asked, since the question expires before; raise "
		    "approvals.timeout");
	return 0;
}

int approval_check(struct schema *schema, const struct policy *policy,
    const struct policy_approval *approval, const char *path)
{
	const struct policy_words *words = &approval->channels;
	char key[PATH_SHOWN_MAX];

	for (uint32_t i = 0; i < words->count; i++) {
		const struct policy_word *word = &words->items[i];

		snprintf(key, sizeof(key), "%.160s.channels[%u]", path, i);
		if (strcmp(word->text, terminal) != 0 && !policy_find_channel(policy, word->text))
			return schema_refuse_at(schema, word->pos, key,
			    "there is no channel '%.64s'; define it under approvals.channels: or "
			    "remove it",
			    schema_shown(schema, word->text));
		for (uint32_t j = 0; j < i; j++)
			if (!strcmp(words->items[j].text, word->text))
				return schema_refuse_at(schema, word->pos, key,
				    "'%.64s' is named twice; keep one",
				    schema_shown(schema, word->text));
	}
	return check_escalation(schema, policy, approval, path);
}

static int check_roles(
    struct schema *schema, const struct policy *policy, const struct policy_channel *channel)
{
	const struct policy_words *roles = &channel->roles;
	char key[PATH_SHOWN_MAX];

	for (uint32_t i = 0; i < roles->count; i++) {
		const struct policy_word *word = &roles->items[i];

		snprintf(key, sizeof(key), "approvals.channels.%.64s.roles[%u]", channel->name, i);
		if (!policy_find_role(policy, word->text))
			return schema_refuse_at(schema, word->pos, key,
			    "there is no role '%.64s'; define it under roles: or remove it",
			    schema_shown(schema, word->text));
	}
	return 0;
}

static int check_namespaces(
    struct schema *schema, const struct policy *policy, const struct policy_channel *channel)
{
	const struct policy_words *spaces = &channel->namespaces;
	char key[PATH_SHOWN_MAX];

	for (uint32_t i = 0; i < spaces->count; i++) {
		const struct policy_word *word = &spaces->items[i];

		snprintf(
		    key, sizeof(key), "approvals.channels.%.64s.namespaces[%u]", channel->name, i);
		if (!policy_find_namespace(policy, word->text))
			return schema_refuse_at(schema, word->pos, key,
			    "there is no namespace '%.64s'; define it under namespaces: or remove "
			    "it",
			    schema_shown(schema, word->text));
	}
	return 0;
}

static void warn_channel(struct schema *schema, const struct policy_channel *channel)
{
	char key[PATH_SHOWN_MAX];

	snprintf(key, sizeof(key), "approvals.channels.%.64s", channel->name);
	if (channel->type == CHANNEL_SLACK && channel->url[0])
		schema_warn_at(schema, channel->pos, key,
		    "who has a Slack hook's URL can write there; set it in the environment and "
		    "write url_env: NAME");
}

int channels_check(struct schema *schema, const struct policy *policy)
{
	int fault = 0;

	for (uint32_t i = 0; !fault && i < policy->channel_count; i++) {
		warn_channel(schema, &policy->channels[i]);
		fault = check_roles(schema, policy, &policy->channels[i]);
		if (!fault)
			fault = check_namespaces(schema, policy, &policy->channels[i]);
	}
	return fault ? fault : approval_check(schema, policy, &policy->approval, "approvals");
}
