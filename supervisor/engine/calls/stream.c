#include "supervisor/engine/calls/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/calls/output.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/peer.h"

#define WINDOW      (STREAM_HOLD_MAX - STREAM_PIPE) /* where reading stops */
#define ROOM_MIN    4096                            /* less is not worth a read */
#define SEGMENT_MIN 1024

/* Output in the order in which it was read, both streams in one queue. */
struct segment {
	struct segment *next;
	enum output_stream stream;
	size_t cap, len, taken;
	uint8_t bytes[];
};

/* One request of the client that is not answered yet. */
struct asked {
	bool waits;
	struct result_to to;
};

enum input_state {
	INPUT_AWAITED = 0, /* the tool does not run yet */
	INPUT_OPEN,
	INPUT_CLOSED,
};

struct input {
	enum input_state state;
	int fd;
	uv_poll_t poll; /* active while the pipe is full */
	bool polled;
	bool busy; /* bytes are here that are not in the pipe yet */
	bool end;  /* and nothing behind them */
	bool none; /* the tool runs, and takes no input at all */
	struct asked writer;
	size_t len, done;
	uint8_t bytes[STREAM_WRITE_MAX];
};

struct stream {
	struct call *call; /* whose this is; outlives it */
	uv_timer_t timer;  /* of the waiting reader, then of the rest */
	struct segment *first, *last;
	size_t held[OUTPUT_STREAMS];
	struct asked reader;
	bool started;
	bool finished;
	bool was_read; /* the client has fetched at least once */
	bool end_told;
	bool broken; /* bytes were lost for lack of memory */
	uint64_t deadline_us;
	uint64_t drain_until_us;            /* 0 = not set yet */
	void (*fetched)(struct call *call); /* NULL: nobody waits for that */
	struct input *input;                /* NULL: not asked for */
	int handles;                        /* not yet closed by the loop */
	bool freed;
};

uint64_t stream_cost(uint32_t options)
{
	uint64_t bytes = 0;

	if (options & REQUEST_STREAM_OUTPUT)
		bytes += OUTPUT_STREAMS * (uint64_t)STREAM_HOLD_MAX;
	if (options & REQUEST_STREAM_INPUT)
		bytes += sizeof(struct input);
	return bytes;
}

/* ---- output ------------------------------------------------------------------------------ */

static size_t cost_of(const struct segment *segment)
{
	return sizeof(*segment) + segment->cap;
}

static size_t tap_room(void *owner, enum output_stream which)
{
	const struct stream *stream = owner;
	size_t used = stream->held[which] + sizeof(struct segment);

	return used + ROOM_MIN <= WINDOW ? WINDOW - used : 0;
}

static struct segment *add_segment(struct stream *stream, enum output_stream which, size_t len)
{
	size_t cap = len > SEGMENT_MIN ? len : SEGMENT_MIN;
	struct segment *segment = malloc(sizeof(*segment) + cap);

	if (!segment)
		return NULL;
	*segment = (struct segment){.stream = which, .cap = cap};
	if (stream->last)
		stream->last->next = segment;
	else
		stream->first = segment;
	stream->last = segment;
	stream->held[which] += cost_of(segment);
	return segment;
}

static void keep(struct stream *stream, enum output_stream which, const uint8_t *bytes, size_t len)
{
	struct segment *segment = stream->last;

	if (!segment || segment->stream != which || segment->cap - segment->len < len)
		segment = add_segment(stream, which, len);
	if (!segment) {
		stream->broken = true;
		return;
	}
	memcpy(segment->bytes + segment->len, bytes, len);
	segment->len += len;
}

static void drop_first(struct stream *stream)
{
	struct segment *segment = stream->first;

	stream->first = segment->next;
	if (!stream->first)
		stream->last = NULL;
	stream->held[segment->stream] -= cost_of(segment);
	free(segment);
}

/* At most max bytes of the first segment, as one {stream, data}. */
static size_t put_chunk(struct buf *out, struct stream *stream, size_t max)
{
	struct segment *segment = stream->first;
	size_t len = segment->len - segment->taken;

	if (len > max)
		len = max;
	(void)buf_textf(out, "{\"stream\":\"%s\",\"data\":\"",
	    segment->stream == OUTPUT_ERR ? "stderr" : "stdout");
	(void)str_base64(out, segment->bytes + segment->taken, len);
	(void)buf_text(out, "\"}");
	segment->taken += len;
	if (segment->taken == segment->len)
		drop_first(stream);
	return len;
}

