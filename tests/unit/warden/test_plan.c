/* The plan and its digest: everything that could make a difference makes one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/time.h>

#include "supervisor/warden/plan.h"
#include "tests/unit/warden/rig.h"

#define POLICY                                                                                     \
	"version: 1\n"                                                                             \
	"defaults: {decision: allow}\n"                                                            \
	"roles: {all: {tools: [\"*\"]}}\n"                                                         \
	"principals: [{peer_uid: 7, roles: [all]}]\n"                                              \
	"namespaces: {default: {working_directory: ./ws}, other: {working_directory: ./ws2}}\n"    \
	"tools:\n"                                                                                 \
	"  one: {type: command, deny_by_default: true,"                                            \
	" allowed_commands: [cat, sh, bash, sed, tar, env, make, python3, perl, sort, grep]}\n"    \
	"  two: {type: command, deny_by_default: true, allowed_commands: [cat, sh]}\n"             \
	"  small: {type: command, deny_by_default: true, allowed_commands: [cat, sh],"             \
	" sandbox: {memory: 64MiB}}\n"                                                             \
	"  odd: {type: command, deny_by_default: true, allowed_commands: [cat],"                   \
	" max_execution_time: 1500ms, sandbox: {memory: 4194305, pids: 1, disk: 1GiB}}\n"          \
	"  long: {type: command, deny_by_default: true, allowed_commands: [cat],"                  \
	" max_execution_time: 120m, sandbox: {memory: 1537MiB, disk: 65KiB}}\n"

static struct rig rig;
static struct tools *tools;
static struct hashes hashes;
static struct buf warnings;
static struct planner planner = {.hashes = &hashes, .env_key = {1, 2, 3}};

static struct plan_input input_of(const char **argv, uint32_t argc)
{
	return (struct plan_input){
	    .call = "c1",
	    .tool = "one",
	    .agent = "",
	    .space = "default",
	    .principal = "uid:7",
	    .cwd = "",
	    .argv = {argv, argc},
	    .policy = tools->config->version,
	};
}

static int setup(void **state)
{
	/* Not the uid of this test: programs that the tool could write would be refused. */
	struct cell_host host = {.uid = 65534, .gid = 65534};
	struct tools_spec spec = {
	    .host = &host, .user = "tester", .hashes = &hashes, .warnings = &warnings};
	struct err_note note = {""};

	(void)state;
	buf_init(&warnings, 65536);
	rig_make(&rig);
	rig_dir(&rig, "ws");
	rig_dir(&rig, "ws/sub");
	rig_dir(&rig, "ws2");
	rig_dir(&rig, "outside");
	rig_file(&rig, "ws/s.sh", "echo 1\n", 0644);
	rig_file(&rig, "ws/a.txt", "text\n", 0644);
	rig_file(&rig, "outside/o.sh", "echo o\n", 0644);
	assert_int_equal(symlink("../outside", rig_path(&rig, "ws/out")), 0);
	assert_int_equal(symlink("s.sh", rig_path(&rig, "ws/link.sh")), 0);
	if (tools_build(rig_config(&rig, POLICY), &spec, &tools, &note))
		fail_msg("%s", note.text);
	planner.tools = tools;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tools_free(tools);
	buf_fini(&warnings);
	rig_remove(&rig);
	return 0;
}

static struct digest digest_for(const struct plan_input *input)
{
	struct plan plan;
	struct err_note note = {""};
	struct digest digest;

	if (plan_make(&planner, input, &plan, &note))
		fail_msg("%s", note.text);
	digest = plan.digest;
	plan_fini(&plan);
	return digest;
}

static void refused(const struct plan_input *input, int expected, const char *word)
{
	struct plan plan;
	struct err_note note = {""};

	assert_int_equal(plan_make(&planner, input, &plan, &note), expected);
	if (!strstr(note.text, word))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, word);
}

