#include "supervisor/engine/calls/judge.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/limits.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/asking/gate.h"
#include "supervisor/engine/calls/arguments.h"
#include "supervisor/engine/calls/changes.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/calls/subject.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

/* A sentence cut in the middle of a character, or made of another's broken bytes, is escaped
 * once more, so that what goes into JSON is always text. */
void judge_say(struct call *call, const char *format, ...)
{
	char said[CALL_SENTENCE_MAX];
	struct buf cleanup_with(buf_fini) clean = {0};
	const char *text = said;
	va_list args;

	va_start(args, format);
	(void)vsnprintf(said, sizeof(said), format, args);
	va_end(args);
	if (!str_is_utf8(said, strlen(said))) {
		buf_init(&clean, 8 * CALL_SENTENCE_MAX);
		(void)str_escape(&clean, said, strlen(said));
		text = buf_cstr(&clean);
	}
	(void)snprintf(call->sentence, sizeof(call->sentence), "%s", text ? text : "");
	if (!str_is_utf8(call->sentence, strlen(call->sentence)))
		call->sentence[0] = '\0';
}

static const char *no_role(char out[JUDGE_SENTENCE_MAX], const struct caller *caller)
{
	const struct shown *shown = &caller->shown;

	if (shown->has_peer)
		(void)snprintf(out, JUDGE_SENTENCE_MAX,
		    "the policy gives uid %u no role. Retrying does not help; an operator can add "
		    "a principal with peer_uid %u",
		    shown->uid, shown->uid);
	else
		(void)snprintf(out, JUDGE_SENTENCE_MAX,
		    "the policy gives %s no role. Retrying does not help; an operator can add a "
		    "principal that matches it",
		    caller->principal);
	return out;
}

const char *judge_identity_sentence(
    char out[JUDGE_SENTENCE_MAX], enum identity_result result, const struct caller *caller)
{
	switch (result) {
	case IDENTITY_OK: return "";
	case IDENTITY_NONE:
	case IDENTITY_NO_ROLE: return no_role(out, caller);
	case IDENTITY_UNKNOWN_AGENT:
		return "the policy does not let this user act as that agent. Retrying does not "
		       "help; name another agent (`callgate agents` lists them)";
	case IDENTITY_NAME_AN_AGENT:
		return "this user may act as several agents (`callgate agents` lists them): name "
		       "an agent with --agent, in MCP _meta[\"callgate/agent\"]";
	case IDENTITY_NO_NAMESPACE:
		return "the policy does not let this user into that namespace. Retrying does not "
		       "help; name another namespace";
	}
	return "the identity cannot be judged";
}

enum call_event judge_identity(struct call *call)
{
	struct subject subject;
	char sentence[JUDGE_SENTENCE_MAX];

	call->rules = ruleset_hold(call->engine->rules);
	if (call->engine->draining) {
		judge_say(
		    call, "callgate is stopping and takes no new calls; retry when it is back.");
		return CALL_ON_BUSY;
	}
	if (!call->counted) {
		judge_say(call,
		    "Too many calls at once (at most %d for one user, %d in all); retry when "
		    "others have ended.",
		    QUOTA_CALLS, ENGINE_CALLS_MAX);
		return CALL_ON_BUSY;
	}
	if (caller_has_expired(call->caller) || call->used_up) {
		judge_say(call, "Refused by callgate: %s.",
		    call->used_up ? "this token's number of calls is used up; ask for another token"
				  : "the credential has expired or was revoked");
		return CALL_ON_DENIED;
	}
	if (call->depth > GATE_DEPTH_MAX) {
		judge_say(call, "Refused by callgate: " GATE_TOO_DEEP ".");
		return CALL_ON_DENIED;
	}
	if (subject_of_call(call, &subject)) {
		judge_say(
		    call, "Refused by callgate: the call through whose gate this came is over.");
		return CALL_ON_DENIED;
	}
	policy_identify(call->rules->policy, &subject, &call->identity);
	if (call->identity.result == IDENTITY_OK)
		return CALL_ON_IDENTIFIED;
	judge_say(call, "Refused by callgate: %s.",
	    judge_identity_sentence(sentence, call->identity.result, call->caller));
	if (call->identity.result == IDENTITY_NO_ROLE || call->identity.result == IDENTITY_NONE)
		quota_refused_login(call->engine, call->caller, "no role");
	return CALL_ON_DENIED;
}

static uint64_t kept_bytes(const struct policy_tool *tool)
{
	uint64_t keep = tool->sandbox.output ? tool->sandbox.output : OUTPUT_KEEP_DEFAULT;

	return OUTPUT_STREAMS * (keep < OUTPUT_KEEP_MAX ? keep : OUTPUT_KEEP_MAX);
}

