/* A line on a terminal after two seconds, and nothing anywhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/control/progress.h"

/* What comes out of the end within ms; "" nothing. */
static const char *said(int from, int ms)
{
	static char text[256];
	struct pollfd readable = {.fd = from, .events = POLLIN};
	ssize_t len = 0;
	int ready;

	do
		ready = poll(&readable, 1, ms);
	while (ready < 0 && errno == EINTR);
	if (ready > 0)
		len = read(from, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void test_progress(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), before = dup(STDERR_FILENO), slave;
	uint64_t count = 1234567;
	char on_terminal[256], as_json[256], ended[256];

	(void)state;
	assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	slave = open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && dup2(slave, STDERR_FILENO) >= 0);
	progress_begin(COMMAND_OUTPUT_JSON, "doing", &count, "things");
	strcpy(as_json, said(terminal, 2300));
	progress_begin(COMMAND_OUTPUT_TEXT, "doing", &count, "things");
	strcpy(on_terminal, said(terminal, 5000));
	progress_end();
	progress_begin(COMMAND_OUTPUT_TEXT, "doing", NULL, NULL);
	progress_end();
	strcpy(ended, said(terminal, 2300));
	assert_true(dup2(before, STDERR_FILENO) >= 0);
	assert_string_equal(as_json, "");
	assert_string_equal(on_terminal, "doing: 1234567 things ...\r\n");
	assert_string_equal(ended, "");
	close(terminal);
	close(slave);
	close(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests_name("progress", tests, NULL, NULL);
}