static void the_same_input_has_the_same_digest(void **state)
{
	const char *argv[] = {"cat", "a.txt"};
	struct plan_input input = input_of(argv, 2);
	struct digest first = digest_for(&input), second = digest_for(&input);

	(void)state;
	assert_true(digest_equal(&first, &second));
	assert_false(digest_is_zero(&first));
	input.call = "c2"; /* a name of the request, not of what runs */
	second = digest_for(&input);
	assert_true(digest_equal(&first, &second));
}

static void every_field_changes_the_digest(void **state)
{
	const char *argv[] = {"cat", "a.txt"}, *longer[] = {"cat", "a.txt", ""};
	const char *joined[] = {"cat", "a.txta"}, *split[] = {"cat", "a.", "txt"};
	const char *other[] = {"sh", "a.txt"}, *absolute[] = {"/usr/bin/cat", "a.txt"};
	struct plan_input base = input_of(argv, 2), inputs[16];
	struct digest digests[16];
	int count = 0;

	(void)state;
#define WITH(change)                                                                               \
	do {                                                                                       \
		inputs[count] = base;                                                              \
		inputs[count].change;                                                              \
		count++;                                                                           \
	} while (0)
	WITH(call = "c1");
	WITH(tool = "two");
	WITH(tool = "small");
	WITH(agent = "coder");
	WITH(space = "other");
	WITH(principal = "uid:8");
	WITH(cwd = "sub");
	WITH(argv = ((struct strv){longer, 3}));
	WITH(argv = ((struct strv){joined, 2}));
	WITH(argv = ((struct strv){split, 3}));
	WITH(argv = ((struct strv){other, 2}));
	WITH(argv = ((struct strv){absolute, 2}));
	WITH(stdin_kind = STDIN_SEALED);
	WITH(stdin_kind = STDIN_SEALED);
	inputs[count - 1].stdin_digest.bytes[31] = 1;
	for (int i = 0; i < count; i++) {
		digests[i] = digest_for(&inputs[i]);
		for (int j = 0; j < i; j++)
			if (digest_equal(&digests[i], &digests[j]))
				fail_msg("inputs %d and %d share a digest", i, j);
	}
}

static void environment_values_change_the_digest(void **state)
{
	const char *argv[] = {"cat"};
	struct plan_input input = input_of(argv, 1);
	struct digest before = digest_for(&input), after;
	char *kept = tools->env[4];

	(void)state;
	tools->env[4] = "USER=someone";
	after = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	tools->env[4] = "USE=Rsomeone";
	before = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	tools->env[4] = kept;
}

/* No byte string that one plan writes is the beginning of another's, and each field is framed. */
static void the_bytes_are_framed(void **state)
{
	const char *argv[] = {"cat", "a.txt"};
	struct plan_input input = input_of(argv, 2);
	struct err_note note = {""};
	struct plan plan;
	struct buf bytes;
	struct reader reader;
	int fields = 0;

	(void)state;
	buf_init(&bytes, 65536);
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_int_equal(plan_bytes(&bytes, &planner, &input, &plan), 0);
	reader_init(&reader, bytes.data, bytes.len);
	while (reader.left) {
		size_t len;

		assert_true(reader_u8(&reader) != 0);
		(void)reader_bytes(&reader, &len);
		assert_int_equal(reader.fault, 0);
		fields++;
	}
	assert_true(fields > 30);
	plan_fini(&plan);
	buf_fini(&bytes);
}

static void another_policy_voids(void **state)
{
	const char *argv[] = {"cat"};
	struct plan_input input = input_of(argv, 1);

	(void)state;
	input.policy.bytes[0] ^= 1;
	refused(&input, PLAN_VOID, "policy");
}

