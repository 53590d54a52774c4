#include "tests/unit/functions/rig.h"

#include <time.h>

#include "sandbox/functions/grep.h"
#include "sandbox/functions/grep_pattern.h"
#include "supervisor/base/str.h"

#define LONG_MS 60000

static enum request_status grep_for(struct rig *rig, uint64_t time_ms, const char *text)
{
	json_t *arguments = rig_arguments(text);
	enum request_status status;

	buf_reset(&rig->out);
	rig->note.text[0] = '\0';
	status = grep_run(rig->top, arguments, time_ms, &rig->out, &rig->note);
	json_decref(arguments);
	return status;
}

#define EXPECT(rig, status, arguments)                                                             \
	do {                                                                                       \
		int status_ = (int)grep_for(rig, LONG_MS, arguments);                              \
		if (status_ != (int)(status))                                                      \
			fail_msg("%s: %d: %s", arguments, status_, rig_answer(rig));               \
	} while (0)
#define FINDS(rig, text, arguments)                                                                \
	do {                                                                                       \
		EXPECT(rig, REQUEST_DONE, arguments);                                              \
		assert_string_equal(rig_answer(rig), text);                                        \
	} while (0)
#define REFUSES(rig, status, part, arguments)                                                      \
	do {                                                                                       \
		EXPECT(rig, status, arguments);                                                    \
		RIG_HOLDS(rig_answer(rig), part);                                                  \
	} while (0)

static int setup_tree(void **state)
{
	struct rig *rig;

	if (rig_setup(state) < 0)
		return -1;
	rig = *state;
	rig_folder(rig, "src");
	rig_folder(rig, "src/sub");
	rig_folder(rig, ".git");
	rig_folder(rig, ".hid");
	rig_folder(rig, ".callgate");
	rig_folder(rig, "src/.callgate");
	rig_write(rig, "b.txt", "needle one\nhay\nneedle two\n");
	rig_write(rig, "src/a.c", "int needle;\n");
	rig_write(rig, "src/a.h", "no\n");
	rig_write(rig, "src/sub/z.c", "needle (x)\n");
	rig_write(rig, ".git/config", "needle\n");
	rig_write(rig, ".hid/f", "needle\n");
	rig_write(rig, ".env", "needle\n");
	rig_write(rig, ".callgate/f", "needle\n");
	rig_write(rig, "src/.callgate/f", "needle\n");
	rig_link(rig, "/etc", "src/etc");
	rig_link(rig, "b.txt", "again");
	rig_link(rig, "..", "src/loop");
	return mkfifoat(rig->top, "src/fifo", 0600);
}

static void nonsense_is_refused(void **state)
{
	struct rig *rig = *state;

	REFUSES(rig, REQUEST_INVALID, "pattern: is missing", "{}");
	REFUSES(rig, REQUEST_INVALID, "pattern: is empty", "{'pattern': ''}");
	REFUSES(rig, REQUEST_INVALID, "pattern: must be text", "{'pattern': 1}");
	REFUSES(
	    rig, REQUEST_INVALID, "missing closing parenthesis (at byte 1)", "{'pattern': '('}");
	REFUSES(rig, REQUEST_INVALID, "pattern: ", "{'pattern': 'a\\\\C'}");
	REFUSES(rig, REQUEST_INVALID, "line end", "{'pattern': 'a\\nb'}");
	REFUSES(
	    rig, REQUEST_INVALID, "too large", "{'pattern': '((a{1,60000}){1,60000}){2,60000}x'}");
	REFUSES(rig, REQUEST_INVALID, "multiline: unknown", "{'pattern': 'x', 'multiline': true}");
	REFUSES(rig, REQUEST_INVALID, "ignore_case: must be", "{'pattern': 'x', 'ignore_case': 1}");
	REFUSES(rig, REQUEST_INVALID, "context: must be from 0 to 10",
	    "{'pattern': 'x', 'context': 11}");
	REFUSES(rig, REQUEST_INVALID, "max_results: must be from 1",
	    "{'pattern': 'x', 'max_results': 0}");
	REFUSES(rig, REQUEST_INVALID, "max_results: must be a whole",
	    "{'pattern': 'x', 'max_results': 1e30}");
	REFUSES(rig, REQUEST_INVALID, "output_mode", "{'pattern': 'x', 'output_mode': 'lines'}");
	REFUSES(rig, REQUEST_INVALID, "glob: ", "{'pattern': 'x', 'glob': '['}");
	REFUSES(rig, REQUEST_INVALID, "absolute", "{'pattern': 'x', 'path': '/etc'}");
	REFUSES(rig, REQUEST_INVALID, "\"..\"", "{'pattern': 'x', 'path': 'src/..'}");
	REFUSES(rig, REQUEST_FAILED, "no such file", "{'pattern': 'x', 'path': 'none'}");
	REFUSES(rig, REQUEST_FAILED, "symbolic link", "{'pattern': 'x', 'path': 'src/etc'}");
	REFUSES(rig, REQUEST_FAILED, "own folder", "{'pattern': 'x', 'path': '.callgate'}");
	REFUSES(rig, REQUEST_FAILED, "own folder", "{'pattern': 'x', 'path': 'src/.callgate/f'}");
	REFUSES(rig, REQUEST_FAILED, ".git is never", "{'pattern': 'x', 'path': '.git/config'}");
	REFUSES(rig, REQUEST_FAILED, "neither a file", "{'pattern': 'x', 'path': 'src/fifo'}");
}

