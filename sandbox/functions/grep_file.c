#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/functions/grep.h"
#include "sandbox/functions/grep_pattern.h"
#include "sandbox/functions/grep_search.h"
#include "sandbox/functions/place.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define BINARY_LOOKED_AT 8192
#define LINES_A_LOOK     4096 /* between two looks at the clock */

/* One file being searched. Offsets count from its begin. */
struct scan {
	struct grep *grep;
	const char *path;
	const char *bytes;
	size_t len;
	enum grep_encoding encoding;
	size_t line;       /* number of the line at hand */
	size_t shown_end;  /* behind the last line printed */
	size_t after_left; /* lines to print behind a match */
	size_t matches;
};

static size_t end_of_line(const struct scan *scan, size_t start)
{
	const char *feed = memchr(scan->bytes + start, '\n', scan->len - start);

	return feed ? (size_t)(feed - scan->bytes) : scan->len;
}

static size_t line_before(const struct scan *scan, size_t start)
{
	const char *feed = start > 1 ? memrchr(scan->bytes, '\n', start - 1) : NULL;

	return feed ? (size_t)(feed - scan->bytes) + 1 : 0;
}

static void show_line(struct scan *scan, size_t number, char mark, size_t start)
{
	size_t end = end_of_line(scan, start);

	grep_print_line(scan->grep, scan->path, number, mark, scan->bytes + start, end - start);
	scan->shown_end = end < scan->len ? end + 1 : end;
}

static void show_match(struct scan *scan, size_t start)
{
	size_t begin = start, before = 0;

	while (before < scan->grep->context && begin > scan->shown_end) {
		begin = line_before(scan, begin);
		before++;
	}
	if (scan->grep->context > 0 && scan->grep->results > 1 &&
	    (scan->matches == 1 || begin > scan->shown_end))
		grep_print_gap(scan->grep);
	for (; before > 0; before--) {
		show_line(scan, scan->line - before, '-', begin);
		begin = scan->shown_end;
	}
	show_line(scan, scan->line, ':', start);
	scan->after_left = scan->grep->context;
}

/* Is this match one too many? Counts it if not. */
static bool is_too_many(struct scan *scan)
{
	struct grep *grep = scan->grep;

	scan->matches++;
	if (grep->output != GREP_OUTPUT_CONTENT && scan->matches > 1)
		return false;
	if (grep->results == grep->max_results) {
		grep->stop = GREP_STOP_RESULTS;
		return true;
	}
	grep->results++;
	return false;
}

static bool time_is_up(struct grep *grep)
{
	if (clock_monotonic_us() >= grep->deadline_us)
		grep->stop = GREP_STOP_TIME;
	return grep->stop != GREP_GO_ON;
}

/* One line of the file. Returns whether the next one is wanted. */
static bool scan_line(struct scan *scan, size_t start, size_t end)
{
	struct grep *grep = scan->grep;
	enum grep_match match =
	    grep_pattern_match(grep->pattern, scan->bytes + start, end - start, scan->encoding);

	if (match == GREP_COSTLY)
		grep->skipped.costly++;
	if ((match == GREP_COSTLY || scan->line % LINES_A_LOOK == 0) && time_is_up(grep))
		return false;
	if (match == GREP_MATCH) {
		if (is_too_many(scan))
			return false;
		if (grep->output == GREP_OUTPUT_FILES)
			return false;
		if (grep->output == GREP_OUTPUT_CONTENT)
			show_match(scan, start);
	} else if (scan->after_left > 0) {
		show_line(scan, scan->line, '-', start);
		scan->after_left--;
	}
	return grep->stop == GREP_GO_ON;
}

static void scan_lines(struct scan *scan)
{
	size_t end;

	for (size_t start = 0; start < scan->len; start = end + 1) {
		end = end_of_line(scan, start);
		scan->line++;
		if (!scan_line(scan, start, end))
			break;
	}
	if (scan->matches == 0 || scan->grep->stop == GREP_STOP_RESULTS)
		return;
	if (scan->grep->output == GREP_OUTPUT_FILES)
		grep_print_file(scan->grep, scan->path, 0);
	else if (scan->grep->output == GREP_OUTPUT_COUNT)
		grep_print_file(scan->grep, scan->path, scan->matches);
}

/* Only the begin decides, so that a large binary file is not read whole. */
static bool is_binary(int fd)
{
	char head[BINARY_LOOKED_AT];
	ssize_t len = pread(fd, head, sizeof(head), 0);

	return len > 0 && memchr(head, '\0', (size_t)len);
}

int grep_file(struct grep *grep, int folder, const char *name, const char *path)
{
	char *cleanup_free bytes = NULL;
	struct scan scan = {.grep = grep, .path = path};
	struct stat st;
	int cleanup_fd fd = place_open_file(folder, name, &st);
	int r;

	if (fd < 0) {
		grep->skipped.unreadable++;
		return 0;
	}
	if (is_binary(fd)) {
		grep->skipped.binary++;
		return 0;
	}
	r = fd_read_all(fd, GREP_FILE_MAX, &bytes, &scan.len);
	if (r == -EFBIG)
		grep->skipped.large++;
	else if (r < 0 && r != -ENOMEM)
		grep->skipped.unreadable++;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	scan.bytes = bytes;
	scan.encoding = str_is_utf8(bytes, scan.len) ? GREP_UTF8 : GREP_BYTES;
	scan_lines(&scan);
	(void)time_is_up(grep);
	return 0;
}
