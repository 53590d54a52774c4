/* Typed tools, function tools, environments, paths of the workspace, many programs in one, gates:
 * what the warden makes of them in lists and plans. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/resource.h>

#include "supervisor/warden/environment.h"
#include "supervisor/warden/plan.h"
#include "tests/unit/warden/rig.h"

#define COMMAND(name)                                                                              \
	"  " name ": {type: command, deny_by_default: true, allowed_commands: [cat]}\n"
#define POLICY                                                                                     \
	"version: 1\n"                                                                             \
	"defaults: {decision: allow}\n"                                                            \
	"roles: {all: {tools: [\"*\"]}}\n"                                                         \
	"principals: [{peer_uid: 7, roles: [all]}]\n"                                              \
	"namespaces: {default: {working_directory: ./ws}}\n"                                       \
	"tools:\n" COMMAND("plain") COMMAND("typed") COMMAND("function") COMMAND("env")            \
	    COMMAND("many") COMMAND("gated") "  free: {type: command}\n"

#define TOP                                                                                        \
	"version: 1\n"                                                                             \
	"roles: {all: {tools: [\"*\"]}}\n"                                                         \
	"principals: [{peer_uid: 7, roles: [all]}]\n"                                              \
	"namespaces: {default: {working_directory: ./ws}}\n"                                       \
	"tools:\n"
#define MIXED                                                                                      \
	TOP "  one: {type: command, deny_by_default: true, allowed_commands: [cat, ls]}\n"         \
	    "  two: {type: command, deny_by_default: true, allowed_commands: [ls, cat]}\n"         \
	    "  denied: {type: command, deny_by_default: true, allowed_commands: [cat, ls],"        \
	    " denied_commands: [rm]}\n"                                                            \
	    "  helped: {type: command, deny_by_default: true, allowed_commands: [cat, ls],"        \
	    " helpers: [/usr/bin/rm]}\n"
#define PLACES                                                                                     \
	TOP "  one:\n    type: command\n    deny_by_default: true\n    allowed_commands: [cat,\n"  \
	    "      /etc/passwd]\n"
#define MISSING                                                                                    \
	TOP "  one: {type: command, deny_by_default: true, allowed_commands: [cat, ls, nosuch]}\n" \
	    "  two: {type: command, exec: {program: lss}}\n"

static struct rig rig;
static struct config *config;
static struct tools *tools;
static struct hashes hashes;
static struct buf warnings;
static struct planner planner = {.hashes = &hashes, .env_key = {1, 2, 3}};
static const char *argv[8];

static struct policy_tool *tool_named(const char *name)
{
	for (uint32_t i = 0; i < config->policy->tool_count; i++)
		if (!strcmp(config->policy->tools[i].name, name))
			return &config->policy->tools[i];
	fail_msg("no tool %s", name);
	return NULL;
}

/* A program that anybody could write, as in a folder of the user's own. */
static void put_program(const char *name)
{
	char command[600];

	snprintf(command, sizeof(command), "cp /bin/true %s/%s && chmod 757 %s/%s", rig.path, name,
	    rig.path, name);
	assert_int_equal(system(command), 0);
}

static int make_rig(void **state)
{
	(void)state;
	buf_init(&warnings, 65536);
	rig_make(&rig);
	assert_int_equal(chmod(rig.path, 0755), 0);
	rig_dir(&rig, "ws");
	rig_dir(&rig, "ws/sub");
	rig_dir(&rig, "outside");
	rig_dir(&rig, "bin");
	rig_file(&rig, "ws/a.txt", "text\n", 0644);
	put_program("bin/callgate");
	put_program("bin/callgate-text-editor");
	config = rig_config(&rig, POLICY);
	return 0;
}

static int try_build(struct err_note *note)
{
	static struct cell_host host = {.uid = 65534, .gid = 65534};
	const struct tools_spec spec = {.host = &host,
	    .user = "tester",
	    .programs = rig_path(&rig, "bin"),
	    .hashes = &hashes,
	    .warnings = &warnings};

	return tools_build(config, &spec, &tools, note);
}

