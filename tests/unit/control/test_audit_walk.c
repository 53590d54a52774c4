/* What the verifier says about logs that were edited, cut, relinked and re-signed. */
#include "tests/unit/control/log_rig.h"

#include <time.h>

/* The verifier's pause for a running daemon; no daemon runs here. */
int nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)pause;
	(void)left;
	return 0;
}

/* ---- sound logs ---------------------------------------------------------------------------- */

static void a_sound_log_is_ok(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_store(log);
	expect(log, 0, "OK size=12 seals=4 key=pinned freshness=UNPROVEN");
}

static void unpin(struct walk *walk)
{
	walk->pinned = 0;
	memset(&walk->key, 0, sizeof(walk->key));
}

static void without_a_pin_it_says_so(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_store(log);
	expect_with(log, unpin, 0, "OK size=12 seals=4 key=UNPINNED freshness=UNPROVEN");
}

static void all_seals(struct walk *walk)
{
	walk->flags |= WALK_ALL_SEALS;
}

static void a_bad_inner_signature_shows_with_all_seals(void **state)
{
	struct log *log = *state;
	struct buf note;
	char *text;

	log_fill(log, 2);
	buf_init(&note, NOTE_MAX);
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	log_note(log, &note);
	text = (char *)note.data;
	/* Another signature in canonical base64: the first byte behind the key id. */
	text[note.len - 60] = text[note.len - 60] == 'A' ? 'B' : 'A';
	log_seal_with(log, buf_cstr(&note));
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	log_seal(log);
	log_store(log);
	expect(log, 0, "OK size=10 seals=4 key=pinned freshness=UNPROVEN");
	expect_with(log, all_seals, 2, "TAMPERED seal n=7 reason=bad-signature");
	buf_fini(&note);
}

static void segments_are_one_log(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_segment(log, 0, 3);
	log_segment(log, 3, 9);
	log_segment(log, 9, 12);
	put_file(log->dirfd, "ballast", "x", 1);
	expect(log, 0, "OK size=12 seals=4 key=pinned freshness=UNPROVEN");
	log_segment(log, 12, 12); /* begun, not yet written */
	expect(log, 0, "OK size=12 seals=4 key=pinned freshness=UNPROVEN");
}

/* ---- edits (rows 1 to 7) ------------------------------------------------------------------- */

static void one_byte_is_a_chain_break(void **state)
{
	struct log *log = *state;
	char text[64];

	log_fill(log, 5);
	/* In the body of each line but the last two, seals among them. */
	for (uint64_t n = 0; n < 13; n++) {
		size_t at = log->at[n + 1] - 20;
		uint8_t old = log->text.data[at];

		log->text.data[at] = 'X';
		log_store(log);
		log->text.data[at] = old;
		snprintf(text, sizeof(text), "TAMPERED n=%" PRIu64 " reason=chain-break", n);
		expect(log, 2, text);
	}
}

static void an_edited_link_is_found_in_its_own_line(void **state)
{
	struct log *log = *state;

	log_fill(log, 5);
	log->text.data[log->at[6] + 20] ^= 1;
	log_store(log);
	expect(log, 2, "TAMPERED n=6 reason=chain-break");
}

static void a_line_that_is_no_record_is_a_chain_break(void **state)
{
	struct log *log = *state;

	log_fill(log, 5);
	log->text.data[log->at[7]] = 'X';
	log_store(log);
	expect(log, 2, "TAMPERED n=7 reason=chain-break");
}

/* Joins text[0..a) and text[b..) with `middle` between. */
static void stitch(struct log *log, size_t a, const void *middle, size_t len, size_t b)
{
	char *text = malloc(log->text.len + len);
	size_t rest = log->text.len - b;

	memcpy(text, log->text.data, a);
	memcpy(text + a, middle, len);
	memcpy(text + a + len, log->text.data + b, rest);
	log_put(log, text, a + len + rest);
	free(text);
}

