/*
 * Attacks of the battery on the system call filter: by number, by architecture, by argument. All
 * numbers are walked; what may exist is the table below, and everything else must be refused. Exit
 * 0: nothing worked, 1: something did (named on stdout), 2: no such verb. Static.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HIGHEST 600 /* numbers beyond every table, in 2026 and for some years */
#define X32_BIT 0x40000000L

static bool breached;

static void breach(const char *what, long number)
{
	printf("BREACHED: %s: %ld (0x%lx)\n", what, number, (unsigned long)number);
	breached = true;
}

/* ---- what may exist: the list of calls, written down apart from the filter's ------- */

/* Everything a tool may make with some argument. A number that is not here must answer EPERM or
 * ENOSYS whatever its arguments are. */
static const short may[] = {SYS_read, SYS_write, SYS_open, SYS_close, SYS_stat, SYS_fstat,
    SYS_lstat, SYS_poll, SYS_lseek, SYS_mmap, SYS_mprotect, SYS_munmap, SYS_brk, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_ioctl, SYS_pread64, SYS_pwrite64, SYS_readv,
    SYS_writev, SYS_access, SYS_pipe, SYS_select, SYS_sched_yield, SYS_mremap, SYS_msync,
    SYS_mincore, SYS_madvise, SYS_shmget, SYS_shmat, SYS_shmctl, SYS_dup, SYS_dup2, SYS_pause,
    SYS_nanosleep, SYS_getitimer, SYS_alarm, SYS_setitimer, SYS_getpid, SYS_sendfile, SYS_socket,
    SYS_connect, SYS_accept, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_shutdown,
    SYS_bind, SYS_listen, SYS_getsockname, SYS_getpeername, SYS_socketpair, SYS_setsockopt,
    SYS_getsockopt, SYS_clone, SYS_fork, SYS_vfork, SYS_execve, SYS_exit, SYS_wait4, SYS_kill,
    SYS_uname, SYS_semget, SYS_semop, SYS_semctl, SYS_shmdt, SYS_msgget, SYS_msgsnd, SYS_msgrcv,
    SYS_msgctl, SYS_fcntl, SYS_flock, SYS_fsync, SYS_fdatasync, SYS_truncate, SYS_ftruncate,
    SYS_getdents, SYS_getcwd, SYS_chdir, SYS_fchdir, SYS_rename, SYS_mkdir, SYS_rmdir, SYS_creat,
    SYS_link, SYS_unlink, SYS_symlink, SYS_readlink, SYS_chmod, SYS_fchmod, SYS_chown, SYS_fchown,
    SYS_lchown, SYS_umask, SYS_gettimeofday, SYS_getrlimit, SYS_getrusage, SYS_sysinfo, SYS_times,
    SYS_getuid, SYS_getgid, SYS_setuid, SYS_setgid, SYS_geteuid, SYS_getegid, SYS_setpgid,
    SYS_getppid, SYS_getpgrp, SYS_setsid, SYS_setreuid, SYS_setregid, SYS_getgroups, SYS_setgroups,
    SYS_setresuid, SYS_getresuid, SYS_setresgid, SYS_getresgid, SYS_getpgid, SYS_setfsuid,
    SYS_setfsgid, SYS_getsid, SYS_capget, SYS_capset, SYS_rt_sigpending, SYS_rt_sigtimedwait,
    SYS_rt_sigqueueinfo, SYS_rt_sigsuspend, SYS_sigaltstack, SYS_utime, SYS_mknod, SYS_statfs,
    SYS_fstatfs, SYS_getpriority, SYS_setpriority, SYS_sched_setparam, SYS_sched_getparam,
    SYS_sched_setscheduler, SYS_sched_getscheduler, SYS_sched_get_priority_max,
    SYS_sched_get_priority_min, SYS_sched_rr_get_interval, SYS_mlock, SYS_munlock, SYS_mlockall,
    SYS_munlockall, SYS_prctl, SYS_arch_prctl, SYS_setrlimit, SYS_gettid, SYS_readahead,
    SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_getxattr, SYS_lgetxattr, SYS_fgetxattr,
    SYS_listxattr, SYS_llistxattr, SYS_flistxattr, SYS_removexattr, SYS_lremovexattr,
    SYS_fremovexattr, SYS_tkill, SYS_time, SYS_futex, SYS_sched_setaffinity, SYS_sched_getaffinity,
    SYS_epoll_create, SYS_getdents64, SYS_set_tid_address, SYS_restart_syscall, SYS_semtimedop,
    SYS_fadvise64, SYS_timer_create, SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun,
    SYS_timer_delete, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_exit_group,
    SYS_epoll_wait, SYS_epoll_ctl, SYS_tgkill, SYS_utimes, SYS_waitid, SYS_ioprio_get,
    SYS_inotify_init, SYS_inotify_add_watch, SYS_inotify_rm_watch, SYS_openat, SYS_mkdirat,
    SYS_mknodat, SYS_fchownat, SYS_futimesat, SYS_newfstatat, SYS_unlinkat, SYS_renameat,
    SYS_linkat, SYS_symlinkat, SYS_readlinkat, SYS_fchmodat, SYS_faccessat, SYS_pselect6, SYS_ppoll,
    SYS_set_robust_list, SYS_get_robust_list, SYS_splice, SYS_tee, SYS_sync_file_range,
    SYS_utimensat, SYS_epoll_pwait, SYS_signalfd, SYS_timerfd_create, SYS_eventfd, SYS_fallocate,
    SYS_timerfd_settime, SYS_timerfd_gettime, SYS_accept4, SYS_signalfd4, SYS_eventfd2,
    SYS_epoll_create1, SYS_dup3, SYS_pipe2, SYS_inotify_init1, SYS_preadv, SYS_pwritev,
    SYS_rt_tgsigqueueinfo, SYS_recvmmsg, SYS_prlimit64, SYS_syncfs, SYS_sendmmsg, SYS_getcpu,
    SYS_sched_getattr, SYS_renameat2, SYS_getrandom, SYS_execveat, SYS_membarrier, SYS_mlock2,
    SYS_copy_file_range, SYS_preadv2, SYS_pwritev2, SYS_pkey_mprotect, SYS_pkey_alloc,
    SYS_pkey_free, SYS_statx, SYS_rseq, SYS_pidfd_send_signal, SYS_pidfd_open, SYS_close_range,
    SYS_faccessat2, SYS_epoll_pwait2, SYS_futex_waitv, SYS_personality};

