#include "supervisor/engine/asking/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "agent-api/wire/notice.h"
#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/sibling.h"

#define NOTICE_MAX          (64 * 1024)
#define BACKLOG_MAX         (1024 * 1024)      /* of the link: progress is left out first */
#define PROGRESS_NUMBER_MAX 9007199254740992.0 /* with an offset it still is exact enough */

/* One call that wants to be told of. Its number is bytes of output plus what was said without
 * any, so that it always grows. */
struct progress {
	struct progress *next;
	struct engine *engine;
	char call[CALL_ID_MAX];
	uint64_t seen[OUTPUT_STREAMS]; /* bytes told of */
	uint64_t waits;                /* messages without output */
	uint64_t waited_us;            /* monotonic, of the last of them; 0 none yet */
	/* What the tool says itself; its numbers begin above what was told before. */
	bool own, late; /* it says something; the newest of it was not told yet */
	bool has_total;
	double number, total, offset;
	char *text; /* owned; NULL: none */
	int spare;  /* how many may go out at once */
};

/* ---- what is said ------------------------------------------------------------------------ */

static int is_continuation(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* Bytes at the end that begin a character of which the rest has not come yet. */
static size_t unfinished(const uint8_t *bytes, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		uint8_t byte = bytes[len - back];

		if (is_continuation(byte))
			continue;
		if ((byte >= 0xF0 && back < 4) || (byte >= 0xE0 && back < 3) ||
		    (byte >= 0xC0 && back < 2))
			return back;
		break;
	}
	return 0;
}

static int is_control(uint8_t byte)
{
	return (byte < 0x20 && byte != '\n' && byte != '\t' && byte != '\r') || byte == 0x7F;
}

int progress_text(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t *from = bytes;
	uint8_t *cleanup_free clean = malloc(len ? len : 1);
	size_t kept = 0;

	if (!clean)
		return -ENOMEM;
	while (len > 0 && is_continuation(*from)) {
		from++;
		len--;
	}
	len -= unfinished(from, len);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = from[i], next = i + 1 < len ? from[i + 1] : 0;

		if (byte == '\r' && next == '\n')
			continue;
		if (byte == 0xC2 && next >= 0x80 && next < 0xA0) {
			clean[kept++] = '?'; /* C1 */
			i++;
			continue;
		}
		clean[kept++] = is_control(byte) ? '?' : byte == '\r' ? '\n' : byte;
	}
	return value_clean(out, clean, kept);
}

static void notify(
    struct engine *engine, const struct call *call, const struct notice_progress *notice)
{
	struct buf cleanup_with(buf_fini) body = {0};
	struct message message;

	buf_init(&body, NOTICE_MAX);
	if (notice_progress(&body, subscribe_revision(engine, call->era, call->peer), notice))
		return;
	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = call->peer;
	message.u.notify.body = (struct bytes){.data = body.data, .len = body.len};
	(void)sibling_send_peer(engine, call->peer, &message);
}

static void say(
    struct progress *progress, const struct call *call, uint64_t number, const struct buf *text)
{
	const struct notice_progress notice = {.token = call->progress,
	    .progress = (double)number,
	    .message = text->data,
	    .message_len = text->len};

	notify(progress->engine, call, &notice);
}

static uint64_t number_of(const struct progress *progress)
{
	uint64_t number = progress->waits;

	for (int i = 0; i < OUTPUT_STREAMS; i++)
		number += progress->seen[i];
	return number;
}

/* Adds what a stream has written since it was last told of. */
static void add_stream(
    struct progress *progress, const struct call *call, enum output_stream stream, struct buf *text)
{
	const void *tail = NULL;
	uint64_t total = 0, grown;
	size_t len = 0;

	if (output_seen(call->output, stream, &total, &tail, &len) ||
	    total <= progress->seen[stream])
		return;
	grown = total - progress->seen[stream];
	if (grown < len) {
		tail = (const uint8_t *)tail + (len - grown);
		len = (size_t)grown;
	}
	if (len > PROGRESS_TEXT_MAX - text->len) {
		size_t left_out = len - (PROGRESS_TEXT_MAX - text->len);

		tail = (const uint8_t *)tail + left_out;
		len -= left_out;
	}
	progress->seen[stream] = total;
	(void)progress_text(text, tail, len);
}

static void tell_output(struct progress *progress, struct call *call)
{
	struct buf cleanup_with(buf_fini) text = {0};
	uint64_t before = number_of(progress);

	buf_init(&text, 3 * PROGRESS_TEXT_MAX);
	add_stream(progress, call, OUTPUT_ERR, &text);
	if (text.len < PROGRESS_TEXT_MAX)
		add_stream(progress, call, OUTPUT_OUT, &text);
	if (number_of(progress) == before)
		return;
	call->streamed = true;
	say(progress, call, number_of(progress), &text);
}

static void tell_waiting(struct progress *progress, const struct call *call)
{
	struct buf cleanup_with(buf_fini) text = {0};
	uint64_t now_us = clock_monotonic_us();

	if (progress->waited_us && now_us - progress->waited_us < PROGRESS_WAITING_MS * 1000)
		return;
	buf_init(&text, 128);
	buf_textf(&text, "waits for approval %s", call->approval->answer.id);
	progress->waited_us = now_us;
	progress->waits++;
	say(progress, call, number_of(progress), &text);
}

/* ---- what the tool says itself ------------------------------------------------------------ */

static void tell_own(struct progress *progress, struct call *call)
{
	const double total = progress->offset + progress->total;
	const struct notice_progress notice = {.token = call->progress,
	    .progress = progress->offset + progress->number,
	    .total = progress->has_total ? &total : NULL,
	    .message = progress->text,
	    .message_len = progress->text ? strlen(progress->text) : 0};

	progress->late = false;
	call->streamed = true; /* what it says is not in its output, but it was seen */
	notify(progress->engine, call, &notice);
}