static void a_deleted_line_is_a_gap(void **state)
{
	struct log *log = *state;

	log_fill(log, 5);
	for (uint64_t n = 0; n < 14; n++) {
		char text[64];

		stitch(log, log->at[n], "", 0, log->at[n + 1]);
		snprintf(text, sizeof(text), "TAMPERED n=%" PRIu64 " reason=sequence-gap", n);
		expect(log, 2, text);
	}
}

static void a_doubled_line_is_a_duplicate(void **state)
{
	struct log *log = *state;

	log_fill(log, 5);
	stitch(log, log->at[8], log->text.data + log->at[7], log->at[8] - log->at[7], log->at[8]);
	expect(log, 2, "TAMPERED n=7 reason=sequence-duplicate");
}

static void an_inserted_line_is_a_duplicate(void **state)
{
	struct log *log = *state;
	struct buf forged;
	struct digest prev;

	log_fill(log, 5);
	assert_int_equal(
	    merkle_leaf(&prev, log->text.data + log->at[6], log->at[7] - log->at[6] - 1), 0);
	buf_init(&forged, RECORD_LINE_MAX);
	record_emit(&forged, &(struct record_place){7, prev, LOG_TIME}, RECORD_CALL_OUTCOME, "", 0);
	buf_text(&forged, "\n");
	stitch(log, log->at[7], forged.data, forged.len, log->at[7]);
	expect(log, 2, "TAMPERED n=7 reason=sequence-duplicate");
	buf_fini(&forged);
}

static void swapped_lines_are_a_chain_break(void **state)
{
	struct log *log = *state;
	struct buf swapped;

	log_fill(log, 5);
	buf_init(&swapped, 1 << 20);
	buf_put(&swapped, log->text.data + log->at[8], log->at[9] - log->at[8]);
	buf_put(&swapped, log->text.data + log->at[7], log->at[8] - log->at[7]);
	stitch(log, log->at[7], swapped.data, swapped.len, log->at[9]);
	expect(log, 2, "TAMPERED n=7 reason=chain-break");
	buf_fini(&swapped);
}

static void relinked_lines_meet_the_seal(void **state)
{
	struct log *log = *state;
	struct buf note;

	/* The forger drops line 4, renumbers and relinks; the old seals are all he has. */
	log_fill(log, 2);
	buf_init(&note, NOTE_MAX);
	buf_text(&note, log->last_note);
	log_begin(log);
	log_genesis(log);
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	log_seal(log);
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	log_seal_with(log, buf_cstr(&note));
	log_store(log);
	expect(log, 2, "TAMPERED seal n=4 reason=root-mismatch");
	buf_fini(&note);
}

static void the_last_sealed_record_is_told_by_the_root(void **state)
{
	struct log *log = *state;

	log_fill(log, 5);
	log->text.data[log->at[14] - 20] = 'X';
	log_store(log);
	expect(log, 2, "TAMPERED seal n=14 reason=root-mismatch");
}

static void every_flipped_bit_is_detected(void **state)
{
	struct log *log = *state;
	size_t ok = 0;

	log_fill(log, 2);
	log_pin(log);
	for (size_t at = 0; at < log->text.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			log->text.data[at] ^= (uint8_t)(1u << bit);
			log_store(log);
			log->text.data[at] ^= (uint8_t)(1u << bit);
			if (log_judge(log, NULL) == 0) {
				print_error("undetected: byte %zu bit %u\n", at, bit);
				ok++;
			}
		}
	}
	assert_int_equal(ok, 0);
}

/* ---- cuts (rows 8 to 12) ------------------------------------------------------------------- */

static void cut_at_every_byte(void **state)
{
	struct log *log = *state;
	char text[96];

	log_fill(log, 2);
	for (size_t len = log->at[3] + 1; len < log->text.len; len++) {
		uint64_t whole = 0;

		for (uint64_t n = 3; n < 6; n++)
			whole += len >= log->at[n + 1];
		log_put(log, log->text.data, len);
		if (len == log->at[3 + whole])
			snprintf(text, sizeof(text), "INCOMPLETE unsealed lines=%" PRIu64, whole);
		else
			snprintf(text, sizeof(text), "INCOMPLETE torn-tail bytes=%zu last-seal n=2",
			    len - log->at[3]);
		if (len % 37 == 0 || len == log->at[3 + whole] || len + 1 == log->text.len)
			expect(log, 3, text);
	}
}

