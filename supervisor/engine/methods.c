#include "supervisor/engine/methods.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/engine/calls.h"
#include "supervisor/engine/elicit.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/explain.h"
#include "supervisor/engine/gate.h"
#include "supervisor/engine/methods_approvals.h"
#include "supervisor/engine/methods_control.h"
#include "supervisor/engine/methods_grants.h"
#include "supervisor/engine/methods_tools.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/progress.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/stream.h"
#include "supervisor/engine/subject.h"
#include "supervisor/engine/subscribe.h"
#include "supervisor/engine/waiting.h"
#include "supervisor/engine/watch.h"

/* NULL: a call, or a method that is not served. */
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
    [REQUEST_SUBSCRIBE] = subscribe,
    [REQUEST_GRANTS_LIST] = list_grants,
    [REQUEST_GRANTS_REVOKE] = revoke_grant,
    [REQUEST_STREAM_WRITE] = stream_write,
    [REQUEST_STREAM_READ] = stream_read,
};

const char *methods_text(const struct methods_ask *ask, const char *key)
{
	return json_string_value(json_object_get(ask->params, key));
}

static int start_call(const struct methods_ask *ask, const struct message *message)
{
	struct err_note note = {""};
	struct call *call;
	int fault = 0;

	if (ask->request->retry && ask->request->retry[0])
		fault = elicit_check(ask->engine, ask->peer, ask->request, &note);
	if (fault == -EINVAL) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", note.text);
		return 0;
	}
	if (fault)
		return fault;
	call = calls_new(ask->engine, ask->peer, message);
	if (!call)
		return -ENOMEM;
	progress_start(call);
	call_step(call, CALL_ON_ARRIVED);
	return 0;
}

/* True: it is over, and has been answered. */
static bool refuse_orphan(struct methods_ask *ask)
{
	struct subject subject;

	if (subject_of_peer(
		ask->engine, ask->peer, ask->request->agent, ask->request->space, &subject)) {
		result_refuse(
		    &ask->to, RESULT_UNAVAILABLE, "the call through whose gate this came is over");
		return true;
	}
	policy_identify(ask->engine->rules->policy, &subject, &ask->identity);
	return false;
}

static void answer_ask(struct methods_ask *ask)
{
	const struct message_request *request = ask->request;
	struct err_note note = {0};

	if (request->body.len == 0)
		ask->params = json_object();
	else if (value_read(request->body.data, request->body.len, &ask->params, &note))
		ask->params = NULL;
	if (!json_is_object(ask->params))
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "params: %s",
		    note.text[0] ? note.text : "an object is needed");
	else if (!methods[request->method])
		result_refuse(&ask->to, RPC_METHOD_NOT_FOUND, "Method not found");
	else if (gate_refuses(ask->peer, (enum request_method)request->method))
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    gate_refuses(ask->peer, (enum request_method)request->method));
	else if (!refuse_orphan(ask))
		methods[request->method](ask);
}

/* While the daemon stops, what runs may still be read and fed, and anybody may ask how it is. */
static bool is_over(const struct engine *engine, uint16_t method)
{
	return engine->draining && method != REQUEST_STREAM_READ &&
	       method != REQUEST_STREAM_WRITE && method != REQUEST_STATUS &&
	       method != REQUEST_SUBSCRIBE; /* which ends at once */
}

int methods_request(struct engine *engine, struct message *message)
{
	const struct message_request *request = &message->u.request;
	struct methods_ask ask = {
	    .engine = engine,
	    .request = request,
	    .peer = peer_find(engine, request->peer),
	    .to = {engine, message->serial, (enum request_era)request->era, request->peer},
	};

	if (!ask.peer || request->method == REQUEST_NONE || request->method >= REQUEST_METHOD_COUNT)
		return -EBADMSG;
	if (is_over(engine, request->method)) {
		result_refuse(&ask.to, RESULT_UNAVAILABLE,
		    "the daemon is stopping and takes no new requests; ask again when it is back");
		return 0;
	}
	if (request->method == REQUEST_TOOLS_CALL)
		return start_call(&ask, message);
	answer_ask(&ask);
	json_decref(ask.params);
	return 0;
}

void methods_free_all(struct engine *engine)
{
	controls_free(engine);
	explain_free_all(engine);
	waiting_free(engine);
}
