#include "supervisor/base/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fits(int printed)
{
	return printed < 0 || printed >= PATHS_MAX ? -ENAMETOOLONG : 0;
}

/* A variable that is set, not empty and absolute; NULL otherwise (the XDG rule). */
static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

/* What a person says with one of our own variables counts from where he stands. */
static int from_here(char out[PATHS_MAX], const char *path)
{
	char here[PATHS_MAX];

	if (path[0] == '/')
		return paths_join(out, "", path);
	if (!getcwd(here, sizeof(here)))
		return errno == ERANGE ? -ENAMETOOLONG : -ENOENT;
	return paths_join(out, here, path);
}

/* $variable/callgate, else $HOME/fallback/callgate. */
static int below_home(char out[PATHS_MAX], const char *variable, const char *fallback)
{
	const char *base = absolute_variable(variable);

	if (base)
		return paths_join(out, base, "callgate");
	base = absolute_variable("HOME");
	if (!base)
		return -ENOENT;
	return fits(snprintf(out, PATHS_MAX, "%s/%s/callgate", base, fallback));
}

int paths_join(char out[PATHS_MAX], const char *dir, const char *name)
{
	if (name[0] == '/')
		return fits(snprintf(out, PATHS_MAX, "%s", name));
	return fits(snprintf(out, PATHS_MAX, "%s/%s", strcmp(dir, "/") == 0 ? "" : dir, name));
}

int paths_state(char out[PATHS_MAX])
{
	const char *home = getenv("CALLGATE_HOME");

	if (home && *home)
		return from_here(out, home);
	if (geteuid() == 0)
		return paths_join(out, "", "/var/lib/callgate");
	return below_home(out, "XDG_STATE_HOME", ".local/state");
}

int paths_socket(char out[PATHS_MAX])
{
	const char *socket = getenv("CALLGATE_SOCKET");
	const char *runtime = absolute_variable("XDG_RUNTIME_DIR");
	char state[PATHS_MAX];
	int r;

	if (socket && !strncmp(socket, "fd:", 3)) /* a running call's own gate, not a path */
		return fits(snprintf(out, PATHS_MAX, "%s", socket));
	if (socket && *socket)
		return from_here(out, socket);
	if (geteuid() == 0)
		return paths_join(out, "", "/run/callgate/callgate.sock");
	if (runtime)
		return paths_join(out, runtime, "callgate/callgate.sock");
	r = paths_state(state);
	return r < 0 ? r : paths_join(out, state, "run/callgate.sock");
}

int paths_config(char out[PATHS_MAX])
{
	return below_home(out, "XDG_CONFIG_HOME", ".config");
}

/* Only a test build lets the environment choose which programs become the roles. */
static const char *libexec_variable(void)
{
#ifdef CALLGATE_TEST_WALLS
	return absolute_variable("CALLGATE_LIBEXEC");
#else
	return NULL;
#endif
}

int paths_libexec(char out[PATHS_MAX])
{
	char own[PATHS_MAX], installed[PATHS_MAX];
	ssize_t len;
	struct stat st;
	int r;

	if (libexec_variable())
		return paths_join(out, "", libexec_variable());
	len = readlink("/proc/self/exe", own, sizeof(own) - 1);
	if (len < 0)
		return -ENOENT;
	own[len] = '\0';
	*strrchr(own, '/') = '\0';
	r = paths_join(installed, own, "../libexec/callgate");
	if (r < 0)
		return r;
	if (stat(installed, &st) == 0 && S_ISDIR(st.st_mode))
		return paths_join(out, "", installed);
	return paths_join(out, "", own[0] ? own : "/");
}
