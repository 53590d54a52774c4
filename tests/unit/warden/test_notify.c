#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/warden/notify.h"

static char path[64];
static int manager = -1;

static int open_manager(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	(void)state;
	snprintf(path, sizeof(path), "/tmp/callgate-notify-%d", (int)getpid());
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return bind(manager, (struct sockaddr *)&address, sizeof(address));
}

static int close_manager(void **state)
{
	(void)state;
	close(manager);
	unlink(path);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return 0;
}

static const char *heard(void)
{
	static char state[512];
	ssize_t n = recv(manager, state, sizeof(state) - 1, 0);

	state[n > 0 ? n : 0] = '\0';
	return state;
}

static void the_life_is_told(void **state)
{
	int fd = notify_open();

	(void)state;
	assert_true(fd >= 0);
	notify_ready(fd, "taking calls");
	assert_string_equal(heard(), "READY=1\nSTATUS=taking calls");
	notify_reloading(fd);
	assert_int_equal(strncmp(heard(), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_stopping(fd);
	assert_int_equal(strncmp(heard(), "STOPPING=1\nSTATUS=", 18), 0);
	close(fd);
}

static void nobody_listens(void **state)
{
	(void)state;
	setenv("NOTIFY_SOCKET", "/tmp/callgate-no-such-manager", 1);
	assert_int_equal(notify_open(), -1);
	setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(notify_open(), -1);
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify_open(), -1);
	notify_ready(-1, "into the void");
}

static void pings_only_for_whom_they_are_asked(void **state)
{
	int fd = notify_open();
	char pid[16];

	(void)state;
	notify_ping(fd);
	assert_string_equal(heard(), "WATCHDOG=1");
	close(fd);
	assert_int_equal(notify_ping_ms(), 0);
	setenv("WATCHDOG_USEC", "100000", 1);
	assert_int_equal(notify_ping_ms(), 50);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_ping_ms(), 50);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_ping_ms(), 0);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_ping_ms(), 0);
}

#define HEARD(test) cmocka_unit_test_setup_teardown(test, open_manager, close_manager)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    HEARD(the_life_is_told),
	    HEARD(nobody_listens),
	    HEARD(pings_only_for_whom_they_are_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
