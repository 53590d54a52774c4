#include "sandbox/self_sets.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#define ANY(name)                                                                                  \
	{                                                                                          \
		SCMP_SYS(name), 0, 0, 0                                                            \
	}
#define ONLY(name, index, mask, value)                                                             \
	{                                                                                          \
		SCMP_SYS(name), index, mask, value                                                 \
	}

/* An int argument is compared in its low 32 bits: the kernel ignores the rest. */
#define WORD 0xffffffffu

/* Sorted by name; keep it so. prctl, mmap and mprotect: nothing that makes code. */
static const struct self_row common[] = {
    ANY(brk),
    ANY(clock_getres),
    ANY(clock_gettime),
    ANY(clock_nanosleep),
    ANY(close),
    ANY(close_range),
    ANY(dup),
    ANY(exit),
    ANY(exit_group),
    ANY(fcntl),
    ANY(fstat),
    ANY(futex),
    ANY(getegid),
    ANY(geteuid),
    ANY(getgid),
    ANY(getpid),
    ANY(getppid),
    ANY(getrandom),
    ANY(gettid),
    ANY(gettimeofday),
    ANY(getuid),
    ONLY(ioctl, 1, WORD, FIOCLEX),
    ONLY(ioctl, 1, WORD, FIONBIO),
    ONLY(ioctl, 1, WORD, FIONREAD),
    ONLY(ioctl, 1, WORD, TCGETS), /* isatty() of stdio and libuv */
    ANY(lseek),
    ANY(madvise),
    ONLY(mmap, 2, PROT_EXEC, 0),
    ONLY(mprotect, 2, PROT_EXEC, 0),
    ANY(mremap),
    ANY(munmap),
    ANY(nanosleep),
    ONLY(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), /* fstat() of glibc 2.33 to 2.38 */
    ANY(poll),
    ANY(ppoll),
    ANY(pread64),
    ANY(read),
    ANY(readv),
    ANY(restart_syscall),
    ANY(rt_sigaction),
    ANY(rt_sigprocmask),
    ANY(rt_sigreturn),
    ANY(sched_yield),
    ANY(sigaltstack),
    ANY(sysinfo), /* qsort() of glibc before 2.37 asks how much memory there is */
    ANY(time),
    ANY(write),
    ANY(writev),
};

/* A libuv loop over inherited descriptors, and messages with descriptors. */
#define LINK_ROWS                                                                                  \
	ANY(epoll_create1), ANY(epoll_ctl), ANY(epoll_pwait), ANY(epoll_wait), ANY(eventfd2),      \
	    ANY(getpeername), ANY(getsockname), ANY(getsockopt), ANY(pipe2), ANY(recvfrom),        \
	    ANY(recvmsg), ANY(sendmsg), ANY(sendto), ANY(shutdown)

static const struct self_row policy_rows[] = {
    ANY(ftruncate),
    ANY(pwrite64),
};

static const struct self_row front_rows[] = {
    ANY(accept),
    ANY(accept4),
    ANY(ftruncate),
    ANY(memfd_create),
    ANY(pwrite64),
    ANY(setsockopt),
    LINK_ROWS,
};

/* As front without accept; SQLite looks at its files by name and waits for the disk. It opens them
 * before. */
static const struct self_row engine_rows[] = {
    ANY(fdatasync),
    ANY(ftruncate),
    ANY(memfd_create),
    ANY(newfstatat),
    ANY(pwrite64),
    ANY(unlink),
    LINK_ROWS,
};

/* A thread as glibc starts it: it shares everything and is in no namespace of its own. */
#define THREAD_FLAGS                                                                               \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
	    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* libcurl and its threads that look up names. Paths are held by Landlock to what may be read. */
static const struct self_row courier_rows[] = {
    ONLY(clone, 0, WORD, THREAD_FLAGS),
    ANY(connect),
    ANY(ftruncate),
    ANY(getdents64),
    ANY(memfd_create),
    ANY(newfstatat),
    ONLY(openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY),
    ANY(pwrite64),
    ANY(recvmmsg),
    ANY(rseq),
    ANY(sendmmsg),
    ANY(set_robust_list),
    ANY(setsockopt),
    ONLY(socket, 0, WORD, AF_INET),
    ONLY(socket, 0, WORD, AF_INET6),
    ONLY(socketpair, 0, WORD, AF_UNIX), /* a thread tells libcurl that it is done */
    LINK_ROWS,
};

