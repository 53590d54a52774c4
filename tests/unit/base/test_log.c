#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
	    "{\"timestamp\":\"T1\",\"level\":\"error\",\"component\":\"engine\",\"pid\":%d,"
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

/* ---- facts --------------------------------------------------------------------------------- */

static const struct log_field some_fields[] = {
    {.key = LOG_KEY_CALL, .text = "c01"},
    {.key = LOG_KEY_TOOL, .text = "ba\"sh\n\xff"},
    {.key = LOG_KEY_AGENT, .text = ""},
    {.key = LOG_KEY_RULE},
    {.key = LOG_KEY_DURATION_US, .number = 18446744073709551615u},
};
static const struct log_facts some_facts = {LOG_EVENT_CALL, some_fields, 5};

static void facts_are_json(void **state)
{
	char want[256];

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_event(LOG_LEVEL_INFO, &some_facts, "done %d", 7);
	snprintf(want, sizeof(want),
	    "{\"timestamp\":\"T1\",\"level\":\"info\",\"component\":\"engine\",\"pid\":%d,"
	    "\"action\":\"call\",\"call\":\"c01\",\"tool\":\"ba\\\"sh\\\\x0a\\\\xff\","
	    "\"duration_us\":18446744073709551615,\"message\":\"done 7\"}\n",
	    (int)getpid());
	assert_string_equal(written(), want);
}

static void text_has_only_the_words(void **state)
{
	char want[64];

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_event(LOG_LEVEL_INFO, &some_facts, "done %d", 7);
	snprintf(want, sizeof(want), "T1 info  engine[%d]: done 7\n", (int)getpid());
	assert_string_equal(written(), want);
}

static void every_fact_at_its_longest_fits(void **state)
{
	struct log_field fields[LOG_KEY_CAUSE + 1];
	char long_text[4000];
	const char *line;

	(void)state;
	memset(long_text, '"', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';
	for (int key = 0; key <= LOG_KEY_CAUSE; key++)
		fields[key] = (struct log_field){(enum log_key)key, long_text, UINT64_MAX};
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_JSON);
	log_event(LOG_LEVEL_INFO, &(struct log_facts){LOG_EVENT_CALL, fields, LOG_KEY_CAUSE + 1},
	    "%s", long_text);
	line = written();
	assert_non_null(strstr(line, "\"cause\":"));
	assert_string_equal(line + strlen(line) - 4, "\"\"}\n");
}

static void role_takes_its_setting(void **state)
{
	(void)state;
	setenv("CALLGATE_LOG", "warn,json", 1);
	log_init_role("front");
	log_info("no");
	log_warn("yes");
	unsetenv("CALLGATE_LOG");
	assert_non_null(strstr(written(), "\"level\":\"warn\",\"component\":\"front\""));
	log_init_role("front");
	log_debug("no");
	log_info("yes");
	assert_non_null(strstr(written(), "T1 info  front["));
}

/* ---- the journal --------------------------------------------------------------------------- */

static char journal_path[108];
static int journal = -1;

/* The pipe plays the stream that systemd made, a socket of ours the journal's. */
static int open_journal(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char stream[64];
	struct stat st;

	if (catch_stderr(state) || fstat(2, &st) < 0)
		return 1;
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	snprintf(journal_path, sizeof(journal_path), "/tmp/callgate-log-%d", (int)getpid());
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", journal_path);
	journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	return bind(journal, (struct sockaddr *)&address, sizeof(address));
}

static int close_journal(void **state)
{
	if (journal >= 0)
		close(journal);
	unlink(journal_path);
	unsetenv("JOURNAL_STREAM");
	log_journal(journal_path);
	return release_stderr(state);
}

/* The next datagram's field: its value, or NULL. The form with a length everywhere. */
static const char *field_of(const char *datagram, size_t len, const char *name)
{
	static char value[4096];
	const char *at = datagram;

	while (at < datagram + len) {
		const char *end = memchr(at, '\n', (size_t)(datagram + len - at));
		uint64_t size = 0;

		assert_non_null(end);
		for (int i = 7; i >= 0; i--)
			size = size << 8 | (uint8_t)end[1 + i];
		assert_true(size < sizeof(value));
		assert_true(end + 9 + size + 1 <= datagram + len);
		assert_int_equal(end[9 + size], '\n');
		if ((size_t)(end - at) == strlen(name) && !memcmp(at, name, strlen(name))) {
			memcpy(value, end + 9, size);
			value[size] = '\0';
			return value;
		}
		at = end + 9 + size + 1;
	}
	return NULL;
}

