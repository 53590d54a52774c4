#include "supervisor/engine/methods.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/result.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/gate.h"
#include "supervisor/engine/asking/logging.h"
#include "supervisor/engine/asking/progress.h"
#include "supervisor/engine/asking/question.h"
#include "supervisor/engine/asking/retry.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/explain.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/calls/subject.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/hooks/callback.h"
#include "supervisor/engine/methods/methods_approvals.h"
#include "supervisor/engine/methods/methods_config.h"
#include "supervisor/engine/methods/methods_control.h"
#include "supervisor/engine/methods/methods_effects.h"
#include "supervisor/engine/methods/methods_grants.h"
#include "supervisor/engine/methods/methods_keys.h"
#include "supervisor/engine/methods/methods_tokens.h"
#include "supervisor/engine/methods/methods_tools.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/ruleset.h"

/* Marks of a method. */
#define ONLY_HTTP 1u /* its permission is asked of HTTP callers; a socket shows everybody his own */
#define OWNER     2u /* root and the daemon's own user need no permission at the socket */
#define IN_SPACE  4u /* means nothing outside a namespace that the caller may enter */
#define RECORDED  8u /* its answer over HTTP is recorded: it changes or tells something */

/* What each takes. NULL: a call, or a method that is not served. Permission 0: the method judges by
 * itself, or everybody may. Open to who has shown nothing: visitor.c. */
struct method {
	void (*answer)(const struct methods_ask *ask);
	uint32_t permission;
	uint32_t marks;
};

/* clang-format off */
static const struct method methods[REQUEST_METHOD_COUNT] = {
    [REQUEST_TOOLS_LIST] = {list_tools, 0, IN_SPACE},
    [REQUEST_AGENTS_LIST] = {list_agents, 0, IN_SPACE},
    [REQUEST_STATUS] = {tell_status, 0, 0},
    [REQUEST_EXPLAIN] = {explain, 0, IN_SPACE},
    [REQUEST_APPROVALS_LIST] = {watch_list, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_APPROVALS_WATCH] = {watch_start, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_APPROVALS_GET] = {get_approval, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_APPROVALS_DECIDE] =
	{decide_approval, PERMISSION(APPROVALS_DECIDE), ONLY_HTTP | RECORDED},
    [REQUEST_CALLBACK] = {take_callback, 0, 0},
    [REQUEST_RELOAD] = {reload, 0, RECORDED},
    [REQUEST_SHUTDOWN] = {shut_down, 0, RECORDED},
    [REQUEST_SUBSCRIBE] = {subscribe, 0, 0},
    [REQUEST_GRANTS_LIST] = {list_grants, 0, RECORDED},
    [REQUEST_GRANTS_REVOKE] = {revoke_grant, 0, RECORDED},
    [REQUEST_STREAM_WRITE] = {stream_write, 0, 0},
    [REQUEST_STREAM_READ] = {stream_read, 0, 0},
    [REQUEST_WHOAMI] = {tell_who, 0, 0},
    [REQUEST_METRICS] = {tell_metrics, PERMISSION(METRICS_READ), 0},
    [REQUEST_KEYS_CREATE] = {create_key, PERMISSION(KEYS_MANAGE), OWNER | RECORDED},
    [REQUEST_KEYS_LIST] = {list_keys, PERMISSION(KEYS_MANAGE), OWNER | RECORDED},
    [REQUEST_KEYS_ROTATE] = {rotate_key, PERMISSION(KEYS_MANAGE), OWNER | RECORDED},
    [REQUEST_KEYS_REVOKE] = {revoke_key, PERMISSION(KEYS_MANAGE), OWNER | RECORDED},
    [REQUEST_TOKENS_ISSUE] = {issue_token, PERMISSION(TOKENS_ISSUE), OWNER | RECORDED},
    [REQUEST_TOKENS_KEYS] = {tell_token_keys, 0, 0},
    [REQUEST_CONFIG_READ] = {read_config, 0, RECORDED},
    [REQUEST_CONFIG_WRITE] = {write_config, 0, RECORDED},
    [REQUEST_PROGRESS] = {progress_take, 0, 0},
    [REQUEST_ELICIT] = {question_ask, 0, 0},
    [REQUEST_LOG] = {logging_take, 0, 0},
    [REQUEST_SET_LEVEL] = {logging_set_level, 0, 0},
    [REQUEST_EFFECTS_LIST] = {list_effects, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_EFFECTS_GET] = {get_effects, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_EFFECTS_LOOK] = {look_at_effects, PERMISSION(APPROVALS_READ), ONLY_HTTP | RECORDED},
    [REQUEST_EFFECTS_COMMIT] = {commit_effects, PERMISSION(APPROVALS_DECIDE), ONLY_HTTP | RECORDED},
    [REQUEST_EFFECTS_DISCARD] = {discard_effects, 0, RECORDED},
    [REQUEST_EFFECTS_UNDO] = {undo_effects, PERMISSION(APPROVALS_DECIDE), ONLY_HTTP | RECORDED},
};
/* clang-format on */

