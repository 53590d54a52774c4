/* The commit: what is answered, and that nothing is answered before it is on disk. */
#include "tests/unit/auditor/rig.h"

#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>

#include "supervisor/evidence/receipt.h"

/* ---- system calls that fail on demand ------------------------------------------------------ */

enum { NEVER = -1 };

static struct faults {
	int watched;       /* only this descriptor; NEVER: off */
	int fail_write_at; /* bytes after which write fails; NEVER: works */
	int write_errno;
	int write_once; /* only the first time */
	int sync_errno; /* 0: works */
	int writes, syncs;
	size_t written;
	void (*at_sync)(void);
} faults = {.watched = NEVER, .fail_write_at = NEVER};

ssize_t write(int fd, const void *bytes, size_t len)
{
	if (fd != faults.watched)
		return syscall(SYS_write, fd, bytes, len);
	faults.writes++;
	if (faults.fail_write_at != NEVER) {
		size_t room = (size_t)faults.fail_write_at > faults.written
				  ? (size_t)faults.fail_write_at - faults.written
				  : 0;

		if (room == 0) {
			if (faults.write_once)
				faults.fail_write_at = NEVER;
			errno = faults.write_errno;
			return -1;
		}
		len = len < room ? len : room;
	}
	faults.written += len;
	return syscall(SYS_write, fd, bytes, len);
}

