/* program_open() on a made-up tree: what is found, what is refused, how scripts are followed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "sandbox/allowlist.h"
#include "sandbox/elf.h"

#define STRANGER 54321 /* a uid that owns nothing here */

static char base[64], first[96], second[96];
static const char *path[3];

static char *at(const char *dir, const char *name)
{
	static char out[8][256];
	static unsigned turn;
	char *text = out[turn++ % 8];

	snprintf(text, 256, "%s/%s", dir, name);
	return text;
}

static void put_bytes(const char *file, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void put(const char *dir, const char *name, const char *text)
{
	put_bytes(at(dir, name), text, strlen(text), 0755);
}

/* A copy of a small real program. */
static void put_program(const char *dir, const char *name, mode_t mode)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	char *bytes;
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 16 << 20, &bytes, &len), 0);
	put_bytes(at(dir, name), bytes, len, mode);
	free(bytes);
	close(fd);
}

static int open_as(struct program *ret, const char *name, uid_t uid)
{
	struct err_note note = {""};
	int fault = program_open(ret, path, name, uid, &note);

	if (fault < 0)
		assert_true(note.text[0] != '\0' || *name == '\0');
	return fault;
}

static int result(const char *name)
{
	struct program program;
	int fault = open_as(&program, name, STRANGER);

	if (fault == 0)
		program_fini(&program);
	return fault;
}

static void assert_words(char *const *words, const char *expected)
{
	char joined[1024] = "";

	for (; words != NULL && *words != NULL; words++) {
		size_t len = strlen(joined);

		snprintf(joined + len, sizeof(joined) - len, "%s%s", len > 0 ? "|" : "", *words);
	}
	assert_string_equal(joined, expected);
}

static void test_finds_the_first_executable(void **state)
{
	struct program program;

	(void)state;
	put_program(first, "tool", 0644); /* not executable: passed over, as execvp does */
	put_program(second, "tool", 0755);
	assert_int_equal(open_as(&program, "tool", STRANGER), 0);
	assert_string_equal(program.parts[0].path, at(second, "tool"));
	assert_int_equal(program.part_count, 2);
	assert_int_equal(program.exec_part, 0);
	assert_true(program.parts[1].loader);
	assert_null(program.prefix);
	assert_true(program.parts[0].stamp.size > 0);
	assert_true(program.parts[0].stamp.mtime_ns > 0);
	program_fini(&program);
	assert_int_equal(result(at(second, "tool")), 0);
}

static void test_names_that_lead_nowhere(void **state)
{
	(void)state;
	assert_int_equal(result("no-such-tool"), -ENOENT);
	assert_int_equal(result(""), -ENOENT);
	assert_int_equal(result("sub/tool"), -EINVAL);
	assert_int_equal(result("./tool"), -EINVAL);
	assert_int_equal(result("../bin/tool"), -EINVAL);
	assert_int_equal(result(at(first, "no-such-tool")), -ENOENT);
	assert_int_equal(result("/proc/self/exe"), -ELOOP);
	assert_int_equal(result("/tmp"), -EACCES);
	assert_int_equal(result("/dev/null"), -EACCES);
	put_program(first, "plain", 0644);
	assert_int_equal(result("plain"), -EACCES);
}

static void test_links_are_followed_to_the_file(void **state)
{
	struct program program;

	(void)state;
	put_program(second, "real-1.0", 0755);
	assert_int_equal(symlink("../b/real-1.0", at(first, "real")), 0);
	assert_int_equal(open_as(&program, "real", STRANGER), 0);
	assert_string_equal(program.parts[0].path, at(second, "real-1.0"));
	program_fini(&program);
	assert_int_equal(symlink("circle", at(first, "circle")), 0);
	assert_int_equal(result("circle"), -ENOENT);
}

static void test_what_the_tool_could_change_is_refused(void **state)
{
	struct program program;
	char deep[128], inner[128];

	(void)state;
	snprintf(deep, sizeof(deep), "%s/deep", base);
	snprintf(inner, sizeof(inner), "%s/deep/inner", base);
	put_program(first, "open", 0777);
	assert_int_equal(result("open"), -EACCES);
	put_program(first, "group", 0775);
	assert_int_equal(result("group"), -EACCES);
	put_program(first, "mine", 0755);
	assert_int_equal(open_as(&program, "mine", geteuid()), -EACCES);
	assert_int_equal(result("mine"), 0);

	assert_int_equal(mkdir(deep, 0755), 0);
	assert_int_equal(mkdir(inner, 0755), 0);
	put_program(inner, "far", 0755);
	assert_int_equal(result(at(inner, "far")), 0);
	assert_int_equal(chmod(inner, 0777), 0);
	assert_int_equal(result(at(inner, "far")), -EACCES);
	assert_int_equal(chmod(inner, 01777), 0); /* sticky: it cannot be taken away */
	assert_int_equal(result(at(inner, "far")), 0);
	assert_int_equal(chmod(inner, 0755), 0);
	assert_int_equal(chmod(deep, 0777), 0); /* the whole directory could be swapped */
	assert_int_equal(result(at(inner, "far")), -EACCES);
	assert_int_equal(chmod(deep, 0755), 0);
}

