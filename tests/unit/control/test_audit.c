/* The three commands as they are typed: options, pins, anchors, proofs, and what tail shows. */
#include "tests/unit/control/log_rig.h"

#include <time.h>

#include "supervisor/base/str.h"

int nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)pause;
	(void)left;
	return 0;
}

/* One hour after the log began, whatever clock is asked. */
int clock_gettime(clockid_t clock, struct timespec *ret)
{
	(void)clock;
	*ret = (struct timespec){.tv_sec = (time_t)(LOG_TIME / 1000000 + 3600)};
	return 0;
}

static int quiet(void **state)
{
	(void)state;
	setenv("CALLGATE_HOME", "/nonexistent", 1);
	return 0;
}

#define VERIFY(ret, ...)                                                                           \
	run_main(audit_verify_main, ret, (const char *[]){"verify", __VA_ARGS__, NULL})
#define PROVE(ret, ...)                                                                            \
	run_main(audit_prove_main, ret, (const char *[]){"prove", __VA_ARGS__, NULL})
#define TAIL(ret, ...) run_main(audit_tail_main, ret, (const char *[]){"tail", __VA_ARGS__, NULL})

static void starts(const char *output, const char *line)
{
	if (strncmp(output, line, strlen(line)) != 0)
		print_error("printed: %s\n", output);
	assert_int_equal(strncmp(output, line, strlen(line)), 0);
}

/* ---- verify -------------------------------------------------------------------------------- */

static void finds_the_pin_beside_the_journal(void **state)
{
	struct log *log = *state;
	int exit;

	log_fill(log, 3);
	log_store(log);
	starts(VERIFY(&exit, log->dir), "OK size=9 seals=3 key=UNPINNED freshness=UNPROVEN\n");
	assert_int_equal(exit, 0);
	log_pin(log);
	starts(VERIFY(&exit, log->dir), "OK size=9 seals=3 key=pinned freshness=UNPROVEN\n");
	assert_int_equal(exit, 0);
	starts(VERIFY(&exit, "--pin", log->pin, "--all-seals", "--semantic", log->dir),
	    "SEMANTIC n=4 rule=outcome-twice\n");
	assert_int_equal(exit, 5);
}

static void a_pin_that_is_none_is_a_key_matter(void **state)
{
	struct log *log = *state;
	int exit;

	log_fill(log, 3);
	log_store(log);
	put_file(AT_FDCWD, log->pin, "callgate-pin v1\nvkey nonsense\n", 30);
	starts(VERIFY(&exit, log->dir), "PIN-MISMATCH ");
	assert_int_equal(exit, 4);
	VERIFY(&exit, "--pin", "/nonexistent/pin", log->dir);
	assert_int_equal(exit, 1);
}

static void json_says_the_same(void **state)
{
	struct log *log = *state;
	json_t *answer;
	int exit;

	log_fill(log, 3);
	log_store(log);
	log_pin(log);
	answer = json_loads(VERIFY(&exit, "--output", "json", log->dir), 0, NULL);
	assert_non_null(answer);
	assert_string_equal(json_string_value(json_object_get(answer, "verdict")), "OK");
	assert_int_equal(json_integer_value(json_object_get(answer, "exit")), 0);
	assert_int_equal(json_integer_value(json_object_get(answer, "size")), 9);
	assert_true(json_is_true(json_object_get(answer, "pinned")));
	json_decref(answer);
}

static void age_is_an_option(void **state)
{
	struct log *log = *state;
	int exit;

	log_fill(log, 3);
	log_store(log);
	starts(VERIFY(&exit, "--max-age", "10m", log->dir), "STALE last=");
	assert_int_equal(exit, 3);
	VERIFY(&exit, "--max-age", "2h", log->dir);
	assert_int_equal(exit, 0);
	VERIFY(&exit, "--max-age", "soon", log->dir);
	assert_int_equal(exit, 1);
}

static void usage_is_told(void **state)
{
	struct log *log = *state;
	int exit;

	VERIFY(&exit, "/nonexistent");
	assert_int_equal(exit, 1);
	VERIFY(&exit, "--frobnicate", log->dir);
	assert_int_equal(exit, 1);
	VERIFY(&exit, log->dir, log->dir);
	assert_int_equal(exit, 1);
	VERIFY(&exit, "--output", "xml", log->dir);
	assert_int_equal(exit, 1);
	PROVE(&exit, "seven", log->dir);
	assert_int_equal(exit, 1);
	TAIL(&exit, "-n", "-1", log->dir);
	assert_int_equal(exit, 1);
}

static void a_link_is_not_followed(void **state)
{
	struct log *log = *state;
	int exit;

	log_fill(log, 3);
	put_file(log->dirfd, "elsewhere", log->text.data, log->text.len);
	assert_int_equal(symlinkat("elsewhere", log->dirfd, "0000000000000000.jsonl"), 0);
	starts(VERIFY(&exit, log->dir), "UNREADABLE 0000000000000000.jsonl");
	assert_int_equal(exit, 1);
}

