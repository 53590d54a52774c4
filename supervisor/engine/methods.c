#include "supervisor/engine/methods.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/call_args.h"
#include "agent-api/wire/limits.h"
#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approver.h"
#include "supervisor/engine/calls.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/judge.h"
#include "supervisor/engine/quota.h"
#include "supervisor/engine/record.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/watch.h"

#define VERSION_TEXT_MAX (sizeof("sha256:") + 2 * DIGEST_LEN)
#define EXPLAIN_MAX      (256 * 1024)

/* A reload or shutdown on its way to the warden. */
struct control {
	struct control *next;
	uint64_t serial;
	enum control_op op;
	struct result_to to;
};

static const char *version_text(char out[VERSION_TEXT_MAX], const struct digest *version)
{
	char hex[DIGEST_HEX_MAX];

	(void)snprintf(out, VERSION_TEXT_MAX, "sha256:%s", digest_hex(hex, version));
	return out;
}

static const char *param(const struct methods_ask *ask, const char *key)
{
	return json_string_value(json_object_get(ask->params, key));
}

static bool is_owner(const struct methods_ask *ask)
{
	return ask->peer->uid == 0 || ask->peer->uid == ask->engine->owner_uid;
}

/* ---- what there is ----------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct policy_tool *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

/* The reachable tools, sorted. The array is the caller's; NULL: out of memory. */
static const struct policy_tool **reachable_tools(
    const struct policy *policy, const struct identity *identity, uint32_t *ret_count)
{
	const struct policy_tool **tools =
	    calloc(policy->tool_count + 1u, sizeof(struct policy_tool *));
	uint32_t count = 0;

	for (uint32_t i = 0; tools && i < policy->tool_count; i++)
		if (policy_reachable(identity, &policy->tools[i]))
			tools[count++] = &policy->tools[i];
	if (tools)
		qsort(tools, count, sizeof(*tools), by_name);
	*ret_count = count;
	return tools;
}

static void list_tools(const struct methods_ask *ask)
{
	const struct policy *policy = ask->engine->rules->policy;
	struct buf cleanup_with(buf_fini) body = {0};
	const struct policy_tool **cleanup_free tools = NULL;
	struct result_tool *cleanup_free told = NULL;
	uint32_t count = 0;

	if (json_object_get(ask->params, "cursor")) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "cursor: the list has one page only");
		return;
	}
	if (ask->identity.result == IDENTITY_NO_ROLE)
		quota_refused_login(ask->engine, ask->peer->uid, "no role");
	tools = reachable_tools(policy, &ask->identity, &count);
	told = calloc(count + 1u, sizeof(*told));
	for (uint32_t i = 0; tools && told && i < count; i++) {
		told[i].name = tools[i]->name;
		told[i].description = tools[i]->description;
		told[i].annotations.destructive = true;
	}
	buf_init(&body, MESSAGE_BODY_MAX);
	result_give_body(&ask->to, REPLY_RESULT, &body,
	    tools && told ? result_tools_list(&body, (enum mcp_era)ask->to.era, told, count)
			  : -ENOMEM);
}

static json_t *agent_entry(const struct methods_ask *ask, const struct policy_agent *agent)
{
	const struct policy *policy = ask->engine->rules->policy;
	const struct policy_tool **cleanup_free tools = NULL;
	struct subject subject = {.uid = ask->peer->uid,
	    .gid = ask->peer->gid,
	    .agent = agent->name,
	    .space = ask->request->space};
	struct identity identity;
	uint32_t count = 0;
	json_t *names;

	policy_identify(policy, &subject, &identity);
	if (identity.result != IDENTITY_OK || agent->visibility == VISIBILITY_PRIVATE)
		return NULL;
	tools = reachable_tools(policy, &identity, &count);
	names = json_array();
	for (uint32_t i = 0; tools && i < count; i++)
		(void)json_array_append_new(names, json_string(tools[i]->name));
	return json_pack("{s:s, s:s, s:o}", "name", agent->name, "visibility",
	    visibility_name(agent->visibility), "tools", names);
}

static void list_agents(const struct methods_ask *ask)
{
	const struct policy *policy = ask->engine->rules->policy;
	json_t *agents = json_array();

	for (uint32_t i = 0; i < policy->agent_count; i++) {
		json_t *entry = agent_entry(ask, &policy->agents[i]);

		if (entry)
			(void)json_array_append_new(agents, entry);
	}
	result_give(&ask->to, json_pack("{s:o}", "agents", agents));
}