static void build(void)
{
	struct err_note note = {""};

	if (try_build(&note))
		fail_msg("%s", note.text);
	config = NULL;
	planner.tools = tools;
}

static void build_refused(const char *word)
{
	struct err_note note = {""};

	assert_true(try_build(&note) < 0);
	if (!strstr(note.text, word))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, word);
}

static int remove_rig(void **state)
{
	(void)state;
	tools_free(tools);
	tools = NULL;
	config_free(config);
	config = NULL;
	buf_fini(&warnings);
	rig_remove(&rig);
	return 0;
}

static struct plan_input input_for(const char *tool, uint32_t argc)
{
	return (struct plan_input){
	    .call = "c1",
	    .tool = tool,
	    .agent = "",
	    .space = "default",
	    .principal = "uid:7",
	    .cwd = "",
	    .argv = {argv, argc},
	    .policy = tools->config->version,
	};
}

static struct plan made(const struct plan_input *input)
{
	struct err_note note = {""};
	struct plan plan;

	if (plan_make(&planner, input, &plan, &note))
		fail_msg("%s", note.text);
	return plan;
}

static struct digest digest_for(const struct plan_input *input)
{
	struct plan plan = made(input);
	struct digest digest = plan.digest;

	plan_fini(&plan);
	return digest;
}

static void refused(const struct plan_input *input, const char *word)
{
	struct plan plan;
	struct err_note note = {""};

	assert_int_equal(plan_make(&planner, input, &plan, &note), PLAN_REFUSED);
	if (!strstr(note.text, word))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, word);
}

static void says(const struct plan_input *input, const struct plan *plan, const char *line)
{
	struct buf text;

	buf_init(&text, PLAN_TEXT_MAX);
	assert_int_equal(plan_text(&text, input, plan), 0);
	if (!strstr(buf_cstr(&text), line))
		fail_msg("no \"%s\" in\n%s", line, buf_cstr(&text));
	buf_fini(&text);
}

static const char *entry_of(const struct plan *plan, const char *name)
{
	const char *found = NULL;
	size_t len = strlen(name);

	for (char **entry = plan->env; *entry; entry++)
		if (!strncmp(*entry, name, len) && (*entry)[len] == '=') {
			assert_null(found); /* once */
			found = *entry + len + 1;
		}
	return found;
}

static void a_typed_tool_runs_one_program(void **state)
{
	struct plan_input input;
	struct plan plan;

	(void)state;
	tool_named("typed")->exec.program = "sort";
	tool_named("typed")->allowed_commands.count = 0;
	tool_named("typed")->deny_by_default = false; /* says nothing here */
	build();
	assert_false(tools_find(tools, "typed")->open);
	argv[0] = "sort";
	argv[1] = "--";
	argv[2] = "a.txt";
	input = input_for("typed", 3);
	plan = made(&input);
	says(&input, &plan, "command     sort -- a.txt\n");
	plan_fini(&plan);
	argv[0] = "cat";
	refused(&input, "runs sort and nothing else");
	argv[0] = "/usr/bin/sort";
	refused(&input, "runs sort and nothing else");
	assert_true(tools_find(tools, "free")->open);
	assert_false(tools_find(tools, "plain")->open);
}

