#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/evidence/record.h"

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD  "{\"@n\":0,\"@prev\":\"" ZEROS "\",\"@timestamp\":\"1970-01-01T00:00:00.000000Z\","

static const struct record_place first = {.n = 0};

/* Fields of the test at hand, and what comes of them. */
static struct buf fields, line;

static int setup(void **state)
{
	(void)state;
	buf_init(&fields, RECORD_FIELDS_MAX);
	buf_init(&line, 4 * RECORD_LINE_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&fields);
	buf_fini(&line);
	return 0;
}

static int emit(void)
{
	assert_int_equal(fields.fault, 0);
	return record_emit(&line, &first, RECORD_CALL_DECISION, fields.data, fields.len);
}

static void assert_line(const char *after_head)
{
	assert_int_equal(emit(), 0);
	assert_memory_equal(buf_cstr(&line), HEAD, strlen(HEAD));
	assert_string_equal(buf_cstr(&line) + strlen(HEAD), after_head);
}

static void types_have_names_and_writers(void **state)
{
	(void)state;
	for (unsigned type = RECORD_NONE + 1; type < RECORD_TYPE_COUNT; type++) {
		const char *name = record_type_name((enum record_type)type);

		assert_non_null(name);
		assert_int_equal(record_type_from_name(name), type);
		assert_int_not_equal(
		    record_type_writer((enum record_type)type), RECORD_WRITER_NONE);
	}
	assert_null(record_type_name(RECORD_NONE));
	assert_null(record_type_name(RECORD_TYPE_COUNT));
	assert_null(record_type_name((enum record_type) - 1));
	assert_int_equal(record_type_from_name("call.nothing"), RECORD_NONE);
	assert_int_equal(record_type_writer(RECORD_TYPE_COUNT), RECORD_WRITER_NONE);
	assert_int_equal(record_type_writer(RECORD_EXEC_EXIT), RECORD_WRITER_WARDEN);
	assert_int_equal(record_type_writer(RECORD_CALL_DECISION), RECORD_WRITER_ENGINE);
	assert_int_equal(record_type_writer(RECORD_LOG_SEAL), RECORD_WRITER_AUDITOR);
}

/* Each type has one writer; only the two ends of a call have an heir, who is the auditor. */
static void nobody_writes_for_another(void **state)
{
	(void)state;
	for (unsigned type = 0; type <= RECORD_TYPE_COUNT; type++) {
		int ends = type == RECORD_EXEC_EXIT || type == RECORD_CALL_OUTCOME;

		for (unsigned writer = 0; writer <= RECORD_WRITER_WARDEN; writer++) {
			int owns = writer != RECORD_WRITER_NONE &&
				   record_type_writer((enum record_type)type) == writer;

			assert_int_equal(record_may_write((enum record_writer)writer, type),
			    owns || (ends && writer == RECORD_WRITER_AUDITOR));
		}
	}
}

static void every_kind_in_one_line(void **state)
{
	const char *const list[] = {"a", "", "\xff"};
	struct digest digest = {{0xab}};

	(void)state;
	record_put_list(&fields, "argv", list, 3);
	record_put_bool(&fields, "good", true);
	record_put_int(&fields, "n", -5);
	record_open(&fields, "obj");
	record_put_str(&fields, "0digit", "x");
	record_put_str(&fields, "type", "free here");
	record_open(&fields, "zz");
	record_close(&fields);
	record_close(&fields);
	record_put_str(&fields, "omitted", NULL);
	record_put_digest(&fields, "plan", &digest);
	record_put_list(&fields, "void", NULL, 0);
	record_put_bool(&fields, "wrong", false);
	assert_line("\"argv\":[\"a\",\"\",{\"b64\":\"/w==\"}],\"good\":true,\"n\":-5,"
		    "\"obj\":{\"0digit\":\"x\",\"type\":\"free here\",\"zz\":{}},"
		    "\"plan\":\"ab00000000000000000000000000000000000000000000000000000000000000\","
		    "\"type\":\"call.decision\",\"void\":[],\"wrong\":false}");
}

static void type_finds_its_place(void **state)
{
	(void)state;
	assert_line("\"type\":\"call.decision\"}");
	buf_reset(&line);
	record_put_int(&fields, "typd", 1);
	assert_line("\"typd\":1,\"type\":\"call.decision\"}");
	buf_reset(&line);
	record_put_int(&fields, "type_", 2);
	assert_line("\"typd\":1,\"type\":\"call.decision\",\"type_\":2}");
	buf_reset(&line);
	buf_reset(&fields);
	record_put_int(&fields, "u", 1);
	assert_line("\"type\":\"call.decision\",\"u\":1}");
}

