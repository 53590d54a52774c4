#include "supervisor/control/progress.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#define FIRST_S        2
#define AGAIN_S        10
#define LINE_MAX_BYTES 200

/* What the signal's handler reads; written while it cannot come. */
static struct {
	const char *what;
	const volatile uint64_t *count;
	const char *things;
} shown;

static size_t put(char *line, size_t len, const char *text)
{
	while (*text && len < LINE_MAX_BYTES - 1)
		line[len++] = *text++;
	return len;
}

/* Only what a handler may call. */
static void on_alarm(int number)
{
	char line[LINE_MAX_BYTES], digits[24];
	size_t len = put(line, 0, shown.what), at = sizeof(digits) - 1;
	uint64_t value = shown.count ? *shown.count : 0;
	int fault = errno;

	(void)number;
	if (shown.count) {
		digits[at] = '\0';
		do
			digits[--at] = (char)('0' + value % 10);
		while (value /= 10);
		len = put(line, put(line, put(line, len, ": "), digits + at), " ");
		len = put(line, len, shown.things);
	}
	len = put(line, len, " ...");
	line[len++] = '\n';
	(void)!write(STDERR_FILENO, line, len);
	errno = fault;
}

static void set_timer(time_t first_s, time_t again_s)
{
	const struct itimerval timer = {
	    .it_value = {.tv_sec = first_s}, .it_interval = {.tv_sec = again_s}};

	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

void progress_begin(
    enum command_output output, const char *what, const uint64_t *count, const char *things)
{
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};

	if (output == COMMAND_OUTPUT_JSON || !isatty(STDERR_FILENO))
		return;
	shown.what = what;
	shown.count = count;
	shown.things = things;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGALRM, &action, NULL) == 0)
		set_timer(FIRST_S, AGAIN_S);
}

void progress_end(void)
{
	set_timer(0, 0);
}
