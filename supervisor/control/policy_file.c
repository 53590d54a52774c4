#include "supervisor/control/policy_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/load.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/command.h"

#define DOTENV_MAX (256 * 1024)

extern char **environ;

/* Folder of a path, "." when it has none. */
static void folder_of(char out[PATHS_MAX], const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(out, PATHS_MAX, ".");
	else
		snprintf(out, PATHS_MAX, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/* One .env file; absent is fine, readable by others is not. 0 or COMMAND_USAGE. */
static int load_dotenv(const char *folder, char ***ret_list)
{
	char path[PATHS_MAX];
	struct err_note note = {0};
	char *cleanup_free text = NULL;
	struct stat info;
	size_t len = 0;
	int cleanup_fd fd = -1;
	int result;

	if (paths_join(path, folder, ".env") != 0)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return 0;
	if (fstat(fd, &info) != 0 || (info.st_mode & 077) != 0)
		return command_fail(COMMAND_USAGE, "%s: readable by others; chmod 600 it", path);
	result = fd_read_all(fd, DOTENV_MAX, &text, &len);
	if (result == -EFBIG)
		return command_fail(COMMAND_USAGE,
		    "%s:1:1: larger than %d KiB; keep only variables in it, and move the rest away",
		    path, DOTENV_MAX / 1024);
	if (result == 0)
		result = dotenv_parse(path, text, len, ret_list, &note);
	if (result != 0)
		return command_fail(
		    COMMAND_USAGE, "%s", note.text[0] ? note.text : strerror(-result));
	return 0;
}

/* The two lists joined, beside first. */
static char **join_lists(char **first, char **second)
{
	size_t count = 0;
	char **joined;

	for (char **item = first; item && *item; item++)
		count++;
	for (char **item = second; item && *item; item++)
		count++;
	joined = calloc(count + 1, sizeof(*joined));
	if (!joined)
		return NULL;
	count = 0;
	for (char **item = first; item && *item; item++)
		joined[count++] = *item;
	for (char **item = second; item && *item; item++)
		joined[count++] = *item;
	return joined;
}

static void tell_warnings(const char *text)
{
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		command_warn("%.*s", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

static int load_text(const char *path, const char *text, size_t len, struct policy **ret_policy,
    struct buf *warnings)
{
	char **cleanup_free beside = NULL, **cleanup_free home = NULL, **cleanup_free both = NULL;
	const char *callgate_home = getenv("CALLGATE_HOME");
	struct err_note note = {0};
	char folder[PATHS_MAX];
	int result;

	folder_of(folder, path);
	if (load_dotenv(folder, &beside) != 0 ||
	    (callgate_home && load_dotenv(callgate_home, &home) != 0))
		return COMMAND_USAGE;
	both = join_lists(beside, home);
	if (!both)
		return command_fail(COMMAND_USAGE, "%s: out of memory", path);
	result = policy_load(
	    &(struct policy_source){
		.file = path, .text = text, .len = len, .env = environ, .dotenv = both},
	    ret_policy, warnings, &note);
	if (result != 0)
		return command_fail(
		    COMMAND_USAGE, "%s", note.text[0] ? note.text : strerror(-result));
	tell_warnings(warnings->len ? buf_cstr(warnings) : NULL);
	return 0;
}

int policy_file_load(const char *path, struct policy **ret_policy, struct buf *ret_warnings)
{
	struct buf cleanup_with(buf_fini) warnings = {0};
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *cleanup_free text = NULL;
	size_t len = 0;
	int result = fd < 0 ? -errno : fd_read_all(fd, POLICY_FILE_MAX, &text, &len);

	if (result != 0)
		return command_fail(COMMAND_USAGE, "%s: %s", path,
		    result == -EFBIG ? "longer than 4 MiB; split the policy" : strerror(-result));
	buf_init(&warnings, POLICY_FILE_WARNINGS_MAX);
	return load_text(path, text, len, ret_policy, ret_warnings ? ret_warnings : &warnings);
}

const char *policy_file_default(const char *what, const char *remedy, char out[PATHS_MAX])
{
	char folder[PATHS_MAX], own[PATHS_MAX] = "";

	if (access("callgate.yaml", R_OK) == 0)
		return "callgate.yaml";
	if (paths_config(folder) == 0 && paths_join(own, folder, "callgate.yaml") == 0 &&
	    access(own, R_OK) == 0)
		return memcpy(out, own, sizeof(own));
	if (access("/etc/callgate/callgate.yaml", R_OK) == 0)
		return "/etc/callgate/callgate.yaml";
	(void)command_fail(COMMAND_USAGE,
	    "%s: no policy: neither ./callgate.yaml%s%s nor /etc/callgate/callgate.yaml can be "
	    "read; write one or give %s",
	    what, own[0] ? ", " : "", own, remedy);
	return NULL;
}

int policy_file_socket(const char *path, char out[PATHS_MAX])
{
	struct policy *policy = NULL;
	char folder[PATHS_MAX];
	int status = policy_file_load(path, &policy, NULL);

	if (status != 0)
		return status;
	folder_of(folder, path);
	out[0] = 0;
	if (policy->socket_path[0] && paths_join(out, folder, policy->socket_path) != 0)
		status = command_fail(COMMAND_USAGE, "%s: server.socket.path: too long", path);
	policy_free(policy);
	return status;
}
