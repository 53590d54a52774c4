#include "tests/unit/functions/rig.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include "sandbox/functions/editor.h"
#include "sandbox/functions/editor_file.h"
#include "supervisor/base/str.h"

/* Runs the editor; ' stands for " in the arguments. */
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

#define EXPECT(rig, status, part, arguments)                                                       \
	do {                                                                                       \
		int status_ = (int)edit(rig, arguments);                                           \
		if (status_ != (int)(status))                                                      \
			fail_msg("%s: %d: %s", arguments, status_, rig_answer(rig));               \
		RIG_HOLDS(rig_answer(rig), part);                                                  \
	} while (0)
#define DONE(rig, part, arguments)    EXPECT(rig, REQUEST_DONE, part, arguments)
#define FAILS(rig, part, arguments)   EXPECT(rig, REQUEST_FAILED, part, arguments)
#define INVALID(rig, part, arguments) EXPECT(rig, REQUEST_INVALID, part, arguments)

/* ---- arguments ------------------------------------------------------------------------------ */

static void nonsense_is_refused(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "f", "one\ntwo\n");
	INVALID(rig, "command", "{}");
	INVALID(rig, "command", "{'command': 'delete', 'path': 'f'}");
	INVALID(rig, "command", "{'command': 7, 'path': 'f'}");
	INVALID(rig, "path: is missing", "{'command': 'view'}");
	INVALID(rig, "path: must be text", "{'command': 'view', 'path': ['f']}");
	INVALID(rig, "path: is empty", "{'command': 'view', 'path': ''}");
	INVALID(rig, "absolute", "{'command': 'view', 'path': '/etc/passwd'}");
	INVALID(rig, "\"..\"", "{'command': 'create', 'path': 'a/../../x', 'file_text': ''}");
	INVALID(rig, "color: unknown", "{'command': 'view', 'path': 'f', 'color': 1}");
	INVALID(rig, "old_str: unknown", "{'command': 'view', 'path': 'f', 'old_str': 'x'}");
	INVALID(rig, "file_text: is missing", "{'command': 'create', 'path': 'x'}");
	INVALID(rig, "file_text: must be", "{'command': 'create', 'path': 'x', 'file_text': null}");
	INVALID(rig, "old_str: is missing", "{'command': 'str_replace', 'path': 'f'}");
	INVALID(rig, "old_str: is empty",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': '', 'new_str': 'x'}");
	INVALID(rig, "same",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'one', 'new_str': 'one'}");
	INVALID(rig, "insert_line: must be a whole",
	    "{'command': 'insert', 'path': 'f', 'insert_line': 1.5, 'insert_text': 'x'}");
	INVALID(rig, "insert_line: must be from 0",
	    "{'command': 'insert', 'path': 'f', 'insert_line': -1, 'insert_text': 'x'}");
	INVALID(rig, "insert_line: must be from 0",
	    "{'command': 'insert', 'path': 'f', 'insert_line': 9223372036854775807, "
	    "'insert_text': 'x'}");
	INVALID(rig, "insert_line: must be a whole",
	    "{'command': 'insert', 'path': 'f', 'insert_line': 1e300, 'insert_text': 'x'}");
	INVALID(rig, "insert_text: is empty",
	    "{'command': 'insert', 'path': 'f', 'insert_line': 0, 'insert_text': ''}");
	INVALID(rig, "two line numbers", "{'command': 'view', 'path': 'f', 'view_range': [1]}");
	INVALID(rig, "view_range: must be a whole",
	    "{'command': 'view', 'path': 'f', 'view_range': ['1', 2]}");
	INVALID(rig, "from 1", "{'command': 'view', 'path': 'f', 'view_range': [0, 2]}");
	INVALID(rig, "before it begins", "{'command': 'view', 'path': 'f', 'view_range': [2, 1]}");
	rig_expect(rig, "f", "one\ntwo\n");
	assert_false(rig_exists(rig, ".callgate"));
}

/* ---- view ----------------------------------------------------------------------------------- */