static void matches_are_sorted_and_numbered(void **state)
{
	struct rig *rig = *state;

	FINDS(rig,
	    "b.txt:1:needle one\nb.txt:3:needle two\nsrc/a.c:1:int needle;\n"
	    "src/sub/z.c:1:needle (x)\n",
	    "{'pattern': 'needle'}");
	FINDS(rig, "src/a.c:1:int needle;\nsrc/sub/z.c:1:needle (x)\n",
	    "{'pattern': 'needle', 'path': 'src'}");
	FINDS(rig, "src/a.c:1:int needle;\n", "{'pattern': 'needle', 'path': './src//a.c'}");
	FINDS(rig, "b.txt:1:needle one\nb.txt:3:needle two\n",
	    "{'pattern': '^needle', 'path': 'b.txt'}");
	REFUSES(rig, REQUEST_FAILED, "symbolic link", "{'pattern': '^needle', 'path': 'again'}");
	FINDS(
	    rig, "b.txt\nsrc/a.c\nsrc/sub/z.c\n", "{'pattern': 'needle', 'output_mode': 'files'}");
	FINDS(rig, "b.txt:2\nsrc/a.c:1\nsrc/sub/z.c:1\n",
	    "{'pattern': 'needle', 'output_mode': 'count'}");
	FINDS(rig, "No matches.\n", "{'pattern': 'pin'}");
	FINDS(rig, "src/sub/z.c:1:needle (x)\n",
	    "{'pattern': 'LE (X)', 'literal': true, 'ignore_case': true}");
	FINDS(rig, "No matches.\n", "{'pattern': 'LE (X)', 'literal': true}");
}

static void globs_choose_files(void **state)
{
	struct rig *rig = *state;

	FINDS(rig, "src/a.c:1:int needle;\nsrc/sub/z.c:1:needle (x)\n",
	    "{'pattern': 'needle', 'glob': '*.c'}");
	FINDS(rig, "src/a.c:1:int needle;\n", "{'pattern': 'needle', 'glob': 'src/*.c'}");
	FINDS(rig, "src/sub/z.c:1:needle (x)\n", "{'pattern': 'needle', 'glob': 'src/*/*.{c,h}'}");
	FINDS(rig, ".env:1:needle\n", "{'pattern': 'needle', 'glob': '.env'}");
	FINDS(rig, ".hid/f:1:needle\n", "{'pattern': 'needle', 'glob': '.hid/**'}");
	FINDS(rig, ".hid/f:1:needle\n", "{'pattern': 'needle', 'path': '.hid'}");
	FINDS(rig, ".env:1:needle\n", "{'pattern': 'needle', 'path': '.env'}");
	FINDS(rig, "No matches.\n", "{'pattern': 'needle', 'glob': '.git/**'}");
	FINDS(rig, "No matches.\n", "{'pattern': 'needle', 'glob': '.callgate/**'}");
}

static void context_is_shown_once(void **state)
{
	struct rig *rig = *state;

	rig_write(rig, "c", "1\n2\nx3\n4\n5\nx6\n7\n8\n9\n10\nx11");
	FINDS(rig, "c-2-2\nc:3:x3\nc-4-4\nc-5-5\nc:6:x6\nc-7-7\n--\nc-10-10\nc:11:x11\n",
	    "{'pattern': '^x', 'path': 'c', 'context': 1}");
	FINDS(rig,
	    "c-1-1\nc-2-2\nc:3:x3\nc-4-4\nc-5-5\nc:6:x6\nc-7-7\nc-8-8\nc-9-9\nc-10-10\nc:11:x11\n",
	    "{'pattern': '^x', 'path': 'c', 'context': 2}");
	FINDS(rig,
	    "c-2-2\nc:3:x3\nc-4-4\n[stopped after 1 results: there are more results; narrow "
	    "pattern, path or glob, or raise max_results]\n",
	    "{'pattern': '^x', 'path': 'c', 'context': 1, 'max_results': 1}");
	FINDS(rig, "b.txt-2-hay\nb.txt:3:needle two\n--\nc:1:1\nc-2-2\n",
	    "{'pattern': 'two|^1$', 'context': 1}");
}

