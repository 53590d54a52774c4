/*
 * Inside a cell, from its first instruction to the tool's: the state that the steps share, and
 * the steps. enter.c holds their order and the reason for it. Runs in the cell only (single
 * thread, a fork of the zygote); may block on its socket. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_ENTER_H
#define CALLGATE_SANDBOX_ENTER_H

#include <sys/types.h>

#include "sandbox/cell.h"
#include "sandbox/seccomp.h"
#include "sandbox/walls.h"
#include "sandbox/wire.h"

#define CELL_HOSTNAME "callgate"

/* A step's result besides 0 and -errno: this system cannot give the wall; go on without it. The
 * attestation then lacks the layer, and who requires it refuses the call. */
#define ENTER_ABSENT 1

/* The places where an entry leaves marks for later steps. Zero: not reached. */
struct entry {
	struct cell_host host;
	struct walls walls;
	struct seccomp_program no_wx; /* these two are built once by the zygote */
	struct seccomp_program last;
	ino_t outer_ns[6]; /* the zygote's namespaces, to be different from */
	bool filtered;     /* the zygote carries the large filters */
	uint32_t slot;
	uid_t uid; /* of the tool, inside and outside */
	gid_t gid;
	int sock;         /* to the warden */
	int ruleset;      /* Landlock, until it binds; -1 */
	uint64_t handled; /* LANDLOCK_ACCESS_FS_* that the ruleset handles */
	dev_t root_dev;   /* the two file systems where missing directories may be made */
	dev_t scratch_dev;
	struct arm_request arm;
	struct attestation have;
	uint32_t absent;      /* LAYER_BIT()s that this system cannot give */
	struct err_note note; /* a step may say more than its errno */
};

/* The whole life of a cell; sends PREPARED, ARMED, ... itself. */
_Noreturn void enter_cell(struct entry *entry);
/* Literal name for the step number in a FAILED message. */
const char *enter_step_name(uint8_t step);

/* Becomes init: starts the tool, reaps, reports, exits. cell_init.c */
_Noreturn void cell_init_run(struct entry *entry);
/* FAILED with the name of no step of the lists: "exec" or "limits". */
_Noreturn void enter_fail_exec(struct entry *entry, int error);

/* namespaces.c */
int namespaces_flags(const struct walls *walls); /* for clone(2) */
int namespaces_record(ino_t ret_ns[6]);
int namespaces_identity(struct entry *entry);
int namespaces_verify(struct entry *entry);
int namespaces_hostname(struct entry *entry);
int namespaces_no_more(struct entry *entry);
int namespaces_cgroup(struct entry *entry);
/* The zygote's part for a cell whose ids only root can map. */
int namespaces_map(pid_t pid, uid_t uid, gid_t gid);

/* rootfs.c */
int rootfs_template(const struct walls *walls, struct err_note *note);
int rootfs_enter(struct entry *entry);
int rootfs_detach(struct entry *entry);
int rootfs_proc(struct entry *entry);
int rootfs_proc_subset(struct entry *entry);
int rootfs_scratch(struct entry *entry);
int rootfs_budget(struct entry *entry);
int rootfs_seal(struct entry *entry);

/* mount.c */
int mount_all(struct entry *entry);

/* limits.c */
int limits_set(struct entry *entry);
/* In the tool's own process, between vfork and exec. */
int limits_of_tool(const struct entry *entry);

/* caps.c */
int caps_fix_ids(struct entry *entry);
int caps_bound(struct entry *entry);
int caps_drop(struct entry *entry);
int caps_verify_nnp(struct entry *entry);
int caps_verify_groups(struct entry *entry);

/* landlock.c */
int landlock_prepare(struct entry *entry);
int landlock_rules(struct entry *entry);
int landlock_bind(struct entry *entry);
int landlock_attest_allowlist(struct entry *entry);
int landlock_allow(struct entry *entry, int fd, uint64_t access);

/* stdio.c */
int stdio_place(struct entry *entry);
int stdio_close(struct entry *entry);
int stdio_cwd(struct entry *entry);

/* seccomp.c */
int seccomp_no_writable_code(struct entry *entry);
int seccomp_last(struct entry *entry);
int seccomp_attest_memfd(struct entry *entry);

#endif
