/* up: start a daemon of one's own in the background and wait until it serves. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/paths.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/daemon.h"
#include "supervisor/control/policy_file.h"
#include "supervisor/control/progress.h"

#define UP_WAIT_MS     60000
#define UP_STEP_MS     20
#define UP_PATIENCE_MS 2000
#define LOG_MAX        (64 * 1024) /* bytes that a failed start may have written */
#define CGROUP2_MAGIC  0x63677270

/* Opens the log of a daemon in the background. -1 after complaining. */
static int open_log(const char *state, char path[PATHS_MAX])
{
	int cleanup_fd folder = fd_make_dirs(state, 0700);
	int fd;

	if (folder < 0 || paths_join(path, state, "callgated.log") != 0) {
		(void)command_fail(0, "up: %s: %s; name another folder with --state", state,
		    folder < 0 ? strerror(-folder) : "path too long");
		return -1;
	}
	fd = openat(
	    folder, "callgated.log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		(void)command_fail(
		    0, "up: %s: %s; name another folder with --state", path, strerror(errno));
	return fd;
}

/* Where a user's systemd can delegate a cgroup v2 subtree, the daemon starts inside one. */
static int systemd_delegates(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char path[PATHS_MAX];
	struct statfs fs;

	return getuid() != 0 && runtime && paths_join(path, runtime, "systemd/private") == 0 &&
	       access(path, F_OK) == 0 && access("/usr/bin/systemd-run", X_OK) == 0 &&
	       statfs("/sys/fs/cgroup", &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
}

struct up {
	char daemon[PATHS_MAX];
	const char *config;
	const char *socket; /* for the daemon to take; NULL: its own */
	char state[PATHS_MAX];
	char log[PATHS_MAX];
	off_t log_from; /* where this start's lines begin */
};

/* Where the policy says nothing, the daemon takes the socket that its starter names. */
static void exec_daemon(const struct up *up, int log)
{
	const char *argv[] = {"/usr/bin/systemd-run", "--user", "--scope", "--quiet", "-p",
	    "Delegate=yes", "--", up->daemon, "--config", up->config, "--state", up->state, NULL};
	const char *const *start = systemd_delegates() ? argv : argv + 7;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (up->socket && setenv("CALLGATE_SOCKET", up->socket, 1) != 0)
		_exit(COMMAND_USAGE);
	if (setsid() < 0 || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
	    dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		_exit(COMMAND_USAGE);
	execv(start[0], (char *const *)start);
	dprintf(STDERR_FILENO, "callgate: up: %s: %s\n", start[0], strerror(errno));
	_exit(COMMAND_USAGE);
}

/* The first error that this start wrote to the log: what followed came of it. */
static int complain_from_log(const struct up *up)
{
	static const char mark[] = " error ";
	int cleanup_fd fd = open(up->log, O_RDONLY | O_CLOEXEC);
	char text[LOG_MAX];
	char *line = NULL, *word;
	ssize_t len = fd >= 0 ? pread(fd, text, sizeof(text) - 1, up->log_from) : -1;

	if (len >= 0) {
		text[len] = 0;
		line = strstr(text, mark);
	}
	if (!line)
		return command_fail(COMMAND_USAGE, "up: the daemon ended at once; see %s", up->log);
	line[strcspn(line, "\n")] = 0;
	word = strstr(line, "not started: ");
	if (word)
		return command_fail(COMMAND_USAGE, "up: %s", word + strlen("not started: "));
	return command_fail(COMMAND_USAGE, "up: %s; see %s", line + strlen(mark), up->log);
}

/* Asks for status until there is an answer, the child is gone, or patience ends. */
static int wait_until_served(struct command_session *session, const struct up *up, pid_t child)
{
	for (int waited = 0; waited < UP_WAIT_MS; waited += UP_STEP_MS) {
		struct client client;
		int status;

		if (client_connect(&client, session->socket) == 0) {
			json_t *answer = NULL;

			status =
			    client_exchange(&client, session, "callgate/status", NULL, &answer);
			client_close(&client);
			json_decref(answer);
			if (status == 0)
				return 0;
		}
		if (waitpid(child, &status, WNOHANG) == child)
			return complain_from_log(up);
		if (waited == UP_PATIENCE_MS)
			command_note("reading the programs that the policy allows ...");
		usleep(UP_STEP_MS * 1000);
	}
	(void)kill(child, SIGTERM);
	return command_fail(COMMAND_USAGE,
	    "up: no answer at %s after %d s; the daemon was ended again, see %s", session->socket,
	    UP_WAIT_MS / 1000, up->log);
}

/* The same name in the same folder, however it is written. */
static int same_place(const char *one, const char *other)
{
	const char *const given[] = {one, other};
	char folders[2][PATHS_MAX], real[2][PATHS_MAX];
	const char *names[2];

	for (int i = 0; i < 2; i++) {
		const char *slash = strrchr(given[i], '/');

		names[i] = slash ? slash + 1 : given[i];
		(void)snprintf(folders[i], PATHS_MAX, "%.*s",
		    slash ? (int)(slash - given[i]) + 1 : 1, slash ? given[i] : ".");
		if (!realpath(folders[i], real[i]))
			return strcmp(one, other) == 0;
	}
	return strcmp(names[0], names[1]) == 0 && strcmp(real[0], real[1]) == 0;
}

/* The daemon listens where its policy says, else where we say. 0 or COMMAND_USAGE. */
static int choose_socket(struct command_session *session, struct up *up, const char *of_policy)
{
	if (!of_policy[0]) {
		up->socket = session->socket_given ? session->socket : NULL;
		return 0;
	}
	if (session->socket_given && !same_place(session->socket, of_policy))
		return command_fail(COMMAND_USAGE,
		    "up: --socket %s: the policy has the daemon listen at %s "
		    "(server.socket.path); leave --socket out or change the policy",
		    session->socket, of_policy);
	session->socket = of_policy;
	return 0;
}

static int say_up(const struct command_session *session, const struct up *up)
{
	char usual[PATHS_MAX];

	if (session->output == COMMAND_OUTPUT_JSON) {
		json_t *said = json_pack(
		    "{s:s, s:s, s:s}", "state", "up", "socket", session->socket, "log", up->log);
		int result = command_print_json(said);

		json_decref(said);
		return result;
	}
	printf("up: socket %s, log %s\n", session->socket, up->log);
	if (paths_socket(usual) != 0 || !same_place(usual, session->socket))
		command_remark("this is not where commands look by themselves; "
			       "`export CALLGATE_SOCKET=%s` or give them --socket",
		    session->socket);
	return COMMAND_OK;
}

/* Somebody answers at the socket: says who. 1, or 0 where nobody does. */
static int already_up(const struct command_session *session)
{
	json_t *answer = NULL, *status;
	struct client client;

	if (client_connect(&client, session->socket) != 0)
		return 0;
	if (client_exchange(&client, session, "callgate/status", NULL, &answer) != 0)
		answer = NULL;
	client_close(&client);
	status = json_object_get(answer, "result");
	if (session->output == COMMAND_OUTPUT_JSON) {
		json_t *said =
		    json_pack("{s:s, s:b, s:s, s:I}", "state", "up", "already", 1, "socket",
			session->socket, "pid", json_integer_value(json_object_get(status, "pid")));

		(void)command_print_json(said);
		json_decref(said);
	} else
		printf("already running: pid %" JSON_INTEGER_FORMAT
		       ", socket %s; `callgate reload` reads "
		       "its policy again\n",
		    json_integer_value(json_object_get(status, "pid")), session->socket);
	json_decref(answer);
	return 1;
}

int cmd_up(struct command_session *given, int argc, char **argv)
{
	const char *state = command_take_option(&argc, argv, "--state");
	struct command_session own = *given, *session = &own; /* it may get another socket */
	char config[PATHS_MAX], socket[PATHS_MAX], absolute[PATHS_MAX];
	struct up up = {.config = command_take_option(&argc, argv, "--config")};
	int cleanup_fd log = -1;
	pid_t child;
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = command_local_only(given, argv[0]);
	if (status != 0)
		return status;
	own.remote = NULL;
	if (!up.config)
		up.config = policy_file_default(argv[0], "--config FILE", config);
	if (!up.config)
		return COMMAND_USAGE;
	if (!realpath(up.config, absolute))
		return command_fail(COMMAND_USAGE, "up: %s: %s; name a policy with --config FILE",
		    up.config, strerror(errno));
	up.config = absolute;
	if (daemon_find(up.daemon) != 0)
		return command_fail(COMMAND_USAGE,
		    "up: callgated is not beside this program; install "
		    "both with `make install`");
	if (state ? paths_join(up.state, ".", state) != 0 : paths_state(up.state) != 0)
		return command_fail(
		    COMMAND_USAGE, "up: no place for state; give --state DIR or set HOME");
	progress_begin(session->output, "reading the policy", NULL, NULL);
	status = policy_file_socket(absolute, socket);
	progress_end();
	if (status != 0)
		return status;
	status = choose_socket(session, &up, socket);
	if (status != 0)
		return status;
	if (already_up(session))
		return COMMAND_OK;
	log = open_log(up.state, up.log);
	if (log < 0)
		return COMMAND_USAGE;
	up.log_from = lseek(log, 0, SEEK_END);
	child = fork();
	if (child == 0)
		exec_daemon(&up, log);
	if (child < 0)
		return command_fail(COMMAND_USAGE, "up: fork: %s", strerror(errno));
	status = wait_until_served(session, &up, child);
	return status ? status : say_up(session, &up);
}
