/* What a start makes of a journal that was torn, extended, damaged or taken away. */
#include "tests/unit/auditor/rig.h"

#include "supervisor/auditor/recover.h"

static char *whole;
static size_t whole_len, sealed_len; /* sealed_len: without the last batch */

/* A log of four batches and log.close; `sealed_len` bytes end with the seal before the last. */
static int setup(void **state)
{
	struct rig *rig = rig_new();

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_write(rig, rig_allow("call-1", 1)), ANSWER_OK);
	assert_int_equal(rig_write(rig, rig_allow("call-2", 2)), ANSWER_OK);
	sealed_len = rig->commit.journal.bytes;
	assert_int_equal(rig_write(rig, rig_allow("call-3", 3)), ANSWER_OK);
	rig_close(rig);
	whole = rig_read(rig, RIG_SEGMENT, &whole_len);
	assert_int_equal(rig->opened.newest.fd, -1); /* closed: none was written yet */
	*state = rig;
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	free(whole);
	return 0;
}

static void expect_recovered(struct rig *rig, size_t bytes)
{
	struct trail trail;
	size_t len;
	char *text;

	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig->opened.recovered_bytes, bytes);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_follow(&trail, text, len);
	assert_int_equal(seal_verify(&trail.seal, &rig->opened.key), 0);
	assert_int_equal(strstr(text, "\"type\":\"log.recovered\"") != NULL, bytes > 0);
	free(text);
	rig_close(rig);
}

/* Only the scan, for the cases that are many. */
static int scan(struct rig *rig, struct recovery *ret)
{
	return recover_scan(ret, rig->journal, rig->opened.key.public_key, NULL, &rig->note);
}

static void a_whole_log_is_taken_up(void **state)
{
	expect_recovered(*state, 0);
}

static void cut_at_every_byte_of_the_last_batch(void **state)
{
	struct rig *rig = *state;
	struct recovery recovery;

	for (size_t len = sealed_len; len < whole_len; len++) {
		rig_put(rig, RIG_SEGMENT, whole, len);
		assert_int_equal(scan(rig, &recovery), 0);
		recover_fini(&recovery);
		assert_int_equal(recovery.bytes, sealed_len);
		assert_int_equal(recovery.tail_bytes, len - sealed_len);
		if ((len - sealed_len) % 101 == 0)
			expect_recovered(rig, len - sealed_len);
	}
}

static void expect_tail(struct rig *rig, const void *tail, size_t len)
{
	char *text = malloc(whole_len + len);

	memcpy(text, whole, whole_len);
	memcpy(text + whole_len, tail, len);
	rig_put(rig, RIG_SEGMENT, text, whole_len + len);
	free(text);
	expect_recovered(rig, len);
}

static void zeros_and_garbage_are_set_aside(void **state)
{
	static char zeros[200000], garbage[5000];

	for (size_t i = 0; i < sizeof(garbage); i++)
		garbage[i] = (char)(i * 7919 >> 3);
	expect_tail(*state, zeros, sizeof(zeros));
	free(whole);
	whole = rig_read(*state, RIG_SEGMENT, &whole_len);
	expect_tail(*state, garbage, sizeof(garbage));
	free(whole);
	whole = rig_read(*state, RIG_SEGMENT, &whole_len);
	expect_tail(*state, "\n", 1);
}

/* Lines that follow in every way, but bear no seal: never signed after the fact. */
static void unsealed_lines_are_not_blessed(void **state)
{
	struct rig *rig = *state;
	struct buf forged;
	struct trail trail;
	struct record_place place = {.wall_us = 1};
	struct entry *entry = rig_allow("forged", 9);
	size_t len;
	char *text;

	rig_follow(&trail, whole, whole_len);
	place.n = trail.frontier.size;
	assert_int_equal(digest_unhex(&place.prev, trail.prev_hex), 0);
	buf_init(&forged, RECORD_LINE_MAX);
	assert_int_equal(entry_line(&forged, &place, entry, &rig->note), 0);
	buf_text(&forged, "\n");
	expect_tail(rig, forged.data, forged.len);
	text = rig_read(rig, RIG_SEGMENT, &len);
	assert_null(strstr(text, "\"call\":\"forged\""));
	assert_non_null(strstr(text, "\"lines\":1,"));
	free(text);
	entry_free(entry);
	buf_fini(&forged);
}

