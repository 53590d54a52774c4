#include "supervisor/engine/methods/methods_tools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "policy/handlers.h"
#include "policy/order.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/calls/annotations.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/calls/subject.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/cursor.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

static int by_name(const void *a, const void *b)
{
	const struct policy_tool *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* The reachable tools, sorted; identity NULL: those that are public. The array is the caller's;
 * NULL: out of memory. */
static const struct policy_tool **reachable_tools(
    const struct policy *policy, const struct identity *identity, uint32_t *ret_count)
{
	const struct policy_tool **tools =
	    calloc(policy->tool_count + 1u, sizeof(struct policy_tool *));
	uint32_t count = 0;

	for (uint32_t i = 0; tools && i < policy->tool_count; i++)
		if (identity ? policy_reachable(identity, &policy->tools[i])
			     : policy->tools[i].visibility == VISIBILITY_PUBLIC)
			tools[count++] = &policy->tools[i];
	if (tools)
		qsort(tools, count, sizeof(*tools), by_name);
	*ret_count = count;
	return tools;
}

static const char *given(const char *text)
{
	return text && text[0] ? text : NULL;
}

static void describe(struct result_tool *told, const struct policy_tool *tool)
{
	const struct policy_annotations *said = &tool->annotations;
	const struct handler *handler =
	    tool->type == TOOL_FUNCTION ? handler_by_id(tool->handler) : NULL;
	const char *parameters = given(tool->parameters);
	const char *output = given(tool->output_schema);

	told->name = tool->name;
	told->title = given(said->title);
	told->description = tool->description;
	told->input_schema = parameters;
	told->output_schema = output;
	told->prints_content = tool->output == TOOL_OUTPUT_CONTENT;
	told->type = tool->type == TOOL_FUNCTION ? "function" : "command";
	told->timeout_ms = tool->max_execution_ms;
	told->asks = tool->require_approval;
	told->annotations = annotations_of(tool);
	if (!handler)
		return;
	if (!told->title)
		told->title = handler->title;
	if (!parameters)
		told->input_schema = handler->parameters;
	if (!output)
		told->output_schema = handler->output_schema;
}

/* One page of the sorted tools, from index on. */
static int build_page(struct buf *body, const struct methods_ask *ask,
    const struct policy_tool *const *tools, uint32_t count, uint32_t index)
{
	struct buf cleanup_with(buf_fini) cursor = {0};
	struct result_tool told[TOOLS_PAGE] = {{.name = NULL}};
	struct result_tools page = {.tools = told};
	int fault = 0;

	while (index < count && page.count < TOOLS_PAGE)
		describe(&told[page.count++], tools[index++]);
	if (index < count) {
		buf_init(&cursor, 256);
		fault = cursor_write(&cursor, ask, index);
		page.next_cursor = buf_cstr(&cursor);
	}
	return fault ? fault : result_tools_list(body, result_revision(&ask->to), &page);
}

void list_tools(const struct methods_ask *ask)
{
	struct buf cleanup_with(buf_fini) body = {0};
	const bool is_public = visitor_sees_public(ask->peer);
	const struct policy_tool **cleanup_free tools = NULL;
	uint32_t count = 0, index = 0;
	int fault = cursor_read(ask, json_object_get(ask->params, "cursor"), &index);

	if (fault == -EINVAL) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "cursor: not one of this list, or of an older policy; begin without one");
		return;
	}
	if (ask->identity.result == IDENTITY_NO_ROLE && !is_public)
		quota_refused_login(ask->engine, ask->peer->caller, "no role");
	tools =
	    reachable_tools(ask->engine->rules->policy, is_public ? NULL : &ask->identity, &count);
	buf_init(&body, MESSAGE_BODY_MAX);
	if (!fault)
		fault = tools ? build_page(&body, ask, tools, count, index) : -ENOMEM;
	result_give_body(&ask->to, REPLY_RESULT, &body, fault);
}

/* For who has shown nothing: an agent that is public, with those of its tools that are. */
static json_t *public_entry(const struct policy *policy, const struct policy_agent *agent)
{
	const struct policy_tool **cleanup_free tools = NULL;
	json_t *names = json_array();
	uint32_t count = 0;

	if (agent->visibility != VISIBILITY_PUBLIC) {
		json_decref(names);
		return NULL;
	}
	tools = reachable_tools(policy, NULL, &count);
	for (uint32_t i = 0; tools && i < count; i++)
		if (words_hold(&agent->tools, tools[i]->name))
			(void)json_array_append_new(names, json_string(tools[i]->name));
	return json_pack("{s:s, s:s, s:o}", "name", agent->name, "visibility",
	    visibility_name(agent->visibility), "tools", names);
}

static json_t *agent_entry(const struct methods_ask *ask, const struct policy_agent *agent)
{
	const struct policy *policy = ask->engine->rules->policy;
	const struct policy_tool **cleanup_free tools = NULL;
	struct subject subject;
	struct identity identity;
	uint32_t count = 0;
	json_t *names;

	if (subject_of_peer(ask->engine, ask->peer, agent->name, ask->request->space, &subject))
		return NULL;
	policy_identify(policy, &subject, &identity);
	if (identity.result != IDENTITY_OK ||
	    (agent->visibility == VISIBILITY_PRIVATE && !subject.inside))
		return NULL;
	tools = reachable_tools(policy, &identity, &count);
	names = json_array();
	for (uint32_t i = 0; tools && i < count; i++)
		(void)json_array_append_new(names, json_string(tools[i]->name));
	return json_pack("{s:s, s:s, s:o}", "name", agent->name, "visibility",
	    visibility_name(agent->visibility), "tools", names);
}

void list_agents(const struct methods_ask *ask)
{
	const struct policy *policy = ask->engine->rules->policy;
	json_t *agents = json_array();

	for (uint32_t i = 0; i < policy->agent_count; i++) {
		const struct policy_agent *agent = &policy->agents[i];
		json_t *entry = visitor_sees_public(ask->peer) ? public_entry(policy, agent)
							       : agent_entry(ask, agent);

		if (entry)
			(void)json_array_append_new(agents, entry);
	}
	result_give(&ask->to, json_pack("{s:o}", "agents", agents));
}