static void a_function_runs_its_own_program(void **state)
{
	struct plan_input input;
	struct plan plan;

	(void)state;
	tool_named("function")->type = TOOL_FUNCTION;
	tool_named("function")->handler = HANDLER_TEXT_EDITOR;
	tool_named("function")->allowed_commands.count = 0;
	tool_named("function")->deny_by_default = false;
	build();
	assert_false(tools_find(tools, "function")->open);
	argv[0] = "text_editor";
	argv[1] = "create";
	argv[2] = "a.txt";
	input = input_for("function", 3);
	input.stdin_kind = STDIN_SEALED;
	plan = made(&input);
	assert_string_equal(plan.program.parts[0].path, rig_path(&rig, "bin/callgate-text-editor"));
	assert_string_equal(plan.argv[0], "text_editor");
	assert_int_equal(plan.files.count, 0); /* what it edits is not what it is */
	says(&input, &plan, "function    text_editor create a.txt\n");
	assert_int_equal(plan_recheck(&plan, NULL), 0);
	plan_fini(&plan);
	/* What its argv says is for people: no name in it becomes a program. */
	argv[0] = "/usr/bin/cat";
	plan = made(&input);
	assert_string_equal(plan.program.parts[0].path, rig_path(&rig, "bin/callgate-text-editor"));
	plan_fini(&plan);
	/* Other tools do not get at it. */
	argv[0] = rig_path(&rig, "bin/callgate-text-editor");
	input = input_for("plain", 1);
	refused(&input, "could change it");
}

static void a_function_needs_its_program(void **state)
{
	(void)state;
	tool_named("function")->type = TOOL_FUNCTION;
	tool_named("function")->handler = HANDLER_GREP_SEARCH;
	build_refused("tool function: its program is not beside");
	tool_named("function")->handler = HANDLER_NONE;
	build_refused("tool function: it has no handler");
}

static void give_env(struct policy_env *env, uint32_t count)
{
	tool_named("env")->env = env;
	tool_named("env")->env_count = count;
}

static void an_environment_holds_names_and_values(void **state)
{
	static char values[] = "RIG_FROM_FILE=of the file\0RIG_BOTH=hidden\0RIG_FROM_FILE=late";
	struct policy_env env[] = {{"LANG", {1, 1}, ENV_LITERAL, "de_DE.UTF-8"},
	    {"TOKEN", {1, 1}, ENV_VARIABLE, "RIG_SECRET"},
	    {"FILED", {1, 1}, ENV_VARIABLE, "RIG_FROM_FILE"},
	    {"BOTH", {1, 1}, ENV_VARIABLE, "RIG_BOTH"}, {"EMPTY", {1, 1}, ENV_LITERAL, ""}};
	struct plan_input input;
	struct digest before, after;
	struct plan plan;
	struct buf text;

	(void)state;
	give_env(env, 5);
	config->values = malloc(sizeof(values));
	memcpy(config->values, values, sizeof(values));
	config->values_len = sizeof(values);
	build();
	argv[0] = "cat";
	input = input_for("env", 1);
	(void)unsetenv("RIG_SECRET");
	refused(&input, "env TOKEN: the daemon has no variable RIG_SECRET");
	assert_int_equal(setenv("RIG_SECRET", "s3cret", 1), 0);
	assert_int_equal(setenv("RIG_BOTH", "of the daemon", 1), 0);
	plan = made(&input);
	before = plan.digest;
	assert_string_equal(entry_of(&plan, "LANG"), "de_DE.UTF-8");
	assert_string_equal(entry_of(&plan, "TOKEN"), "s3cret");
	assert_string_equal(entry_of(&plan, "FILED"), "of the file");
	assert_string_equal(entry_of(&plan, "BOTH"), "of the daemon");
	assert_string_equal(entry_of(&plan, "EMPTY"), "");
	assert_string_equal(entry_of(&plan, "HOME"), "/tmp");
	assert_null(entry_of(&plan, "CALLGATE_SOCKET"));
	says(&input, &plan, "environment LANG TOKEN FILED BOTH EMPTY\n");
	buf_init(&text, 65536);
	assert_int_equal(plan_text(&text, &input, &plan), 0);
	assert_null(strstr(buf_cstr(&text), "s3cret"));
	assert_null(strstr(buf_cstr(&text), "of the"));
	buf_reset(&text);
	assert_int_equal(plan_bytes(&text, &planner, &input, &plan), 0);
	assert_null(memmem(text.data, text.len, "s3cret", 6));
	buf_fini(&text);
	plan_fini(&plan);
	assert_int_equal(setenv("RIG_SECRET", "another", 1), 0);
	after = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	assert_int_equal(setenv("RIG_SECRET", "s3cret", 1), 0);
	after = digest_for(&input);
	assert_true(digest_equal(&before, &after));
	(void)unsetenv("RIG_SECRET");
	(void)unsetenv("RIG_BOTH");
	/* Other tools see nothing of it. */
	input = input_for("plain", 1);
	plan = made(&input);
	assert_null(entry_of(&plan, "TOKEN"));
	assert_string_equal(entry_of(&plan, "LANG"), "C.UTF-8");
	plan_fini(&plan);
}