static void cut_at_a_seal_is_ok_but_unproven(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_put(log, log->text.data, log->at[9]);
	expect(log, 0, "OK size=9 seals=3 key=pinned freshness=UNPROVEN");
}

static void of_ten_minutes(struct walk *walk)
{
	walk->max_age_us = 600 * UINT64_C(1000000);
}

static void of_two_hours(struct walk *walk)
{
	walk->max_age_us = 7200 * UINT64_C(1000000);
}

static void age_tells_of_a_missing_end(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_store(log);
	expect_with(log, of_ten_minutes, 3, "STALE last=2026-09-21T14:13:30.000000Z");
	expect_with(log, of_two_hours, 0, "OK size=12 seals=4 key=pinned freshness=3590s");
}

static void missing_segments_are_named(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_segment(log, 0, 3);
	log_segment(log, 9, 12);
	expect(log, 3, "MISSING segment n=3..8");
	assert_int_equal(unlinkat(log->dirfd, "0000000000000000.jsonl", 0), 0);
	expect(log, 3, "MISSING genesis");
}

static void a_segment_cut_inside_is_tampering(void **state)
{
	struct log *log = *state;

	log_fill(log, 4);
	log_segment(log, 0, 5);
	log_segment(log, 6, 12);
	expect(log, 2, "TAMPERED n=5 reason=sequence-gap");
}

/* ---- nothing to stand on (row 19) ---------------------------------------------------------- */

static void nothing_is_never_ok(void **state)
{
	struct log *log = *state;

	expect(log, 3, "EMPTY");
	log_put(log, "", 0);
	expect(log, 3, "EMPTY");
	log_put(log, "\n", 1);
	expect(log, 3, "UNSEALED");
	log_put(log, "x", 1);
	expect(log, 3, "UNSEALED");
}

static void stripped_of_its_seals_it_is_unsealed(void **state)
{
	struct log *log = *state;
	struct buf kept;

	log_fill(log, 4);
	buf_init(&kept, 1 << 20);
	for (uint64_t n = 0; n < 12; n++) {
		if (!seal_is(log->text.data + log->at[n], log->at[n + 1] - log->at[n] - 1))
			buf_put(&kept, log->text.data + log->at[n], log->at[n + 1] - log->at[n]);
	}
	log_put(log, kept.data, kept.len);
	expect(log, 3, "UNSEALED");
	buf_fini(&kept);
}

static void an_edit_before_the_only_seal_is_not_unsealed(void **state)
{
	struct log *log = *state;

	log_fill(log, 1);
	log->text.data[log->at[1] - 20] = 'X';
	log_store(log);
	expect(log, 2, "TAMPERED n=0 reason=chain-break");
}

/* ---- keys (row 16) and notes (row 21) ------------------------------------------------------ */

static void another_key_is_named(void **state)
{
	struct log *log = *state;
	struct note_key pinned = log->key;
	char text[64];

	log_key(log, 2);
	log_fill(log, 3);
	log_store(log);
	snprintf(text, sizeof(text), "KEY-MISMATCH id=%02x%02x%02x%02x not pinned", log->key.id[0],
	    log->key.id[1], log->key.id[2], log->key.id[3]);
	log->key = pinned;
	expect(log, 4, text);
}

static void malformed(struct log *log, const char *note, const char *why)
{
	char text[128];

	log_fill(log, 2);
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	log_seal_with(log, note);
	log_store(log);
	snprintf(text, sizeof(text), "MALFORMED-NOTE n=7 why=%s", why);
	expect(log, 2, text);
}

/* The right note for a log of two batches and one more line, for bending. */
static void right_note(struct log *log, struct buf *out)
{
	log_fill(log, 2);
	log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
	buf_reset(out);
	log_note(log, out);
}