static void results_are_bounded(void **state)
{
	struct rig *rig = *state;

	FINDS(rig,
	    "b.txt:1:needle one\nb.txt:3:needle two\nsrc/a.c:1:int needle;\n[stopped after 3 "
	    "results: there are more results; narrow pattern, path or glob, or raise "
	    "max_results]\n",
	    "{'pattern': 'needle', 'max_results': 3}");
	FINDS(rig,
	    "b.txt:1:needle one\nb.txt:3:needle two\nsrc/a.c:1:int needle;\n"
	    "src/sub/z.c:1:needle (x)\n",
	    "{'pattern': 'needle', 'max_results': 4}");
	EXPECT(
	    rig, REQUEST_DONE, "{'pattern': 'needle', 'max_results': 2, 'output_mode': 'files'}");
	RIG_HOLDS(rig_answer(rig), "b.txt\nsrc/a.c\n[stopped after 2 results");
}

static void odd_bytes_are_no_error(void **state)
{
	struct rig *rig = *state;
	char *bytes = calloc(1, 20000);

	rig_write(rig, "latin", "caf\xe9 x\nplain x\n\xff\xfe\n\xc3\xa9 x\n");
	FINDS(rig, "latin:1:caf\xef\xbf\xbd x\nlatin:2:plain x\nlatin:4:\xc3\xa9 x\n",
	    "{'pattern': 'x$', 'path': 'latin'}");
	FINDS(rig, "latin:4:\xc3\xa9 x\n", "{'pattern': '^\xc3\xa9', 'path': 'latin'}");
	FINDS(rig, "No matches.\n", "{'pattern': '^[^x]*$', 'path': 'latin'}");
	memset(bytes, 'y', 20000);
	memcpy(bytes + 10000, "\nx\0x\n", 5);
	rig_write_bytes(rig, "late", bytes, 20000);
	FINDS(rig, "late:2:x\xef\xbf\xbdx\n", "{'pattern': 'x.x', 'path': 'late'}");
	bytes[8191] = '\0';
	rig_write_bytes(rig, "bin", bytes, 20000);
	FINDS(rig, "No matches.\n[not searched: 1 binary files]\n",
	    "{'pattern': 'x.x', 'path': 'bin'}");
	rig_write(rig, "crlf", "one\r\ntwo\r\n");
	FINDS(rig, "crlf:1:one\n", "{'pattern': 'e\\\\r$', 'path': 'crlf'}");
	rig_write(rig, "empty", "");
	rig_write(rig, "lines", "\n\n");
	FINDS(rig, "No matches.\n", "{'pattern': '^', 'path': 'empty'}");
	FINDS(rig, "lines:1:\nlines:2:\n", "{'pattern': '^$', 'path': 'lines'}");
	rig_write(rig, "two\nlines", "x\n");
	FINDS(rig, "two\\x0alines:1:x\n", "{'pattern': 'x', 'glob': 'two*'}");
	free(bytes);
}

static void long_lines_are_cut_between_characters(void **state)
{
	struct rig *rig = *state;
	char line[2000], *answer;

	for (size_t shift = 0; shift < 4; shift++) {
		memset(line, 'a', shift);
		for (size_t i = shift; i + 4 < sizeof(line); i += 3)
			memcpy(line + i, "\xe2\x82\xac", 4);
		rig_write(rig, "long", line);
		EXPECT(rig, REQUEST_DONE, "{'pattern': '.', 'path': 'long'}");
		answer = (char *)rig_answer(rig);
		assert_true(str_is_utf8(answer, strlen(answer)));
		assert_true(strlen(answer) <= sizeof("long:1:") + GREP_LINE_MAX + 20);
		RIG_HOLDS(answer, " bytes more]\n");
	}
	memset(line, '\xff', sizeof(line));
	rig_write_bytes(rig, "bad", line, sizeof(line));
	EXPECT(rig, REQUEST_DONE, "{'pattern': '^', 'path': 'bad'}");
	assert_true(str_is_utf8(rig->out.data, rig->out.len));
}