/* What waits, at most STREAM_REPLY_MAX bytes of it, as the member "chunks". Written by hand: a JSON
 * library looks at each byte of it several times, and this is the road of whole files. */
static void put_chunks(struct buf *out, struct stream *stream)
{
	size_t total = 0;

	(void)buf_text(out, "\"chunks\":[");
	while (stream->first && total < STREAM_REPLY_MAX) {
		if (total > 0)
			(void)buf_text(out, ",");
		total += put_chunk(out, stream, STREAM_REPLY_MAX - total);
	}
	(void)buf_text(out, "]");
}

static void resume(struct stream *stream)
{
	struct output *output = stream->call->output;

	if (!stream->started || stream->finished || !output)
		return;
	for (int i = 0; i < OUTPUT_STREAMS; i++)
		if (stream->held[i] <= WINDOW / 2)
			output_resume(output, (enum output_stream)i);
}

/* Answers the reader with what is here, be it nothing. */
static void answer_reader(struct stream *stream)
{
	struct buf cleanup_with(buf_fini) rest = {0};
	struct buf cleanup_with(buf_fini) body = {0};
	const struct result_to *to = &stream->reader.to;
	json_t *last;
	int fault = -ENOMEM;

	(void)uv_timer_stop(&stream->timer);
	stream->reader.waits = false;
	buf_init(&rest, MESSAGE_BODY_MAX);
	buf_init(&body, MESSAGE_BODY_MAX);
	stream->call->streamed |= stream->first != NULL;
	(void)buf_text(&body, "{");
	put_chunks(&body, stream);
	stream->end_told |= stream->finished && !stream->first;
	last = json_pack("{s:b}", "end", (int)stream->end_told);
	if (last)
		fault = result_object(&rest, result_revision(to), last);
	json_decref(last);
	if (!fault) { /* behind its brace */
		(void)buf_text(&body, ",");
		(void)buf_put(&body, rest.data + 1, rest.len - 1);
	}
	if (stream->broken)
		result_refuse(to, RESULT_UNAVAILABLE,
		    "output was lost for lack of memory; the call's result holds what was kept");
	else
		result_give_body(to, REPLY_RESULT, &body, fault);
	resume(stream);
}

static void tap_take(void *owner, enum output_stream which, const void *bytes, size_t len)
{
	struct stream *stream = owner;

	keep(stream, which, bytes, len);
	/* At the end one answer holds more than the first bytes of the rest. */
	if (stream->reader.waits && !stream->call->exit.how)
		answer_reader(stream);
}

/* ---- the rest, after the tool's end ------------------------------------------------------- */

static uint64_t linger_ms(struct stream *stream)
{
	uint64_t now_us = clock_monotonic_us(), left_ms = 0;

	if (stream->call->engine->draining) { /* the end of the daemon does not wait for readers */
		if (stream->drain_until_us == 0)
			stream->drain_until_us = now_us + STREAM_DRAIN_MS * 1000ull;
		return stream->drain_until_us > now_us ? (stream->drain_until_us - now_us) / 1000
						       : 0;
	}
	if (!stream->was_read || !stream->first)
		return STREAM_END_MS;
	if (stream->deadline_us > now_us)
		left_ms = (stream->deadline_us - now_us) / 1000;
	return left_ms > STREAM_LINGER_MS ? left_ms : STREAM_LINGER_MS;
}

static void on_timer_over(uv_timer_t *timer);

/* The call may go on, which may free the stream: nothing may follow. */
static void let_go(struct stream *stream)
{
	void (*fetched)(struct call * call) = stream->fetched;

	stream->fetched = NULL;
	(void)uv_timer_stop(&stream->timer);
	fetched(stream->call);
}

static void on_timer_over(uv_timer_t *timer)
{
	struct stream *stream = timer->data;

	if (stream->fetched)
		let_go(stream);
	else if (stream->reader.waits)
		answer_reader(stream);
}

