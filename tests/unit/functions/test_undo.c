#include "tests/unit/functions/rig.h"

#include <dirent.h>
#include <sys/file.h>

#include "sandbox/functions/editor.h"
#include "sandbox/functions/editor_undo.h"

static enum request_status edit(struct rig *rig, const char *text)
{
	json_t *arguments = rig_arguments(text);
	enum request_status status;

	buf_reset(&rig->out);
	rig->note.text[0] = '\0';
	status = editor_run(rig->top, arguments, &rig->out, &rig->note);
	json_decref(arguments);
	return status;
}

static void create(struct rig *rig, const char *name, const char *text)
{
	char arguments[512];

	snprintf(arguments, sizeof(arguments),
	    "{'command': 'create', 'path': '%s', 'file_text': '%s'}", name, text);
	if (edit(rig, arguments) != REQUEST_DONE)
		fail_msg("%s", rig_answer(rig));
}

static enum request_status undo(struct rig *rig, const char *name)
{
	char arguments[512];

	snprintf(arguments, sizeof(arguments), "{'command': 'undo', 'path': '%s'}", name);
	return edit(rig, arguments);
}

/* Entries and the bytes they hold. */
static size_t entries(struct rig *rig, size_t *ret_bytes)
{
	int fd = openat(rig->top, ".callgate/undo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *listing = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	size_t count = 0;

	*ret_bytes = 0;
	if (!listing)
		return 0;
	while ((entry = readdir(listing))) {
		struct stat st;

		if (entry->d_name[0] == '.' || fstatat(fd, entry->d_name, &st, 0) < 0)
			continue;
		*ret_bytes += (size_t)st.st_size;
		count++;
	}
	closedir(listing);
	return count;
}

static void edits_are_taken_back_one_by_one(void **state)
{
	struct rig *rig = *state;
	char text[16];

	for (int i = 0; i < 10; i++) {
		snprintf(text, sizeof(text), "text %d", i);
		create(rig, i % 2 ? "a" : "b", text);
	}
	for (int i = 9; i >= 2; i--) {
		const char *name = i % 2 ? "a" : "b";

		assert_int_equal(undo(rig, name), REQUEST_DONE);
		snprintf(text, sizeof(text), "text %d", i - 2);
		rig_expect(rig, name, text);
	}
	assert_int_equal(undo(rig, "a"), REQUEST_DONE);
	assert_int_equal(undo(rig, "b"), REQUEST_DONE);
	assert_false(rig_exists(rig, "a") || rig_exists(rig, "b"));
	assert_int_equal(undo(rig, "a"), REQUEST_FAILED);
}

static void what_others_changed_is_not_undone(void **state)
{
	struct rig *rig = *state;

	create(rig, "f", "one");
	create(rig, "f", "two");
	rig_write(rig, "f", "tow");
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "changed by something else");
	rig_expect(rig, "f", "tow");
	rig_write(rig, "f", "two");
	assert_int_equal(undo(rig, "f"), REQUEST_DONE);
	rig_expect(rig, "f", "one");
	assert_int_equal(unlinkat(rig->top, "f", 0), 0);
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "not in it any more");
}

static void a_removed_file_is_not_brought_back(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "f", "one");
	create(rig, "f", "two");
	assert_int_equal(unlinkat(rig->top, "f", 0), 0);
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "is gone");
	assert_false(rig_exists(rig, "f"));
}

/* A crash between the entry and the edit, or somebody's own undo. */
static void an_edit_that_is_not_there_is_forgotten(void **state)
{
	struct rig *rig = *state;

	create(rig, "f", "one");
	create(rig, "f", "two");
	create(rig, "f", "three");
	rig_write(rig, "f", "two");
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "undo again");
	rig_expect(rig, "f", "two");
	assert_int_equal(undo(rig, "f"), REQUEST_DONE);
	rig_expect(rig, "f", "one");
}

static void the_history_has_an_end(void **state)
{
	struct rig *rig = *state;
	char text[16];
	size_t bytes;

	for (int i = 0; i < UNDO_ENTRIES_MAX + 10; i++) {
		snprintf(text, sizeof(text), "%d", i);
		create(rig, "f", text);
	}
	assert_int_equal(entries(rig, &bytes), UNDO_ENTRIES_MAX);
	for (int i = UNDO_ENTRIES_MAX + 8; i >= 10 - 1; i--) {
		assert_int_equal(undo(rig, "f"), REQUEST_DONE);
		snprintf(text, sizeof(text), "%d", i);
		rig_expect(rig, "f", text);
	}
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	assert_int_equal(entries(rig, &bytes), 0);
}

static void the_history_has_a_size(void **state)
{
	struct rig *rig = *state;
	size_t len = 5 * 1024 * 1024, bytes;
	char *text = malloc(len);

	memset(text, 'x', len);
	for (int i = 0; i < 5; i++) {
		char name[8];

		snprintf(name, sizeof(name), "f%d", i);
		rig_write_bytes(rig, name, text, len);
		create(rig, name, "small");
	}
	free(text);
	assert_int_equal(entries(rig, &bytes), 3);
	assert_true(bytes <= UNDO_BYTES_MAX);
	assert_int_equal(undo(rig, "f4"), REQUEST_DONE);
	assert_int_equal(undo(rig, "f1"), REQUEST_FAILED);
}

