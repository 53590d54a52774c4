/*
 * One search between its own files: what is asked, what was found so far, and why it stopped.
 * grep.c reads the arguments and sums up; grep_walk.c finds files; grep_file.c finds lines;
 * grep_answer.c prints. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_GREP_SEARCH_H
#define CALLGATE_SANDBOX_FUNCTIONS_GREP_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sandbox/functions/grep_glob.h"
#include "supervisor/base/err.h"

struct buf;
struct place;
struct grep_pattern;

enum grep_output {
	GREP_OUTPUT_CONTENT = 0,
	GREP_OUTPUT_FILES,
	GREP_OUTPUT_COUNT,
};

enum grep_stop {
	GREP_GO_ON = 0,
	GREP_STOP_RESULTS, /* there is one more than was asked for */
	GREP_STOP_OUTPUT,  /* the answer is full */
	GREP_STOP_TIME,
	GREP_STOP_FILES,
};

/* What was left out, for the last lines of the answer. */
struct grep_skipped {
	size_t binary;     /* files */
	size_t large;      /* files */
	size_t unreadable; /* files and folders */
	size_t deep;       /* folders */
	size_t costly;     /* lines */
};

struct grep {
	struct grep_pattern *pattern; /* owned */
	struct grep_glob glob;        /* owned */
	const char *path;
	enum grep_output output;
	size_t context;
	size_t max_results;
	uint64_t deadline_us;
	struct buf *out;
	enum grep_stop stop;
	size_t results; /* lines of content, or files */
	size_t files;
	size_t entries;
	struct grep_skipped skipped;
};

/* Searches what is there, a file or a folder with all below. 0 or -ENOMEM; how it ended is in
 * grep->stop. */
int grep_walk(struct grep *grep, const struct place *place);
/* Searches one file. 0 or -ENOMEM; a file that cannot be searched is counted. */
int grep_file(struct grep *grep, int folder, const char *name, const char *path);

/* Prints one line of a file. mark: ':' for a match, '-' for its surroundings. */
void grep_print_line(
    struct grep *grep, const char *path, size_t number, char mark, const char *line, size_t len);
/* Prints a gap between surroundings that do not touch. */
void grep_print_gap(struct grep *grep);
/* Prints a file of a list; with a count of lines unless that is 0. */
void grep_print_file(struct grep *grep, const char *path, size_t count);
/* Prints what there is to say at the end. */
void grep_print_end(struct grep *grep);

#endif
