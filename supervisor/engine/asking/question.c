#include "supervisor/engine/asking/question.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "agent-api/wire/form.h"
#include "agent-api/wire/inquiry.h"
#include "agent-api/wire/notice.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/asking/progress.h"
#include "supervisor/engine/asking/retry.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/records/record_form.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/sibling.h"

#define STATE_KIND "callgate/elicit request state"
#define PREFIX     "callgate-tool-"
#define ID_MAX     (sizeof(PREFIX) + 2 * (size_t)RETRY_NONCE_LEN)
#define NOTICE_CAP (128 * 1024)
#define FACTS      5
#define OF_CLIENT  (uint32_t)(REQUEST_CAN_ELICIT | REQUEST_CAN_HEAR)

_Static_assert(ID_MAX <= NOTICE_ID_MAX, "front keeps ids of this length");

/* One open question. Its memory goes when the loop has let go of the timer. */
struct tool_question {
	struct tool_question *next;
	struct engine *engine;
	uv_timer_t timer; /* then nobody answers any more */
	char call[CALL_ID_MAX];
	struct result_to tool; /* who asked: a connection through the call's gate */
	bool deaf;             /* which has gone */
	uint8_t nonce[RETRY_NONCE_LEN];
	struct caller *caller; /* of the call: in whose client it is answered; held */
	uint64_t client;       /* legacy: whom we asked; 0: the call is parked */
	json_t *params;        /* of the tool; the inquiry borrows from it */
	struct inquiry inquiry;
};

/* ---- birth and death --------------------------------------------------------------------- */

static struct tool_question *first_of(const struct engine *engine)
{
	const struct waiting *waiting = waiting_find(engine);

	return waiting ? waiting->questions : NULL;
}

static void on_closed(uv_handle_t *timer)
{
	struct tool_question *question = timer->data;

	inquiry_fini(&question->inquiry);
	json_decref(question->params);
	(void)caller_drop(question->caller);
	free(question);
}

static void drop(struct tool_question *question)
{
	struct tool_question **at = &waiting_find(question->engine)->questions;

	while (*at != question)
		at = &(*at)->next;
	*at = question->next;
	uv_close((uv_handle_t *)&question->timer, on_closed);
}

static struct tool_question *find_call(const struct engine *engine, const char *call)
{
	struct tool_question *at = first_of(engine);

	while (at && strcmp(at->call, call) != 0)
		at = at->next;
	return at;
}

static void form_id(char out[ID_MAX], const struct tool_question *question)
{
	memcpy(out, PREFIX, sizeof(PREFIX));
	str_hex(out + strlen(PREFIX), question->nonce, RETRY_NONCE_LEN);
}

static void notify(struct engine *engine, uint64_t peer, const struct buf *body)
{
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = peer;
	message.u.notify.body = (struct bytes){.data = body->data, .len = body->len};
	(void)sibling_send_peer(engine, peer, &message);
}

static void withdraw(const struct tool_question *question)
{
	struct buf cleanup_with(buf_fini) body = {0};
	char id[ID_MAX];

	if (!question->client || !peer_find(question->engine, question->client))
		return;
	form_id(id, question);
	buf_init(&body, 1024);
	if (notice_cancelled(&body, id, "the tool does not wait for it any more") == 0)
		notify(question->engine, question->client, &body);
}

/* ---- asking ------------------------------------------------------------------------------ */

static int send_form(const struct call *call, struct tool_question *question)
{
	struct buf cleanup_with(buf_fini) body = {0};
	enum mcp_revision revision = subscribe_revision(call->engine, call->era, call->peer);
	char id[ID_MAX];
	int fault;

	form_id(id, question);
	buf_init(&body, NOTICE_CAP);
	fault =
	    notice_request(&body, id, FORM_METHOD, inquiry_params(&question->inquiry, revision));
	if (fault)
		return fault;
	question->client = call->peer;
	notify(call->engine, call->peer, &body);
	return 0;
}

