/*
 * Which files a search looks into, by name. `*` and `?` within one name, `**` for any number of
 * folders, [a-z], [!a-z], {one,other}, \ before a character that shall mean itself. A glob without
 * a slash is held against the file's name, any other against its path below the working
 * directory. Time linear in the path for each star. Pure. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_GREP_GLOB_H
#define CALLGATE_SANDBOX_FUNCTIONS_GREP_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/base/err.h"

#define GREP_GLOB_MAX          1024 /* bytes of one alternative */
#define GREP_GLOB_ALTERNATIVES 64

struct grep_glob {
	char *items[GREP_GLOB_ALTERNATIVES]; /* owned; without braces */
	size_t count;                        /* 0: every file */
};

/* 0, -EINVAL with a note, -ENOMEM. *ret is released by grep_glob_fini(), also after a fault. */
int grep_glob_parse(struct grep_glob *ret, const char *text, struct err_note *note);
void grep_glob_fini(struct grep_glob *glob);
bool grep_glob_takes(const struct grep_glob *glob, const char *path);
/* Does a part of the glob that begins with a dot match this hidden name? */
bool grep_glob_names(const struct grep_glob *glob, const char *name);

#endif
