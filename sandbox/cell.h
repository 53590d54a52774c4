/*
 * A cell: one call's sandbox, from preparation to proof of its end.
 *
 * The warden forks a zygote once, early (before it holds any secret). The zygote clones cells on
 * request with CLONE_PARENT, so that the warden is their parent and reaps them by pidfd. A
 * cell's life: PREPARE (namespaces, private root, proc, /tmp: nothing of the call is known yet),
 * ARM (workspace, descriptors, limits, capabilities, Landlock, last filter), GO (fork, exec by
 * fd; the cell stays as init and reaps), report, death. A failed step is the end of the cell.
 *
 * Warden side: all functions here; none blocks longer than a socket send, answers are read when
 * the descriptor polls readable. Cell side: enter.c. Floor 1: base, libseccomp, libcap.
 */
#ifndef CALLGATE_SANDBOX_CELL_H
#define CALLGATE_SANDBOX_CELL_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "sandbox/layer.h"

/* How the warden stands, found out once by cell_setup(). */
struct cell_host {
	bool root; /* euid 0 in the initial user namespace */
	uid_t uid; /* outside uid of an ordinary user's daemon */
	gid_t gid;
	uid_t cell_uid_first; /* root: cells get uids from here ... */
	uint32_t cell_uid_count;
	uint32_t landlock_abi; /* 0: none */
	int landlock_fault;    /* and then why: -errno */
	bool filtered;         /* somebody else's seccomp filter was in force at the start */
	bool idmap;            /* idmapped mounts work (root only; tried per filesystem at arm) */
};

/* How this host stands, with nothing changed: enough to judge a policy by. */
void cell_look(struct cell_host *ret_host);
/* Probes the kernel, and as an ordinary user unshares one user and mount namespace for the
 * calling (warden) process, single-uid map, "/" private. Call it after exec and after the roles
 * were started, before zygote_start(). 0 or -errno with a note naming switch and remedy. */
int cell_setup(struct cell_host *ret_host, struct err_note *note);

/* Does all of that and prepares one cell, in a child that ends with it: nothing stays changed here.
 * 0, or -errno with note: no call could run here. Takes as long as a start, ten seconds at most. */
int cell_try(struct err_note *note);

struct zygote {
	int sock; /* SOCK_SEQPACKET, close-on-exec; readable: an answer is there */
	pid_t pid;
	int pidfd;
};

/* Forks the zygote. In the child it never returns. 0 or -errno. */
int zygote_start(const struct cell_host *host, struct zygote *ret_zygote, struct err_note *note);
/* Asks for one more prepared cell. slot: index into the uid range (root), unique among living
 * cells. 0 or -errno. */
int zygote_ask(struct zygote *zygote, uint32_t slot);

struct cell {
	int sock;  /* SOCK_SEQPACKET to the cell; -1 = none */
	int pidfd; /* readable: init is dead, and with it the whole tree */
	pid_t pid; /* in the warden's pid namespace */
	uint32_t slot;
	uint32_t prepared_layers; /* LAYER_BIT()s of PREPARE */
};

/* Reads one answer of the zygote. 0 and *ret_cell; -EAGAIN: there is none; -EPIPE: the zygote is
 * gone; or another fault: a cell could not be prepared, and the note says which step and switch. */
int zygote_take(struct zygote *zygote, struct cell *ret_cell, struct err_note *note);
void zygote_stop(struct zygote *zygote);

#define CELL_RULES_MAX 16384
#define CELL_ARG_BYTES (512 * 1024) /* argv and environment together */

/* One Landlock rule: an O_PATH descriptor and LANDLOCK_ACCESS_FS_* bits. */
struct cell_rule {
	int fd;
	uint64_t access;
};

struct cell_limits {
	uint64_t memory; /* bytes; 0: none */
	uint64_t pids;
	uint64_t cpu_ms;
	uint64_t file_size;
	uint64_t files;
	uint64_t tmp_bytes;
	uint64_t tmp_inodes;
	bool by_cgroup; /* memory and pids are held by a cgroup that the cell is in already */
};

/* What init saw of the limits that it keeps or can look at. */
enum cell_reached {
	CELL_REACHED_NONE = 0,
	CELL_REACHED_MEMORY, /* init killed the tree at its memory limit */
	CELL_REACHED_CPU,    /* the same, at the CPU time of all of it */
	CELL_REACHED_DISK,   /* no room was left in /tmp or the overlay when the tool ended */
	CELL_REACHED_INODES, /* the same, of files */
	CELL_REACHED_LAST = CELL_REACHED_INODES,
};

enum cell_workspace {
	CELL_WORKSPACE_NONE = 0,
	CELL_WORKSPACE_RO,
	CELL_WORKSPACE_RW,
	CELL_WORKSPACE_EXEC, /* rw and without noexec */
};

