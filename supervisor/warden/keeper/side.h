/*
 * What lies at a place, by descriptor and without ever following a link: type, mode, size, digest.
 * Used by everything in the keeper that reads or writes. Reads the disk.
 */
#ifndef CALLGATE_WARDEN_KEEPER_SIDE_H
#define CALLGATE_WARDEN_KEEPER_SIDE_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "supervisor/link/effects.h"

#define SIDE_FILE_MAX (UINT64_C(8) << 30) /* bytes of a file that is hashed */

/* The folder that holds path (relative, as in a list), opened with O_PATH below root without links
 * and without leaving the file system; *ret_name: its last name, in path. Returns the descriptor or
 * -errno: -ELOOP a link on the way, -EXDEV a mount. */
int side_parent(int root, const char *path, const char **ret_name);
/* A folder in a folder, for reading, by the same rules; -errno. */
int side_folder(int dir, const char *name);
/* A regular file for reading, by the same rules; -errno. -ESTALE: it is another kind. */
int side_open(int dir, const char *name);

/* 0 and *ret (type NONE: nothing is there), *ret_st (may be NULL); -errno. target: of a link, of
 * PATH_MAX bytes, or NULL. */
int side_read(
    int dir, const char *name, struct effect_side *ret, struct stat *ret_st, char *target);
bool side_equal(const struct effect_side *a, const struct effect_side *b);

#endif