/* The same arguments, however their keys are ordered. */
static int digest_arguments(const char *body, size_t len, struct digest *ret)
{
	json_t *arguments = json_loadb(body, len, 0, NULL);
	char *cleanup_free text =
	    arguments ? json_dumps(arguments, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(arguments);
	return text ? digest_of(ret, text, strlen(text)) : -EINVAL;
}

static int seal(const struct call *call, const uint8_t *nonce, struct digest *ret)
{
	char hex[DIGEST_HEX_MAX];
	const char *const facts[FACTS] = {
	    call->caller->principal, call->agent, call->space, call->tool_name, hex};
	struct digest arguments;
	int fault = digest_arguments(call->body, call->body_len, &arguments);

	if (fault)
		return fault;
	(void)digest_hex(hex, &arguments);
	return retry_seal(call->engine, STATE_KIND, nonce, facts, FACTS, ret);
}

/* Its client is answered, and may go; the tool does not notice. */
static int park(struct call *call, struct tool_question *question)
{
	struct buf cleanup_with(buf_fini) state = {0};
	struct digest mac;
	int fault = seal(call, question->nonce, &mac);

	if (fault)
		return fault;
	buf_init(&state, 4 * RETRY_STATE_LEN);
	fault = retry_write(&state, question->nonce, &mac);
	if (!fault)
		fault = result_park(call, question->inquiry.key,
		    inquiry_params(&question->inquiry, MCP_2026_07_28), buf_cstr(&state));
	if (fault)
		return fault;
	question->client = 0;
	call->parked = true;
	call->peer = 0;
	call->request = 0;
	return 0;
}

/* Puts the form to the client. A question that went out before has another number now. */
static int put(struct call *call, struct tool_question *question)
{
	int fault = key_random(question->nonce, RETRY_NONCE_LEN);

	if (fault)
		return fault;
	call->questions++;
	call->streamed = true; /* what it asks is not in its output, but it was seen */
	return call->era == ERA_MODERN ? park(call, question) : send_form(call, question);
}

static void on_timeout(uv_timer_t *timer);

/* For the list; NULL: no memory. */
static struct tool_question *make(const struct methods_ask *ask, const struct call *call)
{
	struct waiting *waiting = waiting_of(ask->engine);
	struct tool_question *question = waiting ? calloc(1, sizeof(*question)) : NULL;

	if (!question || uv_timer_init(ask->engine->loop, &question->timer)) {
		free(question);
		return NULL;
	}
	question->timer.data = question;
	question->engine = ask->engine;
	question->tool = ask->to;
	question->params = json_incref(ask->params);
	question->caller = caller_hold(call->caller);
	memcpy(question->call, call->id, sizeof(question->call));
	question->next = waiting->questions;
	waiting->questions = question;
	(void)uv_timer_start(
	    &question->timer, on_timeout, call->rules->policy->approval_timeout_ms, 0);
	return question;
}

/* Takes told. The question is over. */
static void answer_tool(struct tool_question *question, json_t *told)
{
	const char *action = json_string_value(json_object_get(told, "action"));

	record_form_answered(question->engine, question->call, question->caller,
	    action ? action : "cancel", json_object_get(told, "content"));
	if (question->deaf)
		json_decref(told);
	else
		result_give(&question->tool, told);
	drop(question);
}

static bool asked_enough(const struct call *call)
{
	return call->questions + call->foreseen >= QUESTIONS_OF_CALL;
}

/* Why this call may not ask now; NULL: it may. */
static const char *refuses(const struct call *call)
{
	if (!call->tool->elicit)
		return "the policy does not let this tool ask its caller's user; that is elicit: "
		       "true";
	if (call->parent[0])
		return "this call was made by another tool, which has no user to ask";
	if (!(call->options & REQUEST_CAN_ELICIT) || call->parked || call->stream ||
	    !peer_find(call->engine, call->peer))
		return "the client that called cannot show a form now; go on without an answer";
	if (find_call(call->engine, call->id))
		return "this call waits for the answer to another question already";
	if (asked_enough(call))
		return "this call has asked often enough";
	return NULL;
}

/* The client may have sent the answer with the request. It is judged as any other and counts once;
 * none that fits is as good as none. Not where an approver has given other arguments since: they
 * may make it the answer to something else. */
static bool was_foreseen(struct call *call, struct tool_question *question)
{
	json_t *result = digest_is_zero(&call->edit.plan)
			     ? retry_take(&call->retry, question->inquiry.key)
			     : NULL;
	json_t *told = result ? inquiry_answer(&question->inquiry, result) : NULL;

	json_decref(result);
	if (!told)
		return false;
	call->foreseen++;
	record_form_asked(call->engine, call->id, call->caller, question->params);
	answer_tool(question, told);
	return true;
}

void question_ask(const struct methods_ask *ask)
{
	struct call *call = calls_find(ask->engine, ask->peer->call);
	struct err_note note = {"out of memory"};
	struct tool_question *question;
	const char *why;
	int fault;

	if (!call || call->state != CALL_RUNNING || call->silent) {
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "the call is over");
		return;
	}
	why = refuses(call);
	if (why) {
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s", why);
		return;
	}
	question = make(ask, call);
	fault = question
		    ? inquiry_read(question->params, call->tool->name, &question->inquiry, &note)
		    : -ENOMEM;
	if (!fault && was_foreseen(call, question))
		return;
	if (!fault)
		fault = put(call, question);
	if (!fault) {
		log_debug("call %s: its tool asks its user", call->id);
		record_form_asked(ask->engine, call->id, call->caller, question->params);
		return;
	}
	if (question)
		drop(question);
	result_refuse(
	    &ask->to, fault == -EINVAL ? RPC_INVALID_PARAMS : RESULT_UNAVAILABLE, "%s", note.text);
}

/* ---- answering --------------------------------------------------------------------------- */

static void answer_cancel(struct tool_question *question)
{
	answer_tool(question, json_pack("{s:s}", "action", "cancel"));
}

bool question_response(struct engine *engine, const struct message_response *response)
{
	struct tool_question *at = first_of(engine);
	json_t *result = NULL, *told = NULL;
	char id[ID_MAX];

	for (; at; at = at->next) {
		form_id(id, at);
		if (at->client && at->client == response->peer && strcmp(id, response->id) == 0)
			break;
	}
	if (!at)
		return false;
	if (response->kind == REPLY_RESULT &&
	    value_read(response->body.data, response->body.len, &result, NULL) == 0)
		told = inquiry_answer(&at->inquiry, result);
	json_decref(result);
	if (told)
		answer_tool(at, told);
	else
		answer_cancel(at); /* an error, or what the form did not ask for */
	return true;
}

