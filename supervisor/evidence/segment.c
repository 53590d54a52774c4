#include "supervisor/evidence/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/record.h"

#define SUFFIX     ".jsonl"
#define READ_ROOM  (512 * 1024) /* holds many lines, and at least one of the longest */
#define LIST_FIRST 16

void segment_name(char out[SEGMENT_NAME_MAX], uint64_t first)
{
	snprintf(out, SEGMENT_NAME_MAX, "%016" PRIu64 SUFFIX, first);
}

/* 1 if the name is one that segment_name() makes. */
static int name_parse(struct segment *ret, const char *name)
{
	struct segment segment;
	char digits[SEGMENT_DIGITS + 1];

	if (strlen(name) != SEGMENT_DIGITS + sizeof(SUFFIX) - 1 ||
	    strcmp(name + SEGMENT_DIGITS, SUFFIX) != 0)
		return 0;
	memcpy(digits, name, SEGMENT_DIGITS);
	digits[SEGMENT_DIGITS] = '\0';
	if (str_u64(digits, INT64_MAX, &segment.first) < 0)
		return 0;
	segment_name(segment.name, segment.first);
	*ret = segment;
	return 1;
}

static int list_add(struct segment_list *list, const struct segment *segment)
{
	size_t cap = LIST_FIRST;
	struct segment *items;

	while (cap < list->count + 1)
		cap *= 2;
	items = realloc(list->items, cap * sizeof(*items));
	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->count++] = *segment;
	return 0;
}

static int by_first(const void *a, const void *b)
{
	uint64_t x = ((const struct segment *)a)->first, y = ((const struct segment *)b)->first;

	return (x > y) - (x < y);
}

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

int segment_list(struct segment_list *ret, int dirfd)
{
	struct segment_list cleanup_with(segment_list_fini) list = {NULL, 0};
	int cleanup_fd fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *cleanup_with(close_dir) dir = NULL;
	struct segment segment;
	struct dirent *entry;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir)
		return -errno;
	(void)take_fd(&fd); /* dir owns it now */
	while ((errno = 0, entry = readdir(dir))) {
		if (name_parse(&segment, entry->d_name) && list_add(&list, &segment) < 0)
			return -ENOMEM;
	}
	if (errno)
		return -errno;
	if (list.count > 0)
		qsort(list.items, list.count, sizeof(*list.items), by_first);
	*ret = list;
	list = (struct segment_list){NULL, 0};
	return 0;
}

void segment_list_fini(struct segment_list *list)
{
	free(list->items);
	*list = (struct segment_list){NULL, 0};
}

int lines_open(struct lines *ret, int dirfd, const char *name)
{
	/* O_NONBLOCK: a named pipe put in the file's place must not hold us. */
	int cleanup_fd fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *data;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	data = malloc(READ_ROOM);
	if (!data)
		return -ENOMEM;
	*ret = (struct lines){.fd = take_fd(&fd), .data = data};
	return 0;
}

/* Reads more behind what is there. Bytes read, 0 at the end, or -errno. */
static ssize_t fill(struct lines *lines)
{
	ssize_t n;

	if (lines->start > 0) {
		memmove(lines->data, lines->data + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->start = 0;
	}
	do
		n = read(lines->fd, lines->data + lines->end, READ_ROOM - lines->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	return n;
}

int lines_next(struct lines *lines, struct line *ret)
{
	size_t searched = 0;

	for (;;) {
		const char *at = lines->data + lines->start;
		size_t have = lines->end - lines->start;
		const char *newline =
		    have > searched ? memchr(at + searched, '\n', have - searched) : NULL;
		ssize_t n;

		if (newline || have > RECORD_LINE_MAX) {
			size_t len = newline ? (size_t)(newline - at) : have;
			size_t taken = newline ? len + 1 : len;

			*ret = (struct line){at, len, lines->offset};
			lines->start += taken;
			lines->offset += taken;
			return len > RECORD_LINE_MAX ? LINES_LONG : LINES_LINE;
		}
		searched = have;
		n = fill(lines);
		if (n < 0)
			return (int)n;
		if (n > 0)
			continue;
		*ret = (struct line){lines->data + lines->start, have, lines->offset};
		return have > 0 ? LINES_TORN : LINES_END;
	}
}

void lines_close(struct lines *lines)
{
	if (lines->data)
		close(lines->fd);
	free(lines->data);
	*lines = (struct lines){.fd = -1};
}
