#include "supervisor/control/login.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/control/device_flow.h"
#include "supervisor/control/login_store.h"

#define CLIENT_ID "callgate"

/* "2026-11-23T15:38:48.000000Z", or "" of a token that does not say when it ends. */
static const char *stamp_of(const struct login *login, char out[CLOCK_STAMP_MAX])
{
	out[0] = '\0';
	if (login->expires)
		clock_stamp(out, login->expires * 1000000);
	return out;
}

static int print_login(const struct command_session *session, const struct login *login)
{
	char expires[CLOCK_STAMP_MAX];
	json_t *document;
	int status;

	(void)stamp_of(login, expires);
	if (session->output == COMMAND_OUTPUT_TEXT) {
		printf("%s: logged in at ", login->url);
		command_print_escaped(login->issuer);
		printf(" as client ");
		command_print_escaped(login->client_id);
		printf(expires[0] ? ", until %s" : "%s", expires);
		printf(login->refresh_token[0] ? ", then refreshed\n" : "\n");
		return COMMAND_OK;
	}
	document = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "url", login->url, "issuer",
	    login->issuer, "client_id", login->client_id, "scope", login->scope, "expires", expires,
	    "refreshed", login->refresh_token[0] != '\0');
	status = command_print_json(document);
	json_decref(document);
	return status;
}

/* ---- login ---------------------------------------------------------------------------------- */

static void show_code(const struct command_session *session, const struct device *device)
{
	if (session->output == COMMAND_OUTPUT_JSON) {
		command_remark("login: open %s and enter %s", device->page, device->user_code);
		return;
	}
	printf("open   ");
	command_print_escaped(device->page);
	printf("\nenter  ");
	command_print_escaped(device->user_code);
	printf("\nwaiting for it, %u minutes at most ...\n", (device->expires_s + 59) / 60);
	fflush(stdout);
}

static int store(const struct command_session *session, const struct discovered *where,
    const char *client_id, const char *scope, const json_t *document)
{
	const struct remote *remote = session->remote;
	struct err_note note = {0};
	struct granted granted;
	struct login login;

	(void)token_judge(200, document, &granted, &note);
	login = (struct login){.url = remote->url,
	    .issuer = where->issuer,
	    .token_endpoint = where->token_endpoint,
	    .client_id = client_id,
	    .resource = where->resource,
	    .scope = granted.scope[0] ? granted.scope : scope,
	    .access_token = granted.access_token,
	    .refresh_token = granted.refresh_token,
	    .expires = granted.expires_s ? clock_wall_us() / 1000000 + granted.expires_s : 0};
	if (login_write(remote, &login, &note) != 0)
		return command_fail(COMMAND_USAGE, "%s", note.text);
	return print_login(session, &login);
}

static int log_in(const struct command_session *session, const char *client_id, const char *scope)
{
	const struct remote *remote = session->remote;
	struct err_note note = {0};
	struct discovered where;
	struct device device;
	json_t *document = NULL;
	int status = discover(remote, &where, &note);

	if (status == 0)
		status = device_begin(remote, &where, client_id, scope, &device, &note);
	if (status != 0)
		return command_fail(status, "%s", note.text);
	show_code(session, &device);
	status = device_wait(remote, &where, client_id, &device, &document, &note);
	if (status != 0)
		return command_fail(status, "%s", note.text);
	status = store(session, &where, client_id, scope, document);
	json_decref(document);
	return status;
}

/* ---- login --status ------------------------------------------------------------------------- */

static int ends_with(const char *name, const char *end)
{
	size_t len = strlen(name), end_len = strlen(end);

	return len > end_len && strcmp(name + len - end_len, end) == 0;
}

/* One of the folder; a file that is no login is complained of and passed over. */
static int list_one(const struct command_session *session, const char *name, json_t *list)
{
	struct login cleanup_with(login_fini) login = {.url = ""};
	struct err_note note = {0};
	char expires[CLOCK_STAMP_MAX];

	if (login_read_file(name, &login, &note) != 0) {
		command_warn("%s", note.text);
		return 0;
	}
	if (session->output == COMMAND_OUTPUT_TEXT)
		return print_login(session, &login), 1;
	(void)json_array_append_new(
	    list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "url", login.url, "issuer",
		      login.issuer, "client_id", login.client_id, "scope", login.scope, "expires",
		      stamp_of(&login, expires), "refreshed", login.refresh_token[0] != '\0'));
	return 1;
}

static int list_all(const struct command_session *session)
{
	json_t *list = json_array(), *document;
	char path[PATHS_MAX];
	DIR *folder = login_folder(path) == 0 ? opendir(path) : NULL;
	int count = 0, status = COMMAND_OK;

	for (struct dirent *entry; folder && (entry = readdir(folder)) != NULL;)
		if (ends_with(entry->d_name, ".json"))
			count += list_one(session, entry->d_name, list);
	if (folder)
		closedir(folder);
	document = json_pack("{s:o}", "logins", list);
	if (session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(document);
	else if (count == 0)
		printf("no logins\n");
	json_decref(document);
	return status;
}

static int say_status(const struct command_session *session)
{
	struct login cleanup_with(login_fini) login = {.url = ""};
	struct err_note note = {0};
	int result;

	if (!session->remote)
		return list_all(session);
	result = login_read(session->remote, &login, &note);
	if (result == -ENOENT)
		return command_fail(COMMAND_NOT_AUTHENTICATED,
		    "%s: not logged in; run `callgate login --url %s`", session->remote->url,
		    session->remote->url);
	return result == 0 ? print_login(session, &login)
			   : command_fail(COMMAND_USAGE, "%s", note.text);
}

int login_run(struct command_session *session, int argc, char **argv)
{
	const char *client_id = command_take_option(&argc, argv, "--client-id");
	const char *scope = command_take_option(&argc, argv, "--scope");
	int want_status = command_take_flag(&argc, argv, "--status");
	int status = command_no_more(argc, argv, 0);

	if (status != 0)
		return status;
	if (want_status && (client_id || scope))
		return command_fail(COMMAND_USAGE, "login: --status takes no other option");
	if (want_status)
		return say_status(session);
	if (!session->remote)
		return command_fail(COMMAND_USAGE,
		    "login: where? give --url https://HOST[:PORT]; the daemon's own socket needs "
		    "none");
	return log_in(session, client_id ? client_id : CLIENT_ID, scope ? scope : "");
}

int logout_run(struct command_session *session, int argc, char **argv)
{
	int status = command_no_more(argc, argv, 0), result;
	json_t *document;

	if (status != 0)
		return status;
	if (!session->remote)
		return command_fail(
		    COMMAND_USAGE, "logout: where? give --url; see `callgate login --status`");
	result = login_remove(session->remote);
	if (result != 0 && result != -ENOENT)
		return command_fail(
		    COMMAND_USAGE, "logout: %s: %s", session->remote->url, strerror(-result));
	if (session->output == COMMAND_OUTPUT_TEXT) {
		printf(result == 0 ? "%s: logged out\n" : "%s: was not logged in\n",
		    session->remote->url);
		return COMMAND_OK;
	}
	document = json_pack("{s:s, s:b}", "url", session->remote->url, "logged_out", result == 0);
	status = command_print_json(document);
	json_decref(document);
	return status;
}