static bool may_exist(long number)
{
	for (unsigned i = 0; i < sizeof(may) / sizeof(may[0]); i++)
		if (may[i] == number)
			return true;
	return false;
}

/* ---- every number ---------------------------------------------------------------------------- */

/* The call is made in a child of its own: one that worked may have ended it. errno comes back as
 * its status; 0: it worked, -1: SIGSYS, -2: another signal. */
static int in_child(long (*make)(long number, unsigned kind), long number, unsigned kind)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		long r;

		alarm(5);
		r = make(number, kind);
		_exit(r < 0 && r > -200 ? (int)-r : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 0;
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? -1 : -2;
	return WEXITSTATUS(status);
}

/* Zeros, minus ones and addresses: a filter that looks at arguments answers all alike. */
static long make_plain(long number, unsigned kind)
{
	static char page[4096];
	static const long same[] = {0, -1, 1};
	long a = kind < 3 ? same[kind] : (long)page;
	long r = syscall(number, a, a, a, a, a, a);

	return r < 0 ? -errno : r;
}

static bool is_refusal(int error)
{
	return error == EPERM || error == ENOSYS || error == -1;
}

/* uretprobe and uprobe: since Linux 6.14 the kernel lets these two by every filter, since only its
 * own trampolines make them. To everybody else it answers itself, with an error or SIGILL. */
static bool is_trampoline(long number, int error)
{
#ifdef __x86_64__
	return (number == 335 || number == 336) && error != 0;
#else
	return number < 0 && error < 0;
#endif
}

/* C13, C14: each number that is not in the table, with arguments of four kinds. */
static int all_numbers(int argc, char **argv)
{
	unsigned refused = 0;

	(void)argc, (void)argv;
	for (long number = 0; number < HIGHEST; number++) {
		if (may_exist(number))
			continue;
		for (unsigned kind = 0; kind < 4; kind++) {
			int error = in_child(make_plain, number, kind);

			if (!is_refusal(error) && !is_trampoline(number, error))
				breach("a call that is on no list", number);
		}
		refused++;
	}
	printf("%u of %d numbers are refused\n", refused, HIGHEST);
	return breached;
}