static void view_numbers_lines(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "f", "one\n\tтри\nthree\n");
	DONE(rig, "", "{'command': 'view', 'path': 'f'}");
	assert_string_equal(rig_answer(rig), "     1\tone\n     2\t\tтри\n     3\tthree\n");
	DONE(rig, "", "{'command': 'view', 'path': 'f', 'view_range': [2, 2]}");
	assert_string_equal(rig_answer(rig), "     2\t\tтри\n");
	DONE(rig, "", "{'command': 'view', 'path': 'f', 'view_range': [2, -1]}");
	assert_string_equal(rig_answer(rig), "     2\t\tтри\n     3\tthree\n");
	DONE(rig, "", "{'command': 'view', 'path': 'f', 'view_range': [3.0, 999]}");
	assert_string_equal(rig_answer(rig), "     3\tthree\n");
	FAILS(rig, "has 3 lines", "{'command': 'view', 'path': 'f', 'view_range': [4, -1]}");
}

static void view_says_what_is_special(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "empty", "");
	rig_write(rig, "open", "no end");
	rig_write(rig, "crlf", "a\r\nb\r\n");
	rig_write(rig, "mixed", "a\r\nb\n");
	rig_write(rig, "latin", "caf\xe9\n");
	rig_write_bytes(rig, "nul", "a\0b\n", 4);
	DONE(rig, "empty", "{'command': 'view', 'path': 'empty'}");
	FAILS(rig, "has 0 lines", "{'command': 'view', 'path': 'empty', 'view_range': [1, -1]}");
	DONE(rig, "no line end at the end", "{'command': 'view', 'path': 'open'}");
	DONE(rig, "     1\ta\n     2\tb\n[every line ends in CRLF",
	    "{'command': 'view', 'path': 'crlf'}");
	DONE(rig, "     1\ta\r\n     2\tb\n[some lines", "{'command': 'view', 'path': 'mixed'}");
	FAILS(rig, "not UTF-8 text", "{'command': 'view', 'path': 'latin'}");
	FAILS(rig, "not UTF-8 text", "{'command': 'view', 'path': 'nul'}");
	FAILS(rig, "no such file", "{'command': 'view', 'path': 'none'}");
}

static void long_files_are_cut_aloud(void **state)
{
	struct rig *rig = *state;
	size_t len = 700 * 1024;
	char *bytes = malloc(len);

	memset(bytes, 'x', len);
	rig_write_bytes(rig, "wide", bytes, len);
	for (size_t i = 9; i < len; i += 10)
		bytes[i] = '\n';
	rig_write_bytes(rig, "long", bytes, len);
	DONE(rig, "[cut: lines 1 to ", "{'command': 'view', 'path': 'long'}");
	assert_true(rig->out.len <= REQUEST_OUTPUT_MAX);
	DONE(rig, " bytes more]", "{'command': 'view', 'path': 'wide'}");
	DONE(rig, " 70001\t", "{'command': 'view', 'path': 'long', 'view_range': [70001, -1]}");
	/* The cut falls into the middle of a character. */
	for (size_t i = 0; i + 2 < len; i += 3)
		memcpy(bytes + i, "\xe2\x82\xac", 3);
	rig_write_bytes(rig, "wide", bytes, len / 3 * 3);
	DONE(rig, " bytes more]", "{'command': 'view', 'path': 'wide'}");
	assert_true(str_is_utf8(rig->out.data, rig->out.len));
	free(bytes);
}

static void folders_are_shown_two_deep(void **state)
{
	struct rig *rig = *state;

	rig_folder(rig, "src");
	rig_folder(rig, "src/sub");
	rig_folder(rig, ".git");
	rig_write(rig, "src/sub/third", "");
	rig_write(rig, "src/b.c", "");
	rig_write(rig, "src/.hidden", "");
	rig_write(rig, "README", "");
	rig_write(rig, "new\nline", "");
	rig_link(rig, "/etc", "etc");
	DONE(rig, "", "{'command': 'view', 'path': '.'}");
	assert_string_equal(
	    rig_answer(rig), "README\netc@\nnew\\x0aline\nsrc/\nsrc/b.c\nsrc/sub/\n");
	DONE(rig, "", "{'command': 'view', 'path': 'src'}");
	assert_string_equal(rig_answer(rig), "b.c\nsub/\nsub/third\n");
	DONE(rig, "nothing", "{'command': 'view', 'path': '.git'}");
	FAILS(rig, "is a folder", "{'command': 'view', 'path': 'src', 'view_range': [1, 2]}");
	FAILS(rig, "is a folder", "{'command': 'str_replace', 'path': 'src', 'old_str': 'x'}");
	FAILS(rig, "is a folder", "{'command': 'create', 'path': 'src', 'file_text': 'x'}");
	FAILS(rig, "symbolic link", "{'command': 'view', 'path': 'etc/passwd'}");
}