const char *methods_text(const struct methods_ask *ask, const char *key)
{
	return json_string_value(json_object_get(ask->params, key));
}

bool methods_is_owner(const struct methods_ask *ask)
{
	const struct shown *shown = &ask->peer->caller->shown;

	/* Not over HTTP: what comes by its socket may come from a proxy of the same user. */
	return !ask->peer->visit && shown->has_peer &&
	       (shown->uid == 0 || shown->uid == ask->engine->owner_uid);
}

void methods_refuse_permission(const struct methods_ask *ask, uint32_t permission)
{
	const struct caller *caller = ask->peer->caller;
	char challenge[96];
	struct result_refusal refusal = {.code = RESULT_FORBIDDEN, .challenge = challenge};
	const char *name = permission_name(permission);

	if (ask->peer->visit && ask->engine->rules->policy->http.auth.enabled &&
	    !caller_is_proven(caller)) {
		result_refuse(
		    &ask->to, RESULT_UNAUTHENTICATED, "%s", credential_reason(CREDENTIAL_ABSENT));
		return;
	}
	(void)snprintf(
	    challenge, sizeof(challenge), "error=\"insufficient_scope\", scope=\"%s\"", name);
	result_refuse_with(&ask->to, &refusal, "%s may not do that: it takes the permission %s",
	    caller->principal, name);
}

/* A token of a limited number of calls has one less from now on. */
static bool is_used_up(const struct methods_ask *ask)
{
	const struct caller *caller = ask->peer->caller;
	struct token token = {
	    .grant = {.max_calls = caller->calls_left, .expires_s = caller->expires_s}};
	uint64_t left;

	if (caller->proof != CALLER_TOKEN || caller->calls_left == TOKEN_NO_LIMIT)
		return false;
	(void)snprintf(token.id, sizeof(token.id), "%s", caller->credential);
	return !ask->engine->auth ||
	       !uses_take(ask->engine->auth->uses, &token, clock_wall_us() / 1000000, &left);
}

