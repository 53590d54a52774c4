/* `policy schema` and the list of keys: what editors and callgate.yaml(5) are told is what the
 * loader reads. */
#include <glob.h>

#include "policy/describe.h"
#include "policy/json_schema.h"
#include "policy/json_value.h"
#include "policy/pack.h"
#include "tests/unit/policy/broken_file.h"
#include "tests/unit/policy/broken_server.h"
#include "tests/unit/policy/broken_tool.h"
#include "tests/unit/policy/every_key.h"

#define PAGE "supervisor/doc/callgate.yaml.5.scd"

static char *const environment[] = {
    "API_KEY_1=0123456789abcdef0123456789abcdef", "FALSE=false", NULL};

#define VARIABLES_MAX 32

/* Variables that stand for themselves: an editor sees the file as it is written. */
static void written(const char *text, char *list[VARIABLES_MAX + 1])
{
	size_t count = 0;

	for (const char *at = strstr(text, "${"); at; at = strstr(at + 2, "${")) {
		int len = (int)strcspn(at + 2, "}");

		assert_true(count < VARIABLES_MAX);
		assert_true(asprintf(&list[count++], "%.*s=${%.*s}", len, at + 2, len, at + 2) > 0);
	}
	list[count] = NULL;
}

static struct json_schema *described(void)
{
	struct json_schema *schema = NULL;
	struct err_note note = {""};
	struct buf text;
	json_t *value;

	buf_init(&text, 1 << 20);
	assert_int_equal(policy_describe(&text), 0);
	value = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(value);
	if (json_schema_compile(value, &schema, &note))
		fail_msg("%s", note.text);
	json_decref(value);
	buf_fini(&text);
	return schema;
}

/* The file as JSON; NULL when it cannot even be that. */
static json_t *json_of(const char *text)
{
	char *variables[VARIABLES_MAX + 1];
	const struct policy_source source = {
	    .file = "p.yaml", .text = text, .len = strlen(text), .env = variables};
	struct arena arena = {NULL};
	struct err_note note;
	struct schema schema = {
	    .source = &source, .arena = &arena, .note = &note, .budget = POLICY_FILE_MAX};
	const struct yaml_node *root;
	const char *json;
	json_t *value = NULL;

	written(text, variables);
	if (!yaml_tree_read(&source, &arena, &root, &note) && !yaml_json_text(&schema, root, &json))
		value = json_loads(json, JSON_DECODE_ANY, NULL);
	arena_fini(&arena);
	for (size_t i = 0; variables[i]; i++)
		free(variables[i]);
	return value;
}

static bool fits(const struct json_schema *schema, const char *text, struct err_note *note)
{
	json_t *value = json_of(text);
	int result = value ? json_schema_check(schema, value, "policy", note) : -1;

	json_decref(value);
	return result == JSON_SCHEMA_VALID;
}

static const char *const good[] = {
    "{}",
    "version: 1",
    "version: \"2\"",
    "llms: {a: {b: c}}",
    "server: {socket: {path: s}}",
    "server: {socket: {mode: \"0600\"}}",
    "server: {port: 80, listen: 0.0.0.0, auth: {require_auth: false}}",
    "server: {listen: run/http.sock}",
    "server: {auth: {algorithms: [RS512, EdDSA], keep_keys: 3600}}",
    "server: {url: \"http://127.0.0.1:8700\", hosts: [], outgoing: {networks: []}}",
    "approvals: {channels: {a: {type: ntfy, url_env: A}}, escalate_after: 0}",
    "approvals: {channels: {a: {type: json, url: \"http://[::1]:1/\"}}}",
    "tools: {t: {type: command, approval: {channels: [terminal]}}}",
    "server: {max_upload_bytes: 4096}",
    "server: {max_upload_bytes: 10MB}",
    "server: {auth: {api_keys: []}}",
    "server: {auth: {refresh_interval: 900}}",
    "server: {cors: {allowed_origins: [\"http://localhost:3000\"], max_age: 0}}",
    "server: {observability: {tracing: {endpoint: \"[::1]:4318\"}}}",
    "logger: {level: warn}",
    "audit: {directory: a}",
    "approvals: {timeout: 60}",
    "approvals: {grants: [session, always]}",
    "approvals: {quorum: 2, by_client: false}",
    "defaults: {decision: allow, path: [/bin]}",
    "defaults: {max_execution_time: 1500ms}",
    "roles: {a-b_C1: {tools: [\"*\", \"git_?\"], permissions: [daemon:control]}}",
    "principals: [{peer_uid: 0}]",
    "principals: [{peer_gid: 4294967294, agents: [], namespaces: []}]",
    "principals: [{jwt: {claim: a, value: b}}]",
    "namespaces: {a: {working_directory: w}}\ntenants: {t: {namespaces: [a]}}",
    "agents: {a: {llm: x, instruction: y, document_stores: [z], tools: []}}",
    "tools: {t: {type: command}}",
    "tools: {t.x-y: {type: command, visibility: private}}",
    "tools: {t: {type: command, allowed_commands: [no, /bin/ls]}}",
    "tools: {t: {type: function, handler: grep_search}}",
    "tools: {t: {type: command, exec: {program: /bin/ls}}}",
    "tools: {t: {type: command, exec: {program: ls, argv: []}, env: {A: \"\"}}}",
    "tools: {t: {type: command, stdin: true, env: {A: {api_key_env: B}}}}",
    "tools: {t: {type: command, rules: [{id: a, decision: deny}], tests: []}}",
    "tools: {t: {type: command, tests: [{args: {argv: [ls]}, expect: ask}]}}",
    "tools: {t: {type: command, annotations: {read_only: true}, multicall: true}}",
    "tools: {t: {type: command, approval: {editable: [command]}}}",
    "tools: {t: {type: command, sandbox: {require: all, callgate: true}}}",
    "tools: {t: {type: command, sandbox: {require: [disk], memory: 4194304, cpu: 1s}}}",
    "tools: {t: {type: command, sandbox: {workspace: ro, run_as: owner, exec: false}}}",
    "tools: {t: {type: command, require_approval: effects, sandbox: {workspace: overlay}}}",
    "tools: {t: {type: command, output_schema: {type: object, x-note: y}}}",
    "tools:\n  t:\n    type: command\n    deny_by_default: ${FALSE}\n",
    every_key,
};

