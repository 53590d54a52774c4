/*
 * Starts a daemon and makes single system calls of its launch path fail, as the kernel would.
 *
 * strace can inject faults, too, but counts per process: the seventh write of a cell cannot be told
 * from the seventh of the zygote that it was cloned from. Here a call is named by who makes it and
 * by how many that one has made since the word "arm". The daemon is a child that is traced from its
 * first instruction, so that it works for an ordinary user, too: the warden cannot be attached to.
 *
 * usage: tracer PROGRAM ARG...; words on standard input, answers on standard output:
 *   arm WHO K N   the K-th call from now on of WHO (see below) fails with the N-th errno that suits
 *                 it; K 0: none does          -> armed
 *   disarm        what became of it           -> fault ..., count WHO N, ran N, tools N, end
 *   state         of the daemon               -> alive PID | gone STATUS LIVING...
 * WHO: warden, helper (its forks), zygote, cell (prepared before arm), newborn (the first that was
 * cloned since; other: those after it), tool (between fork and exec). Where standard input ends,
 * the daemon is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "how a system call is replaced is written for x86-64 only"
#endif
/* glibc's own struct of this name is missing in Debian 12's sys/ptrace.h when linux/ptrace.h is not
 * included, and both together do not compile. */
#define SYSCALL_INFO_ENTRY 1
#define SYSCALL_INFO_EXIT  2
struct syscall_info {
	uint8_t op;
	uint8_t pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	uint64_t nr; /* ENTRY */
	uint64_t args[6];
};

#define PROCESSES 4096
#define LINE      256

enum who {
	WHO_NONE = 0, /* not traced any more, or nobody knows yet */
	WHO_WARDEN,
	WHO_HELPER,
	WHO_ZYGOTE,
	WHO_CELL,
	WHO_NEWBORN,
	WHO_OTHER,
	WHO_TOOL,
	WHO_COUNT,
};

static const char *const names[WHO_COUNT] = {
    "none", "warden", "helper", "zygote", "cell", "newborn", "other", "tool"};

struct process {
	pid_t pid;
	enum who who;
	int held; /* stopped before its parent said who it is */
	int traced;
	int forced;     /* the errno that the call it is in ends with */
	long first;     /* and its first argument, which is a register that it keeps */
	int tool;       /* was one between fork and exec since "arm" */
	uint64_t flags; /* of the clone(2) it is in */
	unsigned long long birth;
};

struct tracer {
	struct process all[PROCESSES];
	int count;
	pid_t root;
	int root_began; /* has executed its program */
	int root_ended;
	int root_status;
	enum who target;
	unsigned long at; /* 0: nothing fails */
	unsigned variant;
	unsigned long made[WHO_COUNT];
	unsigned ran;
	unsigned newborn; /* how many, since "arm" */
	char fault[LINE];
};

/* ---- which errno ----------------------------------------------------------------------------- */

/* These cannot fail, or the process cannot see it. */
static int is_immune(long nr)
{
	static const long calls[] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_getpid,
	    SYS_getppid, SYS_gettid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_umask,
	    SYS_restart_syscall, SYS_set_tid_address, SYS_sched_yield, SYS_clock_gettime};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == nr)
			return 1;
	return 0;
}

static int is_restartable(long nr)
{
	static const long calls[] = {SYS_read, SYS_write, SYS_pread64, SYS_pwrite64, SYS_readv,
	    SYS_writev, SYS_recvmsg, SYS_sendmsg, SYS_recvfrom, SYS_sendto, SYS_poll, SYS_ppoll,
	    SYS_epoll_wait, SYS_epoll_pwait, SYS_wait4, SYS_waitid, SYS_nanosleep,
	    SYS_clock_nanosleep, SYS_openat, SYS_open, SYS_close, SYS_futex, SYS_rt_sigtimedwait};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i] == nr)
			return 1;
	return 0;
}

static int errno_for(long nr, unsigned variant)
{
	if (is_restartable(nr))
		return variant ? EINTR : EIO;
	if (nr == SYS_clone || nr == SYS_vfork) /* at the limit of processes */
		return variant ? EAGAIN : EPERM;
	return variant ? ENOMEM : EPERM;
}

static const char *errno_name(int number)
{
	switch (number) {
	case EAGAIN: return "EAGAIN";
	case EINTR: return "EINTR";
	case EIO: return "EIO";
	case EPERM: return "EPERM";
	default: return "ENOMEM";
	}
}

/* ---- processes ------------------------------------------------------------------------------- */

static struct process *find(struct tracer *self, pid_t pid)
{
	for (int i = self->count - 1; i >= 0; i--)
		if (self->all[i].pid == pid && self->all[i].traced)
			return &self->all[i];
	return NULL;
}

