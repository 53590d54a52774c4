/* Which addresses may be reached: every special range at its first and last address, and beside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "supervisor/courier/reach.h"

static const struct reach none;
static const struct reach_target https = {.plain = false};

/* Both ways of asking must agree. */
static enum reach_verdict ask(const struct reach *reach, const struct reach_target *target,
    const char *address, struct err_note *note)
{
	struct sockaddr_in four = {.sin_family = AF_INET};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6};
	const void *to = &four;
	enum reach_verdict verdict;

	if (inet_pton(AF_INET, address, &four.sin_addr) != 1) {
		assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
		to = &six;
	}
	verdict = reach_judge_text(reach, target, address, note);
	assert_int_equal(verdict, reach_judge(reach, target, to, note));
	return verdict;
}

static void test_special_ranges(void **state)
{
	static const struct {
		const char *first, *last, *what;
	} ranges[] = {
	    {"0.0.0.0", "0.255.255.255", "unspecified"},
	    {"10.0.0.0", "10.255.255.255", "private"},
	    {"100.64.0.0", "100.127.255.255", "NAT"},
	    {"127.0.0.0", "127.255.255.255", "loopback"},
	    {"169.254.0.0", "169.254.255.255", "link-local"},
	    {"169.254.169.254", "169.254.169.254", "metadata"},
	    {"172.16.0.0", "172.31.255.255", "private"},
	    {"192.0.0.0", "192.0.0.255", "IETF"},
	    {"192.0.2.0", "192.0.2.255", "documentation"},
	    {"192.88.99.0", "192.88.99.255", "6to4"},
	    {"192.168.0.0", "192.168.255.255", "private"},
	    {"198.18.0.0", "198.19.255.255", "benchmarks"},
	    {"198.51.100.0", "198.51.100.255", "documentation"},
	    {"203.0.113.0", "203.0.113.255", "documentation"},
	    {"168.63.129.16", "168.63.129.16", "metadata"},
	    {"224.0.0.0", "239.255.255.255", "multicast"},
	    {"240.0.0.0", "255.255.255.255", "reserved"},
	    {"::", "::", "unspecified"},
	    {"::1", "::1", "loopback"},
	    {"::2", "::ffff", "global"},
	    {"::7f00:1", "::a01:203", "global"}, /* IPv4-compatible, long given up */
	    {"::ffff:0.0.0.0", "::ffff:255.255.255.255", "inside IPv6"},
	    {"::ffff:93.184.216.34", "::ffff:127.0.0.1", "inside IPv6"},
	    {"64:ff9b::", "64:ff9b::ffff:ffff", "NAT64"},
	    {"64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "NAT64"},
	    {"100::", "1fff:ffff::", "global"},
	    {"2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "Teredo"},
	    {"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"},
	    {"2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "6to4"},
	    {"3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "documentation"},
	    {"4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "global"},
	    {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "private"},
	    {"fd00:ec2::254", "fd20:ce::254", "private"},
	    {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local"},
	    {"fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "site-local"},
	    {"ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"},
	};
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		const char *both[] = {ranges[i].first, ranges[i].last};

		for (int k = 0; k < 2; k++) {
			note.text[0] = '\0';
			if (ask(&none, &https, both[k], &note) != REACH_REFUSED)
				fail_msg("%s may be reached", both[k]);
			if (!strstr(note.text, ranges[i].what))
				fail_msg("%s: %s", both[k], note.text);
		}
	}
}

static void test_public_addresses(void **state)
{
	static const char *const addresses[] = {"1.0.0.0", "9.255.255.255", "11.0.0.0",
	    "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.253.255.255",
	    "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0",
	    "192.0.3.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
	    "223.255.255.255", "168.63.129.15", "168.63.129.17", "8.8.8.8",
	    "2001:200::", "2001:4860:4860::8888",
	    "2001:db7:ffff::", "2001:db9::", "2003::", "2606:4700::1111", "2a00:1450::1", "3ffe::"};
	const struct reach_target http = {.plain = true}, both = {.plain = true, .loopback = true};
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		if (ask(&none, &https, addresses[i], &note) != REACH_ALLOWED)
			fail_msg("%s: %s", addresses[i], note.text);
		assert_int_equal(ask(&none, &http, addresses[i], &note), REACH_REFUSED);
		assert_non_null(strstr(note.text, "use https"));
		assert_int_equal(ask(&none, &both, addresses[i], &note), REACH_REFUSED);
	}
}

static void test_loopback_as_it_is_written(void **state)
{
	const struct reach_target tls = {.loopback = true},
				  plain = {.plain = true, .loopback = true}, name = {.plain = true};
	struct err_note note;

	(void)state;
	assert_int_equal(ask(&none, &tls, "127.0.0.1", &note), REACH_ALLOWED);
	assert_int_equal(ask(&none, &plain, "::1", &note), REACH_ALLOWED);
	assert_int_equal(ask(&none, &name, "127.0.0.1", &note), REACH_REFUSED);
	assert_int_equal(ask(&none, &tls, "::ffff:127.0.0.1", &note), REACH_REFUSED);
	assert_int_equal(ask(&none, &tls, "10.0.0.1", &note), REACH_REFUSED);
	assert_int_equal(ask(&none, &plain, "10.0.0.1", &note), REACH_REFUSED);
}

static void test_listed_networks(void **state)
{
	static const char *texts[] = {"10.1.0.0/16", "127.0.0.0/8", "192.168.7.9", "fd00:1::/32",
	    "64:ff9b::/96", "172.16.0.0/13"};
	static const struct {
		const char *address;
		enum reach_verdict tls, plain;
	} rows[] = {
	    {"10.1.0.0", REACH_ALLOWED, REACH_REFUSED},
	    {"10.1.255.255", REACH_ALLOWED, REACH_REFUSED},
	    {"10.2.0.0", REACH_REFUSED, REACH_REFUSED},
	    {"10.0.255.255", REACH_REFUSED, REACH_REFUSED},
	    {"::ffff:10.1.2.3", REACH_ALLOWED, REACH_REFUSED}, /* the same host by another name */
	    {"::ffff:10.2.2.3", REACH_REFUSED, REACH_REFUSED},
	    {"127.9.9.9", REACH_ALLOWED, REACH_ALLOWED},
	    {"::1", REACH_REFUSED, REACH_REFUSED},
	    {"192.168.7.9", REACH_ALLOWED, REACH_REFUSED},
	    {"192.168.7.8", REACH_REFUSED, REACH_REFUSED},
	    {"fd00:1::5", REACH_ALLOWED, REACH_REFUSED},
	    {"fd00:2::5", REACH_REFUSED, REACH_REFUSED},
	    {"64:ff9b::7f00:1", REACH_ALLOWED, REACH_REFUSED},
	    {"172.23.255.255", REACH_ALLOWED, REACH_REFUSED},
	    {"172.24.0.0", REACH_REFUSED, REACH_REFUSED},
	    {"8.8.8.8", REACH_ALLOWED, REACH_REFUSED},
	};
	const struct reach_target plain = {.plain = true};
	const struct strv list = {texts, sizeof(texts) / sizeof(texts[0])};
	struct reach reach;
	struct err_note note;

	(void)state;
	assert_int_equal(reach_parse(&reach, &list, &note), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ask(&reach, &https, rows[i].address, &note) != rows[i].tls ||
		    ask(&reach, &plain, rows[i].address, &note) != rows[i].plain)
			fail_msg("%s", rows[i].address);
	}
	reach_fini(&reach);
	reach_fini(&reach);
}

static void test_networks_that_are_none(void **state)
{
	static const char *const texts[] = {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.1/8",
	    "10.0.0/8", "10.0.0.0/8/8", "10.0.0.0/-1", "10.0.0.0/ 8", " 10.0.0.0/8", "0x0a.0.0.0/8",
	    "fd00::/129", "fd00::1/8", "fe80::1%eth0", "[::1]", "localhost", "example.com",
	    "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc/8"};
	struct reach reach = {NULL, 77};
	struct err_note note;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *items[] = {"10.0.0.0/8", texts[i]};
		const struct strv list = {items, 2};

		if (reach_parse(&reach, &list, &note) != -EINVAL)
			fail_msg("\"%s\" is taken", texts[i]);
		assert_int_equal(reach.count, 77);
	}
}

static void test_what_is_no_address(void **state)
{
	const struct sockaddr_un other = {.sun_family = AF_UNIX, .sun_path = "/run/callgate.sock"};
	static const char *const texts[] = {"", "x", "127.0.0.1:80", "[::1]", "fe80::1%lo"};
	struct err_note note;

	(void)state;
	assert_int_equal(
	    reach_judge(&none, &https, (const struct sockaddr *)(const void *)&other, &note),
	    REACH_REFUSED);
	assert_int_equal(reach_judge_text(&none, &https, NULL, &note), REACH_REFUSED);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(reach_judge_text(&none, &https, texts[i], &note), REACH_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_special_ranges),
	    cmocka_unit_test(test_public_addresses),
	    cmocka_unit_test(test_loopback_as_it_is_written),
	    cmocka_unit_test(test_listed_networks),
	    cmocka_unit_test(test_networks_that_are_none),
	    cmocka_unit_test(test_what_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
