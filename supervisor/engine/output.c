#include "supervisor/engine/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define READ_CHUNK   (64 * 1024)
#define READS_A_TURN 4                 /* chunks of one stream before the loop turns */
#define DRAIN_MAX    (4 * 1024 * 1024) /* more than a pipe can hold: fs.pipe-max-size is 1 MiB */

struct stream {
	uv_poll_t poll;
	struct output *output;
	int fd;     /* -1 at the end of the stream */
	int polled; /* the handle needs uv_close() */
	struct buf head;
	uint8_t *tail; /* ring of tail_cap bytes, made when the head is full */
	size_t tail_cap;
	size_t tail_len;
	size_t tail_next; /* where the next byte goes */
	uint64_t bytes;
	struct digest_stream *hash;
};

struct output {
	struct stream streams[OUTPUT_STREAMS];
	int fault;   /* the first; reading goes on, so that the tool does not hang */
	int handles; /* not yet closed by the loop */
	int freed;
};

static void free_when_closed(struct output *output)
{
	if (!output->freed || output->handles > 0)
		return;
	for (int i = 0; i < OUTPUT_STREAMS; i++) {
		buf_fini(&output->streams[i].head);
		free(output->streams[i].tail);
		if (output->streams[i].hash)
			digest_stream_free(output->streams[i].hash);
	}
	free(output);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct output *output = ((struct stream *)handle->data)->output;

	output->handles--;
	free_when_closed(output);
}

static void stream_close(struct stream *stream)
{
	if (stream->polled) {
		stream->polled = 0;
		uv_close((uv_handle_t *)&stream->poll, on_poll_closed);
	}
	if (stream->fd >= 0)
		close(stream->fd);
	stream->fd = -1;
}

/* Keeps the last tail_cap bytes. */
static int keep_tail(struct stream *stream, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	if (!stream->tail)
		stream->tail = malloc(stream->tail_cap);
	if (!stream->tail)
		return -ENOMEM;
	if (len > stream->tail_cap) {
		bytes += len - stream->tail_cap;
		len = stream->tail_cap;
	}
	while (len > 0) {
		size_t room = stream->tail_cap - stream->tail_next;
		size_t part = len < room ? len : room;

		memcpy(stream->tail + stream->tail_next, bytes, part);
		stream->tail_next = (stream->tail_next + part) % stream->tail_cap;
		stream->tail_len += part;
		bytes += part;
		len -= part;
	}
	if (stream->tail_len > stream->tail_cap)
		stream->tail_len = stream->tail_cap;
	return 0;
}

static int stream_take(struct stream *stream, const uint8_t *bytes, size_t len)
{
	size_t room = stream->head.limit - stream->head.len;
	size_t first = len < room ? len : room;
	int fault = digest_stream_add(stream->hash, bytes, len);

	stream->bytes += len;
	if (!fault)
		fault = buf_put(&stream->head, bytes, first);
	if (!fault)
		fault = keep_tail(stream, bytes + first, len - first);
	return fault;
}

/* Reads at most max bytes. Ends the stream at its end; a read error is the output's fault. */
static void stream_read(struct stream *stream, size_t max)
{
	uint8_t chunk[READ_CHUNK];
	size_t total = 0;

	while (stream->fd >= 0 && total < max) {
		ssize_t got = read(stream->fd, chunk, sizeof(chunk));
		int fault = got < 0 ? -errno : 0;

		if (fault == -EINTR)
			continue;
		if (fault == -EAGAIN)
			return;
		if (got > 0) {
			fault = stream_take(stream, chunk, (size_t)got);
			total += (size_t)got;
		}
		if (fault && !stream->output->fault)
			stream->output->fault = fault;
		if (got <= 0)
			stream_close(stream);
	}
}

static void on_poll_readable(uv_poll_t *poll, int status, int events)
{
	struct stream *stream = poll->data;

	(void)events;
	(void)status; /* an error shows itself to read(2) */
	stream_read(stream, (size_t)READ_CHUNK * READS_A_TURN);
}

static int stream_start(struct stream *stream, uv_loop_t *loop, uint64_t keep)
{
	int fault;

	buf_init(&stream->head, (size_t)(keep - keep / 2));
	stream->tail_cap = (size_t)(keep / 2 ? keep / 2 : 1);
	stream->hash = digest_stream_new();
	if (!stream->hash)
		return -ENOMEM;
	fault = fd_set_nonblocking(stream->fd);
	if (!fault)
		fault = uv_poll_init(loop, &stream->poll, stream->fd);
	if (fault)
		return fault;
	stream->poll.data = stream;
	stream->polled = 1;
	stream->output->handles++;
	return uv_poll_start(&stream->poll, UV_READABLE | UV_DISCONNECT, on_poll_readable);
}

int output_start(uv_loop_t *loop, int out_fd, int err_fd, uint64_t keep, struct output **ret)
{
	int fds[OUTPUT_STREAMS] = {[OUTPUT_OUT] = out_fd, [OUTPUT_ERR] = err_fd};
	struct output *output = calloc(1, sizeof(*output));
	int fault = 0;

	if (keep == 0)
		keep = OUTPUT_KEEP_DEFAULT;
	if (keep > OUTPUT_KEEP_MAX)
		keep = OUTPUT_KEEP_MAX;
	if (!output) {
		cleanup_fd_(&out_fd);
		cleanup_fd_(&err_fd);
		return -ENOMEM;
	}
	for (int i = 0; i < OUTPUT_STREAMS; i++) {
		output->streams[i].output = output;
		output->streams[i].fd = fds[i];
	}
	for (int i = 0; i < OUTPUT_STREAMS && !fault; i++)
		fault = stream_start(&output->streams[i], loop, keep);
	if (fault) {
		output_free(output);
		return fault;
	}
	*ret = output;
	return 0;
}

int output_finish(struct output *output)
{
	for (int i = 0; i < OUTPUT_STREAMS; i++) {
		stream_read(&output->streams[i], DRAIN_MAX);
		stream_close(&output->streams[i]);
	}
	return output->fault;
}

static uint64_t left_out(const struct stream *stream)
{
	return stream->bytes - stream->head.len - stream->tail_len;
}

int output_facts(const struct output *output, enum output_stream which, struct output_facts *ret)
{
	const struct stream *stream = &output->streams[which];
	struct output_facts facts = {.bytes = stream->bytes, .truncated = left_out(stream) > 0};
	int fault = digest_stream_peek(stream->hash, &facts.digest);

	if (!fault)
		*ret = facts;
	return fault;
}

int output_text(struct buf *out, const struct output *output, enum output_stream which)
{
	const struct stream *stream = &output->streams[which];
	size_t start = stream->tail_len < stream->tail_cap ? 0 : stream->tail_next;
	uint64_t missing = left_out(stream);

	(void)buf_put(out, stream->head.data, stream->head.len);
	if (missing)
		(void)buf_textf(out, "\n[callgate: %" PRIu64 " bytes left out]\n", missing);
	if (stream->tail_len) {
		(void)buf_put(out, stream->tail + start, stream->tail_len - start);
		(void)buf_put(out, stream->tail, start);
	}
	return out->fault;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	for (int i = 0; i < OUTPUT_STREAMS; i++)
		stream_close(&output->streams[i]);
	output->freed = 1;
	free_when_closed(output);
}
