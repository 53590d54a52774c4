#include "supervisor/engine/hooks/callback.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/approvals/channel.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/hooks/callback_read.h"
#include "supervisor/engine/hooks/hook_secret.h"
#include "supervisor/engine/hooks/hook_sign.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

#define MINUTE_US 60000000ull

/* A message that was authentic, by channel and id. */
struct seen {
	struct digest key;
	uint64_t until_us; /* monotonic; 0: a free place */
};

/* Refused answers of one channel. */
struct refused {
	struct refused *next;
	uint64_t since_us; /* of this minute */
	uint32_t recorded; /* in it */
	uint64_t uncounted;
	char channel[256];
};

struct callbacks {
	struct seen seen[CALLBACK_SEEN_MAX];
	struct refused *refused;
};

static struct callbacks *callbacks_of(struct engine *engine)
{
	if (!engine->callbacks)
		engine->callbacks = calloc(1, sizeof(*engine->callbacks));
	return engine->callbacks;
}

/* ---- what was seen -------------------------------------------------------------------------- */

/* True: it is new, and known from now on. False: a replay, or there is no room to remember it. */
static bool is_first(struct engine *engine, const char *channel, const char *id)
{
	struct callbacks *callbacks = callbacks_of(engine);
	struct buf cleanup_with(buf_fini) text = {0};
	uint64_t now_us = clock_monotonic_us();
	struct seen *free_place = NULL;
	struct digest key;

	buf_init(&text, 1024);
	buf_put_str(&text, channel);
	buf_put_str(&text, id);
	if (!callbacks || text.fault || digest_of(&key, text.data, text.len))
		return false;
	for (size_t i = 0; i < CALLBACK_SEEN_MAX; i++) {
		struct seen *seen = &callbacks->seen[i];

		if (seen->until_us <= now_us)
			free_place = seen;
		else if (digest_equal(&seen->key, &key))
			return false;
	}
	if (!free_place)
		return false;
	*free_place = (struct seen){key, now_us + CALLBACK_SEEN_MS * 1000ull};
	return true;
}

/* ---- what was refused ----------------------------------------------------------------------- */

static struct refused *refused_of(struct callbacks *callbacks, const char *channel)
{
	struct refused *refused = callbacks->refused;

	while (refused && strcmp(refused->channel, channel) != 0)
		refused = refused->next;
	if (refused)
		return refused;
	refused = calloc(1, sizeof(*refused)); /* as many as the policy has channels */
	if (!refused)
		return NULL;
	(void)snprintf(refused->channel, sizeof(refused->channel), "%s", channel);
	refused->next = callbacks->refused;
	callbacks->refused = refused;
	return refused;
}

static void flush(struct engine *engine, struct refused *refused)
{
	if (refused->uncounted)
		record_callback_refused(engine, refused->channel, refused->uncounted,
		    "more answers that were not authentic");
	refused->uncounted = 0;
}

/* A flood fills no journal: a few records a minute, then one that counts the rest. */
static void note_refused(struct engine *engine, const char *channel, const char *why)
{
	struct callbacks *callbacks = callbacks_of(engine);
	struct refused *refused = callbacks ? refused_of(callbacks, channel) : NULL;
	uint64_t now_us = clock_monotonic_us();

	if (!refused)
		return;
	if (now_us - refused->since_us >= MINUTE_US) {
		flush(engine, refused);
		refused->since_us = now_us;
		refused->recorded = 0;
	}
	if (refused->recorded < CALLBACK_RECORDS) {
		refused->recorded++;
		record_callback_refused(engine, channel, 1, why);
	} else {
		refused->uncounted++;
	}
}

void callback_flush(struct engine *engine)
{
	struct refused *refused = engine->callbacks ? engine->callbacks->refused : NULL;

	for (; refused; refused = refused->next)
		flush(engine, refused);
}

void callback_free_all(struct engine *engine)
{
	while (engine->callbacks && engine->callbacks->refused) {
		struct refused *refused = engine->callbacks->refused;

		engine->callbacks->refused = refused->next;
		free(refused);
	}
	free(engine->callbacks);
	engine->callbacks = NULL;
}

/* ---- is it authentic? ----------------------------------------------------------------------- */

struct arrival {
	const struct policy_channel *channel;
	const json_t *headers;
	const char *text;
	size_t len;
	const char *secret; /* NULL: it has none */
	uint64_t now_s;
	char id[HOOK_ID_MAX]; /* by which it is known again; "" until it is authentic */
};

static const char *header(const struct arrival *arrival, const char *name)
{
	const char *value = json_string_value(json_object_get(arrival->headers, name));

	return value ? value : "";
}

static const char *by_verdict(enum hook_verdict verdict)
{
	switch (verdict) {
	case HOOK_GENUINE: return NULL;
	case HOOK_STALE: return "the timestamp is older or newer than five minutes";
	case HOOK_FORGED: break;
	}
	return "there is no valid signature";
}