static void place_is_written(void **state)
{
	struct record_place place = {
	    .n = 41, .prev = {{1, 2}}, .wall_us = UINT64_C(1795413000000001)};

	(void)state;
	assert_int_equal(record_emit(&line, &place, RECORD_EXEC_EXIT, NULL, 0), 0);
	assert_string_equal(buf_cstr(&line),
	    "{\"@n\":41,\"@prev\":"
	    "\"0102000000000000000000000000000000000000000000000000000000000000\","
	    "\"@timestamp\":\"2026-11-23T05:50:00.000001Z\",\"type\":\"exec.exit\"}");
	place.n = UINT64_C(1) << 53;
	assert_int_equal(record_emit(&line, &place, RECORD_EXEC_EXIT, NULL, 0), -EBADMSG);
}

static void check_string(const char *text, size_t len, const char *want)
{
	buf_reset(&line);
	assert_int_equal(record_emit_string(&line, text, len), 0);
	assert_string_equal(buf_cstr(&line), want);
}

/* RFC 8785 section 3.2.2.2 */
static void escapes_are_minimal(void **state)
{
	(void)state;
	check_string("", 0, "\"\"");
	check_string("\b\t\n\f\r\"\\", 7, "\"\\b\\t\\n\\f\\r\\\"\\\\\"");
	check_string("\0\x01\x1f", 3, "\"\\u0000\\u0001\\u001f\"");
	check_string("/\x7f", 2, "\"/\x7f\"");
	check_string("\xe2\x82\xac$\xe2\x80\xa8", 7, "\"\xe2\x82\xac$\xe2\x80\xa8\"");
	check_string("a\nb", 3, "\"a\\nb\"");
	check_string("\xff\xfe", 2, "{\"b64\":\"//4=\"}");
	check_string("\xc0\x80", 2, "{\"b64\":\"wIA=\"}");
}

static void integers_stay_exact(void **state)
{
	const int64_t max = (INT64_C(1) << 53) - 1;

	(void)state;
	record_put_int(&fields, "a", max);
	record_put_int(&fields, "b", -max);
	assert_line("\"a\":9007199254740991,\"b\":-9007199254740991,"
		    "\"type\":\"call.decision\"}");
	buf_reset(&fields);
	record_put_int(&fields, "a", max + 1);
	assert_int_equal(emit(), -EBADMSG);
	buf_reset(&fields);
	record_put_int(&fields, "a", -max - 1);
	assert_int_equal(emit(), -EBADMSG);
}

static void keys_ascend_and_are_plain(void **state)
{
	static const char *const bad[] = {"", "A", "a-b", "a.b", "@n", "@zzz", "type", "b64", "a b",
	    "\xc3\xa9", "a\"", "0", "9a", /* these two would sort before "@n" */
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		buf_reset(&fields);
		record_put_int(&fields, bad[i], 1);
		assert_int_equal(emit(), -EBADMSG);
	}
	buf_reset(&fields);
	record_put_int(&fields, "b", 1);
	record_put_int(&fields, "a", 1);
	assert_int_equal(emit(), -EBADMSG);
	buf_reset(&fields);
	record_put_int(&fields, "a", 1);
	record_put_str(&fields, "a", "twice");
	assert_int_equal(emit(), -EBADMSG);
	buf_reset(&fields);
	record_open(&fields, "a");
	record_put_int(&fields, "b64", 1);
	record_close(&fields);
	assert_int_equal(emit(), -EBADMSG);
	assert_int_equal(line.len, 0);
}

/* After a nested object its parent's order goes on. */
static void order_is_kept_around_objects(void **state)
{
	(void)state;
	record_open(&fields, "m");
	record_put_int(&fields, "z", 1);
	record_close(&fields);
	record_put_int(&fields, "n", 1);
	assert_line("\"m\":{\"z\":1},\"n\":1,\"type\":\"call.decision\"}");
	buf_reset(&fields);
	record_open(&fields, "m");
	record_close(&fields);
	record_put_int(&fields, "l", 1);
	assert_int_equal(emit(), -EBADMSG);
}

