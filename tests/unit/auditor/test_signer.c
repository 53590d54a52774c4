/* The signer: what it refuses to sign. */
#include "tests/unit/auditor/rig.h"

#include <signal.h>

static struct digest leaves[8];

static int setup(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < 8; i++)
		memset(leaves[i].bytes, (int)i + 1, DIGEST_LEN);
	*state = rig_new();
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	return 0;
}

static struct signer start(struct rig *rig)
{
	struct signer signer;

	assert_int_equal(signer_start(&signer, rig->keys, &rig->note), 0);
	return signer;
}

static void expect_ended(struct signer *signer)
{
	char note[NOTE_MAX];

	assert_true(signer_sign(signer, 1, leaves, 1, note) < 0);
	signer_stop(signer);
}

/* What the tree over the first n leaves must be. */
static struct frontier tree(size_t n)
{
	struct frontier frontier = {.size = 0};

	for (size_t i = 0; i < n; i++)
		assert_int_equal(frontier_append(&frontier, &leaves[i]), 0);
	return frontier;
}

static void signs_what_its_leaves_give(void **state)
{
	struct signer signer = start(*state);
	struct frontier frontier = tree(5);
	struct checkpoint checkpoint;
	struct note_key key;
	struct digest root;
	char note[NOTE_MAX];

	assert_int_equal(signer.seed, SIGNER_SEED_NEW);
	assert_int_equal(signer_begin(&signer, "gate"), 0);
	assert_int_equal(signer_sign(&signer, 3, leaves, 3, note), 0);
	assert_int_equal(signer_sign(&signer, 5, leaves + 3, 2, note), 0);
	assert_int_equal(note_key_init(&key, "gate", signer.public_key), 0);
	assert_int_equal(note_open(&checkpoint, &key, note, strlen(note)), 0);
	assert_int_equal(frontier_root(&frontier, &root), 0);
	assert_true(digest_equal(&checkpoint.root, &root));
	assert_int_equal(checkpoint.size, 5);
	signer_stop(&signer);
}

static void a_wrong_size_ends_it(void **state)
{
	static const uint64_t wrong[] = {0, 2, 4, UINT64_MAX};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct signer signer = start(*state);
		char note[NOTE_MAX] = "untouched";

		assert_int_equal(signer_begin(&signer, "gate"), 0);
		assert_true(signer_sign(&signer, wrong[i], leaves, 3, note) < 0);
		assert_string_equal(note, "untouched");
		expect_ended(&signer);
	}
}

static void signs_nothing_before_it_knows_its_tree(void **state)
{
	struct signer signer = start(*state);
	char note[NOTE_MAX];

	assert_true(signer_sign(&signer, 1, leaves, 1, note) < 0);
	expect_ended(&signer);
}

static void begins_only_once(void **state)
{
	struct signer signer = start(*state);

	assert_int_equal(signer_begin(&signer, "gate"), 0);
	assert_true(signer_begin(&signer, "gate") < 0);
	expect_ended(&signer);
}

/* Makes a log of three leaves and gives its note; the seed is then established. */
static void make_log(struct rig *rig, char note[NOTE_MAX])
{
	struct signer signer = start(rig);

	assert_int_equal(signer_begin(&signer, "gate"), 0);
	assert_int_equal(signer_sign(&signer, 3, leaves, 3, note), 0);
	assert_int_equal(signer_establish(&signer, rig->keys), 0);
	signer_stop(&signer);
}

static void an_established_key_never_begins_again(void **state)
{
	struct signer signer;
	char note[NOTE_MAX];

	make_log(*state, note);
	signer = start(*state);
	assert_int_equal(signer.seed, SIGNER_SEED_ESTABLISHED);
	assert_int_equal(signer_begin(&signer, "gate"), -EPERM);
	signer.seed = SIGNER_SEED_NEW; /* an auditor that lies about it is refused by the child */
	assert_true(signer_begin(&signer, "gate") < 0);
	expect_ended(&signer);
}

static void goes_on_from_its_own_checkpoint(void **state)
{
	struct frontier frontier = tree(3);
	struct signer signer;
	char note[NOTE_MAX], next[NOTE_MAX];

	make_log(*state, note);
	signer = start(*state);
	assert_int_equal(signer_resume(&signer, "gate", &frontier, note), 0);
	assert_int_equal(signer_sign(&signer, 4, leaves + 3, 1, next), 0);
	signer_stop(&signer);
}

static void goes_on_from_nothing_else(void **state)
{
	char note[NOTE_MAX], bent[NOTE_MAX];

	make_log(*state, note);
	for (int lie = 0; lie < 5; lie++) {
		struct frontier frontier = tree(lie == 0 ? 2 : lie == 1 ? 4 : 3);
		struct signer signer = start(*state);

		memcpy(bent, note, sizeof(bent));
		if (lie == 2)
			frontier.roots[0].bytes[5] ^= 1;
		if (lie == 3)
			bent[strlen(bent) - 10] ^= 1;
		assert_true(
		    signer_resume(&signer, lie == 4 ? "gate2" : "gate", &frontier, bent) < 0);
		expect_ended(&signer);
	}
}

static void a_seed_that_others_could_read_is_refused(void **state)
{
	struct rig *rig = *state;
	struct signer signer;
	char note[NOTE_MAX];

	make_log(rig, note);
	assert_int_equal(fchmodat(rig->keys, "signer.key", 0640, 0), 0);
	assert_true(signer_start(&signer, rig->keys, &rig->note) < 0);
	assert_non_null(strstr(rig->note.text, "signer.key"));
	assert_int_equal(unlinkat(rig->keys, "signer.key", 0), 0);
	assert_int_equal(symlinkat("/dev/zero", rig->keys, "signer.key"), 0);
	assert_true(signer_start(&signer, rig->keys, &rig->note) < 0);
}

static void a_short_seed_is_refused(void **state)
{
	struct rig *rig = *state;
	struct signer signer;
	char note[NOTE_MAX];
	int fd;

	make_log(rig, note);
	fd = openat(rig->keys, "signer.key", O_WRONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(fd, 31), 0);
	close(fd);
	assert_true(signer_start(&signer, rig->keys, &rig->note) < 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(signs_what_its_leaves_give),
	    CASE(a_wrong_size_ends_it),
	    CASE(signs_nothing_before_it_knows_its_tree),
	    CASE(begins_only_once),
	    CASE(an_established_key_never_begins_again),
	    CASE(goes_on_from_its_own_checkpoint),
	    CASE(goes_on_from_nothing_else),
	    CASE(a_seed_that_others_could_read_is_refused),
	    CASE(a_short_seed_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
