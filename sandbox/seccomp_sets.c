/*
 * Which system calls exist for a tool. Tables only. To add a call: name it in the list where it
 * belongs, and say in the commit which program needs it and what of the kernel it opens; the
 * test tests/escape/probe.c then shows what it no longer refuses.
 */
#include "sandbox/seccomp.h"

#include <linux/prctl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <netinet/in.h>

/* ---- known, whatever the arguments ----------------------------------------------------------- */

const char *const seccomp_known_plain[] = {
    /* programs and processes */
    "execve", "execveat", "exit", "exit_group", "fork", "vfork", "clone", "wait4", "waitid",
    "getpid", "getppid", "gettid", "getpgid", "getpgrp", "setpgid", "getsid", "setsid",
    "pidfd_open", "pidfd_send_signal", "set_tid_address", "set_robust_list", "get_robust_list",
    "rseq", "membarrier", "arch_prctl", "restart_syscall",
    /* signals */
    "kill", "tkill", "tgkill", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending",
    "rt_sigsuspend", "rt_sigtimedwait", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sigaltstack",
    "pause", "signalfd", "signalfd4",
    /* scheduling: questions, and pauses of one's own */
    "sched_yield", "sched_getaffinity", "sched_getparam", "sched_getscheduler", "sched_getattr",
    "sched_get_priority_max", "sched_get_priority_min", "sched_rr_get_interval", "getpriority",
    "ioprio_get", "getcpu", "getrusage", "times", "getrlimit", "setrlimit", "futex", "futex_waitv",
    /* memory */
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "mlock", "mlock2",
    "munlock", "mlockall", "munlockall", "pkey_alloc", "pkey_free", "pkey_mprotect", "shmget",
    "shmat", "shmdt", "shmctl", "semget", "semop", "semctl", "semtimedop", "msgget", "msgsnd",
    "msgrcv", "msgctl",
    /* files by descriptor */
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "close", "close_range", "lseek", "dup", "dup2", "dup3", "fcntl", "flock", "ioctl",
    "fstat", "getdents", "getdents64", "fchdir", "fchmod", "fchown", "ftruncate", "fallocate",
    "fadvise64", "readahead", "fsync", "fdatasync", "sync_file_range", "syncfs", "copy_file_range",
    "sendfile", "splice", "tee", "fstatfs", "fgetxattr", "flistxattr", "fsetxattr", "fremovexattr",
    "pipe", "pipe2", "eventfd", "eventfd2",
    /* files by name */
    "open", "openat", "creat", "stat", "lstat", "newfstatat", "statx", "access", "faccessat",
    "faccessat2", "readlink", "readlinkat", "getcwd", "chdir", "mkdir", "mkdirat", "rmdir",
    "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat", "unlink",
    "unlinkat", "chmod", "fchmodat", "chown", "lchown", "fchownat", "truncate", "utime", "utimes",
    "utimensat", "futimesat", "mknod", "mknodat", "statfs", "getxattr", "lgetxattr", "listxattr",
    "llistxattr", "setxattr", "lsetxattr", "removexattr", "lremovexattr", "umask", "inotify_init",
    "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* waiting */
    "poll", "ppoll", "select", "pselect6", "epoll_create", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2",
    /* time */
    "nanosleep", "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time",
    "alarm", "getitimer", "setitimer", "timer_create", "timer_settime", "timer_gettime",
    "timer_getoverrun", "timer_delete", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    /* who one is: a single id is mapped, there is nothing to become */
    "getuid", "geteuid", "getgid", "getegid", "getresuid", "getresgid", "getgroups", "setuid",
    "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid", "setgroups",
    "capget", "capset",
    /* network: only what socket() below gave */
    "connect", "bind", "listen", "accept", "accept4", "getsockname", "getpeername", "getsockopt",
    "setsockopt", "sendto", "sendmsg", "sendmmsg", "recvfrom", "recvmsg", "recvmmsg", "shutdown",
    /* the rest */
    "getrandom", "uname", "sysinfo",
    /* for the way in; LAST takes them away again */
    "mount", "umount2", "pivot_root", "move_mount", "open_tree", "mount_setattr", "unshare",
    "sethostname", "seccomp", "landlock_create_ruleset", "landlock_add_rule",
    "landlock_restrict_self", NULL};