/* ---- anchors ------------------------------------------------------------------------------- */

static char anchor[96];

static const char *anchored(struct log *log, const char *text, int *ret_exit)
{
	snprintf(anchor, sizeof(anchor), "%s/anchor", log->root);
	put_file(AT_FDCWD, anchor, text, strlen(text));
	return VERIFY(ret_exit, "--anchor", anchor, log->dir);
}

/* A receipt for line n of the log as it stands, inside a reply. */
static void receipt(struct log *log, char out[512], uint64_t n)
{
	char leaf_hex[DIGEST_HEX_MAX], root_hex[DIGEST_HEX_MAX];
	struct digest leaf, root;

	assert_int_equal(
	    merkle_leaf(&leaf, log->text.data + log->at[n], log->at[n + 1] - log->at[n] - 1), 0);
	assert_int_equal(frontier_root(&log->frontier, &root), 0);
	snprintf(out, 512,
	    "{\"_meta\":{\"callgate/call\":{\"receipt\":{\"n\":%" PRIu64
	    ",\"leaf\":\"sha256:%s\",\"size\":%" PRIu64 ",\"root\":\"%s\"}}}}",
	    n, digest_hex(leaf_hex, &leaf), log->frontier.size, digest_hex(root_hex, &root));
}

static void what_was_kept_outside_proves_a_cut(void **state)
{
	struct log *log = *state;
	char text[512], note[NOTE_MAX], expected[256];
	int exit;

	log_fill(log, 4);
	log_store(log);
	log_pin(log);
	receipt(log, text, 10);
	memcpy(note, log->last_note, sizeof(note));
	starts(anchored(log, text, &exit), "OK size=12 seals=4 anchored=12 key=pinned");
	starts(anchored(log, note, &exit), "OK size=12 seals=4 anchored=11 key=pinned");
	assert_int_equal(exit, 0);
	log_put(log, log->text.data, log->at[9]);
	snprintf(expected, sizeof(expected), "TRUNCATED size=9 anchored=12 by=%s\n", anchor);
	starts(anchored(log, text, &exit), expected);
	assert_int_equal(exit, 3);
	snprintf(expected, sizeof(expected), "TRUNCATED size=9 anchored=11 by=%s\n", anchor);
	starts(anchored(log, note, &exit), expected);
}

static void two_histories_under_one_key_are_told(void **state)
{
	struct log *log = *state;
	char text[512], note[NOTE_MAX];
	int exit;

	log_fill(log, 4);
	receipt(log, text, 10);
	memcpy(note, log->last_note, sizeof(note));
	log_begin(log); /* the same key, another history of the same length */
	log_genesis(log);
	for (int i = 0; i < 12; i++)
		log_call(log, RECORD_CALL_OUTCOME, "other", 0, -1);
	log_seal(log);
	log_store(log);
	log_pin(log);
	starts(anchored(log, text, &exit), "EQUIVOCATION size=12 roots differ\n");
	assert_int_equal(exit, 2);
	starts(anchored(log, note, &exit), "EQUIVOCATION size=11 roots differ\n");
}

static void a_bad_anchor_does_not_hide_the_log(void **state)
{
	struct log *log = *state;
	char note[NOTE_MAX];
	int exit;

	log_fill(log, 4);
	log_store(log);
	log_pin(log);
	starts(anchored(log, "nonsense", &exit), "ANCHOR-INVALID name=");
	assert_int_equal(exit, 1);
	starts(anchored(log, "{\"n\":1,\"size\":0}", &exit), "ANCHOR-INVALID name=");
	memcpy(note, log->last_note, sizeof(note));
	note[strlen(note) - 20] ^= 1;
	starts(anchored(log, note, &exit), "ANCHOR-INVALID name=");
	log->text.data[log->at[2] - 20] = 'X';
	log_store(log);
	starts(anchored(log, "nonsense", &exit), "ANCHOR-INVALID name=");
	assert_int_equal(exit, 2);
}

/* ---- prove --------------------------------------------------------------------------------- */