/* When the process began, in the kernel's ticks; 0: it has ended. Numbers are used again. */
static unsigned long long birth_of(pid_t pid)
{
	unsigned long long birth = 0;
	char path[64], text[1024];
	const char *state;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	if (len <= 0)
		return 0;
	text[len] = '\0';
	state = strrchr(text, ')');
	if (!state || strchr("ZX", state[2]))
		return 0;
	/* From the state, field 3, to field 22. */
	for (int field = 3; state && field <= 22; field++)
		state = strchr(state + 1, ' ');
	if (state)
		birth = strtoull(state, NULL, 10);
	return birth;
}

static int is_living(const struct process *process)
{
	return process->birth && birth_of(process->pid) == process->birth;
}

/* Those that ended are forgotten when there is no room. */
static void make_room(struct tracer *self)
{
	int kept = 0;

	if (self->count < PROCESSES)
		return;
	for (int i = 0; i < self->count; i++)
		if (self->all[i].traced || is_living(&self->all[i]))
			self->all[kept++] = self->all[i];
	self->count = kept;
	if (kept == PROCESSES) {
		fputs("tracer: too many processes\n", stderr);
		exit(2);
	}
}

static struct process *add(struct tracer *self, pid_t pid, enum who who)
{
	struct process *process;

	make_room(self);
	process = &self->all[self->count++];
	*process = (struct process){.pid = pid, .who = who, .traced = 1, .birth = birth_of(pid)};
	return process;
}

static void go_on(const struct process *process, int number)
{
	(void)ptrace(PTRACE_SYSCALL, process->pid, 0, (long)number); /* gone: its end is coming */
}

static void let_go(struct process *process)
{
	(void)ptrace(PTRACE_DETACH, process->pid, 0, 0L);
	process->traced = 0;
}

/* ---- stops ----------------------------------------------------------------------------------- */

static enum who cloned(struct tracer *self)
{
	return self->newborn++ ? WHO_OTHER : WHO_NEWBORN;
}

static enum who child_of(struct tracer *self, struct process *parent)
{
	switch (parent->who) {
	case WHO_WARDEN: return WHO_HELPER;
	case WHO_HELPER:
		/* Cells are the zygote's; what the nursery starts gets no namespace, and execs. */
		if (!(parent->flags & CLONE_NEWPID))
			return WHO_HELPER;
		parent->who = WHO_ZYGOTE;
		return cloned(self);
	case WHO_ZYGOTE: return cloned(self);
	case WHO_CELL:
	case WHO_OTHER:
	case WHO_NEWBORN: return WHO_TOOL;
	case WHO_NONE:
	case WHO_TOOL:
	case WHO_COUNT: break;
	}
	return WHO_HELPER;
}

static void on_birth(struct tracer *self, struct process *parent)
{
	unsigned long pid = 0;
	struct process *child;
	enum who who = child_of(self, parent);

	if (ptrace(PTRACE_GETEVENTMSG, parent->pid, 0, &pid) < 0)
		return;
	child = find(self, (pid_t)pid);
	if (!child)
		child = add(self, (pid_t)pid, who);
	child->who = who;
	child->tool = who == WHO_TOOL;
	if (child->held) {
		child->held = 0;
		go_on(child, 0);
	}
}

/* Programs of their own are no part of the launch path: the roles, and the tools. */
static void on_exec(struct tracer *self, struct process *process)
{
	if (process->pid == self->root && !self->root_began) {
		self->root_began = 1;
		go_on(process, 0);
		return;
	}
	self->ran += process->who == WHO_TOOL;
	let_go(process);
}

/* By close(-1), which every filter allows and which does nothing: a call of no number would be what
 * some of them kill for. */
static void replace(const struct process *process)
{
	(void)ptrace(PTRACE_POKEUSER, process->pid, offsetof(struct user_regs_struct, orig_rax),
	    (long)SYS_close);
	(void)ptrace(PTRACE_POKEUSER, process->pid, offsetof(struct user_regs_struct, rdi), -1L);
}

static void on_entry(struct tracer *self, struct process *process, const struct syscall_info *info)
{
	long nr = (long)info->nr;
	const char *name;
	int number;

	process->flags = info->args[0];
	if (++self->made[process->who] != self->at || process->who != self->target)
		return;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, (int)nr);
	self->at = 0;
	if (is_immune(nr)) {
		snprintf(self->fault, LINE, "immune %s", name ? name : "?");
		return;
	}
	number = errno_for(nr, self->variant);
	snprintf(self->fault, LINE, "hit %s %s", name ? name : "?", errno_name(number));
	process->forced = number;
	process->first = (long)info->args[0];
	if (nr != SYS_close) /* the descriptor is gone whatever close(2) says */
		replace(process);
}

static void on_call(struct tracer *self, struct process *process)
{
	struct syscall_info info = {.op = 0};

	if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof(info), &info) < 0)
		return;
	if (info.op == SYSCALL_INFO_ENTRY) {
		on_entry(self, process, &info);
	} else if (info.op == SYSCALL_INFO_EXIT && process->forced) {
		(void)ptrace(PTRACE_POKEUSER, process->pid, offsetof(struct user_regs_struct, rax),
		    -(long)process->forced);
		(void)ptrace(PTRACE_POKEUSER, process->pid, offsetof(struct user_regs_struct, rdi),
		    process->first);
		process->forced = 0;
	}
}