static void many_entries_are_cut_aloud(void **state)
{
	struct rig *rig = *state;
	char name[32];

	rig_folder(rig, "many");
	for (int i = 0; i < 2100; i++) {
		snprintf(name, sizeof(name), "many/%04d", i);
		rig_write(rig, name, "");
	}
	DONE(rig, "there are more", "{'command': 'view', 'path': 'many'}");
	DONE(rig, "there are more", "{'command': 'view', 'path': '.'}");
}

/* ---- create --------------------------------------------------------------------------------- */

static void create_writes_what_it_is_given(void **state)
{
	struct rig *rig = *state;
	struct stat st;

	DONE(rig, "Created a/b/c.txt",
	    "{'command': 'create', 'path': 'a/b/c.txt', 'file_text': 'x\\r\\ny'}");
	rig_expect(rig, "a/b/c.txt", "x\r\ny");
	assert_int_equal(fstatat(rig->top, "a/b/c.txt", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	DONE(rig, "already", "{'command': 'create', 'path': 'a/b/c.txt', 'file_text': 'x\\r\\ny'}");
	DONE(rig, "Overwrote", "{'command': 'create', 'path': 'a/b/c.txt', 'file_text': ''}");
	rig_expect(rig, "a/b/c.txt", "");
	DONE(rig, "Took back", "{'command': 'undo', 'path': 'a/b/c.txt'}");
	rig_expect(rig, "a/b/c.txt", "x\r\ny");
	DONE(rig, "Removed", "{'command': 'undo', 'path': 'a/b/c.txt'}");
	rig_expect(rig, "a/b/c.txt", NULL);
	FAILS(rig, "nothing to undo", "{'command': 'undo', 'path': 'a/b/c.txt'}");
	rig_expect(rig, ".callgate/.gitignore", "*\n");
}

static void create_may_overwrite_what_is_no_text(void **state)
{
	struct rig *rig = *state;
	char *have;

	rig_write_bytes(rig, "bin", "a\0\xff", 3);
	DONE(rig, "Overwrote", "{'command': 'create', 'path': 'bin', 'file_text': 'text'}");
	DONE(rig, "Took back", "{'command': 'undo', 'path': 'bin'}");
	have = rig_read(rig, "bin");
	assert_memory_equal(have, "a\0\xff", 4);
	free(have);
}

static void modes_are_kept(void **state)
{
	struct rig *rig = *state;
	struct stat st;

	rig_write(rig, "run.sh", "#!/bin/sh\n");
	assert_int_equal(fchmodat(rig->top, "run.sh", 0750, 0), 0);
	if (geteuid() == 0)
		assert_int_equal(fchownat(rig->top, "run.sh", 1234, 4321, 0), 0);
	DONE(rig, "",
	    "{'command': 'insert', 'path': 'run.sh', 'insert_line': 1, 'insert_text': 'ls'}");
	rig_expect(rig, "run.sh", "#!/bin/sh\nls\n");
	assert_int_equal(fstatat(rig->top, "run.sh", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	if (geteuid() == 0)
		assert_true(st.st_uid == 1234 && st.st_gid == 4321);
}

/* Whoever allowed the path read its name, so what is edited has that name. */
static void links_are_not_followed(void **state)
{
	struct rig *rig = *state;

	rig_folder(rig, "real");
	rig_write(rig, "real/f", "old\n");
	rig_link(rig, "real/f", "link");
	rig_link(rig, "real", "folder");
	rig_link(rig, "/etc/passwd", "out");
	rig_link(rig, "real/new", "dangling");
	FAILS(rig, "symbolic link",
	    "{'command': 'str_replace', 'path': 'link', 'old_str': 'old', 'new_str': 'new'}");
	FAILS(rig, "symbolic link", "{'command': 'view', 'path': 'folder/f'}");
	FAILS(rig, "symbolic link", "{'command': 'view', 'path': 'folder'}");
	rig_expect(rig, "real/f", "old\n");
	FAILS(rig, "symbolic link", "{'command': 'create', 'path': 'dangling', 'file_text': 'n'}");
	assert_false(rig_exists(rig, "real/new"));
	FAILS(rig, "symbolic link", "{'command': 'create', 'path': 'out', 'file_text': 'x'}");
	FAILS(rig, "symbolic link", "{'command': 'view', 'path': 'out'}");
	FAILS(rig, "own folder", "{'command': 'create', 'path': '.callgate/x', 'file_text': 'x'}");
	FAILS(rig, "own folder", "{'command': 'view', 'path': '.callgate'}");
}

static void special_files_are_refused(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(mkfifoat(rig->top, "fifo", 0600), 0);
	FAILS(rig, "neither a file", "{'command': 'view', 'path': 'fifo'}");
	FAILS(rig, "neither a file", "{'command': 'create', 'path': 'fifo', 'file_text': 'x'}");
	if (geteuid() != 0 || mknodat(rig->top, "null", S_IFCHR | 0666, makedev(1, 3)) < 0)
		return;
	FAILS(rig, "neither a file", "{'command': 'view', 'path': 'null'}");
	FAILS(rig, "neither a file", "{'command': 'create', 'path': 'null', 'file_text': 'x'}");
}

static void large_files_are_refused(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig_write(rig, "big", "begin\n");
	fd = openat(rig->top, "big", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 10 * 1024 * 1024), 0);
	FAILS(rig, "larger than 8 MiB", "{'command': 'view', 'path': 'big'}");
	FAILS(rig, "larger than 8 MiB", "{'command': 'create', 'path': 'big', 'file_text': 'x'}");
	assert_int_equal(ftruncate(fd, 0), 0);
	for (int i = 0; i < 8 * 1024; i++) {
		char line[1024];

		memset(line, 'y', sizeof(line));
		assert_int_equal(fd_write_all(fd, line, sizeof(line)), 0);
	}
	close(fd);
	FAILS(rig, "would be larger",
	    "{'command': 'insert', 'path': 'big', 'insert_line': 0, 'insert_text': 'x'}");
	assert_false(rig_exists(rig, ".callgate"));
}

/* ---- str_replace and insert ----------------------------------------------------------------- */

static void exactly_one_match_is_replaced(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "f", "aaa\nfoo bar\nfoo baz\nend");
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'foo bar', 'new_str': 'x'}");
	assert_string_equal(rig_answer(rig),
	    "Replaced 1 occurrence in f:\n     1\taaa\n     2\tx\n     3\tfoo baz\n     4\tend\n");
	FAILS(rig, "occurs 2 times (lines 1, 1)",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'aa', 'new_str': 'b'}");
	FAILS(rig, "does not occur", "{'command': 'str_replace', 'path': 'f', 'old_str': 'Foo'}");
	FAILS(rig, "no such file", "{'command': 'str_replace', 'path': 'g', 'old_str': 'Foo'}");
	DONE(rig, "", "{'command': 'str_replace', 'path': 'f', 'old_str': '\\nfoo baz'}");
	rig_expect(rig, "f", "aaa\nx\nend");
	DONE(rig, "is empty now",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'aaa\\nx\\nend'}");
	rig_expect(rig, "f", "");
}

static void many_matches_are_counted(void **state)
{
	struct rig *rig = *state;
	struct buf text = {0};

	buf_init(&text, 1 << 20);
	for (int i = 0; i < 12; i++)
		buf_text(&text, "x\n");
	rig_write(rig, "f", buf_cstr(&text));
	FAILS(rig, "occurs 12 times (lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...)",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'x'}");
	for (int i = 0; i < 5000; i++)
		buf_text(&text, "x\n");
	rig_write(rig, "f", buf_cstr(&text));
	FAILS(
	    rig, "at least 1000 times", "{'command': 'str_replace', 'path': 'f', 'old_str': 'x'}");
	buf_fini(&text);
}

static void line_ends_are_kept(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "crlf", "a\r\nb\r\nc\r\n");
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'crlf', 'old_str': 'a\\nb', "
	    "'new_str': 'x\\ny\\nz'}");
	rig_expect(rig, "crlf", "x\r\ny\r\nz\r\nc\r\n");
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'crlf', 'old_str': 'y\\r\\nz', 'new_str': 'w'}");
	rig_expect(rig, "crlf", "x\r\nw\r\nc\r\n");
	DONE(rig, "",
	    "{'command': 'insert', 'path': 'crlf', 'insert_line': 1, 'insert_text': 'q\\nr'}");
	rig_expect(rig, "crlf", "x\r\nq\r\nr\r\nw\r\nc\r\n");
	DONE(rig, "", "{'command': 'undo', 'path': 'crlf'}");
	rig_expect(rig, "crlf", "x\r\nw\r\nc\r\n");
	rig_write(rig, "odd", "a\r\r\nb\r\n");
	DONE(rig, "", "{'command': 'str_replace', 'path': 'odd', 'old_str': 'b', 'new_str': 'c'}");
	rig_expect(rig, "odd", "a\r\r\nc\r\n");
	rig_write(rig, "mixed", "a\r\nb\nc\n");
	FAILS(rig, "mixed line ends",
	    "{'command': 'str_replace', 'path': 'mixed', 'old_str': 'a\\nb'}");
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'mixed', 'old_str': 'a\\r\\nb', 'new_str': 'z'}");
	rig_expect(rig, "mixed", "z\nc\n");
	rig_write(rig, "lf", "a\nb\n");
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'lf', 'old_str': 'a', 'new_str': 'x\\ny'}");
	rig_expect(rig, "lf", "x\ny\nb\n");
}