int fdatasync(int fd)
{
	if (fd != faults.watched)
		return (int)syscall(SYS_fdatasync, fd);
	faults.syncs++;
	if (faults.at_sync)
		faults.at_sync();
	if (faults.sync_errno) {
		errno = faults.sync_errno;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static void watch(struct rig *rig)
{
	faults = (struct faults){.watched = rig->commit.journal.fd, .fail_write_at = NEVER};
}

static int setup(void **state)
{
	struct rig *rig = rig_new();

	faults = (struct faults){.watched = NEVER, .fail_write_at = NEVER};
	assert_int_equal(rig_open(rig), 0);
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	faults.watched = NEVER;
	rig_free(*state);
	return 0;
}

/* ---- the straight path --------------------------------------------------------------------- */

static void first_start_writes_genesis_and_seal(void **state)
{
	struct rig *rig = *state;
	struct trail trail;
	struct stat st;
	size_t len;
	char *text = rig_read(rig, RIG_SEGMENT, &len);

	rig_follow(&trail, text, len);
	assert_int_equal(trail.frontier.size, 3);
	assert_int_equal(trail.seals, 1);
	assert_int_equal(seal_verify(&trail.seal, &rig->opened.key), 0);
	assert_non_null(strstr(text, "\"type\":\"log.genesis\""));
	assert_non_null(strstr(text, "\"type\":\"log.open\""));
	assert_int_equal(fstatat(rig->keys, "signer.key", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(st.st_size, KEY_LEN);
	assert_int_equal(fstatat(rig->keys, "signer.key.new", &st, 0), -1);
	free(text);
}

static void an_allow_with_a_plan_gets_a_mac(void **state)
{
	struct rig *rig = *state;
	struct entry *entry = rig_allow("call-1", 9),
		     *other = rig_entry(RECORD_CALL_OUTCOME, "c", "");
	struct digest plan = entry->plan, wrong = {{1}};

	entry->next = other;
	assert_null(commit_batch(&rig->commit, entry));
	assert_int_equal(entry->status, ANSWER_OK);
	assert_int_equal(other->status, ANSWER_OK);
	assert_int_equal(
	    receipt_check(&entry->receipt, rig->commit.receipt_key, "call-1", &plan), 0);
	assert_int_equal(receipt_check(&entry->receipt, rig->commit.receipt_key, "call-1", &wrong),
	    -EKEYREJECTED);
	assert_int_equal(entry->receipt.n, 3);
	assert_int_equal(entry->receipt.size, 5);
	assert_true(digest_is_zero(&other->receipt.mac));
	assert_true(digest_equal(&other->receipt.root, &entry->receipt.root));
	entry_free(entry);
	entry_free(other);
}

static void a_decision_about_effects_gets_a_mac_of_its_own(void **state)
{
	struct rig *rig = *state;
	struct entry *entry = rig_allow("call-1", 9);
	struct digest plan = entry->plan;

	entry->type = RECORD_EFFECTS_DECISION;
	assert_null(commit_batch(&rig->commit, entry));
	assert_int_equal(entry->status, ANSWER_OK);
	assert_int_equal(
	    receipt_check_effects(&entry->receipt, rig->commit.receipt_key, "call-1", &plan), 0);
	assert_int_equal(receipt_check(&entry->receipt, rig->commit.receipt_key, "call-1", &plan),
	    -EKEYREJECTED);
	entry_free(entry);
}

static void no_mac_without_allow_plan_or_call(void **state)
{
	struct rig *rig = *state;
	struct entry *deny = rig_allow("a", 9), *planless = rig_allow("b", 0),
		     *nameless = rig_allow("", 9);

	deny->allow = 0;
	deny->next = planless;
	planless->next = nameless;
	assert_null(commit_batch(&rig->commit, deny));
	for (struct entry *entry = deny, *next; entry; entry = next) {
		next = entry->next;
		assert_int_equal(entry->status, ANSWER_OK);
		assert_true(digest_is_zero(&entry->receipt.mac));
		entry_free(entry);
	}
}

static void the_line_says_what_the_header_says(void **state)
{
	struct rig *rig = *state;
	size_t len;
	char *text;

	assert_int_equal(rig_write(rig, rig_allow("call-1", 0xab)), ANSWER_OK);
	text = rig_read(rig, RIG_SEGMENT, &len);
	assert_non_null(strstr(text, "\"allow\":true,\"call\":\"call-1\",\"plan\":\"abababab"));
	assert_non_null(strstr(text, "abab\",\"text\":\"x\",\"type\":\"call.decision\"}\n"));
	free(text);
}

static struct entry *with_body(struct buf *fields, uint8_t plan)
{
	struct entry *entry = entry_new(RECORD_CALL_DECISION, fields);

	assert_non_null(entry);
	entry->writer = RECORD_WRITER_ENGINE;
	entry->allow = 1;
	strcpy(entry->call, "call-1");
	memset(entry->plan.bytes, plan, DIGEST_LEN);
	buf_fini(fields);
	return entry;
}

static void a_body_may_repeat_the_header_but_not_contradict_it(void **state)
{
	struct rig *rig = *state;
	struct digest plan = {{0}};
	struct buf fields;

	memset(plan.bytes, 5, DIGEST_LEN);
	for (int lie = 0; lie < 4; lie++) {
		buf_init(&fields, RECORD_FIELDS_MAX);
		record_put_str(&fields, "agent", "x");
		record_put_bool(&fields, "allow", lie != 1);
		record_put_str(&fields, "call", lie == 2 ? "call-2" : "call-1");
		record_put_digest(&fields, "plan", &plan);
		assert_int_equal(rig_write(rig, with_body(&fields, lie == 3 ? 6 : 5)),
		    lie ? ANSWER_REFUSED : ANSWER_OK);
		if (lie)
			assert_non_null(strstr(rig->note.text, "contradicts"));
	}
}

static void a_bad_record_is_refused_alone(void **state)
{
	struct rig *rig = *state;
	char *big = malloc(RECORD_FIELDS_MAX);
	struct entry *good = rig_entry(RECORD_CALL_OUTCOME, "a", "fine"), *bad, *huge;
	struct buf fields;
	struct trail trail;
	size_t len;
	char *text;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "zeta", "1");
	record_put_str(&fields, "alpha", "2");
	bad = with_body(&fields, 5);
	memset(big, 1, RECORD_FIELDS_MAX); /* \u0001 is six bytes on disk */
	big[RECORD_FIELDS_MAX - 100] = '\0';
	huge = rig_entry(RECORD_CALL_OUTCOME, "b", big);
	bad->next = huge;
	huge->next = good;
	assert_null(commit_batch(&rig->commit, bad));
	assert_int_equal(bad->status, ANSWER_REFUSED);
	assert_int_equal(huge->status, ANSWER_REFUSED);
	assert_int_equal(good->status, ANSWER_OK);
	assert_int_equal(good->receipt.n, 3);
	entry_free(bad);
	entry_free(huge);
	entry_free(good);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	assert_int_equal(trail.frontier.size, 5);
	free(text);
	free(big);
}

static void hostile_text_stays_one_line(void **state)
{
	static const char *const texts[] = {"a\nb\r\t\x01", "\"},{\"@n\":7", "\xff\xfe", "\x1b[2J",
	    "x\",\"type\":\"log.seal\"}", "\xe2\x80\xae"};
	struct rig *rig = *state;
	struct trail trail;
	size_t len;
	char *text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(
		    rig_write(rig, rig_entry(RECORD_CALL_OUTCOME, texts[i], texts[i])), ANSWER_OK);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	assert_int_equal(trail.seals, 1 + sizeof(texts) / sizeof(texts[0]));
	free(text);
}

static void a_long_list_becomes_batches_in_order(void **state)
{
	enum { COUNT = 10000 };
	struct rig *rig = *state;
	struct entry *list = NULL, **end = &list, *rest;
	struct trail trail;
	uint64_t last = 0;
	int batches = 0;
	size_t len;
	char *text;

	for (int i = 0; i < COUNT; i++) {
		*end = rig_entry(RECORD_CALL_OUTCOME, "c", "some text to fill the line with");
		end = &(*end)->next;
	}
	for (rest = list; rest; batches++)
		rest = commit_batch(&rig->commit, rest);
	assert_true(batches > 1);
	while (list) {
		rest = list->next;
		assert_int_equal(list->status, ANSWER_OK);
		assert_true(list->receipt.n > last);
		last = list->receipt.n;
		entry_free(list);
		list = rest;
	}
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	assert_int_equal(trail.frontier.size, COUNT + 3 + batches);
	free(text);
}

/* ---- durability ---------------------------------------------------------------------------- */

static const struct entry *awaited;

static void nothing_answered_yet(void)
{
	assert_int_equal(awaited->status, ANSWER_NONE);
	assert_true(digest_is_zero(&awaited->receipt.mac));
	assert_true(digest_is_zero(&awaited->receipt.root));
}

static void no_answer_before_fdatasync(void **state)
{
	struct rig *rig = *state;
	struct entry *entry = rig_allow("call-1", 9);

	watch(rig);
	awaited = entry;
	faults.at_sync = nothing_answered_yet;
	assert_null(commit_batch(&rig->commit, entry));
	assert_int_equal(faults.writes, 1);
	assert_int_equal(faults.syncs, 1);
	assert_int_equal(entry->status, ANSWER_OK);
	assert_false(digest_is_zero(&entry->receipt.mac));
	entry_free(entry);
}

static void short_writes_are_completed(void **state)
{
	struct rig *rig = *state;
	struct trail trail;
	size_t len;
	char *text;

	watch(rig);
	faults.fail_write_at = 100;
	faults.write_errno = EINTR;
	faults.write_once = 1;
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_OK);
	assert_int_equal(faults.syncs, 1);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	free(text);
}

static void expect_dead(struct rig *rig, const char *word)
{
	int writes = faults.writes, syncs = faults.syncs;

	assert_non_null(strstr(rig->note.text, word));
	assert_int_equal(rig->commit.journal.state, JOURNAL_DEAD);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_write(rig, rig_allow("call-2", 9)), ANSWER_UNAVAILABLE);
		assert_non_null(strstr(rig->note.text, word));
	}
	assert_int_equal(faults.writes, writes);
	assert_int_equal(faults.syncs, syncs);
}

