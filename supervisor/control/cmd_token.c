/* token issue: a short-lived token of the gate's own, never good for more than who asks for it. */
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/wanted.h"

#define TTL_S     3600
#define CALLS_MAX 1000000000

/* 0 or COMMAND_USAGE. */
static int add_limits(json_t *params, const char *calls, const char *ttl)
{
	uint64_t count = 0, seconds = TTL_S;
	int status = ttl ? wanted_seconds("--ttl", ttl, &seconds) : 0;

	if (status != 0)
		return status;
	if (calls && (str_u64(calls, CALLS_MAX, &count) != 0 || count == 0))
		return command_fail(COMMAND_USAGE,
		    "token: --calls %s: not a number of calls from 1 to %d", calls, CALLS_MAX);
	if (calls)
		(void)json_object_set_new(params, "max_calls", json_integer((json_int_t)count));
	(void)json_object_set_new(params, "ttl_s", json_integer((json_int_t)seconds));
	return 0;
}

/* What is not named is left to the gate, which knows what the caller has. */
static void leave_out_empty(json_t *lists)
{
	const char *name;
	json_t *list;
	void *next;

	json_object_foreach_safe(lists, next, name, list) if (json_array_size(list) == 0)(void)
	    json_object_del(lists, name);
}

static int print_token(const struct command_session *session, const json_t *answer)
{
	char *cleanup_free granted =
	    json_dumps(json_object_get(answer, "granted"), JSON_COMPACT | JSON_ENCODE_ANY);

	if (session->output == COMMAND_OUTPUT_TEXT)
		command_remark("token: %s; it is good for %s", command_text_of(answer, "id"),
		    granted ? granted : "what the daemon says in its record");
	return wanted_print_secret(session->output == COMMAND_OUTPUT_JSON, answer, "token");
}

static int issue(struct command_session *session, int argc, char **argv)
{
	const char *calls = command_take_option(&argc, argv, "--calls");
	const char *ttl = command_take_option(&argc, argv, "--ttl");
	json_t *params = wanted_take(&argc, argv), *answer = NULL;
	int status = params ? command_no_more(argc, argv, 0) : COMMAND_USAGE;

	leave_out_empty(params);
	if (status == 0)
		status = add_limits(params, calls, ttl);
	if (status != 0) {
		json_decref(params);
		return status;
	}
	status = client_once(session, "callgate/tokens/issue", params, &answer);
	if (status == 0)
		status = print_token(session, answer);
	json_decref(answer);
	return status;
}

int cmd_token(struct command_session *session, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!verb[0] || verb[0] == '-')
		return command_fail(COMMAND_USAGE, "token: issue? see `callgate help token`");
	if (strcmp(verb, "issue") != 0)
		return command_bad_word(argv[0], verb, "issue");
	argv[1] = argv[0];
	return issue(session, argc - 1, argv + 1);
}