static void a_name_or_value_cannot_pass_for_another(void **state)
{
	struct policy_env env[] = {{"A", {1, 1}, ENV_LITERAL, "B=C"}};
	struct policy_env other[] = {{"A=B", {1, 1}, ENV_LITERAL, "C"}};
	struct plan_input input;
	struct digest first, second;

	(void)state;
	give_env(env, 1);
	build();
	argv[0] = "cat";
	input = input_for("env", 1);
	first = digest_for(&input);
	((struct policy_tool *)tools_find(tools, "env")->policy)->env = other;
	second = digest_for(&input);
	assert_true(digest_equal(&first, &second)); /* the same for the tool, and said the same */
	env[0].text = "B=D";
	((struct policy_tool *)tools_find(tools, "env")->policy)->env = env;
	second = digest_for(&input);
	assert_false(digest_equal(&first, &second));
}

static void what_is_the_daemons_is_not_the_tools(void **state)
{
	static const char *const bad[] = {
	    "PATH", "HOME", "TMPDIR", "USER", "LD_PRELOAD", "LD_", "CALLGATE_SOCKET"};
	static const char *const good[] = {"LANG", "PATHS", "LDFLAGS", "CALLGATE", "GIT_TOKEN"};
	struct policy_env env[] = {{"", {3, 4}, ENV_LITERAL, "x"}};

	(void)state;
	give_env(env, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		env[0].name = bad[i];
		build_refused("p.yaml:3:4: tool env: env.");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_true(environment_may_set(good[i]));
}

static void too_much_environment_is_refused(void **state)
{
	char *big = malloc(CELL_ARG_BYTES);
	struct policy_env env[] = {{"BIG", {1, 1}, ENV_LITERAL, big}};
	struct plan_input input;

	(void)state;
	memset(big, 'x', CELL_ARG_BYTES - 1);
	big[CELL_ARG_BYTES - 1] = '\0';
	give_env(env, 1);
	build();
	argv[0] = "cat";
	input = input_for("env", 1);
	refused(&input, "bytes of arguments and environment");
	free(big);
}

static void paths_stay_in_the_working_directory(void **state)
{
	static const char *const good[] = {
	    "a.txt", "sub", ".", "./sub/../a.txt", "new", "sub/new", "new/deep/er", "sub/"};
	static const char *const bad[] = {"../outside", "..", "/etc/passwd", "out", "out/new",
	    "new/../../x", "sub/../..", "dangling", "dangling/x", "away", "loop", "a.txt/x",
	    "/proc/self/root", "magic", ""};
	struct plan_input input;
	const char *paths[2];

	(void)state;
	assert_int_equal(symlink("../outside", rig_path(&rig, "ws/out")), 0);
	assert_int_equal(symlink("/etc", rig_path(&rig, "ws/away")), 0);
	assert_int_equal(symlink("sub", rig_path(&rig, "ws/inner")), 0);
	assert_int_equal(symlink("nothing/here", rig_path(&rig, "ws/dangling")), 0);
	assert_int_equal(symlink("loop", rig_path(&rig, "ws/loop")), 0);
	assert_int_equal(symlink("/proc/self/cwd", rig_path(&rig, "ws/magic")), 0);
	build();
	argv[0] = "cat";
	input = input_for("plain", 1);
	input.paths = (struct strv){paths, 2};
	paths[0] = "a.txt";
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		paths[1] = good[i];
		(void)digest_for(&input);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		paths[1] = bad[i];
		refused(&input, "path");
	}
	paths[1] = "../outside";
	refused(&input, "path ../outside: leaves the working directory");
	/* The name was judged, so it must be the one way there. */
	paths[1] = "inner";
	refused(&input, "path inner: leads through a symbolic link; name sub");
	paths[1] = "inner/new";
	refused(&input, "path inner/new: ");
	paths[1] = ".";
	input.cwd = "inner";
	refused(&input, "cwd inner: leads through a symbolic link");
	/* Seen from where the call works. */
	input.cwd = "sub";
	paths[0] = ".";
	paths[1] = "../a.txt";
	refused(&input, "leaves");
	paths[1] = "a.txt";
	(void)digest_for(&input);
}

