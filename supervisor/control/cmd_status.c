/* status, down, reload, tools, agents, whoami: questions with one answer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/listed.h"

#define DOWN_WAIT_MS 15000
#define DOWN_STEP_MS 50

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static void print_status(const json_t *status)
{
	const json_t *policy = json_object_get(status, "policy");
	const json_t *calls = json_object_get(status, "calls");
	const json_t *audit = json_object_get(status, "audit");

	printf("callgate %s", command_text_of(status, "version"));
	if (json_object_get(status, "pid"))
		printf(", pid %" JSON_INTEGER_FORMAT, number_of(status, "pid"));
	printf(", uid %" JSON_INTEGER_FORMAT ", up %" JSON_INTEGER_FORMAT " s\n",
	    number_of(status, "uid"), number_of(status, "uptime_s"));
	printf("state    ");
	command_print_escaped(command_text_of(status, "state"));
	printf("\npolicy   ");
	if (json_object_get(policy, "file")) {
		command_print_escaped(command_text_of(policy, "file"));
		putchar(' ');
	}
	printf("%.19s\n", command_text_of(policy, "version"));
	printf("calls    %" JSON_INTEGER_FORMAT " running, %" JSON_INTEGER_FORMAT
	       " waiting for a human\n",
	    number_of(calls, "running"), number_of(calls, "waiting"));
	if (audit)
		printf("audit    %" JSON_INTEGER_FORMAT " records, root %.16s\n",
		    number_of(audit, "size"), command_text_of(audit, "root"));
	if (json_is_true(json_object_get(status, "same_uid")))
		printf("note     the daemon has your uid: another program of yours can stop it or "
		       "read its files (man callgated)\n");
}

/* One question without parameters: its answer whole as JSON, or as print makes it text. */
static int ask_and_print(const struct command_session *session, int argc, char **argv,
    const char *method, void (*print)(const json_t *answer))
{
	json_t *answer = NULL;
	int result = command_no_more(argc, argv, 0);

	if (result == 0)
		result = client_once(session, method, NULL, &answer);
	if (result != 0)
		return result;
	if (session->output == COMMAND_OUTPUT_JSON)
		result = command_print_json(answer);
	else
		print(answer);
	json_decref(answer);
	return result;
}

int cmd_status(struct command_session *session, int argc, char **argv)
{
	return ask_and_print(session, argc, argv, "callgate/status", print_status);
}

/* The daemon is gone when nobody answers at its socket any more. */
static int wait_until_gone(const struct command_session *session)
{
	for (int waited = 0; waited < DOWN_WAIT_MS; waited += DOWN_STEP_MS) {
		if (!client_reaches(session))
			return 0;
		usleep(DOWN_STEP_MS * 1000);
		if (waited == 2000)
			command_note("waiting for running calls to end ...");
	}
	return command_fail(COMMAND_USAGE,
	    "down: the daemon is still there after %d s; see its log", DOWN_WAIT_MS / 1000);
}

int cmd_down(struct command_session *session, int argc, char **argv)
{
	json_t *answer = NULL;
	int result = command_no_more(argc, argv, 0);

	if (result == 0)
		result = client_once(session, "callgate/shutdown", NULL, &answer);
	json_decref(answer);
	if (result == 0)
		result = wait_until_gone(session);
	if (result == 0)
		printf(
		    session->output == COMMAND_OUTPUT_JSON ? "{\"state\": \"down\"}\n" : "down\n");
	return result;
}

static void print_reloaded(const json_t *answer)
{
	printf("reloaded: policy %.19s\n", command_text_of(answer, "version"));
}

int cmd_reload(struct command_session *session, int argc, char **argv)
{
	return ask_and_print(session, argc, argv, "callgate/reload", print_reloaded);
}

static void print_tools(const json_t *tools)
{
	const json_t *tool;
	size_t i;

	if (json_array_size(tools) == 0)
		printf("no tools: your roles and agent grant none\n");
	json_array_foreach(tools, i, tool)
	{
		printf("%-20s ", command_text_of(tool, "name"));
		command_print_escaped(command_text_of(tool, "description"));
		putchar('\n');
	}
}

/* A list is empty for who is nobody, too; explaining any call says why. True: it said so. */
static int say_why_none(const struct command_session *session)
{
	struct client cleanup_with(client_close) client = {.transport = NULL};
	json_t *answer = NULL, *error;
	const char *why;
	int said = 0;

	if (client_open(&client, session) != 0 ||
	    client_exchange(&client, session, "callgate/explain",
		json_pack("{s:s, s:{}}", "tool", "-", "arguments"), &answer) != 0)
		return 0;
	error = json_object_get(answer, "error");
	why = json_string_value(json_object_get(error, "message"));
	if (why && json_integer_value(json_object_get(error, "code")) == CODE_NOT_PERMITTED) {
		command_warn("tools: none: %s", why);
		said = 1;
	}
	json_decref(answer);
	return said;
}

int cmd_tools(struct command_session *session, int argc, char **argv)
{
	json_t *tools = NULL, *document;
	int result = command_no_more(argc, argv, 0), said;

	if (result == 0)
		result = client_tools(session, &tools);
	if (result != 0)
		return result;
	document = json_pack("{s:o}", "tools", tools);
	said = json_array_size(tools) == 0 && say_why_none(session);
	if (session->output == COMMAND_OUTPUT_JSON)
		result = command_print_json(document);
	else if (!said)
		print_tools(tools);
	json_decref(document);
	return result;
}

static void print_agents(const json_t *answer)
{
	const json_t *agents = json_object_get(answer, "agents"), *agent, *tool;
	size_t i, k;

	if (json_array_size(agents) == 0)
		printf("no agents: the policy has none that you may act as\n");
	json_array_foreach(agents, i, agent)
	{
		printf("%-20s %-9s", command_text_of(agent, "name"),
		    command_text_of(agent, "visibility"));
		json_array_foreach(json_object_get(agent, "tools"), k, tool)
		{
			putchar(' ');
			command_print_escaped(
			    json_string_value(tool) ? json_string_value(tool) : "");
		}
		putchar('\n');
	}
}

int cmd_agents(struct command_session *session, int argc, char **argv)
{
	return ask_and_print(session, argc, argv, "callgate/agents/list", print_agents);
}

static void print_names(const json_t *answer, const char *member)
{
	const json_t *name;
	size_t i;

	if (json_array_size(json_object_get(answer, member)) == 0)
		return;
	printf("%-12s", member);
	json_array_foreach(json_object_get(answer, member), i, name)
	{
		putchar(' ');
		command_print_escaped(json_string_value(name) ? json_string_value(name) : "?");
	}
	putchar('\n');
}

static void print_whoami(const json_t *answer)
{
	static const char *const texts[] = {"principal", "proof", "tenant"};
	static const char *const lists[] = {"roles", "permissions", "agents", "namespaces"};
	char expires[CLOCK_STAMP_MAX];

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!command_text_of(answer, texts[i])[0])
			continue;
		printf("%-12s ", texts[i]);
		command_print_escaped(command_text_of(answer, texts[i]));
		putchar('\n');
	}
	if (*listed_time(answer, "expires", expires)) {
		printf("%-12s ", "expires");
		command_print_escaped(listed_time(answer, "expires", expires));
		putchar('\n');
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		print_names(answer, lists[i]);
	if (json_array_size(json_object_get(answer, "roles")) == 0)
		printf("no roles: you may do nothing here\n");
}

int cmd_whoami(struct command_session *session, int argc, char **argv)
{
	return ask_and_print(session, argc, argv, "callgate/whoami", print_whoami);
}
