#include "tests/unit/functions/rig.h"

#include <signal.h>
#include <sys/wait.h>

#include "sandbox/functions/place.h"

/* A tree with every way out that a link can offer. */
static int setup_tree(void **state)
{
	struct rig *rig;
	char path[128];

	if (rig_setup(state) < 0)
		return -1;
	rig = *state;
	rig_folder(rig, "a");
	rig_folder(rig, "a/b");
	rig_folder(rig, ".callgate");
	rig_write(rig, "a/file", "inside");
	rig_write(rig, "a/b/deep", "deep");
	rig_write(rig, ".callgate/secret", "s");
	snprintf(path, sizeof(path), "%s/secret", rig->outside);
	rig_link(rig, "/etc/passwd", "absolute");
	rig_link(rig, "..", "up");
	rig_link(rig, "../..", "a/upup");
	rig_link(rig, "a/file", "inside");
	rig_link(rig, "../a/b/../file", "a/winding");
	rig_link(rig, "../../etc/passwd", "a/relative");
	rig_link(rig, "loop", "loop");
	rig_link(rig, "ping", "pong");
	rig_link(rig, "pong", "ping");
	rig_link(rig, "a/b", "folder");
	rig_link(rig, "a/new", "dangling");
	rig_link(rig, ".callgate/secret", "sneaky");
	rig_link(rig, "/proc/self/root/etc/passwd", "magic");
	rig_link(rig, path, "outside");
	rig_link(rig, ".", "here");
	rig_link(rig, "a/..", "around");
	return mkfifoat(rig->top, "fifo", 0600);
}

static void paths_end_where_they_should(void **state)
{
	static const struct {
		const char *path;
		int result; /* PLACE_FOUND, PLACE_ABSENT or a fault */
		const char *where;
	} rows[] = {
	    {"a/file", PLACE_FOUND, "a/file"},
	    {"./a/./file", PLACE_FOUND, "a/file"},
	    {"a//file", PLACE_FOUND, "a/file"},
	    {".", PLACE_FOUND, ""},
	    {"./", PLACE_FOUND, ""},
	    {"a", PLACE_FOUND, "a"},
	    {"a/", PLACE_FOUND, "a"},
	    {"a/b/.", PLACE_FOUND, "a/b"},
	    {"inside", -ELOOP, NULL},
	    {"a/winding", -ELOOP, NULL},
	    {"folder/deep", -ELOOP, NULL},
	    {"folder", -ELOOP, NULL},
	    {"folder/", -ELOOP, NULL},
	    {"here", -ELOOP, NULL},
	    {"around", -ELOOP, NULL},
	    {"around/a/b", -ELOOP, NULL},
	    {"fifo", PLACE_FOUND, "fifo"},
	    {"new", PLACE_ABSENT, "new"},
	    {"a/new", PLACE_ABSENT, "a/new"},
	    {"dangling", -ELOOP, NULL},
	    {"new/", -ENOENT, NULL},
	    {"no/new", -ENOENT, NULL},
	    {"a/file/", -ENOTDIR, NULL},
	    {"a/file/x", -ENOTDIR, NULL},
	    {"fifo/x", -ENOTDIR, NULL},
	    {"inside/", -ELOOP, NULL},
	    {"absolute", -ELOOP, NULL},
	    {"magic", -ELOOP, NULL},
	    {"outside", -ELOOP, NULL},
	    {"up", -ELOOP, NULL},
	    {"up/x", -ELOOP, NULL},
	    {"a/upup", -ELOOP, NULL},
	    {"a/relative", -ELOOP, NULL},
	    {"loop", -ELOOP, NULL},
	    {"loop/x", -ELOOP, NULL},
	    {"ping", -ELOOP, NULL},
	    {"", -EINVAL, NULL},
	    {"/", -EINVAL, NULL},
	    {"/etc/passwd", -EINVAL, NULL},
	    {"..", -EINVAL, NULL},
	    {"a/..", -EINVAL, NULL},
	    {"a/../a/file", -EINVAL, NULL},
	    {"../x", -EINVAL, NULL},
	    {".callgate", -EPERM, NULL},
	    {".callgate/secret", -EPERM, NULL},
	    {"./.callgate", -EPERM, NULL},
	    {".CallGate", -EPERM, NULL},
	    {"a/.callgate/x", -EPERM, NULL},
	    {"sneaky", -ELOOP, NULL},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place place;
		int r = place_find(
		    &place, rig->top, rows[i].path, PLACE_PARENTS_AS_THEY_ARE, &rig->note);

		if (r != rows[i].result)
			fail_msg("\"%s\": %d, not %d", rows[i].path, r, rows[i].result);
		if (r >= 0)
			assert_string_equal(place.path, rows[i].where);
		else
			assert_true(rig->note.text[0] != '\0' && place.dir == -1);
		place_fini(&place);
	}
}