static void bend(struct log *log, const char *from, const char *to, const char *why)
{
	struct buf note, bent;
	const char *text, *at;

	buf_init(&note, NOTE_MAX);
	buf_init(&bent, 8 * NOTE_MAX);
	right_note(log, &note);
	text = buf_cstr(&note);
	at = strstr(text, from);
	assert_non_null(at);
	buf_put(&bent, text, (size_t)(at - text));
	buf_text(&bent, to);
	buf_text(&bent, at + strlen(from));
	malformed(log, buf_cstr(&bent), why);
	buf_fini(&note);
	buf_fini(&bent);
}

static void notes_have_one_form(void **state)
{
	struct log *log = *state;
	struct buf note, twice;

	bend(log, "\n7\n", "\n07\n", "checkpoint");
	bend(log, "\n7\n", "\n7\r\n", "checkpoint");
	bend(log, "\n7\n", "\n7\n\n", "checkpoint");
	bend(log, "\n\n", "\nextension\n\n", "checkpoint");
	bend(log, "\n\n", "\n\n\n", "signature-line");
	bend(log, "\n\n", "\n", "no-signature");
	bend(log, "\xe2\x80\x94 ", "- ", "signature-line");
	bend(log, "\xe2\x80\x94 gate", "\xe2\x80\x94 gade", "signature-name");
	buf_init(&note, NOTE_MAX);
	buf_init(&twice, NOTE_MAX);
	right_note(log, &note);
	buf_text(&twice, buf_cstr(&note));
	buf_text(&twice, strstr(buf_cstr(&note), "\xe2\x80\x94"));
	malformed(log, buf_cstr(&twice), "signature-count");
	/* 68 bytes end in one padding character; its last sextet has two unused bits */
	note.data[note.len - 3]++;
	malformed(log, buf_cstr(&note), "signature-base64");
	buf_fini(&note);
	buf_fini(&twice);
}

/* ---- meaning (--semantic) ------------------------------------------------------------------ */

static void semantic(struct walk *walk)
{
	walk->flags |= WALK_SEMANTIC;
}

struct step {
	enum record_type type;
	const char *call;
	uint8_t plan;
	int allow;
};

static void meaning(struct log *log, const struct step *steps, const char *text, int exit)
{
	log_begin(log);
	log_genesis(log);
	for (; steps->type; steps++)
		if (steps->type == RECORD_EFFECTS_WRITTEN)
			log_written(log, steps->call, steps->plan, steps->allow);
		else
			log_call(log, steps->type, steps->call, steps->plan, steps->allow);
	log_seal(log);
	log_store(log);
	expect_with(log, semantic, exit, text);
}

#define DECIDED(call, plan, allow)                                                                 \
	{                                                                                          \
		RECORD_CALL_DECISION, call, plan, allow                                            \
	}
#define STARTED(call, plan)                                                                        \
	{                                                                                          \
		RECORD_EXEC_START, call, plan, -1                                                  \
	}
#define EXITED(call)                                                                               \
	{                                                                                          \
		RECORD_EXEC_EXIT, call, 0, -1                                                      \
	}
#define OUTCOME(call)                                                                              \
	{                                                                                          \
		RECORD_CALL_OUTCOME, call, 0, -1                                                   \
	}
#define SETTLED(call, plan, allow)                                                                 \
	{                                                                                          \
		RECORD_EFFECTS_DECISION, call, plan, allow                                         \
	}
#define WRITTEN(call, plan, receipt)                                                               \
	{                                                                                          \
		RECORD_EFFECTS_WRITTEN, call, plan, receipt                                        \
	}
#define OPENED()                                                                                   \
	{                                                                                          \
		RECORD_LOG_OPEN, "", 0, -1                                                         \
	}
#define MEANING(log, text, exit, ...)                                                              \
	meaning(log, (const struct step[]){__VA_ARGS__, {RECORD_NONE, NULL, 0, 0}}, text, exit)

