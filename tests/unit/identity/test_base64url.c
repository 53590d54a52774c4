#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/identity/base64url.h"

static int decode(const char *text, size_t *ret_len)
{
	uint8_t out[64];

	return base64url_decode(out, sizeof(out), text, strlen(text), ret_len);
}

static void every_length_comes_back(void **state)
{
	uint8_t bytes[200], back[200];
	struct buf text;
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 131 + 7);
	buf_init(&text, 1024);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		buf_reset(&text);
		assert_int_equal(base64url_encode(&text, bytes, n), 0);
		assert_int_equal(text.len, BASE64URL_CHARS(n));
		assert_int_equal(BASE64URL_BYTES(text.len), n);
		assert_int_equal(
		    base64url_decode(back, sizeof(back), (const char *)text.data, text.len, &len),
		    0);
		assert_int_equal(len, n);
		assert_memory_equal(back, bytes, n);
		if (n > 0)
			assert_int_equal(
			    base64url_decode(back, n - 1, (const char *)text.data, text.len, &len),
			    -ENOBUFS);
	}
	buf_fini(&text);
}

static void one_text_for_one_value(void **state)
{
	static const char *const wrong[] = {"A", "AAAAA", "AA==", "AA=", "AAA=", "=", "AB", "AAB",
	    "_x", "A A", " AAAA", "AAAA\n", "AA+A", "AA/A", "AA.A", "AA*A", "\xc3\xa9", "AAAAA==="};
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(decode(wrong[i], &len), -EINVAL);
	assert_int_equal(decode("", &len), 0);
	assert_int_equal(len, 0);
	assert_int_equal(decode("-_-_", &len), 0);
	assert_int_equal(len, 3);
	assert_int_equal(decode("AQ", &len), 0);
	assert_int_equal(len, 1);
}

static void every_byte_is_a_digit_or_not(void **state)
{
	unsigned digits = 0;

	(void)state;
	for (int c = 0; c < 256; c++) {
		int value = base64url_value((char)c);

		if (value < 0)
			continue;
		digits++;
		assert_int_equal(base64url_digit((unsigned)value), c);
	}
	assert_int_equal(digits, 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_length_comes_back),
	    cmocka_unit_test(one_text_for_one_value),
	    cmocka_unit_test(every_byte_is_a_digit_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