/* ---- known, for some arguments --------------------------------------------------------------- */

#define IS(index, value)                                                                           \
	{                                                                                          \
		SECCOMP_EQ, index, (uint64_t)(value), 0                                            \
	}
#define IS_NOT(index, value)                                                                       \
	{                                                                                          \
		SECCOMP_NE, index, (uint64_t)(value), 0                                            \
	}
#define BELOW(index, value)                                                                        \
	{                                                                                          \
		SECCOMP_LT, index, (uint64_t)(value), 0                                            \
	}
#define ABOVE(index, value)                                                                        \
	{                                                                                          \
		SECCOMP_GT, index, (uint64_t)(value), 0                                            \
	}
#define BITS(index, mask, value)                                                                   \
	{                                                                                          \
		SECCOMP_BITS, index, (uint64_t)(value), (uint64_t)(mask)                           \
	}
#define HAS(index, bits) BITS(index, bits, bits)

#define TYPE_MASK        0xf /* below SOCK_NONBLOCK and SOCK_CLOEXEC (socket(2)) */

/* Stream and datagram over IPv4 and IPv6, and no other protocol: naming one may load a module. */
#define SOCKET(family, type, protocol)                                                             \
	{                                                                                          \
		"socket", SECCOMP_ALLOW,                                                           \
		{                                                                                  \
			IS(0, family), BITS(1, TYPE_MASK, type), IS(2, protocol)                   \
		}                                                                                  \
	}
#define SOCKETS(family)                                                                            \
	SOCKET(family, SOCK_STREAM, 0), SOCKET(family, SOCK_STREAM, IPPROTO_TCP),                  \
	    SOCKET(family, SOCK_DGRAM, 0), SOCKET(family, SOCK_DGRAM, IPPROTO_UDP)
#define NO_FAMILY(family)                                                                          \
	{                                                                                          \
		"socket", SECCOMP_NO_FAMILY,                                                       \
		{                                                                                  \
			IS(0, family)                                                              \
		}                                                                                  \
	}
#define PRCTL(option)                                                                              \
	{                                                                                          \
		"prctl", SECCOMP_ALLOW,                                                            \
		{                                                                                  \
			IS(0, option)                                                              \
		}                                                                                  \
	}
#define NO_PRCTL(option)                                                                           \
	{                                                                                          \
		"prctl", SECCOMP_EPERM,                                                            \
		{                                                                                  \
			IS(0, option)                                                              \
		}                                                                                  \
	}
#define ONESELF(call, i)                                                                           \
	{call, SECCOMP_ALLOW, {IS(i, 0)}},                                                         \
	{                                                                                          \
		call, SECCOMP_EPERM,                                                               \
		{                                                                                  \
			IS_NOT(i, 0)                                                               \
		}                                                                                  \
	}
#define EPERM_ALWAYS(call)                                                                         \
	{                                                                                          \
		call, SECCOMP_EPERM,                                                               \
		{                                                                                  \
			{                                                                          \
				SECCOMP_NO_MORE                                                    \
			}                                                                          \
		}                                                                                  \
	}

#define PR_MDWE_SET     65 /* younger than Debian 12's headers */
#define PR_MDWE_GET     66
#define PERSONALITY_ASK 0xffffffffU