static void inserted_text_is_lines_of_its_own(void **state)
{
	static const struct {
		const char *before, *arguments, *after;
	} rows[] = {
	    {"a\nb\n", "'insert_line': 0, 'insert_text': 'x'", "x\na\nb\n"},
	    {"a\nb\n", "'insert_line': 1, 'insert_text': 'x\\n'", "a\nx\nb\n"},
	    {"a\nb\n", "'insert_line': 2, 'insert_text': 'x'", "a\nb\nx\n"},
	    {"a\nb", "'insert_line': 2, 'insert_text': 'x'", "a\nb\nx"},
	    {"a\nb", "'insert_line': 2, 'insert_text': 'x\\n'", "a\nb\nx\n"},
	    {"a\nb", "'insert_line': 1, 'insert_text': 'x\\ny'", "a\nx\ny\nb"},
	    {"", "'insert_line': 0, 'insert_text': 'x'", "x\n"},
	    {"a", "'insert_line': 0, 'insert_text': '\\n'", "\na"},
	    {"a\r\n", "'insert_line': 1, 'insert_text': 'x'", "a\r\nx\r\n"},
	};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char arguments[256];

		snprintf(arguments, sizeof(arguments), "{'command': 'insert', 'path': 'f', %s}",
		    rows[i].arguments);
		rig_write(rig, "f", rows[i].before);
		DONE(rig, "Inserted after line", arguments);
		rig_expect(rig, "f", rows[i].after);
		DONE(rig, "Took back", "{'command': 'undo', 'path': 'f'}");
		rig_expect(rig, "f", rows[i].before);
	}
	FAILS(rig, "has 1 lines",
	    "{'command': 'insert', 'path': 'f', 'insert_line': 2, 'insert_text': 'x'}");
}