static void tell_status(const struct methods_ask *ask)
{
	const struct engine *engine = ask->engine;
	char version[VERSION_TEXT_MAX], root[DIGEST_HEX_MAX], sentence[JUDGE_SENTENCE_MAX];
	json_int_t waiting = 0, uptime_us = (json_int_t)(clock_monotonic_us() - engine->born_us);
	json_t *policy, *calls, *approvals, *audit;

	if (ask->identity.role_count == 0 && !is_owner(ask)) {
		quota_refused_login(ask->engine, ask->peer->uid, "no role");
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    judge_identity_sentence(sentence, IDENTITY_NO_ROLE, ask->peer->uid));
		return;
	}
	for (const struct call *call = engine->calls; call; call = call->next)
		waiting += call->state == CALL_APPROVAL;
	policy = json_pack("{s:o, s:s}", "file",
	    value_text(engine->rules->policy->file, strlen(engine->rules->policy->file)), "version",
	    version_text(version, &engine->rules->version));
	calls = json_pack(
	    "{s:I, s:I}", "running", (json_int_t)engine->call_count - waiting, "waiting", waiting);
	approvals = json_pack("{s:I}", "pending", (json_int_t)approval_pending(engine));
	audit = json_pack("{s:I, s:s}", "size", (json_int_t)engine->audit_size, "root",
	    digest_hex(root, &engine->audit_root));
	result_give(
	    &ask->to, json_pack("{s:s, s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o, s:b}", "version",
			  CALLGATE_VERSION, "pid", (json_int_t)engine->daemon_pid, "uid",
			  (json_int_t)engine->owner_uid, "uptime_s", uptime_us / 1000000, "state",
			  engine->draining ? "stopping" : "running", "policy", policy, "calls",
			  calls, "approvals", approvals, "audit", audit, "same_uid",
			  (int)(ask->peer->uid == engine->owner_uid)));
}

/* ---- explain ----------------------------------------------------------------------------- */

/* The command of the arguments, which are the whole body here as in tools/call. 0, or -EINVAL with
 * note. */
static int explained_command(
    const struct methods_ask *ask, struct command *ret, struct err_note *note)
{
	struct call_args cleanup_with(call_args_fini) args = {0};
	struct buf cleanup_with(buf_fini) text = {0};
	int fault;

	buf_init(&text, MESSAGE_BODY_MAX);
	fault = value_write(&text, ask->params);
	if (!fault)
		fault = call_args_decode((const char *)text.data, text.len, &args, note);
	if (fault)
		return fault;
	fault = args.form == CALL_FORM_COMMAND
		    ? command_parse(ret, args.command, strlen(args.command))
		    : command_from_argv(ret, args.argv, args.argc);
	return fault ? err_note(note, fault, "arguments: %s", ret->why ? ret->why : "too long") : 0;
}

static void give_explanation(
    const struct methods_ask *ask, const struct policy_tool *tool, const struct command *command)
{
	const struct policy *policy = ask->engine->rules->policy;
	struct buf cleanup_with(buf_fini) json = {0};
	struct buf cleanup_with(buf_fini) text = {0};
	struct err_note note;
	json_t *object = NULL;
	int fault;

	buf_init(&json, EXPLAIN_MAX);
	buf_init(&text, EXPLAIN_MAX);
	fault = policy_explain_json(&json, policy, &ask->identity, tool, command);
	if (!fault)
		fault = policy_explain_text(&text, policy, &ask->identity, tool, command);
	if (!fault)
		fault = value_read((const char *)json.data, json.len, &object, &note);
	if (!fault)
		(void)json_object_set_new(
		    object, "text", value_text((const char *)text.data, text.len));
	result_give(&ask->to, object); /* NULL: an internal error is told */
}

static void explain(const struct methods_ask *ask)
{
	const char *name = ask->request->tool[0] ? ask->request->tool : param(ask, "tool");
	struct command cleanup_with(command_fini) command = {0};
	struct buf cleanup_with(buf_fini) body = {0};
	const struct policy_tool *tool;
	struct err_note note = {0};
	char sentence[JUDGE_SENTENCE_MAX];
	int fault;

	if (ask->identity.result != IDENTITY_OK) {
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    judge_identity_sentence(sentence, ask->identity.result, ask->peer->uid));
		return;
	}
	tool = policy_find_tool(ask->engine->rules->policy, name ? name : "");
	if (!policy_reachable(&ask->identity, tool)) {
		buf_init(&body, WIRE_RESULT_MAX);
		fault = result_unknown_tool(&body, name ? name : "", NULL);
		result_give_body(&ask->to, REPLY_ERROR, &body, fault);
		return;
	}
	fault = explained_command(ask, &command, &note);
	if (fault)
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s",
		    note.text[0] ? note.text : "arguments: out of memory");
	else
		give_explanation(ask, tool, &command);
}

