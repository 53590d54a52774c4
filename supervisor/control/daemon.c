#include "supervisor/control/daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int daemon_find(char out[PATHS_MAX])
{
	char self[PATHS_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len <= 0)
		return -ENOENT;
	self[len] = 0;
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	*slash = 0;
	if (snprintf(out, PATHS_MAX, "%s/callgated", self) < PATHS_MAX && access(out, X_OK) == 0)
		return 0;
	if (snprintf(out, PATHS_MAX, "%s/../sbin/callgated", self) < PATHS_MAX &&
	    access(out, X_OK) == 0)
		return 0;
	return -ENOENT;
}
