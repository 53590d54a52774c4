#include "supervisor/control/policy_explain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent-api/wire/call_args.h"
#include "policy/prepare.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/control/arguments.h"
#include "supervisor/control/client.h"
#include "supervisor/control/policy_file.h"

#define EXPLAIN_MAX (256 * 1024)

static int print(const struct command_session *session, const struct question *question,
    const struct explanation *explanation)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *text;
	int result;

	buf_init(&out, EXPLAIN_MAX);
	result = session->output == COMMAND_OUTPUT_JSON
		     ? policy_tell_json(&out, question, explanation)
		     : policy_tell_text(&out, question, explanation);
	text = buf_cstr(&out);
	if (result != 0 || !text)
		return command_fail(COMMAND_USAGE, "policy explain: out of memory");
	fputs(text, stdout);
	if (out.len && text[out.len - 1] != '\n')
		putchar('\n');
	return COMMAND_OK;
}

/* question: all but command and arguments. */
static int explain(
    const struct command_session *session, struct question *question, const json_t *arguments)
{
	struct prepared cleanup_with(prepared_fini) prepared = {.arguments = NULL};
	struct explanation explanation = {.as_user = geteuid() != 0}; /* of a daemon of this user */
	struct err_note note = {0};
	int result = 0;

	if (policy_reachable(question->identity, question->tool)) {
		if (question->tool->type == TOOL_COMMAND && !tool_is_typed(question->tool))
			result = call_args_check(arguments, &note);
		if (result == 0)
			result = policy_prepare(rulebook_tool(question->book, question->tool),
			    arguments, &prepared, &note);
	}
	if (result == PREPARE_INVALID || result == -EINVAL)
		explanation.invalid = note.text;
	else if (result != 0)
		return command_fail(COMMAND_USAGE, "policy explain: %s", strerror(-result));
	question->command = &prepared.command;
	question->facts = prepared.facts;
	question->spent = prepared.spent;
	return print(session, question, &explanation);
}

/* What follows the tool: base, stolen, and key=value words. */
struct given {
	json_t *base;
	int count;
	char *const *words;
};

static int explain_tool(const struct command_session *session, const struct policy *policy,
    const struct policy_tool *tool, struct given *given)
{
	struct subject subject = {.shown = {.has_peer = true, .uid = getuid(), .gid = getgid()},
	    .agent = session->agent,
	    .space = session->space};
	struct question question = {.policy = policy, .tool = tool};
	struct rulebook *book = NULL;
	struct err_note note = {0};
	struct identity identity;
	json_t *arguments = NULL;
	int status = rulebook_new(policy, &book, &note);

	if (status != 0)
		return command_fail(COMMAND_USAGE, "%s: %s", policy->file, note.text);
	status = arguments_parse(json_incref(given->base), rulebook_tool(book, tool)->schema,
	    given->count, given->words, &arguments);
	policy_identify(policy, &subject, &identity);
	question.book = book;
	question.identity = &identity;
	if (status == 0)
		status = explain(session, &question, arguments);
	json_decref(arguments);
	rulebook_free(book);
	return status;
}

static int explain_offline(
    const struct command_session *session, const char *config, char *name, struct given *given)
{
	const struct policy_tool *tool;
	struct policy *policy = NULL;
	int status = policy_file_load(config, &policy, NULL);

	if (status != 0)
		return status;
	tool = policy_find_tool(policy, name);
	status = tool ? explain_tool(session, policy, tool, given)
		      : command_fail(COMMAND_USAGE,
			    "policy explain: Unknown tool: %s; name one of %s", name, config);
	policy_free(policy);
	return status;
}

static int explain_by_daemon(struct command_session *session, char *name, struct given *given)
{
	json_t *schema = NULL, *arguments = NULL, *answer = NULL;
	int status = arguments_schema(session, name, &schema);

	if (status == 0)
		status = arguments_parse(
		    json_incref(given->base), schema, given->count, given->words, &arguments);
	json_decref(schema);
	if (status == 0)
		status = client_once(session, "callgate/explain",
		    json_pack("{s:s, s:o}", "tool", name, "arguments", arguments), &answer);
	if (status != 0)
		return status;
	if (session->output == COMMAND_OUTPUT_JSON) {
		status = command_print_json(answer);
	} else {
		const char *text = json_string_value(json_object_get(answer, "text"));

		fputs(text ? text : "", stdout);
	}
	json_decref(answer);
	return status;
}

int policy_explain(struct command_session *session, int argc, char **argv)
{
	const char *config = command_take_option(&argc, argv, "--config");
	const char *object = command_take_option(&argc, argv, "--json");
	struct given given = {.count = argc - 2, .words = argv + 2};
	int status = command_no_options(argc, argv);

	if (status != 0)
		return status;
	if (argc < 2)
		return command_fail(COMMAND_USAGE,
		    "policy explain: which tool? callgate policy explain TOOL key=value ...");
	status = config ? command_local_only(session, "policy explain --config") : COMMAND_OK;
	if (status == 0)
		status = arguments_base("policy explain", object, &given.base);
	if (status == 0)
		status = config ? explain_offline(session, config, argv[1], &given)
				: explain_by_daemon(session, argv[1], &given);
	json_decref(given.base);
	return status;
}