static void depth_is_bounded_and_balanced(void **state)
{
	(void)state;
	for (int i = 0; i < RECORD_DEPTH_MAX; i++)
		record_open(&fields, "a");
	assert_int_equal(emit(), -EBADMSG); /* open */
	for (int i = 0; i < RECORD_DEPTH_MAX; i++)
		record_close(&fields);
	assert_line("\"a\":{\"a\":{\"a\":{\"a\":{}}}},\"type\":\"call.decision\"}");
	record_close(&fields);
	assert_int_equal(emit(), -EBADMSG); /* one too many */
	buf_reset(&fields);
	for (int i = 0; i <= RECORD_DEPTH_MAX; i++)
		record_open(&fields, "a");
	for (int i = 0; i <= RECORD_DEPTH_MAX; i++)
		record_close(&fields);
	assert_int_equal(emit(), -EBADMSG);
}

static void malformed_streams_are_refused(void **state)
{
	static const char zero_tag[] = "\0", unknown_tag[] = "\x63\1\0\0\0a\0",
			  cut_key[] = "\1\5\0\0\0ab", bad_bool[] = "\3\1\0\0\0a\0\2",
			  nul_key[] = "\3\2\0\0\0a\0\0\1",
			  long_list[] = "\5\1\0\0\0a\0\xff\xff\xff\xff";

	(void)state;
#define REFUSED(bytes)                                                                             \
	assert_int_equal(                                                                          \
	    record_emit(&line, &first, RECORD_CALL_DECISION, bytes, sizeof(bytes) - 1), -EBADMSG)
	REFUSED(zero_tag);
	REFUSED(unknown_tag);
	REFUSED(cut_key);
	REFUSED(bad_bool);
	REFUSED(nul_key);
	REFUSED(long_list);
	assert_int_equal(record_emit(&line, &first, RECORD_NONE, "", 0), -EBADMSG);
	assert_int_equal(record_emit(&line, &first, RECORD_TYPE_COUNT, "", 0), -EBADMSG);
	assert_int_equal(line.len, 0);
}

/* Every prefix of a good stream that does not end between two fields is refused. */
static void cut_streams_are_refused(void **state)
{
	struct digest digest = {{1}};
	size_t whole[3], count = 0;

	(void)state;
	whole[count++] = fields.len;
	record_put_digest(&fields, "a", &digest);
	whole[count++] = fields.len;
	record_put_str(&fields, "b", "text");
	whole[count++] = fields.len;
	for (size_t cut = 0; cut <= fields.len; cut++) {
		bool is_whole = cut == whole[0] || cut == whole[1] || cut == whole[2];

		assert_int_equal(record_emit(&line, &first, RECORD_CALL_DECISION, fields.data, cut),
		    is_whole ? 0 : -EBADMSG);
	}
}

/* The longest line fits, one byte more does not, and a refused one leaves nothing behind. */
static void line_length_is_exact(void **state)
{
	static char text[RECORD_FIELDS_MAX];
	size_t rest;

	(void)state;
	memset(text, '"', sizeof(text)); /* each is two bytes on the line */
	rest = RECORD_LINE_MAX - strlen(HEAD "\"a\":\"\",\"type\":\"call.decision\"}");
	if (rest % 2)
		text[0] = 'x';
	record_put_bytes(&fields, "a", text, rest / 2 + rest % 2);
	assert_int_equal(emit(), 0);
	assert_int_equal(line.len, RECORD_LINE_MAX);
	buf_reset(&line);
	buf_reset(&fields);
	record_put_bytes(&fields, "a", text, rest / 2 + rest % 2 + 1);
	assert_int_equal(emit(), -EMSGSIZE);
	assert_int_equal(line.len, 0);
	assert_int_equal(line.fault, 0);
	assert_int_equal(
	    record_emit(&line, &first, RECORD_CALL_DECISION, text, RECORD_FIELDS_MAX + 1),
	    -EMSGSIZE);
}

static void lines_are_appended(void **state)
{
	(void)state;
	buf_text(&line, "before\n");
	assert_int_equal(emit(), 0);
	assert_memory_equal(buf_cstr(&line), "before\n{\"@n\":0", 13);
}

#define RECORD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    RECORD(types_have_names_and_writers),
	    RECORD(nobody_writes_for_another),
	    RECORD(every_kind_in_one_line),
	    RECORD(type_finds_its_place),
	    RECORD(place_is_written),
	    RECORD(escapes_are_minimal),
	    RECORD(integers_stay_exact),
	    RECORD(keys_ascend_and_are_plain),
	    RECORD(order_is_kept_around_objects),
	    RECORD(depth_is_bounded_and_balanced),
	    RECORD(malformed_streams_are_refused),
	    RECORD(cut_streams_are_refused),
	    RECORD(line_length_is_exact),
	    RECORD(lines_are_appended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
