/*
 * The function tool grep_search: lines of files below the working directory that a pattern
 * matches. Used by grep_search_main.c and the tests. Floor 1: base, jansson, PCRE2.
 *
 * The one dialect: PCRE2 with UTF-8 and Unicode properties (\w, \d, \b know all letters and
 * digits), as in `rg -P`; `grep -P` reads the same once told (*UCP). Lines are matched one by
 * one, each without its LF; a CR before that belongs to the line for the pattern, and is not
 * printed. Bytes that are not UTF-8 match nothing and are printed as U+FFFD.
 *
 * Never searched: links, folders .git and .callgate, files that hold NUL in their first 8 KiB.
 * Hidden files and folders only when the path, or a part of the glob that begins with a dot,
 * names them. Files that say what to ignore (.gitignore) are not asked.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_GREP_H
#define CALLGATE_SANDBOX_FUNCTIONS_GREP_H

#include "sandbox/functions/request.h"

#define GREP_FILES_MAX   100000
#define GREP_ENTRIES_MAX 1000000 /* names met on the way */
#define GREP_FILE_MAX    (64 * 1024 * 1024)
#define GREP_DEPTH_MAX   100 /* folders in each other; each costs a descriptor */
#define GREP_LINE_MAX    400 /* bytes of a line printed */
#define GREP_CONTEXT_MAX 10
#define GREP_RESULTS_MAX 1000
#define GREP_RESULTS     100
#define GREP_TIME_MS     20000

/* top: the working directory. time_ms: when to stop with what was found. The text goes to out, or
 * the reason to note. */
enum request_status grep_run(
    int top, const json_t *arguments, uint64_t time_ms, struct buf *out, struct err_note *note);

#endif