/* What loads fits, and what is listed as good does load. */
static void test_good(void **state)
{
	struct json_schema *schema = described();

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct policy_source source = {
		    .file = "p.yaml", .text = good[i], .len = strlen(good[i]), .env = environment};
		struct policy *policy = NULL;
		struct err_note note = {""};

		if (!fits(schema, good[i], &note))
			fail_msg("%s: %s", good[i], note.text);
		if (policy_load(&source, &policy, NULL, &note))
			fail_msg("%s: %s", good[i], note.text);
		policy_free(policy);
	}
	json_schema_free(schema);
}

static char *file_text(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = calloc(1, 1 << 20);

	if (!file)
		fail_msg("%s: not there; run the test from the top folder", path);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
	fclose(file);
	return text;
}

static void test_examples(void **state)
{
	struct json_schema *schema = described();
	glob_t found;

	(void)state;
	assert_int_equal(glob("examples/*/*.yaml", 0, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *text = file_text(found.gl_pathv[i]);
		struct err_note note = {""};

		if (!fits(schema, text, &note))
			fail_msg("%s: %s", found.gl_pathv[i], note.text);
		free(text);
	}
	globfree(&found);
	json_schema_free(schema);
}

static size_t count_unfit(const struct json_schema *schema, const struct broken *rows, size_t count)
{
	struct err_note note;
	size_t unfit = 0;

	for (size_t i = 0; i < count; i++) {
		/* What is written right and means nothing here, only the loader can say: names that
		 * point nowhere, keys that contradict each other, schemas, addresses, variables. */
		unfit += !fits(schema, rows[i].text, &note);
	}
	return unfit;
}

static void test_broken(void **state)
{
	struct json_schema *schema = described();
	const struct {
		const struct broken *rows;
		size_t count;
	} tables[] = {
	    {ROWS(broken_file)},
	    {ROWS(broken_tool)},
	    {ROWS(broken_template)},
	    {ROWS(broken_env)},
	    {ROWS(broken_rules)},
	    {ROWS(broken_approval)},
	    {ROWS(broken_http)},
	    {ROWS(broken_principals)},
	    {ROWS(broken_tenants)},
	    {ROWS(broken_approvals)},
	};
	size_t unfit = 0, all = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		unfit += count_unfit(schema, tables[i].rows, tables[i].count);
		all += tables[i].count;
	}
	print_message("# %zu of %zu broken files do not fit the schema for editors\n", unfit, all);
	assert_true(unfit > all / 2);
	json_schema_free(schema);
}

