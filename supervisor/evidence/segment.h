/*
 * The files of the journal: segments named by the number of their first line in 16 digits, and
 * reading their lines one after the other with memory that does not grow.
 *
 * Used by the auditor's recovery and by the offline commands. Opens regular files only, never
 * through a link. Floor 1: base; blocks on the disk.
 */
#ifndef CALLGATE_EVIDENCE_SEGMENT_H
#define CALLGATE_EVIDENCE_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#define SEGMENT_NAME_MAX 32
#define SEGMENT_DIGITS   16

struct segment {
	uint64_t first; /* number of its first line, by its name */
	char name[SEGMENT_NAME_MAX];
};

struct segment_list {
	struct segment *items; /* ascending; owned */
	size_t count;
};

/* "0000000000000042.jsonl" */
void segment_name(char out[SEGMENT_NAME_MAX], uint64_t first);
/* Lists the segments of a directory; other names are passed over. 0 or -errno. */
int segment_list(struct segment_list *ret, int dirfd);
void segment_list_fini(struct segment_list *list);

enum lines_step {
	LINES_END = 0, /* no more bytes now; asking again later may give some */
	LINES_LINE,
	LINES_TORN, /* the file ends without a newline; asking again reads on */
	LINES_LONG, /* no newline within RECORD_LINE_MAX bytes; the rest comes as further lines */
};

struct lines {
	int fd;
	char *data; /* owned */
	size_t start;
	size_t end;
	uint64_t offset; /* in the file, of data[start] */
};

struct line {
	const char *bytes; /* valid until the next call */
	size_t len;        /* without the newline */
	uint64_t offset;   /* of its first byte in the segment */
};

/* 0 or -errno (-ELOOP, -EINVAL: not a regular file). */
int lines_open(struct lines *ret, int dirfd, const char *name);
/* enum lines_step, or -errno. *ret is set for LINE, TORN and LONG. */
int lines_next(struct lines *lines, struct line *ret);
void lines_close(struct lines *lines);

#endif