static void on_stop(struct tracer *self, struct process *process, int status)
{
	int number = WSTOPSIG(status);

	switch (status >> 16) {
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE: on_birth(self, process); break;
	case PTRACE_EVENT_EXEC: on_exec(self, process); return;
	case PTRACE_EVENT_EXIT: let_go(process); return; /* else its parent would wait for us */
	case PTRACE_EVENT_STOP:
		if (number == SIGSTOP || number == SIGTSTP || number == SIGTTIN ||
		    number == SIGTTOU) {
			(void)ptrace(PTRACE_LISTEN, process->pid, 0, 0L);
			return;
		}
		break;
	default:
		if (number != (SIGTRAP | 0x80)) {
			go_on(process, number);
			return;
		}
		on_call(self, process);
	}
	go_on(process, 0);
}

static void take_stops(struct tracer *self)
{
	struct process *process;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, __WALL | WNOHANG)) > 0) {
		process = find(self, pid);
		if (!WIFSTOPPED(status)) {
			if (process)
				process->traced = 0;
			if (pid == self->root) {
				self->root_ended = 1;
				self->root_status = status;
			}
			continue;
		}
		if (!process) { /* before its parent's word */
			add(self, pid, WHO_NONE)->held = 1;
			continue;
		}
		on_stop(self, process, status);
	}
}

/* ---- words ----------------------------------------------------------------------------------- */

static void arm(struct tracer *self, const char *who, unsigned long at, unsigned variant)
{
	self->target = WHO_NONE;
	for (int i = 1; i < WHO_COUNT; i++)
		if (strcmp(names[i], who) == 0)
			self->target = (enum who)i;
	self->at = at;
	self->variant = variant;
	self->ran = self->newborn = 0;
	memset(self->made, 0, sizeof(self->made));
	snprintf(self->fault, LINE, "missed");
	for (int i = 0; i < self->count; i++) {
		if (self->all[i].who == WHO_NEWBORN || self->all[i].who == WHO_OTHER)
			self->all[i].who = WHO_CELL;
		self->all[i].tool = 0;
	}
	puts("armed");
}

static void disarm(struct tracer *self)
{
	unsigned tools = 0;

	self->at = 0;
	printf("fault %s\n", self->fault);
	for (int i = 1; i < WHO_COUNT; i++)
		printf("count %s %lu\n", names[i], self->made[i]);
	for (int i = 0; i < self->count; i++)
		tools += self->all[i].tool && is_living(&self->all[i]);
	printf("ran %u\ntools %u\nend\n", self->ran, tools);
}

static void tell_state(struct tracer *self)
{
	if (!self->root_ended) {
		printf("alive %d\n", self->root);
		return;
	}
	printf("gone %d", self->root_status);
	for (int i = 0; i < self->count; i++)
		if (is_living(&self->all[i]))
			printf(" %d", self->all[i].pid);
	puts("");
}

/* False: no more words. */
static int take_word(struct tracer *self)
{
	char line[LINE], who[16];
	unsigned long at;
	unsigned variant;

	if (!fgets(line, sizeof(line), stdin))
		return 0;
	if (sscanf(line, "arm %15s %lu %u", who, &at, &variant) == 3)
		arm(self, who, at, variant);
	else if (strcmp(line, "disarm\n") == 0)
		disarm(self);
	else if (strcmp(line, "state\n") == 0)
		tell_state(self);
	else
		puts("what?");
	fflush(stdout);
	return 1;
}

/* ---- the daemon ------------------------------------------------------------------------------ */

static void start(struct tracer *self, char **argv)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
			     PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT |
			     PTRACE_O_EXITKILL;
	int go[2];
	char byte;

	if (pipe2(go, O_CLOEXEC) < 0 || (self->root = fork()) < 0) {
		perror("tracer");
		exit(2);
	}
	if (self->root == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(go[1]);
		if (read(go[0], &byte, 1) != 1)
			_exit(1);
		execv(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	add(self, self->root, WHO_WARDEN);
	if (ptrace(PTRACE_SEIZE, self->root, 0, options) < 0 ||
	    ptrace(PTRACE_INTERRUPT, self->root, 0, 0) < 0 || write(go[1], "", 1) != 1) {
		perror("tracer: ptrace");
		exit(2);
	}
	close(go[0]);
	close(go[1]);
}

int main(int argc, char **argv)
{
	static struct tracer self;
	struct pollfd wait[2] = {{.fd = 0, .events = POLLIN}, {.events = POLLIN}};
	struct signalfd_siginfo info;
	sigset_t child;

	if (argc < 2) {
		fputs("usage: tracer PROGRAM ARG...\n", stderr);
		return 2;
	}
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* poll must see what was not read */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	wait[1].fd = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	start(&self, argv + 1);
	for (;;) {
		(void)poll(wait, 2, 1000);
		while (read(wait[1].fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			;
		take_stops(&self);
		if (wait[0].revents && !take_word(&self))
			return 0;
	}
}
