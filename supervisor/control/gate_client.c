#include "supervisor/control/gate_client.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define PREFIX     "fd:"
#define DIGITS_MAX 6

int gate_number(const char *socket)
{
	const char *digits = socket ? socket + strlen(PREFIX) : NULL;
	size_t len;
	int number = 0;

	if (!socket || strncmp(socket, PREFIX, strlen(PREFIX)) != 0)
		return -1;
	len = strspn(digits, "0123456789");
	if (len == 0 || len > DIGITS_MAX || digits[len])
		return -1;
	for (; *digits; digits++)
		number = 10 * number + (*digits - '0');
	return number;
}

int gate_connect(int gate_fd)
{
	int cleanup_fd ours = -1;
	int cleanup_fd theirs = -1;
	int ends[2], fault;

	/* Else the pair itself could get that number. */
	if (fcntl(gate_fd, F_GETFD) < 0)
		return -errno;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ours = ends[0];
	theirs = ends[1];
	fault = fd_send(gate_fd, "g", 1, &theirs, 1);
	return fault ? fault : take_fd(&ours);
}
