/*
 * Attacks of the battery by processes and time. What lives on carries a mark on its command line
 * (argv, kept by fork), so that the host can look for it. Exit 0: nothing worked, 1: something did
 * (named on stdout), 2: no such verb. Static.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static bool breached;

static void breach(const char *what, long number)
{
	printf("BREACHED: %s: %ld\n", what, number);
	breached = true;
}

static void deaf(void)
{
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, NULL);
	for (int s = 1; s < 65; s++)
		(void)signal(s, SIG_IGN);
}

/* ---- what wants to live on ------------------------------------------------------------------- */

static _Noreturn void live_on(void)
{
	for (;;)
		pause();
}

/* daemonize MARK [CANARY SECONDS]: out of session, group and family, deaf, without the pipes; makes
 * the canary when its time comes. The caller stays until the deadline. */
static int daemonize(int argc, char **argv)
{
	if (fork() == 0) {
		(void)setsid();
		if (fork() != 0)
			_exit(0);
		deaf();
		(void)prctl(PR_SET_PDEATHSIG, 0);
		(void)prctl(PR_SET_NAME, "kworker/0:1");
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
		(void)chdir("/");
		for (int fd = 0; fd < 64; fd++)
			close(fd);
		if (argc > 2) {
			struct timespec rest = {atoi(argv[2]), 0};

			(void)clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
			(void)open(argv[1], O_CREAT | O_WRONLY, 0644);
		}
		live_on();
	}
	puts("daemonized");
	if (argc > 3) /* "leave": the caller ends at once */
		return 0;
	live_on();
}

/* orphan MARK: many children hold stdout and stderr, the parent ends. */
static int orphan(int argc, char **argv)
{
	(void)argc, (void)argv;
	for (int i = 0; i < 8; i++)
		if (fork() == 0) {
			if (i % 2)
				(void)setsid();
			deaf();
			if (i % 3 == 0 && fork() == 0)
				live_on();
			live_on();
		}
	puts("orphaned");
	return 0;
}

/* bomb MARK: every process makes more, as fast as can be; ends by itself if nobody hinders it. */
static int bomb(int argc, char **argv)
{
	volatile unsigned *made =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	time_t end = time(NULL) + 20;

	(void)argc, (void)argv;
	deaf();
	while (time(NULL) < end && *made < 4000) {
		pid_t pid = fork();

		if (pid > 0)
			(void)__sync_fetch_and_add(made, 1);
		else if (pid < 0)
			(void)sched_yield();
	}
	if (*made >= 4000)
		breach("no limit of processes", (long)*made);
	live_on();
}

/* chain MARK: each process makes the next and ends: its number is never the one that was read. */
static int chain(int argc, char **argv)
{
	time_t end = time(NULL) + 60;

	(void)argc, (void)argv;
	deaf();
	for (int links = 0; links < 4; links++)
		if (fork() == 0)
			break;
	while (time(NULL) < end) {
		pid_t pid = fork();

		if (pid > 0)
			_exit(0);
		if (pid < 0)
			(void)sched_yield();
	}
	return 0;
}

static int hold(int argc, char **argv)
{
	(void)argc, (void)argv;
	puts("holding");
	live_on();
}

/* ---- other processes ------------------------------------------------------------------------- */

static bool all_ours(long pid)
{
	return pid > 1 && pid < 300; /* a cell's numbers begin at 1 */
}

/* signals PID...: numbers of the host. Init and everybody are tried too: init must live. */
static int signals(int argc, char **argv)
{
	static const int kinds[] = {SIGKILL, SIGSTOP, SIGTERM, SIGHUP, SIGSEGV, SIGCONT, 64, 0};

	for (int i = 0; i < argc; i++) {
		int pid = atoi(argv[i]);

		for (unsigned k = 0; !all_ours(pid) && k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			union sigval value = {.sival_int = 0};

			if (kill(pid, kinds[k]) == 0 || kill(-pid, kinds[k]) == 0 ||
			    syscall(SYS_tkill, pid, kinds[k]) == 0 ||
			    syscall(SYS_tgkill, pid, pid, kinds[k]) == 0 ||
			    sigqueue(pid, kinds[k], value) == 0)
				breach("a signal for a process of the host", pid);
		}
		if (!all_ours(pid) && syscall(SYS_pidfd_open, pid, 0) >= 0)
			breach("a descriptor of a process of the host", pid);
	}
	for (int pid = 300; pid < 70000; pid++)
		if (kill(pid, 0) == 0)
			breach("a process in sight", pid);
	for (unsigned k = 0; k < 3; k++) {
		(void)kill(1, kinds[k]);
		(void)syscall(
		    SYS_pidfd_send_signal, syscall(SYS_pidfd_open, 1, 0), kinds[k], NULL, 0);
	}
	if (kill(1, 0) != 0)
		breach("init is gone", errno);
	return breached;
}

