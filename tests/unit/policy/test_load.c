/* Loading: what a whole file says, its limits, warnings and variables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "sandbox/layer.h" /* for LAYERS only: the loader keeps its own list of these names */

static char *const environment[] = {"SECRET=topsecret", "NAME=x", "UID=1000", "LEVEL=debug",
    "EMPTY=", "YAML={a: b}", "AGAIN=${NAME}", "CONTROL=a\001b", "FALSE=false", NULL};
static char *const dotenv[] = {"NAME=not this one", "FROM_FILE=f", NULL};

static int load(
    const char *text, struct policy **ret_policy, struct buf *warnings, struct err_note *note)
{
	const struct policy_source source = {.file = "p.yaml",
	    .text = text,
	    .len = strlen(text),
	    .env = environment,
	    .dotenv = dotenv};

	return policy_load(&source, ret_policy, warnings, note);
}

static void expect(const char *text, int fault, const char *part)
{
	struct policy *policy = NULL;
	struct err_note note = {""};

	assert_int_equal(load(text, &policy, NULL, &note), fault);
	if (fault && !strstr(note.text, part))
		fail_msg("%s does not hold %s", note.text, part);
	policy_free(policy);
}

static char *repeat(const char *head, const char *part, size_t times, const char *tail)
{
	size_t part_len = strlen(part), used = strlen(head);
	char *text = malloc(used + part_len * times + strlen(tail) + 1);

	assert_non_null(text);
	memcpy(text, head, used);
	for (size_t i = 0; i < times; i++, used += part_len)
		memcpy(text + used, part, part_len);
	memcpy(text + used, tail, strlen(tail) + 1);
	return text;
}