static void a_failed_fdatasync_is_never_retried(void **state)
{
	struct rig *rig = *state;

	watch(rig);
	faults.sync_errno = EIO;
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	assert_int_equal(faults.syncs, 1);
	faults.sync_errno = 0;
	expect_dead(rig, "AUDIT_UNAVAILABLE");
}

static void full_at_fdatasync_is_called_full(void **state)
{
	struct rig *rig = *state;

	watch(rig);
	faults.sync_errno = ENOSPC;
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	expect_dead(rig, "AUDIT_FULL");
}

static void a_failed_write_poisons(void **state)
{
	struct rig *rig = *state;

	watch(rig);
	faults.fail_write_at = 50;
	faults.write_errno = EIO;
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	assert_int_equal(faults.syncs, 0);
	expect_dead(rig, "AUDIT_UNAVAILABLE");
}

/* A batch is torn at every byte where a write can stop; a restart finds the log as it was. */
static void a_torn_batch_leaves_no_trace(void **state)
{
	struct rig *rig = *state;
	size_t before, after, whole;
	char *old = rig_read(rig, RIG_SEGMENT, &before), *text;

	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_OK);
	free(rig_read(rig, RIG_SEGMENT, &whole));
	rig_close(rig);
	rig_put(rig, RIG_SEGMENT, old, before);
	for (size_t cut = 0; cut < whole - before; cut += 97) {
		struct trail trail;

		assert_int_equal(rig_open(rig), 0);
		watch(rig);
		faults.fail_write_at = (int)cut;
		faults.write_errno = EIO;
		assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
		faults.watched = NEVER;
		rig_close(rig);
		assert_int_equal(rig_open(rig), 0);
		assert_int_equal(rig->opened.recovered_bytes, cut);
		text = rig_read(rig, RIG_SEGMENT, &after);
		assert_memory_equal(text, old, before);
		rig_follow(&trail, text, after);
		assert_null(strstr(text, "call-1"));
		free(text);
		rig_close(rig);
		rig_put(rig, RIG_SEGMENT, old, before);
	}
	assert_int_equal(rig_open(rig), 0);
	free(old);
}

