/*
 * What each role of the daemon may still do, after its start: seccomp, Landlock, no_new_privs,
 * not dumpable, no core. Called once by each role's main when everything it needs is open.
 * Floor 1: base, libseccomp, libcap.
 */
#ifndef CALLGATE_SANDBOX_SELF_H
#define CALLGATE_SANDBOX_SELF_H

#include "supervisor/base/err.h"

enum self_role {
	SELF_NONE = 0,
	SELF_WARDEN,  /* seccomp only: a Landlock domain would forbid mount and reach the cells */
	SELF_POLICY,  /* read and write open descriptors, memory, exit */
	SELF_FRONT,   /* accept, read, write, pass and make memfds, epoll */
	SELF_ENGINE,  /* as front without accept */
	SELF_AUDITOR, /* write, fdatasync, openat below its two directories, rename, memory */
	SELF_SIGNER,  /* read, write, getrandom, memory */
};

/* allowed_dirs: O_PATH descriptors below which the auditor may still work; -1-terminated, NULL
 * for none. 0 or -errno with note; the caller exits on a fault. Sanitizer builds add what the
 * runtime needs. */
int self_confine(enum self_role role, const int *allowed_dirs, struct err_note *note);
/* PR_SET_DUMPABLE 0, RLIMIT_CORE 0, PR_SET_PDEATHSIG SIGKILL: at the very start of each role. */
int self_start(void);

#endif