/* The name service looks for its daemon and for the machine's interfaces, and lives without. A
 * socket of this kind would be a way to the gate's own door. */
static const struct self_row courier_refused[] = {
    ONLY(socket, 0, WORD, AF_UNIX),
    ONLY(socket, 0, WORD, AF_NETLINK),
};

/* Paths are held by Landlock to the two directories it was given. */
static const struct self_row auditor_rows[] = {
    ANY(faccessat),
    ANY(faccessat2),
    ANY(fallocate),
    ANY(fchmod),
    ANY(fdatasync),
    ANY(flock),
    ANY(fstatfs),
    ANY(fsync),
    ANY(ftruncate),
    ANY(getdents64),
    ANY(mkdir),
    ANY(mkdirat),
    ANY(newfstatat),
    ANY(openat),
    ANY(openat2),
    ANY(pwrite64),
    ANY(pwritev),
    ANY(rename),
    ANY(renameat),
    ANY(renameat2),
    ANY(unlinkat),
    ANY(wait4), /* its signer */
    ANY(waitid),
    LINK_ROWS,
};

static const struct self_row signer_rows[] = {
    ANY(recvfrom),
    ANY(recvmsg),
    ANY(sendmsg),
    ANY(sendto),
    ANY(shutdown),
};

/*
 * The warden opens, mounts, forks and kills for a living, so its set says what it never does:
 * no network socket, no ptrace, no mount into its own tree (move_mount, pivot_root, mount), no
 * modules, no bpf, no keys. execve, PROT_EXEC, the Landlock calls and the change of uid are here
 * because the policy child, started at each reload, inherits this filter and passes through it.
 */
static const struct self_row warden_rows[] = {
    ANY(access),
    ANY(arch_prctl),
    ANY(capget),
    ANY(capset),
    ANY(chdir),
    ANY(chmod),
    ANY(clone),
    ANY(clone3),
    ANY(dup2),
    ANY(dup3),
    ANY(execve),
    ANY(execveat),
    ANY(faccessat),
    ANY(faccessat2),
    ANY(fadvise64),
    ANY(fallocate),
    ANY(fchdir),
    ANY(fchmod),
    ANY(fchmodat),
    ANY(fchown),
    ANY(fchownat),
    ANY(fdatasync),
    ANY(fgetxattr),
    ANY(flock),
    ANY(fork),
    ANY(fstatfs),
    ANY(fsync),
    ANY(ftruncate),
    ANY(getcwd),
    ANY(getdents64),
    ANY(getgroups),
    ANY(getpgrp),
    ANY(getrlimit),
    ANY(getrusage),
    ANY(getxattr),
    ANY(kill),
    ANY(landlock_add_rule),
    ANY(landlock_create_ruleset),
    ANY(landlock_restrict_self),
    ANY(lstat),
    ANY(memfd_create),
    ANY(mkdir),
    ANY(mkdirat),
    ANY(mmap),
    ANY(mount_setattr),
    ANY(mprotect),
    ANY(newfstatat),
    ANY(open),
    ANY(open_tree),
    ANY(openat),
    ANY(openat2),
    ANY(pause),
    ANY(pidfd_open),
    ANY(pidfd_send_signal),
    ANY(pipe),
    ANY(prctl),
    ANY(prlimit64),
    ANY(pwrite64),
    ANY(readlink),
    ANY(readlinkat),
    ANY(rename),
    ANY(renameat),
    ANY(renameat2),
    ANY(rmdir),
    ANY(rseq),
    ANY(sched_getaffinity),
    ANY(seccomp),
    ANY(set_robust_list),
    ANY(set_tid_address),
    ANY(setgroups),
    ANY(setpgid),
    ANY(setresgid),
    ANY(setresuid),
    ANY(setrlimit),
    ANY(setsid),
    ANY(setsockopt),
    ONLY(socket, 0, WORD, AF_UNIX), /* sd_notify() */
    ONLY(socketpair, 0, WORD, AF_UNIX),
    ANY(stat),
    ANY(statfs),
    ANY(statx),
    ANY(symlinkat),
    ANY(umask),
    ANY(uname),
    ANY(unlink),
    ANY(unlinkat),
    ANY(utimensat),
    ANY(vfork),
    ANY(wait4),
    ANY(waitid),
    LINK_ROWS,
};