/* C14: what no filter author has heard of, and numbers that only look like others. */
static int future_numbers(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (long number = 463; number < 1024; number++)
		if (in_child(make_plain, number, 0) != ENOSYS)
			breach("a number of the future", number);
	for (int bit = 10; bit < 30; bit++) { /* the filter and the kernel read the same 32 bits */
		if (in_child(make_plain, (1L << bit) | SYS_getpid, 0) != ENOSYS)
			breach("a high number", 1L << bit);
	}
	if (!is_refusal(in_child(make_plain, (1L << 31) | SYS_getpid, 0)) ||
	    !is_refusal(in_child(make_plain, -2, 0)))
		breach("a negative number", 1L << 31);
	return breached;
}

#ifdef __x86_64__

static long make_x32(long number, unsigned kind)
{
	static const long groups[] = {0, 0x20000000L};

	(void)kind;
	number = syscall(X32_BIT | groups[kind & 1] | number, 0, 0, 0, 0, 0, 0);
	return number < 0 ? -errno : number;
}

/* C01: all numbers with the x32 bit, those of x32 alone (512 and up) too; an answer but ENOSYS, or
 * no death, is a call that was looked at by another table. */
static int x32(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (long number = 0; number < HIGHEST; number++) {
		int error = in_child(make_x32, number, 0);

		if (error != -1 && error != ENOSYS)
			breach("x32", number);
	}
	return breached;
}

/* An i386 call by interrupt; its arguments are 32 bits, so they lie low (no-pie). */
static long make_i386(long number, unsigned kind)
{
	long r;

	(void)kind;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(number), "b"(0L), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
			 : "memory");
	return (int)r;
}

/* The same from code that runs in 32-bit mode: a far jump there and back. */
static long make_compat(long number, unsigned kind)
{
	static char stack[4096] __attribute__((aligned(16)));
	long r;

	(void)kind;
	__asm__ volatile("movq %%rsp, %%r15\n\t"
			 "movq %2, %%rsp\n\t"
			 "subq $8, %%rsp\n\t"
			 "movl $0x23, 4(%%rsp)\n\t"
			 "leaq 1f(%%rip), %%rcx\n\t"
			 "movl %%ecx, (%%rsp)\n\t"
			 "lretl\n\t"
			 ".code32\n"
			 "1:\n\t"
			 "xorl %%ebx, %%ebx\n\t"
			 "xorl %%ecx, %%ecx\n\t"
			 "int $0x80\n\t"
			 "pushl $0x33\n\t"
			 "call 2f\n"
			 "2:\n\t"
			 "addl $(3f - 2b), (%%esp)\n\t"
			 "lretl\n\t"
			 ".code64\n"
			 "3:\n\t"
			 "movq %%r15, %%rsp\n\t"
			 : "=a"(r)
			 : "a"(number), "r"(stack + sizeof(stack) - 16)
			 : "memory", "rbx", "rcx", "rdx", "r15", "r8", "r9", "r10", "r11");
	return (int)r;
}

/* C02: without the architecture in sight, i386's 20 (getpid) is x86-64's writev. */
static int i386(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (long number = 0; number < 470; number++)
		if (in_child(make_i386, number, 0) != -1)
			breach("i386 by int 0x80", number);
	if (in_child(make_compat, 20, 0) != -1)
		breach("i386 from 32-bit code", 20);
	return breached;
}

/* Makes argv[0] by 32-bit calls alone: creat (8) of a path below 4 GiB. The effect of C02. */
static int i386_creat(int argc, char **argv)
{
	static char path[4096];
	long r = 0;

	(void)snprintf(path, sizeof(path), "%s", argc > 0 ? argv[0] : "b-i386");
	if (fork() == 0) {
		__asm__ volatile("int $0x80" : "=a"(r) : "a"(8L), "b"(path), "c"(0644L) : "memory");
		_exit(r >= 0);
	}
	(void)wait(NULL);
	if (access(path, F_OK) == 0)
		breach("made by a 32-bit call", 8);
	return breached;
}

#endif

/* ---- one class each -------------------------------------------------------------------------- */

static void must(long r, const char *what, long number, int expected, int other)
{
	if (r >= 0 || (errno != expected && errno != other))
		breach(what, number);
}