/* A forger without the key appends a batch with everything right but the signature. */
static void a_false_seal_is_no_seal(void **state)
{
	struct rig *rig = *state;
	struct record_place place = {.wall_us = 1};
	struct entry *entry = rig_allow("forged", 9);
	struct checkpoint checkpoint = {.size = 0};
	uint8_t signature[SIGNATURE_LEN] = {1};
	struct buf tail, note;
	struct trail trail;
	struct digest leaf;

	rig_follow(&trail, whole, whole_len);
	place.n = trail.frontier.size;
	assert_int_equal(digest_unhex(&place.prev, trail.prev_hex), 0);
	buf_init(&tail, 4 * RECORD_LINE_MAX);
	buf_init(&note, NOTE_MAX);
	assert_int_equal(entry_line(&tail, &place, entry, &rig->note), 0);
	assert_int_equal(merkle_leaf(&leaf, tail.data, tail.len), 0);
	assert_int_equal(frontier_append(&trail.frontier, &leaf), 0);
	buf_text(&tail, "\n");
	strcpy(checkpoint.origin, rig->opened.key.name);
	checkpoint.size = ++place.n;
	place.prev = leaf;
	assert_int_equal(frontier_root(&trail.frontier, &checkpoint.root), 0);
	assert_int_equal(note_assemble(&note, &checkpoint, &rig->opened.key, signature), 0);
	assert_int_equal(seal_emit(&tail, &place, buf_cstr(&note)), 0);
	buf_text(&tail, "\n");
	expect_tail(rig, tail.data, tail.len);
	entry_free(entry);
	buf_fini(&tail);
	buf_fini(&note);
}

