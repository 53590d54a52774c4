/* Working directories, what must not lie in them, and who may own the policy file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <sys/wait.h>

#include "supervisor/warden/check.h"
#include "supervisor/warden/workspace.h"
#include "tests/unit/warden/rig.h"

static struct rig rig;
static struct err_note note;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_dir(&rig, "ws");
	rig_dir(&rig, "ws/src");
	rig_dir(&rig, "state");
	rig_file(&rig, "p.yaml", "", 0600);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static struct config *config_with(const char *space, const char *tool)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml),
	    "version: 1\n"
	    "roles: {all: {tools: [\"*\"]}}\n"
	    "principals: [{peer_uid: 7, roles: [all]}]\n"
	    "namespaces: {default: {working_directory: \"%s\"}}\n"
	    "tools: {one: {type: command%s%s%s}}\n",
	    space, tool ? ", working_directory: \"" : "", tool ? tool : "", tool ? "\"" : "");
	return rig_config(&rig, yaml);
}

static int check(const char *space, const char *tool, const char *state)
{
	struct config *config = config_with(space, tool);
	const struct check_places places = {
	    .state = rig_path(&rig, state),
	    .journal = rig_path(&rig, "state/audit"),
	    .socket = rig_path(&rig, "run/callgate.sock"),
	};
	int fault;

	note.text[0] = '\0';
	fault = check_policy(config, &places, &note);
	config_free(config);
	return fault;
}

static void opens_at(const char *space, const char *tool, const char *expected)
{
	struct config *config = config_with(space, tool);
	struct workspace workspace;

	if (workspace_open(config, &config->policy->tools[0], &config->policy->namespaces[0],
		&workspace, &note))
		fail_msg("%s", note.text);
	assert_string_equal(workspace.path, rig_path(&rig, expected));
	workspace_close(&workspace);
	config_free(config);
}

static void relative_to_the_file_or_the_namespace(void **state)
{
	(void)state;
	opens_at("./ws", NULL, "ws");
	opens_at("./ws", "./ws", "ws"); /* as written from the file's folder */
	opens_at("./ws", "./ws/src", "ws/src");
	opens_at("./ws", "src", "ws/src"); /* as written from the namespace */
	rig_dir(&rig, "src");              /* beside the file, but not in the namespace */
	opens_at("./ws", "src", "ws/src");
	opens_at("ws/../ws", NULL, "ws");
	opens_at(rig_path(&rig, "ws"), NULL, "ws");
}

static void missing_or_led_away_is_refused(void **state)
{
	(void)state;
	assert_int_equal(check("./none", NULL, "state"), -ENOENT);
	assert_non_null(strstr(note.text, "p.yaml:4:"));
	assert_int_equal(check("./ws", "none", "state"), -ENOENT);
	assert_non_null(strstr(note.text, "p.yaml:5:"));
	assert_int_equal(check("./p.yaml", NULL, "state"), -ENOTDIR);
	assert_int_equal(symlink("/etc", rig_path(&rig, "link")), 0);
	assert_true(check("./link", NULL, "state") < 0);
	assert_int_equal(check("./link/ssl", NULL, "state"), -EXDEV);
	assert_int_equal(symlink("/etc", rig_path(&rig, "ws/link")), 0);
	assert_true(check("./ws", "link", "state") < 0);
	assert_true(check("./ws", "link/ssl", "state") < 0);
}

/* The namespace, the path as written, and the whole path that was tried. */
static void a_complaint_names_the_whole_place(void **state)
{
	char expected[512];

	(void)state;
	assert_int_equal(check("./none", NULL, "state"), -ENOENT);
	snprintf(expected, sizeof(expected),
	    "p.yaml:4:24: namespace default: working_directory ./none: %s/none: does not exist; "
	    "create it",
	    rig.path);
	assert_string_equal(note.text, expected);
	assert_int_equal(check("./ws", "./proj", "state"), -ENOENT);
	snprintf(expected, sizeof(expected),
	    "p.yaml:5:30: tool one: namespace default: working_directory ./proj: %s/ws/proj: does "
	    "not exist; create it",
	    rig.path);
	assert_string_equal(note.text, expected);
	assert_true(check(".", "/nowhere/at/all", "state") < 0);
	assert_non_null(strstr(note.text, "directory /nowhere/at/all: /nowhere/at/all: does not"));
}

