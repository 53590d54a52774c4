#include "supervisor/engine/asking/elicit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/form.h"
#include "agent-api/wire/notice.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/approval.h"
#include "supervisor/engine/asking/question.h"
#include "supervisor/engine/asking/retry.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/engine/sibling.h"

#define NONCE_LEN  RETRY_NONCE_LEN
#define STATE_LEN  RETRY_STATE_LEN
#define PREFIX     "callgate-"
#define ID_MAX     (sizeof(PREFIX) + 2 * (size_t)NONCE_LEN)
#define NOTICE_CAP (8 * ELICIT_TEXT_MAX)

_Static_assert(ID_MAX <= NOTICE_ID_MAX, "front keeps ids of this length");

/* One form that somebody has, or had. */
struct elicitation {
	struct elicitation *next;
	uint8_t nonce[NONCE_LEN];
	char approval[APPROVAL_ID_MAX];
	char call[CALL_ID_MAX]; /* that asked */
	struct digest plan;
	uint64_t peer; /* legacy: whom we asked; 0: the form went out as a result */
	bool reason_required;
};

static struct elicitation *first_of(const struct engine *engine)
{
	const struct waiting *waiting = waiting_find(engine);

	return waiting ? waiting->elicitations : NULL;
}

static void drop(struct waiting *waiting, struct elicitation *elicitation)
{
	struct elicitation **at = &waiting->elicitations;

	while (*at != elicitation)
		at = &(*at)->next;
	*at = elicitation->next;
	free(elicitation);
}

static void form_id(char out[ID_MAX], const struct elicitation *elicitation)
{
	memcpy(out, PREFIX, sizeof(PREFIX));
	str_hex(out + strlen(PREFIX), elicitation->nonce, NONCE_LEN);
}

/* ---- asking ------------------------------------------------------------------------------ */

static const struct policy_approval *rules_of(const struct call *call)
{
	return call->tool->approval.given ? &call->tool->approval : &call->rules->policy->approval;
}

/* One client cannot be several people; and behind a gate is a tool, which has no user at all. */
static bool may_ask(const struct call *call)
{
	const struct policy_approval *rules = rules_of(call);
	size_t len = strlen(call->approval->prompt) + strlen(call->approval->warning) +
		     strlen(call->approval->details);

	return rules->by_client && rules->quorum <= 1 && !call->parent[0] &&
	       len + 2 <= ELICIT_TEXT_MAX && (call->options & REQUEST_CAN_ELICIT) &&
	       peer_find(call->engine, call->peer);
}

static char *form_text(const struct approval *approval)
{
	struct buf cleanup_with(buf_fini) text = {0};
	const char *whole;

	buf_init(&text, ELICIT_TEXT_MAX);
	buf_textf(&text, "%s\n%s\n%s", approval->prompt, approval->warning, approval->details);
	whole = buf_cstr(&text);
	return whole ? strdup(whole) : NULL;
}

static struct elicitation *find_for(const struct call *call)
{
	struct elicitation *at = first_of(call->engine);

	while (at && strcmp(at->call, call->id) != 0)
		at = at->next;
	return at;
}

/* Questions close without a word where nobody calls elicit_closed(). */
static void sweep(struct engine *engine, struct waiting *waiting)
{
	struct elicitation *next;

	for (struct elicitation *at = waiting->elicitations; at; at = next) {
		next = at->next;
		if (!approval_find(engine, at->approval))
			drop(waiting, at);
	}
}

static struct elicitation *add(const struct call *call)
{
	struct waiting *waiting = waiting_of(call->engine);
	struct elicitation *made = waiting ? calloc(1, sizeof(*made)) : NULL;

	if (!made || key_random(made->nonce, NONCE_LEN)) {
		free(made);
		return NULL;
	}
	sweep(call->engine, waiting);
	(void)snprintf(made->approval, sizeof(made->approval), "%s", call->approval->answer.id);
	(void)snprintf(made->call, sizeof(made->call), "%s", call->id);
	made->plan = call->plan;
	made->reason_required = rules_of(call)->reason_required;
	made->next = waiting->elicitations;
	waiting->elicitations = made;
	return made;
}