/* ---- approvals/decide -------------------------------------------------------------------- */

/* {key, time, signature}. NULL when well-formed, else what is wrong. */
static const char *read_approver(const json_t *approver, struct approver_vote *vote)
{
	const json_t *signature = json_object_get(approver, "signature");
	const json_t *time = json_object_get(approver, "time");
	size_t len = 0;

	vote->key = json_string_value(json_object_get(approver, "key"));
	if (!vote->key || !json_is_string(signature) || !json_is_integer(time) ||
	    json_integer_value(time) < 0)
		return "approver: {key, time, signature} are needed";
	vote->wall_us = (uint64_t)json_integer_value(time);
	if (str_unbase64(vote->signature, sizeof(vote->signature), json_string_value(signature),
		json_string_length(signature), &len) ||
	    len != SIGNATURE_LEN)
		return "approver.signature: not the base64 of 64 bytes";
	return NULL;
}

/* NULL when well-formed, else what is wrong. */
static const char *read_vote(const struct methods_ask *ask, struct approver_vote *vote)
{
	const char *plan = param(ask, "plan"), *decision = param(ask, "decision");
	const json_t *reason = json_object_get(ask->params, "reason");
	const json_t *approver = json_object_get(ask->params, "approver");

	vote->peer = ask->peer;
	vote->identity = &ask->identity;
	vote->reason = json_is_string(reason) ? json_string_value(reason) : "";
	if (!plan || strncmp(plan, "sha256:", 7) != 0 || digest_unhex(&vote->plan, plan + 7))
		return "plan: \"sha256:<64 hex digits>\" is needed";
	if (!decision || (strcmp(decision, "approve") != 0 && strcmp(decision, "deny") != 0))
		return "decision: approve or deny is needed";
	vote->approve = strcmp(decision, "approve") == 0;
	if ((reason && !json_is_string(reason)) || strlen(vote->reason) >= APPROVAL_REASON_MAX)
		return "reason: a text of less than 512 bytes is needed";
	return approver ? read_approver(approver, vote) : NULL;
}

static void refuse_vote(
    const struct methods_ask *ask, const struct approval *approval, int code, const char *why)
{
	record_approval_refused(ask->engine, approval, ask->peer->principal, why);
	result_refuse(&ask->to, code, "%s", why);
}

static void take_vote(
    const struct methods_ask *ask, struct approval *approval, const struct approver_vote *vote)
{
	enum approval_state to = vote->approve ? APPROVAL_APPROVED : APPROVAL_DENIED;
	struct approval_answer answer;
	struct err_note note;
	char id[APPROVAL_ID_MAX];

	switch (approver_judge(ask->engine, approval, vote, &answer, &note)) {
	case APPROVER_REFUSED: refuse_vote(ask, approval, RESULT_FORBIDDEN, note.text); return;
	case APPROVER_STALE: refuse_vote(ask, approval, RESULT_CONFLICT, note.text); return;
	case APPROVER_COUNTS: break;
	}
	if (approval->state != APPROVAL_PENDING) {
		(void)err_note(&note, 0, "approval %s is %s already; an answer counts once",
		    approval->answer.id, approval_state_name(approval->state));
		refuse_vote(ask, approval, RESULT_CONFLICT, note.text);
		return;
	}
	memcpy(id, approval->answer.id, sizeof(id));
	approval_answer(ask->engine, approval, to, &answer); /* the approval may be gone now */
	result_give(&ask->to, json_pack("{s:s, s:s}", "id", id, "state", approval_state_name(to)));
}

static void decide_approval(const struct methods_ask *ask)
{
	struct approver_vote vote = {0};
	const char *id = param(ask, "id");
	struct approval *approval;
	enum approval_state ended;
	const char *wrong = id ? read_vote(ask, &vote) : "id: the id of an approval is needed";

	if (wrong) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
		return;
	}
	if (!(ask->identity.permissions & PERMISSION(APPROVALS_DECIDE))) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not decide approvals: no role of it has the permission "
		    "approvals:decide",
		    ask->peer->principal);
		return;
	}
	approval_sweep(ask->engine);
	approval = approval_find(ask->engine, id);
	ended = approval_ended(ask->engine, id);
	if (approval)
		take_vote(ask, approval, &vote);
	else if (ended != APPROVAL_NONE)
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "this approval is %s; an answer counts once", approval_state_name(ended));
	else
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no approval of that id waits");
}

/* ---- reload and shutdown ----------------------------------------------------------------- */