/* C04: the ring would open and connect where no filter looks. */
static int io_uring(int argc, char **argv)
{
	static char params[256];

	(void)argc, (void)argv;
	for (unsigned flags = 0; flags < 18; flags++) {
		memset(params, 0, sizeof(params));
		*(uint32_t *)(void *)(params + 8) = flags ? 1U << (flags - 1) : 0;
		must(syscall(425, 8, params), "io_uring_setup", flags, ENOSYS, ENOSYS);
	}
	for (int fd = 0; fd < 16; fd++) {
		must(syscall(426, fd, 1, 0, 0, 0, 0), "io_uring_enter", fd, ENOSYS, ENOSYS);
		for (unsigned op = 0; op < 36; op++)
			must(syscall(427, fd, op, 0, 0), "io_uring_register", op, ENOSYS, ENOSYS);
	}
	must(syscall(SYS_io_setup, 8, params), "io_setup", 0, ENOSYS, ENOSYS);
	must(syscall(SYS_io_submit, 0, 1, params), "io_submit", 0, ENOSYS, ENOSYS);
	return breached;
}

/* C05, C07: input for a terminal that others read, on every descriptor, in every spelling. */
static int terminals(int argc, char **argv)
{
	static const unsigned long numbers[] = {TIOCSTI, TIOCLINUX, TIOCSTI | 1UL << 32,
	    TIOCLINUX | 1UL << 32, TIOCSTI | 0xffffffffUL << 32, TIOCLINUX | 0xffffffffUL << 32,
	    TIOCSTI | 1UL << 63, TIOCLINUX | 1UL << 63};
	static char bytes[] = "id\n\0\0\0\0\0\0\0\0\0\0\0\0";
	int tty = open("/dev/tty", O_RDWR);

	(void)argc, (void)argv;
	if (tty >= 0)
		breach("a controlling terminal", tty);
	for (int fd = 0; fd < 16; fd++) {
		for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
			must(syscall(SYS_ioctl, fd, numbers[i], bytes), "a terminal's ioctl",
			    (long)numbers[i], EPERM, EPERM);
		for (char sub = 0; sub < 20; sub++)
			must(syscall(SYS_ioctl, fd, TIOCLINUX, &sub), "TIOCLINUX", sub, EPERM,
			    EPERM);
		if (isatty(fd) || ioctl(fd, TIOCSCTTY, 1) == 0 || tcgetpgrp(fd) >= 0)
			breach("a terminal", fd);
	}
	return breached;
}

/* C08, C20: which sockets there are at all. */
static int families(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int family = 0; family < 64; family++) {
		for (int type = 0; type < 16; type++) {
			bool inet = (family == AF_INET || family == AF_INET6);
			int s = socket(family, type, 0), ends[2];

			if (s >= 0 && !(inet && (type == SOCK_STREAM || type == SOCK_DGRAM)))
				breach("socket", family * 100 + type);
			if (s < 0 && !inet && errno != EAFNOSUPPORT)
				breach("not said to be missing: socket", family * 100 + type);
			close(s);
			if (socketpair(family, type, 0, ends) == 0) {
				if (family != AF_UNIX || type != SOCK_STREAM)
					breach("socketpair", family * 100 + type);
				close(ends[0]);
				close(ends[1]);
			}
		}
		for (int protocol = 1; protocol < 264; protocol++) {
			int s = socket(family, SOCK_STREAM, protocol);

			if (s >= 0 && protocol != IPPROTO_TCP)
				breach("socket of protocol", family * 1000 + protocol);
			close(s);
			s = socket(family, SOCK_DGRAM, protocol);
			if (s >= 0 && protocol != IPPROTO_UDP)
				breach("socket of protocol", family * 1000 + protocol);
			close(s);
			if (socket(family, SOCK_RAW, protocol) >= 0)
				breach("raw socket", family * 1000 + protocol);
		}
	}
	return breached;
}

/* C10, C11: namespaces of one's own by each call that makes or joins one. */
static const unsigned long new_flags[] = {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET,
    CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWUSER | CLONE_NEWNS,
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET, CLONE_NEWUSER | 1UL << 32};

static void try_clone(unsigned long flags)
{
	long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	must(pid, "clone", (long)flags, EPERM, EPERM);
	if (pid > 0)
		(void)waitpid((pid_t)pid, NULL, 0);
}

static int clone3_flags(int argc, char **argv)
{
	static const unsigned long sizes[] = {64, 80, 88, 0, 8, 4096};
	struct clone_args args;

	(void)argc, (void)argv;
	for (unsigned i = 0; i <= sizeof(new_flags) / sizeof(new_flags[0]); i++)
		for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
			long pid;

			memset(&args, 0, sizeof(args));
			args.exit_signal = SIGCHLD;
			args.flags = i ? new_flags[i - 1] : 0;
			pid = syscall(SYS_clone3, &args, sizes[s]);
			if (pid == 0)
				_exit(0);
			must(pid, "clone3", (long)args.flags, ENOSYS, ENOSYS);
		}
	return breached;
}