static void meaning_is_judged(void **state)
{
	struct log *log = *state;

	MEANING(log, "OK size=9 seals=1 key=pinned freshness=UNPROVEN", 0, DECIDED("a", 1, 1),
	    STARTED("a", 1), DECIDED("b", 2, 0), EXITED("a"), OUTCOME("b"), OUTCOME("a"),
	    DECIDED("c", 3, 1));
	MEANING(log, "SEMANTIC n=1 rule=exec-without-decision", 5, STARTED("a", 1));
	MEANING(log, "SEMANTIC n=2 rule=exec-after-deny", 5, DECIDED("a", 1, 0), STARTED("a", 1));
	MEANING(
	    log, "SEMANTIC n=2 rule=exec-of-another-plan", 5, DECIDED("a", 1, 1), STARTED("a", 2));
	MEANING(
	    log, "SEMANTIC n=2 rule=exec-without-decision", 5, DECIDED("a", 1, 1), STARTED("b", 1));
	MEANING(log, "SEMANTIC n=3 rule=exec-twice", 5, DECIDED("a", 1, 1), STARTED("a", 1),
	    STARTED("a", 1));
	MEANING(log, "SEMANTIC n=3 rule=outcome-twice", 5, DECIDED("a", 1, 0), OUTCOME("a"),
	    OUTCOME("a"));
	MEANING(log, "SEMANTIC n=3 rule=exec-after-outcome", 5, DECIDED("a", 1, 1), OUTCOME("a"),
	    STARTED("a", 1));
	MEANING(log, "SEMANTIC n=1 rule=exit-without-start", 5, EXITED("a"));
	MEANING(log, "SEMANTIC n=4 rule=exit-twice", 5, DECIDED("a", 1, 1), STARTED("a", 1),
	    EXITED("a"), EXITED("a"));
	MEANING(log, "SEMANTIC n=1 rule=allow-without-plan", 5, DECIDED("a", 0, 1));
	MEANING(log, "SEMANTIC n=2 rule=decision-twice", 5, DECIDED("a", 1, 0), DECIDED("a", 1, 1));
	MEANING(log, "SEMANTIC n=3 rule=decision-twice", 5, DECIDED("a", 1, 1), DECIDED("b", 1, 1),
	    DECIDED("a", 1, 1));
	MEANING(log, "SEMANTIC n=3 rule=decision-twice", 5, DECIDED("a", 1, 0), OUTCOME("a"),
	    DECIDED("a", 1, 0));
}

/* n=0 is the genesis, so the first of these is n=1. */
static void what_is_written_was_decided(void **state)
{
	struct log *log = *state;

	MEANING(log, "OK size=9 seals=1 key=pinned freshness=UNPROVEN", 0, SETTLED("a", 7, 1),
	    WRITTEN("a", 7, 1), SETTLED("b", 8, 1), SETTLED("a", 7, 1), WRITTEN("b", 8, 3),
	    WRITTEN("a", 7, 4), WRITTEN("a", 7, 0));
	MEANING(log, "SEMANTIC n=1 rule=written-without-decision", 5, WRITTEN("a", 7, 1));
	MEANING(log, "SEMANTIC n=1 rule=written-without-decision", 5, WRITTEN("a", 7, 0));
	MEANING(log, "SEMANTIC n=2 rule=written-without-decision", 5, SETTLED("b", 7, 1),
	    WRITTEN("a", 7, 1));
	MEANING(log, "SEMANTIC n=2 rule=written-without-decision", 5, SETTLED("a", 7, 0),
	    WRITTEN("a", 7, 1));
	MEANING(log, "SEMANTIC n=2 rule=written-without-decision", 5, SETTLED("a", 7, 1),
	    WRITTEN("a", 7, 5));
	MEANING(log, "SEMANTIC n=2 rule=written-of-other-changes", 5, SETTLED("a", 7, 1),
	    WRITTEN("a", 8, 1));
	MEANING(log, "SEMANTIC n=3 rule=written-twice", 5, SETTLED("a", 7, 1), WRITTEN("a", 7, 1),
	    WRITTEN("a", 7, 1));
	MEANING(log, "SEMANTIC n=1 rule=allow-without-plan", 5, SETTLED("a", 0, 1));
}

