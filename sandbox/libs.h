/*
 * The library closure: every shared object that the dynamic loader would map for a program, found
 * the way ld.so(8) finds it (DT_RPATH, DT_RUNPATH, ld.so.cache, default directories), granted for
 * reading. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_LIBS_H
#define CALLGATE_SANDBOX_LIBS_H

#include <limits.h>

#include "supervisor/base/err.h"
#include "sandbox/grants.h"

struct libs {
	struct grants *grants; /* borrowed */
	uid_t tool_uid;
	char *cache; /* bytes of /etc/ld.so.cache; owned; NULL if there is none */
	size_t cache_len;
	char loader_dir[PATH_MAX]; /* of the first loader seen: the multiarch directory; "" */
	struct inodes seen;
	struct names lacking; /* "FILE: LIBRARY", for libraries that nobody holds */
};

/* cache_path: normally LIBS_CACHE; a missing or foreign cache is an empty one. */
#define LIBS_CACHE "/etc/ld.so.cache"
int libs_init(struct libs *libs, struct grants *grants, uid_t tool_uid, const char *cache_path);
void libs_fini(struct libs *libs);

/* Remembers where a loader lies. */
void libs_see_loader(struct libs *libs, const char *loader_path);
/* Grants READ on all that the object needs (not on the object). 0; -EACCES with note: a library
 * that the tool's uid could change; -errno. A file that is not ELF needs nothing. */
int libs_close_over(struct libs *libs, const struct object *object, struct err_note *note);

#endif
