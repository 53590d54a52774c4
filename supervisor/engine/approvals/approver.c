#include "supervisor/engine/approvals/approver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/person.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

static const struct approver *find_key(const struct approver *keys, uint32_t count, const char *id)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(keys[i].id, id) == 0)
			return &keys[i];
	return NULL;
}

static bool is_near(uint64_t told_us, uint64_t now_us)
{
	return told_us > now_us ? told_us - now_us <= APPROVER_SKEW_US
				: now_us - told_us <= APPROVER_SKEW_US;
}

/* What an answer stands for is signed with it, so that a yes for once cannot be made to last. */
static const char *signed_decision(const struct approver_vote *vote)
{
	if (!vote->approve)
		return "deny";
	switch (vote->scope) {
	case GRANT_SESSION: return "approve:session";
	case GRANT_ALWAYS: return "approve:always";
	case GRANT_ONCE: break;
	}
	return "approve";
}

static int check_signature(const struct approver *approver, const struct approval *approval,
    const struct approver_vote *vote)
{
	struct buf cleanup_with(buf_fini) bytes = {0};
	int fault;

	buf_init(&bytes, 4096);
	fault = approval_signed_bytes(&bytes, approval->answer.id, &vote->plan,
	    signed_decision(vote), vote->wall_us, vote->reason);
	return fault ? fault
		     : key_verify(approver->public_key, vote->signature, bytes.data, bytes.len);
}

static enum approver_verdict judge_key(const struct engine *engine, const struct approval *approval,
    const struct approver_vote *vote, struct approval_answer *answer, struct err_note *note)
{
	const struct approver *approver =
	    find_key(engine->approvers, engine->approver_count, vote->key);

	if (!approver) {
		(void)err_note(note, 0,
		    "no approver key %s is registered; make one with `callgate keys "
		    "create --approver` as the daemon's user",
		    vote->key);
		return APPROVER_REFUSED;
	}
	if (!is_near(vote->wall_us, clock_wall_us())) {
		(void)err_note(note, 0,
		    "the signature is older or newer than five minutes; check the "
		    "clock and sign again");
		return APPROVER_REFUSED;
	}
	if (check_signature(approver, approval, vote) != 0) {
		(void)err_note(note, 0,
		    "the signature is not one of key %s over this approval, plan, "
		    "decision, time and reason; sign again",
		    vote->key);
		return APPROVER_REFUSED;
	}
	memcpy(answer->key, approver->id, sizeof(answer->key));
	memcpy(answer->name, approver->name, sizeof(answer->name));
	return APPROVER_COUNTS;
}

/* Where the policy says nothing, all channels count. */
static bool is_listed(const struct policy_approval *rules, const char *channel)
{
	for (uint32_t i = 0; i < rules->channels.count; i++)
		if (strcmp(rules->channels.items[i].text, channel) == 0)
			return true;
	return rules->channels.count == 0;
}

/* What the policy wants of an answer. 0, or -EPERM with note. */
static int judge_rules(const struct engine *engine, const struct approval *approval,
    const struct approver_vote *vote, struct err_note *note)
{
	const struct policy_approval *rules = approval_rules(engine->rules->policy, approval->tool);
	uint32_t scope = vote->scope ? vote->scope : GRANT_ONCE;
	uint32_t may = rules->grants ? rules->grants : GRANT_ONCE;

	if (!is_listed(rules, vote->channel))
		return err_note(note, -EPERM,
		    "the policy lets approvals of tool %s be answered by other channels only; "
		    "approval.channels names them",
		    approval->tool);
	if (vote->caller->proof == CALLER_NOBODY || vote->caller->proof == CALLER_ANONYMOUS)
		return err_note(note, -EPERM,
		    "nobody in particular answers; sign in with a key or token of your own");
	if (vote->approve && rules->reason_required && !str_is_seen(vote->reason))
		return err_note(note, -EPERM,
		    "the policy wants a reason with every approval of tool %s; give one",
		    approval->tool);
	if (vote->approve && approval->effects[0] && scope != GRANT_ONCE)
		return err_note(note, -EPERM,
		    "what one call changed is approved for once; the next call changes something "
		    "else");
	if (vote->approve && !(may & scope))
		return err_note(note, -EPERM,
		    "the policy lets no approval of tool %s stand for more than %s; approve it "
		    "once",
		    approval->tool, may & GRANT_SESSION ? "a session" : "one call");
	return 0;
}