/* Everything ARM needs; borrowed for the call of cell_arm(). */
struct cell_arm {
	const char *const *argv; /* NULL-terminated; argv[0] as the tool sees it */
	const char *const *envp; /* NULL-terminated, exact */
	const char *workspace;   /* absolute path where it appears inside */
	const char *cwd;         /* absolute, at or below workspace */
	int mount_fd;            /* detached mount of the workspace (open_tree) */
	int exec_fd;             /* O_PATH of the ELF program that runs */
	int stdin_fd;            /* -1: /dev/null */
	int stdout_fd;
	int stderr_fd;
	bool has_gate; /* the tool gets gate_fd, a connected stream socket, as its descriptor 3 */
	int gate_fd;
	/* Extra read-only binds: programs outside /usr, then a hashed script over its path. Those
	 * below the workspace come last. */
	const char *const *bind_paths;
	const int *bind_mounts; /* detached mounts, same count */
	uint32_t bind_count;
	enum cell_workspace mode;
	const struct cell_rule *rules;
	uint32_t rule_count;
	bool allowlist_open;
	bool allow_jit; /* no MDWE: node and other runtimes that write their own code */
	struct cell_limits limits;
	uint64_t landlock_workspace; /* access bits there; never more than the mode allows */
};

/* Sends the ARM request with all descriptors (which stay the caller's). 0; -E2BIG or -EINVAL:
 * nothing was sent; -EPIPE: a step failed, its FAILED event waits to be read; or -errno. */
int cell_arm(const struct cell *cell, const struct cell_arm *arm);
/* Sends GO. 0 or -errno. */
int cell_go(const struct cell *cell);

enum cell_event_kind {
	CELL_EVENT_NONE = 0,
	CELL_EVENT_ARMED,   /* attestation filled; nothing of the tool has run */
	CELL_EVENT_FAILED,  /* step and errno; nothing of the tool has run, or exec itself failed */
	CELL_EVENT_STARTED, /* exec succeeded */
	CELL_EVENT_EXITED,  /* main child ended and the tree is empty (ECHILD seen by init) */
};

enum cell_proof {
	CELL_PROOF_NONE = 0,
	CELL_PROOF_ECHILD, /* init reaped everything and saw ECHILD */
	CELL_PROOF_PIDFD,  /* init's pidfd fired: the kernel emptied the pid namespace first */
};

struct cell_event {
	enum cell_event_kind kind;
	struct attestation attestation; /* ARMED */
	const char *step;               /* FAILED: literal name of the step */
	int error;                      /* FAILED: errno */
	struct err_note note;           /* FAILED: what, why, remedy */
	bool signaled;                  /* EXITED */
	int code;                       /* EXITED: status or signal */
	uint64_t cpu_us;                /* EXITED: of all reaped children */
	uint64_t memory_peak;           /* EXITED: bytes of the largest process, or the sum */
	enum cell_reached reached;      /* EXITED */
};

/* Reads one event. 0; -EAGAIN; -EPIPE: the cell closed its end (wait for the pidfd). */
int cell_event_read(const struct cell *cell, struct cell_event *ret_event);
/* SIGKILL to init by pidfd: the kernel kills the whole pid namespace. 0 or -errno. */
int cell_kill(const struct cell *cell);
/* After the pidfd fired: reaps. 0, -EAGAIN (still alive) or -errno. */
int cell_reap(const struct cell *cell);
/* Closes descriptors; the struct is as new. */
void cell_close(struct cell *cell);

/* A user namespace that maps the owner of a folder to a slot's cell uid. Making one costs a
 * process, so whoever owns the slots keeps one for each; it is good for that slot only. */
struct cell_idmap {
	int fd; /* owned; -1: none yet */
	uid_t uid;
	gid_t gid;
};
/* Accepts one that holds nothing. */
void cell_idmap_close(struct cell_idmap *idmap);

/* A directory that becomes a workspace: opened, and whose it is on disk. */
struct cell_folder {
	int fd; /* borrowed */
	uid_t uid;
	gid_t gid;
	struct cell_idmap
	    *idmap; /* borrowed, of the cell's slot: used or renewed; NULL: none kept */
};

/* Detached mount of the folder for ARM, with nosuid,nodev and (by mode) ro and noexec; as root
 * idmapped so that its owner on disk appears as the cell's uid. Must be called in the
 * warden, with a directory opened after cell_setup() (before, it belongs to another mount
 * namespace: EINVAL). Returns the descriptor or -errno with note (-ENOTSUP: no idmap on this
 * filesystem). */
int cell_mount_workspace(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *folder, enum cell_workspace mode, struct err_note *note);
/* The same for one file of that workspace, read-only; script: opened in it, and the workspace's
 * owner. Never more than the workspace itself: no other mount may show its content as code. */
int cell_mount_script(const struct cell_host *host, const struct cell *cell,
    const struct cell_folder *script, enum cell_workspace mode);
/* Detached read-only mount of a program, or of a directory with programs and their libraries,
 * opened after cell_setup(): the one kind of bind that runs code. Nothing that a tool can write
 * may be in it. Returns the descriptor or -errno. */
int cell_mount_program(int fd);

#endif
