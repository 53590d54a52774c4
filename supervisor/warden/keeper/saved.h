/*
 * STATE/effects: what commits replaced, a folder each: CALL.N, N counting the commits of a call.
 *
 *   meta    place of the workspace, digest of the list that was shown, owners of what was there
 *   list    the encoded list of what is (to be) written
 *   bI      what stood at path I before: a file's content, a link's target
 *   begun   is there from the first thing written until that is recorded: taken back at the next
 *           start
 *   done    is there when all of it was written
 *   undoing is there, in the newest folder of a call, from the first thing taken back until that is
 *           recorded: the next start takes back whatever is left of all commits of the call
 *
 * A folder without a mark wrote nothing. Used by commit.c and undo.c, and by the warden to find a
 * workspace. All descriptors borrowed.
 */
#ifndef CALLGATE_WARDEN_KEEPER_SAVED_H
#define CALLGATE_WARDEN_KEEPER_SAVED_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/link/effects.h"
#include "supervisor/link/message.h"

#define SAVED_BEGUN   "begun"
#define SAVED_DONE    "done"
#define SAVED_UNDOING "undoing"

struct saved_place {
	uint64_t dev, ino; /* of the workspace */
	struct digest effects;
	char name[CALL_ID_MAX + 16]; /* of the folder */
};

/* May it name a folder: 1 to CALL_ID_MAX of letters, digits, - and _. */
bool saved_is_name(const char *call);
/* The newest whole commit of this call. 0; -ENOENT; -errno. */
int saved_find(int saved, const char *call, struct saved_place *ret);
/* Is one half written or half taken back? */
bool saved_any_begun(int saved);
/* What a commit of this call wrote is recorded, or what was taken back of it: no start looks at
 * that any more. */
void saved_settle(int saved, const char *call, bool taken_back);

/* One folder opened. */
struct saved {
	int dir; /* owned */
	struct saved_place place;
	struct effects list;
	uint32_t (*owners)[2]; /* uid and gid of what was at each path; heap */
};
/* A folder for the next commit of the call: ->dir and ->place.name; the rest stays. 0 or -errno. */
int saved_new(int saved, const char *call, struct saved *ret);
/* Writes meta and list. 0 or -errno. */
int saved_write(const struct saved *saved);
/* 0 or -errno; ended by saved_close(). */
int saved_open(int saved, const char *name, struct saved *ret);
void saved_close(struct saved *saved);
/* begun or done, and on disk. 0 or -errno. */
int saved_mark(const struct saved *saved, const char *mark);
int saved_unmark(const struct saved *saved, const char *mark);
void saved_remove(int saved, const char *name);
/* The names of folders, newest first, heap; NULL with *ret_count 0 where there are none. */
char (*saved_names(int saved, uint32_t *ret_count))[NAME_MAX + 1];
/* The same of the whole commits of one call, the last one first. */
char (*saved_whole(int saved, const char *call, uint32_t *ret_count))[NAME_MAX + 1];
bool saved_name_has(int saved, const char *name, const char *mark);
/* Removes all commits of the calls that came last beyond KEEPER_UNDO and KEEPER_SAVED, never what
 * is half written. */
void saved_trim(int saved);

#endif
