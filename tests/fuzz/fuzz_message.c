/*
 * message_decode() on any datagram: refused, or a message that encodes to the same bytes again.
 * The first byte of the input chooses how many descriptors come along, and of which kind the
 * last one is.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/link/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A sealed body of the least length that may travel so, or something that is no body. */
static int last_descriptor(uint8_t choice)
{
	static const char body[MESSAGE_INLINE + 1];

	if (choice & 0x10)
		return fd_sealed("fuzz", body, sizeof(body));
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void check_same(const struct message *message, const uint8_t *bytes, size_t len)
{
	struct buf out;
	int body_fd = -1;

	buf_init(&out, MESSAGE_MAX);
	if (message_encode(&out, message, &body_fd) < 0 || out.len != len ||
	    memcmp(out.data, bytes, len) != 0)
		abort();
	if (body_fd >= 0)
		close(body_fd);
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fds[MESSAGE_FDS + 1];
	struct message message;
	size_t count;

	if (size == 0)
		return 0;
	count = data[0] & 0x0f;
	if (count > MESSAGE_FDS + 1)
		return 0;
	for (size_t i = 0; i < count; i++)
		fds[i] = last_descriptor(i + 1 == count ? data[0] : 0);
	if (message_decode(&message, data + 1, size - 1, fds, count) == 0)
		check_same(&message, data + 1, size - 1);
	message_fini(&message);
	for (size_t i = 0; i < count; i++) {
		if (fds[i] != -1)
			abort();
	}
	return 0;
}