static void the_tail_is_kept_in_quarantine(void **state)
{
	struct rig *rig = *state;
	int dir;
	DIR *list;
	struct dirent *entry;
	int found = 0;

	expect_tail(rig, "torn tail", 9);
	dir = openat(rig->journal, "quarantine", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	list = fdopendir(dir);
	assert_non_null(list);
	while ((entry = readdir(list))) {
		char text[16] = {0};
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		fd = openat(dir, entry->d_name, O_RDONLY | O_CLOEXEC);
		assert_int_equal(read(fd, text, sizeof(text)), 9);
		assert_string_equal(text, "torn tail");
		close(fd);
		found++;
	}
	assert_int_equal(found, 1);
	closedir(list);
}

/* Every byte before the last batch: a later seal is valid, so nothing is cut and nothing starts. */
static void damage_in_the_middle_refuses(void **state)
{
	struct rig *rig = *state;
	struct recovery recovery;
	size_t len;
	char *text;

	for (size_t at = 0; at < sealed_len; at += 3) {
		whole[at] ^= 4;
		rig_put(rig, RIG_SEGMENT, whole, whole_len);
		whole[at] ^= 4;
		assert_true(scan(rig, &recovery) < 0);
		if (at % 300 == 0) {
			assert_true(rig_open(rig) < 0);
			assert_non_null(strstr(rig->note.text, "refusing to start"));
			rig_close(rig);
		}
		if (strncmp(rig->note.text, "KEY-MISMATCH", 12) != 0)
			assert_int_equal(strncmp(rig->note.text, "CORRUPT n=", 10), 0);
	}
	text = rig_read(rig, RIG_SEGMENT, &len);
	assert_int_equal(len, whole_len);
	free(text);
}

static void a_missing_line_refuses(void **state)
{
	struct rig *rig = *state;
	struct recovery recovery;
	char *second = strchr(whole, '\n') + 1, *third = strchr(second, '\n') + 1;
	size_t cut = (size_t)(third - second);

	memmove(second, third, whole_len - (size_t)(third - whole));
	rig_put(rig, RIG_SEGMENT, whole, whole_len - cut);
	assert_int_equal(scan(rig, &recovery), -EBADMSG);
	assert_int_equal(strncmp(rig->note.text, "CORRUPT n=1;", 12), 0);
}

static void a_journal_taken_away_refuses(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(unlinkat(rig->journal, RIG_SEGMENT, 0), 0);
	assert_int_equal(rig_open(rig), -EPERM);
	assert_int_equal(strncmp(rig->note.text, "MISSING genesis", 15), 0);
	rig_close(rig);
	rig_put(rig, RIG_SEGMENT, whole, 100);
	assert_int_equal(rig_open(rig), -EPERM);
	assert_int_equal(strncmp(rig->note.text, "UNSEALED", 8), 0);
}

static void another_key_refuses(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(unlinkat(rig->keys, "signer.key", 0), 0);
	assert_int_equal(rig_open(rig), -EKEYREJECTED);
	assert_int_equal(strncmp(rig->note.text, "KEY-MISMATCH", 12), 0);
}

/* The very first start died before its first seal was durable. */
static void a_first_start_is_taken_up_again(void **state)
{
	struct rig *rig = *state;
	struct stat st;

	for (size_t len = 0; len < 300; len += 50) {
		assert_int_equal(renameat(rig->keys, "signer.key", rig->keys, "signer.key.new"), 0);
		rig_put(rig, RIG_SEGMENT, whole, len);
		expect_recovered(rig, len);
		assert_int_equal(fstatat(rig->keys, "signer.key", &st, 0), 0);
	}
}

/* ... or after it, but before the key got its name. */
static void a_key_without_its_name_is_taken_up(void **state)
{
	struct rig *rig = *state;
	struct stat st;

	assert_int_equal(renameat(rig->keys, "signer.key", rig->keys, "signer.key.new"), 0);
	expect_recovered(rig, 0);
	assert_int_equal(fstatat(rig->keys, "signer.key", &st, 0), 0);
}

static void two_daemons_are_one_too_many(void **state)
{
	struct rig *rig = *state;
	struct commit first;

	assert_int_equal(rig_open(rig), 0);
	first = rig->commit;
	assert_int_equal(rig_open(rig), -EWOULDBLOCK);
	assert_int_equal(strncmp(rig->note.text, "LOCKED", 6), 0);
	rig->commit = first;
}

static void an_empty_next_segment_is_used(void **state)
{
	struct rig *rig = *state;
	char name[SEGMENT_NAME_MAX];
	struct trail trail;

	rig_follow(&trail, whole, whole_len);
	segment_name(name, trail.frontier.size);
	rig_put(rig, name, "torn", 4);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig->opened.recovered_bytes, 4);
	assert_string_equal(rig->commit.journal.segment.name, name);
}

static void a_segment_with_a_gap_before_it_refuses(void **state)
{
	struct rig *rig = *state;
	char name[SEGMENT_NAME_MAX];
	struct trail trail;

	rig_follow(&trail, whole, whole_len);
	segment_name(name, trail.frontier.size + 1);
	rig_put(rig, name, "", 0);
	assert_int_equal(rig_open(rig), -EBADMSG);
	assert_int_equal(strncmp(rig->note.text, "CORRUPT", 7), 0);
	rig_close(rig);
	/* junk at the end of the old segment may not hide behind a new one */
	assert_int_equal(unlinkat(rig->journal, name, 0), 0);
	segment_name(name, trail.frontier.size);
	rig_put(rig, name, "", 0);
	whole = realloc(whole, whole_len + 1);
	whole[whole_len] = 'x';
	rig_put(rig, RIG_SEGMENT, whole, whole_len + 1);
	assert_int_equal(rig_open(rig), -EBADMSG);
}

/* ---- the checkpoint beside the key --------------------------------------------------------- */

/* One more batch, whose seal is the newest that the keys' folder knows of. */
static void keep_newest(struct rig *rig)
{
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_write(rig, rig_allow("kept", 4)), ANSWER_OK);
	assert_int_equal(
	    newest_write(&rig->opened.newest, rig->commit.sealed, rig->commit.note), 0);
	rig_close(rig);
	free(whole);
	whole = rig_read(rig, RIG_SEGMENT, &whole_len);
}