enum approver_verdict approver_judge(const struct engine *engine, const struct approval *approval,
    const struct approver_vote *vote, struct approval_answer *ret_answer, struct err_note *note)
{
	struct approval_answer answer = approval->answer;
	enum approver_verdict verdict = APPROVER_COUNTS;

	const struct viewer viewer = {engine, vote->caller};

	if (!viewer_decides(&viewer, approval->space, approval->tool)) {
		(void)err_note(note, 0,
		    "%s may not decide approvals of tool %s: no role of it has the "
		    "permission approvals:decide and `approve` for that tool",
		    vote->caller->principal, approval->tool);
		return APPROVER_REFUSED;
	}
	/* An id stands for one plan, so that an answer may leave it out, unless it is signed. */
	if ((vote->key || !digest_is_zero(&vote->plan)) &&
	    !digest_equal(&vote->plan, &approval->plan)) {
		(void)err_note(note, 0,
		    "approval %s is for another plan than the one answered; read it "
		    "again",
		    approval->answer.id);
		return APPROVER_STALE;
	}
	if (judge_rules(engine, approval, vote, note))
		return APPROVER_REFUSED;
	if (vote->key) {
		verdict = judge_key(engine, approval, vote, &answer, note);
	} else if (caller_same(vote->caller, approval->caller)) {
		(void)err_note(note, 0,
		    "an unsigned answer of %s does not count, since that is who asks and the agent "
		    "itself could send it; sign it with an approver key (`callgate keys create "
		    "--approver`) or answer as another user",
		    approval->principal);
		verdict = APPROVER_REFUSED;
	}
	if (verdict != APPROVER_COUNTS)
		return verdict;
	memcpy(answer.principal, vote->caller->principal, sizeof(answer.principal));
	(void)snprintf(answer.reason, sizeof(answer.reason), "%s", vote->reason);
	(void)snprintf(answer.claimed, sizeof(answer.claimed), "%s", vote->claimed);
	(void)snprintf(
	    answer.credential, sizeof(answer.credential), "%s", vote->caller->credential);
	person_add_makers(&answer, vote->caller);
	answer.proof = vote->caller->proof;
	answer.scope = vote->approve ? vote->scope : (enum grant_bit)0;
	*ret_answer = answer;
	return APPROVER_COUNTS;
}

static void record_changes(struct engine *engine, const struct approver *keys, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (!find_key(engine->approvers, engine->approver_count, keys[i].id))
			record_admin_key(engine, &keys[i], "added");
	for (uint32_t i = 0; i < engine->approver_count; i++)
		if (!find_key(keys, count, engine->approvers[i].id))
			record_admin_key(engine, &engine->approvers[i], "removed");
}

int approver_replace(struct engine *engine, const struct strv *lines)
{
	uint32_t room = lines->count < ENGINE_APPROVERS_MAX ? lines->count : ENGINE_APPROVERS_MAX;
	struct approver *keys = calloc(room ? room : 1, sizeof(*keys));
	uint32_t count = 0;

	if (!keys)
		return -ENOMEM;
	if (lines->count > room)
		log_warn("approvers: only the first %u of %u keys count", room, lines->count);
	for (uint32_t i = 0; i < room; i++) {
		if (approver_parse(&keys[count], lines->items[i]))
			log_warn("approvers: key %u does not parse and counts for nothing", i + 1);
		else if (!find_key(keys, count, keys[count].id))
			count++;
	}
	record_changes(engine, keys, count);
	free(engine->approvers);
	engine->approvers = keys;
	engine->approver_count = count;
	return 0;
}