bool stream_holds(struct stream *stream, void (*fetched)(struct call *call))
{
	if (!stream || !stream->started || !(stream->call->options & REQUEST_STREAM_OUTPUT) ||
	    stream->end_told || stream->broken || stream->call->silent)
		return false;
	stream->fetched = fetched;
	return uv_timer_start(&stream->timer, on_timer_over, linger_ms(stream), 0) == 0;
}

void stream_drain(struct stream *stream)
{
	if (stream && stream->fetched)
		(void)uv_timer_start(&stream->timer, on_timer_over, linger_ms(stream), 0);
}

/* ---- input ------------------------------------------------------------------------------- */

static void answer_writer(struct input *input)
{
	json_t *answer;

	if (!input->writer.waits)
		return;
	input->writer.waits = false;
	answer = json_pack("{s:b}", "closed", (int)(input->state == INPUT_CLOSED));
	if (input->none)
		(void)json_object_set_new(answer, "none", json_true());
	result_give(&input->writer.to, answer);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	stream->handles--;
	if (!stream->freed || stream->handles > 0)
		return;
	free(stream->input);
	free(stream);
}

static void close_input(struct stream *stream)
{
	struct input *input = stream->input;

	if (input->polled) {
		input->polled = false;
		uv_close((uv_handle_t *)&input->poll, on_handle_closed);
	}
	cleanup_fd_(&input->fd);
	input->state = INPUT_CLOSED;
	input->busy = false;
	answer_writer(input);
}

static void on_poll_writable(uv_poll_t *poll, int status, int events);

/* As much as the pipe takes; the rest when it takes more. */
static void pump(struct stream *stream)
{
	struct input *input = stream->input;

	while (input->done < input->len) {
		ssize_t put =
		    write(input->fd, input->bytes + input->done, input->len - input->done);

		if (put > 0) {
			input->done += (size_t)put;
		} else if (put < 0 && errno == EAGAIN) {
			if (uv_poll_start(&input->poll, UV_WRITABLE, on_poll_writable) == 0)
				return;
			break;
		} else if (put == 0 || errno != EINTR) {
			break; /* nobody reads it any more */
		}
	}
	(void)uv_poll_stop(&input->poll);
	if (input->done < input->len || input->end) {
		close_input(stream);
		return;
	}
	input->busy = false;
	answer_writer(input);
}

static void on_poll_writable(uv_poll_t *poll, int status, int events)
{
	(void)status; /* an error shows itself to write(2) */
	(void)events;
	pump(poll->data);
}

static void open_input(struct stream *stream)
{
	struct input *input = stream->input;

	input->fd = take_fd(&stream->call->input);
	if (input->fd < 0 || fd_set_nonblocking(input->fd) != 0 ||
	    uv_poll_init(stream->call->engine->loop, &input->poll, input->fd) != 0) {
		close_input(stream);
		return;
	}
	input->poll.data = stream;
	input->polled = true;
	stream->handles++;
	input->state = INPUT_OPEN;
	if (input->busy)
		pump(stream);
}

/* ---- life -------------------------------------------------------------------------------- */

struct stream *stream_new(struct call *call)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return NULL;
	stream->call = call;
	if (call->options & REQUEST_STREAM_INPUT) {
		stream->input = calloc(1, sizeof(*stream->input));
		if (stream->input)
			stream->input->fd = -1;
	}
	if ((!stream->input && (call->options & REQUEST_STREAM_INPUT)) ||
	    uv_timer_init(call->engine->loop, &stream->timer) != 0) {
		free(stream->input);
		free(stream);
		return NULL;
	}
	stream->timer.data = stream;
	stream->handles = 1;
	return stream;
}

void stream_start(struct stream *stream)
{
	const struct output_tap tap = {tap_room, tap_take, stream};

	if (!stream)
		return;
	stream->started = true;
	stream->deadline_us = clock_monotonic_us() + stream->call->tool->max_execution_ms * 1000;
	if (stream->call->options & REQUEST_STREAM_OUTPUT)
		output_tap(stream->call->output, &tap);
	if (stream->input) {
		stream->input->none = stream->call->stdin_kind != STDIN_STREAM;
		open_input(stream);
	}
}

