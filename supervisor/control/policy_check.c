#include "supervisor/control/policy_check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/allowlist.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/daemon.h"
#include "supervisor/control/policy_file.h"
#include "supervisor/control/progress.h"

#define REPORT_MAX (256 * 1024)
#define SAID_MAX   (256 * 1024) /* bytes that callgated --check may say */

/* ---- programs ------------------------------------------------------------------------------ */

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
		command_remark("%s:%u:%u: tools.%s: %s: %s", policy->file, tool->pos.line,
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
	say_words(policy, tool, allowlist_interpreters(list),
	    "runs what its arguments say: any code within the other walls");
	if (tool->sandbox.exec)
		command_remark("%s:%u:%u: tools.%s: sandbox.exec: runs code: programs of the "
			       "workspace may be executed",
		    policy->file, tool->pos.line, tool->pos.column, tool->name);
	allowlist_free(list);
	return 0;
}

/* ---- places -------------------------------------------------------------------------------- */

/* What a line of callgated's says: a complaint whole, of a line of its log the words. */
static const char *words_of(const char *line, int *ret_is_error)
{
	static const char complaint[] = "callgated: ";
	const char *words = strstr(line, "]: ");

	*ret_is_error = strncmp(line, complaint, sizeof(complaint) - 1) == 0;
	if (*ret_is_error)
		return line + sizeof(complaint) - 1;
	return words ? words + 3 : line;
}

/* Passes on what callgated --check wrote, but no warning twice, and counts on. 0, or
 * COMMAND_USAGE: it said what is wrong. */
static int pass_on(char *said, const char *known, int *warnings)
{
	int status = 0, is_error;
	char *line;

	while ((line = strsep(&said, "\n"))) {
		const char *words = words_of(line, &is_error);

		if (is_error) {
			status = command_fail(COMMAND_USAGE, "%s", words);
		} else if (*words && !(known && strstr(known, words))) {
			command_warn("%s", words);
			++*warnings;
		}
	}
	return status;
}

static void become_daemon(const char *daemon, const char *file, int said)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0 && dup2(said, STDERR_FILENO) >= 0)
		execv(daemon,
		    (char *const[]){(char *)daemon, "--config", (char *)file, "--check", NULL});
	_exit(COMMAND_USAGE);
}

/* Runs callgated --check: all it wrote, owned by the caller, and how it ended. 0 or -errno. */
static int ask_daemon(const char *daemon, const char *file, char **ret_said, int *ret_status)
{
	int cleanup_fd said = memfd_create("said", MFD_CLOEXEC);
	size_t len = 0;
	pid_t child;

	if (said < 0)
		return -errno;
	child = fork();
	if (child == 0)
		become_daemon(daemon, file, said);
	if (child < 0 || waitpid(child, ret_status, 0) != child || lseek(said, 0, SEEK_SET) != 0)
		return -errno;
	return fd_read_all(said, SAID_MAX, ret_said, &len);
}

/* The daemon's own look at the places a policy names: files, folders, sockets. known: warnings
 * that have been told, *warnings of them. 0 or COMMAND_USAGE. */
static int check_places(const char *file, const char *known, int *warnings)
{
	char daemon[PATHS_MAX];
	char *cleanup_free said = NULL;
	int result, status = 0;

	if (daemon_find(daemon) != 0) {
		command_warn("policy check: callgated is not beside this program, so the places "
			     "that the policy names were not looked at; install both with `make "
			     "install`");
		return 0;
	}
	result = ask_daemon(daemon, file, &said, &status);
	if (result != 0)
		return command_fail(
		    COMMAND_USAGE, "policy check: %s --check: %s", daemon, strerror(-result));
	result = pass_on(said, known, warnings);
	if (result == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		result = command_fail(COMMAND_USAGE,
		    "policy check: %s --check failed without a word; run it by hand", daemon);
	return result;
}

/* ---- tests --------------------------------------------------------------------------------- */

static void tell_failures(char *report, json_t *failures)
{
	char *line;

	while ((line = strsep(&report, "\n"))) {
		if (*line && failures)
			(void)json_array_append_new(failures, json_string(line));
		else if (*line)
			(void)command_fail(COMMAND_USAGE, "%s", line);
	}
}

int policy_check_tests(const struct command_session *session, const struct policy *policy,
    struct selftest *ret, json_t *failures)
{
	struct buf cleanup_with(buf_fini) report = {0};
	struct rulebook *book = NULL;
	struct err_note note = {0};
	int result;

	buf_init(&report, REPORT_MAX);
	progress_begin(session->output, "running the tests of the policy", &ret->run, "done");
	result = rulebook_new(policy, &book, &note);
	if (result == 0)
		result = policy_selftest(policy, book, ret, &report, &note);
	rulebook_free(book);
	progress_end();
	if (report.len && buf_cstr(&report))
		tell_failures((char *)report.data, failures);
	if (result == SELFTEST_FAILED)
		return command_fail(COMMAND_USAGE,
		    "%s: %u of its %llu tests fail; mend them or the "
		    "rules they are about",
		    policy->file, ret->failed, (unsigned long long)ret->run);
	if (result != 0)
		return command_fail(COMMAND_USAGE, "%s: %s", policy->file,
		    note.text[0] ? note.text : strerror(-result));
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static int print_good(const struct command_session *session, const struct policy *policy,
    const struct selftest *tests, int warnings)
{
	json_t *answer;
	int status;

	if (session->output == COMMAND_OUTPUT_TEXT) {
		printf("%s: ok: %u tool%s, %u role%s, %u principal%s, %llu test%s, %d warning%s\n",
		    policy->file, policy->tool_count, plural(policy->tool_count),
		    policy->role_count, plural(policy->role_count), policy->principal_count,
		    plural(policy->principal_count), (unsigned long long)tests->run,
		    plural(tests->run), warnings, plural((uint64_t)warnings));
		return COMMAND_OK;
	}
	answer = json_pack("{s:b, s:i, s:i, s:i, s:i, s:i}", "ok", 1, "tools",
	    (int)policy->tool_count, "roles", (int)policy->role_count, "principals",
	    (int)policy->principal_count, "tests", (int)tests->run, "warnings", warnings);
	status = command_print_json(answer);
	json_decref(answer);
	return status;
}

int policy_check_main(const struct command_session *session, int argc, char **argv)
{
	struct buf cleanup_with(buf_fini) warnings = {0};
	struct policy *policy = NULL;
	struct selftest tests = {0};
	char place[PATHS_MAX];
	const char *file;
	int count = 0;
	int status = command_no_more(argc, argv, 1);

	if (status != 0)
		return status;
	file = argc > 1 ? argv[1] : policy_file_default("policy check", "a FILE", place);
	if (!file)
		return COMMAND_USAGE;
	buf_init(&warnings, POLICY_FILE_WARNINGS_MAX);
	status = policy_file_load(file, &policy, &warnings);
	if (status != 0)
		return status;
	for (size_t i = 0; i < warnings.len; i++)
		count += warnings.data[i] == '\n';
	status = policy_check_tests(session, policy, &tests, NULL);
	/* The daemon first: what it refuses it says with its place and what to do. */
	if (status == 0)
		status = check_places(file, warnings.len ? buf_cstr(&warnings) : NULL, &count);
	for (uint32_t i = 0; status == 0 && i < policy->tool_count; i++)
		status = check_programs(policy, &policy->tools[i]);
	if (status == 0)
		status = print_good(session, policy, &tests, count);
	policy_free(policy);
	return status;
}