static void say(struct engine *engine, uint64_t peer, const struct buf *body)
{
	struct message message;

	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = peer;
	message.u.notify.body = (struct bytes){.data = body->data, .len = body->len};
	(void)sibling_send_peer(engine, peer, &message);
}

static void withdraw(struct engine *engine, const struct elicitation *elicitation)
{
	struct buf cleanup_with(buf_fini) body = {0};
	char id[ID_MAX];

	if (!elicitation->peer || !peer_find(engine, elicitation->peer))
		return;
	form_id(id, elicitation);
	buf_init(&body, 1024);
	if (notice_cancelled(&body, id, "the approval is closed") == 0)
		say(engine, elicitation->peer, &body);
}

static int send_form(const struct call *call, const struct elicitation *elicitation)
{
	char *cleanup_free text = form_text(call->approval);
	const struct form form = {text, elicitation->reason_required};
	struct buf cleanup_with(buf_fini) body = {0};
	enum mcp_revision revision = subscribe_revision(call->engine, call->era, call->peer);
	char id[ID_MAX];
	int fault;

	if (!text)
		return -ENOMEM;
	form_id(id, elicitation);
	buf_init(&body, NOTICE_CAP);
	fault = notice_request(&body, id, FORM_METHOD, form_params(&form, revision));
	if (!fault)
		say(call->engine, call->peer, &body);
	return fault;
}

/* Identical calls share a question; each brings a form of its own, and the oldest one goes. */
static void make_room(const struct call *call)
{
	struct elicitation *oldest = NULL;
	uint32_t count = 0;

	for (struct elicitation *at = first_of(call->engine); at; at = at->next)
		if (strcmp(at->approval, call->approval->answer.id) == 0) {
			oldest = at;
			count++;
		}
	if (count >= ELICIT_FORMS_MAX) {
		withdraw(call->engine, oldest);
		drop(waiting_find(call->engine), oldest);
	}
}

enum elicit_step elicit_ask(struct call *call)
{
	struct elicitation *elicitation = find_for(call);

	if (!may_ask(call))
		return ELICIT_NOT;
	if (elicitation) { /* asked anew after a reload, say: the old form is about the old plan */
		withdraw(call->engine, elicitation);
		drop(waiting_find(call->engine), elicitation);
	}
	make_room(call);
	elicitation = add(call);
	if (!elicitation)
		return ELICIT_NOT;
	if (call->era == ERA_MODERN)
		return ELICIT_RETURNS;
	elicitation->peer = call->peer;
	if (send_form(call, elicitation) == 0)
		return ELICIT_SENT;
	drop(waiting_find(call->engine), elicitation);
	return ELICIT_NOT;
}

/* ---- answering --------------------------------------------------------------------------- */

/* result: of the client. True if that was an answer. The elicitation is used up then. */
static bool take_answer(
    struct engine *engine, struct elicitation *elicitation, const json_t *result)
{
	struct approval *approval = approval_find(engine, elicitation->approval);
	struct approval_answer answer;
	struct err_note note;
	const char *reason;
	enum form_answer said = form_read(result, elicitation->reason_required, &reason);

	if (!approval || approval->state != APPROVAL_PENDING ||
	    !digest_equal(&approval->plan, &elicitation->plan) || said == FORM_UNANSWERED)
		return false;
	answer = approval->answer;
	answer.scope = GRANT_ONCE;
	answer.elicited = true;
	memcpy(answer.principal, approval->principal, sizeof(answer.principal));
	(void)snprintf(answer.reason, sizeof(answer.reason), "answered in the client%s%s",
	    *reason ? ": " : "", reason);
	drop(waiting_find(engine), elicitation);
	(void)approval_answer(engine, approval,
	    said == FORM_APPROVE ? APPROVAL_APPROVED : APPROVAL_DENIED, &answer, &note);
	return true;
}

int elicit_response(struct engine *engine, struct message *message)
{
	const struct message_response *response = &message->u.response;
	struct elicitation *at = first_of(engine);
	struct err_note note;
	json_t *result = NULL;
	char id[ID_MAX];

	if (question_response(engine, response))
		return 0;
	for (; at; at = at->next) {
		form_id(id, at);
		if (at->peer == response->peer && strcmp(id, response->id) == 0)
			break;
	}
	if (!at || response->kind != REPLY_RESULT ||
	    value_read(response->body.data, response->body.len, &result, &note))
		return 0; /* withdrawn, or no answer: other approvers may still give one */
	(void)take_answer(engine, at, result);
	json_decref(result);
	return 0;
}