static void send_control(const struct methods_ask *ask, enum control_op op)
{
	struct engine *engine = ask->engine;
	struct control *control;
	struct message message;

	if (!is_owner(ask) && !(ask->identity.permissions & PERMISSION(DAEMON_CONTROL))) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not do that: it takes root, the daemon's own user or the permission "
		    "daemon:control",
		    ask->peer->principal);
		return;
	}
	message_init(&message, MESSAGE_CONTROL);
	message.u.control.op = op;
	message.u.control.by = ask->peer->principal;
	control = calloc(1, sizeof(*control));
	if (!control || engine_send(engine, &engine->warden, &message)) {
		free(control);
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "the daemon cannot be told");
		return;
	}
	record_admin_control(
	    engine, ask->peer->principal, op == CONTROL_RELOAD ? "reload" : "shutdown");
	control->serial = message.serial;
	control->op = op;
	control->to = ask->to;
	control->next = engine->controls;
	engine->controls = control;
}

static void reload(const struct methods_ask *ask)
{
	send_control(ask, CONTROL_RELOAD);
}

static void shut_down(const struct methods_ask *ask)
{
	send_control(ask, CONTROL_SHUTDOWN);
}

int methods_controlled(struct engine *engine, struct message *message)
{
	const struct message_controlled *told = &message->u.controlled;
	struct control **at = &engine->controls;
	char version[VERSION_TEXT_MAX];
	struct control *control;

	while (*at && (*at)->serial != message->serial)
		at = &(*at)->next;
	control = *at;
	if (!control) {
		engine->stale_answers++;
		return 0;
	}
	*at = control->next;
	if (told->status != ANSWER_OK)
		result_refuse(&control->to,
		    told->status == ANSWER_REFUSED ? RESULT_CONFLICT : RESULT_UNAVAILABLE, "%s",
		    told->note);
	else if (control->op == CONTROL_RELOAD)
		result_give(&control->to,
		    json_pack("{s:s}", "version", version_text(version, &told->version)));
	else
		result_give(&control->to, json_object());
	free(control);
	engine_settle(engine);
	return 0;
}

void methods_free_all(struct engine *engine)
{
	while (engine->controls) {
		struct control *control = engine->controls;

		engine->controls = control->next;
		free(control);
	}
}

/* ---- the table --------------------------------------------------------------------------- */

static void (*const methods[REQUEST_METHOD_COUNT])(const struct methods_ask *ask) = {
    [REQUEST_TOOLS_LIST] = list_tools,
    [REQUEST_AGENTS_LIST] = list_agents,
    [REQUEST_STATUS] = tell_status,
    [REQUEST_EXPLAIN] = explain,
    [REQUEST_APPROVALS_LIST] = watch_list,
    [REQUEST_APPROVALS_WATCH] = watch_start,
    [REQUEST_APPROVALS_DECIDE] = decide_approval,
    [REQUEST_RELOAD] = reload,
    [REQUEST_SHUTDOWN] = shut_down,
};

static int start_call(struct engine *engine, const struct peer *peer, const struct message *message)
{
	struct call *call = calls_new(engine, peer, message);

	if (!call)
		return -ENOMEM;
	call_step(call, CALL_ON_ARRIVED);
	return 0;
}

static void answer_ask(struct methods_ask *ask)
{
	const struct message_request *request = ask->request;
	struct subject subject = {.uid = ask->peer->uid,
	    .gid = ask->peer->gid,
	    .agent = request->agent,
	    .space = request->space};
	struct err_note note = {0};

	if (request->body.len == 0)
		ask->params = json_object();
	else if (value_read(request->body.data, request->body.len, &ask->params, &note))
		ask->params = NULL;
	if (!json_is_object(ask->params)) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "params: %s",
		    note.text[0] ? note.text : "an object is needed");
		return;
	}
	policy_identify(ask->engine->rules->policy, &subject, &ask->identity);
	methods[request->method](ask);
}

int methods_request(struct engine *engine, struct message *message)
{
	const struct message_request *request = &message->u.request;
	struct methods_ask ask = {
	    .engine = engine,
	    .request = request,
	    .peer = peer_find(engine, request->peer),
	    .to = {engine, message->serial, (enum request_era)request->era},
	};

	if (!ask.peer)
		return -EBADMSG;
	if (request->method == REQUEST_TOOLS_CALL)
		return start_call(engine, ask.peer, message);
	if (request->method >= REQUEST_METHOD_COUNT || !methods[request->method])
		return -EBADMSG;
	answer_ask(&ask);
	json_decref(ask.params);
	return 0;
}