static void the_ballast_carries_what_runs(void **state)
{
	struct rig *rig = *state;
	struct trail trail;
	struct stat st;
	size_t len;
	char *text;

	watch(rig);
	faults.fail_write_at = 60;
	faults.write_errno = ENOSPC;
	faults.write_once = 1;
	assert_int_equal(rig_write(rig, rig_entry(RECORD_EXEC_EXIT, "call-0", "0")), ANSWER_OK);
	assert_int_equal(rig->commit.journal.state, JOURNAL_FULL);
	assert_int_equal(fstatat(rig->journal, JOURNAL_BALLAST_NAME, &st, 0), 0);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	assert_non_null(strstr(rig->note.text, "AUDIT_FULL"));
	assert_int_equal(rig_write(rig, rig_entry(RECORD_CALL_OUTCOME, "call-0", "0")), ANSWER_OK);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	assert_null(strstr(text, "call-1"));
	free(text);
	/* The space is back only for the next start. */
	rig_close(rig);
	faults.watched = NEVER;
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_OK);
}

static void an_allow_that_met_the_full_disk_gets_no_receipt(void **state)
{
	struct rig *rig = *state;
	struct entry *entry = rig_allow("call-1", 9);

	watch(rig);
	faults.fail_write_at = 0;
	faults.write_errno = EDQUOT;
	faults.write_once = 1;
	assert_null(commit_batch(&rig->commit, entry));
	assert_int_equal(entry->status, ANSWER_UNAVAILABLE);
	assert_true(digest_is_zero(&entry->receipt.mac));
	entry_free(entry);
}

static void a_disk_full_twice_is_the_end(void **state)
{
	struct rig *rig = *state;

	watch(rig);
	faults.fail_write_at = 60;
	faults.write_errno = ENOSPC;
	assert_int_equal(rig_write(rig, rig_entry(RECORD_EXEC_EXIT, "c", "0")), ANSWER_UNAVAILABLE);
	expect_dead(rig, "AUDIT_FULL");
}

/* ---- the file under our feet --------------------------------------------------------------- */

static void expect_lost(struct rig *rig)
{
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	assert_non_null(strstr(rig->note.text, "AUDIT_LOST path=audit/" RIG_SEGMENT));
	assert_int_equal(rig->commit.journal.state, JOURNAL_DEAD);
}

static void an_unlinked_segment_is_noticed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(unlinkat(rig->journal, RIG_SEGMENT, 0), 0);
	expect_lost(rig);
}

static void a_renamed_segment_is_noticed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(renameat(rig->journal, RIG_SEGMENT, rig->journal, "elsewhere"), 0);
	expect_lost(rig);
}

