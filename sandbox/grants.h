/*
 * The Landlock rules of one tool while they are collected: one per file, however often and under
 * whatever name it is asked for, and none for a denied file. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_GRANTS_H
#define CALLGATE_SANDBOX_GRANTS_H

#include <stdbool.h>

#include "sandbox/cell.h"
#include "sandbox/held.h"
#include "sandbox/inodes.h"
#include "sandbox/landlock.h"
#include "sandbox/object.h"
#include "sandbox/places.h"

#define GRANT_READ LANDLOCK_FS_READ_FILE
#define GRANT_LIST LANDLOCK_FS_READ_DIR /* directories only */
#define GRANT_TREE (GRANT_READ | GRANT_LIST)
#define GRANT_RUN  (GRANT_READ | LANDLOCK_FS_EXECUTE)

/* A zeroed struct is empty. */
struct grants {
	struct holdings *holdings; /* borrowed: who else holds what is granted; NULL: nobody */
	struct cell_rule *rules;   /* owned */
	struct held **held;        /* owned; beside the rules, whose descriptors these are */
	struct inode_key *keys;    /* owned; beside the rules */
	uint32_t count;
	uint32_t cap;
	struct inodes granted;  /* every rule's file: the quick way to "not yet" */
	struct inodes runnable; /* files with GRANT_RUN */
	struct inodes denied;   /* files that get no rule and taint their directory */
	struct places outside;  /* folders of what is granted beside /usr and /etc */
};

/* Adds the access to the object's rule. 0 (also when the file is denied: no rule then), -E2BIG
 * (CELL_RULES_MAX), -ENOMEM, -EMFILE. The object stays the caller's. */
int grants_add(struct grants *grants, const struct object *object, uint64_t access);
/* The same for what a survey found: opened by name only where nobody holds it yet. No rule for
 * what is another file by now. */
struct grant_name {
	const char *path; /* resolved */
	uint64_t dev, ino;
	bool dir;
};
int grants_add_name(struct grants *grants, const struct grant_name *name, uint64_t access);
/* Denies a file from now on; must come before any add. 0 or -ENOMEM. */
int grants_deny(struct grants *grants, const struct stat *st);
void grants_fini(struct grants *grants);

#endif
