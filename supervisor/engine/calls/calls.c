#include "supervisor/engine/calls/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/redact.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/calls/stream.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

/* "c", the time in milliseconds, 80 random bits: sortable, and nobody can guess the next. */
static int make_id(char out[CALL_ID_MAX])
{
	uint8_t bytes[16];
	uint64_t ms = clock_wall_us() / 1000;
	int fault = key_random(bytes + 6, sizeof(bytes) - 6);

	if (fault)
		return fault;
	for (int i = 0; i < 6; i++)
		bytes[i] = (uint8_t)(ms >> (8 * (5 - i)));
	out[0] = 'c';
	str_hex(out + 1, bytes, sizeof(bytes));
	return 0;
}

static int copy_request(struct call *call, const struct message_request *request)
{
	call->agent = strdup(redact_name(call->engine, request->agent));
	call->space = strdup(redact_name(call->engine, request->space));
	call->tool_name = strdup(redact_name(call->engine, request->tool));
	call->progress = strdup(request->progress);
	call->retry = strdup(request->retry);
	call->body_len = request->body.len;
	call->body = malloc(request->body.len ? request->body.len : 1);
	if (!call->agent || !call->space || !call->tool_name || !call->progress || !call->retry ||
	    !call->body)
		return -1;
	if (request->body.len)
		memcpy(call->body, request->body.data, request->body.len);
	return 0;
}

static void free_memory(struct call *call)
{
	free(call->agent);
	free(call->space);
	free(call->tool_name);
	free(call->progress);
	free(call->retry);
	free(call->parent);
	free(call->body);
	(void)quota_drop(call->account);
	(void)caller_drop(call->caller);
	free(call);
}

static void on_timer_closed(uv_handle_t *timer)
{
	free_memory(timer->data);
}

/* Everything but an account, a timer and a stream. NULL: no memory. */
static struct call *make(
    struct engine *engine, const struct peer *peer, const struct message *request)
{
	struct call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->engine = engine;
	call->stdin_fd = call->input = call->pipes[0] = call->pipes[1] = -1;
	call->born_us = clock_monotonic_us();
	call->peer = peer->id;
	call->request = request->serial;
	call->era = (enum request_era)request->u.request.era;
	call->log.wanted = request->u.request.log;
	call->depth = peer->depth;
	call->caller = caller_hold(peer->caller);
	call->pid = peer->pid;
	call->parent = strdup(peer->call);
	if (make_id(call->id) || !call->parent || copy_request(call, &request->u.request)) {
		free_memory(call);
		return NULL;
	}
	return call;
}

struct call *calls_new(
    struct engine *engine, const struct peer *peer, const struct message *request)
{
	struct call *call = make(engine, peer, request);

	if (!call)
		return NULL;
	call->options = request->u.request.options;
	if (peer->call[0]) /* what is policed may not answer its own form */
		call->options &= ~(uint32_t)REQUEST_CAN_ELICIT;
	call->account = quota_hold(engine, peer->caller);
	if (!call->account || uv_timer_init(engine->loop, &call->timer)) {
		free_memory(call);
		return NULL;
	}
	call->timer.data = call;
	if (call->options & (REQUEST_STREAM_INPUT | REQUEST_STREAM_OUTPUT)) {
		call->stream = stream_new(call);
		if (!call->stream) {
			uv_close((uv_handle_t *)&call->timer, on_timer_closed);
			return NULL;
		}
	}
	call->counted = engine->call_count < ENGINE_CALLS_MAX &&
			quota_charge(call->account, QUOTA_CALL, 1) == 0;
	call->next = engine->calls;
	engine->calls = call;
	engine->call_count++;
	return call;
}

struct call *calls_shadow(
    struct engine *engine, const struct peer *peer, const struct message *request)
{
	return make(engine, peer, request);
}

void calls_shadow_free(struct call *call)
{
	if (!call)
		return;
	calls_reset(call);
	free_memory(call);
}

static void free_paths(struct call *call)
{
	for (uint32_t i = 0; i < call->paths.count; i++)
		free((char *)call->paths.items[i]);
	free(call->paths.items);
	memset(&call->paths, 0, sizeof(call->paths));
}

void calls_reset(struct call *call)
{
	command_fini(&call->command);
	memset(&call->command, 0, sizeof(call->command));
	memset(&call->identity, 0, sizeof(call->identity));
	json_decref(take_ptr(call->arguments));
	json_decref(take_ptr(call->facts));
	call->decision = DECISION_NONE;
	memset(&call->plan, 0, sizeof(call->plan));
	free(take_ptr(call->cwd));
	free_paths(call);
	free(take_ptr(call->plan_text));
	free(take_ptr(call->program));
	cleanup_fd_(&call->stdin_fd);
	call->stdin_kind = STDIN_NONE;
	call->tool = NULL;
	call->awaits = MESSAGE_NONE;
	call->rule[0] = call->reason[0] = call->sentence[0] = '\0';
	memset(&call->answer, 0, sizeof(call->answer));
	call->grant[0] = '\0';
	call->rules = ruleset_drop(call->rules);
}