/* ---- the modern era: state --------------------------------------------------------------- */

#define STATE_KIND "tools/call request state"

static struct elicitation *find_nonce(const struct engine *engine, const uint8_t *nonce)
{
	struct elicitation *at = first_of(engine);

	while (at && (at->peer != 0 || memcmp(at->nonce, nonce, NONCE_LEN) != 0))
		at = at->next;
	return at;
}

/* The plan is compared later, when it has been made again. */
int elicit_check(struct engine *engine, const struct peer *peer,
    const struct message_request *request, struct err_note *note)
{
	const char *const facts[4] = {
	    peer->caller->principal, request->agent, request->space, request->tool};
	struct digest expected = {{0}}, given;
	uint8_t state[STATE_LEN];
	json_t *retry = NULL;
	int fault = retry_read(request->retry, state, &retry);

	json_decref(retry);
	if (!fault && !waiting_of(engine))
		return -ENOMEM;
	if (!fault)
		fault = retry_seal(engine, STATE_KIND, state, facts, 4, &expected);
	if (fault && fault != -EINVAL)
		return fault;
	if (!fault)
		memcpy(given.bytes, state + NONCE_LEN, DIGEST_LEN);
	if (fault || !digest_equal(&given, &expected) || !find_nonce(engine, state))
		return err_note(note, -EINVAL,
		    "requestState: not one that was given for this call, or used already, or too "
		    "old; call again without it");
	return 0;
}

void elicit_retry(struct call *call)
{
	struct elicitation *elicitation;
	uint8_t state[STATE_LEN];
	json_t *retry = NULL;

	if (!call->retry[0] || retry_read(call->retry, state, &retry))
		return;
	elicitation = find_nonce(call->engine, state);
	if (elicitation && digest_equal(&elicitation->plan, &call->plan) &&
	    !take_answer(call->engine, elicitation,
		json_object_get(json_object_get(retry, "inputResponses"), FORM_KEY)))
		drop(waiting_find(call->engine),
		    elicitation); /* a state counts once, whatever came */
	json_decref(retry);
}

int elicit_result(struct buf *body, const struct call *call, const struct result_call *told)
{
	const char *const facts[4] = {
	    call->caller->principal, call->agent, call->space, call->tool_name};
	struct elicitation *elicitation = call->era == ERA_MODERN ? find_for(call) : NULL;
	const struct approval *approval =
	    elicitation ? approval_find(call->engine, elicitation->approval) : NULL;
	struct buf cleanup_with(buf_fini) state = {0};
	char *cleanup_free text = NULL;
	struct form form;
	struct digest mac;

	if (!approval || approval->state != APPROVAL_PENDING || call->outcome != OUTCOME_PENDING)
		return 1;
	text = form_text(approval);
	if (!text || retry_seal(call->engine, STATE_KIND, elicitation->nonce, facts, 4, &mac))
		return -ENOMEM;
	buf_init(&state, 4 * RETRY_STATE_LEN);
	if (retry_write(&state, elicitation->nonce, &mac))
		return -ENOMEM;
	form = (struct form){text, elicitation->reason_required};
	return result_input_required(
	    body, FORM_KEY, form_params(&form, MCP_2026_07_28), buf_cstr(&state), told);
}

/* ---- ends -------------------------------------------------------------------------------- */

void elicit_closed(struct engine *engine, const char *approval)
{
	struct elicitation *next;

	for (struct elicitation *at = first_of(engine); at; at = next) {
		next = at->next;
		if (strcmp(at->approval, approval) == 0) {
			withdraw(engine, at);
			drop(waiting_find(engine), at);
		}
	}
}

void elicit_drop_peer(struct engine *engine, uint64_t peer)
{
	struct elicitation *next;

	for (struct elicitation *at = first_of(engine); at; at = next) {
		next = at->next;
		if (at->peer == peer && peer != 0)
			drop(waiting_find(engine), at);
	}
}

void elicit_free_all(struct waiting *waiting)
{
	while (waiting->elicitations)
		drop(waiting, waiting->elicitations);
}