static void test_limits(void **state)
{
	static const struct {
		const char *head, *part, *tail, *message;
		size_t times;
		int fault;
	} sizes[] = {
	    {"version: 1\n#", "x", "\n", "", POLICY_FILE_MAX - 13, 0},
	    {"version: 1\n#", "x", "\n", "1:1: policy: larger than 4 MiB", POLICY_FILE_MAX - 12,
		-EINVAL},
	    {"roles: {a: {tools: [", "t,", "]}}", "more than 400000 values", 400000, -EINVAL},
	    {"roles: {a: {tools: [", "t,", "]}}", "", 399000, 0},
	    {"", "[", "", "deeper than 24", 500000, -EINVAL},
	    {"", "{a: ", "", "deeper than 24", 100000, -EINVAL},
	    {"", "- ", "", "deeper than 24", 100000, -EINVAL},
	    {"", "? ", "", "", 1000, -EINVAL},
	    {"audit: {directory: \"", "x", "\"}", "longer than 4095 bytes", 5000, -EINVAL},
	    {"audit: {directory: \"", "${NAME}", "\"}", "", 4095, 0},
	    {"audit: {directory: \"", "${NAME}", "\"}", "longer than 4095 bytes", 4096, -EINVAL},
	    {"approvals: {channels: {", "a", ": {type: ntfy, url_env: A}}}", "is not a name", 256,
		-EINVAL},
	    {"tools: {t: {type: command, approval: {channels: [", "a,", "]}}}",
		"has more than 33 entries", 34, -EINVAL},
	    {"principals: [", "{peer_uid: 1},", "]", "more than 1024 entries", 1025, -EINVAL},
	    {"tools: {t: {type: command, rules: [", "{},", "]}}",
		"tools.t.rules: has more than 20000 entries", 20001, -EINVAL},
	    {"tools: {t: {type: command, tests: [", "{args: {command: ls}, expect: ask},", "]}}",
		"tools.t.tests: has more than 10000 entries", 10001, -EINVAL},
	    {"tools: {t: {type: command, exec: {program: x, argv: [", "x,", "]}}}",
		"tools.t.exec.argv[256]: has more than 256 elements", 257, -EINVAL},
	    {"tools: {t: {type: command, exec: {program: x, argv: [", "x,", "]}}}", "", 256, 0},
	    {"tools: {t: {type: command, exec: {program: x, argv: [{value: ", "x", "}]}}}",
		"longer than 4096 bytes", 4097, -EINVAL},
	    {"tools: {t: {type: command, packs: [", "find,", "]}}", "more than 32 entries", 33,
		-EINVAL},
	    {"tools: {t: {type: command, env: {A: ", "x", "}}}", "longer than 32768 bytes", 32769,
		-EINVAL},
	    {"tools: {t: {type: command, env: {A: ", "x", "}}}", "", 32768, 0},
	    {"tools: {t: {type: command, output_schema: {const: ", "x", "}}}",
		"longer than 65536 bytes of JSON", 65536, -EINVAL},
	    {"tools: {t: {type: command, output_schema: ", "{not: ", "", "deeper than 24 levels",
		40, -EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = repeat(sizes[i].head, sizes[i].part, sizes[i].times, sizes[i].tail);

		expect(text, sizes[i].fault, sizes[i].message);
		free(text);
	}
}

static void put_entries(struct buf *text, const char *format, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		buf_textf(text, "%s%u%s", format, i, ": {}, ");
}

static void test_many_names(void **state)
{
	struct buf text;

	(void)state;
	buf_init(&text, POLICY_FILE_MAX);
	buf_text(&text, "roles: {");
	put_entries(&text, "r", 64);
	buf_text(&text, "}");
	expect(buf_cstr(&text), 0, "");
	buf_reset(&text);
	buf_text(&text, "roles: {");
	put_entries(&text, "r", 65);
	buf_text(&text, "}");
	expect(buf_cstr(&text), -EINVAL, "more than 64 entries");
	buf_reset(&text);
	buf_text(&text, "approvals: {channels: {");
	put_entries(&text, "c", 33);
	buf_text(&text, "}}");
	expect(buf_cstr(&text), -EINVAL, "more than 32 entries");
	buf_reset(&text);
	/* 30000 keys in one mapping, the last twice: found without comparing each with each */
	buf_text(&text, "agents: {");
	put_entries(&text, "a", 30000);
	buf_text(&text, "a17: {}}");
	expect(buf_cstr(&text), -EINVAL, "agents.a17: the key is given twice");
	buf_fini(&text);
}

/* ---- whole files -------------------------------------------------------------------------- */

static const char whole[] =
    "version: 1\n"
    "server:\n"
    "  socket: {path: run/callgate.sock, mode: \"0660\", group: agents}\n"
    "logger: {level: \"${LEVEL}\", format: json}\n"
    "audit: {directory: audit}\n"
    "approvals: {timeout: 10m, hold: 30s}\n"
    "defaults: {decision: deny, max_execution_time: 90s, path: [/usr/bin, /bin]}\n"
    "roles:\n"
    "  operator: {tools: [\"*\"], approve: [\"*\"], permissions: [approvals:read, "
    "approvals:decide]}\n"
    "  developer: {tools: [\"b*\", grep], permissions: [audit:read]}\n"
    "principals:\n"
    "  - peer_uid: ${UID}\n"
    "    roles: [developer]\n"
    "    agents: [coder]\n"
    "    namespaces: [default]\n"
    "  - {peer_uid: 0, peer_gid: 7, roles: [operator]}\n"
    "agents:\n"
    "  coder: {visibility: internal, tools: [bash, grep]}\n"
    "  data_processor: {visibility: private, tools: [bash]}\n"
    "namespaces:\n"
    "  default: {working_directory: ./workspace}\n"
    "tools:\n"
    "  grep:\n"
    "    type: command\n"
    "  bash:\n"
    "    type: command\n"
    "    description: 'Runs ${NAME} as it stands'\n"
    "    visibility: internal\n"
    "    working_directory: ./sub\n"
    "    max_execution_time: 1500ms\n"
    "    deny_by_default: true\n"
    "    allowed_commands: [no, ls, cat, /opt/x/tool, off]\n"
    "    denied_commands: [sudo, /usr/bin/rm, dd]\n"
    "    require_approval: true\n"
    "    approval_prompt: \"Execute: {command}?\"\n"
    "    helpers: [\"/usr/lib/git-core/*\"]\n"
    "    sandbox: {memory: 512MiB, pids: 64, cpu: 10s, output: 1MiB, disk: 64MiB, inodes: 4096,\n"
    "      file_size: 1GiB, files: 128, workspace: ro, exec: true, run_as: owner, require: all}\n";

static void check_bash(const struct policy_tool *bash)
{
	assert_int_equal(bash->pos.line, 25);
	assert_int_equal(bash->pos.column, 3);
	assert_int_equal(bash->type, TOOL_COMMAND);
	assert_int_equal(bash->visibility, VISIBILITY_INTERNAL);
	assert_string_equal(bash->description, "Runs ${NAME} as it stands");
	assert_string_equal(bash->working_directory, "./sub");
	assert_int_equal(bash->max_execution_ms, 1500);
	assert_true(bash->deny_by_default);
	assert_int_equal(bash->deny_by_default_pos.line, 31);
	assert_int_equal(bash->deny_by_default_pos.column, 5);
	assert_true(bash->require_approval);
	assert_int_equal(bash->allowed_commands.count, 5);
	assert_string_equal(bash->allowed_commands.items[0].text, "/opt/x/tool");
	assert_string_equal(bash->allowed_commands.items[1].text, "cat");
	assert_int_equal(bash->allowed_commands.items[1].pos.line, 32);
	assert_int_equal(bash->allowed_commands.items[1].pos.column, 32);
	assert_string_equal(bash->allowed_commands.items[3].text, "no");
	assert_string_equal(bash->allowed_commands.items[4].text, "off");
	assert_string_equal(bash->denied_commands.items[1].text, "/usr/bin/rm");
	assert_string_equal(bash->helpers.items[0].text, "/usr/lib/git-core/*");
	assert_int_equal(bash->sandbox.memory, 512 << 20);
	assert_int_equal(bash->sandbox.cpu_ms, 10000);
	assert_int_equal(bash->sandbox.files, 128);
	assert_int_equal(bash->sandbox.workspace, WORKSPACE_RO);
	assert_int_equal(bash->sandbox.run_as, RUN_AS_OWNER);
	assert_true(bash->sandbox.exec);
	assert_true(bash->sandbox.require_all);
	assert_true(bash->sandbox.require_given);
	assert_int_equal(bash->sandbox.pos.line, 37);
}

static void test_whole(void **state)
{
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf warnings;

	(void)state;
	buf_init(&warnings, 4096);
	assert_int_equal(load(whole, &policy, &warnings, &note), 0);
	assert_int_equal(warnings.len, 0);
	assert_string_equal(policy->file, "p.yaml");
	assert_string_equal(policy->socket_path, "run/callgate.sock");
	assert_int_equal(policy->socket_mode, 0660);
	assert_string_equal(policy->socket_group, "agents");
	assert_string_equal(policy->log_level, "debug");
	assert_string_equal(policy->log_format, "json");
	assert_string_equal(policy->audit_directory, "audit");
	assert_int_equal(policy->approval_timeout_ms, 600000);
	assert_int_equal(policy->approval_hold_ms, 30000);
	assert_int_equal(policy->default_decision, DECISION_DENY);
	assert_int_equal(policy->default_decision_pos.line, 7);
	assert_int_equal(policy->path.count, 2);
	assert_int_equal(policy->role_count, 2);
	assert_string_equal(policy->roles[0].name, "developer");
	assert_int_equal(policy->roles[0].permissions, PERMISSION(AUDIT_READ));
	assert_int_equal(policy->principals[0].uid, 1000);
	assert_false(policy->principals[0].has_gid);
	assert_true(policy->principals[1].has_gid);
	assert_false(policy->principals[1].has_agents);
	assert_true(policy->has_agents);
	assert_int_equal(
	    policy_find_agent(policy, "data_processor")->visibility, VISIBILITY_PRIVATE);
	assert_string_equal(
	    policy_find_namespace(policy, "default")->working_directory, "./workspace");
	assert_null(policy_find_tool(policy, "nope"));
	assert_int_equal(policy_find_tool(policy, "grep")->max_execution_ms, 90000);
	assert_int_equal(policy_find_tool(policy, "grep")->visibility, VISIBILITY_PUBLIC);
	assert_false(policy_find_tool(policy, "grep")->sandbox.require_given);
	assert_string_not_equal(policy_find_tool(policy, "grep")->description, "");
	check_bash(policy_find_tool(policy, "bash"));
	policy_free(policy);
	buf_fini(&warnings);
}

static void test_empty_says_nothing(void **state)
{
	struct policy *policy = NULL;
	struct err_note note = {""};

	(void)state;
	assert_int_equal(load("{}", &policy, NULL, &note), 0);
	assert_int_equal(policy->default_decision, DECISION_ASK);
	assert_int_equal(policy->default_decision_pos.line, 0);
	assert_int_equal(policy->socket_mode, 0600);
	assert_int_equal(policy->approval_timeout_ms, 300000);
	assert_int_equal(policy->approval_hold_ms, 45000);
	assert_int_equal(policy->default_execution_ms, 60000);
	assert_int_equal(policy->path.count, 3);
	assert_int_equal(policy->namespace_count, 1);
	assert_string_equal(policy->namespaces[0].name, "default");
	assert_string_equal(policy->namespaces[0].working_directory, "./workspace");
	assert_false(policy->has_agents);
	assert_null(policy_find_role(policy, "x"));
	policy_free(policy);
}

static void warned(const char *text, const char *expected)
{
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf warnings;

	buf_init(&warnings, 65536);
	assert_int_equal(load(text, &policy, &warnings, &note), 0);
	assert_string_equal(buf_cstr(&warnings), expected);
	policy_free(policy);
	buf_fini(&warnings);
}

static void test_warnings(void **state)
{
	(void)state;
	warned("version: \"2\"\n"
	       "llms: {default: {api_key: \"${OPENAI_API_KEY}\"}}\n"
	       "agents:\n"
	       "  a: {llm: default, instruction: x, document_stores: [d]}\n"
	       "  b: {llm: default, tools: [search]}\n"
	       "document_stores: {}\n",
	    "p.yaml:1:10: version: 2 is another supervisor's; read as callgate's version 1\n"
	    "p.yaml:2:1: llms: is not callgate's; ignored here and wherever it stands\n"
	    "p.yaml:4:7: agents.a.llm: is not callgate's; ignored here and wherever it stands\n"
	    "p.yaml:4:21: agents.a.instruction: is not callgate's; ignored here and wherever it "
	    "stands\n"
	    "p.yaml:4:37: agents.a.document_stores: is not callgate's; ignored here and wherever "
	    "it "
	    "stands\n");
	warned(
	    "tools: {bash: {type: command, deny_by_default: true}}\nroles: {d: {tools: [bosh]}}\n",
	    "p.yaml:2:21: roles.d.tools[0]: 'bosh' matches no tool; did you mean bash?\n"
	    "p.yaml:1:9: tools.bash: denies every command; list some under allowed_commands\n");
	warned("tools: {b: {type: command, allowed_commands: [rm], denied_commands: [/bin/rm]}}",
	    "p.yaml:1:47: tools.b.allowed_commands: 'rm' is denied as well, and denied wins; keep "
	    "it in one list\n");
	warned("agents: {p: {visibility: private}}\nprincipals: [{peer_uid: 0, agents: [p]}]",
	    "p.yaml:2:14: principals[0]: has no role and may do nothing; give it roles\n"
	    "p.yaml:2:37: principals[0].agents[0]: 'p' is private; nobody can act as it over a "
	    "socket\n");
}

static void test_warnings_are_bounded(void **state)
{
	char *text = repeat("roles: {a: {tools: [", "nope,", 90000, "]}}");
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf warnings;
	size_t lines = 0;

	(void)state;
	buf_init(&warnings, 65536);
	assert_int_equal(load(text, &policy, &warnings, &note), 0);
	for (const char *at = buf_cstr(&warnings); *at; at++)
		lines += *at == '\n';
	assert_int_equal(lines, 100);
	assert_non_null(strstr(buf_cstr(&warnings), "further warnings are left out\n"));
	policy_free(policy);
	buf_fini(&warnings);
	free(text);
}

/* The loader's list of walls is the sandbox's. */
static void test_layers(void **state)
{
	static const char *const names[] = {
#define LAYER_TEXT_(id, name) name,
	    LAYERS(LAYER_TEXT_)
#undef LAYER_TEXT_
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[160];

		snprintf(text, sizeof(text),
		    "tools: {b: {type: command, sandbox: {require: [%s]}}}", names[i]);
		expect(text, 0, "");
	}
	assert_int_equal(sizeof(names) / sizeof(names[0]), 20);
}

/* ---- variables ---------------------------------------------------------------------------- */

static void directory_is(const char *written, const char *expected)
{
	struct policy *policy = NULL;
	struct err_note note = {""};
	char text[256];

	snprintf(text, sizeof(text), "audit:\n  directory: %s", written);
	assert_int_equal(load(text, &policy, NULL, &note), 0);
	assert_string_equal(policy->audit_directory, expected);
	policy_free(policy);
}

static void test_variables(void **state)
{
	(void)state;
	directory_is("\"a${NAME}b${FROM_FILE}c\"", "axbfc");
	directory_is("${NAME}", "x"); /* the environment before .env */
	directory_is("'${NAME}'", "${NAME}");
	directory_is("\"$NAME$\"", "$NAME$");
	directory_is("\"${AGAIN}\"", "${NAME}"); /* not expanded again */
	directory_is("\"${YAML}\"", "{a: b}");   /* never structure */
	directory_is("\"${FALSE}\"", "false");   /* in quotes it is text */
}

/* In a flow mapping a variable needs quotes, which say nothing where text cannot be meant. */
static void test_quoted_variable_fits_its_place(void **state)
{
	struct policy *policy = NULL;
	struct err_note note = {""};

	(void)state;
	if (load("principals: [{peer_uid: \"${UID}\"}]\n"
		 "audit: {directory: \"${UID}\"}\n"
		 "tools: {b: {type: command, deny_by_default: \"${FALSE}\"}}\n",
		&policy, NULL, &note))
		fail_msg("%s", note.text);
	assert_int_equal(policy->principals[0].uid, 1000);
	assert_string_equal(policy->audit_directory, "1000"); /* and there it is text */
	assert_false(policy_find_tool(policy, "b")->deny_by_default);
	policy_free(policy);
}

static void test_plain_variable_is_typed(void **state)
{
	struct policy *policy = NULL;
	struct err_note note = {""};

	(void)state;
	assert_int_equal(load("tools:\n  b:\n    type: command\n    deny_by_default: ${FALSE}\n",
			     &policy, NULL, &note),
	    0);
	assert_false(policy_find_tool(policy, "b")->deny_by_default);
	policy_free(policy);
}

static void test_dotenv(void **state)
{
	static const char text[] = "# comment\n\nA=1\n  export B = no\n";
	static const char good[] =
	    "# comment\n\nA=1 # one\r\nexport B='x y' \nC=\"a\\n\\\"b\\\"\"\n"
	    "D=\nE= spaced  \nF=a#b\nG=${A}\nH=x'y'";
	static const char *const expected[] = {
	    "A=1", "B=x y", "C=a\n\"b\"", "D=", "E=spaced", "F=a#b", "G=${A}", "H=x'y'"};
	struct err_note note = {""};
	char **list = NULL;

	(void)state;
	assert_int_equal(dotenv_parse(".env", text, sizeof(text) - 1, &list, &note), -EINVAL);
	assert_string_equal(note.text, ".env:4:10: line: not NAME=VALUE; write one per line");
	assert_null(list);
	assert_int_equal(dotenv_parse(".env", good, sizeof(good) - 1, &list, &note), 0);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(list[i], expected[i]);
	assert_null(list[sizeof(expected) / sizeof(expected[0])]);
	free(list);
	assert_int_equal(dotenv_parse(".env", "", 0, &list, &note), 0);
	assert_null(list[0]);
	free(list);
}

static void test_dotenv_broken(void **state)
{
	static const struct {
		const char *text, *message;
	} files[] = {
	    {"1A=x", ".env:1:1: line: not NAME=VALUE; write one per line"},
	    {"A", ".env:1:1: line: not NAME=VALUE; write one per line"},
	    {"=x", ".env:1:1: line: not NAME=VALUE; write one per line"},
	    {"A='s3cret", ".env:1:3: A: a quote is not closed; close it on its line"},
	    {"A=\"s3cret\\",
		".env:1:11: A: an unknown escape; only \\n \\t \\\" \\\\ and \\$ are read"},
	    {"A=\"s3cret\\q\"",
		".env:1:11: A: an unknown escape; only \\n \\t \\\" \\\\ and \\$ are read"},
	    {"\nA='s3cret' x", ".env:2:12: A: text after the closing quote; remove it"},
	    {"A=\033", ".env:1:1: line: a control character or not UTF-8; remove it"},
	    {"A=\xff", ".env:1:1: line: a control character or not UTF-8; remove it"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct err_note note = {""};
		char **list = NULL;

		assert_int_equal(
		    dotenv_parse(".env", files[i].text, strlen(files[i].text), &list, &note),
		    -EINVAL);
		assert_string_equal(note.text, files[i].message);
		assert_null(list);
		assert_null(strstr(note.text, "s3cret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_limits),
	    cmocka_unit_test(test_many_names),
	    cmocka_unit_test(test_whole),
	    cmocka_unit_test(test_empty_says_nothing),
	    cmocka_unit_test(test_warnings),
	    cmocka_unit_test(test_warnings_are_bounded),
	    cmocka_unit_test(test_layers),
	    cmocka_unit_test(test_variables),
	    cmocka_unit_test(test_plain_variable_is_typed),
	    cmocka_unit_test(test_quoted_variable_fits_its_place),
	    cmocka_unit_test(test_dotenv),
	    cmocka_unit_test(test_dotenv_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