/* Everything but the account and the memory, which the timer's close callback gives back. */
static void release(struct call *call)
{
	calls_reset(call);
	cleanup_fd_(&call->pipes[0]);
	cleanup_fd_(&call->pipes[1]);
	cleanup_fd_(&call->input);
	stream_free(take_ptr(call->stream));
	output_free(take_ptr(call->output));
	for (uint32_t i = 0; i < call->exit.layer_count; i++)
		free(call->exit.layers[i]);
	call->exit.layer_count = 0;
	if (call->counted)
		quota_return(call->account, QUOTA_CALL, 1);
	if (call->holds)
		quota_return(call->account, QUOTA_HOLD, 1);
	quota_return(call->account, QUOTA_BYTE, call->charged_bytes);
	call->holds = false;
	call->counted = false;
	call->charged_bytes = 0;
}

void calls_end(struct call *call)
{
	struct engine *engine = call->engine;
	struct call **at = &engine->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	engine->call_count--;
	release(call);
	uv_close((uv_handle_t *)&call->timer, on_timer_closed);
	engine_settle(engine);
}

struct call *calls_awaiting(struct engine *engine, const struct message *answer)
{
	for (struct call *call = engine->calls; call; call = call->next)
		if (call->awaits == answer->type && call->serial == answer->serial) {
			call->awaits = MESSAGE_NONE;
			return call;
		}
	engine->stale_answers++;
	return NULL;
}

struct call *calls_find(struct engine *engine, const char *id)
{
	struct call *call = engine->calls;

	while (call && strcmp(call->id, id) != 0)
		call = call->next;
	return call;
}

struct call *calls_waiter(struct engine *engine, const struct approval *approval)
{
	struct call *oldest = NULL;

	for (struct call *call = engine->calls; call; call = call->next)
		if (call->approval == approval)
			oldest = call;
	return oldest;
}

/* A step may take any call off the list, so each round looks from the start again. */
static struct call *find_cancellable(struct engine *engine, uint64_t peer)
{
	struct call *call = engine->calls;

	while (call && (call->peer != peer || call->silent))
		call = call->next;
	return call;
}

void calls_cancel_peer(struct engine *engine, uint64_t peer)
{
	struct call *call;

	while ((call = find_cancellable(engine, peer)))
		call_cancel(call);
}

void calls_cancel_request(struct engine *engine, uint64_t peer, uint64_t request)
{
	struct call *call = engine->calls;

	while (call && (call->peer != peer || call->request != request))
		call = call->next;
	if (call && !call->silent)
		call_cancel(call);
}

static bool undecided(const struct call *call)
{
	return call->state == CALL_AUTHORIZED || call->state == CALL_APPROVAL;
}

/* Nobody's answer to this policy counts for the next. */
static bool unanswered(const struct call *call)
{
	return undecided(call) || call->state == CALL_REVIEW;
}

static struct call *find_old(struct engine *engine)
{
	struct call *call = engine->calls;

	while (call && !(unanswered(call) && call->rules != engine->rules))
		call = call->next;
	return call;
}

void calls_reload(struct engine *engine)
{
	struct call *call;

	while ((call = find_old(engine)))
		call_step(call, CALL_ON_RELOADED);
}

static struct call *find_expired(struct engine *engine)
{
	struct call *call = engine->calls;

	while (call && !(undecided(call) && caller_has_expired(call->caller)))
		call = call->next;
	return call;
}

void calls_expire(struct engine *engine)
{
	struct call *call;

	while ((call = find_expired(engine)))
		call_step(call, CALL_ON_RELOADED);
}

void calls_drain(struct engine *engine)
{
	struct call *call = engine->calls;

	while (call) {
		if (call->parked && !call->silent) { /* whose client could not come again */
			call_cancel(call);
			call = engine->calls;
			continue;
		}
		if (!unanswered(call)) {
			stream_drain(call->stream);
			call = call->next;
			continue;
		}
		call_step(call, CALL_ON_RELOADED); /* judged again: stopping, so BUSY */
		call = engine->calls;
	}
}

void calls_free_all(struct engine *engine)
{
	while (engine->calls) {
		struct call *call = engine->calls;

		engine->calls = call->next;
		release(call);
		uv_close((uv_handle_t *)&call->timer, on_timer_closed);
	}
}
