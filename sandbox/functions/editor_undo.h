/*
 * The undo history: what each edit replaced, in .callgate/undo of the working directory.
 *
 * One entry is one file: a line of JSON {"after", "before", "path"} and the bytes from before.
 * Agents can write there as anywhere in the workspace, so an entry is only a proposal: its path
 * must be the one asked for, and the file must still be exactly what the edit left (SHA-256).
 * What does not hold is passed over. At most UNDO_ENTRIES_MAX entries and UNDO_BYTES_MAX bytes;
 * the oldest go first. Floor 1: base, jansson, libcrypto.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_EDITOR_UNDO_H
#define CALLGATE_SANDBOX_FUNCTIONS_EDITOR_UNDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/err.h"

#define UNDO_ENTRIES_MAX   64
#define UNDO_BYTES_MAX     (16 * 1024 * 1024)
#define UNDO_DIGEST_LENGTH 32

struct editor_file;

/* Locked against another editor until undo_fini(). */
struct undo {
	int dir;         /* owned; -1: none */
	uint64_t number; /* of the entry made last by undo_keep() */
};

struct undo_entry {
	uint64_t number;
	uint8_t after[UNDO_DIGEST_LENGTH];
	bool existed; /* false: the edit made the file */
	char *bytes;  /* owned; the text from before */
	size_t len;
};

enum undo_mode {
	UNDO_AS_IS = 0,
	UNDO_MAKE,
};

#define UNDO_NONE 1 /* no history, or no entry of this path */

/* 0, UNDO_NONE (only for UNDO_AS_IS) or a fault with its note. */
int undo_open(struct undo *ret, int top, enum undo_mode mode, struct err_note *note);
void undo_fini(struct undo *undo);

/* Keeps what the file is now, for an edit that will leave these bytes. 0 or a fault with its note.
 * */
int undo_keep(struct undo *undo, const struct editor_file *file, const char *after, size_t len,
    struct err_note *note);
/* The newest entry of this path. 0 and *ret (released by undo_entry_fini()), UNDO_NONE, -errno. */
int undo_last(const struct undo *undo, const char *path, struct undo_entry *ret);
void undo_entry_fini(struct undo_entry *entry);
/* Did the edit of this entry leave these bytes? */
bool undo_entry_left(const struct undo_entry *entry, const char *bytes, size_t len);
/* Forgets an entry; one that is not there is forgotten already. */
void undo_drop(const struct undo *undo, uint64_t number);
/* Drops the oldest until the history is within its bounds. */
void undo_trim(const struct undo *undo);

#endif
