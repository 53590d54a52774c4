/* policy check: would a daemon take this file? policy test: its own tests. policy schema: the
 * language as a JSON Schema. policy explain is policy_explain.c. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/describe.h"
#include "policy/selftest.h"
#include "sandbox/allowlist.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/control/command.h"
#include "supervisor/control/daemon.h"
#include "supervisor/control/policy_explain.h"
#include "supervisor/control/policy_file.h"

#define REPORT_MAX (256 * 1024)
#define SCHEMA_MAX (1024 * 1024)

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

/* What the file's own tests say, each failure on a line. 0 or COMMAND_USAGE. */
static int check_tests(const struct policy *policy, struct selftest *ret)
{
	struct buf cleanup_with(buf_fini) report = {0};
	struct rulebook *book = NULL;
	struct err_note note = {0};
	int result = rulebook_new(policy, &book, &note);

	buf_init(&report, REPORT_MAX);
	if (result == 0)
		result = policy_selftest(policy, book, ret, &report, &note);
	rulebook_free(book);
	if (report.len && buf_cstr(&report))
		fputs(buf_cstr(&report), stderr);
	if (result == SELFTEST_FAILED)
		return command_fail(COMMAND_USAGE, "%s: %u of its %u tests fail", policy->file,
		    ret->failed, ret->run);
	if (result != 0)
		return command_fail(COMMAND_USAGE, "%s: %s", policy->file,
		    note.text[0] ? note.text : strerror(-result));
	return 0;
}

static int policy_check(const struct command_session *session, int argc, char **argv)
{
	struct policy *policy = NULL;
	struct selftest tests = {0};
	int warnings = 0;
	int status;

	if (argc != 2)
		return command_fail(COMMAND_USAGE, "policy check: give one file");
	status = policy_file_load(argv[1], &policy, &warnings);
	if (status != 0)
		return status;
	status = check_tests(policy, &tests);
	for (uint32_t i = 0; status == 0 && i < policy->tool_count; i++)
		status = check_programs(policy, &policy->tools[i]);
	if (status == 0)
		status = check_places(argv[1]);
	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		printf("{\"ok\": true, \"tools\": %u, \"roles\": %u, \"tests\": %u, "
		       "\"warnings\": %d}\n",
		    policy->tool_count, policy->role_count, tests.run, warnings);
	else if (status == 0)
		printf("%s: ok: %u tools, %u roles, %u principals, %u tests, %d warnings\n",
		    argv[1], policy->tool_count, policy->role_count, policy->principal_count,
		    tests.run, warnings);
	policy_free(policy);
	return status;
}

static int policy_test(const struct command_session *session, int argc, char **argv)
{
	struct policy *policy = NULL;
	struct selftest tests = {0};
	int status;

	if (argc != 2)
		return command_fail(COMMAND_USAGE, "policy test: give one file");
	status = policy_file_load(argv[1], &policy, NULL);
	if (status != 0)
		return status;
	status = check_tests(policy, &tests);
	if (session->output == COMMAND_OUTPUT_JSON)
		printf("{\"ok\": %s, \"run\": %u, \"failed\": %u}\n",
		    status == 0 ? "true" : "false", tests.run, tests.failed);
	else if (status == 0)
		printf("%s: ok: %u tests\n", argv[1], tests.run);
	policy_free(policy);
	return status;
}

static int policy_schema(int argc)
{
	struct buf cleanup_with(buf_fini) out = {0};

	if (argc != 1)
		return command_fail(COMMAND_USAGE,
		    "policy schema: takes no file; callgate policy schema >callgate.schema.json");
	buf_init(&out, SCHEMA_MAX);
	if (policy_describe(&out) != 0 || !buf_cstr(&out))
		return command_fail(COMMAND_USAGE, "policy schema: out of memory");
	puts(buf_cstr(&out));
	return COMMAND_OK;
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
	if (argc > 1 && strcmp(argv[1], "test") == 0)
		return policy_test(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "schema") == 0)
		return policy_schema(argc - 1);
	return command_fail(
	    COMMAND_USAGE, "policy: check, test, explain or schema? see `callgate help policy`");
}
