/*
 * What lies in directories, read once for all lists of one load: names, inodes, and which files
 * the loader could run. A survey says how things were when it was read, so it lives no longer
 * than the load. Floor 1: base. Walks the disk.
 */
#ifndef CALLGATE_SANDBOX_SURVEY_H
#define CALLGATE_SANDBOX_SURVEY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "sandbox/object.h"

#define SURVEY_ENTRIES_MAX 400000 /* looked at in one load */
#define SURVEY_DEPTH_MAX   24

struct survey_dir;

/* A directory or a regular file that could be opened; anything else is not listed. */
struct survey_entry {
	char *name;
	uint64_t dev, ino;
	const struct survey_dir *dir; /* NULL: a file */
	bool runnable;                /* a file that the loader could run; elf.h */
};

struct survey_dir {
	struct survey_dir *next; /* of all, newest first */
	uint64_t dev, ino;
	bool weak; /* the tool's uid could put something there */
	uint32_t depth;
	struct survey_entry *entries;
	uint32_t count;
};

/* breathe, if any, is called often with arg while the disk is read: what cannot wait for the end
 * of a load is seen to there. It must not use the survey. */
struct survey {
	uid_t tool_uid;
	void (*breathe)(void *arg);
	void *arg;
	uint32_t looked_at;
	struct survey_dir *dirs;   /* owned; all of them */
	struct survey_dir **slots; /* owned; by inode, a power of two of them */
	uint32_t cap;
	uint32_t count;
};

/* Everything below the directory, links left out: their targets are judged where they lie.
 * 0 and *ret, owned by the survey; -EACCES: we may not read it; -E2BIG with note; -errno. */
int survey_read(struct survey *survey, const struct object *object, const struct survey_dir **ret,
    struct err_note *note);
void survey_breathe(const struct survey *survey);
void survey_fini(struct survey *survey);

#endif
