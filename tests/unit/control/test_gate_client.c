/* Which names are gates, and what goes over one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/control/gate_client.h"

static void names(void **state)
{
	static const char *const bad[] = {"", "fd:", "fd:x", "fd:-1", "fd:3x", "fd: 3", "fd:3 ",
	    "fd:1234567", "3", "/fd:3", "FD:3", "/run/callgate/callgate.sock"};

	(void)state;
	assert_int_equal(gate_number("fd:3"), 3);
	assert_int_equal(gate_number("fd:0"), 0);
	assert_int_equal(gate_number("fd:123456"), 123456);
	assert_int_equal(gate_number(NULL), -1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gate_number(bad[i]), -1);
}

static void one_end_goes_over(void **state)
{
	int gate[2], fd, got = -1, type = 0;
	socklen_t len = sizeof(type);
	char bytes[8] = "";
	size_t count = 0;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, gate), 0);
	fd = gate_connect(gate[0]);
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fd_receive(gate[1], bytes, sizeof(bytes), &got, 1, &count), 1);
	assert_int_equal(count, 1);
	assert_int_equal(getsockopt(got, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	assert_int_equal(type, SOCK_STREAM);
	assert_int_equal(write(fd, "ab", 2), 2);
	assert_int_equal(read(got, bytes, sizeof(bytes)), 2);
	close(got); /* nobody else holds that end */
	assert_int_equal(read(fd, bytes, sizeof(bytes)), 0);
	close(fd);
	close(gate[1]);
	assert_int_equal(gate_connect(gate[0]), -EPIPE);
	close(gate[0]);
	assert_int_equal(gate_connect(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names),
	    cmocka_unit_test(one_end_goes_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