static void test_script_runs_its_interpreter(void **state)
{
	struct program program;
	char expected[512];

	(void)state;
	put(first, "script", "#!/bin/sh\necho hello\n");
	assert_int_equal(open_as(&program, "script", STRANGER), 0);
	assert_int_equal(program.part_count, 3);
	assert_true(program.parts[0].script);
	assert_int_equal(program.exec_part, 1);
	assert_true(program.parts[2].loader);
	assert_true(program.interpreter);
	snprintf(expected, sizeof(expected), "/bin/sh|%s", at(first, "script"));
	assert_words(program.prefix, expected);
	program_fini(&program);

	put(first, "script", "#! /bin/sh  -e -u \t\necho hello\n");
	assert_int_equal(open_as(&program, "script", STRANGER), 0);
	snprintf(expected, sizeof(expected), "/bin/sh|-e -u|%s", at(first, "script"));
	assert_words(program.prefix, expected);
	program_fini(&program);

	put(first, "short", "#!/bin/sh"); /* no newline, end of file */
	assert_int_equal(result("short"), 0);
}

static void test_scripts_of_scripts(void **state)
{
	struct program program;
	char text[256], expected[512];

	(void)state;
	put(first, "s1", "#!/bin/sh -e\n");
	for (int i = 2; i <= 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", i);
		snprintf(text, sizeof(text), "#!%s/s%d -%d\n", first, i - 1, i);
		put(first, name, text);
	}
	assert_int_equal(open_as(&program, "s2", STRANGER), 0);
	assert_int_equal(program.exec_part, 2);
	snprintf(
	    expected, sizeof(expected), "/bin/sh|-e|%s|-2|%s", at(first, "s1"), at(first, "s2"));
	assert_words(program.prefix, expected);
	program_fini(&program);
	assert_int_equal(result("s4"), 0);
	assert_int_equal(result("s5"), -ELOOP);

	snprintf(text, sizeof(text), "#!%s\n", at(first, "self"));
	put(first, "self", text);
	assert_int_equal(result("self"), -ELOOP);
	snprintf(text, sizeof(text), "#!%s\n", at(first, "pong"));
	put(first, "ping", text);
	snprintf(text, sizeof(text), "#!%s\n", at(first, "ping"));
	put(first, "pong", text);
	assert_int_equal(result("ping"), -ELOOP);
}

static void test_bad_first_lines(void **state)
{
	char text[400];

	(void)state;
	put(first, "bad", "#!bin/sh\n");
	assert_int_equal(result("bad"), -EACCES);
	put(first, "bad", "#!\n");
	assert_int_equal(result("bad"), -EACCES);
	put(first, "bad", "#!/bin/sh\r\n");
	assert_int_equal(result("bad"), -EACCES);
	put(first, "bad", "#!/no/such/interpreter\n");
	assert_int_equal(result("bad"), -ENOENT);
	put(first, "bad", "echo without a first line\n");
	assert_int_equal(result("bad"), -EACCES);
	put(first, "bad", "");
	assert_int_equal(result("bad"), -EACCES);
	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/bin/sh ", 10);
	text[sizeof(text) - 1] = '\0';
	put(first, "bad", text);
	assert_int_equal(result("bad"), -EACCES);
	put(first, "evil", "#!/bin/sh\n");
	assert_int_equal(chmod(at(first, "evil"), 0777), 0);
	snprintf(text, sizeof(text), "#!%s\n", at(first, "evil"));
	put(first, "bad", text); /* an interpreter that the tool could change */
	assert_int_equal(result("bad"), -EACCES);
}

static int env_result(const char *argument)
{
	char text[256];

	snprintf(text, sizeof(text), "#!/usr/bin/env %s\n", argument);
	put(first, "by-env", text);
	return result("by-env");
}

static void test_env_is_followed(void **state)
{
	struct program program;
	char expected[512];

	(void)state;
	put_program(second, "node", 0755);
	assert_int_equal(env_result("node"), 0);
	assert_int_equal(open_as(&program, "by-env", STRANGER), 0);
	assert_int_equal(program.exec_part, 1); /* env; the node it starts is a part, too */
	assert_string_equal(program.parts[3].path, at(second, "node"));
	assert_true(program.allow_jit);
	snprintf(expected, sizeof(expected), "/usr/bin/env|node|%s", at(first, "by-env"));
	assert_words(program.prefix, expected);
	program_fini(&program);

	assert_int_equal(env_result("-S node --flag"), 0);
	assert_int_equal(env_result("-S -i -u HOME --unset=X A=1 B=2 node --flag"), 0);
	assert_int_equal(env_result("-S -- A=1 node"), 0);
	assert_int_equal(env_result("--split-string=node -x"), 0);
	assert_int_equal(env_result("-Snode"), 0);
	assert_int_equal(env_result("node --flag"), -EACCES); /* env would look for "node --flag" */
	assert_int_equal(env_result("-S PATH=/tmp node"), -EACCES);
	assert_int_equal(env_result("-S -C /tmp node"), -EACCES);
	assert_int_equal(env_result("-S -P /tmp node"), -EACCES);
	assert_int_equal(env_result("-S 'node'"), -EACCES);
	assert_int_equal(env_result("-S ${SHELL}"), -EACCES);
	assert_int_equal(env_result("-S no\\_de"), -EACCES);
	assert_int_equal(env_result("-S sub/node"), -EINVAL);
	assert_int_equal(env_result("-i"), -EACCES); /* would start the script again */
	assert_int_equal(env_result("-S A=1"), -EACCES);
	assert_int_equal(env_result("-S -u"), -EACCES);
	assert_int_equal(env_result(""), -EACCES);
	assert_int_equal(env_result("no-such-program"), -ENOENT);
}

