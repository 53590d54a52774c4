/* The state directory: private, one daemon at a time, and a pin that is written once. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/approval.h"
#include "supervisor/evidence/note.h"
#include "supervisor/warden/state.h"
#include "tests/unit/warden/rig.h"

static struct rig rig;
static struct err_note note;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	note.text[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

static void open_good(struct state *state, const char *name)
{
	if (state_open(state, rig_path(&rig, name), geteuid(), &note))
		fail_msg("%s", note.text);
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(stat(rig_path(&rig, name), &st), 0);
	return st.st_mode & 07777;
}

static void a_key_that_others_may_use_is_refused(void **state_)
{
	char whole[PATHS_MAX];
	struct state state;

	(void)state_;
	open_good(&state, "state");
	state_close(&state);
	rig_file(&rig, "state/keys/signer.key", "", 0644);
	assert_int_equal(state_open(&state, rig_path(&rig, "state"), geteuid(), &note), -EPERM);
	snprintf(whole, sizeof(whole), "%s/state/keys/signer.key: mode 0644 ", rig.path);
	assert_non_null(strstr(note.text, whole));
	assert_non_null(strstr(note.text, "chmod 600 it"));
	assert_int_equal(chmod(rig_path(&rig, "state/keys/signer.key"), 0600), 0);
	open_good(&state, "state");
	state_close(&state);
	assert_int_equal(unlink(rig_path(&rig, "state/keys/signer.key")), 0);
	rig_dir(&rig, "state/keys/signer.key");
	assert_int_equal(state_open(&state, rig_path(&rig, "state"), geteuid(), &note), -EINVAL);
	assert_non_null(strstr(note.text, "not a regular file"));
}

static void what_is_missing_is_made_private(void **state_)
{
	struct state state;
	mode_t before = umask(0);

	(void)state_;
	open_good(&state, "a/b/state");
	assert_int_equal(state_open_journal(&state, "", &note), 0);
	umask(before);
	assert_int_equal(mode_of("a"), 0700);
	assert_int_equal(mode_of("a/b/state"), 0700);
	assert_int_equal(mode_of("a/b/state/keys"), 0700);
	assert_int_equal(mode_of("a/b/state/audit"), 0700);
	assert_int_equal(mode_of("a/b/state/approvers"), 0700);
	assert_int_equal(mode_of("a/b/state/lock"), 0600);
	state_close(&state);
}

static void an_open_directory_is_refused(void **state_)
{
	static const char *const places[] = {"s", "s/keys", "s/approvers", "s/audit"};
	struct state state;

	(void)state_;
	open_good(&state, "s");
	assert_int_equal(state_open_journal(&state, "", &note), 0);
	state_close(&state);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		int fault;

		assert_int_equal(chmod(rig_path(&rig, places[i]), 0750), 0);
		fault = state_open(&state, rig_path(&rig, "s"), geteuid(), &note);
		if (!fault) {
			fault = state_open_journal(&state, "", &note);
			state_close(&state);
		}
		assert_int_equal(fault, -EPERM);
		assert_non_null(strstr(note.text, "chmod 700"));
		assert_int_equal(chmod(rig_path(&rig, places[i]), 0700), 0);
	}
}

static void links_are_not_followed(void **state_)
{
	struct state state;

	(void)state_;
	open_good(&state, "s");
	state_close(&state);
	assert_int_equal(rmdir(rig_path(&rig, "s/keys")), 0);
	rig_dir(&rig, "elsewhere");
	assert_int_equal(chmod(rig_path(&rig, "elsewhere"), 0700), 0);
	assert_int_equal(symlink("../elsewhere", rig_path(&rig, "s/keys")), 0);
	assert_true(state_open(&state, rig_path(&rig, "s"), geteuid(), &note) < 0);
	assert_int_equal(unlink(rig_path(&rig, "s/keys")), 0);
	assert_int_equal(unlink(rig_path(&rig, "s/lock")), 0);
	assert_int_equal(symlink("../stolen", rig_path(&rig, "s/lock")), 0);
	assert_true(state_open(&state, rig_path(&rig, "s"), geteuid(), &note) < 0);
	assert_true(access(rig_path(&rig, "stolen"), F_OK) < 0);
}

static void the_journal_is_no_link(void **state_)
{
	static const char *const names[] = {"moved", "moved/", "moved//", "moved/.", "moved/./"};
	struct state state;

	(void)state_;
	open_good(&state, "s");
	rig_dir(&rig, "elsewhere");
	assert_int_equal(chmod(rig_path(&rig, "elsewhere"), 0700), 0);
	assert_int_equal(symlink("elsewhere", rig_path(&rig, "moved")), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		assert_int_equal(
		    state_open_journal(&state, rig_path(&rig, names[i]), &note), -ELOOP);
		assert_non_null(strstr(note.text, "is a link"));
	}
	/* Further up a link is how systems name their places. */
	assert_int_equal(state_open_journal(&state, rig_path(&rig, "moved/audit"), &note), 0);
	assert_string_equal(state.journal, rig_path(&rig, "elsewhere/audit"));
	state_close(&state);
}

