/*
 * The cover rule: READ for a whole directory only where nothing below can be run by the loader,
 * else for its harmless files one by one. Floor 1: base. What lies in a
 * directory is read by survey.h.
 */
#ifndef CALLGATE_SANDBOX_COVER_H
#define CALLGATE_SANDBOX_COVER_H

#include "supervisor/base/err.h"
#include "sandbox/grants.h"
#include "sandbox/libs.h"
#include "sandbox/survey.h"

struct cover {
	struct grants *grants; /* borrowed */
	struct libs *libs;     /* borrowed */
	struct survey *survey; /* borrowed; may serve other lists of the load */
	struct inodes clean;   /* directories with nothing runnable below */
	struct inodes tainted; /* the others */
	struct inodes runs;    /* files that could be run and are not granted, or are denied */
};

enum cover_use {
	COVER_READ,  /* the files */
	COVER_LOADS, /* and the libraries that shared objects below need */
};

void cover_init(
    struct cover *cover, struct grants *grants, struct libs *libs, struct survey *survey);
void cover_fini(struct cover *cover);

/* Grants READ on a file or on what is harmless below a directory. Programs that the tool may run
 * must be granted before. A path that does not exist is no fault. 0, -E2BIG with note, -errno. */
int cover_add(struct cover *cover, const char *path, enum cover_use use, struct err_note *note);
/* Grants READ on what a linker takes from this one directory: *.o, *.a, *.so, and the libraries
 * that those point to. */
int cover_links(struct cover *cover, const char *path, struct err_note *note);

#endif