static void replies_show_four_lines_around(void **state)
{
	struct rig *rig = *state;
	struct buf text = {0};

	buf_init(&text, 1 << 20);
	for (int i = 1; i <= 30; i++)
		buf_textf(&text, "line%d\n", i);
	rig_write(rig, "f", buf_cstr(&text));
	buf_fini(&text);
	DONE(rig, "",
	    "{'command': 'str_replace', 'path': 'f', 'old_str': 'line15\\n', "
	    "'new_str': 'x\\ny\\n'}");
	RIG_HOLDS(rig_answer(rig), ":\n    11\tline11\n");
	RIG_HOLDS(rig_answer(rig), "    20\tline19\n[lines 11 to 20 of 31]\n");
	DONE(rig, "", "{'command': 'undo', 'path': 'f'}");
	RIG_HOLDS(rig_answer(rig), "    11\tline11\n");
}

/* ---- what others do meanwhile ---------------------------------------------------------------- */

static void a_file_that_changed_meanwhile_is_left_alone(void **state)
{
	struct rig *rig = *state;
	struct editor_file file;

	rig_write(rig, "f", "one");
	assert_int_equal(editor_file_read(&file, rig->top, "f", PLACE_PARENTS_MAKE, &rig->note), 0);
	rig_write(rig, "f", "two");
	assert_int_equal(editor_file_write(&file, "mine", 4, &rig->note), -EBUSY);
	assert_int_equal(editor_file_remove(&file, &rig->note), -EBUSY);
	RIG_HOLDS(rig->note.text, "changed meanwhile");
	rig_expect(rig, "f", "two");
	assert_int_equal(unlinkat(rig->top, "f", 0), 0);
	assert_int_equal(editor_file_write(&file, "mine", 4, &rig->note), -EBUSY);
	rig_link(rig, "/etc/passwd", "f");
	assert_int_equal(editor_file_write(&file, "mine", 4, &rig->note), -EBUSY);
	editor_file_fini(&file);
	assert_int_equal(
	    editor_file_read(&file, rig->top, "new", PLACE_PARENTS_MAKE, &rig->note), PLACE_ABSENT);
	rig_write(rig, "new", "theirs");
	assert_int_equal(editor_file_write(&file, "mine", 4, &rig->note), -EBUSY);
	rig_expect(rig, "new", "theirs");
	editor_file_fini(&file);
	DONE(rig, "", "{'command': 'view', 'path': '.'}");
	assert_string_equal(rig_answer(rig), "f@\nnew\n"); /* and no temporary file */
}

