#include "supervisor/engine/access/held.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"

struct held {
	struct held *next;
	struct message message; /* owned */
	uint64_t due_us;        /* monotonic */
};

static void free_held(struct held *held)
{
	message_fini(&held->message);
	free(held);
}

static struct held *unlink_at(struct auth *auth, struct held **at)
{
	struct held *held = *at;

	*at = held->next;
	auth->held_count--;
	return held;
}

static void on_timer(uv_timer_t *timer);

/* The oldest is due first. */
static void arm(struct auth *auth)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t due_us = auth->held ? auth->held->due_us : 0;

	if (!auth->held)
		(void)uv_timer_stop(auth->holding);
	else
		(void)uv_timer_start(
		    auth->holding, on_timer, due_us > now_us ? (due_us - now_us) / 1000 + 1 : 0, 0);
}

static void judge(struct engine *engine, struct held *held)
{
	int fault = methods_request(engine, &held->message);

	free_held(held);
	if (fault)
		engine_fail(engine, fault, "a request that waited for keys");
}

static void judge_until(struct auth *auth, uint64_t due_us)
{
	struct engine *engine = auth->engine;

	auth->is_final = true;
	while (auth->held && auth->held->due_us <= due_us)
		judge(engine, unlink_at(auth, &auth->held));
	auth->is_final = false;
	if (auth->holding)
		arm(auth);
}

static void on_timer(uv_timer_t *timer)
{
	judge_until(timer->data, clock_monotonic_us());
}

void held_resume(struct engine *engine)
{
	if (engine->auth)
		judge_until(engine->auth, UINT64_MAX);
}

static int make_timer(struct auth *auth)
{
	if (auth->holding)
		return 0;
	auth->holding = malloc(sizeof(*auth->holding));
	if (!auth->holding)
		return -ENOMEM;
	if (uv_timer_init(auth->engine->loop, auth->holding)) {
		free(take_ptr(auth->holding));
		return -ENOMEM;
	}
	auth->holding->data = auth;
	return 0;
}

int held_add(struct engine *engine, struct message *message)
{
	struct auth *auth = engine->auth;
	struct held **at = &auth->held;
	struct held *held;

	if (auth->held_count >= HELD_MAX)
		return -ENOBUFS;
	held = make_timer(auth) ? NULL : calloc(1, sizeof(*held));
	if (!held)
		return -ENOMEM;
	held->message = *message;
	message_init(message, MESSAGE_NONE);
	held->due_us = clock_monotonic_us() + HELD_MS * 1000ull;
	while (*at)
		at = &(*at)->next;
	*at = held;
	auth->held_count++;
	arm(auth);
	return 0;
}

void held_cancel(struct engine *engine, uint64_t peer, uint64_t request)
{
	struct auth *auth = engine->auth;
	struct held **at = auth ? &auth->held : NULL;
	struct result_to to = {engine, request, ERA_LEGACY, peer};

	while (at && *at &&
	       ((*at)->message.u.request.peer != peer || (*at)->message.serial != request))
		at = &(*at)->next;
	if (!at || !*at)
		return;
	free_held(unlink_at(auth, at));
	result_silence(&to);
}

void held_drop_peer(struct engine *engine, uint64_t peer)
{
	struct held **at = engine->auth ? &engine->auth->held : NULL;

	while (at && *at) {
		if ((*at)->message.u.request.peer == peer)
			free_held(unlink_at(engine->auth, at));
		else
			at = &(*at)->next;
	}
}

static void free_timer(uv_handle_t *timer)
{
	free(timer);
}

void held_free_all(struct auth *auth)
{
	while (auth->held)
		free_held(unlink_at(auth, &auth->held));
	if (auth->holding)
		uv_close((uv_handle_t *)take_ptr(auth->holding), free_timer);
}
