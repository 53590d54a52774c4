/* The keeper's work on plain folders: what a list says, what a commit writes, what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/diff.h"
#include "supervisor/warden/keeper/jobs.h"
#include "supervisor/warden/keeper/order.h"
#include "supervisor/warden/keeper/saved.h"

#define OPAQUE "user.callgate.opaque"

struct rig {
	char top[64];
	int dir, outside;
	struct commit_places places;
	struct effects list;
	struct digest shown;
	struct job_result result;
	uint32_t written; /* paths, by commits that are whole */
};

static const struct strv all_paths = {NULL, 0};

static int folder(int at, const char *name)
{
	int fd;

	assert_int_equal(mkdirat(at, name, 0755), 0);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void put(int at, const char *path, const char *text, mode_t mode)
{
	int cleanup_fd fd = openat(at, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
}

static void whiteout(int at, const char *path)
{
	assert_int_equal(mknodat(at, path, S_IFCHR, makedev(0, 0)), 0);
}

/* "" where nothing is. */
static const char *text_of(int at, const char *path)
{
	static char text[256];
	int cleanup_fd fd = openat(at, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static bool exists(int at, const char *path)
{
	struct stat st;

	return fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static mode_t mode_of(int at, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(at, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode & 07777;
}

/* Where attributes of users are taken: not on every tmpfs. */
static int rig_make(void **state)
{
	static const char *const places[] = {"/tmp/keeper.XXXXXX", "build/keeper.XXXXXX"};
	struct rig *rig = calloc(1, sizeof(*rig));

	for (size_t i = 0; i < 2; i++) {
		snprintf(rig->top, sizeof(rig->top), "%s", places[i]);
		assert_non_null(mkdtemp(rig->top));
		if (setxattr(rig->top, OPAQUE, "y", 1, 0) == 0)
			break;
		assert_int_equal(rmdir(rig->top), 0);
	}
	rig->dir = open(rig->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(rig->dir >= 0);
	rig->places.workspace = folder(rig->dir, "workspace");
	rig->places.upper = folder(rig->dir, "upper");
	rig->places.saved = folder(rig->dir, "saved");
	rig->outside = folder(rig->dir, "outside");
	put(rig->outside, "canary", "alive", 0644);
	buf_init(&rig->result.out, JOB_LIST_MAX);
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", rig->top, (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	diff_free(&rig->list);
	buf_fini(&rig->result.out);
	close(rig->dir);
	close(rig->outside);
	close(rig->places.workspace);
	close(rig->places.upper);
	close(rig->places.saved);
	free(rig);
	return 0;
}

static int list_since(struct rig *rig, time_t since)
{
	const struct diff_spec spec = {.upper = rig->places.upper,
	    .lower = rig->places.workspace,
	    .opaque = OPAQUE,
	    .since = {.tv_sec = since}};
	struct err_note note = {""};
	struct buf cleanup_with(buf_fini) bytes;
	int fault;

	diff_free(&rig->list);
	fault = diff_make(&spec, &rig->list, &note);
	if (fault)
		return fault;
	/* What the walk makes, the codec takes. */
	buf_init(&bytes, JOB_LIST_MAX);
	assert_int_equal(effects_encode(&bytes, &rig->list), 0);
	effects_digest(&rig->shown, bytes.data, bytes.len);
	return 0;
}

static void list(struct rig *rig)
{
	assert_int_equal(list_since(rig, (time_t)1 << 40), 0);
}

static const struct effect *effect(const struct rig *rig, const char *path)
{
	for (uint32_t i = 0; i < rig->list.count; i++)
		if (!strcmp(rig->list.items[i].path, path))
			return &rig->list.items[i];
	fail_msg("%s: not in the list", path);
	return NULL;
}

static enum answer_status commit(struct rig *rig, const struct strv *paths)
{
	const struct commit_ask ask = {"c-1", &rig->shown, &rig->list, paths, 0};

	buf_reset(&rig->result.out);
	rig->result.note.text[0] = '\0';
	rig->result.status = ANSWER_NONE;
	commit_make(&rig->places, &ask, &rig->result);
	if (rig->result.status == ANSWER_OK) {
		rig->written += rig->result.count;
		saved_settle(rig->places.saved, "c-1", false); /* it is recorded */
	}
	return rig->result.status;
}

static enum answer_status commit_one(struct rig *rig, const char *path)
{
	return commit(rig, &(struct strv){&path, 1});
}

static enum answer_status undo(struct rig *rig)
{
	const struct commit_ask ask = {"c-1", &rig->shown, &rig->list, &all_paths, rig->written};

	buf_reset(&rig->result.out);
	rig->result.note.text[0] = '\0';
	undo_make(&rig->places, &ask, &rig->result);
	if (rig->result.status == ANSWER_OK) {
		rig->written = 0;
		saved_settle(rig->places.saved, "c-1", true);
	}
	return rig->result.status;
}

/* A bit of everything, above and below. */
static void fill(struct rig *rig)
{
	int ws = rig->places.workspace, up = rig->places.upper;

	put(ws, "changed", "old", 0644);
	put(ws, "gone", "was here", 0640);
	put(ws, "mode", "same", 0644);
	put(ws, "same", "same", 0644);
	close(folder(ws, "dir"));
	put(ws, "dir/in", "inner", 0644);
	put(ws, "dir/stays", "stays", 0644);
	close(folder(ws, "tree"));
	close(folder(ws, "tree/sub"));
	put(ws, "tree/sub/leaf", "leaf", 0644);
	close(folder(ws, "swap"));
	put(ws, "swap/old", "x", 0644);
	assert_int_equal(symlinkat("same", ws, "link"), 0);

	put(up, "changed", "new", 0755);
	whiteout(up, "gone");
	put(up, "mode", "same", 0600);
	put(up, "same", "same", 0644); /* copied up, and nothing else */
	close(folder(up, "dir"));
	whiteout(up, "dir/in");
	put(up, "dir/fresh", "fresh", 04755);
	whiteout(up, "tree");
	put(up, "swap", "a file now", 0644);
	close(folder(up, "new"));
	put(up, "new/Makefile", "all:", 0644);
	assert_int_equal(symlinkat("../../etc/passwd", up, "new/out"), 0);
	whiteout(up, "link");
}

static void test_list(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	assert_int_equal(mkfifoat(rig->places.upper, "pipe", 0600), 0);
	list(rig);
	assert_int_equal(rig->list.count, 15);
	assert_int_equal(effect(rig, "changed")->kind, EFFECT_CHANGED);
	assert_int_equal(effect(rig, "changed")->after.mode, 0755);
	assert_int_equal(effect(rig, "gone")->kind, EFFECT_REMOVED);
	assert_int_equal(effect(rig, "gone")->before.size, 8);
	assert_int_equal(effect(rig, "mode")->kind, EFFECT_MODE);
	assert_int_equal(effect(rig, "dir/in")->kind, EFFECT_REMOVED);
	assert_int_equal(effect(rig, "dir/fresh")->kind, EFFECT_ADDED);
	assert_int_equal(effect(rig, "tree")->kind, EFFECT_REMOVED);
	assert_int_equal(effect(rig, "tree/sub/leaf")->kind, EFFECT_REMOVED);
	assert_int_equal(effect(rig, "swap")->kind, EFFECT_CHANGED);
	assert_int_equal(effect(rig, "swap/old")->kind, EFFECT_REMOVED);
	assert_int_equal(effect(rig, "new/Makefile")->marks, EFFECT_RUNS_LATER);
	assert_int_equal(effect(rig, "new/out")->marks, EFFECT_LEADS_OUT);
	assert_int_equal(effect(rig, "pipe")->after.type, EFFECT_SPECIAL);
	assert_int_equal(effect(rig, "link")->before.type, EFFECT_LINK);
}

/* A folder that was removed and made anew: what was in it is gone, but for what is in it again. */
static void test_opaque(void **state)
{
	struct rig *rig = *state;
	int cleanup_fd above = -1;

	close(folder(rig->places.workspace, "d"));
	put(rig->places.workspace, "d/old", "1", 0644);
	put(rig->places.workspace, "d/both", "1", 0644);
	above = folder(rig->places.upper, "d");
	put(above, "both", "1", 0644);
	list(rig);
	assert_int_equal(rig->list.count, 0);
	assert_int_equal(fsetxattr(above, OPAQUE, "y", 1, 0), 0);
	list(rig);
	assert_int_equal(rig->list.count, 1);
	assert_int_equal(effect(rig, "d/old")->kind, EFFECT_REMOVED);
}

static void test_too_deep_and_too_many(void **state)
{
	struct rig *rig = *state;
	char name[16];
	int at = dup(rig->places.upper);

	for (int i = 0; i <= EFFECTS_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		put(rig->places.upper, name, "", 0644);
	}
	assert_int_equal(list_since(rig, 0), -E2BIG);
	for (int i = 0; i <= EFFECTS_MAX; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(unlinkat(rig->places.upper, name, 0), 0);
	}
	for (int i = 0; i <= DIFF_DEPTH_MAX; i++) {
		int next = folder(at, "d");

		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(list_since(rig, 0), -ELOOP);
}

static void test_leads_out(void **state)
{
	static const char *const out[][2] = {{"l", "/etc"}, {"l", ".."}, {"a/l", "../.."},
	    {"a/l", "b/../../../x"}, {"l", "./../x"}, {"a/b/l", "../../../x"},
	    {"l", "a/a/../../etc"}, {"a/l", "../a/../b"}}; /* "a" may be a link to "." */
	static const char *const in[][2] = {
	    {"l", "x"}, {"a/l", ".."}, {"a/l", "../x"}, {"l", "a/b..c"}, {"l", "..a"}, {"l", "."}};

	(void)state;
	for (size_t i = 0; i < sizeof(out) / sizeof(*out); i++)
		assert_true(diff_leads_out(out[i][0], out[i][1]));
	for (size_t i = 0; i < sizeof(in) / sizeof(*in); i++)
		assert_false(diff_leads_out(in[i][0], in[i][1]));
}

static void check_committed(struct rig *rig)
{
	int ws = rig->places.workspace;

	assert_string_equal(text_of(ws, "changed"), "new");
	assert_int_equal(mode_of(ws, "changed"), 0755);
	assert_false(exists(ws, "gone"));
	assert_int_equal(mode_of(ws, "mode"), 0600);
	assert_false(exists(ws, "dir/in"));
	assert_string_equal(text_of(ws, "dir/fresh"), "fresh");
	assert_int_equal(mode_of(ws, "dir/fresh"), 0755); /* no setuid comes out */
	assert_string_equal(text_of(ws, "dir/stays"), "stays");
	assert_false(exists(ws, "tree"));
	assert_string_equal(text_of(ws, "swap"), "a file now");
	assert_string_equal(text_of(ws, "new/Makefile"), "all:");
	assert_false(exists(ws, "link"));
	assert_false(exists(ws, ".callgate-c-1"));
}

static void check_before(struct rig *rig)
{
	int ws = rig->places.workspace;
	char target[16] = "";

	assert_string_equal(text_of(ws, "changed"), "old");
	assert_int_equal(mode_of(ws, "changed"), 0644);
	assert_string_equal(text_of(ws, "gone"), "was here");
	assert_int_equal(mode_of(ws, "gone"), 0640);
	assert_int_equal(mode_of(ws, "mode"), 0644);
	assert_string_equal(text_of(ws, "dir/in"), "inner");
	assert_false(exists(ws, "dir/fresh"));
	assert_string_equal(text_of(ws, "tree/sub/leaf"), "leaf");
	assert_string_equal(text_of(ws, "swap/old"), "x");
	assert_false(exists(ws, "new"));
	assert_int_equal(readlinkat(ws, "link", target, sizeof(target)), 4);
	assert_string_equal(target, "same");
}

static void test_commit_and_undo(void **state)
{
	struct rig *rig = *state;
	struct effects cleanup_with(effects_fini) written = {.count = 0};
	struct saved_place place;

	fill(rig);
	list(rig);
	assert_int_equal(commit(rig, &all_paths), ANSWER_OK);
	check_committed(rig);
	assert_int_equal(effects_decode(&written, rig->result.out.data, rig->result.out.len), 0);
	assert_int_equal(written.count, rig->list.count);
	/* What was written stands there now, so it is not written twice. */
	assert_int_equal(commit(rig, &all_paths), ANSWER_REFUSED);
	check_committed(rig);
	assert_int_equal(undo(rig), ANSWER_OK);
	check_before(rig);
	assert_int_equal(saved_find(rig->places.saved, "c-1", &place), -ENOENT);
	assert_int_equal(undo(rig), ANSWER_REFUSED);
}

static void test_some_paths(void **state)
{
	struct rig *rig = *state;
	const char *one[] = {"new/Makefile"}, *two[] = {"new", "new/Makefile"}, *no[] = {"same"};
	const char *tree[] = {"tree"};

	fill(rig);
	list(rig);
	assert_int_equal(commit(rig, &(struct strv){no, 1}), ANSWER_REFUSED);
	assert_int_equal(commit(rig, &(struct strv){one, 1}), ANSWER_REFUSED);  /* no folder */
	assert_int_equal(commit(rig, &(struct strv){tree, 1}), ANSWER_REFUSED); /* not empty */
	check_before(rig);
	assert_int_equal(commit(rig, &(struct strv){two, 2}), ANSWER_OK);
	assert_string_equal(text_of(rig->places.workspace, "new/Makefile"), "all:");
	assert_string_equal(text_of(rig->places.workspace, "changed"), "old");
	assert_int_equal(undo(rig), ANSWER_OK);
	check_before(rig);
}

static void test_changed_underneath(void **state)
{
	struct rig *rig = *state;
	struct effects cleanup_with(effects_fini) wrong = {.count = 0};

	fill(rig);
	list(rig);
	put(rig->places.workspace, "gone", "edited by hand", 0640);
	put(rig->places.workspace, "tree/sub/late", "late", 0644);
	assert_int_equal(commit(rig, &all_paths), ANSWER_REFUSED);
	assert_string_equal(text_of(rig->places.workspace, "changed"), "old"); /* nothing at all */
	assert_string_equal(text_of(rig->places.workspace, "gone"), "edited by hand");
	assert_string_equal(text_of(rig->places.workspace, "tree/sub/late"), "late");
	assert_int_equal(effects_decode(&wrong, rig->result.out.data, rig->result.out.len), 0);
	assert_int_equal(wrong.count, 2);
	assert_string_equal(wrong.items[0].path, "gone");
	assert_string_equal(wrong.items[1].path, "tree/sub");
	/* While the call ran: told at once. */
	assert_int_equal(list_since(rig, 0), 0);
	assert_true(effect(rig, "gone")->marks & EFFECT_UNDERNEATH);
	assert_int_equal(commit(rig, &all_paths), ANSWER_REFUSED);
}

/* Battery B10: neither a link of the overlay nor one that takes a folder's place is followed. */
static void test_links(void **state)
{
	struct rig *rig = *state;
	int ws = rig->places.workspace;
	char text[128] = "";

	close(folder(ws, "out"));
	put(ws, "out/canary", "inside", 0644);
	/* rm -r out; ln -s ../outside out */
	assert_int_equal(symlinkat("../outside", rig->places.upper, "out"), 0);
	list(rig);
	assert_int_equal(effect(rig, "out")->marks, EFFECT_LEADS_OUT);
	assert_int_equal(commit(rig, &all_paths), ANSWER_OK);
	assert_int_equal(readlinkat(ws, "out", text, sizeof(text)), 10);
	assert_string_equal(text_of(rig->outside, "canary"), "alive");
	assert_int_equal(undo(rig), ANSWER_OK);
	assert_string_equal(text_of(ws, "out/canary"), "inside");

	/* The host swaps the folder for a link after the list was made. */
	assert_int_equal(unlinkat(rig->places.upper, "out", 0), 0);
	close(folder(rig->places.upper, "out"));
	whiteout(rig->places.upper, "out/canary");
	put(rig->places.upper, "out/planted", "planted", 0644);
	list(rig);
	assert_int_equal(renameat(ws, "out", ws, "was"), 0);
	assert_int_equal(symlinkat("../outside", ws, "out"), 0);
	assert_int_equal(commit(rig, &all_paths), ANSWER_REFUSED);
	assert_string_equal(text_of(rig->outside, "canary"), "alive");
	assert_false(exists(rig->outside, "planted"));
}

static void test_special_and_hard_links(void **state)
{
	struct rig *rig = *state;
	int ws = rig->places.workspace, up = rig->places.upper;
	const char *pipe[] = {"pipe"}, *mode[] = {"mode"}, *text[] = {"text"};

	put(ws, "mode", "same", 0644);
	put(ws, "text", "same", 0644);
	assert_int_equal(linkat(ws, "mode", rig->outside, "mode", 0), 0);
	assert_int_equal(linkat(ws, "text", rig->outside, "text", 0), 0);
	assert_int_equal(mkfifoat(up, "pipe", 0600), 0);
	put(up, "mode", "same", 0600);
	put(up, "text", "other", 0644);
	list(rig);
	assert_int_equal(commit(rig, &(struct strv){pipe, 1}), ANSWER_REFUSED);
	assert_int_equal(commit(rig, &(struct strv){mode, 1}), ANSWER_REFUSED);
	assert_int_equal(mode_of(rig->outside, "mode"), 0644);
	assert_int_equal(commit(rig, &(struct strv){text, 1}), ANSWER_OK);
	assert_string_equal(text_of(ws, "text"), "other");
	assert_string_equal(text_of(rig->outside, "text"), "same");
}

static void test_undo_refused(void **state)
{
	struct rig *rig = *state;
	struct digest right;

	fill(rig);
	list(rig);
	assert_int_equal(commit(rig, &all_paths), ANSWER_OK);
	put(rig->places.workspace, "dir/fresh", "edited by hand", 0755);
	assert_int_equal(undo(rig), ANSWER_REFUSED);
	assert_string_equal(text_of(rig->places.workspace, "dir/fresh"), "edited by hand");
	assert_string_equal(text_of(rig->places.workspace, "changed"), "new");
	put(rig->places.workspace, "dir/fresh", "fresh", 0755);
	right = rig->shown;
	rig->shown.bytes[0] ^= 1; /* another list */
	assert_int_equal(undo(rig), ANSWER_REFUSED);
	rig->shown = right;
	assert_int_equal(undo(rig), ANSWER_OK);
	check_before(rig);
}

/* One undoing takes back every commit of the call, or nothing. */
static void test_undo_all(void **state)
{
	struct rig *rig = *state;
	int ws = rig->places.workspace;
	const char *made[] = {"new", "new/Makefile"}, *late[] = {"new/out"};
	struct saved_place place;

	fill(rig);
	list(rig);
	assert_int_equal(commit(rig, &(struct strv){made, 2}), ANSWER_OK);
	assert_int_equal(commit(rig, &(struct strv){late, 1}), ANSWER_OK);
	assert_int_equal(commit_one(rig, "changed"), ANSWER_OK);
	assert_int_equal(commit_one(rig, "tree/sub/leaf"), ANSWER_OK);
	assert_int_equal(commit_one(rig, "tree/sub"), ANSWER_OK);
	assert_int_equal(commit_one(rig, "link"), ANSWER_OK);
	/* Where one of the older ones is not as it was written, nothing is taken back. */
	put(ws, "new/Makefile", "edited by hand", 0644);
	assert_int_equal(undo(rig), ANSWER_REFUSED);
	assert_non_null(strstr(rig->result.note.text, "new/Makefile"));
	assert_string_equal(text_of(ws, "changed"), "new");
	assert_false(exists(ws, "tree/sub"));
	put(ws, "new/Makefile", "all:", 0644);
	/* Nor where one of them is not kept any more. */
	rig->written++;
	assert_int_equal(undo(rig), ANSWER_REFUSED);
	assert_string_equal(text_of(ws, "changed"), "new");
	rig->written--;
	assert_int_equal(undo(rig), ANSWER_OK);
	assert_int_equal(rig->result.commits, 6);
	assert_int_equal(rig->result.count, 7);
	check_before(rig);
	assert_int_equal(saved_find(rig->places.saved, "c-1", &place), -ENOENT);
}

/* What was committed, put back by hand and committed again is taken back once. */
static void test_undo_twice_committed(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	list(rig);
	assert_int_equal(commit_one(rig, "changed"), ANSWER_OK);
	put(rig->places.workspace, "changed", "old", 0644);
	assert_int_equal(commit_one(rig, "changed"), ANSWER_OK);
	rig->written = 1;
	assert_int_equal(undo(rig), ANSWER_OK);
	assert_int_equal(rig->result.commits, 2);
	check_before(rig);
}

/* A crash in the middle of it: the start goes on to its end, whatever is there of it. */
static void test_undo_cut_off(void **state)
{
	struct rig *rig = *state;
	int ws = rig->places.workspace;
	struct saved_place place;
	struct saved saved;

	for (int cut = 0; cut < 3; cut++) {
		if (cut == 0)
			fill(rig);
		list(rig);
		rig->written = 0;
		assert_int_equal(commit_one(rig, "changed"), ANSWER_OK);
		assert_int_equal(commit_one(rig, "gone"), ANSWER_OK);
		assert_int_equal(commit_one(rig, "dir/fresh"), ANSWER_OK);
		assert_int_equal(saved_find(rig->places.saved, "c-1", &place), 0);
		assert_string_equal(place.name, "c-1.3");
		assert_int_equal(saved_open(rig->places.saved, place.name, &saved), 0);
		assert_int_equal(saved_mark(&saved, SAVED_UNDOING), 0);
		saved_close(&saved);
		if (cut > 0)
			put(ws, "changed", "old", 0644);
		if (cut > 1)
			saved_remove(rig->places.saved, "c-1.1");
		assert_true(saved_any_begun(rig->places.saved));
		buf_reset(&rig->result.out);
		undo_recover(&rig->places, &rig->result);
		assert_int_equal(rig->result.status, ANSWER_OK);
		assert_int_equal(rig->result.commits, cut > 1 ? 2 : 3);
		check_before(rig);
		/* Found again until it is recorded. */
		assert_true(saved_any_begun(rig->places.saved));
		saved_settle(rig->places.saved, "c-1", true);
		assert_false(saved_any_begun(rig->places.saved));
		assert_int_equal(saved_find(rig->places.saved, "c-1", &place), -ENOENT);
	}
}

/* A crash after so many paths: the next start takes them back, and only then forgets. */
static void test_recovery(void **state)
{
	struct rig *rig = *state;
	struct saved saved;
	struct saved_place place;

	fill(rig);
	list(rig);
	assert_int_equal(commit(rig, &all_paths), ANSWER_OK);
	assert_int_equal(saved_find(rig->places.saved, "c-1", &place), 0);
	assert_int_equal(saved_open(rig->places.saved, place.name, &saved), 0);
	assert_int_equal(saved_mark(&saved, SAVED_BEGUN), 0);
	assert_int_equal(saved_unmark(&saved, SAVED_DONE), 0);
	saved_close(&saved);
	/* As if these had not been reached, and one were half done. */
	put(rig->places.workspace, "changed", "old", 0644);
	put(rig->places.workspace, "gone", "was here", 0640);
	put(rig->places.workspace, ".callgate-c-1", "half", 0600);
	assert_int_equal(unlinkat(rig->places.workspace, "swap", 0), 0);
	assert_true(saved_any_begun(rig->places.saved));
	assert_int_equal(saved_find(rig->places.saved, "c-1", &place), -ENOENT);
	buf_reset(&rig->result.out);
	undo_recover(&rig->places, &rig->result);
	assert_int_equal(rig->result.status, ANSWER_OK);
	assert_string_equal(rig->result.call, "c-1");
	assert_true(digest_equal(&rig->result.effects, &rig->shown));
	check_before(rig);
	assert_false(exists(rig->places.workspace, ".callgate-c-1"));
	assert_true(saved_any_begun(rig->places.saved));
	saved_settle(rig->places.saved, "c-1", true);
	assert_false(saved_any_begun(rig->places.saved));
	buf_reset(&rig->result.out);
	undo_recover(&rig->places, &rig->result);
	assert_int_equal(rig->result.status, ANSWER_NONE);
}

/* Content that is not what the list says is not written, and what was is taken back. */
static void test_other_content(void **state)
{
	struct rig *rig = *state;

	fill(rig);
	list(rig);
	put(rig->places.upper, "new/Makefile", "evil", 0644);
	assert_int_equal(commit(rig, &all_paths), ANSWER_REFUSED);
	check_before(rig);
	assert_false(saved_any_begun(rig->places.saved));
}

static void test_look(void **state)
{
	struct rig *rig = *state;
	struct reader in;
	uint32_t was, is;

	fill(rig);
	look_make(&rig->places, "changed", &rig->result);
	assert_int_equal(rig->result.status, ANSWER_OK);
	reader_init(&in, rig->result.out.data, rig->result.out.len);
	was = reader_u32(&in);
	is = reader_u32(&in);
	assert_int_equal(was, 3);
	assert_int_equal(is, 3);
	assert_memory_equal(reader_raw(&in, 6), "oldnew", 6);
	assert_int_equal(reader_end(&in), 0);
	buf_reset(&rig->result.out);
	look_make(&rig->places, "new/out", &rig->result); /* its text, not where it leads */
	assert_int_equal(rig->result.status, ANSWER_OK);
	assert_int_equal(rig->result.out.len, 8 + strlen("../../etc/passwd"));
	/* Above a removed file is a device, which need not be openable. */
	for (int i = 0; i < 2; i++) {
		buf_reset(&rig->result.out);
		rig->result.status = ANSWER_NONE;
		look_make(&rig->places, i ? "tree/sub/leaf" : "gone", &rig->result);
		assert_int_equal(rig->result.status, ANSWER_OK);
		assert_int_equal(rig->result.out.len, 8 + strlen(i ? "leaf" : "was here"));
	}
}

/* Commits all, and takes the file away again. */
static void commit_as(struct rig *rig, const char *call, bool recorded)
{
	const struct commit_ask ask = {call, &rig->shown, &rig->list, &all_paths, 0};

	commit_make(&rig->places, &ask, &rig->result);
	assert_int_equal(rig->result.status, ANSWER_OK);
	if (recorded)
		saved_settle(rig->places.saved, call, false);
	assert_int_equal(unlinkat(rig->places.workspace, "a", 0), 0);
}

static void age(struct rig *rig, const char *name, time_t when)
{
	const struct timespec long_ago[2] = {{.tv_sec = when}, {.tv_sec = when}};

	assert_int_equal(utimensat(rig->places.saved, name, long_ago, 0), 0);
}

static void test_trim(void **state)
{
	struct rig *rig = *state;
	char(*names)[NAME_MAX + 1];
	uint32_t count;

	put(rig->places.upper, "a", "a", 0644);
	list(rig);
	/* Of each call all or nothing, and never what is not recorded yet. */
	commit_as(rig, "open", false);
	commit_as(rig, "two", true);
	commit_as(rig, "two", true);
	age(rig, "open.1", 1000);
	age(rig, "two.1", 2000);
	age(rig, "two.2", 2001);
	for (int i = 0; i < KEEPER_UNDO; i++) {
		char call[16];

		assert_true(exists(rig->places.saved, "two.1"));
		snprintf(call, sizeof(call), "n-%d", i);
		commit_as(rig, call, true);
	}
	names = saved_names(rig->places.saved, &count);
	assert_int_equal(count, KEEPER_UNDO + 1);
	free(names);
	assert_true(exists(rig->places.saved, "open.1"));
	assert_false(exists(rig->places.saved, "two.1"));
	assert_false(exists(rig->places.saved, "two.2"));
	assert_false(saved_is_name("../x"));
	assert_false(saved_is_name(""));
	assert_true(saved_is_name("c-1_B"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, rig_make, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(test_list),
	    CASE(test_opaque),
	    CASE(test_too_deep_and_too_many),
	    cmocka_unit_test(test_leads_out),
	    CASE(test_commit_and_undo),
	    CASE(test_some_paths),
	    CASE(test_changed_underneath),
	    CASE(test_links),
	    CASE(test_special_and_hard_links),
	    CASE(test_undo_refused),
	    CASE(test_undo_all),
	    CASE(test_undo_twice_committed),
	    CASE(test_undo_cut_off),
	    CASE(test_recovery),
	    CASE(test_other_content),
	    CASE(test_look),
	    CASE(test_trim),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