static void what_cannot_be_searched_is_counted(void **state)
{
	struct rig *rig = *state;
	int fd;

	rig_write(rig, "src/shut", "needle\n");
	rig_folder(rig, "src/shutfolder");
	rig_write(rig, "src/huge", "needle\n");
	fd = openat(rig->top, "src/huge", O_WRONLY | O_CLOEXEC);
	for (off_t at = 0; at < GREP_FILE_MAX + 4096; at += 4096)
		assert_int_equal(pwrite(fd, "not a hole\n", 11, at), 11);
	close(fd);
	assert_int_equal(fchmodat(rig->top, "src/shut", 0, 0), 0);
	assert_int_equal(fchmodat(rig->top, "src/shutfolder", 0, 0), 0);
	if (geteuid() == 0) {
		assert_int_equal(chmod(rig->folder, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	EXPECT(rig, REQUEST_DONE, "{'pattern': 'nothing like it', 'glob': 'src/**'}");
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	RIG_HOLDS(rig_answer(rig), "2 that cannot be read");
	rig_write(rig, "src/text", "x\n");
	fd = openat(rig->top, "src/text", O_WRONLY | O_CLOEXEC);
	for (off_t at = 0; at < 8192; at += 8)
		assert_int_equal(pwrite(fd, "text ok\n", 8, at), 8);
	assert_int_equal(ftruncate(fd, GREP_FILE_MAX + 1), 0);
	close(fd);
	FINDS(rig, "No matches.\n[not searched: 1 files larger than 64 MiB]\n",
	    "{'pattern': 'x', 'path': 'src/text'}");
}

static void deep_trees_end(void **state)
{
	struct rig *rig = *state;
	int dir = dup(rig->top);

	for (int i = 0; i < GREP_DEPTH_MAX + 20; i++) {
		int next;

		assert_int_equal(mkdirat(dir, "d", 0755), 0);
		next = openat(dir, "d", O_PATH | O_DIRECTORY | O_CLOEXEC);
		close(dir);
		dir = next;
	}
	close(dir);
	FINDS(rig, "No matches.\n[not searched: 1 folders too deep]\n",
	    "{'pattern': 'needle', 'path': 'd'}");
}

/* A pattern that backtracks without end: each line has its bound, the search has its time. */
static void costly_patterns_end(void **state)
{
	struct rig *rig = *state;
	struct buf text;
	clock_t begin = clock();

	buf_init(&text, 1 << 20);
	for (int i = 0; i < 20; i++)
		buf_textf(&text, "%060d!\n", 0);
	buf_text(&text, "00x\n");
	rig_write(rig, "slow", buf_cstr(&text));
	buf_fini(&text);
	FINDS(rig, "slow:21:00x\n[not searched: 20 lines too costly for this pattern]\n",
	    "{'pattern': '(0+)+[xy]', 'path': 'slow'}");
	assert_true((clock() - begin) / CLOCKS_PER_SEC < 20);
	assert_int_equal(
	    grep_for(rig, 0, "{'pattern': '(0+)+[xy]', 'path': 'slow'}"), REQUEST_DONE);
	RIG_HOLDS(rig_answer(rig), "No matches.\n[stopped after 0 results: the time is up");
}

static void answers_are_bounded(void **state)
{
	struct rig *rig = *state;
	size_t len = 4 * 1024 * 1024;
	char *bytes = malloc(len);

	memset(bytes, 'x', len);
	for (size_t i = 380; i < len; i += 381)
		bytes[i] = '\n';
	rig_write_bytes(rig, "many", bytes, len);
	free(bytes);
	EXPECT(rig, REQUEST_DONE,
	    "{'pattern': 'x', 'path': 'many', 'max_results': 1000, 'context': 10}");
	RIG_HOLDS(rig_answer(rig), "there are more results");
	/* Matches far apart, each with 21 lines. */
	bytes = rig_read(rig, "many");
	for (size_t i = 0; i < len; i += 25 * 381)
		bytes[i] = 'y';
	rig_write_bytes(rig, "many", bytes, len);
	free(bytes);
	EXPECT(rig, REQUEST_DONE,
	    "{'pattern': 'y', 'path': 'many', 'max_results': 1000, 'context': 10}");
	RIG_HOLDS(rig_answer(rig), "the answer is full");
	assert_true(rig->out.len <= REQUEST_OUTPUT_MAX);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, setup_tree, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TREE_TEST(nonsense_is_refused),
	    TREE_TEST(matches_are_sorted_and_numbered),
	    TREE_TEST(globs_choose_files),
	    TREE_TEST(context_is_shown_once),
	    TREE_TEST(results_are_bounded),
	    TREE_TEST(odd_bytes_are_no_error),
	    TREE_TEST(long_lines_are_cut_between_characters),
	    TREE_TEST(what_cannot_be_searched_is_counted),
	    TREE_TEST(deep_trees_end),
	    TREE_TEST(costly_patterns_end),
	    TREE_TEST(answers_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