static void what_a_daemon_left_open_is_told(void **state)
{
	struct log *log = *state;

	/* running now, in the newest era */
	MEANING(log, "OK size=6 seals=1 key=pinned freshness=UNPROVEN", 0, OPENED(),
	    DECIDED("a", 1, 1), STARTED("a", 1), DECIDED("b", 1, 0));
	/* the daemon is gone, another one began, and nobody ended them */
	MEANING(log, "SEMANTIC n=2 rule=unfinished", 5, OPENED(), DECIDED("a", 1, 1),
	    STARTED("a", 1), OPENED());
	MEANING(log, "SEMANTIC n=4 rule=unfinished", 5, OPENED(), DECIDED("a", 1, 1), OUTCOME("a"),
	    DECIDED("b", 1, 1), OPENED(), DECIDED("c", 1, 1));
	MEANING(log, "SEMANTIC n=2 rule=unfinished", 5, OPENED(), DECIDED("a", 1, 0), OPENED());
	MEANING(log, "SEMANTIC n=2 rule=unfinished", 5, OPENED(), DECIDED("a", 1, 1),
	    STARTED("a", 1), OUTCOME("a"), OPENED());
	/* ended by the next start */
	MEANING(log, "OK size=9 seals=1 key=pinned freshness=UNPROVEN", 0, OPENED(),
	    DECIDED("a", 1, 1), STARTED("a", 1), OPENED(), EXITED("a"), OUTCOME("a"),
	    DECIDED("b", 1, 1));
	/* a second end is still one too many */
	MEANING(log, "SEMANTIC n=5 rule=outcome-twice", 5, OPENED(), DECIDED("a", 1, 0),
	    OUTCOME("a"), OPENED(), OUTCOME("a"));
}

static void many_calls_are_told_apart(void **state)
{
	struct log *log = *state;
	char name[16];

	log_begin(log);
	log_genesis(log);
	for (int i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "call-%d", i);
		log_call(log, RECORD_CALL_OUTCOME, name, 0, -1);
	}
	log_call(log, RECORD_CALL_OUTCOME, "call-77", 0, -1);
	log_seal(log);
	log_store(log);
	expect_with(log, semantic, 5, "SEMANTIC n=2001 rule=outcome-twice");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_sound_log_is_ok),
	    CASE(without_a_pin_it_says_so),
	    CASE(a_bad_inner_signature_shows_with_all_seals),
	    CASE(segments_are_one_log),
	    CASE(one_byte_is_a_chain_break),
	    CASE(an_edited_link_is_found_in_its_own_line),
	    CASE(a_line_that_is_no_record_is_a_chain_break),
	    CASE(a_deleted_line_is_a_gap),
	    CASE(a_doubled_line_is_a_duplicate),
	    CASE(an_inserted_line_is_a_duplicate),
	    CASE(swapped_lines_are_a_chain_break),
	    CASE(relinked_lines_meet_the_seal),
	    CASE(the_last_sealed_record_is_told_by_the_root),
	    CASE(every_flipped_bit_is_detected),
	    CASE(cut_at_every_byte),
	    CASE(cut_at_a_seal_is_ok_but_unproven),
	    CASE(age_tells_of_a_missing_end),
	    CASE(missing_segments_are_named),
	    CASE(a_segment_cut_inside_is_tampering),
	    CASE(nothing_is_never_ok),
	    CASE(stripped_of_its_seals_it_is_unsealed),
	    CASE(an_edit_before_the_only_seal_is_not_unsealed),
	    CASE(another_key_is_named),
	    CASE(notes_have_one_form),
	    CASE(meaning_is_judged),
	    CASE(what_is_written_was_decided),
	    CASE(what_a_daemon_left_open_is_told),
	    CASE(many_calls_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