const struct seccomp_rule seccomp_known_rules[] = {SOCKETS(AF_INET), SOCKETS(AF_INET6),
    /* AF_UNIX: a socket in the workspace is reachable through every other wall. */
    {"socket", SECCOMP_NO_FAMILY, {BELOW(0, AF_INET)}},
    {"socket", SECCOMP_NO_FAMILY, {ABOVE(0, AF_INET6)}}, NO_FAMILY(3), NO_FAMILY(4), NO_FAMILY(5),
    NO_FAMILY(6), NO_FAMILY(7), NO_FAMILY(8), NO_FAMILY(9),
    {"socketpair", SECCOMP_ALLOW, {IS(0, AF_UNIX), BITS(1, TYPE_MASK, SOCK_STREAM), IS(2, 0)}},
    /* the zygote's, to speak with a cell; LAST takes it away again */
    {"socketpair", SECCOMP_ALLOW, {IS(0, AF_UNIX), BITS(1, TYPE_MASK, SOCK_SEQPACKET), IS(2, 0)}},

    /* Landlock does not keep siblings of one uid from changing each other's. */
    ONESELF("prlimit64", 0), ONESELF("sched_setaffinity", 0), ONESELF("sched_setscheduler", 0),
    ONESELF("sched_setparam", 0), {"setpriority", SECCOMP_ALLOW, {IS(0, 0), IS(1, 0)}},
    {"setpriority", SECCOMP_EPERM, {IS_NOT(1, 0)}},

    {"personality", SECCOMP_ALLOW, {IS(0, PERSONALITY_ASK)}},
    {"personality", SECCOMP_EPERM, {IS_NOT(0, PERSONALITY_ASK)}},

    PRCTL(PR_SET_PDEATHSIG), PRCTL(PR_GET_PDEATHSIG), PRCTL(PR_GET_DUMPABLE),
    PRCTL(PR_GET_KEEPCAPS), PRCTL(PR_SET_NAME), PRCTL(PR_GET_NAME), PRCTL(PR_GET_SECCOMP),
    PRCTL(PR_CAPBSET_READ), PRCTL(PR_GET_TSC), PRCTL(PR_GET_SECUREBITS), PRCTL(PR_SET_TIMERSLACK),
    PRCTL(PR_GET_TIMERSLACK), PRCTL(PR_SET_CHILD_SUBREAPER), PRCTL(PR_GET_CHILD_SUBREAPER),
    PRCTL(PR_SET_NO_NEW_PRIVS), PRCTL(PR_GET_NO_NEW_PRIVS), PRCTL(PR_GET_TID_ADDRESS),
    PRCTL(PR_SET_THP_DISABLE), PRCTL(PR_GET_THP_DISABLE), PRCTL(PR_CAP_AMBIENT),
    PRCTL(PR_GET_SPECULATION_CTRL), PRCTL(PR_SET_SPECULATION_CTRL), PRCTL(PR_SET_VMA),
    PRCTL(PR_MDWE_SET), PRCTL(PR_MDWE_GET),
    /* for the way in; LAST takes them away again */
    PRCTL(PR_SET_DUMPABLE), PRCTL(PR_SET_SECUREBITS), PRCTL(PR_CAPBSET_DROP), NO_PRCTL(PR_SET_MM),
    NO_PRCTL(PR_SET_PTRACER), NO_PRCTL(PR_SET_SECCOMP),

    /* Said as "not permitted", because people ask for them by name; the rest is ENOSYS. */
    EPERM_ALWAYS("ptrace"), EPERM_ALWAYS("process_vm_readv"), EPERM_ALWAYS("process_vm_writev"),
    EPERM_ALWAYS("kcmp"), EPERM_ALWAYS("pidfd_getfd"), EPERM_ALWAYS("bpf"),
    EPERM_ALWAYS("perf_event_open"), EPERM_ALWAYS("chroot"), EPERM_ALWAYS("setns"),
    EPERM_ALWAYS("setdomainname"), EPERM_ALWAYS("settimeofday"), EPERM_ALWAYS("clock_settime"),
    EPERM_ALWAYS("clock_adjtime"), EPERM_ALWAYS("adjtimex"), EPERM_ALWAYS("reboot"),
    EPERM_ALWAYS("swapon"), EPERM_ALWAYS("swapoff"), EPERM_ALWAYS("acct"), EPERM_ALWAYS("syslog"),
    EPERM_ALWAYS("vhangup"), EPERM_ALWAYS("iopl"), EPERM_ALWAYS("ioperm"),
    EPERM_ALWAYS("modify_ldt"), EPERM_ALWAYS("init_module"), EPERM_ALWAYS("finit_module"),
    EPERM_ALWAYS("delete_module"), EPERM_ALWAYS("kexec_load"), EPERM_ALWAYS("kexec_file_load"),
    EPERM_ALWAYS("open_by_handle_at"), EPERM_ALWAYS("name_to_handle_at"), EPERM_ALWAYS("quotactl"),
    {NULL, SECCOMP_END, {{SECCOMP_NO_MORE}}}};

