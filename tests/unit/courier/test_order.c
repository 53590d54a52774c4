/* What a FETCH may ask for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/courier/order.h"

#define URL "https://issuer.example/SECRET?SECRET"

static int judge(struct order *order, const char *url, const char *header, struct err_note *note)
{
	const struct message_fetch fetch = {.method = FETCH_POST,
	    .url = url,
	    .headers = {&header, header ? 1 : 0},
	    .body = {"x", 1}};

	note->text[0] = '\0';
	return order_judge(order, &fetch, note);
}

static void test_addresses(void **state)
{
	static const struct {
		const char *url, *host; /* NULL: refused */
		bool plain, loopback;
	} rows[] = {
	    {"https://issuer.example/a?b#c", "issuer.example", false, false},
	    {"https://issuer.example", "issuer.example", false, false},
	    {"https://issuer.example:8443/x", "issuer.example", false, false},
	    {"https://[2001:db8::1]/x", "[2001:db8::1]", false, false},
	    {"http://issuer.example/x", "issuer.example", true, false},
	    {"http://localhost/x", "localhost", true, true},
	    {"https://LocalHost:8080", "LocalHost", false, true},
	    {"http://127.0.0.1:1/x", "127.0.0.1", true, true},
	    {"http://[::1]/x", "[::1]", true, true},
	    {"http://localhost?x", "localhost", true, true},
	    {"http://localhost.example/x", "localhost.example", true, false},
	    {"http://localhost./x", "localhost.", true, false},
	    {"http://127.0.0.1.example/x", "127.0.0.1.example", true, false},
	    {"http://127.0.0.10/x", "127.0.0.10", true, false},
	    {"http://127.1/x", "127.0.0.1", true, false},
	    {"http://0x7f000001/x", "127.0.0.1", true, false},
	    {"http://017700000001/x", "127.0.0.1", true, false},
	    {"ftp://issuer.example/", NULL, false, false},
	    {"httpss://issuer.example/", NULL, false, false},
	    {"HTTPS://issuer.example/", NULL, false, false},
	    {"https:/issuer.example/", NULL, false, false},
	    {"https:///SECRET", NULL, false, false},
	    {"https://", NULL, false, false},
	    {"//issuer.example/", NULL, false, false},
	    {"issuer.example", NULL, false, false},
	    {"", NULL, false, false},
	    {"https://user@issuer.example/", NULL, false, false},
	    {"https://user:SECRET@issuer.example/", NULL, false, false},
	    {"https://localhost@issuer.example/", NULL, false, false},
	    {"https://issuer.example:0/", NULL, false, false},
	    {"https://issuer.example:65536/", NULL, false, false},
	    {"https://issuer.example/a b", NULL, false, false},
	    {"https://issuer.example/\r\nHost: x", NULL, false, false},
	    {"https://issuer.example/\x7f", NULL, false, false},
	    {"https://\xc3\xa9.example/", NULL, false, false},
	    {" https://issuer.example/", NULL, false, false},
	};
	struct order order;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fault = judge(&order, rows[i].url, NULL, &note);

		if (!rows[i].host && fault != -EINVAL)
			fail_msg("\"%s\" is taken", rows[i].url);
		if (!rows[i].host) {
			assert_null(strstr(note.text, "SECRET"));
			continue;
		}
		if (fault)
			fail_msg("\"%s\": %s", rows[i].url, note.text);
		assert_string_equal(order.host, rows[i].host);
		assert_int_equal(order.target.plain, rows[i].plain);
		assert_int_equal(order.target.loopback, rows[i].loopback);
	}
}

/* Another way to write ::1; how libcurl writes its host depends on its version. */
static void test_loopback_by_another_name(void **state)
{
	struct order order;
	struct err_note note;

	(void)state;
	assert_int_equal(judge(&order, "http://[0:0:0:0:0:0:0:1]/x", NULL, &note), 0);
	assert_false(order.target.loopback);
}

static void test_lengths(void **state)
{
	static char url[ORDER_URL_MAX + 64], header[ORDER_HEADER_MAX + 64];
	struct order order;
	struct err_note note;

	(void)state;
	snprintf(url, sizeof(url), "https://issuer.example/");
	memset(url + strlen(url), 'a', ORDER_URL_MAX - strlen(url));
	assert_int_equal(judge(&order, url, NULL, &note), 0);
	url[strlen(url)] = 'a';
	assert_int_equal(judge(&order, url, NULL, &note), -EINVAL);
	snprintf(url, sizeof(url), "https://");
	memset(url + strlen(url), 'a', ORDER_HOST_MAX);
	url[strlen("https://") + ORDER_HOST_MAX] = '\0';
	assert_int_equal(judge(&order, url, NULL, &note), -EINVAL);
	snprintf(header, sizeof(header), "X: ");
	memset(header + 3, 'a', ORDER_HEADER_MAX - 3);
	assert_int_equal(judge(&order, URL, header, &note), 0);
	header[ORDER_HEADER_MAX] = 'a';
	assert_int_equal(judge(&order, URL, header, &note), -EINVAL);
}

static void test_headers(void **state)
{
	static const char *const good[] = {"Accept: application/json", "X-Very_odd.name!: a: b",
	    "Authorization: Bearer a.b.c", "webhook-signature: v1,abc=", "Hostile: x"};
	static const char *const bad[] = {"", ":", ": SECRET", "SECRET", "X:", "X: ", "X:SECRET",
	    "X : SECRET", "X Y: SECRET", "X: SECRET\r\nY: 1", "X: SECRET\nY: 1", "X: \x01",
	    "X: \x7f", "X\x80: SECRET", "host: SECRET", "Content-Length: 4",
	    "TRANSFER-ENCODING: chunked", "Connection: close", "Expect: 100-continue",
	    "Upgrade: h2c", "TE: gzip"};
	struct order order;
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (judge(&order, URL, good[i], &note))
			fail_msg("%s: %s", good[i], note.text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (judge(&order, URL, bad[i], &note) != -EINVAL)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_null(strstr(note.text, "SECRET"));
	}
}

static void test_methods_and_counts(void **state)
{
	const char *many[ORDER_HEADERS_MAX + 1];
	struct message_fetch fetch = {.method = FETCH_NONE, .url = URL};
	struct order order;
	struct err_note note;

	(void)state;
	assert_int_equal(order_judge(&order, &fetch, &note), -EINVAL);
	fetch.method = FETCH_GET;
	assert_int_equal(order_judge(&order, &fetch, &note), 0);
	fetch.body = (struct bytes){"x", 1};
	assert_int_equal(order_judge(&order, &fetch, &note), -EINVAL);
	fetch.body.len = 0;
	for (size_t i = 0; i < ORDER_HEADERS_MAX + 1; i++)
		many[i] = "X: 1";
	fetch.headers = (struct strv){many, ORDER_HEADERS_MAX};
	assert_int_equal(order_judge(&order, &fetch, &note), 0);
	fetch.headers.count++;
	assert_int_equal(order_judge(&order, &fetch, &note), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_addresses),
	    cmocka_unit_test(test_loopback_by_another_name),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_headers),
	    cmocka_unit_test(test_methods_and_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
