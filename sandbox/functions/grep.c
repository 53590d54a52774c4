#include "sandbox/functions/grep.h"

#include <errno.h>
#include <string.h>

#include "sandbox/functions/grep_pattern.h"
#include "sandbox/functions/grep_search.h"
#include "sandbox/functions/place.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"

static void grep_fini(struct grep *grep)
{
	grep_pattern_free(grep->pattern);
	grep_glob_fini(&grep->glob);
}

static int read_output(struct grep *grep, const json_t *arguments, struct err_note *note)
{
	static const char *const names[] = {"content", "files", "count"};
	const char *name = names[0];
	int r = request_text(arguments, "output_mode", &name, note);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			grep->output = (enum grep_output)i;
			return 0;
		}
	}
	return err_note(note, -EINVAL, "output_mode: must be content, files or count");
}

static int read_numbers(struct grep *grep, const json_t *arguments, struct err_note *note)
{
	const int64_t context_bounds[2] = {0, GREP_CONTEXT_MAX};
	const int64_t results_bounds[2] = {1, GREP_RESULTS_MAX};
	int64_t context = 0, results = GREP_RESULTS;
	int r = request_number(arguments, "context", context_bounds, &context, note);

	if (r == 0)
		r = request_number(arguments, "max_results", results_bounds, &results, note);
	grep->context = (size_t)context;
	grep->max_results = (size_t)results;
	return r;
}

static int read_pattern(struct grep *grep, const json_t *arguments, struct err_note *note)
{
	bool ignore_case = false, literal = false;
	const char *text = NULL;
	int r = request_text(arguments, "pattern", &text, note);

	if (r == 0)
		r = request_flag(arguments, "ignore_case", &ignore_case, note);
	if (r == 0)
		r = request_flag(arguments, "literal", &literal, note);
	if (r < 0)
		return r;
	if (!text)
		return err_note(note, -EINVAL, "pattern: is missing");
	return grep_pattern_new(&grep->pattern, text,
	    (ignore_case ? GREP_PATTERN_CASELESS : 0U) | (literal ? GREP_PATTERN_LITERAL : 0U),
	    note);
}

static int read_arguments(struct grep *grep, const json_t *arguments, struct err_note *note)
{
	static const char *const known[] = {"pattern", "path", "glob", "ignore_case", "literal",
	    "context", "max_results", "output_mode", NULL};
	const char *glob = NULL;
	int r = request_known(arguments, known, note);

	if (r == 0)
		r = request_text(arguments, "path", &grep->path, note);
	if (r == 0)
		r = request_text(arguments, "glob", &glob, note);
	if (r == 0)
		r = read_output(grep, arguments, note);
	if (r == 0)
		r = read_numbers(grep, arguments, note);
	if (r == 0 && glob)
		r = grep_glob_parse(&grep->glob, glob, note);
	if (r == 0)
		r = read_pattern(grep, arguments, note);
	return r;
}

static bool is_in_git(const char *path)
{
	for (const char *at = path; at; at = strchr(at, '/')) {
		at += *at == '/' ? 1 : 0;
		if (strncmp(at, ".git", 4) == 0 && (at[4] == '/' || at[4] == '\0'))
			return true;
	}
	return false;
}

static int search(struct grep *grep, int top, struct err_note *note)
{
	struct place cleanup_with(place_fini) place = {.dir = -1};
	int r = place_find(&place, top, grep->path, PLACE_PARENTS_AS_THEY_ARE, note);

	if (r < 0)
		return r;
	if (r == PLACE_ABSENT)
		return err_note(note, -ENOENT,
		    PLACE_SHOWN ": no such file or folder; view the folder above it", grep->path);
	if (is_in_git(place.path))
		return err_note(note, -EPERM, PLACE_SHOWN ": .git is never searched", grep->path);
	if (!S_ISDIR(place.st.st_mode) && !S_ISREG(place.st.st_mode))
		return err_note(note, -EMEDIUMTYPE,
		    PLACE_SHOWN ": is neither a file nor a folder; only those can be searched",
		    grep->path);
	r = grep_walk(grep, &place);
	if (r < 0)
		return err_note(note, r, "out of memory; narrow path or glob");
	grep_print_end(grep);
	return 0;
}

enum request_status grep_run(
    int top, const json_t *arguments, uint64_t time_ms, struct buf *out, struct err_note *note)
{
	struct grep cleanup_with(grep_fini) grep = {.path = ".", .out = out};
	int r = read_arguments(&grep, arguments, note);

	grep.deadline_us = clock_monotonic_us() + time_ms * 1000;
	if (r == 0)
		r = search(&grep, top, note);
	if (r < 0)
		buf_reset(out); /* half an answer would hide the reason */
	return r < 0 ? request_status_of(r) : REQUEST_DONE;
}