/* Each gives NULL and the arrival's id, or why not: a literal. */
static const char *check_standard(struct arrival *arrival)
{
	struct hook_message message = {.secret = arrival->secret,
	    .id = header(arrival, "webhook-id"),
	    .body = arrival->text,
	    .body_len = arrival->len};
	const char *why =
	    by_verdict(hook_verify_standard(&message, header(arrival, "webhook-timestamp"),
		header(arrival, "webhook-signature"), arrival->now_s));

	if (!why)
		(void)snprintf(arrival->id, sizeof(arrival->id), "%s", message.id);
	return why;
}

static const char *check_slack(struct arrival *arrival)
{
	const char *signature = header(arrival, "x-slack-signature");
	struct hook_message message = {
	    .secret = arrival->secret, .body = arrival->text, .body_len = arrival->len};
	const char *why = by_verdict(hook_verify_slack(
	    &message, header(arrival, "x-slack-request-timestamp"), signature, arrival->now_s));

	if (!why) /* "v0=" and hex: its id is the signature, over time and body */
		(void)snprintf(arrival->id, sizeof(arrival->id), "%s", signature + 3);
	return why;
}

/* GitHub signs the body alone, so id and time stand in it; callback_read.c has looked. */
static const char *check_github(struct arrival *arrival, const struct callback_body *body)
{
	const struct hook_message message = {
	    .secret = arrival->secret, .body = arrival->text, .body_len = arrival->len};
	const char *why =
	    by_verdict(hook_verify_github(&message, header(arrival, "x-hub-signature-256")));

	if (!why && (!hook_is_id(body->id) || !body->has_time))
		why = "id and timestamp are needed in the body, which alone is signed";
	if (!why && !hook_is_near(body->time_s, arrival->now_s))
		why = by_verdict(HOOK_STALE);
	if (!why)
		(void)snprintf(arrival->id, sizeof(arrival->id), "%s", body->id);
	return why;
}

/* What is not signed is authentic by its nonce alone, which is used up by the answer. */
static const char *check(struct arrival *arrival, const struct callback_body *body)
{
	if (arrival->channel->type == CHANNEL_NTFY)
		return NULL;
	if (!arrival->secret)
		return "the channel has no secret now, so nothing of it can be authentic";
	switch (arrival->channel->type) {
	case CHANNEL_STANDARD:
	case CHANNEL_JSON: return check_standard(arrival);
	case CHANNEL_SLACK: return check_slack(arrival);
	case CHANNEL_GITHUB: return check_github(arrival, body);
	case CHANNEL_NTFY:
	case CHANNEL_NONE:
	case CHANNEL_TYPE_COUNT: break;
	}
	return "the channel takes no answers";
}

/* ---- the answer ----------------------------------------------------------------------------- */

static void refuse(
    const struct methods_ask *ask, const struct arrival *arrival, const char *why, const char *note)
{
	note_refused(ask->engine, arrival->channel->name, why);
	result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", note);
}

static void decide(
    const struct methods_ask *ask, const struct arrival *arrival, const struct callback_body *body)
{
	struct err_note note = {""};
	json_t *told = NULL;
	int code = channel_decide(ask->engine, arrival->channel, &body->answer, &told, &note);

	if (!code)
		result_give(&ask->to, told);
	else if (code == RPC_INVALID_PARAMS)
		refuse(ask, arrival, "wrong nonce", note.text);
	else
		result_refuse(&ask->to, code, "%s", note.text);
}

static void take(const struct methods_ask *ask, struct arrival *arrival)
{
	struct callback_body cleanup_with(callback_body_fini) body = {.root = NULL};
	struct err_note note = {""};
	int fault = callback_read(&body, arrival->channel->type,
	    (struct callback_text){arrival->text, arrival->len}, &note);
	const char *why;

	if (fault && arrival->channel->type == CHANNEL_GITHUB)
		why = "the body is no answer, and its id and time cannot be read";
	else
		why = check(arrival, &body);
	if (!why && arrival->id[0] && !is_first(ask->engine, arrival->channel->name, arrival->id))
		why = "it was seen before";
	/* What is not authentic has records of its own, and fewer of them in a flood. */
	if (!why && ask->peer->visit)
		ask->peer->visit->recorded = REQUEST_CALLBACK;
	if (why)
		refuse(ask, arrival, why, why);
	else if (fault)
		refuse(ask, arrival, "the body is no answer", note.text);
	else
		decide(ask, arrival, &body);
}

void take_callback(const struct methods_ask *ask)
{
	const char *name = methods_text(ask, "channel");
	const json_t *text = json_object_get(ask->params, "text");
	struct arrival arrival = {.headers = json_object_get(ask->params, "headers"),
	    .text = json_string_value(text),
	    .len = json_string_length(text),
	    .now_s = clock_wall_us() / 1000000,
	    .id = ""};

	if (!name || !json_is_object(arrival.headers) || !arrival.text ||
	    arrival.len > HOOK_BODY_IN_MAX) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "channel, headers and a body of at most %d bytes are needed", HOOK_BODY_IN_MAX);
		return;
	}
	arrival.channel = policy_find_channel(ask->engine->rules->policy, name);
	if (!arrival.channel) {
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no channel of that name");
		return;
	}
	arrival.secret = hook_secret_find(ask->engine, arrival.channel->secret_env);
	take(ask, &arrival);
}
