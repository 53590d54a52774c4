#include "supervisor/warden/feed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/link/message.h"

void feed_init(struct feed *feed)
{
	memset(feed, 0, sizeof(*feed));
	feed->fd = -1;
}

int feed_take(struct feed *feed, int fd, const struct digest *expected, struct err_note *note)
{
	struct digest digest;
	int fault = fd_map_sealed(fd, MESSAGE_BODY_MAX, &feed->bytes, &feed->len);

	if (!fault)
		fault = digest_of(&digest, feed->bytes, feed->len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "standard input"));
	if (!digest_equal(&digest, expected))
		return err_note(note, -ESTALE, "standard input is not what was decided");
	return 0;
}

void feed_stop(struct feed *feed)
{
	if (feed->fd < 0)
		return;
	if (feed->polled)
		uv_poll_stop(&feed->poll);
	cleanup_fd_(&feed->fd);
}

static void on_pipe_writable(uv_poll_t *poll, int status, int events)
{
	struct feed *feed = (struct feed *)((char *)poll - offsetof(struct feed, poll));
	ssize_t put;

	(void)events;
	do {
		put =
		    write(feed->fd, (const char *)feed->bytes + feed->done, feed->len - feed->done);
		if (put > 0)
			feed->done += (size_t)put;
	} while (put > 0 && feed->done < feed->len);
	/* All written, or nobody reads any more (EPIPE): the tool sees the end of its input. */
	if (feed->done == feed->len || status < 0 || (put < 0 && errno != EAGAIN && errno != EINTR))
		feed_stop(feed);
}

int feed_start(struct feed *feed, uv_loop_t *loop, int fd, void *data)
{
	int fault;

	feed->fd = fd;
	fault = fd_set_nonblocking(fd);
	if (!fault)
		fault = uv_poll_init(loop, &feed->poll, fd);
	if (fault)
		return fault;
	feed->polled = 1;
	feed->poll.data = data;
	return uv_poll_start(&feed->poll, UV_WRITABLE, on_pipe_writable);
}

void feed_fini(struct feed *feed)
{
	feed_stop(feed);
	if (feed->bytes)
		fd_unmap(feed->bytes, feed->len);
	feed->bytes = NULL;
}
