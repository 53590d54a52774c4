/*
 * Control groups: one leaf per cell, for limits, for killing a whole tree and as a witness.
 *
 * Found out by looking at what is mounted and trying it: v2 where the daemon sits inside a
 * subtree of its own (systemd Delegate=yes) or, as root, in the root of the hierarchy; v1 as root,
 * beside it a v2 mount without controllers for kill and events; or nothing, and then rlimits
 * hold. Only folders made here are ever written to or removed, except that the daemon's own v2
 * folder gets its controllers enabled. Used by start.c, pool.c, launch.c. Nothing here waits but
 * cgroup_open(): moving a process may take the kernel 10 ms, and is attach.c's work.
 */
#ifndef CALLGATE_WARDEN_CGROUP_H
#define CALLGATE_WARDEN_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/base/paths.h"
#include "sandbox/cell.h"

#define CGROUP_NAME_MAX    32
#define CGROUP_LEAF_PREFIX "cell-"

enum cgroup_tree {
	CGROUP_TREE_V2,
	CGROUP_TREE_MEMORY, /* v1 from here */
	CGROUP_TREE_PIDS,
	CGROUP_TREE_CPUACCT,
	CGROUP_TREE_COUNT,
};

/* The daemon's own folder in each hierarchy; "" where there is none. */
struct cgroup_found {
	char path[CGROUP_TREE_COUNT][PATHS_MAX];
};

struct cgroup {
	enum cgroup_kind kind;
	int parent[CGROUP_TREE_COUNT]; /* the daemon's own folder; -1 */
	int base[CGROUP_TREE_COUNT];   /* where leaves are made, locked by us; -1 */
	bool own_base;                 /* base is a folder that we made in parent */
	char name[CGROUP_NAME_MAX];    /* of that folder */
	uint64_t leaf_count;           /* leaves ever made, for their names */
};

struct cgroup_leaf {
	int dir[CGROUP_TREE_COUNT]; /* -1: no leaf there */
	char name[CGROUP_NAME_MAX]; /* "": no leaf at all */
};

/* What the kernel counted; 0 where it does not say. */
struct cgroup_usage {
	uint64_t memory_peak; /* bytes */
	uint64_t cpu_us;
	uint64_t oom_kills;
	uint64_t pids_refused;
	enum { CGROUP_POPULATED_UNKNOWN = 0, CGROUP_POPULATED, CGROUP_EMPTY } populated;
};

/* Reads the texts of /proc/self/mountinfo and /proc/self/cgroup. Pure. */
void cgroup_find(struct cgroup_found *ret, const char *mountinfo, const char *self);

/* Finds and prepares; moves the daemon and its children into a leaf where v2 needs it. Never
 * fails: kind NONE, and the note says why. Call it after the roles were started. */
void cgroup_open(struct cgroup *ret, bool root, struct err_note *note);
/* Removes what cgroup_open made, if it is empty. */
void cgroup_close(struct cgroup *cgroup);

/* Makes a base again that somebody removed. 0: all bases stand; -ENOTSUP: it was not ours to make;
 * -errno. */
int cgroup_restore(struct cgroup *cgroup);

void cgroup_leaf_init(struct cgroup_leaf *leaf);
/* 0 or -errno; on failure nothing is left. */
int cgroup_leaf_make(struct cgroup *cgroup, struct cgroup_leaf *ret);
/* Opens the leaf's cgroup.procs of every hierarchy, *ret_count of them; the caller's, also those
 * opened before a failure. 0 or -errno. */
int cgroup_leaf_procs(
    const struct cgroup_leaf *leaf, int ret_fds[CGROUP_TREE_COUNT], size_t *ret_count);
/* Memory and pids of limits. 0: both hold; -ENOTSUP: the leaf cannot (use rlimits); -errno. */
int cgroup_leaf_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits);
/* Kills everything in the leaf: 0, or -ENOTSUP where there is no cgroup.kill. */
int cgroup_leaf_kill(const struct cgroup_leaf *leaf);
void cgroup_leaf_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *ret);
/* 0 and the leaf is as new; -EBUSY: not empty yet, try again later. */
int cgroup_leaf_remove(struct cgroup *cgroup, struct cgroup_leaf *leaf);

/* Small files of a cgroup folder. 0 or -errno. */
int cgroup_write(int dir, const char *name, const char *value);
int cgroup_write_u64(int dir, const char *name, uint64_t value);
int cgroup_read(int dir, const char *name, char *ret_text, size_t max);
/* The number after "key " at the start of a line; key NULL: the whole file is the number. */
int cgroup_read_u64(int dir, const char *name, const char *key, uint64_t *ret_value);

#endif
