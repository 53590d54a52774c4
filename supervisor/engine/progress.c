#include "supervisor/engine/progress.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "agent-api/wire/notice.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/calls.h"
#include "supervisor/engine/sibling.h"
#include "supervisor/engine/waiting.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/output.h"
#include "supervisor/engine/subscribe.h"

#define NOTICE_MAX  (64 * 1024)
#define BACKLOG_MAX (1024 * 1024) /* of the link: progress is the first that can be left out */

/* One call that wants to be told of. Its number is bytes of output plus what was said without
 * any, so that it always grows. */
struct progress {
	struct progress *next;
	struct engine *engine;
	char call[CALL_ID_MAX];
	uint64_t seen[OUTPUT_STREAMS]; /* bytes told of */
	uint64_t waits;                /* messages without output */
	uint64_t waited_us;            /* monotonic, of the last of them; 0 none yet */
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

static void say(
    struct progress *progress, const struct call *call, uint64_t number, const struct buf *text)
{
	const struct notice_progress notice = {.token = call->progress,
	    .progress = number,
	    .message = text->data,
	    .message_len = text->len};
	struct engine *engine = progress->engine;
	struct buf cleanup_with(buf_fini) body = {0};
	struct message message;

	buf_init(&body, NOTICE_MAX);
	if (notice_progress(&body, subscribe_revision(engine, call->era, call->peer), &notice))
		return;
	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.peer = call->peer;
	message.u.notify.body = (struct bytes){.data = body.data, .len = body.len};
	(void)sibling_send_peer(engine, call->peer, &message);
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
			free(progress);
			continue;
		}
		at = &progress->next;
		if (link_backlog(sibling_of_peer(engine, call->peer)) > BACKLOG_MAX)
			continue;
		if (call->state == CALL_RUNNING && call->output)
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
	struct progress *progress = waiting ? calloc(1, sizeof(*progress)) : NULL;

	if (!progress)
		return;
	progress->engine = engine;
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
		free(progress);
	}
}