static int namespaces(int argc, char **argv)
{
	static const char *const kinds[] = {
	    "user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time", "pid_for_children"};
	char path[64];

	(void)argc, (void)argv;
	for (unsigned i = 0; i < sizeof(new_flags) / sizeof(new_flags[0]); i++) {
		try_clone(new_flags[i]);
		must(unshare((int)new_flags[i]), "unshare", (long)new_flags[i], EPERM, EPERM);
	}
	must(unshare(0x80), "unshare", 0x80, EPERM, EPERM); /* a time namespace */
	for (int pid = 0; pid < 8; pid++)
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			int fd;

			(void)snprintf(
			    path, sizeof(path), "/proc/%d/ns/%s", pid ? pid : getpid(), kinds[k]);
			fd = open(path, O_RDONLY);
			must(syscall(SYS_setns, fd, 0), "setns", pid, EPERM, EPERM);
			if (fd >= 0)
				must(ioctl(fd, 0xb702), "the parent of a namespace", pid, EPERM,
				    EINVAL);
		}
	if (open("/proc/self/uid_map", O_WRONLY) >= 0 ||
	    open("/proc/self/setgroups", O_WRONLY) >= 0)
		breach("a map of ids", 0);
	return breached;
}

/* ---- rights ---------------------------------------------------------------------------------- */

static uint64_t status_hex(const char *name)
{
	char line[256];
	uint64_t value = ~0ULL;
	FILE *file = fopen("/proc/self/status", "r");

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
			value = strtoull(line + strlen(name) + 1, NULL, 16);
	if (file)
		(void)fclose(file);
	return value;
}

/* C19: five empty sets, locked; no groups; argv: files that only a group of the daemon may read. */
static int rights(int argc, char **argv)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	struct {
		uint32_t version;
		int pid;
	} header = {0x20080522, 0};
	struct {
		uint32_t effective, permitted, inheritable;
	} all[2] = {{~0U, ~0U, ~0U}, {~0U, ~0U, ~0U}};
	int locked = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED;
	gid_t groups[64], zero = 0;

	for (unsigned i = 0; i < 5; i++)
		if (status_hex(sets[i]) != 0)
			breach(sets[i], (long)status_hex(sets[i]));
	if (getgroups(64, groups) != 0)
		breach("groups", groups[0]);
	if (setgroups(1, &zero) == 0 || setgid(0) == 0 || setregid(0, 0) == 0)
		breach("a group of root", 0);
	if ((prctl(PR_GET_SECUREBITS) & locked) != locked)
		breach("securebits", prctl(PR_GET_SECUREBITS));
	if (prctl(PR_SET_SECUREBITS, 0) == 0 || prctl(PR_SET_KEEPCAPS, 1) == 0)
		breach("securebits can be cleared", 0);
	if (syscall(SYS_capset, &header, all) == 0)
		breach("capset", 0);
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_READ, cap) == 1 || prctl(PR_CAP_AMBIENT, 2, cap, 0, 0) == 0)
			breach("a capability", cap);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		breach("no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	for (int i = 0; i < argc; i++) {
		char bytes[256];
		int fd = open(argv[i], O_RDONLY);
		ssize_t n = fd < 0 ? 0 : read(fd, bytes, sizeof(bytes));

		if (n > 0) {
			breach("read by a group", i);
			(void)fwrite(bytes, 1, (size_t)n, stdout);
		}
	}
	return breached;
}

/* C22: data becomes code, the port space, the descriptor table of the processor. */
static int legacy(int argc, char **argv)
{
	static const unsigned long flags[] = {0x0400000, 0x0040000, 0x0200000, 0x0008, 0x0004,
	    0x0100000, 0x4000000, 0x8000000, 0, 0x0400000UL | 1UL << 32};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char entry[64];

	(void)argc, (void)argv;
	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		must(syscall(SYS_personality, flags[i]), "personality", (long)flags[i], EPERM,
		    EPERM);
	must(mprotect(page, 4096, PROT_READ | PROT_EXEC), "data becomes code", 0, EACCES, EPERM);
	must(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC), "data is code", 0, EACCES,
	    EPERM);
	if (mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		breach("a page that is both", 0);
	must(syscall(SYS_shmat, 0, 0, SHM_EXEC), "shmat", 0, EPERM, EPERM);
#ifdef __x86_64__
	for (int level = 0; level < 4; level++)
		must(syscall(SYS_iopl, level), "iopl", level, EPERM, EPERM);
	must(syscall(SYS_ioperm, 0x80, 1, 1), "ioperm", 0x80, EPERM, EPERM);
	for (int how = 0; how < 0x12; how++)
		must(syscall(SYS_modify_ldt, how, entry, sizeof(entry)), "modify_ldt", how, EPERM,
		    EPERM);
	must(syscall(SYS_uselib, "x"), "uselib", 0, ENOSYS, ENOSYS);
	must(syscall(SYS_ustat, 0, entry), "ustat", 0, ENOSYS, ENOSYS);
#endif
	return breached;
}