static void journal_gets_fields(void **state)
{
	char datagram[16384];
	ssize_t n;

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	log_journal(journal_path);
	log_event(LOG_LEVEL_WARN, &some_facts, "a\nPRIORITY=0\n%s", "\x1b[2J");
	assert_string_equal(written(), "");
	n = recv(journal, datagram, sizeof(datagram), 0);
	assert_true(n > 0);
	assert_string_equal(
	    field_of(datagram, (size_t)n, "MESSAGE"), "a\\x0aPRIORITY=0\\x0a\\x1b[2J");
	assert_string_equal(field_of(datagram, (size_t)n, "PRIORITY"), "4");
	assert_string_equal(field_of(datagram, (size_t)n, "SYSLOG_IDENTIFIER"), "callgated");
	assert_string_equal(field_of(datagram, (size_t)n, "CALLGATE_COMPONENT"), "engine");
	assert_string_equal(field_of(datagram, (size_t)n, "CALLGATE_ACTION"), "call");
	assert_string_equal(field_of(datagram, (size_t)n, "CALLGATE_CALL_ID"), "c01");
	assert_string_equal(field_of(datagram, (size_t)n, "CALLGATE_TOOL"), "ba\"sh\\x0a\\xff");
	assert_string_equal(
	    field_of(datagram, (size_t)n, "CALLGATE_DURATION_US"), "18446744073709551615");
	assert_int_equal(strlen(field_of(datagram, (size_t)n, "MESSAGE_ID")), 32);
	assert_null(field_of(datagram, (size_t)n, "CALLGATE_AGENT"));
	assert_null(field_of(datagram, (size_t)n, "CALLGATE_RULE"));
	/* a line without a kind has no id */
	log_info("plain");
	n = recv(journal, datagram, sizeof(datagram), 0);
	assert_string_equal(field_of(datagram, (size_t)n, "MESSAGE"), "plain");
	assert_null(field_of(datagram, (size_t)n, "MESSAGE_ID"));
}

static void silent_journal_falls_back(void **state)
{
	char datagram[16384];
	int sent = 0;

	(void)state;
	log_init("engine", LOG_LEVEL_DEBUG, LOG_FORMAT_TEXT);
	/* nobody there at all */
	log_journal("/tmp/callgate-no-such-journal");
	log_error("one");
	assert_int_equal(strncmp(written(), "<3>T1 error engine[", 19), 0);
	/* there, but full: the line is not lost and nothing waits */
	log_journal(journal_path);
	while (log_debug("fill"), !strstr(written(), "<7>T1 debug engine["))
		assert_true(++sent < 100000);
	assert_true(sent > 0);
	while (recv(journal, datagram, sizeof(datagram), 0) > 0)
		;
	log_debug("again");
	assert_string_equal(written(), "");
	/* gone while we run */
	close(journal);
	journal = -1;
	log_info("three");
	assert_int_equal(strncmp(written(), "<6>T1 info  engine[", 19), 0);
}

static void another_stderr_is_not_the_journal(void **state)
{
	char datagram[16384];

	(void)state;
	log_init("engine", LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
	setenv("JOURNAL_STREAM", "1:1", 1);
	log_journal(journal_path);
	log_info("here");
	assert_int_equal(strncmp(written(), "T1 info  engine[", 16), 0);
	assert_true(recv(journal, datagram, sizeof(datagram), 0) < 0);
	unsetenv("JOURNAL_STREAM");
	log_journal(journal_path);
	log_info("here");
	assert_int_equal(strncmp(written(), "T1 info  engine[", 16), 0);
}

#define CAUGHT(test)    cmocka_unit_test_setup_teardown(test, catch_stderr, release_stderr)
#define JOURNALED(test) cmocka_unit_test_setup_teardown(test, open_journal, close_journal)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CAUGHT(text_line),
	    CAUGHT(json_line_stays_json),
	    CAUGHT(level_is_a_threshold),
	    CAUGHT(long_message_is_cut_to_one_line),
	    CAUGHT(facts_are_json),
	    CAUGHT(text_has_only_the_words),
	    CAUGHT(every_fact_at_its_longest_fits),
	    CAUGHT(role_takes_its_setting),
	    JOURNALED(journal_gets_fields),
	    JOURNALED(silent_journal_falls_back),
	    JOURNALED(another_stderr_is_not_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