/* ---- the modern era: the call comes again ------------------------------------------------- */

static struct tool_question *find_nonce(const struct engine *engine, const uint8_t *nonce)
{
	struct tool_question *at = first_of(engine);

	while (at && (at->client || memcmp(at->nonce, nonce, RETRY_NONCE_LEN) != 0))
		at = at->next;
	return at;
}

/* Is this request, which has the state of the question, its caller's, with the same call? */
static bool fits(const struct call *call, const struct peer *peer,
    const struct message_request *request, const uint8_t state[RETRY_STATE_LEN])
{
	char hex[DIGEST_HEX_MAX];
	const char *const facts[FACTS] = {
	    peer->caller->principal, request->agent, request->space, request->tool, hex};
	struct digest arguments, expected, given;

	if (request->era != ERA_MODERN || peer->call[0] || caller_has_expired(peer->caller) ||
	    digest_arguments(request->body.data, request->body.len, &arguments))
		return false;
	(void)digest_hex(hex, &arguments);
	memcpy(given.bytes, state + RETRY_NONCE_LEN, DIGEST_LEN);
	return retry_seal(call->engine, STATE_KIND, state, facts, FACTS, &expected) == 0 &&
	       digest_equal(&given, &expected);
}

/* The call is this request's from now on. */
static int attach(struct call *call, const struct peer *peer, const struct message *message)
{
	char *token = strdup(message->u.request.progress ? message->u.request.progress : "");

	if (!token)
		return -ENOMEM;
	free(call->progress);
	call->progress = token;
	call->parked = false;
	call->peer = peer->id;
	call->request = message->serial;
	call->options = (call->options & ~OF_CLIENT) | (message->u.request.options & OF_CLIENT);
	call->log.wanted = message->u.request.log;
	progress_start(call);
	return 0;
}

/* What is no answer is asked for again, in a new request's result, while that may be. */
static void take_again(struct tool_question *question, struct call *call, const json_t *object)
{
	const json_t *result =
	    json_object_get(json_object_get(object, "inputResponses"), question->inquiry.key);
	json_t *told = inquiry_answer(&question->inquiry, result);

	if (told) {
		answer_tool(question, told);
		return;
	}
	if (asked_enough(call) || !(call->options & REQUEST_CAN_ELICIT) || put(call, question))
		answer_cancel(question);
}

bool question_resume(struct engine *engine, const struct peer *peer, const struct message *message)
{
	const struct message_request *request = &message->u.request;
	struct tool_question *question;
	struct call *call;
	uint8_t state[RETRY_STATE_LEN];
	json_t *object = NULL;
	bool taken = false;

	if (!request->retry || !request->retry[0] || retry_read(request->retry, state, &object))
		return false;
	question = find_nonce(engine, state);
	call = question ? calls_find(engine, question->call) : NULL;
	if (call && call->parked && !call->silent && fits(call, peer, request, state) &&
	    attach(call, peer, message) == 0) {
		taken = true;
		take_again(question, call, object);
	}
	json_decref(object);
	return taken;
}

/* ---- ends -------------------------------------------------------------------------------- */

/* A client that was asked may still be there; one of a parked call has left for good. */
static void on_timeout(uv_timer_t *timer)
{
	struct tool_question *question = timer->data;
	struct call *call = calls_find(question->engine, question->call);

	withdraw(question);
	answer_cancel(question);
	if (call && call->parked && !call->silent)
		call_cancel(call);
}

void question_closed(struct engine *engine, const char *call)
{
	struct tool_question *question = find_call(engine, call);

	if (!question)
		return;
	withdraw(question);
	answer_cancel(question);
}

/* Its tool has gone away in the middle of it. A parked call runs on, and its client may still
 * come for the result, so the question stays. */
static void forget_tool(struct tool_question *question)
{
	question->deaf = true;
	if (!question->client)
		return;
	withdraw(question);
	record_form_answered(question->engine, question->call, question->caller, "withdrawn", NULL);
	drop(question);
}

void question_drop_peer(struct engine *engine, uint64_t peer)
{
	struct tool_question *next;

	for (struct tool_question *at = first_of(engine); at; at = next) {
		next = at->next;
		if (at->tool.peer == peer)
			forget_tool(at);
	}
}

void question_cancel(struct engine *engine, uint64_t peer, uint64_t request)
{
	struct tool_question *at = first_of(engine);

	while (at && (at->tool.peer != peer || at->tool.request != request))
		at = at->next;
	if (!at)
		return;
	if (!at->deaf)
		result_silence(&at->tool);
	forget_tool(at);
}

void question_free_all(struct waiting *waiting)
{
	while (waiting->questions) {
		struct tool_question *question = waiting->questions;

		waiting->questions = question->next;
		uv_close((uv_handle_t *)&question->timer, on_closed);
	}
}
