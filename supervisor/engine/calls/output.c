#include "supervisor/engine/calls/output.h"

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

struct channel {
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
	int paused; /* the tap had no room */
};

struct output {
	struct channel channels[OUTPUT_STREAMS];
	struct output_tap tap; /* owner and functions NULL: nobody listens */
	uint8_t *newest;       /* what output_seen() last pointed to */
	int finishing;         /* the writers are dead: the tap takes all that is left */
	int fault;             /* the first; reading goes on, so that the tool does not hang */
	int handles;           /* not yet closed by the loop */
	int freed;
};

static void free_when_closed(struct output *output)
{
	if (!output->freed || output->handles > 0)
		return;
	for (int i = 0; i < OUTPUT_STREAMS; i++) {
		buf_fini(&output->channels[i].head);
		free(output->channels[i].tail);
		if (output->channels[i].hash)
			digest_stream_free(output->channels[i].hash);
	}
	free(output->newest);
	free(output);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct output *output = ((struct channel *)handle->data)->output;

	output->handles--;
	free_when_closed(output);
}

static void channel_close(struct channel *channel)
{
	if (channel->polled) {
		channel->polled = 0;
		uv_close((uv_handle_t *)&channel->poll, on_poll_closed);
	}
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
}

/* Keeps the last tail_cap bytes. */
static int keep_tail(struct channel *channel, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return 0;
	if (!channel->tail)
		channel->tail = malloc(channel->tail_cap);
	if (!channel->tail)
		return -ENOMEM;
	if (len > channel->tail_cap) {
		bytes += len - channel->tail_cap;
		len = channel->tail_cap;
	}
	while (len > 0) {
		size_t room = channel->tail_cap - channel->tail_next;
		size_t part = len < room ? len : room;

		memcpy(channel->tail + channel->tail_next, bytes, part);
		channel->tail_next = (channel->tail_next + part) % channel->tail_cap;
		channel->tail_len += part;
		bytes += part;
		len -= part;
	}
	if (channel->tail_len > channel->tail_cap)
		channel->tail_len = channel->tail_cap;
	return 0;
}

static int channel_take(struct channel *channel, const uint8_t *bytes, size_t len)
{
	size_t room = channel->head.limit - channel->head.len;
	size_t first = len < room ? len : room;
	int fault = digest_stream_add(channel->hash, bytes, len);

	channel->bytes += len;
	if (!fault)
		fault = buf_put(&channel->head, bytes, first);
	if (!fault)
		fault = keep_tail(channel, bytes + first, len - first);
	return fault;
}

static enum output_stream channel_stream(const struct channel *channel)
{
	return (enum output_stream)(channel - channel->output->channels);
}

/* Bytes that may be read at once; 0: whoever listens must first get rid of some. */
static size_t channel_room(const struct channel *channel)
{
	const struct output *output = channel->output;
	size_t room = READ_CHUNK;

	if (output->tap.room && !output->finishing)
		room = output->tap.room(output->tap.owner, channel_stream(channel));
	return room < READ_CHUNK ? room : READ_CHUNK;
}

static void channel_pause(struct channel *channel)
{
	if (!channel->polled)
		return;
	channel->paused = 1;
	(void)uv_poll_stop(&channel->poll); /* never fails */
}

static int channel_got(struct channel *channel, const uint8_t *bytes, size_t len)
{
	const struct output_tap *tap = &channel->output->tap;
	int fault = channel_take(channel, bytes, len);

	if (tap->take)
		tap->take(tap->owner, channel_stream(channel), bytes, len);
	return fault;
}

/* Reads at most max bytes. Ends the stream at its end; a read error is the output's fault. */
static void channel_read(struct channel *channel, size_t max)
{
	uint8_t chunk[READ_CHUNK];
	size_t total = 0;

	while (channel->fd >= 0 && total < max) {
		size_t room = channel_room(channel);
		ssize_t got = room > 0 ? read(channel->fd, chunk, room) : -1;
		int fault = got < 0 ? -errno : 0;

		if (room == 0) {
			channel_pause(channel);
			return;
		}
		if (fault == -EINTR)
			continue;
		if (fault == -EAGAIN)
			return;
		if (got > 0) {
			fault = channel_got(channel, chunk, (size_t)got);
			total += (size_t)got;
		}
		if (fault && !channel->output->fault)
			channel->output->fault = fault;
		if (got <= 0)
			channel_close(channel);
	}
}

static void on_poll_readable(uv_poll_t *poll, int status, int events)
{
	struct channel *channel = poll->data;

	(void)events;
	(void)status; /* an error shows itself to read(2) */
	channel_read(channel, (size_t)READ_CHUNK * READS_A_TURN);
}