/* ---- a history that somebody else wrote -------------------------------------------------------
 * */

static void plant(struct rig *rig, const char *name, const char *text)
{
	char path[64];

	snprintf(path, sizeof(path), ".callgate/undo/%s", name);
	rig_write(rig, path, text);
}

static void planted_entries_do_nothing(void **state)
{
	static const char *const planted[] = {
	    "",
	    "\n",
	    "{}\n",
	    "[]\nx",
	    "null\n",
	    "{\"path\":\"f\"}\nevil",
	    "{\"after\":\"00\",\"before\":true,\"path\":\"f\"}\nevil",
	    "{\"after\":7,\"before\":true,\"path\":\"f\"}\nevil",
	    "{\"after\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	    "\"before\":1,\"path\":\"f\"}\nevil",
	    "{\"after\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	    "\"before\":true,\"path\":\"../f\"}\nevil",
	    "{\"after\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	    "\"before\":true,\"path\":\"/etc/passwd\"}\nevil",
	    "{\"after\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	    "\"before\":false,\"path\":\"f\"}\nevil",
	    "no end of the line",
	};
	struct rig *rig = *state;

	create(rig, "f", "one");
	create(rig, "f", "two");
	for (size_t i = 0; i < sizeof(planted) / sizeof(planted[0]); i++) {
		char name[32];

		snprintf(name, sizeof(name), "%016zu", 100 + i);
		plant(rig, name, planted[i]);
	}
	plant(rig, "not-a-number-000", "{}");
	plant(rig, "short", "{}");
	rig_link(rig, "/etc/passwd", ".callgate/undo/0000000000000200");
	rig_folder(rig, ".callgate/undo/0000000000000201");
	assert_int_equal(mkfifoat(rig->top, ".callgate/undo/0000000000000202", 0600), 0);
	assert_int_equal(undo(rig, "f"), REQUEST_DONE);
	rig_expect(rig, "f", "one");
}

static void an_entry_must_fit_the_file(void **state)
{
	struct rig *rig = *state;

	create(rig, "f", "one");
	plant(rig, "0000000000000777",
	    "{\"after\":\"0000000000000000000000000000000000000000000000000000000000000000\","
	    "\"before\":true,\"path\":\"f\"}\nevil");
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	rig_expect(rig, "f", "one");
}

static void a_replaced_folder_refuses_the_edit(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, ".callgate", "a file");
	assert_int_equal(
	    edit(rig, "{'command': 'create', 'path': 'f', 'file_text': 'x'}"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "not a folder");
	assert_int_equal(unlinkat(rig->top, ".callgate", 0), 0);
	rig_link(rig, rig->outside, ".callgate");
	assert_int_equal(
	    edit(rig, "{'command': 'create', 'path': 'f', 'file_text': 'x'}"), REQUEST_FAILED);
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	assert_int_equal(unlinkat(rig->top, ".callgate", 0), 0);
	rig_folder(rig, ".callgate");
	rig_link(rig, rig->outside, ".callgate/undo");
	rig_link(rig, "/etc/passwd", ".callgate/.gitignore");
	assert_int_equal(
	    edit(rig, "{'command': 'create', 'path': 'f', 'file_text': 'x'}"), REQUEST_FAILED);
	assert_false(rig_exists(rig, "f"));
	assert_int_equal(rmdir(rig->outside), 0); /* nothing was made in it */
	assert_int_equal(mkdir(rig->outside, 0700), 0);
}

static void a_flooded_history_is_said(void **state)
{
	struct rig *rig = *state;
	char name[32];

	create(rig, "f", "one");
	plant(rig, "9999999999999999", "{}");
	assert_int_equal(
	    edit(rig, "{'command': 'create', 'path': 'f', 'file_text': 'x'}"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "not the editor's");
	for (int i = 0; i < 4100; i++) {
		snprintf(name, sizeof(name), "junk%d", i);
		plant(rig, name, "");
	}
	assert_int_equal(
	    edit(rig, "{'command': 'create', 'path': 'f', 'file_text': 'x'}"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "not the editor's");
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	rig_expect(rig, "f", "one");
}

static void a_held_lock_is_waited_for_and_no_longer(void **state)
{
	struct rig *rig = *state;
	int fd;

	create(rig, "f", "one");
	fd = openat(rig->top, ".callgate/undo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(undo(rig, "f"), REQUEST_FAILED);
	RIG_HOLDS(rig_answer(rig), "another edit is under way");
	close(fd);
	assert_int_equal(undo(rig, "f"), REQUEST_DONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(edits_are_taken_back_one_by_one),
	    RIG_TEST(what_others_changed_is_not_undone),
	    RIG_TEST(a_removed_file_is_not_brought_back),
	    RIG_TEST(an_edit_that_is_not_there_is_forgotten),
	    RIG_TEST(the_history_has_an_end),
	    RIG_TEST(the_history_has_a_size),
	    RIG_TEST(planted_entries_do_nothing),
	    RIG_TEST(an_entry_must_fit_the_file),
	    RIG_TEST(a_replaced_folder_refuses_the_edit),
	    RIG_TEST(a_flooded_history_is_said),
	    RIG_TEST(a_held_lock_is_waited_for_and_no_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