static void names_that_are_too_long_are_refused_with_a_reason(void **state)
{
	struct rig *rig = *state;
	char path[PATH_MAX + 10];
	struct place place;

	memset(path, 'a', sizeof(path));
	path[300] = '\0';
	assert_int_equal(place_find(&place, rig->top, path, PLACE_PARENTS_AS_THEY_ARE, &rig->note),
	    -ENAMETOOLONG);
	RIG_HOLDS(rig->note.text, ": ");
	memset(path, 'a', sizeof(path));
	path[PATH_MAX] = '\0';
	assert_int_equal(
	    place_find(&place, rig->top, path, PLACE_PARENTS_AS_THEY_ARE, &rig->note), -EINVAL);
}

static void parents_are_made_only_inside(void **state)
{
	struct rig *rig = *state;
	struct place place;

	assert_int_equal(
	    place_find(&place, rig->top, "x/y/z", PLACE_PARENTS_MAKE, &rig->note), PLACE_ABSENT);
	place_fini(&place);
	assert_true(rig_exists(rig, "x/y") && !rig_exists(rig, "x/y/z"));
	assert_int_equal(
	    place_find(&place, rig->top, "folder/n/m", PLACE_PARENTS_MAKE, &rig->note), -ELOOP);
	assert_false(rig_exists(rig, "a/b/n"));
	assert_int_equal(
	    place_find(&place, rig->top, "up/n/m", PLACE_PARENTS_MAKE, &rig->note), -ELOOP);
	assert_int_equal(
	    place_find(&place, rig->top, ".callgate/n/m", PLACE_PARENTS_MAKE, &rig->note), -EPERM);
	assert_false(rig_exists(rig, ".callgate/n"));
}

static void no_descriptor_is_left(void **state)
{
	struct rig *rig = *state;
	int before = open("/dev/null", O_RDONLY | O_CLOEXEC), after;

	close(before);
	for (int i = 0; i < 50; i++) {
		static const char *const paths[] = {"a/winding", "up", "loop", "no/x", ".callgate"};
		struct place place;

		(void)place_find(&place, rig->top, paths[i % 5], PLACE_PARENTS_AS_THEY_ARE, NULL);
		place_fini(&place);
	}
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(before, after);
}

static void special_files_are_never_opened(void **state)
{
	struct rig *rig = *state;
	struct stat st;
	int null = open("/dev", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(place_open_file(rig->top, "fifo", &st), -EINVAL);
	assert_int_equal(place_open_file(rig->top, "inside", &st), -EINVAL);
	assert_int_equal(place_open_file(rig->top, "a", &st), -EINVAL);
	assert_int_equal(place_open_file(null, "null", &st), -EINVAL);
	assert_true(place_open_folder(rig->top, "folder") < 0);
	close(null);
}

/* A folder that turns into a link and back while it is walked: what is found is always inside. */
static void swapped_folders_lead_nowhere_else(void **state)
{
	struct rig *rig = *state;
	char secret[128];
	size_t found = 0;
	pid_t child;
	int fd;

	snprintf(secret, sizeof(secret), "%s/deep", rig->outside);
	fd = open(secret, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	rig_link(rig, rig->outside, "evil");
	child = fork();
	if (child == 0) {
		for (;;)
			(void)renameat2(rig->top, "a/b", rig->top, "evil", RENAME_EXCHANGE);
	}
	assert_true(child > 0);
	for (int i = 0; i < 20000; i++) {
		struct place place;
		struct stat st;

		if (place_find(&place, rig->top, "a/b/deep", PLACE_PARENTS_AS_THEY_ARE, NULL) ==
		    PLACE_FOUND) {
			int file = place_open_file(place.dir, place.name, &st);

			found++;
			assert_true(file < 0 || st.st_size == 4);
			if (file >= 0)
				close(file);
		}
		place_fini(&place);
	}
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	assert_true(found > 0);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_tree, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TREE_TEST(paths_end_where_they_should),
	    TREE_TEST(names_that_are_too_long_are_refused_with_a_reason),
	    TREE_TEST(parents_are_made_only_inside),
	    TREE_TEST(no_descriptor_is_left),
	    TREE_TEST(special_files_are_never_opened),
	    TREE_TEST(swapped_folders_lead_nowhere_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
