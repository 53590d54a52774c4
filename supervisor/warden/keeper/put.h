/*
 * One object put at one place, whole or not at all, and never through a link: made under another
 * name in the same folder, synced, and then moved there. Used by write.c. Blocks on the disk.
 */
#ifndef CALLGATE_WARDEN_KEEPER_PUT_H
#define CALLGATE_WARDEN_KEEPER_PUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "supervisor/link/effects.h"

struct put {
	const struct effect_side *side; /* FILE, LINK or DIRECTORY; its mode is what is set */
	int source;                     /* FILE: open for reading at its start */
	const char *target;             /* LINK */
	uid_t uid;                      /* set where we are root */
	gid_t gid;
	bool over;             /* something that is no folder stands there */
	const char *temporary; /* the other name */
};

/* dir: O_PATH. 0; -EEXIST: something stands there; -ESTALE: the source is not what side says;
 * -errno. A folder is made where nothing stands. */
int put_object(int dir, const char *name, const struct put *put);
/* Permission bits of a file or folder. */
int put_mode(int dir, const char *name, const struct effect_side *side);
/* Copies a file's bytes and compares them with side; both ends stay the caller's. 0, -ESTALE,
 * -errno. */
int put_copy(int from, int to, const struct effect_side *side);
/* The folder's entries are on disk. */
int put_sync(int dir);

#endif