/* Sorts of errors that an editor must be able to underline. */
static void test_form(void **state)
{
	static const char *const unfit[] = {
	    "verison: 1",
	    "version: 3",
	    "[]",
	    "tools: {t: {}}",
	    "tools: {\"a b\": {type: command}}",
	    "tools: {t: {type: shell}}",
	    "tools: {t: {type: command, alowed_commands: []}}",
	    "tools: {t: {type: command, allowed_commands: ls}}",
	    "tools: {t: {type: command, sandbox: {memory: much}}}",
	    "tools: {t: {type: command, sandbox: {pids: 0}}}",
	    "tools: {t: {type: command, sandbox: {require: [landlok]}}}",
	    "tools: {t: {type: command, sandbox: {network: []}}}", /* not built yet */
	    "tools: {t: {type: command, rules: [{id: a}]}}",
	    "tools: {t: {type: command, tests: [{args: {}, expect: maybe}]}}",
	    "tools: {t: {type: command, stdin: maybe}}",
	    "tools: {t: {type: command, approval: {channels: {}}}}",
	    "approvals: {channels: {a: {url_env: A}}}",
	    "approvals: {channels: {a: {type: json, secret: b}}}",
	    "server: {auth: {algorithms: [HS256]}}",
	    "tools: {t: {type: command, exec: {program: a, argv: [1]}}}",
	    "tools: {t: {type: command, exec: {program: a, argv: [{if: a}]}}}",
	    "approvals: {timeout: soon}",
	    "approvals: {grants: [forever]}",
	    "roles: {r: {permissions: [everything]}}",
	    "principals: [{peer_uid: \"1000\"}]",
	    "server: {port: 65536}",
	    "server: {socket: {mode: 432}}",
	    "server: {auth: {api_keys: [literal]}}",
	    "defaults: {path: [bin]}",
	};
	struct json_schema *schema = described();
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		if (fits(schema, unfit[i], &note))
			fail_msg("%s fits", unfit[i]);
	}
	json_schema_free(schema);
}

/* ---- the page ----------------------------------------------------------------------------- */

/* The part of the page that is about a key: the chapter named as its first word. */
static char *chapter(const char *page, const char *key)
{
	char heading[64];
	const char *from, *to;
	size_t len = strcspn(key, ".");

	snprintf(heading, sizeof(heading), "\n# %.*s\n", (int)len, key);
	for (char *c = heading; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	from = strstr(page, heading);
	if (!from) /* a key of its own: under TOP LEVEL */
		from = strstr(page, "\n# TOP LEVEL\n");
	assert_non_null(from);
	to = strstr(from + 1, "\n# ");
	return to ? strndup(from, (size_t)(to - from)) : strdup(from);
}

static size_t ends_of(char *const *keys, size_t count, const char *key, const char *end)
{
	size_t found = 0, first = strcspn(key, ".");

	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(keys[i]), end_len = strlen(end);

		if (strncmp(keys[i], key, first + 1) || len < end_len)
			continue;
		found += !strcmp(keys[i] + len - end_len, end) &&
			 (len == end_len || keys[i][len - end_len - 1] == '.');
	}
	return found;
}

/* Written in bold by its name, or by an end of it that no other key of its chapter has. */
static bool is_told(const char *page, char *const *keys, size_t count, const char *key)
{
	char *text = chapter(page, key), bold[200];
	const char *end = key;
	bool told = false;

	while (end && !told) {
		snprintf(bold, sizeof(bold), "*%s*", end);
		told = strstr(text, bold) && ends_of(keys, count, key, end) == 1;
		end = strchr(end, '.');
		end = end ? end + 1 : NULL;
	}
	free(text);
	return told;
}

static void test_page(void **state)
{
	char *page = file_text(PAGE), *keys[512], *at;
	size_t count = 0, missing = 0;
	struct buf list;

	(void)state;
	buf_init(&list, 1 << 20);
	assert_int_equal(policy_describe_keys(&list), 0);
	assert_non_null(buf_cstr(&list));
	for (at = (char *)list.data; *at; at += strlen(at) + 1) {
		assert_true(count < sizeof(keys) / sizeof(keys[0]));
		keys[count++] = at;
		*strchr(at, '\n') = '\0';
	}
	assert_true(count > 150);
	for (size_t i = 0; i < count; i++) {
		if (is_told(page, keys, count, keys[i]))
			continue;
		print_message("# %s: not in callgate.yaml(5)\n", keys[i]);
		missing++;
	}
	assert_int_equal(missing, 0);
	free(page);
	buf_fini(&list);
}

static void test_packs_are_told(void **state)
{
	char *page = file_text(PAGE), name[64];

	(void)state;
	for (const char *const *pack = pack_names(); *pack; pack++) {
		snprintf(name, sizeof(name), "_%s_", *pack);
		if (!strstr(page, name))
			fail_msg("pack %s: not in callgate.yaml(5)", *pack);
	}
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_good),
	    cmocka_unit_test(test_examples),
	    cmocka_unit_test(test_broken),
	    cmocka_unit_test(test_form),
	    cmocka_unit_test(test_page),
	    cmocka_unit_test(test_packs_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