/* ---- refused arguments ----------------------------------------------------------------------- */

#define LOW32 0xffffffffU

/* A setuid file that a tool leaves in an idmapped workspace would be its owner's on the host. */
#define NO_SETID(call, mode)                                                                       \
	{call, SECCOMP_EPERM, {HAS(mode, S_ISUID)}},                                               \
	{                                                                                          \
		call, SECCOMP_EPERM,                                                               \
		{                                                                                  \
			HAS(mode, S_ISGID)                                                         \
		}                                                                                  \
	}
/* The mode of an open counts only if it may make a file. */
#define NO_SETID_OPEN(call, flags)                                                                 \
	{call, SECCOMP_EPERM, {HAS(flags, O_CREAT), HAS((flags) + 1, S_ISUID)}},                   \
	    {call, SECCOMP_EPERM, {HAS(flags, O_CREAT), HAS((flags) + 1, S_ISGID)}},               \
	    {call, SECCOMP_EPERM, {HAS(flags, O_TMPFILE), HAS((flags) + 1, S_ISUID)}},             \
	{                                                                                          \
		call, SECCOMP_EPERM,                                                               \
		{                                                                                  \
			HAS(flags, O_TMPFILE), HAS((flags) + 1, S_ISGID)                           \
		}                                                                                  \
	}
#define SETDELEG 1040 /* F_SETDELEG of Linux 6.19 */
#define NO_DEVICE(call, mode)                                                                      \
	{call, SECCOMP_EPERM, {BITS(mode, S_IFMT, S_IFCHR)}},                                      \
	{                                                                                          \
		call, SECCOMP_EPERM,                                                               \
		{                                                                                  \
			BITS(mode, S_IFMT, S_IFBLK)                                                \
		}                                                                                  \
	}

const struct seccomp_rule seccomp_refused_rules[] = {NO_SETID("chmod", 1), NO_SETID("fchmod", 1),
    NO_SETID("fchmodat", 2), NO_SETID("creat", 1), NO_SETID("mkdir", 1), NO_SETID("mkdirat", 2),
    NO_SETID("mknod", 1), NO_SETID("mknodat", 2), NO_SETID_OPEN("open", 1),
    NO_SETID_OPEN("openat", 2), NO_DEVICE("mknod", 1), NO_DEVICE("mknodat", 2),
    /* Leaves a device 0:0, which hides a name from every overlay above it. */
    {"renameat2", SECCOMP_EPERM, {HAS(4, RENAME_WHITEOUT)}},
    /* Input into a terminal that someone else reads. The kernel looks at 32 bits of the number. */
    {"ioctl", SECCOMP_EPERM, {BITS(1, LOW32, TIOCSTI)}},
    {"ioctl", SECCOMP_EPERM, {BITS(1, LOW32, TIOCLINUX)}},
    /* Whoever opens a leased file, the daemon too, waits for its holder, 45 s by default. */
    {"fcntl", SECCOMP_EPERM, {BITS(1, LOW32, F_SETLEASE)}},
    {"fcntl", SECCOMP_EPERM, {BITS(1, LOW32, SETDELEG)}},
    /* The one way around MDWE: the same memory mapped twice. */
    {"shmat", SECCOMP_EPERM, {HAS(2, SHM_EXEC)}}, {NULL, SECCOMP_END, {{SECCOMP_NO_MORE}}}};

/* ---- no writable code ------------------------------------------------------------------------ */

#define WX (PROT_WRITE | PROT_EXEC)
#define NO_EXEC(call)                                                                              \
	{                                                                                          \
		call, SECCOMP_EACCES,                                                              \
		{                                                                                  \
			HAS(2, PROT_EXEC)                                                          \
		}                                                                                  \
	}