static void test_env_that_starts_the_script_again(void **state)
{
	struct program program;

	(void)state;
	/* env is at the end of the kernel's chain; the circle behind it is env's own. */
	put(first, "again", "#!/usr/bin/env again\n");
	assert_int_equal(open_as(&program, "again", STRANGER), 0);
	assert_int_equal(program.exec_part, 1);
	program_fini(&program);
}

static void test_damaged_programs(void **state)
{
	int fd = open("/bin/true", O_RDONLY | O_CLOEXEC);
	char *bytes, *copy;
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 16 << 20, &bytes, &len), 0);
	close(fd);
	for (size_t cut = 4; cut < 64; cut++) {
		put_bytes(at(first, "cut"), bytes, cut, 0755);
		assert_int_equal(result("cut"), -EACCES);
	}
	copy = malloc(len);
	for (unsigned round = 0; round < 400; round++) {
		struct elf elf;
		struct elf_needs needs = {.soname = false};
		bool runnable;

		/* Header and program headers: each byte is wrong in turn, in several ways. */
		memcpy(copy, bytes, len);
		copy[4 + round % 700] ^= (char)(1 + round * 37 % 255);
		put_bytes(at(first, "odd"), copy, len, 0755);
		(void)result("odd"); /* any answer; ASan and UBSan are the judges */
		fd = open(at(first, "odd"), O_RDONLY | O_CLOEXEC);
		assert_int_equal(elf_is_runnable(fd, "odd", &runnable), 0);
		if (elf_read(&elf, fd) == 0 && elf_needs_read(&elf, &needs) == 0)
			elf_needs_fini(&needs);
		close(fd);
	}
	memcpy(copy, bytes, len);
	copy[4] = 1; /* ELFCLASS32 */
	put_bytes(at(first, "foreign"), copy, len, 0755);
	assert_int_equal(result("foreign"), -EACCES);
	free(copy);
	free(bytes);
}

static void test_traits(void **state)
{
	struct program program;

	(void)state;
	put_program(second, "busybox", 0755);
	assert_int_equal(link(at(second, "busybox"), at(second, "harmless")), 0);
	assert_int_equal(open_as(&program, "harmless", STRANGER), 0);
	assert_true(program.multicall);
	program_fini(&program);
	put_program(second, "python3.11", 0755);
	assert_int_equal(open_as(&program, "python3.11", STRANGER), 0);
	assert_true(program.interpreter);
	assert_false(program.multicall);
	assert_false(program.allow_jit);
	program_fini(&program);
	put_program(second, "lister", 0755);
	assert_int_equal(open_as(&program, "lister", STRANGER), 0);
	assert_false(program.interpreter || program.multicall || program.allow_jit);
	program_fini(&program);
}

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void test_no_descriptor_is_left(void **state)
{
	int before = count_fds();

	(void)state;
	assert_int_equal(result("script"), 0);
	assert_int_equal(result("s5"), -ELOOP);
	assert_int_equal(result("open"), -EACCES);
	assert_int_equal(result("bad"), -EACCES);
	assert_int_equal(count_fds(), before);
}

static int make_tree(void **state)
{
	(void)state;
	snprintf(base, sizeof(base), "/tmp/callgate-program-XXXXXX");
	if (mkdtemp(base) == NULL || chmod(base, 0755) < 0)
		return -1;
	snprintf(first, sizeof(first), "%s/a", base);
	snprintf(second, sizeof(second), "%s/b", base);
	path[0] = first;
	path[1] = second;
	umask(022);
	return mkdir(first, 0755) < 0 || mkdir(second, 0755) < 0 ? -1 : 0;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_finds_the_first_executable),
	    cmocka_unit_test(test_names_that_lead_nowhere),
	    cmocka_unit_test(test_links_are_followed_to_the_file),
	    cmocka_unit_test(test_what_the_tool_could_change_is_refused),
	    cmocka_unit_test(test_script_runs_its_interpreter),
	    cmocka_unit_test(test_scripts_of_scripts),
	    cmocka_unit_test(test_bad_first_lines),
	    cmocka_unit_test(test_env_is_followed),
	    cmocka_unit_test(test_env_that_starts_the_script_again),
	    cmocka_unit_test(test_damaged_programs),
	    cmocka_unit_test(test_traits),
	    cmocka_unit_test(test_no_descriptor_is_left),
	};

	return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