static void cwd_cannot_leave(void **state)
{
	static const char *const bad[] = {"..", "../outside", "sub/../..", "out", "/", "/etc",
	    "/proc/self/root", "missing", "a.txt"};
	const char *argv[] = {"cat"};
	struct plan_input input = input_of(argv, 1);
	char absolute[256];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		input.cwd = bad[i];
		refused(&input, PLAN_REFUSED, "cwd");
	}
	snprintf(absolute, sizeof(absolute), "%s", rig_path(&rig, "ws/../outside"));
	input.cwd = absolute;
	refused(&input, PLAN_REFUSED, "cwd");
	snprintf(absolute, sizeof(absolute), "%s", rig_path(&rig, "ws/sub"));
	(void)digest_for(&input);
}

static void only_listed_programs(void **state)
{
	static const char *const bad[] = {
	    "id", "/usr/bin/id", "./s.sh", "sub/x", "nonexistent", ""};
	const char *argv[1];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct plan_input input = input_of(argv, 1);

		argv[0] = bad[i];
		refused(&input, PLAN_REFUSED, bad[i]);
	}
}

static void unknown_names_are_refused(void **state)
{
	const char *argv[] = {"cat"};
	struct plan_input input = input_of(argv, 1);

	(void)state;
	input.tool = "three";
	refused(&input, PLAN_REFUSED, "no such tool");
	input = input_of(argv, 1);
	input.space = "nowhere";
	refused(&input, PLAN_REFUSED, "no such namespace");
	input = input_of(argv, 0);
	refused(&input, PLAN_REFUSED, "no program");
}

static void a_script_is_part_of_the_plan(void **state)
{
	const char *argv[] = {"sh", "-e", "s.sh", "a.txt"};
	struct plan_input input = input_of(argv, 4);
	struct err_note note = {""};
	struct plan plan;
	struct digest before = digest_for(&input), after;

	(void)state;
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_string_equal(plan.script.path, rig_path(&rig, "ws/s.sh"));
	assert_true(plan.unseen); /* what it sources is not named */
	assert_int_equal(plan_recheck(&plan, &note), 0);
	/* The same length, in place: the launch that comes now must not run it. */
	rig_file(&rig, "ws/s.sh", "echo 2\n", 0644);
	assert_int_equal(plan_recheck(&plan, &note), -ESTALE);
	plan_fini(&plan);
	after = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	rig_file(&rig, "ws/s.sh", "echo 1\n", 0644);
	after = digest_for(&input);
	assert_true(digest_equal(&before, &after));
}

static void a_script_behind_a_link_is_seen(void **state)
{
	const char *argv[] = {"sh", "link.sh"};
	struct plan_input input = input_of(argv, 2);
	struct err_note note = {""};
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_string_equal(plan.script.path, rig_path(&rig, "ws/s.sh"));
	plan_fini(&plan);
	/* Not of the workspace: the cell cannot see it either. */
	argv[1] = "out/o.sh";
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_null(plan.script.path);
	plan_fini(&plan);
}

static struct plan plan_for(const char *line, struct buf *text)
{
	char *words = strdup(line), *rest = words, *word;
	const char *argv[16];
	struct plan_input input = input_of(argv, 0);
	struct err_note note = {""};
	struct plan plan;

	while ((word = strsep(&rest, "\t")))
		argv[input.argv.count++] = word;
	if (plan_make(&planner, &input, &plan, &note))
		fail_msg("%s: %s", line, note.text);
	buf_init(text, PLAN_TEXT_MAX);
	assert_int_equal(plan_text(text, &input, &plan), 0);
	free(words);
	return plan;
}