static void a_link_in_its_place_is_noticed(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(renameat(rig->journal, RIG_SEGMENT, rig->journal, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", rig->journal, RIG_SEGMENT), 0);
	expect_lost(rig);
}

static void a_copy_in_its_place_is_noticed(void **state)
{
	struct rig *rig = *state;
	size_t len;
	char *text = rig_read(rig, RIG_SEGMENT, &len);

	assert_int_equal(unlinkat(rig->journal, RIG_SEGMENT, 0), 0);
	rig_put(rig, RIG_SEGMENT, text, len);
	free(text);
	expect_lost(rig);
}

static void foreign_bytes_are_noticed(void **state)
{
	struct rig *rig = *state;
	int fd = openat(rig->journal, RIG_SEGMENT, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	expect_lost(rig);
}

static void a_dead_signer_ends_the_trail(void **state)
{
	struct rig *rig = *state;
	size_t before, after;

	free(rig_read(rig, RIG_SEGMENT, &before));
	assert_int_equal(kill(rig->commit.signer.pid, SIGKILL), 0);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_UNAVAILABLE);
	assert_non_null(strstr(rig->note.text, "AUDIT_UNAVAILABLE signer"));
	free(rig_read(rig, RIG_SEGMENT, &after));
	assert_int_equal(after, before);
}

static void segments_follow_each_other(void **state)
{
	struct rig *rig = *state;
	char name[SEGMENT_NAME_MAX];
	struct segment_list list;
	uint64_t next = rig->commit.frontier.size;

	rig->commit.journal.bytes = JOURNAL_SEGMENT_BYTES;
	assert_true(journal_is_due(&rig->commit.journal));
	assert_int_equal(rig_write(rig, rig_allow("call-1", 9)), ANSWER_OK);
	segment_name(name, next);
	assert_string_equal(rig->commit.journal.segment.name, name);
	assert_int_equal(segment_list(&list, rig->journal), 0);
	assert_int_equal(list.count, 2);
	segment_list_fini(&list);
	rig_close(rig);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig->opened.recovered_bytes, 0);
	assert_int_equal(rig_write(rig, rig_allow("call-2", 9)), ANSWER_OK);
	assert_string_equal(rig->commit.journal.segment.name, name);
}

/* ---- the signer's death -------------------------------------------------------------------- */

static void a_dead_signer_is_seen_and_ends_everything(void **state)
{
	struct rig *rig = *state;
	struct pollfd end = {.fd = rig->commit.signer.pidfd, .events = POLLIN};
	size_t before = rig->commit.journal.bytes;

	assert_int_equal(poll(&end, 1, 0), 0);
	assert_int_equal(kill(rig->commit.signer.pid, SIGKILL), 0);
	assert_int_equal(poll(&end, 1, 5000), 1);
	assert_int_equal(rig->commit.signer_fault, 0);
	assert_int_equal(rig_write(rig, rig_allow("a", 1)), ANSWER_UNAVAILABLE);
	assert_true(rig->commit.signer_fault < 0);
	assert_int_equal(rig->commit.journal.state, JOURNAL_DEAD);
	assert_int_equal(rig->commit.journal.bytes, before);
	rig_close(rig);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig->commit.signer_fault, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(first_start_writes_genesis_and_seal),
	    CASE(an_allow_with_a_plan_gets_a_mac),
	    CASE(a_decision_about_effects_gets_a_mac_of_its_own),
	    CASE(no_mac_without_allow_plan_or_call),
	    CASE(the_line_says_what_the_header_says),
	    CASE(a_body_may_repeat_the_header_but_not_contradict_it),
	    CASE(a_bad_record_is_refused_alone),
	    CASE(hostile_text_stays_one_line),
	    CASE(a_long_list_becomes_batches_in_order),
	    CASE(no_answer_before_fdatasync),
	    CASE(short_writes_are_completed),
	    CASE(a_failed_fdatasync_is_never_retried),
	    CASE(full_at_fdatasync_is_called_full),
	    CASE(a_failed_write_poisons),
	    CASE(a_torn_batch_leaves_no_trace),
	    CASE(the_ballast_carries_what_runs),
	    CASE(an_allow_that_met_the_full_disk_gets_no_receipt),
	    CASE(a_disk_full_twice_is_the_end),
	    CASE(an_unlinked_segment_is_noticed),
	    CASE(a_renamed_segment_is_noticed),
	    CASE(a_link_in_its_place_is_noticed),
	    CASE(a_copy_in_its_place_is_noticed),
	    CASE(foreign_bytes_are_noticed),
	    CASE(a_dead_signer_ends_the_trail),
	    CASE(segments_follow_each_other),
	    CASE(a_dead_signer_is_seen_and_ends_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
