/* policy check: would a daemon take this file? policy explain: what would be decided, and where. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent-api/wire/call_args.h"
#include "policy/decide.h"
#include "policy/lexer.h"
#include "sandbox/allowlist.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/control/arguments.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/daemon.h"
#include "supervisor/control/policy_file.h"

#define EXPLAIN_MAX (256 * 1024)

static const char **texts_of(const struct policy_words *words)
{
	const char **texts = calloc(words->count + 1, sizeof(*texts));

	for (uint32_t i = 0; texts && i < words->count; i++)
		texts[i] = words->items[i].text;
	return texts;
}

static void say_words(const struct policy *policy, const struct policy_tool *tool,
    const char *const *names, const char *what)
{
	for (; names && *names; names++)
		fprintf(stderr, "note: %s:%u:%u: tools.%s: %s: %s\n", policy->file, tool->pos.line,
		    tool->pos.column, tool->name, *names, what);
}

/* Resolves the programs of one tool as the warden will. 0 or COMMAND_USAGE. */
static int check_programs(const struct policy *policy, const struct policy_tool *tool)
{
	const char **cleanup_free path = texts_of(&policy->path);
	const char **cleanup_free allowed = texts_of(&tool->allowed_commands);
	const char **cleanup_free denied = texts_of(&tool->denied_commands);
	const char **cleanup_free helpers = texts_of(&tool->helpers);
	struct allowlist *list = NULL;
	struct err_note note = {0};
	int result;

	if (!path || !allowed || !denied || !helpers)
		return command_fail(COMMAND_USAGE, "policy check: out of memory");
	result = allowlist_build(&(struct allowlist_spec){.path = path,
				     .allowed = allowed,
				     .denied = denied,
				     .helpers = helpers,
				     .open = !tool->deny_by_default,
				     .tool_uid = getuid() == 0 ? (uid_t)-2 : getuid()},
	    &list, &note);
	if (result != 0)
		return command_fail(COMMAND_USAGE, "%s:%u:%u: tools.%s: %s", policy->file,
		    tool->pos.line, tool->pos.column, tool->name,
		    note.text[0] ? note.text : strerror(-result));
	say_words(policy, tool, allowlist_missing(list), "not found in defaults.path");
	say_words(policy, tool, allowlist_interpreters(list),
	    "runs what its arguments say: any code within the other walls");
	if (tool->sandbox.exec)
		fprintf(stderr,
		    "note: %s:%u:%u: tools.%s: sandbox.exec: runs code: programs of the "
		    "workspace may be executed\n",
		    policy->file, tool->pos.line, tool->pos.column, tool->name);
	allowlist_free(list);
	return 0;
}

/* The daemon's own look at the places a policy names: files, folders, sockets. It says itself what
 * is wrong, in one line. 0 or COMMAND_USAGE. */