static void paths_are_part_of_the_digest(void **state)
{
	const char *one[] = {"a.txt"}, *other[] = {"sub"};
	struct plan_input input;
	struct digest first, second;

	(void)state;
	build();
	argv[0] = "cat";
	input = input_for("plain", 1);
	input.paths = (struct strv){one, 1};
	first = digest_for(&input);
	input.paths = (struct strv){other, 1};
	second = digest_for(&input);
	assert_false(digest_equal(&first, &second));
}

static void many_programs_in_one_are_told(void **state)
{
	const struct policy_word words[] = {{.text = rig_path(&rig, "many/busybox")}};
	struct plan_input input;
	struct plan plan;

	(void)state;
	rig_dir(&rig, "many");
	put_program("many/busybox");
	assert_int_equal(chmod(words[0].text, 0755), 0);
	tool_named("many")->allowed_commands = (struct policy_words){words, 1};
	if (geteuid() != 0) { /* whoever runs this could change it: the list refuses it anyway */
		build_refused("tool many");
		return;
	}
	build_refused("say multicall: true");
	tool_named("many")->multicall = true;
	build();
	argv[0] = words[0].text;
	input = input_for("many", 1);
	plan = made(&input);
	assert_true(plan.unseen);
	says(&input, &plan, "warning     this program is many in one file");
	plan_fini(&plan);
}

static void a_gate_brings_its_client(void **state)
{
	char path[600];
	struct plan_input input;
	struct digest with;
	struct plan plan;

	(void)state;
	tool_named("gated")->sandbox.callgate = true;
	build();
	argv[0] = "cat";
	input = input_for("gated", 1);
	plan = made(&input);
	with = plan.digest;
	assert_string_equal(entry_of(&plan, "CALLGATE_SOCKET"), "fd:3");
	snprintf(path, sizeof(path), "/usr/local/bin:/usr/bin:/bin:%s", rig_path(&rig, "bin"));
	assert_string_equal(entry_of(&plan, "PATH"), path);
	says(&input, &plan, "gate        the call may ask callgate for other tools\n");
	plan_fini(&plan);
	/* It may also be the command itself, by its name, with its own word as argv[0]. */
	argv[0] = "callgate";
	plan = made(&input);
	assert_string_equal(plan.program.parts[0].path, rig_path(&rig, "bin/callgate"));
	assert_string_equal(plan.argv[0], "callgate");
	plan_fini(&plan);
	input = input_for("plain", 1);
	refused(&input, "callgate");
	argv[0] = "cat";
	plan = made(&input);
	assert_null(entry_of(&plan, "CALLGATE_SOCKET"));
	assert_false(digest_equal(&with, &plan.digest));
	plan_fini(&plan);
}

static void a_gate_needs_its_client(void **state)
{
	(void)state;
	tool_named("gated")->sandbox.callgate = true;
	assert_int_equal(unlink(rig_path(&rig, "bin/callgate")), 0);
	build_refused("tool gated: sandbox.callgate: the callgate command is not beside");
}