/* The verdict in words; what it points into is gone afterwards. */
static void keep_verdict(struct call *call, const struct verdict *verdict)
{
	struct buf cleanup_with(buf_fini) rule = {0};
	struct buf cleanup_with(buf_fini) reason = {0};
	const struct policy *policy = call->rules->policy;
	const char *text;

	buf_init(&rule, 8 * CALL_RULE_MAX);
	buf_init(&reason, 8 * CALL_REASON_MAX);
	text = verdict_rule(&rule, policy, verdict);
	(void)snprintf(call->rule, sizeof(call->rule), "%s", text ? text : "");
	text = verdict_reason(&reason, policy, call->tool, verdict);
	(void)snprintf(call->reason, sizeof(call->reason), "%s", text ? text : "");
	call->decision = verdict->decision;
}

struct question judge_question(const struct call *call)
{
	return (struct question){.policy = call->rules->policy,
	    .book = call->rules->book,
	    .tool = call->tool,
	    .identity = &call->identity,
	    .command = &call->command,
	    .facts = call->facts,
	    .stdin_streams = call->stdin_kind == STDIN_STREAM,
	    .spent = call->spent};
}

static enum call_event decide(struct call *call)
{
	const struct question question = judge_question(call);
	struct judgement judgement;
	int fault = policy_judge(&question, &judgement);

	if (!fault)
		keep_verdict(call, &judgement.result);
	judgement_fini(&judgement);
	if (fault)
		return CALL_ON_FAULT;
	switch (call->decision) {
	case DECISION_ALLOW:
	case DECISION_ASK: return CALL_ON_PERMITTED;
	case DECISION_NONE:
	case DECISION_DENY: break;
	}
	judge_say(call, "Refused by callgate, rule %s: %s", call->rule, call->reason);
	return CALL_ON_DENIED;
}

enum call_event judge_tool(struct call *call)
{
	const struct policy_tool *tool = policy_find_tool(call->rules->policy, call->tool_name);
	enum call_event event;

	if (!tool || !policy_reachable(&call->identity, tool)) {
		call->unknown_tool = true;
		judge_say(call, "Unknown tool.");
		return CALL_ON_DENIED;
	}
	call->tool = tool;
	event = arguments_take(call);
	if (event != CALL_ON_NOTHING)
		return event;
	if (call->charged_bytes == 0) {
		uint64_t bytes = kept_bytes(tool) + 2 * call->body_len + stream_cost(call->options);

		if (quota_charge(call->account, QUOTA_BYTE, bytes)) {
			judge_say(call,
			    "Too much is under way for this user; retry when other calls "
			    "have ended.");
			return CALL_ON_BUSY;
		}
		call->charged_bytes = bytes;
	}
	event = changes_make_room(call);
	return event == CALL_ON_NOTHING ? decide(call) : event;
}

bool judge_grant(struct call *call)
{
	const struct grant *grant = grant_find(call);

	if (!grant)
		return false;
	memcpy(call->grant, grant->id, sizeof(call->grant));
	call->answer = grant->answer;
	return true;
}

static void explain_no(struct call *call)
{
	const struct approval_answer *answer = &call->answer;
	struct buf cleanup_with(buf_fini) reason = {0};
	const char *text;

	buf_init(&reason, 8 * APPROVAL_REASON_MAX);
	(void)str_escape(&reason, answer->reason, strlen(answer->reason));
	text = buf_cstr(&reason);
	judge_say(call,
	    "Refused: %s%s%s denied approval %s%s%s. Do not retry unless a human asks for "
	    "it.",
	    answer->principal, answer->name[0] ? " with the key of " : "", answer->name, answer->id,
	    text && *text ? ", saying: " : "", text ? text : "");
}

static bool wrote_anything(const struct call *call)
{
	struct output_facts out = {0}, err = {0};

	return call->output &&
	       (output_facts(call->output, OUTPUT_OUT, &out) ||
		   output_facts(call->output, OUTPUT_ERR, &err) || out.bytes + err.bytes > 0);
}

/* An agent may read nothing but the text: it must not be empty when something went wrong. */
static void explain_end(struct call *call)
{
	if (call->exit.how == EXIT_HOW_SIGNALED)
		judge_say(call, "killed by signal %lld", (long long)call->exit.code);
	else if (call->exit.how == EXIT_HOW_EXITED && call->exit.code && !wrote_anything(call))
		judge_say(call, "exit status %lld", (long long)call->exit.code);
}

/* The agent must not take what ran for what it asked for. */
static void explain_edit(struct call *call)
{
	char *cleanup_free arguments = NULL;
	struct buf cleanup_with(buf_fini) shown = {0};

	if (digest_is_zero(&call->edit.plan))
		return;
	arguments = json_dumps(call->arguments, JSON_COMPACT | JSON_SORT_KEYS);
	buf_init(&shown, 8 * CALL_SENTENCE_MAX);
	(void)str_escape(&shown, arguments ? arguments : "", arguments ? strlen(arguments) : 0);
	judge_say(call,
	    "An approver, %s, changed the arguments before this ran; they were: %.1000s",
	    call->edit.answer.principal,
	    buf_cstr(&shown) ? buf_cstr(&shown) : "(too long to be shown)");
}

