/* grants: which "session" and "always" answers of humans are in force, and taking one back. */
#include <stdio.h>
#include <string.h>

#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/listed.h"

static void print_grant(const json_t *grant)
{
	printf("%s  ", command_text_of(grant, "id"));
	command_print_escaped(command_text_of(grant, "tool"));
	printf("  (");
	command_print_escaped(command_text_of(grant, "scope"));
	printf(")\n");
	listed_print_field("for", command_text_of(grant, "principal"));
	listed_print_field("agent", command_text_of(grant, "agent"));
	listed_print_field("namespace", command_text_of(grant, "namespace"));
	listed_print_field("given by", command_text_of(grant, "by"));
	listed_print_field("expires", command_text_of(grant, "expires"));
	listed_print_field("plan", command_text_of(grant, "plan"));
}

static int list_grants(const struct command_session *session)
{
	json_t *list = NULL;
	const json_t *grants, *grant;
	size_t i;
	int status = client_once(session, "callgate/grants/list", NULL, &list);

	if (status != 0)
		return status;
	grants = json_object_get(list, "grants");
	if (session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(list);
	else if (json_array_size(grants) == 0)
		printf("no grants\n");
	else
		json_array_foreach(grants, i, grant) print_grant(grant);
	json_decref(list);
	return status;
}

static int revoke(const struct command_session *session, const char *given)
{
	json_t *list = NULL, *answer = NULL;
	const json_t *grant;
	int status = client_once(session, "callgate/grants/list", NULL, &list);

	if (status != 0)
		return status;
	grant = listed_find(json_object_get(list, "grants"), given, "grant in force", "grants");
	status = COMMAND_USAGE;
	if (grant)
		status = client_once(session, "callgate/grants/revoke",
		    json_pack("{s:s}", "id", command_text_of(grant, "id")), &answer);
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(answer);
	else if (status == 0)
		printf("%s: %s\n", command_text_of(answer, "id"), command_text_of(answer, "state"));
	json_decref(answer);
	json_decref(list);
	return status;
}

int cmd_grants(struct command_session *session, int argc, char **argv)
{
	int status = command_no_more(argc, argv, 2);

	if (status != 0)
		return status;
	if (argc == 1)
		return list_grants(session);
	if (strcmp(argv[1], "revoke") != 0)
		return command_bad_word(argv[0], argv[1], "revoke");
	if (argc != 3)
		return command_fail(COMMAND_USAGE, "grants: revoke which? see `callgate grants`");
	return revoke(session, argv[2]);
}
