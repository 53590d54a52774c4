/*
 * What each role of the daemon may still do, after its start: seccomp, Landlock, no_new_privs,
 * not dumpable, no capabilities (warden excepted), no core. Called once by each role's main when
 * everything it needs is open and every library has read its configuration: a later open() gives
 * EACCES (OpenSSL: use a digest once before; jansson: json_object_seed(0) before).
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
	SELF_ENGINE,  /* as front without accept; its key store below one directory */
	SELF_AUDITOR, /* write, fdatasync, openat below its two directories, rename, memory */
	SELF_SIGNER,  /* read, write, getrandom, memory */
	SELF_FRONT_HTTP, /* as front; TLS needs nothing more */
	SELF_COURIER, /* as front; connects to the internet, has threads, reads what it was given */
};

/* Where the kernel has no Landlock, or has it switched off, the rest holds alone: the filters of
 * policy, front and signer still open nothing; auditor, engine and courier open what their user
 * may. allowed_dirs: descriptors of the folders below which the auditor or engine may still work,
 * or of the folders and files that courier may still read; -1-terminated, NULL for none. 0 or
 * -errno with note; the caller exits on a fault. Sanitizer builds add what the runtime needs. */
int self_confine(enum self_role role, const int *allowed_dirs, struct err_note *note);
/* Programs, sockets to anywhere, tracing, modules, keys and the clock become EPERM, but not mounts:
 * for the keeper, which makes those. Sets no_new_privs. 0 or -errno. */
int self_refuse_programs(void);
/* At the very start of each role that the warden starts, before uv_loop_init(): all of the two
 * below, and PR_SET_PDEATHSIG SIGKILL. 0 or -errno. */
int self_start(void);
/* No dump of this process or a child, also none by the host's handler (kernel.core_pattern with a
 * pipe), which the kernel starts as root: it looks at no limit but this one, 1, which stands for
 * none. A hard limit of 0 stays where the process may not raise it. 0 or -errno. */
int self_no_core(void);
/* PR_SET_DUMPABLE 0 and self_no_core(). The warden calls these two itself: its starter goes away
 * and must not take it along. 0 or -errno. */
int self_seal(void);
/* io_uring becomes ENOSYS, now and in every child. Must come before uv_loop_init(): libuv from
 * 1.45 on sends epoll_ctl through a ring made there, asks no variable, and aborts when
 * self_confine() then takes the ring away. Sets no_new_privs. 0 or -errno. */
int self_refuse_rings(void);
/* What no program of the daemon ever does, before or after its own confinement, becomes EPERM, now
 * and in every child: other namespaces, mounts, tracing, modules, keys, the clock. For a process
 * that may exec. Sets no_new_privs. 0 or -errno. */
int self_refuse_powers(void);

#endif
