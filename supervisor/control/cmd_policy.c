/* policy: check is policy_check.c, explain policy_explain.c, pack policy_pack.c; here are test, the
 * file's own tests, and schema, the language as a JSON Schema. */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "policy/describe.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/control/command.h"
#include "supervisor/control/policy_check.h"
#include "supervisor/control/policy_explain.h"
#include "supervisor/control/policy_file.h"
#include "supervisor/control/policy_pack.h"

#define SCHEMA_MAX (1024 * 1024)

static int print_tested(const struct selftest *tests, int status, json_t *failures)
{
	json_t *answer = json_pack("{s:b, s:i, s:i, s:O}", "ok", status == 0, "run",
	    (int)tests->run, "failed", (int)tests->failed, "failures", failures);
	int printed = command_print_json(answer);

	json_decref(answer);
	return status ? status : printed;
}

static int policy_test(const struct command_session *session, int argc, char **argv)
{
	json_t *failures = session->output == COMMAND_OUTPUT_JSON ? json_array() : NULL;
	struct policy *policy = NULL;
	struct selftest tests = {0};
	char place[PATHS_MAX];
	const char *file = argc > 1 ? argv[1] : NULL;
	int status = command_no_more(argc, argv, 1);

	if (status == 0 && argc < 2)
		file = policy_file_default("policy test", "a FILE", place);
	if (status == 0)
		status = file ? policy_file_load(file, &policy, NULL) : COMMAND_USAGE;
	if (policy) {
		status = policy_check_tests(session, policy, &tests, failures);
		if (failures)
			status = print_tested(&tests, status, failures);
		else if (status == 0)
			printf("%s: ok: %llu test%s\n", file, (unsigned long long)tests.run,
			    tests.run == 1 ? "" : "s");
	}
	policy_free(policy);
	json_decref(failures);
	return status;
}

/* For people in lines; for programs in one. The language is the same whichever file is named. */
static int policy_schema(const struct command_session *session, int argc, char **argv)
{
	struct buf cleanup_with(buf_fini) out = {0};
	json_t *schema;
	int status = command_no_more(argc, argv, 1);

	if (status != 0)
		return status;
	buf_init(&out, SCHEMA_MAX);
	if (policy_describe(&out) != 0 || !buf_cstr(&out))
		return command_fail(COMMAND_USAGE, "policy schema: out of memory");
	if (session->output == COMMAND_OUTPUT_JSON) {
		puts(buf_cstr(&out));
		return COMMAND_OK;
	}
	schema = json_loadb((const char *)out.data, out.len, 0, NULL);
	status = schema ? command_print_json(schema)
			: command_fail(COMMAND_USAGE, "policy schema: out of memory");
	json_decref(schema);
	return status;
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
	static const char verbs[] = "check test explain schema pack";

	raise_descriptors();
	if (argc > 1 && strcmp(argv[1], "explain") != 0 &&
	    command_local_only(session, argv[0]) != 0)
		return COMMAND_USAGE;
	if (argc > 1 && strcmp(argv[1], "check") == 0)
		return policy_check_main(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "explain") == 0)
		return policy_explain(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "test") == 0)
		return policy_test(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "schema") == 0)
		return policy_schema(session, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "pack") == 0)
		return policy_pack_main(session, argc - 1, argv + 1);
	if (argc > 1)
		return argv[1][0] == '-' ? command_bad_option(COMMAND_USAGE, argv[0], argv[1])
					 : command_bad_word(argv[0], argv[1], verbs);
	return command_fail(COMMAND_USAGE,
	    "policy: check, test, explain, schema or pack? see `callgate help policy`");
}
