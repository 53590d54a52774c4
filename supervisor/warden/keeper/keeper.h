/*
 * The keeper: a process that makes the overlays that calls run on, holds what they leave, reads it
 * and writes it into the workspace.
 *
 * Forked by the warden after cell_setup() and never exec'd, like the zygote: it has a mount
 * namespace and an empty root of its own, no network, no key and no journal, and knows only the
 * folders it is handed. It makes mounts itself; whatever reads or writes files for long is done by
 * a child of it that Landlock holds to those folders and that can mount nothing. Answers come when
 * they come, by serial. It dies with the warden; its loss ends the daemon. Used by the warden's
 * overlays.c and start.c.
 */
#ifndef CALLGATE_WARDEN_KEEPER_KEEPER_H
#define CALLGATE_WARDEN_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/link/message.h"

#define KEEPER_MAX     192        /* overlays at once: running and held */
#define KEEPER_WORK_MS 60000      /* a child that takes longer is ended */
#define KEEPER_UNDO    32         /* calls whose commits can be undone */
#define KEEPER_SAVED   (1u << 30) /* bytes of what they replaced, together */

enum keeper_op {
	KEEPER_NONE = 0,
	KEEPER_MAKE,   /* fds: lower (detached mount), workspace; answer: the mount for the cell */
	KEEPER_DIFF,   /* answer: the list, unless nothing changed */
	KEEPER_DROP,   /* no answer */
	KEEPER_COMMIT, /* fds: list as it was shown, paths; answer: a list */
	KEEPER_UNDO_ALL, /* fds: workspace, paths; answer: a list */
	KEEPER_LOOK,     /* fds: paths; answer: body of EFFECTED */
	KEEPER_RECOVER,  /* fds: workspace: ends what a crash cut off there; answer: a list */
	KEEPER_OP_COUNT,
};
#define KEEPER_FDS_MAX 2

struct keeper_ask {
	uint32_t op;
	uint32_t id; /* of the overlay: the warden's number, not 0; else 0 */
	uint64_t serial;
	uint64_t disk;   /* MAKE: bytes and inodes of what may be written */
	uint64_t inodes; /* 0: no limit */
	uint32_t uid;    /* MAKE: whose it is inside */
	uint32_t gid;
	uint32_t exec;    /* MAKE: programs in it may run */
	uint32_t written; /* UNDO: paths that are written */
	char call[CALL_ID_MAX + 1];
	struct digest effects; /* COMMIT and UNDO: of the list that was shown */
};

struct keeper_told {
	uint32_t op;
	uint32_t id;
	uint64_t serial;
	uint32_t status;       /* enum answer_status */
	uint32_t count;        /* effects in the list */
	uint32_t commits;      /* UNDO, RECOVER: that were taken back */
	uint64_t used;         /* DIFF: bytes of memory that it holds */
	struct digest effects; /* RECOVER: of the list that had been shown */
	char call[CALL_ID_MAX + 1];
	struct err_note note; /* why not */
};

struct keeper {
	int sock; /* SOCK_SEQPACKET; readable: an answer is there; -1: none */
	pid_t pid;
	int pidfd;
	bool able;           /* overlays can be made here; else: */
	struct err_note why; /* switch and remedy */
};

/* root: of the initial user namespace (trusted.overlay); saved: STATE/effects, stays the caller's.
 * Waits until the keeper has tried whether it can make an overlay: that it cannot is no fault. 0 or
 * -errno with note. In the child it never returns. */
int keeper_start(struct keeper *ret, bool root, int saved, struct err_note *note);
/* Descriptors stay the caller's. 0 or -errno: -EPIPE, it is gone. */
int keeper_ask(
    const struct keeper *keeper, const struct keeper_ask *ask, const int *fds, size_t fd_count);
/* One answer; *ret_fd: -1 or the caller's. 0; -EAGAIN; -EPIPE. */
int keeper_take(const struct keeper *keeper, struct keeper_told *ret, int *ret_fd);
void keeper_stop(struct keeper *keeper);

#endif
