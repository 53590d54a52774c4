#include "supervisor/engine/explain.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "policy/prepare.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/judge.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

#define EXPLAIN_MAX (256 * 1024)

static void give(const struct methods_ask *ask, const struct question *question,
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
	result_give(&ask->to, object); /* NULL: an internal error is told */
}

static void explain_tool(const struct methods_ask *ask, const struct policy_tool *tool)
{
	const struct ruleset *rules = ask->engine->rules;
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct explanation explanation = {.as_user = ask->engine->owner_uid != 0};
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
	give(ask,
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
		    judge_identity_sentence(sentence, ask->identity.result, ask->peer->uid));
		return;
	}
	tool = policy_find_tool(ask->engine->rules->policy, name ? name : "");
	if (policy_reachable(&ask->identity, tool)) {
		explain_tool(ask, tool);
		return;
	}
	buf_init(&body, WIRE_RESULT_MAX);
	fault = result_unknown_tool(&body, name ? name : "", NULL);
	result_give_body(&ask->to, REPLY_ERROR, &body, fault);
}