void stream_finish(struct stream *stream)
{
	if (!stream)
		return;
	stream->finished = true;
	if (stream->input && stream->input->state != INPUT_CLOSED)
		close_input(stream);
	if (stream->reader.waits)
		answer_reader(stream);
}

void stream_free(struct stream *stream)
{
	if (!stream)
		return;
	if (stream->call->output)
		output_tap(stream->call->output, NULL);
	stream_finish(stream);
	while (stream->first)
		drop_first(stream);
	stream->freed = true;
	uv_close((uv_handle_t *)&stream->timer, on_handle_closed);
}

/* ---- requests ---------------------------------------------------------------------------- */

/* The stream of the call that the request names, if it has the option; else it is refused. */
static struct stream *find(const struct methods_ask *ask, uint32_t option)
{
	const json_t *request = json_object_get(ask->params, "request");
	struct call *call = ask->engine->calls;

	while (call && (call->peer != ask->peer->id ||
			   call->request != (uint64_t)json_integer_value(request)))
		call = call->next;
	if (json_is_integer(request) && call && call->stream && (call->options & option))
		return call->stream;
	result_refuse(&ask->to, RPC_INVALID_PARAMS,
	    "requestId: no call of that id is under way here whose %s is streamed",
	    option == REQUEST_STREAM_INPUT ? "standard input" : "output");
	return NULL;
}

void stream_read(const struct methods_ask *ask)
{
	struct stream *stream = find(ask, REQUEST_STREAM_OUTPUT);

	if (!stream)
		return;
	if (stream->reader.waits) {
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "a request for this output waits already; one at a time");
		return;
	}
	stream->reader = (struct asked){true, ask->to};
	stream->was_read = true;
	if (!stream->first && !stream->finished && !stream->broken) {
		(void)uv_timer_start(&stream->timer, on_timer_over, STREAM_WAIT_MS, 0);
		return;
	}
	answer_reader(stream);
	if (!stream->fetched)
		return;
	if (stream->end_told || stream->broken)
		let_go(stream);
	else
		(void)uv_timer_start(&stream->timer, on_timer_over, linger_ms(stream), 0);
}

/* NULL when well-formed, else what is wrong. */
static const char *read_input(const struct methods_ask *ask, struct input *input)
{
	const json_t *data = json_object_get(ask->params, "data");
	const json_t *end = json_object_get(ask->params, "end");

	input->len = input->done = 0;
	if (data && !json_is_string(data))
		return "data: a string in base64 is needed";
	if (end && !json_is_boolean(end))
		return "end: true or false is needed";
	switch (data ? str_unbase64(input->bytes, sizeof(input->bytes), json_string_value(data),
			   json_string_length(data), &input->len)
		     : 0) {
	case 0: break;
	case -ENOBUFS: return "data: at most 65536 bytes in one request";
	default: return "data: not base64 (RFC 4648, section 4)";
	}
	input->end = json_is_true(end);
	return NULL;
}

void stream_write(const struct methods_ask *ask)
{
	struct stream *stream = find(ask, REQUEST_STREAM_INPUT);
	struct input *input = stream ? stream->input : NULL;
	const char *wrong;

	if (!stream)
		return;
	if (input->busy) {
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "earlier input of this call is not in the pipe yet; one request at a time");
		return;
	}
	wrong = read_input(ask, input);
	if (wrong) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
		return;
	}
	input->writer = (struct asked){true, ask->to};
	input->busy = true;
	if (input->state == INPUT_OPEN)
		pump(stream);
	else if (input->state == INPUT_CLOSED)
		close_input(stream);
}

static bool forget(struct asked *asked, uint64_t request)
{
	if (!asked->waits || asked->to.request != request)
		return false;
	asked->waits = false;
	result_silence(&asked->to);
	return true;
}

void stream_cancel(struct engine *engine, uint64_t peer, uint64_t request)
{
	for (struct call *call = engine->calls; call; call = call->next) {
		struct stream *stream = call->peer == peer ? call->stream : NULL;

		if (stream && (forget(&stream->reader, request) ||
				  (stream->input && forget(&stream->input->writer, request))))
			return;
	}
}
