#include "supervisor/engine/calls/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "policy/prepare.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/engine/access/redact.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/calls/arguments.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

#define EXPLAIN_MAX (256 * 1024)

/* An explanation that waits for the plan of the call that it is about. */
struct explaining {
	struct explaining *next;
	struct call *call; /* a shadow; owned */
	struct result_to to;
	uint64_t serial; /* of the PLAN */
};

static void give(const struct result_to *to, const struct question *question,
    const struct explanation *explanation)
{
	struct buf cleanup_with(buf_fini) json = {0};
	struct buf cleanup_with(buf_fini) text = {0};
	struct err_note note;
	json_t *object = NULL;
	int fault;

	buf_init(&json, EXPLAIN_MAX);
	buf_init(&text, EXPLAIN_MAX);
	fault = policy_tell_json(&json, question, explanation);
	if (!fault)
		fault = policy_tell_text(&text, question, explanation);
	if (!fault)
		fault = value_read((const char *)json.data, json.len, &object, &note);
	if (!fault)
		(void)json_object_set_new(
		    object, "text", value_text((const char *)text.data, text.len));
	result_give(to, object); /* NULL: an internal error is told */
}

/* ---- the grant, which is bound to a plan that only the warden can make --------------------- */

/* An ordinary user's daemon runs tools as him. */
static bool runs_as_user(const struct engine *engine)
{
	return engine->owner_uid != 0;
}

static void give_planned(const struct explaining *waits)
{
	const struct question question = judge_question(waits->call);
	const struct grant *grant =
	    digest_is_zero(&waits->call->plan) ? NULL : grant_find(waits->call);
	const struct explanation explanation = {
	    .grant = grant ? grant->id : "", .as_user = runs_as_user(waits->call->engine)};

	give(&waits->to, &question, &explanation);
}

static void free_explaining(struct explaining *waits)
{
	calls_shadow_free(waits->call);
	free(waits);
}

bool explain_planned(struct engine *engine, const struct message *message)
{
	struct explaining **at = &engine->explaining;
	struct explaining *waits;

	while (*at && (*at)->serial != message->serial)
		at = &(*at)->next;
	waits = *at;
	if (!waits)
		return false;
	*at = waits->next;
	if (message->u.planned.status == ANSWER_OK)
		waits->call->plan = message->u.planned.plan;
	give_planned(waits);
	free_explaining(waits);
	return true;
}

void explain_drop_peer(struct engine *engine, uint64_t peer)
{
	struct explaining **at = &engine->explaining;

	while (*at) {
		struct explaining *waits = *at;

		if (waits->to.peer == peer) {
			*at = waits->next;
			free_explaining(waits);
		} else {
			at = &waits->next;
		}
	}
}

void explain_free_all(struct engine *engine)
{
	while (engine->explaining) {
		struct explaining *waits = engine->explaining;

		engine->explaining = waits->next;
		free_explaining(waits);
	}
}

static uint32_t waiting_count(const struct engine *engine)
{
	uint32_t count = 0;

	for (const struct explaining *at = engine->explaining; at; at = at->next)
		count++;
	return count;
}

/* The same arguments read by the same code as a call's. NULL: no grant can be for it, or it cannot
 * be planned; *ret_possible says which. */
static struct call *shadow_of(
    const struct methods_ask *ask, const struct policy_tool *tool, bool *ret_possible)
{
	struct message request;
	struct call *call;

	message_init(&request, MESSAGE_REQUEST);
	request.u.request = *ask->request;
	call = calls_shadow(ask->engine, ask->peer, &request);
	if (!call)
		return NULL;
	call->rules = ruleset_hold(ask->engine->rules);
	call->identity = ask->identity;
	call->tool = tool;
	*ret_possible = grant_possible(call);
	if (*ret_possible && arguments_take(call) == CALL_ON_NOTHING)
		return call;
	calls_shadow_free(call);
	return NULL;
}

/* True: it is answered when the warden has planned. Else *ret_grant is "", or NULL where nobody can
 * know now. */
static bool waits_for_plan(
    const struct methods_ask *ask, const struct policy_tool *tool, const char **ret_grant)
{
	struct engine *engine = ask->engine;
	struct explaining *waits;
	struct message message;
	bool possible = true;

	*ret_grant = engine->grants ? NULL : "";
	if (!engine->grants || waiting_count(engine) >= EXPLAINING_MAX)
		return false;
	waits = calloc(1, sizeof(*waits));
	if (!waits)
		return false;
	waits->to = ask->to;
	waits->call = shadow_of(ask, tool, &possible);
	if (!possible)
		*ret_grant = "";
	if (waits->call) {
		message_init(&message, MESSAGE_PLAN);
		call_plan_input(&message.u.plan.input, waits->call);
		if (engine_send(engine, &engine->warden, &message) == 0) {
			waits->serial = message.serial;
			waits->next = engine->explaining;
			engine->explaining = waits;
			return true;
		}
	}
	free_explaining(waits);
	return false;
}

/* ---- at once -------------------------------------------------------------------------------- */

static void explain_tool(const struct methods_ask *ask, const struct policy_tool *tool)
{
	const struct ruleset *rules = ask->engine->rules;
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct explanation explanation = {.as_user = runs_as_user(ask->engine)};
	struct err_note note = {""};
	int fault = 0;

	/* What only the arguments of an untyped command have is their form. */
	if (tool->type == TOOL_COMMAND && !tool_is_typed(tool))
		fault = call_args_check(ask->params, &note);
	if (!fault)
		fault =
		    policy_prepare(rulebook_tool(rules->book, tool), ask->params, &prepared, &note);
	if (fault == -ENOMEM) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "arguments: out of memory");
		return;
	}
	if (fault)
		explanation.invalid = note.text;
	else if (waits_for_plan(ask, tool, &explanation.grant))
		return;
	give(&ask->to,
	    &(struct question){.policy = rules->policy,
		.book = rules->book,
		.tool = tool,
		.identity = &ask->identity,
		.command = &prepared.command,
		.facts = prepared.facts,
		.spent = prepared.spent},
	    &explanation);
}

void explain(const struct methods_ask *ask)
{
	const char *name = ask->request->tool[0]
			       ? ask->request->tool
			       : json_string_value(json_object_get(ask->params, "tool"));
	struct buf cleanup_with(buf_fini) body = {0};
	const struct policy_tool *tool;
	char sentence[JUDGE_SENTENCE_MAX];
	int fault;

	if (ask->identity.result != IDENTITY_OK) {
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    judge_identity_sentence(sentence, ask->identity.result, ask->peer->caller));
		return;
	}
	tool = policy_find_tool(ask->engine->rules->policy, name ? name : "");
	if (policy_reachable(&ask->identity, tool)) {
		explain_tool(ask, tool);
		return;
	}
	buf_init(&body, WIRE_RESULT_MAX);
	fault = result_unknown_tool(&body, name ? redact_name(ask->engine, name) : "", NULL);
	result_give_body(&ask->to, REPLY_ERROR, &body, fault);
}
