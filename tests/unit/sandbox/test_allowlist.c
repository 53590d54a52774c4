/*
 * The rules, judged by the kernel: a child takes them as its Landlock domain and tries. First on
 * a made-up tree, then with the real git, gcc, python3, ... of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/fd.h"
#include "sandbox/allowlist.h"
#include "sandbox/elf.h"

#define STRANGER     54321
#define HANDLED      0x1fffULL /* Landlock ABI 1: every kernel that has it */
#define RUN_AND_READ (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)

static char base[64], work[96];
static const char *const system_path[] = {"/usr/local/bin", "/usr/bin", "/bin", NULL};

/* ---- small tools ---------------------------------------------------------------------------- */

static void put_bytes(const char *file, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put(const char *dir, const char *name, const char *text, mode_t mode)
{
	char file[256];

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	put_bytes(file, text, strlen(text), mode);
}

static void put_program(const char *dir, const char *name)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	char *bytes, file[256];
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 16 << 20, &bytes, &len), 0);
	snprintf(file, sizeof(file), "%s/%s", dir, name);
	put_bytes(file, bytes, len, 0755);
	free(bytes);
	close(fd);
}

static struct allowlist *build(const struct allowlist_spec *spec)
{
	struct allowlist *list = NULL;
	struct err_note note = {""};
	int fault = allowlist_build(spec, &list, &note);

	if (fault < 0)
		fail_msg("%s", note.text);
	return list;
}

static struct allowlist *build_system(const char *const *allowed)
{
	struct allowlist_spec spec = {
	    .path = system_path,
	    .allowed = allowed,
	    .tool_uid = STRANGER,
	};

	return build(&spec);
}

static bool has_text(const char *const *list, const char *part)
{
	for (; *list != NULL; list++)
		if (strstr(*list, part) != NULL)
			return true;
	return false;
}

/* The access a rule gives to exactly this file; 0 if there is no such rule. */
static uint64_t access_of(const struct allowlist *list, const char *path)
{
	uint32_t count;
	const struct cell_rule *rules = allowlist_rules(list, &count);
	struct stat wanted, st;

	assert_int_equal(stat(path, &wanted), 0);
	for (uint32_t i = 0; i < count; i++) {
		assert_int_equal(fstat(rules[i].fd, &st), 0);
		if (st.st_ino == wanted.st_ino && st.st_dev == wanted.st_dev)
			return rules[i].access;
	}
	return 0;
}

static void add_rule(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = fd};

	if (fd < 0 ||
	    syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		_exit(120);
}

/* In the child: the list's rules and what a cell adds: /proc, /dev, the work directory. */
static void enter_domain(const struct allowlist *list)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = HANDLED};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	uint64_t read = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	uint32_t count;
	const struct cell_rule *rules = allowlist_rules(list, &count);

	for (uint32_t i = 0; i < count; i++)
		add_rule(ruleset, rules[i].fd, rules[i].access);
	add_rule(ruleset, open("/proc", O_PATH | O_CLOEXEC), read);
	add_rule(ruleset, open("/dev", O_PATH | O_CLOEXEC), read | LANDLOCK_ACCESS_FS_WRITE_FILE);
	add_rule(ruleset, open(work, O_PATH | O_CLOEXEC), HANDLED & ~LANDLOCK_ACCESS_FS_EXECUTE);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		_exit(121);
}

static void exec_program(const struct program *program, const char *const *argv)
{
	static char *const envp[] = {
	    "PATH=/usr/local/bin:/usr/bin:/bin",
	    "LANG=C.UTF-8",
	    "HOME=/tmp",
	    "GIT_AUTHOR_NAME=a",
	    "GIT_AUTHOR_EMAIL=a@b",
	    "GIT_COMMITTER_NAME=a",
	    "GIT_COMMITTER_EMAIL=a@b",
	    "GIT_CONFIG_NOSYSTEM=1",
	    NULL,
	};
	char tmpdir[128], *env[16], *words[64];
	size_t count = 0, n = 0;

	for (char *const *word = program->prefix; word != NULL && *word != NULL; word++)
		words[count++] = *word;
	if (count > 0)
		argv++;
	for (; *argv != NULL && count < 60; argv++)
		words[count++] = (char *)*argv;
	words[count] = NULL;
	for (; envp[n] != NULL; n++)
		env[n] = envp[n];
	snprintf(tmpdir, sizeof(tmpdir), "TMPDIR=%s", work);
	env[n++] = tmpdir;
	env[n] = NULL;
	syscall(SYS_execveat, program->parts[program->exec_part].fd, "", words, env, AT_EMPTY_PATH);
}