static void a_journal_below_the_floor_refuses(void **state)
{
	struct rig *rig = *state;
	size_t before = whole_len, len;
	char *text;

	keep_newest(rig);
	expect_recovered(rig, 0);
	/* cut exactly behind an older seal, and inside of the newest batch */
	for (size_t cut = before; cut < whole_len; cut += (whole_len - before) / 7 + 1) {
		rig_put(rig, RIG_SEGMENT, whole, cut);
		assert_int_equal(rig_open(rig), -EPERM);
		assert_int_equal(strncmp(rig->note.text, "ROLLBACK size=", 14), 0);
		assert_non_null(strstr(rig->note.text, "; refusing to start"));
		rig_close(rig);
		text = rig_read(rig, RIG_SEGMENT, &len);
		assert_int_equal(len, cut); /* nothing was touched */
		free(text);
	}
	rig_put(rig, RIG_SEGMENT, whole, whole_len);
	expect_recovered(rig, 0);
}

static void a_torn_tail_above_the_floor_is_set_aside(void **state)
{
	struct rig *rig = *state;

	keep_newest(rig);
	expect_tail(rig, "torn tail", 9);
	/* and a lagging floor is no fault: more was written since */
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig_write(rig, rig_allow("later", 5)), ANSWER_OK);
	rig_close(rig);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(rig->opened.recovered_bytes, 0);
}

/* The same key, restored from before, goes another way and grows longer than what was. */
static void another_history_refuses(void **state)
{
	struct rig *rig = *state;
	char *old = malloc(whole_len), *kept;
	size_t old_len = whole_len, kept_len;
	int fd;

	memcpy(old, whole, old_len);
	keep_newest(rig);
	fd = openat(rig->keys, NEWEST_NAME, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fd_read_all(fd, NOTE_MAX, &kept, &kept_len), 0);
	close(fd);
	assert_int_equal(unlinkat(rig->keys, NEWEST_NAME, 0), 0);
	rig_put(rig, RIG_SEGMENT, old, old_len);
	assert_int_equal(rig_open(rig), 0); /* without the file: accepted */
	for (int i = 0; i < 9; i++)
		assert_int_equal(rig_write(rig, rig_allow("other", 6)), ANSWER_OK);
	assert_int_equal(newest_write(&rig->opened.newest, 1, kept), 0);
	rig_close(rig);
	assert_int_equal(rig_open(rig), -EPERM);
	assert_int_equal(strncmp(rig->note.text, "ROLLBACK size=", 14), 0);
	free(old);
	free(kept);
}

static void a_newest_that_is_not_ours_counts_as_missing(void **state)
{
	static const char *const texts[] = {"", "\n", "gate.example/test\n", "x\n99999\nAAAA\n\n"};
	struct rig *rig = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(rig_open(rig), 0);
		assert_int_equal(newest_write(&rig->opened.newest, 1, texts[i]), 0);
		rig_close(rig);
		expect_recovered(rig, 0);
	}
	/* a true note with its signature bent */
	keep_newest(rig);
	assert_int_equal(rig_open(rig), 0);
	rig_write(rig, rig_allow("b", 1));
	rig->commit.note[strlen(rig->commit.note) - 10] ^= 1;
	assert_int_equal(newest_write(&rig->opened.newest, 1, rig->commit.note), 0);
	rig_close(rig);
	rig_put(rig, RIG_SEGMENT, whole, whole_len);
	expect_recovered(rig, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_whole_log_is_taken_up),
	    CASE(cut_at_every_byte_of_the_last_batch),
	    CASE(zeros_and_garbage_are_set_aside),
	    CASE(unsealed_lines_are_not_blessed),
	    CASE(a_false_seal_is_no_seal),
	    CASE(the_tail_is_kept_in_quarantine),
	    CASE(damage_in_the_middle_refuses),
	    CASE(a_missing_line_refuses),
	    CASE(a_journal_taken_away_refuses),
	    CASE(another_key_refuses),
	    CASE(a_first_start_is_taken_up_again),
	    CASE(a_key_without_its_name_is_taken_up),
	    CASE(two_daemons_are_one_too_many),
	    CASE(an_empty_next_segment_is_used),
	    CASE(a_segment_with_a_gap_before_it_refuses),
	    CASE(a_journal_below_the_floor_refuses),
	    CASE(a_torn_tail_above_the_floor_is_set_aside),
	    CASE(another_history_refuses),
	    CASE(a_newest_that_is_not_ours_counts_as_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