/* Libraries try these late and know how to do without: libuv its kernel probes, OpenSSL, jansson
 * and libc a configuration file, a device, a time zone. A refused open tells nothing. */
static const struct self_refusal refusals[] = {
    {SCMP_SYS(access), EACCES},
    {SCMP_SYS(clone3), ENOSYS}, /* flags are behind a pointer; libc falls back on clone */
    {SCMP_SYS(copy_file_range), ENOSYS},
    {SCMP_SYS(epoll_pwait2), ENOSYS},
    {SCMP_SYS(faccessat), EACCES},
    {SCMP_SYS(faccessat2), EACCES},
    {SCMP_SYS(getrlimit), EPERM},
    {SCMP_SYS(io_uring_enter), ENOSYS},
    {SCMP_SYS(io_uring_register), ENOSYS},
    {SCMP_SYS(io_uring_setup), ENOSYS},
    {SCMP_SYS(membarrier), ENOSYS},
    {SCMP_SYS(open), EACCES},
    {SCMP_SYS(openat), EACCES},
    {SCMP_SYS(openat2), EACCES},
    {SCMP_SYS(prlimit64), EPERM},
    {SCMP_SYS(readlink), EACCES},
    {SCMP_SYS(readlinkat), EACCES},
    {SCMP_SYS(rseq), ENOSYS},
    {SCMP_SYS(sched_getaffinity), EPERM},
    {SCMP_SYS(stat), EACCES},
    {SCMP_SYS(statx), ENOSYS},
    {SCMP_SYS(uname), EPERM},
};

/* Sorted by name. clone stays: threads are made with it, and its flags for namespaces want a
 * capability that nobody here has, or a user namespace, which unshare and the filter of each role
 * refuse; clone3 hides its flags and libc does without. */
static const int powers[] = {
    SCMP_SYS(acct),
    SCMP_SYS(add_key),
    SCMP_SYS(adjtimex),
    SCMP_SYS(bpf),
    SCMP_SYS(chroot),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(clock_settime),
    SCMP_SYS(delete_module),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(finit_module),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsopen),
    SCMP_SYS(init_module),
    SCMP_SYS(ioperm),
    SCMP_SYS(iopl),
    SCMP_SYS(kcmp),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(kexec_load),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(move_mount),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(open_tree),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(personality),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(pivot_root),
    SCMP_SYS(process_madvise),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(ptrace),
    SCMP_SYS(quotactl),
    SCMP_SYS(reboot),
    SCMP_SYS(request_key),
    SCMP_SYS(setdomainname),
    SCMP_SYS(sethostname),
    SCMP_SYS(setns),
    SCMP_SYS(settimeofday),
    SCMP_SYS(swapoff),
    SCMP_SYS(swapon),
    SCMP_SYS(syslog),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(uselib),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(vhangup),
};

const int *self_powers(size_t *ret_count)
{
	*ret_count = sizeof(powers) / sizeof(powers[0]);
	return powers;
}

#define SET(rows) ((struct self_set){rows, sizeof(rows) / sizeof((rows)[0])})

struct self_set self_common(void)
{
	return SET(common);
}

struct self_set self_role_set(enum self_role role)
{
	switch (role) {
	case SELF_NONE: break;
	case SELF_WARDEN: return SET(warden_rows);
	case SELF_POLICY: return SET(policy_rows);
	case SELF_FRONT: return SET(front_rows);
	case SELF_ENGINE: return SET(engine_rows);
	case SELF_AUDITOR: return SET(auditor_rows);
	case SELF_COURIER: return SET(courier_rows);
	case SELF_SIGNER: return SET(signer_rows);
	case SELF_FRONT_HTTP: return SET(front_rows);
	}
	return (struct self_set){NULL, 0};
}

struct self_set self_role_refused(enum self_role role)
{
	return role == SELF_COURIER ? SET(courier_refused) : (struct self_set){NULL, 0};
}

const struct self_refusal *self_refusals(size_t *ret_count)
{
	*ret_count = sizeof(refusals) / sizeof(refusals[0]);
	return refusals;
}