/* What of the workspace the text says is read, and whether more is. */
static void reads(const char *line, const char *script, const char *files, bool unseen)
{
	static const char sentence[] = "may run files that are not part of this plan\n";
	char got[512] = "";
	struct buf text;
	struct plan plan = plan_for(line, &text);

	for (uint32_t i = 0; i < plan.files.count; i++) {
		const char *path = plan.files.items[i].path + strlen(rig_path(&rig, "ws/"));
		char shown[300];

		snprintf(got + strlen(got), sizeof(got) - strlen(got), " %s", path);
		snprintf(shown, sizeof(shown), "reads       ./%s sha256:", path);
		if (strcmp(path, script) && !strstr(buf_cstr(&text), shown))
			fail_msg("%s: not shown: %s", line, path);
	}
	assert_string_equal(got[0] ? got + 1 : got, files);
	assert_string_equal(plan.script.path ? strrchr(plan.script.path, '/') + 1 : "", script);
	if (plan.unseen != unseen || (strstr(buf_cstr(&text), sentence) != NULL) != unseen)
		fail_msg("%s: says %s", line, buf_cstr(&text));
	plan_fini(&plan);
	buf_fini(&text);
}

static void every_file_that_is_named_is_read(void **state)
{
	(void)state;
	rig_file(&rig, "ws/ignore", "decoy\n", 0644);
	rig_file(&rig, "ws/s.py", "print(1)\n", 0644);
	rig_file(&rig, "ws/sub/in.txt", "x\n", 0644);
	reads("sort\ta.txt\tsub\tmissing\t../outside/o.sh\tout/o.sh", "", "a.txt", false);
	reads("sort\ta.txt\t./a.txt\tsub/../a.txt", "", "a.txt", false);
	reads("sort\t--from=a.txt\tif=s.py\t-os.sh\t@ignore", "", "a.txt s.py s.sh ignore", false);
	reads("sort\tcat a.txt s.sh", "", "", false); /* no interpreter: a word is a word */
	/* Known to run nothing: a log may grow between decision and start. */
	reads("cat\ta.txt\ts.sh", "", "", false);
	reads("grep\t-f\ta.txt\ts.sh", "", "", false);
	/* The decoy may be taken for the script, but what runs is in the plan too. */
	reads("python3\t-W\tignore\ts.py", "ignore", "ignore s.py", true);
	reads("python3\ts.py\ta.txt", "s.py", "s.py a.txt", true);
	reads("python3\t-m\ts", "", "", true);
	reads("python3", "", "", true);
	reads("python3\t-\ta.txt", "", "a.txt", true);
	reads("python3\t-c\texec(open('s.py').read())\ta.txt", "", "s.py a.txt", true);
	reads("perl\t-ne\tprint\ta.txt", "", "a.txt", true);
	reads("sh\t/usr/share/x.sh\ta.txt", "", "a.txt", true);
	reads("sh\t-o\terrexit\t--\ts.sh\ta.txt", "s.sh", "s.sh a.txt", true);
	reads("sh\t-c\tsh ./s.sh; ls", "", "s.sh", true);
	reads("sh\t-c\t. ./s.sh", "", "s.sh", true);
	reads("sh\t-c\tcat <a.txt|sed x>sub/in.txt", "", "a.txt sub/in.txt", true);
	reads("sh\t-c\tcat a.txt | wc -l", "", "a.txt", false);
	reads("sh\t-ec\t-x\tsh $x", "", "", true);
	/* Forms that hid the code from whoever guessed at options. */
	reads("bash\t-c\t-o\tposix\t. ./x\\.sh", "", "", true);
	reads("sh\t-co\tposix\tls", "", "", true);
	reads("env\t-Ssh x\".sh\"", "", "", true);
	reads("sed\t-n\t-f\t/proc/self/cwd/x.sed", "", "", true);
	reads("sh\t-c\tgit -c 'alias.x=!sh ./x' x", "", "", true);
	reads("sh\t-s\ta.txt", "", "a.txt", true);
	reads("make\tall", "", "", true);
	reads("env\tpython3\ts.py", "", "s.py", true);
	reads("env\tA=a.txt\tcat\ts.sh", "", "a.txt s.sh", true);
}

/* Their operands are data, which they write. */
static void only_readers_of_code_have_a_script(void **state)
{
	(void)state;
	reads("sed\t-i\ts/a/b/\ta.txt", "", "a.txt", true);
	reads("tar\t-cf\ta.txt\ts.py", "", "a.txt s.py", true);
	reads("bash\ts.sh", "s.sh", "s.sh", true);
}

