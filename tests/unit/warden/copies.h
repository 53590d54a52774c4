/* A test that starts programs of the daemon: itself under their names. The test program copies
 * itself into a folder of its own, since programs are looked for beside the one that runs, and goes
 * on there; a copy whose name begins with "callgate-" is the stand-in. */
#ifndef CALLGATE_TESTS_WARDEN_COPIES_H
#define CALLGATE_TESTS_WARDEN_COPIES_H

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/warden/rig.h"

static inline int copies_make(const char *folder, const char *name)
{
	char path[256];
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;
	off_t done = 0;
	int to;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (from < 0 || to < 0 || fstat(from, &st) < 0)
		return -1;
	while (done < st.st_size && sendfile(to, from, &done, 1 << 20) > 0)
		;
	close(from);
	close(to);
	return done == st.st_size ? 0 : -1;
}

/* Runs tests() in the copy; what a stand-in does is stand_in(), with its own name and folder. */
static inline int copies_run(
    int (*tests)(void), int (*stand_in)(const char *name, const char *folder))
{
	char exe[256] = "", *name, folder[] = "/tmp/warden-copies-XXXXXX", program[64];
	char *inner[] = {"inner", NULL};
	int status;
	pid_t pid;

	if (readlink("/proc/self/exe", exe, sizeof(exe) - 1) <= 0)
		return 2;
	name = strrchr(exe, '/') + 1;
	if (!strncmp(name, "callgate-", 9)) {
		name[-1] = '\0';
		return stand_in(name, exe);
	}
	if (!strcmp(name, "inner"))
		return tests();
	if (!mkdtemp(folder) || copies_make(folder, "inner") ||
	    copies_make(folder, "callgate-front-http") || copies_make(folder, "callgate-courier"))
		return 2;
	snprintf(program, sizeof(program), "%s/inner", folder);
	pid = fork();
	if (pid == 0) {
		execv(program, inner);
		_exit(2);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 2;
	(void)nftw(folder, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

#endif
