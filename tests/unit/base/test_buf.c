#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/base/buf.h"

static void every_kind_comes_back(void **state)
{
	struct reader reader;
	struct buf buf;
	size_t len;

	(void)state;
	buf_init(&buf, 4096);
	buf_put_u8(&buf, 0xfe);
	buf_put_u16(&buf, 0x1234);
	buf_put_u32(&buf, 0xdeadbeef);
	buf_put_u64(&buf, UINT64_MAX - 1);
	buf_put_i64(&buf, INT64_MIN);
	buf_put_str(&buf, "name");
	buf_put_str(&buf, NULL);
	buf_put_bytes(&buf, "a\0b", 3);
	buf_put(&buf, "raw", 3);
	assert_int_equal(buf.fault, 0);
	reader_init(&reader, buf.data, buf.len);
	assert_int_equal(reader_u8(&reader), 0xfe);
	assert_int_equal(reader_u16(&reader), 0x1234);
	assert_int_equal(reader_u32(&reader), 0xdeadbeef);
	assert_true(reader_u64(&reader) == UINT64_MAX - 1);
	assert_true(reader_i64(&reader) == INT64_MIN);
	assert_string_equal(reader_str(&reader), "name");
	assert_string_equal(reader_str(&reader), "");
	assert_memory_equal(reader_bytes(&reader, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_int_equal(reader_end(&reader), -EBADMSG); /* three bytes are left */
	assert_memory_equal(reader_raw(&reader, 3), "raw", 3);
	assert_int_equal(reader_end(&reader), 0);
	buf_fini(&buf);
}

static void numbers_are_little_endian(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 64);
	buf_put_u32(&buf, 0x01020304);
	buf_put_str(&buf, "A");
	assert_int_equal(buf.len, 10);
	assert_memory_equal(buf.data, "\x04\x03\x02\x01\x01\0\0\0A\0", 10);
	buf_fini(&buf);
}

static void limit_is_exact_and_sticky(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	assert_int_equal(buf_put(&buf, "abcd", 4), 0);
	assert_string_equal(buf_cstr(&buf), "abcd"); /* the NUL does not count */
	assert_int_equal(buf_put_u8(&buf, 'e'), -ENOBUFS);
	assert_int_equal(buf_put(&buf, "", 0), -ENOBUFS);
	assert_int_equal(buf_textf(&buf, "x"), -ENOBUFS);
	assert_null(buf_cstr(&buf));
	assert_int_equal(buf.len, 4);
	buf_reset(&buf);
	assert_int_equal(buf_textf(&buf, "%04d", 7), 0);
	assert_string_equal(buf_cstr(&buf), "0007");
	buf_reset(&buf);
	assert_int_equal(buf_textf(&buf, "%05d", 7), -ENOBUFS);
	buf_fini(&buf);
	buf_fini(&buf);
}

static void huge_lengths_do_not_wrap(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_put_u8(&buf, 1);
	assert_int_equal(buf_put(&buf, "x", SIZE_MAX), -ENOBUFS);
	buf_reset(&buf);
	assert_int_equal(buf_put_bytes(&buf, "x", (size_t)UINT32_MAX + 1), -ENOBUFS);
	buf_fini(&buf);
}

static void zeroed_buf_accepts_nothing(void **state)
{
	struct buf buf = {0};

	(void)state;
	assert_string_equal(buf_cstr(&buf), "");
	assert_int_equal(buf_put_u8(&buf, 0), -ENOBUFS);
	buf_fini(&buf);
}

static void text_grows_over_many_steps(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100000);
	for (int i = 0; i < 10000; i++)
		buf_textf(&buf, "%s%d", "n", i % 10);
	assert_int_equal(buf.fault, 0);
	assert_int_equal(buf.len, 20000);
	assert_memory_equal(buf_cstr(&buf) + 19998, "n9", 3);
	buf_fini(&buf);
}

/* Every prefix of a good encoding is bad, and reads nothing beyond itself (ASan watches). */
static void short_input_is_a_fault(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_put_u16(&buf, 1);
	buf_put_str(&buf, "abc");
	buf_put_bytes(&buf, "de", 2);
	for (size_t cut = 0; cut < buf.len; cut++) {
		uint8_t copy[64];
		struct reader reader;
		size_t len = 99;

		memcpy(copy, buf.data, cut);
		reader_init(&reader, copy, cut);
		reader_u16(&reader);
		reader_str(&reader);
		assert_null(reader_bytes(&reader, &len));
		assert_int_equal(len, 0);
		assert_int_equal(reader_end(&reader), -EBADMSG);
	}
	buf_fini(&buf);
}

static void bad_strings_are_faults(void **state)
{
	static const char embedded[] = "\3\0\0\0a\0b\0", unended[] = "\1\0\0\0ab",
			  giant[] = "\xff\xff\xff\xff"
				    "abc";
	struct reader reader;

	(void)state;
	reader_init(&reader, embedded, sizeof(embedded) - 1);
	assert_string_equal(reader_str(&reader), "");
	assert_int_equal(reader.fault, -EBADMSG);
	reader_init(&reader, unended, sizeof(unended) - 1);
	assert_string_equal(reader_str(&reader), "");
	assert_int_equal(reader.fault, -EBADMSG);
	reader_init(&reader, giant, sizeof(giant) - 1);
	assert_string_equal(reader_str(&reader), "");
	assert_int_equal(reader_u8(&reader), 0); /* sticky, although bytes are left */
	assert_int_equal(reader_end(&reader), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_comes_back),
	    cmocka_unit_test(numbers_are_little_endian),
	    cmocka_unit_test(limit_is_exact_and_sticky),
	    cmocka_unit_test(huge_lengths_do_not_wrap),
	    cmocka_unit_test(zeroed_buf_accepts_nothing),
	    cmocka_unit_test(text_grows_over_many_steps),
	    cmocka_unit_test(short_input_is_a_fault),
	    cmocka_unit_test(bad_strings_are_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
