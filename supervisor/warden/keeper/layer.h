/*
 * One overlay: a sized tmpfs above a workspace. Made in the keeper's own mount namespace, where
 * /l and /u are free places. Used by serve.c. Blocks on nothing.
 */
#ifndef CALLGATE_WARDEN_KEEPER_LAYER_H
#define CALLGATE_WARDEN_KEEPER_LAYER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"

#define LAYER_OPAQUE_ROOT "trusted.overlay.opaque"
#define LAYER_OPAQUE_USER "user.overlay.opaque"

struct layer_spec {
	bool root; /* of the initial user namespace */
	bool exec;
	uint64_t disk, inodes; /* 0: no limit */
	uid_t uid;             /* owner of the top folder; root only */
	gid_t gid;
	bool probe; /* over nothing: what fails is not the workspace's fault */
};

/* lower: a detached mount, used up. 0, *ret_upper (the folder that was written to) and *ret_mount
 * (detached, nosuid,nodev and unless exec noexec), both the caller's; or -errno with note. */
int layer_make(const struct layer_spec *spec, int lower, int *ret_upper, int *ret_mount,
    struct err_note *note);
/* Makes one over nothing and writes to it. 0, or -errno with a note of switch and remedy. */
int layer_probe(bool root, struct err_note *note);
/* An empty root with the two places; the host's tree is gone from this process. 0 or -errno. */
int layer_enter_root(void);

#endif