/* Also for one that cannot be entered. */
static void a_closed_place_is_named(void **state)
{
	char expected[512];
	pid_t child;
	int status;

	(void)state;
	assert_int_equal(chmod(rig.path, 0755), 0);
	rig_dir(&rig, "shut");
	rig_dir(&rig, "shut/in");
	/* Closed to a stranger; an ordinary user shuts himself out. */
	assert_int_equal(chmod(rig_path(&rig, "shut"), geteuid() == 0 ? 0700 : 0), 0);
	snprintf(expected, sizeof(expected),
	    "p.yaml:4:24: namespace default: working_directory shut/in: %s/shut/in: Permission "
	    "denied; let the daemon's user enter it",
	    rig.path);
	child = fork();
	if (child == 0) {
		if (geteuid() == 0 && (setgroups(0, NULL) || setresgid(54321, 54321, 54321) ||
					  setresuid(54321, 54321, 54321)))
			_exit(77);
		_exit(check("shut/in", NULL, "state") == -EACCES && strstr(note.text, expected)
			  ? 0
			  : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(rig_path(&rig, "shut"), 0700), 0);
	assert_int_equal(status, 0);
}

static void places_of_every_cell_are_refused(void **state)
{
	static const char *const places[] = {
	    "/", "/usr", "/etc", "/usr/share", "/proc", "/dev", "/tmp", "/bin"};

	(void)state;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		assert_true(check(places[i], NULL, "state") < 0);
}

static void treasures_may_not_lie_inside(void **state)
{
	(void)state;
	assert_int_equal(check("./ws", NULL, "state"), 0);
	assert_int_equal(check(".", NULL, "state"), -EINVAL);
	assert_non_null(strstr(note.text, "policy file"));
	/* Not there yet: the folder above it counts. */
	assert_int_equal(check("./ws", NULL, "ws/a/b/state"), -EINVAL);
	assert_non_null(strstr(note.text, "p.yaml:4:"));
	assert_non_null(strstr(note.text, "keys"));
	assert_int_equal(check("./state", NULL, "other"), -EINVAL);
	assert_non_null(strstr(note.text, "journal"));
	/* A tool's own directory decides, not the namespace's. */
	assert_int_equal(check(".", "ws", "state"), 0);
}

static int start(const char *file, const struct child_user *user, struct config_child *child,
    struct err_note *told)
{
	const struct config_request request = {.file = file};

	return config_start(&request, user, child, told);
}

static void the_policy_file_is_judged(void **state)
{
	const struct child_user user = {.uid = geteuid(), .gid = getegid()};
	struct config_child child;

	(void)state;
	assert_int_equal(start(rig_path(&rig, "none.yaml"), &user, &child, &note), -ENOENT);
	assert_int_equal(start(rig_path(&rig, "ws"), &user, &child, &note), -EINVAL);
	assert_int_equal(chmod(rig_path(&rig, "p.yaml"), 0620), 0);
	assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EPERM);
	assert_non_null(strstr(note.text, "chmod go-w"));
	assert_int_equal(chmod(rig_path(&rig, "p.yaml"), 0602), 0);
	assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EPERM);
	assert_int_equal(chmod(rig_path(&rig, "p.yaml"), 0644), 0);
	rig_file(&rig, ".env", "A=1\n", 0640);
	assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EPERM);
	assert_non_null(strstr(note.text, "chmod 600"));
	assert_int_equal(unlink(rig_path(&rig, ".env")), 0);
	assert_int_equal(symlink("p.yaml", rig_path(&rig, ".env")), 0);
	assert_true(start(rig_path(&rig, "p.yaml"), &user, &child, &note) < 0);
	assert_int_equal(unlink(rig_path(&rig, ".env")), 0);
	rig_file(&rig, ".env", "A=1\n", 0600);
	assert_int_equal(link(rig_path(&rig, ".env"), rig_path(&rig, "ws/env")), 0);
	assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EMLINK);
	assert_non_null(strstr(note.text, ".env: has 2 names"));
	assert_int_equal(unlink(rig_path(&rig, "ws/env")), 0);
	assert_int_equal(link(rig_path(&rig, "p.yaml"), rig_path(&rig, "ws/hl.yaml")), 0);
	assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EMLINK);
	assert_non_null(strstr(note.text, "p.yaml: has 2 names"));
	assert_int_equal(unlink(rig_path(&rig, "ws/hl.yaml")), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(rig_path(&rig, "p.yaml"), 1234, 0), 0);
		assert_int_equal(start(rig_path(&rig, "p.yaml"), &user, &child, &note), -EPERM);
		assert_non_null(strstr(note.text, "1234"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(relative_to_the_file_or_the_namespace, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_complaint_names_the_whole_place, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_closed_place_is_named, setup, teardown),
	    cmocka_unit_test_setup_teardown(missing_or_led_away_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(places_of_every_cell_are_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(treasures_may_not_lie_inside, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_policy_file_is_judged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
