#include "supervisor/control/remote_program.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/paths.h"
#include "supervisor/control/command.h"

#define PROGRAM "callgate-remote"

int remote_program_become(const struct command_session *session, int status)
{
	char folder[PATHS_MAX], path[PATHS_MAX];
	int fault = paths_libexec(folder);

	if (fault == 0)
		fault = paths_join(path, folder, PROGRAM);
	if (fault != 0)
		return command_fail(status,
		    "HTTP: the folder of " PROGRAM " is not known: %s; is /proc mounted?",
		    strerror(-fault));
	(void)execve(path, session->argv, environ);
	fault = errno;
	if (fault == ENOENT)
		return command_fail(status,
		    "HTTP: %s is not installed; it is what speaks to gates elsewhere, and "
		    "`make install` puts it there",
		    path);
	return command_fail(status, "HTTP: %s cannot be started: %s", path, strerror(fault));
}
