/* One descriptor for one object, however many hold it; and what lists of one load share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/allowlist.h"
#include "sandbox/held.h"
#include "sandbox/survey.h"

#define STRANGER 54321

static const char *const path[] = {"/usr/local/bin", "/usr/bin", "/bin", NULL};

static int count_fds(void)
{
	int count = 0;

	for (int fd = 0; fd < 4096; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static int open_root(void)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void test_the_last_holder_closes(void **state)
{
	struct holdings holdings = {.count = 0};
	const struct held_key key = {.dev = 1, .ino = 2}, other = {.dev = 1, .ino = 2, .mount = 3};
	struct held *first, *second, *third;
	int before = count_fds();

	(void)state;
	assert_null(held_find(&holdings, &key));
	assert_int_equal(held_put(&holdings, &key, open_root(), &first), 0);
	assert_int_equal(held_put(&holdings, &key, open_root(), &second), 0);
	assert_ptr_equal(first, second);
	assert_ptr_equal(held_find(&holdings, &key), first);
	assert_null(held_find(&holdings, &other));
	assert_int_equal(held_put(&holdings, &other, open_root(), &third), 0);
	assert_ptr_not_equal(third, first);
	assert_int_equal(count_fds(), before + 2);
	held_drop(first);
	held_drop(first);
	assert_int_equal(fcntl(held_fd(first), F_GETFD), FD_CLOEXEC);
	held_drop(first);
	assert_null(held_find(&holdings, &key));
	held_drop(third);
	held_drop(NULL);
	assert_int_equal(holdings.count, 0);
	assert_int_equal(count_fds(), before);
	holdings_fini(&holdings);
}

static void test_without_holdings_nothing_is_shared(void **state)
{
	const struct held_key key = {.dev = 1, .ino = 2};
	struct held *first, *second;
	int before = count_fds();

	(void)state;
	assert_int_equal(held_put(NULL, &key, open_root(), &first), 0);
	assert_int_equal(held_put(NULL, &key, open_root(), &second), 0);
	assert_ptr_not_equal(first, second);
	held_drop(first);
	held_drop(second);
	assert_int_equal(count_fds(), before);
}

static void test_many_are_found_again(void **state)
{
	enum { MANY = 1500 };
	struct holdings holdings = {.count = 0};
	struct held *held[MANY];

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(held_put(&holdings, &(struct held_key){.dev = i % 3, .ino = i + 1},
				     -1, &held[i]),
		    0);
	assert_int_equal(holdings.count, MANY);
	for (uint64_t i = 0; i < MANY; i++) {
		struct held *found =
		    held_find(&holdings, &(struct held_key){.dev = i % 3, .ino = i + 1});

		assert_ptr_equal(found, held[i]);
		held_drop(found);
		if (i % 2 == 0)
			held_drop(held[i]);
	}
	for (uint64_t i = 0; i < MANY; i++)
		if (i % 2 != 0)
			held_drop(held[i]);
	assert_int_equal(holdings.count, 0);
	holdings_fini(&holdings);
}

static void test_a_place_is_held_by_its_mount(void **state)
{
	struct holdings holdings = {.count = 0};
	struct held *first, *second, *other;

	(void)state;
	assert_int_equal(held_place(&holdings, open_root(), &first), 0);
	assert_int_equal(held_place(&holdings, open_root(), &second), 0);
	assert_int_equal(held_place(&holdings, open("/proc", O_PATH | O_CLOEXEC), &other), 0);
	assert_ptr_equal(first, second);
	assert_ptr_not_equal(first, other);
	held_drop(first);
	held_drop(second);
	held_drop(other);
	holdings_fini(&holdings);
}

/* ---- lists of one load ----------------------------------------------------------------------- */

static uint32_t breaths;

static void breathe(void *arg)
{
	assert_ptr_equal(arg, &breaths);
	breaths++;
}

