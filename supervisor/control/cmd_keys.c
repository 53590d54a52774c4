/* keys: API keys of programs and tenants, made, listed, rotated and revoked by the daemon; and the
 * approver key of a person, which stays here (keys_approver.h). */
#include <stdio.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/keys_approver.h"
#include "supervisor/control/listed.h"
#include "supervisor/control/wanted.h"

#define LINE_MAX_OUT 1024

/* The secret on standard output, what belongs to it on the other. */
static int print_key(const struct command_session *session, const json_t *answer)
{
	if (session->output == COMMAND_OUTPUT_TEXT)
		command_remark("keys: %s; the key is shown this once, keep it where secrets are",
		    command_text_of(answer, "id"));
	return wanted_print_secret(session->output == COMMAND_OUTPUT_JSON, answer, "key");
}

/* Takes params. */
static int ask_for_key(const struct command_session *session, const char *method, json_t *params)
{
	json_t *answer = NULL;
	int status = client_once(session, method, params, &answer);

	if (status == 0)
		status = print_key(session, answer);
	json_decref(answer);
	return status;
}

/* 0 or COMMAND_USAGE. value NULL: not given. */
static int add_text(json_t *params, const char *member, const char *option, const char *value)
{
	if (!value || json_object_set_new(params, member, json_string(value)) == 0)
		return 0;
	return command_fail(COMMAND_USAGE, "%s %s: not valid UTF-8", option, value);
}

static int create(struct command_session *session, int argc, char **argv)
{
	const char *label = command_take_option(&argc, argv, "--label");
	const char *tenant = command_take_option(&argc, argv, "--tenant");
	const char *expires = command_take_option(&argc, argv, "--expires");
	json_t *params = wanted_take(&argc, argv);
	uint64_t seconds = 0;
	int status = params ? command_no_more(argc, argv, 0) : COMMAND_USAGE;

	if (status == 0 && expires)
		status = wanted_seconds("--expires", expires, &seconds);
	if (status == 0)
		status = add_text(params, "label", "--label", label);
	if (status == 0)
		status = add_text(params, "tenant", "--tenant", tenant);
	if (status != 0) {
		json_decref(params);
		return status;
	}
	if (seconds)
		(void)json_object_set_new(params, "expires_s",
		    json_integer((json_int_t)(clock_wall_us() / 1000000 + seconds)));
	return ask_for_key(session, "callgate/keys/create", params);
}

/* ---- list ----------------------------------------------------------------------------------- */

static void print_list(const json_t *key, const char *member)
{
	char line[LINE_MAX_OUT] = "";
	size_t used = 0, i;
	const json_t *entry;

	json_array_foreach(json_object_get(key, member), i, entry)
	{
		const char *text = json_string_value(entry);
		int put = snprintf(
		    line + used, sizeof(line) - used, "%s%s", used ? ", " : "", text ? text : "?");

		if (put < 0 || (size_t)put >= sizeof(line) - used) {
			(void)snprintf(line + sizeof(line) - 5, 5, " ...");
			break;
		}
		used += (size_t)put;
	}
	listed_print_field(member, line);
}

static void print_entry(const json_t *key)
{
	static const char *const times[] = {"created", "expires", "rotated", "revoked"};
	static const char *const grants[] = {
	    "roles", "tools", "agents", "namespaces", "permissions"};
	char stamp[CLOCK_STAMP_MAX];

	command_print_escaped(command_text_of(key, "id"));
	printf("  ");
	command_print_escaped(command_text_of(key, "label"));
	putchar('\n');
	listed_print_field("tenant", command_text_of(key, "tenant"));
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		listed_print_field(times[i], listed_time(key, times[i], stamp));
	for (size_t i = 0; i < sizeof(grants) / sizeof(grants[0]); i++)
		print_list(key, grants[i]);
}

static int list(struct command_session *session, int argc, char **argv)
{
	const char *tenant = command_take_option(&argc, argv, "--tenant");
	json_t *params = json_object(), *answer = NULL;
	const json_t *keys, *key;
	size_t i;
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = add_text(params, "tenant", "--tenant", tenant);
	if (status != 0) {
		json_decref(params);
		return status;
	}
	status = client_once(session, "callgate/keys/list", params, &answer);
	if (status != 0)
		return status;
	keys = json_object_get(answer, "keys");
	if (session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(answer);
	else if (json_array_size(keys) == 0)
		printf("no keys\n");
	else
		json_array_foreach(keys, i, key) print_entry(key);
	json_decref(answer);
	return status;
}

/* ---- rotate, revoke ------------------------------------------------------------------------- */

static json_t *id_params(const char *verb, int argc, char **argv)
{
	json_t *params = NULL;

	if (command_no_more(argc, argv, 1) != 0)
		return NULL;
	if (argc != 2) {
		(void)command_fail(COMMAND_USAGE, "keys: %s which? see `callgate keys list`", verb);
		return NULL;
	}
	params = json_pack("{s:s}", "id", argv[1]);
	if (!params)
		(void)command_fail(COMMAND_USAGE, "keys: %s: not valid UTF-8", argv[1]);
	return params;
}

static int rotate(struct command_session *session, int argc, char **argv)
{
	json_t *params = id_params("rotate", argc, argv);

	return params ? ask_for_key(session, "callgate/keys/rotate", params) : COMMAND_USAGE;
}

static int revoke(struct command_session *session, int argc, char **argv)
{
	json_t *params = id_params("revoke", argc, argv), *answer = NULL;
	int status;

	if (!params)
		return COMMAND_USAGE;
	status = client_once(session, "callgate/keys/revoke", params, &answer);
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON) {
		status = command_print_json(answer);
	} else if (status == 0) {
		command_print_escaped(command_text_of(answer, "id"));
		printf(": revoked\n");
	}
	json_decref(answer);
	return status;
}

int cmd_keys(struct command_session *session, int argc, char **argv)
{
	static const struct {
		const char *verb;
		int (*run)(struct command_session *session, int argc, char **argv);
	} rows[] = {{"create", create}, {"list", list}, {"rotate", rotate}, {"revoke", revoke}};
	int approver = command_take_flag(&argc, argv, "--approver");
	const char *verb = argc > 1 ? argv[1] : "";

	if (!verb[0] || verb[0] == '-')
		return command_fail(COMMAND_USAGE,
		    "keys: create, list, rotate or revoke? see `callgate help keys`");
	argv[1] = argv[0]; /* complaints name the command: other commands have these verbs, too */
	if (approver && strcmp(verb, "create") != 0)
		return command_fail(COMMAND_USAGE, "keys: --approver goes with create only");
	if (approver)
		return keys_approver_create(session, argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].verb, verb) == 0)
			return rows[i].run(session, argc - 1, argv + 1);
	return command_bad_word(argv[0], verb, "create list rotate revoke");
}
