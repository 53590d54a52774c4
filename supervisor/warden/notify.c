#include "supervisor/warden/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"

int notify_open(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(address.sun_path) || !strchr("/@", path[0]))
		return -1;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

void notify_send(int fd, const char *state)
{
	if (fd >= 0)
		(void)send(fd, state, strlen(state), MSG_NOSIGNAL); /* see the header */
}

void notify_ready(int fd, const char *status)
{
	char state[128];

	snprintf(state, sizeof(state), "READY=1\nSTATUS=%s", status);
	notify_send(fd, state);
}

void notify_reloading(int fd)
{
	char state[128];

	snprintf(state, sizeof(state),
	    "RELOADING=1\nMONOTONIC_USEC=%llu\nSTATUS=reading the policy again",
	    (unsigned long long)clock_monotonic_us());
	notify_send(fd, state);
}

void notify_stopping(int fd)
{
	notify_send(fd, "STOPPING=1\nSTATUS=taking no calls; running ones may finish");
}

void notify_ping(int fd)
{
	notify_send(fd, "WATCHDOG=1");
}

uint64_t notify_ping_ms(void)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t wait_us, whose;

	if (!usec || str_u64(usec, UINT64_MAX, &wait_us))
		return 0;
	if (pid && (str_u64(pid, INT32_MAX, &whose) || (pid_t)whose != getpid()))
		return 0;
	return wait_us / 2000;
}