static void a_second_daemon_is_told_the_first_ones_pid(void **state_)
{
	struct state first, second;
	char pid[32];
	pid_t child;
	int status;

	(void)state_;
	open_good(&first, "s");
	snprintf(pid, sizeof(pid), "pid %d)", (int)getpid());
	child = fork();
	if (child == 0) {
		int fault = state_open(&second, rig_path(&rig, "s"), geteuid(), &note);

		_exit(fault == -EBUSY && strstr(note.text, pid) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	state_close(&first);
	open_good(&second, "s");
	state_close(&second);
}

static void make_vkey(struct buf *out, uint8_t seed)
{
	struct note_key key;
	uint8_t public_key[KEY_LEN] = {seed};

	buf_init(out, NOTE_MAX);
	assert_int_equal(note_key_init(&key, "host/callgate", public_key), 0);
	assert_int_equal(note_key_text(out, &key), 0);
}

static void the_pin_is_written_once(void **state_)
{
	struct buf one, two;
	struct state state;

	(void)state_;
	make_vkey(&one, 1);
	make_vkey(&two, 2);
	open_good(&state, "s");
	assert_int_equal(state_pin(&state, buf_cstr(&one), &note), 0);
	assert_int_equal(mode_of("s/trust.pin"), 0600);
	assert_int_equal(state_pin(&state, buf_cstr(&one), &note), 0);
	assert_int_equal(state_pin(&state, buf_cstr(&two), &note), -EKEYREJECTED);
	assert_non_null(strstr(note.text, "trust.pin"));
	assert_int_equal(state_pin(&state, buf_cstr(&one), &note), 0);
	rig_file(&rig, "s/trust.pin", "callgate-pin v1\nvkey nonsense\n", 0600);
	assert_int_equal(state_pin(&state, buf_cstr(&one), &note), -EBADMSG);
	rig_file(&rig, "s/trust.pin", "", 0600);
	assert_int_equal(state_pin(&state, buf_cstr(&one), &note), -EBADMSG);
	assert_int_equal(state_pin(&state, "nonsense", &note), -EBADMSG);
	state_close(&state);
	buf_fini(&one);
	buf_fini(&two);
}

static void only_good_approver_files_count(void **state_)
{
	const uint8_t public_key[KEY_LEN] = {9};
	struct approver approver;
	struct approver_lines lines;
	struct state state;
	struct buf text;
	uint32_t skipped;

	(void)state_;
	buf_init(&text, NOTE_MAX);
	assert_int_equal(approver_init(&approver, "ann", public_key), 0);
	assert_int_equal(approver_text(&text, &approver), 0);
	open_good(&state, "s");
	rig_file(&rig, "s/approvers/good.pub", buf_cstr(&text), 0600);
	rig_file(&rig, "s/approvers/writable.pub", buf_cstr(&text), 0622);
	rig_file(&rig, "s/approvers/junk.pub", "hello\n", 0600);
	rig_file(&rig, "s/approvers/README", "not looked at\n", 0600);
	rig_dir(&rig, "s/approvers/dir.pub");
	assert_int_equal(symlink("good.pub", rig_path(&rig, "s/approvers/link.pub")), 0);
	assert_int_equal(state_approvers(&state, &lines, &skipped), 0);
	assert_int_equal(lines.count, 1);
	assert_string_equal(lines.items[0], buf_cstr(&text));
	assert_int_equal(skipped, 4);
	approvers_free(&lines);
	state_close(&state);
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_key_that_others_may_use_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_missing_is_made_private, setup, teardown),
	    cmocka_unit_test_setup_teardown(an_open_directory_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_are_not_followed, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_journal_is_no_link, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_second_daemon_is_told_the_first_ones_pid, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_pin_is_written_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_good_approver_files_count, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