/* ---- one list, one opening ------------------------------------------------------------------ */

static const struct tool *built(const char *name)
{
	const struct tool *tool = tools_find(tools, name);

	assert_non_null(tool);
	return tool;
}

static void the_same_programs_are_one_list(void **state)
{
	(void)state;
	tool_named("many")->multicall = true;
	tool_named("free")->deny_by_default = true;
	build();
	assert_ptr_equal(built("plain")->allowlist, built("typed")->allowlist);
	assert_ptr_equal(built("plain")->allowlist, built("env")->allowlist);
	assert_ptr_not_equal(built("plain")->allowlist, built("many")->allowlist);
	assert_ptr_not_equal(built("plain")->allowlist, built("free")->allowlist);
	/* In whatever order; and never what is denied beside what is not. */
	tools_free(tools);
	config = rig_config(&rig, MIXED);
	build();
	assert_ptr_equal(built("one")->allowlist, built("two")->allowlist);
	assert_ptr_not_equal(built("one")->allowlist, built("denied")->allowlist);
	assert_ptr_not_equal(built("one")->allowlist, built("helped")->allowlist);
	assert_ptr_not_equal(built("denied")->allowlist, built("helped")->allowlist);
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 8192; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void a_second_version_opens_nothing_anew(void **state)
{
	static struct cell_host host = {.uid = 65534, .gid = 65534};
	struct holdings holdings = {.count = 0};
	const struct tools_spec spec = {.host = &host,
	    .user = "tester",
	    .programs = rig_path(&rig, "bin"),
	    .hashes = &hashes,
	    .warnings = &warnings,
	    .holdings = &holdings};
	struct config *first = rig_config(&rig, MIXED), *second = rig_config(&rig, MIXED);
	struct err_note note = {""};
	struct tools *old, *new;
	int before;

	(void)state;
	assert_int_equal(tools_build(first, &spec, &old, &note), 0);
	before = count_fds();
	assert_int_equal(tools_build(second, &spec, &new, &note), 0);
	assert_int_equal(count_fds(), before);
	assert_int_equal(old->items[0].workspaces[0].fd, new->items[3].workspaces[0].fd);
	tools_free(old);
	assert_true(fcntl(new->items[0].workspaces[0].fd, F_GETFD) >= 0);
	tools_free(new);
	assert_int_equal(holdings.count, 0);
	holdings_fini(&holdings);
}

static void a_fault_stands_at_its_element(void **state)
{
	(void)state;
	config_free(config);
	config = rig_config(&rig, PLACES);
	build_refused("p.yaml:10:7: tool one: allowed command /etc/passwd: ");
	assert_int_equal(warnings.len, 0);
	config_free(config);
	config = rig_config(&rig, MISSING);
	build();
	assert_non_null(strstr(buf_cstr(&warnings), "p.yaml:6:75: tool one: nosuch is in no "));
	assert_non_null(strstr(buf_cstr(&warnings), "p.yaml:7:24: tool two: lss is in no "));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_rig, remove_rig)

/* As the daemon does: an open list holds a descriptor per program. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_typed_tool_runs_one_program),
	    TEST(a_function_runs_its_own_program),
	    TEST(a_function_needs_its_program),
	    TEST(an_environment_holds_names_and_values),
	    TEST(a_name_or_value_cannot_pass_for_another),
	    TEST(what_is_the_daemons_is_not_the_tools),
	    TEST(too_much_environment_is_refused),
	    TEST(paths_stay_in_the_working_directory),
	    TEST(paths_are_part_of_the_digest),
	    TEST(many_programs_in_one_are_told),
	    TEST(a_gate_brings_its_client),
	    TEST(a_gate_needs_its_client),
	    TEST(the_same_programs_are_one_list),
	    TEST(a_second_version_opens_nothing_anew),
	    TEST(a_fault_stands_at_its_element),
	};

	raise_descriptors();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
