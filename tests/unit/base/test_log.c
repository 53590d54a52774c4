#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"

/* The clock stands still, so that lines can be compared. */
uint64_t clock_wall_us(void)
{
	return 1795413000000000;
}
uint64_t clock_monotonic_us(void)
{
	return 0;
}
char *clock_stamp(char out[CLOCK_STAMP_MAX], uint64_t wall_us)
{
	snprintf(out, CLOCK_STAMP_MAX, "T%d", (int)(wall_us / 1795413000000000));
	return out;
}

static int saved_stderr = -1, pipe_fds[2];

static int catch_stderr(void **state)
{
	(void)state;
	saved_stderr = dup(2);
	return pipe2(pipe_fds, O_NONBLOCK) < 0 || dup2(pipe_fds[1], 2) < 0;
}

static int release_stderr(void **state)
{
	(void)state;
	dup2(saved_stderr, 2);
	close(saved_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

/* What was written since the last time; "" for nothing. */
static const char *written(void)
{
	static char line[16384];
	ssize_t n = read(pipe_fds[0], line, sizeof(line) - 1);

	line[n > 0 ? n : 0] = '\0';
	return line;
}

static void text_line(void **state)
{
	char want[128];

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_info("call %s", "c\n1\x1b[31m");
	snprintf(want, sizeof(want), "T1 info  engine[%d]: call c\\x0a1\\x1b[31m\n", (int)getpid());
	assert_string_equal(written(), want);
}

static void json_line_stays_json(void **state)
{
	char want[128];

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_error("say \"%s\"", "a\\b\xff\n");
	snprintf(want, sizeof(want),
	    "{\"time\":\"T1\",\"level\":\"error\",\"role\":\"engine\",\"pid\":%d,"
	    "\"message\":\"say \\\"a\\\\b\\\\xff\\\\x0a\\\"\"}\n",
	    (int)getpid());
	assert_string_equal(written(), want);
}

static void level_is_a_threshold(void **state)
{
	(void)state;
	log_init("engine", LOG_LEVEL_WARN, LOG_FORMAT_TEXT);
	log_info("no");
	log_debug("no");
	assert_string_equal(written(), "");
	log_warn("yes");
	assert_non_null(strstr(written(), "warn  engine"));
}

static void long_message_is_cut_to_one_line(void **state)
{
	char message[8000];
	const char *line;

	(void)state;
	memset(message, '"', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_info("%s", message);
	line = written();
	assert_true(strlen(line) > 4000); /* 2047 quotes, each with its backslash */
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_string_equal(line + strlen(line) - 4, "\"\"}\n");
}

#define CAUGHT(test) cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CAUGHT(text_line),
	    CAUGHT(json_line_stays_json),
	    CAUGHT(level_is_a_threshold),
	    CAUGHT(long_message_is_cut_to_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
