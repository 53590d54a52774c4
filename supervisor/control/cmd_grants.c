/* grants: which "session" and "always" answers of humans are in force, and taking one back. */
#include <stdio.h>
#include <string.h>

#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

#define ID_PREFIX_MIN 4

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void print_field(const char *name, const char *value)
{
	if (!value[0])
		return;
	printf("  %-10s ", name);
	command_print_rendered(value);
	putchar('\n');
}

static void print_grant(const json_t *grant)
{
	printf("%s  ", text_of(grant, "id"));
	command_print_escaped(text_of(grant, "tool"));
	printf("  (");
	command_print_escaped(text_of(grant, "scope"));
	printf(")\n");
	print_field("for", text_of(grant, "principal"));
	print_field("agent", text_of(grant, "agent"));
	print_field("namespace", text_of(grant, "namespace"));
	print_field("given by", text_of(grant, "by"));
	print_field("expires", text_of(grant, "expires"));
	print_field("plan", text_of(grant, "plan"));
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

/* The one grant that is called so, or whose id begins so; "" after complaining. */
static const char *find_id(const json_t *list, const char *id)
{
	const json_t *grant;
	const char *found = "";
	size_t i, len = strlen(id);

	json_array_foreach(json_object_get(list, "grants"), i, grant)
	{
		const char *other = text_of(grant, "id");

		if (strcmp(other, id) == 0)
			return other;
		if (len < ID_PREFIX_MIN || strncmp(other, id, len) != 0)
			continue;
		if (*found)
			return command_fail(COMMAND_USAGE,
				   "grants: %s: more than one grant begins so; give more of it",
				   id),
			       "";
		found = other;
	}
	if (!*found)
		(void)command_fail(COMMAND_USAGE,
		    "grants: %s: no grant of that id is in force; see `callgate grants`", id);
	return found;
}

static int revoke(const struct command_session *session, const char *given)
{
	json_t *list = NULL, *answer = NULL;
	const char *id;
	int status = client_once(session, "callgate/grants/list", NULL, &list);

	if (status != 0)
		return status;
	id = find_id(list, given);
	status = *id ? client_once(
			   session, "callgate/grants/revoke", json_pack("{s:s}", "id", id), &answer)
		     : COMMAND_USAGE;
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(answer);
	else if (status == 0)
		printf("%s: %s\n", text_of(answer, "id"), text_of(answer, "state"));
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
		return command_fail(COMMAND_USAGE,
		    "grants: %s: no such verb; revoke, or nothing for the list", argv[1]);
	if (argc != 3)
		return command_fail(COMMAND_USAGE, "grants: revoke which? see `callgate grants`");
	return revoke(session, argv[2]);
}