/* Checks a proof as a stranger would, by the text alone. */
static void check_proof(const struct log *log, const char *proof, uint64_t n)
{
	static char line[RECORD_LINE_MAX];
	char index[64];
	const char *at = proof, *end;
	struct digest hashes[MERKLE_PROOF_MAX], leaf;
	struct checkpoint checkpoint;
	size_t count = 0, len;

	starts(at, "c2sp.org/tlog-proof@v1\nextra ");
	at = strchr(at, '\n') + 1 + strlen("extra ");
	end = strchr(at, '\n');
	assert_int_equal(str_unbase64(line, sizeof(line), at, (size_t)(end - at), &len), 0);
	assert_int_equal(merkle_leaf(&leaf, line, len), 0);
	snprintf(index, sizeof(index), "\nindex %" PRIu64 "\n", n);
	starts(end, index);
	at = end + strlen(index);
	for (; *at != '\n'; at = end + 1) {
		end = strchr(at, '\n');
		assert_int_equal(
		    str_unbase64(hashes[count++].bytes, DIGEST_LEN, at, (size_t)(end - at), &len),
		    0);
		assert_int_equal(len, DIGEST_LEN);
	}
	at++;
	assert_int_equal(note_open(&checkpoint, &log->key, at, strlen(at)), 0);
	assert_int_equal(
	    merkle_check(&leaf, n, checkpoint.size, hashes, count, &checkpoint.root), 0);
}

static void every_sealed_record_is_provable(void **state)
{
	struct log *log = *state;
	char number[24];
	int exit;

	log_fill(log, 4);
	log_store(log);
	for (uint64_t n = 0; n < 11; n++) {
		snprintf(number, sizeof(number), "%" PRIu64, n);
		check_proof(log, PROVE(&exit, number, log->dir), n);
		assert_int_equal(exit, 0);
	}
	assert_string_equal(PROVE(&exit, "11", log->dir), "");
	assert_int_equal(exit, 1);
}

static void a_proof_is_an_anchor(void **state)
{
	struct log *log = *state;
	char *proof;
	int exit;

	log_fill(log, 4);
	log_store(log);
	log_pin(log);
	proof = strdup(PROVE(&exit, "5", log->dir));
	assert_non_null(proof);
	log_put(log, log->text.data, log->at[9]);
	starts(anchored(log, proof, &exit), "TRUNCATED size=9 anchored=11 by=");
	free(proof);
}

static void nothing_is_proven_out_of_a_bad_log(void **state)
{
	struct log *log = *state;
	int exit;

	log_fill(log, 4);
	log->text.data[log->at[2] - 20] = 'X';
	log_store(log);
	assert_string_equal(PROVE(&exit, "5", log->dir), "");
	assert_int_equal(exit, 2);
}

/* ---- tail ---------------------------------------------------------------------------------- */

static void tail_shows_the_last_lines(void **state)
{
	struct log *log = *state;
	const char *output;
	int exit;

	log_fill(log, 4);
	log_segment(log, 0, 3);
	log_segment(log, 3, 9);
	log_segment(log, 9, 12);
	output = TAIL(&exit, "-n", "5", log->dir);
	assert_int_equal(exit, 0);
	starts(output, "7 2026-09-21T14:13:27.000000Z call.outcome call=\"b\" text=\"hello\"\n"
		       "8 2026-09-21T14:13:27.000000Z log.seal size=8\n9 ");
	assert_non_null(strstr(output, " allow=false call=\"a\" plan=010101010101… text="));
	assert_non_null(strstr(output, "\n11 "));
	output = TAIL(&exit, "-n", "1", "--output", "json", log->dir);
	assert_memory_equal(output, log->text.data + log->at[11], log->at[12] - log->at[11]);
	starts(TAIL(&exit, "-n", "100", log->dir), "0 ");
	assert_string_equal(TAIL(&exit, "-n", "0", log->dir), "");
}

static void tail_disarms_hostile_bytes(void **state)
{
	struct log *log = *state;
	const char *output;
	int exit;

	log_begin(log);
	log_genesis(log);
	log_call(log, RECORD_CALL_OUTCOME, "\x1b[2J\n9 fake\xe2\x80\xae", 0, -1);
	log_call(log, RECORD_CALL_OUTCOME, "\xff\x1b", 0, -1);
	log_seal(log);
	buf_text(&log->text, "\x1b]0;title\x07 not a record\n{\"@n\":");
	log_store(log);
	output = TAIL(&exit, log->dir);
	assert_int_equal(exit, 0);
	for (const char *at = output; *at; at++)
		assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
	assert_null(strstr(output, "\xe2\x80\xae"));
	assert_non_null(strstr(output, "\n? \\x1b]0;title"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(finds_the_pin_beside_the_journal),
	    CASE(a_pin_that_is_none_is_a_key_matter),
	    CASE(json_says_the_same),
	    CASE(age_is_an_option),
	    CASE(usage_is_told),
	    CASE(a_link_is_not_followed),
	    CASE(what_was_kept_outside_proves_a_cut),
	    CASE(two_histories_under_one_key_are_told),
	    CASE(a_bad_anchor_does_not_hide_the_log),
	    CASE(every_sealed_record_is_provable),
	    CASE(a_proof_is_an_anchor),
	    CASE(nothing_is_proven_out_of_a_bad_log),
	    CASE(tail_shows_the_last_lines),
	    CASE(tail_disarms_hostile_bytes),
	};

	return cmocka_run_group_tests(tests, quiet, NULL);
}