static int start_call(const struct methods_ask *ask, const struct message *message)
{
	struct err_note note = {""};
	struct call *call;
	int fault = 0;

	if (question_resume(ask->engine, ask->peer, message))
		return 0; /* a call that runs already goes on */
	if (retry_has_state(ask->request->retry))
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
	call->used_up = is_used_up(ask);
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

/* Over HTTP a namespace that is not in the credential's or the row's list is 403. */
static bool is_foreign(const struct methods_ask *ask)
{
	const bool is_named = ask->request->space && ask->request->space[0];
	const struct subject subject = {
	    .shown = ask->peer->caller->shown, .agent = "", .space = ""};
	struct identity identity;

	if (!ask->peer->visit || visitor_sees_public(ask->peer))
		return false;
	if (!is_named)
		return (methods[ask->request->method].marks & IN_SPACE) &&
		       ask->identity.result == IDENTITY_NO_NAMESPACE;
	policy_identify_space(ask->engine->rules->policy, &subject, ask->request->space, &identity);
	return identity.result == IDENTITY_NO_NAMESPACE;
}

static bool lacks_permission(const struct methods_ask *ask, const struct method *method)
{
	if ((method->marks & ONLY_HTTP) && !ask->peer->visit)
		return false;
	if ((method->marks & OWNER) && methods_is_owner(ask))
		return false;
	return (ask->identity.permissions & method->permission) != method->permission;
}

static void begin_record(const struct methods_ask *ask, const struct method *method)
{
	struct visit *visit = ask->peer->visit;

	if (!visit || !(method->marks & RECORDED))
		return;
	visit->recorded = (enum request_method)ask->request->method;
	(void)caller_set(&visit->space, ask->request->space); /* else it stays unsaid */
}

/* The caller is known. */
static void answer_known(const struct methods_ask *ask)
{
	const struct method *method = &methods[ask->request->method];
	char sentence[JUDGE_SENTENCE_MAX];

	begin_record(ask, method);
	if (caller_has_expired(ask->peer->caller))
		result_refuse(
		    &ask->to, RESULT_UNAUTHENTICATED, "%s", credential_reason(CREDENTIAL_EXPIRED));
	else if (is_foreign(ask))
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    judge_identity_sentence(sentence, IDENTITY_NO_NAMESPACE, ask->peer->caller));
	else if (lacks_permission(ask, method))
		methods_refuse_permission(ask, method->permission);
	else
		method->answer(ask);
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
	else if (!methods[request->method].answer)
		result_refuse(&ask->to, RPC_METHOD_NOT_FOUND, "Method not found");
	else if (gate_refuses(ask->peer, (enum request_method)request->method))
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    gate_refuses(ask->peer, (enum request_method)request->method));
	else if (!refuse_orphan(ask))
		answer_known(ask);
}

/* While the daemon stops, what runs may still be read and fed, and anybody may ask how it is. */
static bool is_over(const struct engine *engine, uint16_t method)
{
	return engine->draining && method != REQUEST_STREAM_READ &&
	       method != REQUEST_STREAM_WRITE && method != REQUEST_STATUS &&
	       method != REQUEST_PROGRESS && method != REQUEST_LOG &&
	       method != REQUEST_SUBSCRIBE; /* which ends at once */
}

static int serve(struct methods_ask *ask, struct message *message)
{
	int fault = 0;

	if (ask->request->method == REQUEST_TOOLS_CALL)
		fault = start_call(ask, message);
	else
		answer_ask(ask);
	json_decref(ask->params);
	return fault;
}

int methods_request(struct engine *engine, struct message *message)
{
	const struct message_request *request = &message->u.request;
	const struct peer *peer = peer_find(engine, request->peer);
	struct peer guest = {.caller = NULL};
	struct methods_ask ask = {
	    .engine = engine,
	    .request = request,
	    .to = {engine, message->serial, (enum request_era)request->era, request->peer},
	};
	int fault = 0;

	if (!peer || request->method == REQUEST_NONE || request->method >= REQUEST_METHOD_COUNT)
		return -EBADMSG;
	if (is_over(engine, request->method)) {
		result_refuse(&ask.to, RESULT_UNAVAILABLE,
		    "the daemon is stopping and takes no new requests; ask again when it is back");
		return 0;
	}
	if (visitor_admit(&ask, message, peer, &guest, &ask.peer) == VISITOR_ADMITTED)
		fault = serve(&ask, message);
	(void)caller_drop(guest.caller);
	return fault;
}

void methods_free_all(struct engine *engine)
{
	controls_free(engine);
	explain_free_all(engine);
	callback_free_all(engine);
	waiting_free(engine);
}