static void a_named_file_that_changes_voids(void **state)
{
	const char *argv[] = {"sh", "-c", "sh ./s.sh; ls"};
	struct plan_input input = input_of(argv, 3);
	struct err_note note = {""};
	struct digest before = digest_for(&input), after;
	struct plan plan;

	(void)state;
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_int_equal(plan_recheck(&plan, &note), 0);
	rig_file(&rig, "ws/s.sh", "echo 3\n", 0644);
	assert_int_equal(plan_recheck(&plan, &note), -ESTALE);
	plan_fini(&plan);
	after = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	assert_int_equal(unlink(rig_path(&rig, "ws/s.sh")), 0);
	after = digest_for(&input);
	assert_false(digest_equal(&before, &after));
	rig_file(&rig, "ws/s.sh", "echo 1\n", 0644);
}

static void what_cannot_be_hashed_is_told_or_refused(void **state)
{
	const char *argv[PLAN_FILES_MAX + 2] = {"python3", "s.py", "big"};
	static char names[PLAN_FILES_MAX + 1][16];
	struct plan_input input = input_of(argv, 3);
	struct buf text;
	struct plan plan;

	(void)state;
	rig_file(&rig, "ws/big", "", 0644);
	assert_int_equal(truncate(rig_path(&rig, "ws/big"), PLAN_FILES_BYTES + 1), 0);
	refused(&input, PLAN_REFUSED, "big: too large");
	plan = plan_for("tar\t-tf\tbig", &text);
	assert_non_null(strstr(buf_cstr(&text), "not part of the digest: ./big (too large)\n"));
	plan_fini(&plan);
	buf_fini(&text);
	for (int i = 0; i <= PLAN_FILES_MAX; i++) {
		char name[32];

		snprintf(names[i], sizeof(names[i]), "many%d", i);
		snprintf(name, sizeof(name), "ws/many%d", i);
		rig_file(&rig, name, "x", 0644);
		argv[i + 1] = names[i];
	}
	input.argv.count = PLAN_FILES_MAX + 2;
	refused(&input, PLAN_REFUSED, "more files");
	input.argv.count--;
	(void)digest_for(&input);
	argv[0] = "cat";
	input.argv.count++;
	(void)digest_for(&input);
}

static void the_working_directory_must_be_the_same_one(void **state)
{
	const char *argv[] = {"cat"};
	struct plan_input input = input_of(argv, 1);

	(void)state;
	input.space = "other";
	assert_int_equal(rename(rig_path(&rig, "ws2"), rig_path(&rig, "ws3")), 0);
	refused(&input, PLAN_REFUSED, "ws2");
	assert_int_equal(symlink("outside", rig_path(&rig, "ws2")), 0);
	refused(&input, PLAN_REFUSED, "ws2");
	assert_int_equal(unlink(rig_path(&rig, "ws2")), 0);
	assert_int_equal(rename(rig_path(&rig, "ws3"), rig_path(&rig, "ws2")), 0);
	(void)digest_for(&input);
}

static void the_text_is_for_people(void **state)
{
	const char *argv[] = {"cat", "a\x1b[31m\nb.txt", "c d"};
	struct plan_input input = input_of(argv, 3);
	struct err_note note = {""};
	struct plan plan;
	struct buf text;

	(void)state;
	buf_init(&text, PLAN_TEXT_MAX);
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_int_equal(plan_text(&text, &input, &plan), 0);
	assert_non_null(strstr(buf_cstr(&text), "/cat sha256:"));
	assert_non_null(strstr(buf_cstr(&text), "'c d'"));
	assert_null(strchr(buf_cstr(&text), '\x1b'));
	assert_null(strstr(buf_cstr(&text), "\nb.txt"));
	plan_fini(&plan);
	buf_fini(&text);
}

