#include "supervisor/engine/hooks/hook.h"

#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/approvals/approval_told.h"
#include "supervisor/engine/approvals/channel.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/hooks/hook_book.h"
#include "supervisor/engine/hooks/hook_send.h"
#include "supervisor/engine/ruleset.h"

/* In milliseconds, four fifths to six fifths of what the table says. */
static uint64_t backoff_ms(uint32_t attempts)
{
	static const uint32_t table_ms[] = {1000, 5000, 30000, 120000, 600000};
	const uint32_t last = sizeof(table_ms) / sizeof(table_ms[0]) - 1;
	uint32_t base = table_ms[attempts <= last ? attempts - 1 : last];
	uint8_t random = 128;

	(void)key_random(&random, 1);
	return base * 4ull / 5 + base * 2ull / 5 * random / 255;
}

/* ---- what became of it ---------------------------------------------------------------------- */

static void log_failure(
    struct hooks *hooks, const struct hook *hook, uint16_t http, const char *why)
{
	struct hook_channel *channel = hook_channel_of(hooks, hook->channel);
	uint64_t now_us = clock_monotonic_us();

	if (!channel || (channel->logged_us && now_us - channel->logged_us < HOOK_MINUTE_US))
		return;
	channel->logged_us = now_us;
	log_warn("channel %s: %s was not taken: %s%.0u%s; it is tried again where that helps",
	    hook->channel, hook->event, http ? "HTTP " : "", http, why);
}

/* Nothing more is sent of it. A question's is kept for its nonce, as long as that waits. */
static void settle(struct hooks *hooks, struct hook *hook, enum hook_result result)
{
	hook_count_one(hook->engine, result);
	hook->due_us = HOOK_NEVER_US;
	if (!hook_is_question(hook))
		hook_drop(hooks, hook);
}

static void fail(
    struct hooks *hooks, struct hook *hook, enum hook_result result, uint16_t http, const char *why)
{
	log_failure(hooks, hook, http, why);
	hook_record(hook, result, http, why);
	settle(hooks, hook, result);
}

static void retry(struct hooks *hooks, struct hook *hook, uint64_t wait_s, uint16_t http)
{
	uint64_t delay_us = backoff_ms(hook->attempts) * 1000;

	if (wait_s * HOOK_SECOND_US > delay_us)
		delay_us = wait_s * HOOK_SECOND_US;
	hook->due_us = clock_monotonic_us() + delay_us;
	if (hook->due_us >= hook->until_us ||
	    (hook->data && hook->attempts >= HOOK_AFTER_ATTEMPTS)) {
		fail(hooks, hook, HOOK_RESULT_FAILED, http, "no time is left to try again");
		return;
	}
	hook_count_one(hook->engine, HOOK_RESULT_RETRY);
}

static enum hook_result judge(const struct message_fetched *answer)
{
	if (answer->status == ANSWER_REFUSED)
		return HOOK_RESULT_FAILED;
	if (answer->status != ANSWER_OK)
		return HOOK_RESULT_RETRY;
	if (answer->http >= 200 && answer->http <= 299)
		return HOOK_RESULT_OK;
	switch (answer->http) {
	case 410: return HOOK_RESULT_GONE;
	case 408:
	case 409:
	case 425:
	case 429: return HOOK_RESULT_RETRY;
	default: return answer->http >= 500 ? HOOK_RESULT_RETRY : HOOK_RESULT_FAILED;
	}
}

/* ---- an answer on the request itself -------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void give_answer(
    const struct hook *hook, const struct policy_channel *channel, const json_t *said, bool approve)
{
	char approval[APPROVAL_ID_MAX]; /* the hook goes with its question */
	const struct channel_answer answer = {.approval = approval,
	    .approve = approve,
	    .scope = GRANT_ONCE,
	    .reason = text_of(said, "reason"),
	    .claimed = text_of(said, "approver")};
	struct err_note note = {""};
	json_t *told = NULL;

	memcpy(approval, hook->approval, sizeof(approval));
	if (channel_decide(hook->engine, channel, &answer, &told, &note))
		log_warn("channel %s: its answer does not count: %s", channel->name, note.text);
	json_decref(told);
}

/* {"approved": true|false, reason?, approver?} of a plain JSON channel, by TLS from where the URL
 * says. Anything else only says that it was taken. The hook may be gone afterwards. */