/* Exit status; 100 + n: could not be started (errno n); -signal. Output goes to a file. */
static int run(const struct allowlist *list, const char *const *argv)
{
	struct program program;
	struct err_note note = {""};
	int status;
	pid_t pid;

	assert_int_equal(program_open(&program, system_path, argv[0], STRANGER, &note), 0);
	pid = fork();
	if (pid == 0) {
		int out;

		if (chdir(work) < 0)
			_exit(122);
		out = open("../out", O_WRONLY | O_CREAT | O_TRUNC, 0600);
		dup2(out, 1);
		dup2(out, 2);
		enter_domain(list);
		exec_program(&program, argv);
		_exit(100 + errno);
	}
	program_fini(&program);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

#define RUN(list, ...) run(list, (const char *const[]){__VA_ARGS__, NULL})

static void show_output(void)
{
	char file[128], text[2048];
	ssize_t len;
	int fd;

	snprintf(file, sizeof(file), "%s/out", base);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	print_message("%s\n", text);
}

static void assert_runs(int status)
{
	if (status != 0)
		show_output();
	assert_int_equal(status, 0);
}

static void need(const char *program)
{
	if (access(program, X_OK) < 0) {
		print_message("# skip: %s is not installed\n", program);
		skip();
	}
}

/* ---- a made-up tree ------------------------------------------------------------------------- */

struct tree {
	char bin[96];
	const char *path[2];
};

static void make_bins(struct tree *tree, const char *name)
{
	snprintf(tree->bin, sizeof(tree->bin), "%s/%s", base, name);
	assert_int_equal(mkdir(tree->bin, 0755), 0);
	tree->path[0] = tree->bin;
	tree->path[1] = NULL;
}

static void test_only_what_is_named(void **state)
{
	struct tree tree;
	const char *const allowed[] = {"one", "nowhere", NULL};
	struct allowlist_spec spec = {.path = tree.path, .allowed = allowed, .tool_uid = STRANGER};
	struct program program;
	struct allowlist *list;
	char one[160], two[160];

	(void)state;
	make_bins(&tree, "named");
	put_program(tree.bin, "one");
	put_program(tree.bin, "two");
	snprintf(one, sizeof(one), "%s/one", tree.bin);
	snprintf(two, sizeof(two), "%s/two", tree.bin);
	list = build(&spec);
	assert_int_equal(access_of(list, one), RUN_AND_READ);
	assert_int_equal(access_of(list, two), 0);
	assert_int_equal(access_of(list, "/bin/sh"), 0);
	assert_int_equal(access_of(list, "/lib64/ld-linux-x86-64.so.2"), RUN_AND_READ);
	assert_string_equal(allowlist_missing(list)[0], "nowhere");
	assert_null(allowlist_missing(list)[1]);
	/* That folder alone: a program below /home or /tmp does not show the rest of it. */
	assert_string_equal(allowlist_outside(list)[0], tree.bin);
	assert_null(allowlist_outside(list)[1]);
	assert_runs(RUN(list, one));
	assert_int_equal(RUN(list, two), 100 + EACCES);

	assert_int_equal(program_open(&program, tree.path, "one", STRANGER, NULL), 0);
	assert_true(allowlist_has(list, &program));
	program_fini(&program);
	assert_int_equal(program_open(&program, tree.path, "two", STRANGER, NULL), 0);
	assert_false(allowlist_has(list, &program));
	program_fini(&program);
	/* The loader has its rule, but it is nobody's command. */
	assert_int_equal(
	    program_open(&program, tree.path, "/lib64/ld-linux-x86-64.so.2", STRANGER, NULL), 0);
	assert_false(allowlist_has(list, &program));
	program_fini(&program);
	allowlist_free(list);
}

static void test_denied_wins_over_every_name(void **state)
{
	struct tree tree;
	const char *const allowed[] = {"innocent", "fine", NULL};
	const char *const denied[] = {"rm", NULL};
	struct allowlist_spec spec = {
	    .path = tree.path, .allowed = allowed, .denied = denied, .tool_uid = STRANGER};
	char rm[160], innocent[160];
	struct program program;
	struct allowlist *list;

	(void)state;
	make_bins(&tree, "denied");
	put_program(tree.bin, "rm");
	put_program(tree.bin, "fine");
	snprintf(rm, sizeof(rm), "%s/rm", tree.bin);
	snprintf(innocent, sizeof(innocent), "%s/innocent", tree.bin);
	assert_int_equal(link(rm, innocent), 0);
	list = build(&spec);
	assert_int_equal(access_of(list, innocent), 0);
	assert_true(has_text(allowlist_remarks(list), "also denied"));
	assert_int_equal(program_open(&program, tree.path, "innocent", STRANGER, NULL), 0);
	assert_false(allowlist_has(list, &program));
	program_fini(&program);
	allowlist_free(list);

	spec.allowed = NULL;
	spec.open = true;
	list = build(&spec);
	assert_int_equal(access_of(list, rm), 0);
	assert_int_equal(RUN(list, rm), 100 + EACCES);
	assert_int_equal(RUN(list, innocent), 100 + EACCES);
	snprintf(rm, sizeof(rm), "%s/fine", tree.bin);
	assert_runs(RUN(list, rm));
	assert_int_equal(RUN(list, "/usr/bin/id"), 100 + EACCES); /* not in the path */
	assert_int_equal(program_open(&program, tree.path, "innocent", STRANGER, NULL), 0);
	assert_false(allowlist_has(list, &program));
	program_fini(&program);
	assert_int_equal(program_open(&program, tree.path, "fine", STRANGER, NULL), 0);
	assert_true(allowlist_has(list, &program));
	program_fini(&program);
	allowlist_free(list);
}

static int build_fault(const struct allowlist_spec *spec, const char *text)
{
	struct allowlist *list = NULL;
	struct err_note note = {""};
	int fault = allowlist_build(spec, &list, &note);

	assert_null(list);
	assert_non_null(strstr(note.text, text));
	return fault;
}

static void test_refused_names(void **state)
{
	struct tree tree;
	const char *allowed[] = {"busybox", NULL};
	const char *helpers[] = {NULL, NULL};
	struct allowlist_spec spec = {
	    .path = tree.path,
	    .allowed = allowed,
	    .helpers = helpers,
	    .tool_uid = STRANGER,
	};
	char file[160];

	(void)state;
	make_bins(&tree, "refused");
	put_program(tree.bin, "busybox");
	assert_int_equal(build_fault(&spec, "many programs in one file"), -EACCES);
	put_program(tree.bin, "weak");
	snprintf(file, sizeof(file), "%s/weak", tree.bin);
	assert_int_equal(chmod(file, 0757), 0);
	allowed[0] = "weak";
	assert_int_equal(build_fault(&spec, "could change it"), -EACCES);
	allowed[0] = "a/b";
	assert_int_equal(build_fault(&spec, "absolute path"), -EINVAL);
	allowed[0] = NULL;
	helpers[0] = "weak";
	assert_int_equal(build_fault(&spec, "not an absolute path"), -EINVAL);
	helpers[0] = file;
	assert_int_equal(build_fault(&spec, "could change it"), -EACCES);
}

/* What came with the daemon stands in the list whoever owns it, and by name only there. */
static void test_own_programs(void **state)
{
	struct tree tree;
	char own_program[160], other[160];
	const char *own[] = {own_program, NULL};
	struct allowlist_spec spec = {.path = system_path, .own = own, .tool_uid = STRANGER};
	struct program program;
	struct allowlist *list;

	(void)state;
	make_bins(&tree, "own");
	put_program(tree.bin, "ours");
	put_program(tree.bin, "other");
	snprintf(own_program, sizeof(own_program), "%s/ours", tree.bin);
	snprintf(other, sizeof(other), "%s/other", tree.bin);
	assert_int_equal(chmod(own_program, 0757), 0); /* as if the tool's user owned it */
	assert_int_equal(program_open(&program, system_path, own_program, STRANGER, NULL), -EACCES);
	list = build(&spec);
	assert_int_equal(access_of(list, own_program), RUN_AND_READ);
	assert_int_equal(access_of(list, other), 0);
	assert_string_equal(allowlist_outside(list)[0], tree.bin);
	assert_int_equal(
	    program_open(&program, system_path, own_program, PROGRAM_TRUSTED, NULL), 0);
	assert_true(allowlist_has(list, &program));
	program_fini(&program);
	assert_int_equal(program_open(&program, system_path, other, PROGRAM_TRUSTED, NULL), 0);
	assert_false(allowlist_has(list, &program));
	program_fini(&program);
	allowlist_free(list);
	assert_int_equal(unlink(own_program), 0);
	assert_int_equal(build_fault(&spec, "ours"), -ENOENT);
}

static void test_multicall_by_wish_only(void **state)
{
	struct tree tree;
	const char *const allowed[] = {"busybox", "ls", NULL};
	struct allowlist_spec spec = {.path = tree.path, .allowed = allowed, .tool_uid = STRANGER};
	struct program program;
	struct allowlist *list;
	char busybox[160], ls[160];

	(void)state;
	make_bins(&tree, "multicall");
	put_program(tree.bin, "busybox");
	snprintf(busybox, sizeof(busybox), "%s/busybox", tree.bin);
	snprintf(ls, sizeof(ls), "%s/ls", tree.bin);
	assert_int_equal(symlink("busybox", ls), 0);
	assert_int_equal(build_fault(&spec, "multicall: true"), -EACCES);
	spec.multicall = true;
	list = build(&spec);
	assert_int_equal(access_of(list, busybox), RUN_AND_READ);
	assert_int_equal(program_open(&program, tree.path, "ls", STRANGER, NULL), 0);
	assert_true(program.multicall && program.finds && !program.data);
	assert_true(allowlist_has(list, &program));
	allowlist_free(list);

	spec.allowed = NULL;
	spec.open = true;
	list = build(&spec);
	assert_true(allowlist_has(list, &program));
	assert_int_equal(access_of(list, busybox), RUN_AND_READ);
	allowlist_free(list);
	spec.multicall = false;
	list = build(&spec);
	assert_false(allowlist_has(list, &program));
	assert_int_equal(access_of(list, busybox), 0);
	program_fini(&program);
	allowlist_free(list);
}

static void test_helpers_by_glob(void **state)
{
	struct tree tree;
	char pattern[160], file[160];
	const char *helpers[] = {pattern, "/no/such/helper-*", NULL};
	struct allowlist_spec spec = {.path = tree.path, .helpers = helpers, .tool_uid = STRANGER};
	struct allowlist *list;

	(void)state;
	make_bins(&tree, "helpers");
	put_program(tree.bin, "helper-one");
	put_program(tree.bin, "other");
	put(tree.bin, "helper-data", "no program\n", 0644);
	snprintf(pattern, sizeof(pattern), "%s/helper-*", tree.bin);
	list = build(&spec);
	snprintf(file, sizeof(file), "%s/helper-one", tree.bin);
	assert_int_equal(access_of(list, file), RUN_AND_READ);
	snprintf(file, sizeof(file), "%s/helper-data", tree.bin);
	assert_int_equal(access_of(list, file), 0);
	snprintf(file, sizeof(file), "%s/other", tree.bin);
	assert_int_equal(access_of(list, file), 0);
	assert_true(has_text(allowlist_remarks(list), "/no/such/helper-*"));
	allowlist_free(list);
}

/* A tree for the cover rule: npm's package directory with a program hidden in it. */
static void test_cover_rule(void **state)
{
	struct tree tree;
	const char *const allowed[] = {"npm-cli.js", NULL};
	struct allowlist_spec spec = {.path = tree.path, .allowed = allowed, .tool_uid = STRANGER};
	uint64_t tree_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;
	struct allowlist *list;
	char dir[160], file[256];

	(void)state;
	make_bins(&tree, "npm");
	snprintf(tree.bin, sizeof(tree.bin), "%s/npm/bin", base);
	assert_int_equal(mkdir(tree.bin, 0755), 0);
	put(tree.bin, "npm-cli.js", "#!/bin/sh\n", 0755);
	snprintf(dir, sizeof(dir), "%s/npm/clean", base);
	assert_int_equal(mkdir(dir, 0755), 0);
	put(dir, "readme", "text\n", 0644);
	snprintf(dir, sizeof(dir), "%s/npm/tainted", base);
	assert_int_equal(mkdir(dir, 0755), 0);
	put(dir, "readme", "text\n", 0644);
	put_program(dir, "tool.node"); /* an odd name and no x bit: the loader would not care */
	snprintf(file, sizeof(file), "%s/tool.node", dir);
	assert_int_equal(chmod(file, 0644), 0);
	snprintf(dir, sizeof(dir), "%s/npm/weak", base);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(chmod(dir, 0777), 0); /* a program could be put there later */

	list = build(&spec);
	assert_int_equal(access_of(list, file), 0);
	snprintf(file, sizeof(file), "%s/npm/tainted/readme", base);
	assert_int_equal(access_of(list, file), LANDLOCK_ACCESS_FS_READ_FILE);
	snprintf(file, sizeof(file), "%s/npm/clean", base);
	assert_int_equal(access_of(list, file), tree_access);
	assert_int_equal(access_of(list, dir), 0);
	snprintf(file, sizeof(file), "%s/npm", base);
	assert_int_equal(access_of(list, file), LANDLOCK_ACCESS_FS_READ_DIR);
	allowlist_free(list);
}

/* ---- the real system ------------------------------------------------------------------------ */

static void test_simple_commands(void **state)
{
	const char *const allowed[] = {"ls", "cat", "grep", NULL};
	struct allowlist *list = build_system(allowed);

	(void)state;
	put(work, "a.txt", "needle\n", 0644);
	assert_runs(RUN(list, "ls", "-l"));
	assert_runs(RUN(list, "cat", "a.txt"));
	assert_runs(RUN(list, "grep", "-r", "needle", "."));
	assert_int_equal(RUN(list, "grep", "-r", "nothing-like-it", "a.txt"), 1);
	assert_int_equal(RUN(list, "/usr/bin/id"), 100 + EACCES);
	assert_int_equal(RUN(list, "cat", "/usr/bin/id"), 1);
	assert_int_equal(RUN(list, "cat", "/etc/shadow"), 1);
	assert_int_equal(RUN(list, "cat", "/etc/passwd"), 0);
	assert_int_equal(RUN(list, "ls", "/root"), 2);
	allowlist_free(list);
}

static void test_a_shell_starts_nothing_else(void **state)
{
	const char *const allowed[] = {"sh", "cat", NULL};
	struct allowlist *list = build_system(allowed);
	char command[256], loader[160];

	(void)state;
	snprintf(loader, sizeof(loader), "/lib64/ld-linux-x86-64.so.2");
	assert_true(has_text(allowlist_interpreters(list), "sh"));
	assert_false(has_text(allowlist_interpreters(list), "cat"));
	assert_runs(RUN(list, "sh", "-c", "cat /etc/passwd >/dev/null"));
	assert_int_equal(RUN(list, "sh", "-c", "/usr/bin/id"), 126);
	assert_int_equal(RUN(list, "sh", "-c", "/proc/self/root/usr/bin/id"), 126);
	snprintf(command, sizeof(command), "%s /bin/cat /etc/passwd", loader);
	assert_runs(RUN(list, "sh", "-c", command)); /* what is allowed, the loader may run */
	snprintf(command, sizeof(command), "%s /usr/bin/id", loader);
	assert_int_not_equal(RUN(list, "sh", "-c", command), 0);
	assert_int_not_equal(RUN(list, "sh", "-c", ". /usr/bin/ldd"), 0);
	assert_int_not_equal(RUN(list, "sh", "-c", "cat </bin/rm >x; ./x"), 0);
	allowlist_free(list);
}

static void test_git(void **state)
{
	const char *const allowed[] = {"git", NULL};
	struct allowlist *list;

	(void)state;
	need("/usr/bin/git");
	list = build_system(allowed);
	assert_runs(RUN(list, "git", "--version"));
	assert_runs(RUN(list, "git", "-c", "init.defaultBranch=main", "init", "-q", "repo"));
	put(work, "repo/file", "x\n", 0644);
	assert_runs(RUN(list, "git", "-C", "repo", "add", "file"));
	assert_runs(RUN(list, "git", "-C", "repo", "commit", "-q", "-m", "one"));
	assert_runs(RUN(list, "git", "-C", "repo", "status"));
	assert_runs(RUN(list, "git", "-C", "repo", "log", "--stat"));
	put(work, "repo/file", "y\n", 0644);
	assert_runs(RUN(list, "git", "-C", "repo", "stash"));
	assert_runs(RUN(list, "git", "-C", "repo", "gc", "-q"));
	assert_true(has_text(allowlist_remarks(list), "sh is not allowed"));
	assert_int_not_equal(RUN(list, "git", "-c", "alias.x=!id", "x"), 0);
	assert_int_not_equal(RUN(list, "git", "ls-remote", "https://127.0.0.1:1/x"), 0);
	allowlist_free(list);
}

static void test_gcc(void **state)
{
	const char *const allowed[] = {"gcc", NULL};
	struct allowlist *list;

	(void)state;
	need("/usr/bin/gcc");
	list = build_system(allowed);
	put(work, "x.c",
	    "#include <stdio.h>\n#include <math.h>\n#include <linux/types.h>\n"
	    "int main(int c, char **v) { return printf(\"%s %f\\n\", v[0], sin(c)) < 0; }\n",
	    0644);
	assert_runs(RUN(list, "gcc", "-O2", "-o", "x", "x.c", "-lm"));
	assert_runs(RUN(list, "gcc", "-flto", "-o", "x", "x.c", "-lm"));
	assert_int_equal(RUN(list, "/usr/bin/objdump", "-d", "x"), 100 + EACCES);
	allowlist_free(list);
}

static void test_gxx(void **state)
{
	const char *const allowed[] = {"g++", NULL};
	struct allowlist *list;

	(void)state;
	need("/usr/bin/g++");
	list = build_system(allowed);
	put(work, "y.cc",
	    "#include <iostream>\n#include <vector>\n"
	    "int main() { std::vector<int> v{1}; std::cout << v.size() << std::endl; }\n",
	    0644);
	assert_runs(RUN(list, "g++", "-o", "y", "y.cc"));
	allowlist_free(list);
}

static void test_python(void **state)
{
	const char *const allowed[] = {"python3", NULL};
	struct allowlist *list;

	(void)state;
	need("/usr/bin/python3");
	list = build_system(allowed);
	put(work, "test_tiny.py",
	    "import unittest, json, ssl, hashlib, ctypes, sqlite3, subprocess\n"
	    "class T(unittest.TestCase):\n"
	    " def test_one(self):\n"
	    "  self.assertEqual(json.loads('[1]'), [1])\n"
	    " def test_nothing_else_runs(self):\n"
	    "  for argv in (['/usr/bin/id'], ['/lib64/ld-linux-x86-64.so.2', '/usr/bin/id']):\n"
	    "   try: self.assertNotEqual(subprocess.run(argv, capture_output=True).returncode, 0)\n"
	    "   except PermissionError: pass\n",
	    0644);
	assert_runs(RUN(list, "python3", "-m", "unittest", "test_tiny"));
	assert_true(has_text(allowlist_remarks(list), "shell=True"));
	allowlist_free(list);
}

static void test_perl_make_node(void **state)
{
	const char *const allowed[] = {"perl", "make", "node", "echo", NULL};
	struct allowlist *list = build_system(allowed);

	(void)state;
	if (access("/usr/bin/perl", X_OK) == 0)
		assert_runs(
		    RUN(list, "perl", "-MPOSIX", "-MData::Dumper", "-e", "print Dumper(1)"));
	put(work, "Makefile", "all:\n\techo one\n", 0644);
	if (access("/usr/bin/make", X_OK) == 0)
		assert_runs(RUN(list, "make", "-f", "Makefile"));
	put(work, "Makefile", "all:\n\techo one; echo two\n", 0644);
	if (access("/usr/bin/make", X_OK) == 0)
		assert_int_not_equal(RUN(list, "make", "-f", "Makefile"), 0); /* sh is not there */
	if (access("/usr/bin/node", X_OK) == 0)
		assert_runs(RUN(list, "node", "-e", "require('crypto'); console.log(1)"));
	allowlist_free(list);
}

static void test_npm(void **state)
{
	const char *const allowed[] = {"npm", NULL};
	struct allowlist *list;

	(void)state;
	need("/usr/bin/npm");
	list = build_system(allowed);
	assert_runs(RUN(list, "npm", "--version"));
	allowlist_free(list);
}

/* ---- the property: nothing runnable is readable but what is granted -------------------------- */

static const struct allowlist *judged;
static struct buf shut; /* names of runnable files without a rule, each ended by NUL */

static int collect(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	bool runnable = false;
	int fd;

	(void)st;
	if (type != FTW_F)
		return 0;
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return 0;
	assert_int_equal(elf_is_runnable(fd, name + ftw->base, &runnable), 0);
	close(fd);
	if (runnable && access_of(judged, name) == 0)
		buf_put(&shut, name, strlen(name) + 1);
	return 0;
}

/* Opens every collected file from inside. 0: all were refused. */
static int open_all(void)
{
	const char *name = (const char *)shut.data;
	const char *end = name + shut.len;

	enter_domain(judged);
	for (; name < end; name += strlen(name) + 1) {
		if (open(name, O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES)
			continue;
		fprintf(stderr, "%s can be read\n", name);
		return 1;
	}
	return 0;
}

static void test_no_other_program_is_readable(void **state)
{
	static const char *const dirs[] = {
	    "/usr/bin",
	    "/usr/sbin",
	    "/usr/libexec",
	    "/usr/lib/git-core",
	    "/usr/lib/gcc",
	    "/usr/lib/x86_64-linux-gnu",
	    "/usr/lib/python3",
	    "/usr/lib/node_modules",
	};
	const char *const allowed[] = {"git", "gcc", "python3", "npm", "perl", "bash", NULL};
	struct allowlist *list = build_system(allowed);
	int status;
	pid_t pid;

	(void)state;
	judged = list;
	buf_init(&shut, 4 << 20);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		nftw(dirs[i], collect, 32, FTW_PHYS);
	assert_int_equal(shut.fault, 0);
	assert_true(shut.len > 1000);
	pid = fork();
	if (pid == 0)
		_exit(open_all());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	buf_fini(&shut);
	allowlist_free(list);
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_no_descriptor_is_left(void **state)
{
	const char *const allowed[] = {"git", "python3", NULL};
	int before = count_fds();
	struct rlimit old, few;
	struct allowlist *list = build_system(allowed);
	struct allowlist_spec spec = {
	    .path = system_path,
	    .allowed = allowed,
	    .tool_uid = STRANGER,
	};

	(void)state;
	allowlist_free(list);
	assert_int_equal(count_fds(), before);
	/* Too few descriptors end in words, never in a shorter list. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	few = old;
	for (few.rlim_cur = 3; few.rlim_cur < 60; few.rlim_cur++) {
		struct err_note note = {""};
		int fault;

		setrlimit(RLIMIT_NOFILE, &few);
		fault = allowlist_build(&spec, &list, &note);
		setrlimit(RLIMIT_NOFILE, &old);
		assert_int_equal(fault, -EMFILE);
		assert_non_null(strstr(note.text, "RLIMIT_NOFILE"));
		assert_int_equal(count_fds(), before);
	}
}

static int make_tree(void **state)
{
	(void)state;
	umask(022);
	snprintf(base, sizeof(base), "/tmp/callgate-allowlist-XXXXXX");
	if (mkdtemp(base) == NULL || chmod(base, 0755) < 0)
		return -1;
	snprintf(work, sizeof(work), "%s/work", base);
	return mkdir(work, 0755);
}

static int remove_one(const char *name, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(name);
}

static int remove_tree(void **state)
{
	(void)state;
	return nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* An open list holds a descriptor per program of the path; so does the warden, which raises its own
 * limit at start. */
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
	raise_descriptors();

	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_only_what_is_named),
	    cmocka_unit_test(test_denied_wins_over_every_name),
	    cmocka_unit_test(test_refused_names),
	    cmocka_unit_test(test_own_programs),
	    cmocka_unit_test(test_multicall_by_wish_only),
	    cmocka_unit_test(test_helpers_by_glob),
	    cmocka_unit_test(test_cover_rule),
	    cmocka_unit_test(test_simple_commands),
	    cmocka_unit_test(test_a_shell_starts_nothing_else),
	    cmocka_unit_test(test_git),
	    cmocka_unit_test(test_gcc),
	    cmocka_unit_test(test_gxx),
	    cmocka_unit_test(test_python),
	    cmocka_unit_test(test_perl_make_node),
	    cmocka_unit_test(test_npm),
	    cmocka_unit_test(test_no_other_program_is_readable),
	    cmocka_unit_test(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