static int check_places(const char *file)
{
	char daemon[PATHS_MAX];
	int null, status = 0;
	pid_t child;

	if (daemon_find(daemon) != 0) {
		(void)command_fail(0, "policy check: callgated is not beside this program, so the "
				      "places that the policy names were not looked at");
		return 0;
	}
	child = fork();
	if (child == 0) {
		null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
			execv(daemon,
			    (char *const[]){daemon, "--config", (char *)file, "--check", NULL});
		_exit(COMMAND_USAGE);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return command_fail(COMMAND_USAGE, "policy check: %s", strerror(errno));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : COMMAND_USAGE;
}

static int policy_check(const struct command_session *session, int argc, char **argv)
{
	struct policy *policy = NULL;
	int warnings = 0;
	int status;

	if (argc != 2)
		return command_fail(COMMAND_USAGE, "policy check: give one file");
	status = policy_file_load(argv[1], &policy, &warnings);
	if (status != 0)
		return status;
	for (uint32_t i = 0; status == 0 && i < policy->tool_count; i++)
		status = check_programs(policy, &policy->tools[i]);
	if (status == 0)
		status = check_places(argv[1]);
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		printf("{\"ok\": true, \"tools\": %u, \"roles\": %u, \"warnings\": %d}\n",
		    policy->tool_count, policy->role_count, warnings);
	else if (status == 0)
		printf("%s: ok: %u tools, %u roles, %u principals, %d warnings\n", argv[1],
		    policy->tool_count, policy->role_count, policy->principal_count, warnings);
	policy_free(policy);
	return status;
}

static int print_explanation(const struct command_session *session, const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *text;
	int result;

	buf_init(&out, EXPLAIN_MAX);
	result = session->output == COMMAND_OUTPUT_JSON
		     ? policy_explain_json(&out, policy, identity, tool, command)
		     : policy_explain_text(&out, policy, identity, tool, command);
	text = buf_cstr(&out);
	if (result != 0 || !text)
		return command_fail(COMMAND_USAGE, "policy explain: out of memory");
	fputs(text, stdout);
	if (out.len && text[out.len - 1] != '\n')
		putchar('\n');
	return COMMAND_OK;
}

/* The arguments of a command tool to an analysed command. 0 or COMMAND_USAGE. */
static int analyse(json_t *arguments, struct command *ret)
{
	char *cleanup_free text = json_dumps(arguments, JSON_COMPACT);
	struct call_args args = {0};
	struct err_note note = {0};
	int result = text ? call_args_decode(text, strlen(text), &args, &note) : -ENOMEM;

	if (result == 0 && args.form == CALL_FORM_COMMAND)
		result = command_parse(ret, args.command, strlen(args.command));
	else if (result == 0)
		result = command_from_argv(ret, args.argv, args.argc);
	call_args_fini(&args);
	if (result != 0)
		return command_fail(COMMAND_USAGE, "policy explain: %s",
		    note.text[0] ? note.text
		    : ret->why   ? ret->why
				 : strerror(-result));
	return 0;
}

static int explain_offline(
    const struct command_session *session, const char *config, int argc, char **argv)
{
	struct subject subject = {
	    .uid = getuid(), .gid = getgid(), .agent = session->agent, .space = session->space};
	struct command cleanup_with(command_fini) command = {0};
	const struct policy_tool *tool;
	struct policy *policy = NULL;
	struct identity identity;
	json_t *arguments = NULL;
	int status = arguments_parse(NULL, NULL, argc - 2, argv + 2, &arguments);

	if (status == 0)
		status = policy_file_load(config, &policy, NULL);
	if (status == 0)
		status = analyse(arguments, &command);
	json_decref(arguments);
	if (status != 0) {
		policy_free(policy);
		return status;
	}
	policy_identify(policy, &subject, &identity);
	tool = policy_find_tool(policy, argv[1]);
	if (!tool)
		status = command_fail(COMMAND_USAGE, "policy explain: Unknown tool: %s", argv[1]);
	else
		status = print_explanation(session, policy, &identity, tool, &command);
	policy_free(policy);
	return status;
}

static int explain_by_daemon(struct command_session *session, int argc, char **argv)
{
	json_t *schema = NULL, *arguments = NULL, *answer = NULL;
	int status = arguments_schema(session, argv[1], &schema);

	if (status == 0)
		status = arguments_parse(NULL, schema, argc - 2, argv + 2, &arguments);
	json_decref(schema);
	if (status == 0)
		status = client_once(session, "callgate/explain",
		    json_pack("{s:s, s:o}", "tool", argv[1], "arguments", arguments), &answer);
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

static int policy_explain(struct command_session *session, int argc, char **argv)
{
	const char *config = command_take_option(&argc, argv, "--config");
	int status = command_no_options(argc, argv);

	if (status != 0)
		return status;
	if (argc < 2)
		return command_fail(COMMAND_USAGE,
		    "policy explain: which tool? callgate policy explain TOOL key=value ...");
	return config ? explain_offline(session, config, argc, argv)
		      : explain_by_daemon(session, argc, argv);
}

/* A list with deny_by_default: false holds a descriptor per program. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit); /* too few are told when they run out */
	}
}

int cmd_policy(struct command_session *session, int argc, char **argv)
{
	raise_descriptors();
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return policy_check(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "explain") == 0)
		return policy_explain(session, argc - 1, argv + 1);
	return command_fail(COMMAND_USAGE, "policy: check or explain? see `callgate help policy`");
}
