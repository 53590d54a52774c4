/*
 * The attacher: a child that writes pids into cgroup.procs. The kernel makes the first such write
 * of a burst wait for 10 ms or more (cgroup_threadgroup_rwsem), and the warden's loop may not
 * wait. Forked early, before any key; then it may only receive, write and answer. Used by pool.c.
 */
#ifndef CALLGATE_WARDEN_ATTACH_H
#define CALLGATE_WARDEN_ATTACH_H

#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/cgroup.h"

struct attacher {
	int sock; /* readable: an answer is there; -1: no attacher */
	pid_t pid;
};

/* 0 or -errno with note. */
int attach_start(struct attacher *ret, struct err_note *note);
/* Asks for one attachment; answers come in the order of asking. 0 or -errno. */
int attach_ask(const struct attacher *attacher, const struct cgroup_leaf *leaf, pid_t pid);
/* 0 and *ret_fault (0 or -errno) of the oldest question; -EAGAIN; -EPIPE: the attacher is gone. */
int attach_answer(const struct attacher *attacher, int *ret_fault);
void attach_stop(struct attacher *attacher);

#endif
