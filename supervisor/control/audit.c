/* What verify, tail and prove share: the directory, the pin, the output option. */
#include "supervisor/control/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/paths.h"

int audit_open_dir(const char *dir, char *ret_path)
{
	char state[PATHS_MAX];
	int fd, r = 0;

	if (dir)
		r = snprintf(ret_path, PATHS_MAX, "%s", dir) < PATHS_MAX ? 0 : -ENAMETOOLONG;
	else if ((r = paths_state(state)) == 0)
		r = paths_join(ret_path, state, "audit");
	if (r < 0) {
		command_fail(
		    AUDIT_USAGE, "audit: no journal named: %s; give its directory", strerror(-r));
		return r;
	}
	fd = open(ret_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	r = -errno;
	command_fail(
	    AUDIT_USAGE, "audit: %s: %s; name the journal's directory", ret_path, strerror(-r));
	return r;
}

int audit_take_output(int *argc, char **argv, enum command_output *ret)
{
	const char *output = command_take_option(argc, argv, "--output");

	if (output && strcmp(output, "json") != 0 && strcmp(output, "text") != 0)
		return command_fail(AUDIT_USAGE, "--output %s: unknown; text or json", output);
	*ret = output && strcmp(output, "json") == 0 ? COMMAND_OUTPUT_JSON : COMMAND_OUTPUT_TEXT;
	return 0;
}

/* 1: read; 0: not there or not ours to read; -EBADMSG; other faults. */
static int pin_read(struct note_key *ret, const char *path)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *cleanup_free text = NULL;
	size_t len;
	int r;

	if (fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENOTDIR ? 0 : -errno;
	r = fd_read_all(fd, NOTE_MAX, &text, &len);
	if (r == 0)
		r = pin_parse(ret, text, len);
	if (r == -EFBIG)
		r = -EBADMSG;
	return r < 0 ? r : 1;
}

int audit_load_pin(struct note_key *ret, const char *file, const char *dir, char *ret_path)
{
	char state[PATHS_MAX];
	int r = 0;

	if (file) {
		if (snprintf(ret_path, PATHS_MAX, "%s", file) >= PATHS_MAX)
			return command_fail(AUDIT_USAGE, "--pin: path too long"), -ENAMETOOLONG;
		r = pin_read(ret, ret_path);
		if (r == 0 || (r < 0 && r != -EBADMSG)) {
			(void)command_fail(
			    AUDIT_USAGE, "%s: the pin cannot be read; name another", file);
			return r ? r : -ENOENT;
		}
		return r;
	}
	/* The journal's own neighbour first: `verify DIR` of a copied state must not be judged by
	 * the pin of the daemon at home. */
	if (snprintf(ret_path, PATHS_MAX, "%s/../trust.pin", dir) < PATHS_MAX)
		r = pin_read(ret, ret_path);
	if (r == 0 && paths_state(state) == 0 && paths_join(ret_path, state, "trust.pin") == 0)
		r = pin_read(ret, ret_path);
	return r;
}