static void take_answer(const struct hook *hook, const struct policy_channel *channel,
    const struct message_fetched *fetched)
{
	struct err_note note = {""};
	json_t *said = NULL;
	const json_t *approved;

	if (!channel || channel->type != CHANNEL_JSON || fetched->body.len == 0 ||
	    value_read(fetched->body.data, fetched->body.len, &said, &note))
		return;
	approved = json_object_get(said, "approved");
	if (approved && !json_is_boolean(approved))
		log_warn("channel %s: its answer does not count: approved must be true or false",
		    channel->name);
	if (json_is_boolean(approved) && !hook->by_https)
		log_warn("channel %s: its answer does not count: it came without TLS, so that any "
			 "program at that address could have given it; use https or signed "
			 "callbacks",
		    channel->name);
	else if (json_is_boolean(approved) && !hook->whole)
		log_warn("channel %s: its answer does not count: the question was too long to be "
			 "shown whole",
		    channel->name);
	else if (json_is_boolean(approved))
		give_answer(hook, channel, said, json_is_true(approved));
	json_decref(said);
}

static void on_fetched(void *context, const struct message_fetched *answer)
{
	struct hook *hook = context;
	struct engine *engine = hook->engine;
	struct hooks *hooks = engine->hooks;
	enum hook_result result = judge(answer);

	hook->sending = false;
	if (hook->over) { /* decided before this came; what failed is not tried again */
		result = result == HOOK_RESULT_RETRY ? HOOK_RESULT_OVER : result;
		hook_record(
		    hook, result, answer->http, result == HOOK_RESULT_OK ? "" : answer->note);
		settle(hooks, hook, result);
	} else if (result == HOOK_RESULT_OK) {
		bool question = hook_is_question(hook);

		hook->told = true;
		hook_record(hook, result, answer->http, "");
		settle(hooks, hook, result);
		if (question)
			take_answer(hook, policy_find_channel(engine->rules->policy, hook->channel),
			    answer);
	} else if (result == HOOK_RESULT_RETRY) {
		log_failure(hooks, hook, answer->http, answer->note);
		retry(hooks, hook, answer->retry_s, answer->http);
	} else {
		fail(hooks, hook, result, answer->http, answer->note);
	}
	hook_sweep(engine);
}

/* ---- sending -------------------------------------------------------------------------------- */

static uint32_t in_flight(const struct hooks *hooks)
{
	uint32_t count = 0;

	for (const struct hook *at = hooks->list; at; at = at->next)
		count += at->sending;
	return count;
}

/* channel: NULL: of all. */
static uint32_t in_flight_of(const struct hooks *hooks, const char *channel, bool slow)
{
	uint32_t count = 0;

	for (const struct hook *at = hooks->list; at; at = at->next)
		count += at->sending && at->slow == slow &&
			 (!channel || strcmp(at->channel, channel) == 0);
	return count;
}

/* Of its kind's places each channel of the policy has the same number, so that one that takes its
 * time, or never answers, keeps no place from another. */
static uint32_t share_of(const struct policy *policy, bool slow)
{
	uint32_t places = slow ? HOOK_SLOW_MAX : HOOK_FLIGHT_MAX - HOOK_SLOW_MAX, count = 0;

	for (uint32_t i = 0; i < policy->channel_count; i++)
		count += !slow || policy->channels[i].type == CHANNEL_JSON;
	places = count == 0 ? places : places / count;
	return places < HOOK_SHARE_MIN ? HOOK_SHARE_MIN : places;
}

static bool has_place(
    const struct hooks *hooks, const struct hook *hook, const struct policy_channel *channel)
{
	bool slow = channel->type == CHANNEL_JSON && !hook->data;

	return in_flight_of(hooks, hook->channel, slow) <
		   share_of(hook->engine->rules->policy, slow) &&
	       (!slow || in_flight_of(hooks, NULL, true) < HOOK_SLOW_MAX);
}

static uint32_t timeout_of(const struct hook *hook, const struct policy_channel *channel)
{
	uint64_t now_us = clock_monotonic_us();
	uint64_t left_ms = hook->until_us > now_us ? (hook->until_us - now_us) / 1000 + 1 : 1;

	if (channel->type != CHANNEL_JSON || hook->data)
		return HOOK_TIMEOUT_MS;
	return left_ms < HOOK_SLOW_MS ? (uint32_t)left_ms : HOOK_SLOW_MS;
}

static int64_t start(
    struct hook *hook, const struct policy_channel *channel, struct hook_request *request)
{
	const struct message_fetch fetch = {.method = FETCH_POST,
	    .url = request->url,
	    .headers = {(const char **)request->headers, request->header_count},
	    .timeout_ms = timeout_of(hook, channel),
	    .answer_max = HOOK_ANSWER_MAX,
	    .body = {request->body.data, request->body.len}};

	hook->whole = request->whole;
	hook->by_https = request->by_https;
	hook->slow = fetch.timeout_ms != HOOK_TIMEOUT_MS;
	return fetch_start(hook->engine, &fetch, on_fetched, hook);
}

