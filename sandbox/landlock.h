/*
 * Landlock as the running kernel may know it, which is newer than the headers we build with.
 * Source: Documentation/userspace-api/landlock.rst. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_LANDLOCK_H
#define CALLGATE_SANDBOX_LANDLOCK_H

#include <stdint.h>

#include "sandbox/cell.h"

#define LANDLOCK_FS_EXECUTE     (1ULL << 0)
#define LANDLOCK_FS_WRITE_FILE  (1ULL << 1)
#define LANDLOCK_FS_READ_FILE   (1ULL << 2)
#define LANDLOCK_FS_READ_DIR    (1ULL << 3)
#define LANDLOCK_FS_REMOVE_DIR  (1ULL << 4)
#define LANDLOCK_FS_REMOVE_FILE (1ULL << 5)
#define LANDLOCK_FS_MAKE_CHAR   (1ULL << 6)
#define LANDLOCK_FS_MAKE_DIR    (1ULL << 7)
#define LANDLOCK_FS_MAKE_REG    (1ULL << 8)
#define LANDLOCK_FS_MAKE_SOCK   (1ULL << 9)
#define LANDLOCK_FS_MAKE_FIFO   (1ULL << 10)
#define LANDLOCK_FS_MAKE_BLOCK  (1ULL << 11)
#define LANDLOCK_FS_MAKE_SYM    (1ULL << 12)
#define LANDLOCK_FS_REFER       (1ULL << 13) /* ABI 2 */
#define LANDLOCK_FS_TRUNCATE    (1ULL << 14) /* ABI 3 */
#define LANDLOCK_FS_IOCTL_DEV   (1ULL << 15) /* ABI 5 */

#define LANDLOCK_FS_READ        (LANDLOCK_FS_READ_FILE | LANDLOCK_FS_READ_DIR)
/* Everything that makes sense in a directory of one's own: no devices, no sockets, no exec. */
#define LANDLOCK_FS_WRITE                                                                          \
	(LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_REMOVE_DIR | LANDLOCK_FS_REMOVE_FILE |               \
	    LANDLOCK_FS_MAKE_DIR | LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_MAKE_FIFO |                  \
	    LANDLOCK_FS_MAKE_SYM | LANDLOCK_FS_REFER | LANDLOCK_FS_TRUNCATE)

/* Version of the running kernel's Landlock; or -errno: ENOSYS none, EOPNOTSUPP switched off at
 * boot, or what a filter says. */
int landlock_abi(void);
/* The most that a workspace of this mode may be granted. */
uint64_t landlock_workspace_access(enum cell_workspace mode);

#endif
