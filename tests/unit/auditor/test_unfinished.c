/* What a start owes to calls that a crash cut off. */
#include "tests/unit/auditor/rig.h"

static int setup(void **state)
{
	*state = rig_new();
	assert_int_equal(rig_open(*state), 0);
	return 0;
}

static int teardown(void **state)
{
	rig_free(*state);
	return 0;
}

/* A decision as engine writes it. */
static struct entry *decision(const char *call, uint8_t plan)
{
	struct buf fields;
	struct entry *entry;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "agent", "helper \"one\"");
	record_put_str(&fields, "by", "policy");
	record_put_str(&fields, "decision", plan ? "allow" : "deny");
	record_put_str(&fields, "principal", "uid:7");
	record_put_bytes(&fields, "rule", "\xff", 1);
	record_put_str(&fields, "tool", "bash");
	record_put_int(&fields, "uid", 7);
	entry = entry_new(RECORD_CALL_DECISION, &fields);
	assert_non_null(entry);
	buf_fini(&fields);
	entry->writer = RECORD_WRITER_ENGINE;
	snprintf(entry->call, sizeof(entry->call), "%s", call);
	entry->allow = plan != 0;
	memset(entry->plan.bytes, plan, DIGEST_LEN);
	return entry;
}

static void write_call(struct rig *rig, enum record_type type, const char *call)
{
	assert_int_equal(rig_write(rig, rig_entry(type, call, "x")), ANSWER_OK);
}

static void again(struct rig *rig)
{
	rig_close(rig);
	assert_int_equal(rig_open(rig), 0);
}

/* How many lines hold all of these. */
static int count(struct rig *rig, const char *a, const char *b)
{
	size_t len;
	char *text = rig_read(rig, RIG_SEGMENT, &len), *line = text;
	int found = 0;

	for (char *newline; (newline = strchr(line, '\n')); line = newline + 1) {
		*newline = '\0';
		found += strstr(line, a) && strstr(line, b);
	}
	free(text);
	return found;
}

#define OUTCOME     "\"type\":\"call.outcome\""
#define SEAL        "\"type\":\"log.seal\"}\n"
#define EXIT        "\"type\":\"exec.exit\""
#define INTERRUPTED "\"cause\":\"interrupted\""

static void a_running_call_gets_exit_and_outcome(void **state)
{
	struct rig *rig = *state;
	const char *plan = ",\"plan\":\"0404040404040404040404040404040404040404040404040404040404"
			   "040404\"";
	char expected[1024];
	struct trail trail;
	size_t len;
	char *text;

	assert_int_equal(rig_write(rig, decision("call-1", 4)), ANSWER_OK);
	write_call(rig, RECORD_EXEC_START, "call-1");
	again(rig);
	snprintf(expected, sizeof(expected),
	    ",\"agent\":\"helper \\\"one\\\"\",\"by\":\"policy\",\"call\":\"call-1\"," INTERRUPTED
	    ",\"decision\":\"allow\",\"method\":\"tools/call\",\"outcome\":\"failed\"%s,"
	    "\"principal\":\"uid:7\",\"reason\":\"",
	    plan);
	assert_int_equal(count(rig, expected,
			     "\"rule\":{\"b64\":\"/w==\"},\"status\":\"error\",\"tool\":\"bash\","
			     "\"type\":\"call.outcome\"}"),
	    1);
	snprintf(expected, sizeof(expected),
	    ",\"call\":\"call-1\",\"how\":\"unknown\",\"note\":\"interrupted\"%s,"
	    "\"proof\":\"none\",\"tool\":\"bash\"," EXIT "}",
	    plan);
	assert_int_equal(count(rig, expected, ""), 1);
	text = rig_read(rig, RIG_SEGMENT, &len);
	assert_true(strstr(text, EXIT) < strstr(text, OUTCOME));
	assert_true(strstr(text, "\"pid\":") < strstr(text, EXIT)); /* behind log.open */
	rig_follow(&trail, text, len);
	free(text);
	/* and never again */
	again(rig);
	again(rig);
	assert_int_equal(count(rig, OUTCOME, "call-1"), 1);
	assert_int_equal(count(rig, EXIT, "call-1"), 1);
}

static void what_is_over_stays_as_it_is(void **state)
{
	struct rig *rig = *state;

	assert_int_equal(rig_write(rig, decision("a", 1)), ANSWER_OK);
	write_call(rig, RECORD_EXEC_START, "a");
	write_call(rig, RECORD_EXEC_EXIT, "a");
	write_call(rig, RECORD_CALL_OUTCOME, "a");
	assert_int_equal(rig_write(rig, decision("b", 0)), ANSWER_OK);
	write_call(rig, RECORD_CALL_OUTCOME, "b");
	again(rig);
	assert_int_equal(count(rig, INTERRUPTED, ""), 0);
	assert_int_equal(count(rig, "interrupted", ""), 0);
}