/* ---- prctl ----------------------------------------------------------------------------------- */

/* What a tool may ask or set of itself; every other option must be refused. */
static const int options[] = {PR_SET_PDEATHSIG, PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_KEEPCAPS,
    PR_SET_NAME, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_TSC, PR_GET_SECUREBITS,
    PR_SET_TIMERSLACK, PR_GET_TIMERSLACK, PR_SET_CHILD_SUBREAPER, PR_GET_CHILD_SUBREAPER,
    PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS, PR_GET_TID_ADDRESS, PR_SET_THP_DISABLE,
    PR_GET_THP_DISABLE, PR_CAP_AMBIENT, PR_GET_SPECULATION_CTRL, PR_SET_SPECULATION_CTRL, 65, 66,
    0x53564d41 /* PR_SET_VMA */};

static void try_option(int option)
{
	static char bytes[256];
	static const long values[] = {0, 1, 2, -1};

	for (unsigned i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (options[i] == option)
			return;
	for (unsigned i = 0; i < 4; i++) {
		must(prctl(option, values[i], 0, 0, 0), "prctl", option, EPERM, ENOSYS);
		must(prctl(option, values[i], bytes, sizeof(bytes), 0), "prctl", option, EPERM,
		    ENOSYS);
	}
	must(syscall(SYS_prctl, (1UL << 32) | (unsigned)option, 1, 0, 0, 0), "prctl, high", option,
	    EPERM, ENOSYS);
}

/* C23: dumpable, ptracer and mm are refused, and the image stays what it was. */
static int prctls(int argc, char **argv)
{
	static const int far[] = {PR_SET_PTRACER, 0x4d4d, 0x53564d42, 0x59616d62, 0x7fffffff, -1};
	char before[4096] = "", after[4096] = "";

	(void)argc, (void)argv;
	if (readlink("/proc/self/exe", before, sizeof(before) - 1) < 0)
		breach("no /proc/self/exe", errno);
	for (int option = 1; option < 200; option++)
		try_option(option);
	for (unsigned i = 0; i < sizeof(far) / sizeof(far[0]); i++)
		try_option(far[i]);
	for (long field = 1; field < 16; field++)
		must(prctl(PR_SET_MM, field, 0, 0, 0), "PR_SET_MM", field, EPERM, EPERM);
	(void)readlink("/proc/self/exe", after, sizeof(after) - 1);
	if (strcmp(before, after) != 0)
		breach("another image", 0);
	return breached;
}

/* C17: no descriptor of a filter's supervisor, nor anything else without a name. */
static int notify(int argc, char **argv)
{
	char name[64], target[256];

	(void)argc, (void)argv;
	for (int fd = 0; fd < 4096; fd++) {
		ssize_t n;

		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strstr(target, "seccomp") || strncmp(target, "anon_inode", 10) == 0)
			breach(target, fd);
		if (n > 0 && ioctl(fd, 0xc0502100, target) == 0) /* SECCOMP_IOCTL_NOTIF_RECV */
			breach("answers for the filter", fd);
	}
	must(syscall(SYS_seccomp, 1, 8, ""), "seccomp with a listener", 8, ENOSYS, ENOSYS);
	must(prctl(PR_SET_SECCOMP, 2, "", 0, 0), "a filter of one's own", 2, EPERM, EPERM);
	return breached;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
    {"all_numbers", all_numbers},
    {"future_numbers", future_numbers},
#ifdef __x86_64__
    {"x32", x32},
    {"i386", i386},
    {"i386_creat", i386_creat},
#endif
    {"io_uring", io_uring},
    {"terminals", terminals},
    {"families", families},
    {"clone3", clone3_flags},
    {"namespaces", namespaces},
    {"rights", rights},
    {"legacy", legacy},
    {"prctls", prctls},
    {"notify", notify},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* children must not print what is ours again */
	for (unsigned i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe_calls: no verb\n");
	return 2;
}