static void no_permission_is_said(void **state)
{
	struct rig *rig = *state;

	rig_folder(rig, "shut");
	rig_write(rig, "shut/f", "x");
	rig_write(rig, "ro", "x");
	assert_int_equal(fchmodat(rig->top, "shut/f", 0, 0), 0);
	assert_int_equal(fchmodat(rig->top, "ro", 0444, 0), 0);
	assert_int_equal(fchmodat(rig->top, "shut", 0555, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(chmod(rig->folder, 0755), 0);
		assert_int_equal(setegid(65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	FAILS(rig, "no permission", "{'command': 'view', 'path': 'shut/f'}");
	EXPECT(
	    rig, REQUEST_FAILED, "", "{'command': 'create', 'path': 'shut/g', 'file_text': 'x'}");
	EXPECT(rig, REQUEST_FAILED, "", "{'command': 'create', 'path': 'ro', 'file_text': 'y'}");
	if (getuid() == 0) {
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(setegid(0), 0);
	}
	rig_expect(rig, "ro", "x");
	assert_false(rig_exists(rig, "shut/g"));
}

/* RLIMIT_FSIZE is what binds in a workspace. */
static void a_full_disk_changes_nothing(void **state)
{
	struct rig *rig = *state;
	pid_t child;
	int status;

	rig_write(rig, "f", "0123456789\n");
	child = fork();
	if (child == 0) {
		const struct rlimit limit = {600, 600};
		char arguments[2048];

		(void)signal(SIGXFSZ, SIG_IGN);
		(void)setrlimit(RLIMIT_FSIZE, &limit);
		snprintf(arguments, sizeof(arguments),
		    "{'command': 'insert', 'path': 'f', 'insert_line': 0, "
		    "'insert_text': '%01000d'}",
		    7);
		_exit(edit(rig, arguments) == REQUEST_FAILED ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	rig_expect(rig, "f", "0123456789\n");
	FAILS(rig, "nothing to undo", "{'command': 'undo', 'path': 'f'}");
	DONE(rig, "", "{'command': 'view', 'path': '.'}");
	assert_string_equal(rig_answer(rig), "f\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RIG_TEST(nonsense_is_refused),
	    RIG_TEST(view_numbers_lines),
	    RIG_TEST(view_says_what_is_special),
	    RIG_TEST(long_files_are_cut_aloud),
	    RIG_TEST(folders_are_shown_two_deep),
	    RIG_TEST(many_entries_are_cut_aloud),
	    RIG_TEST(create_writes_what_it_is_given),
	    RIG_TEST(create_may_overwrite_what_is_no_text),
	    RIG_TEST(modes_are_kept),
	    RIG_TEST(links_are_not_followed),
	    RIG_TEST(special_files_are_refused),
	    RIG_TEST(large_files_are_refused),
	    RIG_TEST(exactly_one_match_is_replaced),
	    RIG_TEST(many_matches_are_counted),
	    RIG_TEST(line_ends_are_kept),
	    RIG_TEST(inserted_text_is_lines_of_its_own),
	    RIG_TEST(replies_show_four_lines_around),
	    RIG_TEST(a_file_that_changed_meanwhile_is_left_alone),
	    RIG_TEST(no_permission_is_said),
	    RIG_TEST(a_full_disk_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