static bool is_number(const json_t *value)
{
	double number = json_number_value(value);

	return json_is_number(value) && number >= 0 && number <= PROGRESS_NUMBER_MAX;
}

/* The text as it may be shown, owned; NULL: none, or no memory. */
static char *shown_text(const json_t *text)
{
	struct buf cleanup_with(buf_fini) shown = {0};
	const char *clean;

	buf_init(&shown, 4 * PROGRESS_SAID_MAX);
	if (!text || progress_text(&shown, json_string_value(text), json_string_length(text)))
		return NULL;
	clean = buf_cstr(&shown);
	return clean && *clean ? strdup(clean) : NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *judge_said(const struct methods_ask *ask)
{
	const json_t *total = json_object_get(ask->params, "total");
	const json_t *text = json_object_get(ask->params, "message");

	if (!is_number(json_object_get(ask->params, "progress")) || (total && !is_number(total)))
		return "progress and total are numbers from 0 to 2^53";
	if (text && (!json_is_string(text) || json_string_length(text) > PROGRESS_SAID_MAX))
		return "message is a text of at most 1024 bytes";
	return NULL;
}

static struct progress *find_progress(const struct engine *engine, const char *call)
{
	const struct waiting *waiting = waiting_find(engine);
	struct progress *at = waiting ? waiting->progress : NULL;

	while (at && strcmp(at->call, call) != 0)
		at = at->next;
	return at;
}

/* Returns whether it is more than was said before. */
static bool take_said(struct progress *progress, struct call *call, const json_t *params)
{
	const json_t *total = json_object_get(params, "total");
	double number = json_number_value(json_object_get(params, "progress"));

	if (progress->own && number <= progress->number)
		return false;
	if (!progress->own) {
		progress->own = true;
		progress->offset = number_of(progress) ? (double)number_of(progress) + 1 : 0;
	}
	progress->number = number;
	progress->has_total = total != NULL;
	progress->total = total ? json_number_value(total) : 0;
	free(progress->text);
	progress->text = shown_text(json_object_get(params, "message"));
	progress->late = true;
	if (progress->spare > 0 && !call->parked &&
	    link_backlog(sibling_of_peer(progress->engine, call->peer)) <= BACKLOG_MAX) {
		progress->spare--;
		tell_own(progress, call);
	}
	return true;
}

void progress_take(const struct methods_ask *ask)
{
	struct call *call = calls_find(ask->engine, ask->peer->call);
	struct progress *progress = call ? find_progress(ask->engine, call->id) : NULL;
	const char *why = judge_said(ask);

	if (!why && progress && call->state == CALL_RUNNING && !call->silent &&
	    !take_said(progress, call, ask->params))
		why = "progress must be more than the last time";
	if (why)
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", why);
	else
		result_give(&ask->to, json_object());
}

/* ---- when -------------------------------------------------------------------------------- */

static void on_ticker_closed(uv_handle_t *ticker)
{
	free(ticker);
}

static void stop_ticker(struct waiting *waiting)
{
	if (waiting->ticker)
		uv_close((uv_handle_t *)take_ptr(waiting->ticker), on_ticker_closed);
}

static void progress_free(struct progress *progress)
{
	free(progress->text);
	free(progress);
}

static void refill(struct progress *progress, struct call *call)
{
	if (progress->late)
		tell_own(progress, call);
	else if (progress->spare < PROGRESS_BURST)
		progress->spare++;
}

static void on_ticker(uv_timer_t *ticker)
{
	struct engine *engine = ticker->data;
	struct waiting *waiting = waiting_find(engine);
	struct progress **at = &waiting->progress;

	while (*at) {
		struct progress *progress = *at;
		struct call *call = calls_find(engine, progress->call);

		if (!call || call->silent) {
			*at = progress->next;
			progress_free(progress);
			continue;
		}
		at = &progress->next;
		if (call->parked || link_backlog(sibling_of_peer(engine, call->peer)) > BACKLOG_MAX)
			continue;
		if (call->state == CALL_RUNNING && progress->own)
			refill(progress, call);
		else if (call->state == CALL_RUNNING && call->output)
			tell_output(progress, call);
		else if (call->state == CALL_APPROVAL && call->approval)
			tell_waiting(progress, call);
	}
	if (!waiting->progress)
		stop_ticker(waiting);
}

static void start_ticker(struct engine *engine, struct waiting *waiting)
{
	uv_timer_t *ticker = malloc(sizeof(*ticker));

	if (!ticker || uv_timer_init(engine->loop, ticker)) {
		free(ticker);
		return;
	}
	ticker->data = engine;
	waiting->ticker = ticker;
	(void)uv_timer_start(ticker, on_ticker, PROGRESS_EVERY_MS, PROGRESS_EVERY_MS);
}

void progress_start(struct call *call)
{
	struct engine *engine = call->engine;
	struct waiting *waiting = call->progress[0] ? waiting_of(engine) : NULL;
	struct progress *progress;

	if (!waiting || find_progress(engine, call->id))
		return;
	progress = calloc(1, sizeof(*progress));
	if (!progress)
		return;
	progress->engine = engine;
	progress->spare = PROGRESS_BURST;
	(void)snprintf(progress->call, sizeof(progress->call), "%s", call->id);
	progress->next = waiting->progress;
	waiting->progress = progress;
	if (!waiting->ticker)
		start_ticker(engine, waiting);
}

void progress_free_all(struct waiting *waiting)
{
	stop_ticker(waiting);
	while (waiting->progress) {
		struct progress *progress = waiting->progress;

		waiting->progress = progress->next;
		progress_free(progress);
	}
}