/* kill_all MARK: everybody but init and us; it is the answer that must come all the same. */
static int kill_all(int argc, char **argv)
{
	(void)argc, (void)argv;
	(void)signal(SIGTERM, SIG_IGN);
	(void)kill(0, SIGTERM);
	(void)kill(-1, SIGKILL);
	puts("killed all");
	return 0;
}

static void trace_one(long pid)
{
	char bytes[64];
	struct iovec local = {bytes, sizeof(bytes)}, remote = {(void *)0x400000, sizeof(bytes)};
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (ptrace(PTRACE_ATTACH, pid, 0, 0) == 0 || ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
		breach("ptrace", pid);
	if (syscall(SYS_process_vm_readv, pid, &local, 1, &remote, 1, 0) >= 0 ||
	    syscall(SYS_process_vm_writev, pid, &local, 1, &remote, 1, 0) >= 0)
		breach("memory", pid);
	for (int number = 0; number < 16; number++)
		if (syscall(SYS_pidfd_getfd, fd, number, 0) >= 0)
			breach("a descriptor", pid);
	if (syscall(SYS_kcmp, pid, getpid(), 0, 0, 0) >= 0)
		breach("kcmp", pid);
	if (fd >= 0)
		close(fd);
}

/* Files of /proc that give another process's memory; our own children's too. */
static void memory_files(long pid)
{
	static const char *const files[] = {"mem", "environ", "maps", "auxv", "syscall", "stack"};
	char path[64];

	for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		(void)snprintf(path, sizeof(path), "/proc/%ld/%s", pid, files[i]);
		if (open(path, i ? O_RDONLY : O_RDWR) >= 0)
			breach(path, pid);
	}
}

/* trace PID...: numbers of the host; init, which has our uid; a child of our own. */
static int trace(int argc, char **argv)
{
	pid_t child = fork();

	if (child == 0)
		live_on();
	for (int i = 0; i < argc; i++)
		trace_one(atoi(argv[i]));
	trace_one(1);
	memory_files(1);
	trace_one(child);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	return breached;
}

/* traced FILE: a child that says it is traced, or is, then runs a program that is not allowed. */
static int traced(int argc, char **argv)
{
	for (int how = 0; how < 3; how++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			if (how > 0)
				(void)ptrace(PTRACE_TRACEME, 0, 0, 0);
			if (how > 1)
				(void)raise(SIGSTOP);
			execl(argv[0], argv[0], argc > 1 ? argv[1] : "--version", (char *)NULL);
			_exit(errno == EACCES || errno == ENOENT ? 77 : 1);
		}
		while (waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status)) {
			(void)ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_SUSPEND_SECCOMP);
			(void)ptrace(PTRACE_CONT, pid, 0, 0);
			(void)kill(pid, SIGCONT);
		}
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 77)
			breach("a program that is not allowed ran", how);
		if (how > 0 && ptrace(PTRACE_TRACEME, 0, 0, 0) == 0)
			breach("traced", how);
	}
	return breached;
}

/* ---- time ------------------------------------------------------------------------------------ */

/* clocks: sets what can be set; then its own clock must say what it said. */
static int clocks(int argc, char **argv)
{
	struct timespec past = {1000000000, 0}, before, after;
	struct timeval old = {1000000000, 0};
	struct timex adjust = {.modes = ADJ_SETOFFSET | ADJ_OFFSET | ADJ_TICK, .tick = 9000};

	(void)argc, (void)argv;
	(void)clock_gettime(CLOCK_REALTIME, &before);
	for (int clock = 0; clock < 12; clock++)
		if (clock_settime(clock, &past) == 0 || clock_adjtime(clock, &adjust) >= 0)
			breach("a clock", clock);
	if (settimeofday(&old, NULL) == 0 || adjtimex(&adjust) >= 0 || unshare(0x80) == 0)
		breach("time of day", 0);
	(void)clock_gettime(CLOCK_REALTIME, &after);
	if (after.tv_sec < before.tv_sec || after.tv_sec > before.tv_sec + 60)
		breach("the time has changed", (long)after.tv_sec);
	return breached;
}

/* flood MARK: output without end, into whoever reads or not. */
static int flood(int argc, char **argv)
{
	static char bytes[65536];

	(void)argc, (void)argv;
	memset(bytes, 'y', sizeof(bytes));
	(void)signal(SIGPIPE, SIG_IGN);
	for (;;)
		if (write(1, bytes, sizeof(bytes)) < 0 && write(2, bytes, sizeof(bytes)) < 0)
			live_on();
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
    {"daemonize", daemonize},
    {"orphan", orphan},
    {"bomb", bomb},
    {"chain", chain},
    {"hold", hold},
    {"signals", signals},
    {"kill_all", kill_all},
    {"trace", trace},
    {"traced", traced},
    {"clocks", clocks},
    {"flood", flood},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* children must not print what is ours again */
	for (unsigned i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe_proc: no verb\n");
	return 2;
}
