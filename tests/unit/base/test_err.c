#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/base/err.h"

static void note_passes_the_fault_on(void **state)
{
	struct err_note note;

	(void)state;
	assert_int_equal(err_note(&note, -EINVAL, "%s: %d", "what", 7), -EINVAL);
	assert_string_equal(note.text, "what: 7");
	assert_int_equal(err_note(NULL, -EPERM, "unread"), -EPERM);
}

static void note_escapes_hostile_bytes(void **state)
{
	struct err_note note;

	(void)state;
	err_note(&note, 0, "%s", "a\nb\x1b[2J\x7f\xff \xe2\x80\xae \xc2\x85 \\ \xc3\xa9");
	assert_string_equal(note.text, "a\\x0ab\\x1b[2J\\x7f\\xff \\u{202e} \\u{0085} \\ \xc3\xa9");
}

static void note_is_cut_between_code_points(void **state)
{
	struct err_note note;
	char text[2 * ERR_NOTE_MAX];

	(void)state;
	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	memcpy(text + ERR_NOTE_MAX - 2, "\xc3\xa9", 2);
	err_note(&note, 0, "%s", text);
	assert_int_equal(strlen(note.text), ERR_NOTE_MAX - 2);
	memset(text, '\n', sizeof(text) - 1);
	err_note(&note, 0, "%s", text);
	assert_true(strlen(note.text) < ERR_NOTE_MAX);
	assert_string_equal(note.text + strlen(note.text) - 4, "\\x0a");
}

static void note_may_quote_itself(void **state)
{
	struct err_note note;

	(void)state;
	err_note(&note, 0, "inner");
	err_note(&note, 0, "outer: %s", note.text);
	assert_string_equal(note.text, "outer: inner");
}

static void errno_words_are_appended(void **state)
{
	struct err_note note;

	(void)state;
	err_note(&note, 0, "open");
	assert_int_equal(err_note_errno(&note, -ENOENT), -ENOENT);
	assert_string_equal(note.text, "open: No such file or directory");
	memset(note.text, 'x', sizeof(note.text));
	err_note_errno(&note, -ENOENT);
	assert_int_equal(strlen(note.text), ERR_NOTE_MAX - 1);
	assert_int_equal(err_note_errno(NULL, -EIO), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(note_passes_the_fault_on),
	    cmocka_unit_test(note_escapes_hostile_bytes),
	    cmocka_unit_test(note_is_cut_between_code_points),
	    cmocka_unit_test(note_may_quote_itself),
	    cmocka_unit_test(errno_words_are_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