/* Coarser than MDWE: it also refuses to make code executable that never was writable. Programs
 * map their code that way from the start; only text relocations and trampolines do not. */
const struct seccomp_rule seccomp_no_wx_rules[] = {NO_EXEC("mprotect"), NO_EXEC("pkey_mprotect"),
    {"mmap", SECCOMP_EACCES, {HAS(2, WX)}},
    {"mmap", SECCOMP_EACCES, {HAS(2, PROT_EXEC), HAS(3, MAP_ANONYMOUS)}},
    {NULL, SECCOMP_END, {{SECCOMP_NO_MORE}}}};

/* ---- taken away last ------------------------------------------------------------------------- */

#define NO_CLONE(flag)                                                                             \
	{                                                                                          \
		"clone", SECCOMP_EPERM,                                                            \
		{                                                                                  \
			HAS(0, flag)                                                               \
		}                                                                                  \
	}
#define ENOSYS_ALWAYS(call)                                                                        \
	{                                                                                          \
		call, SECCOMP_ENOSYS,                                                              \
		{                                                                                  \
			{                                                                          \
				SECCOMP_NO_MORE                                                    \
			}                                                                          \
		}                                                                                  \
	}

const struct seccomp_rule seccomp_last_rules[] = {EPERM_ALWAYS("mount"), EPERM_ALWAYS("umount2"),
    EPERM_ALWAYS("pivot_root"), EPERM_ALWAYS("move_mount"), EPERM_ALWAYS("open_tree"),
    EPERM_ALWAYS("mount_setattr"), EPERM_ALWAYS("fsopen"), EPERM_ALWAYS("fsconfig"),
    EPERM_ALWAYS("fsmount"), EPERM_ALWAYS("fspick"), EPERM_ALWAYS("unshare"),
    EPERM_ALWAYS("sethostname"), ENOSYS_ALWAYS("seccomp"), ENOSYS_ALWAYS("landlock_create_ruleset"),
    ENOSYS_ALWAYS("landlock_add_rule"), ENOSYS_ALWAYS("landlock_restrict_self"),
    /* A pair of datagram or packet sockets can be sent or connected to a name all the same: that
     * of a server of the host in the workspace. Only a stream stays with its other end. Its type
     * is 1, so each of the other bits refuses, and the lack of that one. */
    {"socketpair", SECCOMP_EPERM, {IS_NOT(0, AF_UNIX)}},
    {"socketpair", SECCOMP_EPERM, {BITS(1, 1, 0)}}, {"socketpair", SECCOMP_EPERM, {HAS(1, 2)}},
    {"socketpair", SECCOMP_EPERM, {HAS(1, 4)}}, {"socketpair", SECCOMP_EPERM, {HAS(1, 8)}},
    {"socketpair", SECCOMP_EPERM, {IS_NOT(2, 0)}},
    /* The limit that keeps the host's dump handler away stays what it is. To go down from 1 would
     * call it again; scripts and key agents that wish for "no dump" are told yes, as it is so. */
    {"setrlimit", SECCOMP_PRETEND, {BITS(0, LOW32, RLIMIT_CORE)}},
    {"prlimit64", SECCOMP_PRETEND, {BITS(1, LOW32, RLIMIT_CORE), IS_NOT(2, 0), IS(3, 0)}},
    {"prlimit64", SECCOMP_EPERM, {BITS(1, LOW32, RLIMIT_CORE), IS_NOT(2, 0), IS_NOT(3, 0)}},
    NO_PRCTL(PR_SET_DUMPABLE), NO_PRCTL(PR_SET_SECUREBITS), NO_PRCTL(PR_CAPBSET_DROP),
    NO_CLONE(CLONE_NEWNS), NO_CLONE(CLONE_NEWCGROUP), NO_CLONE(CLONE_NEWUTS),
    NO_CLONE(CLONE_NEWIPC), NO_CLONE(CLONE_NEWUSER), NO_CLONE(CLONE_NEWPID), NO_CLONE(CLONE_NEWNET),
    {NULL, SECCOMP_END, {{SECCOMP_NO_MORE}}}};