/* Quantities are said as a policy writes them. */
static void limits_are_said_in_units(void **state)
{
	static const struct {
		const char *tool, *line;
	} cases[] = {
	    {"one", "limits      time 60s, memory 512MiB, /tmp 64MiB, processes 128\n"},
	    {"small", "limits      time 60s, memory 64MiB, /tmp 64MiB, processes 128\n"},
	    {"odd", "limits      time 1500ms, memory 4194305 bytes, /tmp 1GiB, processes 1\n"},
	    {"long", "limits      time 2h, memory 1537MiB, /tmp 65KiB, processes 128\n"},
	};
	const char *argv[] = {"cat"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct plan_input input = input_of(argv, 1);
		struct err_note note = {""};
		struct plan plan;
		struct buf text;

		input.tool = cases[i].tool;
		buf_init(&text, PLAN_TEXT_MAX);
		assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
		assert_int_equal(plan_text(&text, &input, &plan), 0);
		if (!strstr(buf_cstr(&text), cases[i].line))
			fail_msg("%s in\n%s", cases[i].line, buf_cstr(&text));
		plan_fini(&plan);
		buf_fini(&text);
	}
}

static void a_long_command_is_cut_not_lost(void **state)
{
	static char word[20000];
	const char *argv[] = {"cat", "-n", word, "last"};
	struct plan_input input = input_of(argv, 4);
	struct err_note note = {""};
	struct plan plan;
	struct buf text;

	(void)state;
	memset(word, 'x', sizeof(word) - 1);
	buf_init(&text, PLAN_TEXT_MAX);
	assert_int_equal(plan_make(&planner, &input, &plan, &note), 0);
	assert_int_equal(plan_text(&text, &input, &plan), 0);
	assert_non_null(strstr(buf_cstr(&text), "cut: 2 more words"));
	plan_fini(&plan);
	buf_fini(&text);
}

/* A file changed within the clock's grain could keep its stamp: fresh files are hashed again. */
static void fresh_files_are_not_remembered(void **state)
{
	struct hashes cache = {.count = 0};
	struct program_stamp stamp;
	struct digest first, second;
	int fd = open(rig_path(&rig, "ws/a.txt"), O_RDONLY);

	(void)state;
	assert_int_equal(hashes_of(&cache, fd, 1000, &stamp, &first), 0);
	assert_int_equal(cache.count, 0);
	assert_int_equal(hashes_of(&cache, fd, 4, &stamp, &second), -EFBIG);
	close(fd);
	fd = open("/etc/passwd", O_RDONLY);
	if (hashes_of(&cache, fd, 1 << 20, &stamp, &second) == 0 && cache.count)
		assert_int_equal(hashes_of(&cache, fd, 1 << 20, &stamp, &first), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_same_input_has_the_same_digest),
	    cmocka_unit_test(every_field_changes_the_digest),
	    cmocka_unit_test(environment_values_change_the_digest),
	    cmocka_unit_test(the_bytes_are_framed),
	    cmocka_unit_test(another_policy_voids),
	    cmocka_unit_test(cwd_cannot_leave),
	    cmocka_unit_test(only_listed_programs),
	    cmocka_unit_test(unknown_names_are_refused),
	    cmocka_unit_test(a_script_is_part_of_the_plan),
	    cmocka_unit_test(a_script_behind_a_link_is_seen),
	    cmocka_unit_test(every_file_that_is_named_is_read),
	    cmocka_unit_test(only_readers_of_code_have_a_script),
	    cmocka_unit_test(a_named_file_that_changes_voids),
	    cmocka_unit_test(what_cannot_be_hashed_is_told_or_refused),
	    cmocka_unit_test(the_working_directory_must_be_the_same_one),
	    cmocka_unit_test(the_text_is_for_people),
	    cmocka_unit_test(limits_are_said_in_units),
	    cmocka_unit_test(a_long_command_is_cut_not_lost),
	    cmocka_unit_test(fresh_files_are_not_remembered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