const char *judge_limit(const struct call *call)
{
	switch (call->exit.how) {
	case EXIT_HOW_OOM: return "memory";
	case EXIT_HOW_PIDS: return "pids";
	case EXIT_HOW_CPU: return "cpu";
	case EXIT_HOW_FILE: return "file_size";
	case EXIT_HOW_DISK: return "disk";
	case EXIT_HOW_INODES: return "inodes";
	case EXIT_HOW_DEADLINE: return "time";
	case EXIT_HOW_NONE:
	case EXIT_HOW_EXITED:
	case EXIT_HOW_SIGNALED:
	case EXIT_HOW_KILLED:
	case EXIT_HOW_FAILED:
	case EXIT_HOW_STUCK: break;
	}
	return call->outcome == OUTCOME_OUTPUT ? "output" : "";
}

/* Ends at limits of CPU time and disk. */
static bool say_limit(struct call *call, const struct policy_sandbox *limits)
{
	switch (call->exit.how) {
	case EXIT_HOW_CPU:
		judge_say(call,
		    "Killed: the tool's limit of CPU time, %llu s (sandbox.cpu), was reached.",
		    (unsigned long long)limits->cpu_ms / 1000);
		return true;
	case EXIT_HOW_FILE:
		judge_say(call,
		    "Killed by signal %d: a file reached the tool's limit of %llu bytes "
		    "(sandbox.file_size).",
		    SIGXFSZ, (unsigned long long)limits->file_size);
		return true;
	case EXIT_HOW_DISK:
		judge_say(call,
		    "Failed with /tmp or its overlay full: the tool's limit is %llu bytes "
		    "(sandbox.disk).",
		    (unsigned long long)limits->disk);
		return true;
	case EXIT_HOW_INODES:
		judge_say(call,
		    "Failed with no file left in /tmp or its overlay: the tool's limit is %llu "
		    "(sandbox.inodes).",
		    (unsigned long long)limits->inodes);
		return true;
	case EXIT_HOW_NONE:
	case EXIT_HOW_EXITED:
	case EXIT_HOW_SIGNALED:
	case EXIT_HOW_DEADLINE:
	case EXIT_HOW_KILLED:
	case EXIT_HOW_OOM:
	case EXIT_HOW_PIDS:
	case EXIT_HOW_FAILED:
	case EXIT_HOW_STUCK: break;
	}
	return false;
}

void judge_say_end(struct call *call, const char *note)
{
	const struct policy_sandbox limits = policy_limits(&call->tool->sandbox);
	const unsigned long long mib = 1024 * 1024, memory = limits.memory;
	const char *open = note[0] ? " (" : "", *close = note[0] ? ")" : "";

	if (call->exit.how == EXIT_HOW_OOM)
		judge_say(call, "Killed: the tool's memory limit of %llu %s was reached%s%s%s.",
		    memory % mib ? memory : memory / mib, memory % mib ? "bytes" : "MiB", open,
		    note, close);
	else if (call->exit.how == EXIT_HOW_PIDS)
		judge_say(call, "Ended: the tool's limit of %llu processes was reached%s%s%s.",
		    (unsigned long long)limits.pids, open, note, close);
	else if (!say_limit(call, &limits) && note[0])
		judge_say(call, "%s", note);
}

void judge_explain(struct call *call)
{
	if (call->sentence[0] || changes_explain(call))
		return;
	switch (call->outcome) {
	case OUTCOME_REFUSED: explain_no(call); break;
	case OUTCOME_PENDING:
		judge_say(call,
		    "Not run yet: approval %s waits for a human. Repeat the identical call "
		    "later: it picks the answer up.",
		    call->answer.id);
		break;
	case OUTCOME_EXPIRED:
		judge_say(call,
		    "Not run: approval %s expired, no human answered in time. Repeating the "
		    "call asks anew.",
		    call->answer.id);
		break;
	case OUTCOME_CANCELLED: judge_say(call, "Cancelled by the client."); break;
	case OUTCOME_DEADLINE:
		judge_say(call, "Stopped at the tool's deadline; its whole process tree is dead.");
		break;
	case OUTCOME_OOM: /* told by judge_say_end() */
	case OUTCOME_PIDS:
	case OUTCOME_DISK: break;
	case OUTCOME_UNAVAILABLE:
		judge_say(call, "callgate could not start this in time and stopped trying; retry.");
		break;
	case OUTCOME_FAILED:
		judge_say(call, "callgate failed at this call; its log says why.");
		break;
	case OUTCOME_COMPLETED:
	case OUTCOME_OUTPUT: /* the text itself says what is left out, and where */
		explain_end(call);
		if (!call->sentence[0])
			explain_edit(call);
		changes_tell(call);
		break;
	case OUTCOME_NONE: break;
	}
}

const char *judge_by(const struct call *call)
{
	return call->grant[0] ? "grant" : call->answered ? "approval" : "policy";
}

const char *judge_decision(const struct call *call)
{
	if (call->allowed)
		return "allow";
	if (call->outcome == OUTCOME_PENDING)
		return "ask";
	if (call->answered || call->decision != DECISION_ASK)
		return "deny";
	return "ask";
}
