#include <stdlib.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/approvals/channel.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/hooks/hook_book.h"
#include "supervisor/engine/ruleset.h"

#define AFTER_US (5 * HOOK_MINUTE_US)
#define TERMINAL "terminal"

/* ---- questions come and go ------------------------------------------------------------------ */

static void tell(
    struct engine *engine, const struct approval *approval, const char *channel, uint64_t after_us)
{
	const struct policy_channel *found = policy_find_channel(engine->rules->policy, channel);
	struct hook *hook;

	if (!found || !channel_serves(found, approval->space))
		return;
	hook = hook_add(engine, channel, "approval.requested");
	if (!hook) {
		log_error("channel %s: approval %s cannot be told: out of memory", channel,
		    approval->answer.id);
		return;
	}
	memcpy(hook->approval, approval->answer.id, sizeof(hook->approval));
	hook->due_us = clock_monotonic_us() + after_us;
	hook->until_us = approval->expires_us;
}

void hook_asked(struct engine *engine, const struct approval *approval)
{
	const struct policy *policy = engine->rules->policy;
	const struct policy_approval *rules = approval_rules(policy, approval->tool);
	uint64_t after_us = 0;

	for (uint32_t i = 0; i < rules->channels.count; i++) {
		if (strcmp(rules->channels.items[i].text, TERMINAL) != 0)
			tell(engine, approval, rules->channels.items[i].text, after_us);
		after_us += rules->escalate_after_ms * 1000;
	}
	for (uint32_t i = 0; rules->channels.count == 0 && i < policy->channel_count; i++)
		tell(engine, approval, policy->channels[i].name, 0);
	if (engine->hooks)
		hook_set_timer(engine->hooks, 0);
}

/* Slack and ntfy show what was sent; who reads JSON can take it back. A plain JSON channel knows
 * its own answer. */
static bool hears_of_end(const struct policy_channel *channel, const struct approval *approval)
{
	static const char prefix[] = "channel:";
	const char *by = approval->answer.principal;

	if (!channel)
		return false;
	if (channel->type == CHANNEL_STANDARD)
		return true;
	return channel->type == CHANNEL_JSON &&
	       (strncmp(by, prefix, strlen(prefix)) != 0 ||
		   strcmp(by + strlen(prefix), channel->name) != 0);
}

static json_t *end_of(const struct approval *approval, enum approval_state state)
{
	const struct approval_answer *answer = &approval->answer;
	char plan[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:";

	(void)digest_hex(plan + strlen(plan), &approval->plan);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", answer->id, "plan", plan,
	    "tool", approval->tool, "namespace", approval->space, "state",
	    approval_state_name(state), "by", answer->principal, "method",
	    approval_answer_how(answer));
}

static void tell_end(struct engine *engine, const struct approval *approval, const char *channel,
    enum approval_state state)
{
	const struct policy_channel *found = policy_find_channel(engine->rules->policy, channel);
	bool decided = state == APPROVAL_APPROVED || state == APPROVAL_DENIED ||
		       state == APPROVAL_SUPERSEDED || state == APPROVAL_USED;
	struct hook *hook;

	if (engine->draining || !hears_of_end(found, approval))
		return;
	hook = hook_add(engine, channel, decided ? "approval.decided" : "approval.expired");
	if (!hook)
		return;
	memcpy(hook->approval, approval->answer.id, sizeof(hook->approval));
	hook->data = end_of(approval, state);
	hook->due_us = clock_monotonic_us();
	hook->until_us = hook->due_us + AFTER_US;
	if (!hook->data)
		hook_drop(engine->hooks, hook);
}

static struct hook *find_question(struct hooks *hooks, const char *approval)
{
	struct hook *hook = hooks->list;

	while (hook && !hook_is_about(hook, approval))
		hook = hook->next;
	return hook;
}

/* Of what was sent, and neither taken nor given up, nothing more will be heard. */
static void leave(struct engine *engine, struct hook *hook)
{
	bool waits = hook->attempts > 0 && hook->due_us != HOOK_NEVER_US;

	if (hook->sending) {
		fetch_cancel(engine, hook);
		hook->sending = false;
	}
	if (!waits)
		return;
	hook_count_one(engine, HOOK_RESULT_OVER);
	hook_record(hook, HOOK_RESULT_OVER, 0, "the question ended before the channel took it");
}

void hook_ended(struct engine *engine, const struct approval *approval, enum approval_state state)
{
	struct hooks *hooks = engine->hooks;
	struct hook *hook;

	while (hooks && (hook = find_question(hooks, approval->answer.id))) {
		if (hook->told || hook->sending)
			tell_end(engine, approval, hook->channel, state);
		hook->over = true;
		/* Soon heard of; but who holds a question open would keep its place for minutes. */
		if (hook->sending && !hook->slow)
			continue;
		leave(engine, hook);
		hook_drop(hooks, hook);
	}
	if (hooks)
		hook_set_timer(hooks, 0);
}

/* ---- nonces --------------------------------------------------------------------------------- */

static struct hook *find_for(const struct engine *engine, const char *approval, const char *channel)
{
	struct hook *hook = engine->hooks ? engine->hooks->list : NULL;

	while (hook && !(hook_is_about(hook, approval) && strcmp(hook->channel, channel) == 0))
		hook = hook->next;
	return hook;
}

bool hook_nonce_is(
    const struct engine *engine, const char *approval, const char *channel, const char *nonce)
{
	const struct hook *hook = find_for(engine, approval, channel);
	struct digest ours, told;

	if (!hook || !hook->whole || !hook->nonce[0] || hook->attempts == 0 ||
	    digest_of(&ours, hook->nonce, strlen(hook->nonce)) ||
	    digest_of(&told, nonce, strlen(nonce)))
		return false;
	return digest_equal(&ours, &told);
}

void hook_nonce_used(struct engine *engine, const char *approval, const char *channel)
{
	struct hook *hook = find_for(engine, approval, channel);

	if (hook)
		key_wipe(hook->nonce, sizeof(hook->nonce));
}
