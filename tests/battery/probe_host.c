/*
 * Attacks of the battery that use what a tool may do in its own cell to hurt those outside of it.
 * Exit 0: nothing worked, 1: something did (named on stdout), 2: no such verb. Static.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool breached;

static void breach(const char *what, long number)
{
	printf("BREACHED: %s: %ld\n", what, number);
	breached = true;
}

/* The kernel starts a host's dump handler, as root, for any limit but 1. */
static rlim_t no_dump = 1;

static void dump_is_off(const char *after)
{
	struct rlimit limit = {7, 7};

	if (getrlimit(RLIMIT_CORE, &limit) < 0 || limit.rlim_cur != no_dump ||
	    limit.rlim_max != no_dump)
		breach(after, (long)limit.rlim_cur);
}

/* Each way to another limit of dumps, with high bits where the kernel does not look. */
static int dumps(void)
{
	static const long resources[] = {
	    RLIMIT_CORE, RLIMIT_CORE | 1L << 32, RLIMIT_CORE | 1L << 63};
	struct rlimit none = {0, 0}, old;

	dump_is_off("a dump at the start");
	(void)setrlimit(RLIMIT_CORE, &none);
	dump_is_off("setrlimit");
	for (unsigned i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
		(void)syscall(SYS_setrlimit, resources[i], &none);
		dump_is_off("setrlimit, the call");
		(void)syscall(SYS_prlimit64, 0, resources[i], &none, NULL);
		dump_is_off("prlimit64");
		(void)syscall(SYS_prlimit64, 0, resources[i], &none, &old);
		dump_is_off("prlimit64 with the old one");
		(void)syscall(SYS_prlimit64, getpid(), resources[i], &none, NULL);
		dump_is_off("prlimit64 by number");
	}
	return breached;
}

/* Where the daemon was started with a hard limit of 0 and may not raise it: that stays. */
static int dumps_of_none(void)
{
	no_dump = 0;
	return dumps();
}

/* A lease makes whoever opens the file wait for its holder. */
static int leases(void)
{
	static const int kinds[] = {F_RDLCK, F_WRLCK};
	static const long commands[] = {F_SETLEASE, F_SETLEASE | 1L << 32, F_SETLEASE | 1L << 63};

	for (unsigned k = 0; k < 2; k++)
		for (unsigned c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
			int fd =
			    open("leased", (k ? O_RDWR : O_RDONLY) | O_CREAT | O_CLOEXEC, 0644);

			if (fd < 0)
				breach("no file to try with", errno);
			if (syscall(SYS_fcntl, fd, commands[c], kinds[k]) == 0 ||
			    fcntl(fd, F_GETLEASE) != F_UNLCK)
				breach("a lease", commands[c]);
			close(fd);
		}
	(void)unlink("leased");
	return breached;
}

static const struct {
	const char *name;
	int (*run)(void);
} verbs[] = {
    {"dumps", dumps},
    {"dumps_of_none", dumps_of_none},
    {"leases", leases},
};

int main(int argc, char **argv)
{
	for (unsigned i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run();
	fprintf(stderr, "probe_host: no verb\n");
	return 2;
}
