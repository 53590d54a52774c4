#include <limits.h>
#include <string.h>

#include "sandbox/functions/grep.h"
#include "sandbox/functions/grep_search.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/str.h"

#define REPLACEMENT "\xef\xbf\xbd"           /* U+FFFD */
#define LINE_ROOM   (3 * GREP_LINE_MAX + 96) /* each byte replaced, a number, and a mark */

/* The bytes of a character that begins here and is whole; 0 if none does. */
static size_t character_len(const char *at, size_t len)
{
	for (size_t n = 1; n <= 4 && n <= len; n++) {
		if (*at != '\0' && str_is_utf8(at, n))
			return n;
	}
	return 0;
}

static void put_text(struct buf *out, const char *line, size_t len)
{
	size_t from = 0, at = 0;

	while (at < len) {
		size_t step = character_len(line + at, len - at);

		if (step > 0) {
			at += step;
			continue;
		}
		(void)buf_put(out, line + from, at - from);
		(void)buf_text(out, REPLACEMENT);
		from = ++at;
	}
	(void)buf_put(out, line + from, len - from);
}

/* How much of a line is printed: all, or what ends with a whole character. */
static size_t shown_len(const char *line, size_t len)
{
	size_t cut = GREP_LINE_MAX;

	if (len <= GREP_LINE_MAX)
		return len;
	while (cut > GREP_LINE_MAX - 4 && ((unsigned char)line[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

/* Is there room for a path and a line? Stops the search if not. */
static bool has_room(struct grep *grep, const char *path, char printed[4 * PATH_MAX])
{
	size_t len = str_printable(printed, 4 * PATH_MAX, path);

	if (request_has_room(grep->out, len + LINE_ROOM))
		return true;
	grep->stop = GREP_STOP_OUTPUT;
	return false;
}

void grep_print_line(
    struct grep *grep, const char *path, size_t number, char mark, const char *line, size_t len)
{
	char printed[4 * PATH_MAX];
	size_t shown;

	if (!has_room(grep, path, printed))
		return;
	if (len > 0 && line[len - 1] == '\r')
		len--;
	shown = shown_len(line, len);
	(void)buf_textf(grep->out, "%s%c%zu%c", printed, mark, number, mark);
	put_text(grep->out, line, shown);
	if (shown < len)
		(void)buf_textf(grep->out, " [%zu bytes more]", len - shown);
	(void)buf_put(grep->out, "\n", 1);
}

void grep_print_gap(struct grep *grep)
{
	if (request_has_room(grep->out, 3))
		(void)buf_text(grep->out, "--\n");
}

void grep_print_file(struct grep *grep, const char *path, size_t count)
{
	char printed[4 * PATH_MAX];

	if (!has_room(grep, path, printed))
		return;
	(void)buf_text(grep->out, printed);
	if (count > 0)
		(void)buf_textf(grep->out, ":%zu", count);
	(void)buf_put(grep->out, "\n", 1);
}

/* ---- the end --------------------------------------------------------------------------------- */

static const char *stop_words(enum grep_stop stop)
{
	switch (stop) {
	case GREP_GO_ON: break;
	case GREP_STOP_RESULTS:
		return "there are more results; narrow pattern, path or glob, or raise max_results";
	case GREP_STOP_OUTPUT: return "the answer is full; narrow pattern, path or glob";
	case GREP_STOP_TIME: return "the time is up; narrow path or glob";
	case GREP_STOP_FILES: return "too many files; narrow path or glob";
	}
	return NULL;
}

static void put_skipped(struct buf *out, size_t count, const char *what, bool *any)
{
	if (count == 0)
		return;
	(void)buf_textf(out, "%s%zu %s", *any ? ", " : "[not searched: ", count, what);
	*any = true;
}

void grep_print_end(struct grep *grep)
{
	const struct grep_skipped *skipped = &grep->skipped;
	bool any = false;

	if (grep->results == 0)
		(void)buf_text(grep->out, "No matches.\n");
	if (grep->stop != GREP_GO_ON)
		(void)buf_textf(grep->out, "[stopped after %zu results: %s]\n", grep->results,
		    stop_words(grep->stop));
	put_skipped(grep->out, skipped->binary, "binary files", &any);
	put_skipped(grep->out, skipped->large, "files larger than 64 MiB", &any);
	put_skipped(grep->out, skipped->unreadable, "that cannot be read", &any);
	put_skipped(grep->out, skipped->deep, "folders too deep", &any);
	put_skipped(grep->out, skipped->costly, "lines too costly for this pattern", &any);
	if (any)
		(void)buf_text(grep->out, "]\n");
}