static void only_what_is_missing_is_written(void **state)
{
	struct rig *rig = *state;

	/* decided, never started; declined, not answered; exit there; outcome there, exit not */
	assert_int_equal(rig_write(rig, decision("a", 1)), ANSWER_OK);
	assert_int_equal(rig_write(rig, decision("b", 0)), ANSWER_OK);
	assert_int_equal(rig_write(rig, decision("c", 1)), ANSWER_OK);
	write_call(rig, RECORD_EXEC_START, "c");
	write_call(rig, RECORD_EXEC_EXIT, "c");
	assert_int_equal(rig_write(rig, decision("d", 1)), ANSWER_OK);
	write_call(rig, RECORD_EXEC_START, "d");
	write_call(rig, RECORD_CALL_OUTCOME, "d");
	/* a start behind the outcome of its call owes an exit, never a second outcome */
	assert_int_equal(rig_write(rig, decision("e", 1)), ANSWER_OK);
	write_call(rig, RECORD_CALL_OUTCOME, "e");
	write_call(rig, RECORD_EXEC_START, "e");
	again(rig);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"a\""), 1);
	assert_int_equal(count(rig, EXIT, "\"call\":\"a\""), 0);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"b\""), 1);
	assert_int_equal(count(rig, "\"decision\":\"deny\"", INTERRUPTED), 1);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"c\""), 1);
	assert_int_equal(count(rig, EXIT, "\"call\":\"c\""), 1);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"d\""), 1);
	assert_int_equal(count(rig, EXIT, "\"call\":\"d\""), 1);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"e\""), 1);
	assert_int_equal(count(rig, EXIT, "\"call\":\"e\""), 1);
}

/* An outcome in the torn tail was never durable: its call is still open. */
static void a_torn_outcome_closes_nothing(void **state)
{
	struct rig *rig = *state;
	size_t len;
	char *text;

	assert_int_equal(rig_write(rig, decision("a", 1)), ANSWER_OK);
	write_call(rig, RECORD_CALL_OUTCOME, "a");
	rig_close(rig);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_put(rig, RIG_SEGMENT, text, len - 1);
	free(text);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(count(rig, OUTCOME, "\"call\":\"a\""), 1);
	assert_int_equal(count(rig, OUTCOME, INTERRUPTED), 1);
}

/* A decision in the torn tail was never answered: nothing came of it. */
static void a_torn_decision_opens_nothing(void **state)
{
	struct rig *rig = *state;
	size_t len;
	char *text;

	assert_int_equal(rig_write(rig, decision("a", 1)), ANSWER_OK);
	rig_close(rig);
	text = rig_read(rig, RIG_SEGMENT, &len);
	rig_put(rig, RIG_SEGMENT, text, len - 1);
	free(text);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(count(rig, OUTCOME, ""), 0);
}

/* Cuts the journal behind the first seal from `at` on, as a death between two batches does. */
static void cut_behind_seal(struct rig *rig, size_t at)
{
	int fd = openat(rig->journal, RIG_SEGMENT, O_RDWR | O_CLOEXEC);
	static char text[1 << 21];
	char *seal;

	assert_true(pread(fd, text, sizeof(text) - 1, (off_t)at) > 0);
	seal = strstr(text, SEAL);
	assert_non_null(seal);
	seal += strlen(SEAL);
	assert_non_null(strstr(seal, OUTCOME)); /* indeed several batches */
	assert_int_equal(ftruncate(fd, (off_t)(at + (size_t)(seal - text))), 0);
	close(fd);
}

static void dying_while_writing_them_is_safe(void **state)
{
	enum { CALLS = 1500 };
	struct rig *rig = *state;
	char name[16];
	size_t before;

	for (int i = 0; i < CALLS; i++) {
		snprintf(name, sizeof(name), "call-%d;", i);
		assert_int_equal(rig_write(rig, decision(name, 1)), ANSWER_OK);
	}
	before = rig->commit.journal.bytes;
	again(rig);
	rig_close(rig);
	cut_behind_seal(rig, before);
	assert_int_equal(rig_open(rig), 0);
	assert_int_equal(count(rig, OUTCOME, ""), CALLS);
	assert_int_equal(count(rig, OUTCOME, name), 1);
	assert_int_equal(count(rig, OUTCOME, "call-0;"), 1);
}

/* Members too long to take over are left out: a line always fits, so a start never fails by it. */
static void a_giant_decision_cannot_stop_the_start(void **state)
{
	struct rig *rig = *state;
	char *giant = calloc(1, 40001);
	struct entry *entry;
	struct buf fields;

	memset(giant, 'g', 40000);
	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "agent", giant);
	record_put_str(&fields, "tool", "bash");
	entry = entry_new(RECORD_CALL_DECISION, &fields);
	entry->writer = RECORD_WRITER_ENGINE;
	strcpy(entry->call, "a");
	assert_int_equal(rig_write(rig, entry), ANSWER_OK);
	buf_fini(&fields);
	free(giant);
	again(rig);
	assert_int_equal(count(rig, OUTCOME, INTERRUPTED), 1);
	assert_int_equal(count(rig, OUTCOME, "ggg"), 0);
	assert_int_equal(count(rig, OUTCOME, "\"tool\":\"bash\""), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    CASE(a_running_call_gets_exit_and_outcome),
	    CASE(what_is_over_stays_as_it_is),
	    CASE(only_what_is_missing_is_written),
	    CASE(a_torn_outcome_closes_nothing),
	    CASE(a_torn_decision_opens_nothing),
	    CASE(dying_while_writing_them_is_safe),
	    CASE(a_giant_decision_cannot_stop_the_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
