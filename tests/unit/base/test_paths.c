#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "supervisor/base/paths.h"

static uid_t uid;

/* The tests say who they are. */
uid_t geteuid(void)
{
	return uid;
}

static int clean_environment(void **state)
{
	static const char *const names[] = {"CALLGATE_HOME", "CALLGATE_SOCKET", "XDG_STATE_HOME",
	    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "HOME", "CALLGATE_LIBEXEC"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	uid = 1000;
	return 0;
}

static void state_in_order(void **state)
{
	char out[PATHS_MAX], here[PATHS_MAX];

	(void)state;
	assert_int_equal(paths_state(out), -ENOENT);
	setenv("HOME", "relative", 1);
	assert_int_equal(paths_state(out), -ENOENT);
	setenv("HOME", "/home/u", 1);
	assert_int_equal(paths_state(out), 0);
	assert_string_equal(out, "/home/u/.local/state/callgate");
	setenv("XDG_STATE_HOME", "not/absolute", 1);
	assert_int_equal(paths_state(out), 0);
	assert_string_equal(out, "/home/u/.local/state/callgate");
	setenv("XDG_STATE_HOME", "/xdg", 1);
	assert_int_equal(paths_state(out), 0);
	assert_string_equal(out, "/xdg/callgate");
	uid = 0;
	assert_int_equal(paths_state(out), 0);
	assert_string_equal(out, "/var/lib/callgate");
	setenv("CALLGATE_HOME", "/own", 1);
	assert_int_equal(paths_state(out), 0);
	assert_string_equal(out, "/own");
	setenv("CALLGATE_HOME", "own", 1);
	assert_int_equal(paths_state(out), 0);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_memory_equal(out, here, strlen(here));
	assert_string_equal(out + strlen(here), "/own");
}

static void socket_in_order(void **state)
{
	char out[PATHS_MAX];

	(void)state;
	setenv("HOME", "/home/u", 1);
	assert_int_equal(paths_socket(out), 0);
	assert_string_equal(out, "/home/u/.local/state/callgate/run/callgate.sock");
	setenv("XDG_RUNTIME_DIR", "/run/user/1000", 1);
	assert_int_equal(paths_socket(out), 0);
	assert_string_equal(out, "/run/user/1000/callgate/callgate.sock");
	uid = 0;
	assert_int_equal(paths_socket(out), 0);
	assert_string_equal(out, "/run/callgate/callgate.sock");
	setenv("CALLGATE_SOCKET", "/s", 1);
	assert_int_equal(paths_socket(out), 0);
	assert_string_equal(out, "/s");
}

static void config_in_order(void **state)
{
	char out[PATHS_MAX];

	(void)state;
	assert_int_equal(paths_config(out), -ENOENT);
	setenv("HOME", "/home/u", 1);
	assert_int_equal(paths_config(out), 0);
	assert_string_equal(out, "/home/u/.config/callgate");
	setenv("XDG_CONFIG_HOME", "/cfg", 1);
	assert_int_equal(paths_config(out), 0);
	assert_string_equal(out, "/cfg/callgate");
}

static void join_and_its_limit(void **state)
{
	char out[PATHS_MAX], name[PATHS_MAX + 1];

	(void)state;
	assert_int_equal(paths_join(out, "/a", "b"), 0);
	assert_string_equal(out, "/a/b");
	assert_int_equal(paths_join(out, "/a", "/b"), 0);
	assert_string_equal(out, "/b");
	assert_int_equal(paths_join(out, "/", "b"), 0);
	assert_string_equal(out, "/b");
	memset(name, 'x', PATHS_MAX);
	name[PATHS_MAX] = '\0';
	assert_int_equal(paths_join(out, "/a", name), -ENAMETOOLONG);
	name[PATHS_MAX - 4] = '\0';
	assert_int_equal(paths_join(out, "/a", name), 0);
	name[0] = '/';
	setenv("HOME", name, 1);
	assert_int_equal(paths_state(out), -ENAMETOOLONG);
}

/* From the build tree: the folder of the running program; the environment has no say. */
static void libexec_is_beside_the_program(void **state)
{
	char out[PATHS_MAX], own[PATHS_MAX] = "";

	(void)state;
	assert_true(readlink("/proc/self/exe", own, sizeof(own) - 1) > 0);
	*strrchr(own, '/') = '\0';
	setenv("CALLGATE_LIBEXEC", "/evil", 1);
	assert_int_equal(paths_libexec(out), 0);
#ifndef CALLGATE_TEST_WALLS
	assert_string_equal(out, own);
#else
	assert_string_equal(out, "/evil");
#endif
}

#define CLEAN(test) cmocka_unit_test_setup(test, clean_environment)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CLEAN(state_in_order),
	    CLEAN(socket_in_order),
	    CLEAN(config_in_order),
	    CLEAN(join_and_its_limit),
	    CLEAN(libexec_is_beside_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