static int channel_start(struct channel *channel, uv_loop_t *loop, uint64_t keep)
{
	int fault;

	buf_init(&channel->head, (size_t)(keep - keep / 2));
	channel->tail_cap = (size_t)(keep / 2 ? keep / 2 : 1);
	channel->hash = digest_stream_new();
	if (!channel->hash)
		return -ENOMEM;
	fault = fd_set_nonblocking(channel->fd);
	if (!fault)
		fault = uv_poll_init(loop, &channel->poll, channel->fd);
	if (fault)
		return fault;
	channel->poll.data = channel;
	channel->polled = 1;
	channel->output->handles++;
	return uv_poll_start(&channel->poll, UV_READABLE | UV_DISCONNECT, on_poll_readable);
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
		output->channels[i].output = output;
		output->channels[i].fd = fds[i];
	}
	output->newest = malloc(OUTPUT_SEEN_MAX);
	if (!output->newest)
		fault = -ENOMEM;
	for (int i = 0; i < OUTPUT_STREAMS && !fault; i++)
		fault = channel_start(&output->channels[i], loop, keep);
	if (fault) {
		output_free(output);
		return fault;
	}
	*ret = output;
	return 0;
}

void output_tap(struct output *output, const struct output_tap *tap)
{
	output->tap = tap ? *tap : (struct output_tap){0};
}

void output_resume(struct output *output, enum output_stream which)
{
	struct channel *channel = &output->channels[which];

	if (!channel->paused || !channel->polled)
		return;
	channel->paused = 0;
	/* Its only fault is a handle that closes, which polled excludes. */
	(void)uv_poll_start(&channel->poll, UV_READABLE | UV_DISCONNECT, on_poll_readable);
}

int output_finish(struct output *output)
{
	output->finishing = 1;
	for (int i = 0; i < OUTPUT_STREAMS; i++) {
		channel_read(&output->channels[i], DRAIN_MAX);
		channel_close(&output->channels[i]);
	}
	return output->fault;
}

static uint64_t left_out(const struct channel *channel)
{
	return channel->bytes - channel->head.len - channel->tail_len;
}

int output_facts(const struct output *output, enum output_stream which, struct output_facts *ret)
{
	const struct channel *channel = &output->channels[which];
	struct output_facts facts = {.bytes = channel->bytes, .truncated = left_out(channel) > 0};
	int fault = digest_stream_peek(channel->hash, &facts.digest);

	if (!fault)
		*ret = facts;
	return fault;
}

int output_text(struct buf *out, const struct output *output, enum output_stream which)
{
	const struct channel *channel = &output->channels[which];
	size_t start = channel->tail_len < channel->tail_cap ? 0 : channel->tail_next;
	uint64_t missing = left_out(channel);

	(void)buf_put(out, channel->head.data, channel->head.len);
	if (missing)
		(void)buf_textf(out, "\n[callgate: %" PRIu64 " bytes left out]\n", missing);
	if (channel->tail_len) {
		(void)buf_put(out, channel->tail + start, channel->tail_len - start);
		(void)buf_put(out, channel->tail, start);
	}
	return out->fault;
}

/* The last len bytes of the tail's ring. */
static void copy_tail(uint8_t *to, const struct channel *channel, size_t len)
{
	size_t start = (channel->tail_next + channel->tail_cap - len) % channel->tail_cap;
	size_t part = len < channel->tail_cap - start ? len : channel->tail_cap - start;

	if (len == 0)
		return;
	memcpy(to, channel->tail + start, part);
	memcpy(to + part, channel->tail, len - part);
}

int output_seen(const struct output *output, enum output_stream which, uint64_t *ret_total,
    const void **ret_tail, size_t *ret_len)
{
	const struct channel *channel = &output->channels[which];
	size_t tail = channel->tail_len < OUTPUT_SEEN_MAX ? channel->tail_len : OUTPUT_SEEN_MAX;
	size_t head = 0;

	if (left_out(channel) == 0)
		head = channel->head.len < OUTPUT_SEEN_MAX - tail ? channel->head.len
								  : OUTPUT_SEEN_MAX - tail;
	if (head)
		memcpy(output->newest, channel->head.data + channel->head.len - head, head);
	copy_tail(output->newest + head, channel, tail);
	*ret_total = channel->bytes;
	*ret_tail = output->newest;
	*ret_len = head + tail;
	return 0;
}

void output_free(struct output *output)
{
	if (!output)
		return;
	output_tap(output, NULL);
	for (int i = 0; i < OUTPUT_STREAMS; i++)
		channel_close(&output->channels[i]);
	output->freed = 1;
	free_when_closed(output);
}
