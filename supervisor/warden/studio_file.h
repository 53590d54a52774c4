/*
 * The policy file as the studio writes it: in place of the old one at once or not at all, with the
 * same owner and mode, and the last five kept as FILE.1 (the newest) to FILE.5. Until the new one
 * is in force the old one lies beside it as FILE.0, and comes back if the load is refused.
 * Used by studio.c. Blocks on the disk only.
 */
#ifndef CALLGATE_WARDEN_STUDIO_FILE_H
#define CALLGATE_WARDEN_STUDIO_FILE_H

#include <sys/stat.h>

#include "supervisor/base/err.h"
#include "supervisor/base/paths.h"
#include "supervisor/evidence/digest.h"

#define STUDIO_KEPT 5

struct studio_file {
	int dir;              /* its folder; -1: none */
	char path[PATHS_MAX]; /* where it really is */
	const char *name;     /* its last part; points into path */
	struct stat st;       /* when it was read */
	char *bytes;          /* then */
	size_t len;
	struct digest version; /* SHA-256 of them */
};

/* Reads the file; links are followed. 0 and *ret, ended by studio_file_fini(); -errno with note. */
int studio_file_read(struct studio_file *ret, const char *path, struct err_note *note);
/* The file gets these bytes, and what was read goes to FILE.0. 0; -ESTALE: it is no longer what was
 * read; -errno; note says, and the file is as it was. */
int studio_file_put(
    const struct studio_file *file, const void *bytes, size_t len, struct err_note *note);
/* It is in force: FILE.0 becomes FILE.1, and the others move on. 0 or -errno: it stays FILE.0. */
int studio_file_keep(const struct studio_file *file);
/* It is not: FILE.0 becomes the file again. 0 or -errno with note. */
int studio_file_restore(const struct studio_file *file, struct err_note *note);
void studio_file_fini(struct studio_file *file);

#endif
