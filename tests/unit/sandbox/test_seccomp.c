#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/seccomp.h"

/* Younger than libseccomp 2.5, or of other architectures: refused by default where unknown. */
static void every_call_in_the_tables_has_a_number(void **state)
{
	const struct seccomp_rule *const tables[] = {
	    seccomp_known_rules, seccomp_refused_rules, seccomp_no_wx_rules, seccomp_last_rules};

	(void)state;
	for (unsigned i = 0; seccomp_known_plain[i]; i++)
		if (seccomp_syscall_resolve_name(seccomp_known_plain[i]) == __NR_SCMP_ERROR)
			fail_msg("%s is no system call", seccomp_known_plain[i]);
	for (unsigned t = 0; t < 4; t++)
		for (const struct seccomp_rule *rule = tables[t]; rule->answer != SECCOMP_END;
		     rule++)
			if (seccomp_syscall_resolve_name(rule->call) == __NR_SCMP_ERROR)
				fail_msg("%s is no system call", rule->call);
}

static void no_call_is_listed_twice(void **state)
{
	(void)state;
	for (unsigned i = 0; seccomp_known_plain[i]; i++) {
		for (unsigned k = i + 1; seccomp_known_plain[k]; k++)
			assert_string_not_equal(seccomp_known_plain[i], seccomp_known_plain[k]);
		/* A plain row would make the rows with arguments void. */
		for (const struct seccomp_rule *rule = seccomp_known_rules; rule->answer; rule++)
			assert_string_not_equal(seccomp_known_plain[i], rule->call);
	}
}

static void what_must_never_be_known_is_not(void **state)
{
	static const char *const never[] = {"clone3", "memfd_create", "memfd_secret",
	    "io_uring_setup", "io_uring_enter", "io_uring_register", "openat2", "ptrace", "socket",
	    "personality", "prlimit64", "userfaultfd", "bpf", "keyctl", "add_key", "request_key",
	    "fchmodat2", "perf_event_open", "open_by_handle_at", "setns", "chroot", "prctl"};

	(void)state;
	for (unsigned n = 0; n < sizeof(never) / sizeof(never[0]); n++)
		for (unsigned i = 0; seccomp_known_plain[i]; i++)
			assert_string_not_equal(seccomp_known_plain[i], never[n]);
}

static void every_set_builds(void **state)
{
	static const enum seccomp_set sets[] = {
	    SECCOMP_SET_KNOWN, SECCOMP_SET_REFUSED, SECCOMP_SET_NO_WX, SECCOMP_SET_LAST};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct seccomp_program program = {.code = NULL};

		assert_int_equal(seccomp_build(sets[i], NULL, &program), 0);
		assert_true(program.length > 10);
		seccomp_program_fini(&program);
		assert_null(program.code);
		assert_int_equal(seccomp_load_program(&program), -EINVAL);
	}
}

/* The kernels that need this one are older than those that usually run the tests. */
static int try_writable_code(void)
{
	struct seccomp_program program = {.code = NULL};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	const int code = PROT_READ | PROT_EXEC;

	if (page == MAP_FAILED || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    seccomp_build(SECCOMP_SET_NO_WX, NULL, &program) < 0 ||
	    seccomp_load_program(&program) < 0)
		return 1;
	if (mprotect(page, 4096, code) == 0 || errno != EACCES)
		return 2;
	if (mmap(NULL, 4096, code, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ||
	    errno != EACCES)
		return 3;
	if (mmap(NULL, 4096, code | PROT_WRITE, MAP_PRIVATE, 0, 0) != MAP_FAILED || errno != EACCES)
		return 4;
	return mprotect(page, 4096, PROT_READ) == 0 ? 0 : 5;
}

static void memory_does_not_become_code(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(try_writable_code());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_call_in_the_tables_has_a_number),
	    cmocka_unit_test(no_call_is_listed_twice),
	    cmocka_unit_test(what_must_never_be_known_is_not),
	    cmocka_unit_test(every_set_builds),
	    cmocka_unit_test(memory_does_not_become_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