static struct allowlist *build(
    const char *const *allowed, struct survey *survey, struct holdings *holdings)
{
	const struct allowlist_spec spec = {
	    .path = path,
	    .allowed = allowed,
	    .tool_uid = STRANGER,
	    .survey = survey,
	    .holdings = holdings,
	};
	struct err_note note = {""};
	struct allowlist *list;

	if (allowlist_build(&spec, &list, &note) < 0)
		fail_msg("%s", note.text);
	return list;
}

static bool same_rules(const struct allowlist *a, const struct allowlist *b)
{
	uint32_t count, other_count;
	const struct cell_rule *rules = allowlist_rules(a, &count);
	const struct cell_rule *other = allowlist_rules(b, &other_count);

	if (count != other_count)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		struct stat st, other_st;

		assert_int_equal(fstat(rules[i].fd, &st), 0);
		assert_int_equal(fstat(other[i].fd, &other_st), 0);
		if (rules[i].access != other[i].access || st.st_ino != other_st.st_ino ||
		    st.st_dev != other_st.st_dev)
			return false;
	}
	return true;
}

static void test_lists_of_a_load_read_the_disk_once(void **state)
{
	const char *const some[] = {"sh", "ls", NULL}, *const more[] = {"ls", "sh", "cat", NULL};
	struct survey survey = {.tool_uid = STRANGER, .breathe = breathe, .arg = &breaths};
	struct holdings holdings = {.count = 0};
	struct allowlist *alone = build(some, NULL, NULL), *first, *second, *third;
	int before = count_fds();
	uint32_t looked_at, held;

	(void)state;
	first = build(some, &survey, &holdings);
	assert_true(same_rules(first, alone));
	looked_at = survey.looked_at;
	held = holdings.count;
	assert_true(looked_at > 0);
	assert_true(breaths > looked_at);
	assert_int_equal(count_fds(), before + (int)held);
	second = build(some, &survey, &holdings);
	assert_true(same_rules(second, alone));
	assert_int_equal(holdings.count, held);
	third = build(more, &survey, &holdings);
	assert_true(holdings.count < held + 5); /* cat, and libraries of it at most */
	assert_int_equal(survey.looked_at, looked_at);
	survey_fini(&survey);
	/* What is shared lives as long as one list has it. */
	allowlist_free(first);
	assert_true(same_rules(second, alone));
	allowlist_free(third);
	allowlist_free(second);
	allowlist_free(alone);
	assert_int_equal(holdings.count, 0);
	holdings_fini(&holdings);
}

/* A list that two have goes with the second. */
static void test_a_shared_list_has_two_owners(void **state)
{
	const char *const some[] = {"true", NULL};
	struct allowlist *list = build(some, NULL, NULL);
	uint32_t count;

	(void)state;
	assert_ptr_equal(allowlist_share(list), list);
	allowlist_free(list);
	assert_true(fcntl(allowlist_rules(list, &count)[0].fd, F_GETFD) >= 0);
	allowlist_free(list);
}

static void test_a_fault_names_its_culprit(void **state)
{
	const char *const allowed[] = {"ls", "/etc/passwd", "cat", NULL}, *culprit = NULL;
	const struct allowlist_spec spec = {
	    .path = path, .allowed = allowed, .tool_uid = STRANGER, .culprit = &culprit};
	struct err_note note = {""};
	struct allowlist *list;

	(void)state;
	assert_int_equal(allowlist_build(&spec, &list, &note), -EACCES);
	assert_ptr_equal(culprit, allowed[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_the_last_holder_closes),
	    cmocka_unit_test(test_without_holdings_nothing_is_shared),
	    cmocka_unit_test(test_many_are_found_again),
	    cmocka_unit_test(test_a_place_is_held_by_its_mount),
	    cmocka_unit_test(test_lists_of_a_load_read_the_disk_once),
	    cmocka_unit_test(test_a_shared_list_has_two_owners),
	    cmocka_unit_test(test_a_fault_names_its_culprit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
