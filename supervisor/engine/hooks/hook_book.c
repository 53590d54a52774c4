#include "supervisor/engine/hooks/hook_book.h"

#include <stdlib.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/records/metrics.h"
#include "supervisor/engine/records/record.h"

const char *hook_result_name(enum hook_result result)
{
	static const char *const names[] = {
#define HOOK_NAME_(id, name) [HOOK_RESULT_##id] = (name),
	    HOOK_RESULTS(HOOK_NAME_)
#undef HOOK_NAME_
	};

	return result > HOOK_RESULT_NONE && result < HOOK_RESULT_COUNT ? names[result] : "none";
}

uint64_t hook_count(const struct engine *engine, enum hook_result result)
{
	return engine->hooks && result < HOOK_RESULT_COUNT ? engine->hooks->counts[result] : 0;
}

void hook_count_one(struct engine *engine, enum hook_result result)
{
	engine->hooks->counts[result]++;
	metrics_delivery(engine, hook_result_name(result));
}

void hook_record(const struct hook *hook, enum hook_result result, uint16_t http, const char *why)
{
	const struct record_sent sent = {.approval = hook->approval,
	    .channel = hook->channel,
	    .result = hook_result_name(result),
	    .why = why,
	    .attempts = hook->attempts,
	    .http = http};

	if (hook->approval[0] && !hook->data)
		record_approval_sent(hook->engine, &sent);
}

/* ---- birth and death ------------------------------------------------------------------------ */

static void on_timer_due(uv_timer_t *timer)
{
	struct hooks *hooks = timer->data;

	if (hooks->list)
		hook_sweep(hooks->list->engine);
}

struct hooks *hook_book(struct engine *engine)
{
	struct hooks *hooks = engine->hooks;

	if (hooks)
		return hooks;
	hooks = calloc(1, sizeof(*hooks));
	if (!hooks || uv_timer_init(engine->loop, &hooks->timer)) {
		free(hooks);
		return NULL;
	}
	hooks->timer.data = hooks;
	engine->hooks = hooks;
	return hooks;
}

static void free_hook(struct hook *hook)
{
	key_wipe(hook->nonce, sizeof(hook->nonce));
	json_decref(hook->data);
	free(hook->channel);
	free(hook);
}

void hook_drop(struct hooks *hooks, struct hook *hook)
{
	struct hook **at = &hooks->list;

	while (*at != hook)
		at = &(*at)->next;
	*at = hook->next;
	free_hook(hook);
}

static void on_timer_closed(uv_handle_t *timer)
{
	free(timer->data);
}

void hook_free_all(struct engine *engine)
{
	struct hooks *hooks = engine->hooks;

	if (!hooks)
		return;
	while (hooks->list) {
		fetch_forget(engine, hooks->list);
		hook_drop(hooks, hooks->list);
	}
	while (hooks->channels) {
		struct hook_channel *channel = hooks->channels;

		hooks->channels = channel->next;
		free(channel->name);
		free(channel);
	}
	engine->hooks = NULL;
	uv_close((uv_handle_t *)&hooks->timer, on_timer_closed);
}

struct hook *hook_add(struct engine *engine, const char *channel, const char *event)
{
	struct hooks *hooks = hook_book(engine);
	struct hook *hook = hooks ? calloc(1, sizeof(*hook)) : NULL;
	uint8_t id[HOOK_MESSAGE_LEN], nonce[HOOK_NONCE_LEN];
	struct hook **at;

	if (!hook)
		return NULL;
	hook->channel = strdup(channel);
	if (!hook->channel || key_random(id, sizeof(id)) || key_random(nonce, sizeof(nonce))) {
		free_hook(hook);
		return NULL;
	}
	hook->engine = engine;
	hook->event = event;
	memcpy(hook->id, "msg_", 4);
	str_hex(hook->id + 4, id, sizeof(id));
	str_hex(hook->nonce, nonce, sizeof(nonce));
	for (at = &hooks->list; *at; at = &(*at)->next)
		;
	*at = hook;
	return hook;
}

struct hook_channel *hook_channel_of(struct hooks *hooks, const char *name)
{
	struct hook_channel *channel = hooks->channels;

	while (channel && strcmp(channel->name, name) != 0)
		channel = channel->next;
	if (channel)
		return channel;
	channel = calloc(1, sizeof(*channel)); /* as many as policies have named */
	if (channel)
		channel->name = strdup(name);
	if (!channel || !channel->name) {
		free(channel);
		return NULL;
	}
	channel->next = hooks->channels;
	hooks->channels = channel;
	return channel;
}

/* ---- the clock ------------------------------------------------------------------------------ */

void hook_set_timer(struct hooks *hooks, uint64_t late_ms)
{
	uint64_t now_us = clock_monotonic_us(), nearest = HOOK_NEVER_US;

	for (const struct hook *at = hooks->list; at; at = at->next)
		if (!at->sending && at->due_us < nearest)
			nearest = at->due_us;
	(void)uv_timer_stop(&hooks->timer);
	if (nearest == HOOK_NEVER_US)
		return;
	(void)uv_timer_start(&hooks->timer, on_timer_due,
	    nearest > now_us ? (nearest - now_us) / 1000 + 1 : late_ms, 0);
}
