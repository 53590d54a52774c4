/* The socket's place: what is refused before anything is made, and who gets through to it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <sys/wait.h>

#include "supervisor/base/log.h"
#include "supervisor/warden/listen.h"
#include "tests/unit/warden/rig.h"

#define STRANGER 54321

static struct rig rig;
static struct err_note note;
static struct config *config;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	assert_int_equal(chmod(rig.path, 0755), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	config_free(config);
	config = NULL;
	rig_remove(&rig);
	return 0;
}

/* more: what else stands in socket:. */
static const struct policy *with(const char *more)
{
	char yaml[1024];

	snprintf(yaml, sizeof(yaml),
	    "version: 1\nserver:\n  socket:\n    path: run/callgate.sock\n%s", more);
	config_free(config);
	config = rig_config(&rig, yaml);
	note.text[0] = '\0';
	return config->policy;
}

static void refused(const char *text)
{
	if (!strstr(note.text, text))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, text);
}

static mode_t folder_made_for(const char *more, const char *name, gid_t *ret_group)
{
	char path[PATHS_MAX];
	struct listener listener;
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s/callgate.sock", rig.path, name);
	if (listen_open(with(more), path, &listener, &note))
		fail_msg("%s", note.text);
	assert_int_equal(stat(rig_path(&rig, name), &st), 0);
	if (ret_group)
		*ret_group = st.st_gid;
	listen_close(&listener);
	return st.st_mode & 07777;
}

static void the_folder_lets_through_whom_the_socket_lets_in(void **state)
{
	const struct group *own = getgrgid(getegid());
	char more[300];
	gid_t group;

	(void)state;
	assert_int_equal(folder_made_for("", "a", NULL), 0700);
	assert_int_equal(folder_made_for("    mode: \"0640\"\n", "b", NULL), 0710);
	assert_int_equal(folder_made_for("    mode: \"0660\"\n", "c", NULL), 0710);
	assert_int_equal(folder_made_for("    mode: \"0666\"\n", "d/e", NULL), 0711);
	if (!own)
		return;
	snprintf(more, sizeof(more), "    mode: \"0660\"\n    group: %s\n", own->gr_name);
	assert_int_equal(folder_made_for(more, "f", &group), 0710);
	assert_int_equal(group, getegid());
	/* What was there is somebody's own decision. */
	assert_int_equal(mkdir(rig_path(&rig, "g"), 0700), 0);
	assert_int_equal(folder_made_for("    mode: \"0666\"\n", "g", NULL), 0700);
}

static void a_group_that_is_not_is_refused_where_it_stands(void **state)
{
	char path[PATHS_MAX];
	struct listener listener;

	(void)state;
	snprintf(path, sizeof(path), "%s/run/callgate.sock", rig.path);
	assert_int_equal(listen_check(with("    group: no-such-group\n"), path, &note), -ENOENT);
	refused("p.yaml:5:5: server.socket.group no-such-group: no such group; make it");
	note.text[0] = '\0';
	assert_int_equal(listen_open(config->policy, path, &listener, &note), -ENOENT);
	refused("p.yaml:5:5: server.socket.group no-such-group");
	assert_int_equal(access(rig_path(&rig, "run"), F_OK), -1); /* and nothing was made */
}

static void what_is_in_the_way_is_refused(void **state)
{
	char path[PATHS_MAX];

	(void)state;
	snprintf(path, sizeof(path), "%s/run/callgate.sock", rig.path);
	assert_int_equal(listen_check(with(""), path, &note), 0);
	assert_int_equal(access(rig_path(&rig, "run"), F_OK), -1);
	rig_dir(&rig, "run");
	rig_file(&rig, "run/callgate.sock", "", 0600);
	assert_int_equal(listen_check(config->policy, path, &note), -EEXIST);
	refused("p.yaml:4:5: server.socket.path ");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(rig_path(&rig, "run")), 0);
	rig_file(&rig, "run", "", 0600);
	assert_int_equal(listen_check(config->policy, path, &note), -EACCES);
	refused("cannot make anything in");
}

/* As an ordinary user, who may neither write everywhere nor give files away. */
static void check_as_stranger(void)
{
	char path[PATHS_MAX], expected[128];

	snprintf(path, sizeof(path), "%s/run/callgate.sock", rig.path);
	if (geteuid() != 0 ? chmod(rig.path, 0555)
			   : setgroups(0, NULL) || setresgid(STRANGER, STRANGER, STRANGER) ||
				 setresuid(STRANGER, STRANGER, STRANGER))
		_exit(77);
	snprintf(expected, sizeof(expected),
	    "p.yaml:5:5: server.socket.group root: uid %u is no member", geteuid());
	if (listen_check(with("    group: root\n"), path, &note) != -EPERM ||
	    !strstr(note.text, expected))
		_exit(1);
	if (listen_check(with(""), path, &note) != -EACCES ||
	    !strstr(note.text, "p.yaml:4:5: server.socket.path /"))
		_exit(2);
	_exit(0);
}

static void an_ordinary_user_may_less(void **state)
{
	pid_t child;
	int status;

	(void)state;
	child = fork();
	if (child == 0)
		check_as_stranger();
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(chmod(rig.path, 0755), 0);
	assert_int_equal(status, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(the_folder_lets_through_whom_the_socket_lets_in),
	    TEST(a_group_that_is_not_is_refused_where_it_stands),
	    TEST(what_is_in_the_way_is_refused),
	    TEST(an_ordinary_user_may_less),
	};

	log_init("test", LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
