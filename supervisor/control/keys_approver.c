#include "supervisor/control/keys_approver.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/approver_key.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

#define SAID_MAX (PATHS_MAX + 256)

/* Two times the same, long enough. 0 or COMMAND_USAGE. */
static int ask_new_passphrase(char out[PASSPHRASE_MAX])
{
	char again[PASSPHRASE_MAX];
	int status = passphrase_ask("New passphrase for the approver key", out);

	if (status != 0)
		return status;
	if (strlen(out) < PASSPHRASE_MIN)
		return command_fail(
		    COMMAND_USAGE, "keys: the passphrase needs at least %d bytes", PASSPHRASE_MIN);
	if (!isatty(STDIN_FILENO))
		return 0;
	status = passphrase_ask("The same again", again);
	if (status == 0 && strcmp(out, again) != 0)
		status = command_fail(COMMAND_USAGE, "keys: the two passphrases differ");
	key_wipe(again, sizeof(again));
	return status;
}

/* Writes STATE/approvers/ID.pub. 0 or COMMAND_USAGE. */
static int publish(const char *state, const struct approver *approver)
{
	struct buf cleanup_with(buf_fini) text = {0};
	char folder[PATHS_MAX], name[APPROVER_ID_LEN + 8];
	int cleanup_fd fd = -1;
	int result = paths_join(folder, state, "approvers");

	if (result == 0)
		fd = fd_make_dirs(folder, 0700);
	if (fd < 0)
		return command_fail(COMMAND_USAGE,
		    "keys: %s: %s; run it as the daemon's user, or "
		    "name its state with --state",
		    folder, strerror(result ? -result : -fd));
	snprintf(name, sizeof(name), "%s.pub", approver->id);
	buf_init(&text, 1024);
	result = approver_text(&text, approver);
	if (result == 0)
		result = fd_write_file_at(fd, name, 0600, text.data, text.len);
	if (result != 0)
		return command_fail(
		    COMMAND_USAGE, "keys: %s/%s: %s", folder, name, strerror(-result));
	return 0;
}

/* A daemon that runs learns of the key now; one that does not, at its start. */
static const char *tell_daemon(const struct command_session *session, char said_at[SAID_MAX])
{
	struct client client;
	json_t *answer = NULL;
	const char *said = "the daemon knows it";

	if (client_connect(&client, session->socket) != 0) {
		(void)snprintf(said_at, SAID_MAX,
		    "no daemon answers at %s; a daemon learns of the key when it starts, or by "
		    "`callgate reload` (name its socket with --socket or CALLGATE_SOCKET)",
		    session->socket);
		return said_at;
	}
	if (client_exchange(&client, session, "callgate/reload", NULL, &answer) != 0 ||
	    !json_object_get(answer, "result"))
		said = "the daemon did not reload; run `callgate reload`";
	json_decref(answer);
	client_close(&client);
	return said;
}

static int say_made(
    const struct command_session *session, const struct approver *made, const char *path)
{
	char said[SAID_MAX];
	const char *daemon = tell_daemon(session, said);
	json_t *document;
	int status;

	if (session->output == COMMAND_OUTPUT_TEXT) {
		printf("approver key %s (%s) in %s\n%s\n", made->id, made->name, path, daemon);
		return COMMAND_OK;
	}
	document = json_pack("{s:s, s:s, s:s, s:s}", "id", made->id, "name", made->name, "key",
	    path, "daemon", daemon);
	status = command_print_json(document);
	json_decref(document);
	return status;
}

int keys_approver_create(struct command_session *session, int argc, char **argv)
{
	const char *name = command_take_option(&argc, argv, "--name");
	const char *given = command_take_option(&argc, argv, "--key");
	const char *state = command_take_option(&argc, argv, "--state");
	char passphrase[PASSPHRASE_MAX], path[PATHS_MAX], folder[PATHS_MAX], home[PATHS_MAX];
	struct approver made = {0};
	const char *user = getenv("USER");
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = command_local_only(session, "keys create --approver");
	if (status != 0)
		return status;
	if (!state && paths_state(home) != 0)
		return command_fail(COMMAND_USAGE, "keys: no place for state; give --state DIR");
	status = approver_key_path(given, path);
	if (status == 0)
		status = ask_new_passphrase(passphrase);
	if (status == 0) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
		status = fd_make_dirs(folder, 0700);
		if (status >= 0)
			close(status);
		status = approver_key_create(path,
		    name   ? name
		    : user ? user
			   : "approver",
		    passphrase, &made);
	}
	key_wipe(passphrase, sizeof(passphrase));
	if (status == 0)
		status = publish(state ? state : home, &made);
	if (status != 0)
		return status;
	return say_made(session, &made, path);
}
