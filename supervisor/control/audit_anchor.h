/*
 * Anchors: what someone kept outside of the journal, held against it. A receipt (the JSON object
 * {n, leaf, size, root}, or a reply that holds one), a signed checkpoint, or a C2SP tlog-proof.
 * An anchor says: this log had `size` lines and this root. Floor 4.
 */
#ifndef CALLGATE_CONTROL_AUDIT_ANCHOR_H
#define CALLGATE_CONTROL_AUDIT_ANCHOR_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/merkle.h"
#include "supervisor/evidence/note.h"

#define ANCHORS_MAX     16
#define ANCHOR_FILE_MAX (1024 * 1024)

enum anchor_state {
	ANCHOR_OPEN = 0, /* the log has not come so far */
	ANCHOR_AGREES,
	ANCHOR_DIFFERS,
};

struct anchor {
	const char *name; /* the file's, for people; borrowed */
	enum anchor_state state;
	uint64_t size;
	struct digest root;
	int has_leaf; /* receipt only */
	uint64_t n;
	struct digest leaf;
	size_t note_len; /* 0: a receipt, which bears no signature of its own */
	char note[NOTE_MAX];
};

struct anchors {
	struct anchor items[ANCHORS_MAX];
	size_t count;
};

/* Reads a file. 0; -EBADMSG: none of the three forms; -ENOSPC: too many; -errno. */
int anchors_load(struct anchors *anchors, const char *path);
/* Told after every line: its number, its leaf, the tree with it. 0 or -EIO. */
int anchors_line(
    struct anchors *anchors, const struct digest *leaf, const struct frontier *frontier);

#endif
