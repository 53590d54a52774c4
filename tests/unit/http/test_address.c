/* Addresses, lists of networks, and who the client is behind proxies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>

#include "agent-api/http/forwarded.h"

static struct http_address address(const char *text)
{
	struct http_address ret;

	if (http_address_parse((struct http_text){text, strlen(text)}, &ret) < 0)
		fail_msg("%s is no address", text);
	return ret;
}

static void test_parse(void **state)
{
	static const char *const wrong[] = {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256",
	    "1.2.3.4 ", " 1.2.3.4", "0x7f.1.1.1", "2130706433", "::1%lo", "[::1]", "1.2.3.4:80",
	    "::g", "1:2:3:4:5:6:7:8:9", "localhost",
	    "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111"};
	char text[HTTP_ADDRESS_TEXT_MAX];
	struct http_address got;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (http_address_parse((struct http_text){wrong[i], strlen(wrong[i])}, &got) == 0)
			fail_msg("'%s' is taken for an address", wrong[i]);
		assert_int_equal(got.family, 0);
	}
	got = address("192.0.2.1");
	assert_string_equal(http_address_text(text, &got), "192.0.2.1");
	got = address("2001:DB8:0::1");
	assert_string_equal(http_address_text(text, &got), "2001:db8::1");
	got = address("::ffff:192.0.2.1");
	assert_int_equal(got.family, 4);
	assert_string_equal(http_address_text(text, &got), "192.0.2.1");
	got = (struct http_address){0};
	assert_string_equal(http_address_text(text, &got), "");
}

static void test_socket(void **state)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr local = {.sa_family = AF_UNIX};
	struct http_address want = address("10.1.2.3");
	struct http_address got;

	(void)state;
	assert_int_equal(inet_pton(AF_INET6, "::ffff:10.1.2.3", &v6.sin6_addr), 1);
	assert_int_equal(inet_pton(AF_INET, "10.1.2.3", &v4.sin_addr), 1);
	http_address_of(&got, (struct sockaddr *)&v6);
	assert_true(http_address_same(&got, &want));
	http_address_of(&got, (struct sockaddr *)&v4);
	assert_true(http_address_same(&got, &want));
	http_address_of(&got, &local);
	assert_int_equal(got.family, 0);
}

static const struct {
	const char *network;
	const char *address;
	bool in;
} NETWORKS[] = {
    {"10.0.0.0/8", "10.255.255.255", true},
    {"10.0.0.0/8", "11.0.0.0", false},
    {"10.0.0.0/8", "::ffff:10.0.0.1", true},
    {"10.0.0.0/8", "a00::", false},
    {"192.0.2.128/25", "192.0.2.127", false},
    {"192.0.2.128/25", "192.0.2.129", true},
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"0.0.0.0/0", "255.1.1.1", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "1.2.3.4", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"::1/128", "::1", true},
    {"::ffff:10.0.0.0/104", "10.9.9.9", true},
    {"::ffff:10.0.0.0/104", "11.9.9.9", false},
};

static void test_networks(void **state)
{
	static const char *const wrong[] = {"10.1.2.3/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1",
	    "10.0.0.0/8 ", "/8", "", "2001:db8::1/64", "::/129", "::ffff:0.0.0.0/80", "10/8",
	    "10.0.0.0/08x"};
	struct http_network network;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (http_network_parse(wrong[i], &network) == 0)
			fail_msg("'%s' is taken for a network", wrong[i]);
	}
	for (size_t i = 0; i < sizeof(NETWORKS) / sizeof(NETWORKS[0]); i++) {
		struct http_networks list = {&network, 1};
		struct http_address at = address(NETWORKS[i].address);

		assert_int_equal(http_network_parse(NETWORKS[i].network, &network), 0);
		if (http_networks_have(&list, &at) != NETWORKS[i].in)
			fail_msg("%s in %s", NETWORKS[i].address, NETWORKS[i].network);
	}
}

/* headers -> "address scheme", or "400" */
static const struct {
	const char *peer; /* "" = Unix socket */
	const char *headers;
	const char *wanted;
} FORWARDED[] = {
    /* nobody is believed who is not trusted */
    {"198.51.100.1", "X-Forwarded-For: 10.0.0.9\r\nX-Forwarded-Proto: https\r\n",
	"198.51.100.1 http"},
    {"198.51.100.1", "Forwarded: for=10.0.0.9;proto=https\r\n", "198.51.100.1 http"},
    {"198.51.100.1", "X-Forwarded-For: rubbish\r\n", "198.51.100.1 http"},
    {"", "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http"},
    /* a proxy's word */
    {"10.0.0.1", "", "10.0.0.1 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "192.0.2.1 https"},
    {"10.0.0.1", "X-Forwarded-Proto: https\r\n", "10.0.0.1 https"},
    {"10.0.0.1", "X-Forwarded-For: 2001:db8::1\r\n", "2001:db8::1 http"},
    {"10.0.0.1", "X-Forwarded-For: [2001:db8::1]:443\r\n", "2001:db8::1 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1:4711\r\n", "192.0.2.1 http"},
    {"::ffff:10.0.0.1", "X-Forwarded-For: ::ffff:192.0.2.1\r\n", "192.0.2.1 http"},
    /* what the client wrote himself stands to the left of what the proxy added */
    {"10.0.0.1", "X-Forwarded-For: 127.0.0.1, 192.0.2.1\r\n", "192.0.2.1 http"},
    {"10.0.0.1", "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1 http"},
    {"10.0.0.1", "X-Forwarded-For: rubbish, 192.0.2.1\r\n", "192.0.2.1 http"},
    /* hop by hop */
    {"10.0.0.1", "X-Forwarded-For: 1.1.1.1, 192.0.2.1, 10.0.0.2\r\n", "192.0.2.1 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1, 203.0.113.9, 10.0.0.2\r\n", "203.0.113.9 http"},
    {"10.0.0.1", "X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", "10.0.0.3 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1, 10.0.0.2\r\nX-Forwarded-Proto: https, http\r\n",
	"192.0.2.1 https"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1, 10.0.0.2\r\nX-Forwarded-Proto: https\r\n",
	"192.0.2.1 https"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\nX-Forwarded-Proto: https, http\r\n",
	"203.0.113.9 http"},
    /* a trusted proxy that makes no sense is not taken for the client */
    {"10.0.0.1", "X-Forwarded-For: unknown\r\n", "400"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1, rubbish\r\n", "400"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1:99999999\r\n", "400"},
    {"10.0.0.1", "X-Forwarded-For: [192.0.2.1]\r\n", "400"},
    {"10.0.0.1", "X-Forwarded-For: [::1\r\n", "400"},
    {"10.0.0.1", "X-Forwarded-Proto: gopher\r\n", "400"},
    {"10.0.0.1",
	"X-Forwarded-For: 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
	"25,26,27,28,29,30,31,32,192.0.2.1\r\n",
	"400"},
    /* Forwarded */
    {"10.0.0.1", "Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1\r\n", "192.0.2.1 https"},
    {"10.0.0.1", "Forwarded: For=\"[2001:db8::1]:4711\"\r\n", "2001:db8::1 http"},
    {"10.0.0.1", "Forwarded: for=127.0.0.1, for=192.0.2.1;proto=https\r\n", "192.0.2.1 https"},
    {"10.0.0.1", "Forwarded: for=192.0.2.1;proto=https, for=10.0.0.2;proto=http\r\n",
	"192.0.2.1 https"},
    {"10.0.0.1", "Forwarded: for=\"127.0.0.1, for=192.0.2.1\r\n", "400"},
    {"10.0.0.1", "Forwarded: for=\"127.0.0.1\\\"\", for=192.0.2.1\r\n", "400"},
    {"10.0.0.1", "Forwarded: for=192.0.2.1;for=127.0.0.1\r\n", "400"},
    {"10.0.0.1", "Forwarded: for=_hidden\r\n", "400"},
    {"10.0.0.1", "Forwarded: for=unknown\r\n", "400"},
    {"10.0.0.1", "Forwarded: for\r\n", "400"},
    {"10.0.0.1", "Forwarded: by=10.0.0.1\r\n", "400"},
    /* both */
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n", "192.0.2.1 http"},
    {"10.0.0.1", "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=127.0.0.1\r\n", "400"},
};

static void who(size_t i, char *out, size_t max)
{
	static struct http_network proxies[2];
	struct http_trust trust = {.proxies = {proxies, 2}, .local = true};
	struct http_client peer = {.https = false};
	struct http_client client;
	struct http_refusal why;
	struct http_head head;
	char text[HTTP_ADDRESS_TEXT_MAX];
	char block[1024];

	assert_int_equal(http_network_parse("10.0.0.0/8", &proxies[0]), 0);
	assert_int_equal(http_network_parse("::1", &proxies[1]), 0);
	if (FORWARDED[i].peer[0])
		peer.address = address(FORWARDED[i].peer);
	(void)snprintf(
	    block, sizeof(block), "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", FORWARDED[i].headers);
	assert_int_equal(http_guard_judge(block, strlen(block), &head, &why), 0);
	if (http_forwarded(&head, &trust, &peer, &client, &why))
		(void)snprintf(out, max, "%d", why.status);
	else
		(void)snprintf(out, max, "%s %s", http_address_text(text, &client.address),
		    client.https ? "https" : "http");
}

static void test_forwarded(void **state)
{
	char got[128];

	(void)state;
	for (size_t i = 0; i < sizeof(FORWARDED) / sizeof(FORWARDED[0]); i++) {
		who(i, got, sizeof(got));
		if (strcmp(got, FORWARDED[i].wanted) != 0)
			fail_msg("from '%s' with %s: got %s, wanted %s", FORWARDED[i].peer,
			    FORWARDED[i].headers, got, FORWARDED[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_parse),
	    cmocka_unit_test(test_socket),
	    cmocka_unit_test(test_networks),
	    cmocka_unit_test(test_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