/* Builds and sends. The hook may be gone afterwards. */
static void send_now(
    struct hooks *hooks, struct hook *hook, const struct policy_channel *channel, json_t *data)
{
	struct hook_form form = {.type = channel->type,
	    .event = hook->event,
	    .data = data,
	    .id = hook->id,
	    .nonce = hook->nonce,
	    .answer_url = "",
	    .page_url = "",
	    .topic = "",
	    .wall_us = clock_wall_us()};
	struct hook_request cleanup_with(hook_request_fini) request = {.url = ""};
	int fault = hook_request_build(&request, hook->engine, channel, &form);

	hook->attempts++;
	if (fault) {
		fail(hooks, hook, HOOK_RESULT_FAILED, 0, request.why);
		return;
	}
	hook->sending = true;
	if (start(hook, channel, &request) > 0)
		return;
	hook->sending = false;
	log_failure(hooks, hook, 0, "courier takes no more now");
	retry(hooks, hook, 0, 0);
}

/* How many questions this channel has not been told yet. */
static uint32_t count_waiting(const struct hooks *hooks, const char *channel, uint64_t now_us)
{
	uint32_t count = 0;

	for (const struct hook *at = hooks->list; at; at = at->next)
		count += hook_is_question(at) && !at->told && at->due_us != HOOK_NEVER_US &&
			 at->due_us <= now_us + HOOK_MINUTE_US && strcmp(at->channel, channel) == 0;
	return count;
}

static void add_digest(struct hooks *hooks, struct hook_channel *channel, struct engine *engine)
{
	uint64_t now_us = clock_monotonic_us();
	uint32_t count = count_waiting(hooks, channel->name, now_us);
	struct hook *hook;

	if (channel->digest_us && now_us - channel->digest_us < HOOK_MINUTE_US)
		return;
	hook = hook_add(engine, channel->name, "approval.digest");
	if (!hook)
		return;
	channel->digest_us = now_us;
	hook->due_us = now_us;
	hook->until_us = now_us + HOOK_MINUTE_US;
	hook->data = json_pack("{s:i, s:o}", "waiting", (int)count, "text",
	    json_sprintf("%u questions wait for approval; they follow, at most %d a minute", count,
		HOOK_RATE));
	if (!hook->data)
		hook_drop(hooks, hook);
}

/* True: too many already; it is due again when there is room, and one message says how many. */
static bool is_held(struct hooks *hooks, struct hook *hook)
{
	struct hook_channel *channel = hook_channel_of(hooks, hook->channel);
	uint64_t now_us = clock_monotonic_us(), *oldest;

	if (!channel)
		return false;
	oldest = &channel->sent_us[channel->sent_next % HOOK_RATE];
	if (*oldest && now_us - *oldest < HOOK_MINUTE_US) {
		hook->due_us = *oldest + HOOK_MINUTE_US;
		if (!hook->held)
			hook_count_one(hook->engine, HOOK_RESULT_HELD);
		hook->held = true;
		add_digest(hooks, channel, hook->engine);
		return true;
	}
	*oldest = now_us;
	channel->sent_next++;
	return false;
}

/* Sends one that is due, if it can be; then it may be gone. */
static void send_due(struct hooks *hooks, struct hook *hook)
{
	struct engine *engine = hook->engine;
	const struct policy_channel *channel =
	    policy_find_channel(engine->rules->policy, hook->channel);
	const struct approval *approval = approval_find(engine, hook->approval);
	json_t *data;

	if (channel && !has_place(hooks, hook, channel))
		return;
	if (!channel || (hook_is_question(hook) && !approval)) {
		fail(hooks, hook, HOOK_RESULT_FAILED, 0, "the policy has no such channel now");
		return;
	}
	if (hook_is_question(hook) && is_held(hooks, hook))
		return;
	data = hook->data ? json_incref(hook->data) : approval_json(engine, approval);
	if (data)
		send_now(hooks, hook, channel, data);
	else
		fail(hooks, hook, HOOK_RESULT_FAILED, 0, "out of memory");
	json_decref(data);
}

void hook_sweep(struct engine *engine)
{
	struct hooks *hooks = engine->hooks;
	uint64_t now_us = clock_monotonic_us();
	struct hook *hook = hooks ? hooks->list : NULL, *next;

	for (; hook && !engine->draining; hook = next) {
		next = hook->next; /* only this one may go */
		if (hook->sending || hook->due_us > now_us)
			continue;
		if (in_flight(hooks) >= HOOK_FLIGHT_MAX)
			break;
		send_due(hooks, hook);
	}
	if (hooks) /* what is due and not sent waits for a place, which an answer makes */
		hook_set_timer(hooks, 1000);
}
