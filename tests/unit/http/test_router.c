/* One spelling of each path; 404 beside 405; strict decoding of parts and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "agent-api/http/router.h"

enum { HEALTH = 1, TOOLS, CALL, KEY, ROTATE, KEYS, NEW_KEY, ROOT, DROP, PROOF };

static const struct http_route ROUTES[] = {
    {HTTP_METHOD_GET, "/", ROOT},
    {HTTP_METHOD_GET, "/health", HEALTH},
    {HTTP_METHOD_GET, "/tools", TOOLS},
    {HTTP_METHOD_POST, "/v1/tools/{name}/call", CALL},
    {HTTP_METHOD_GET, "/v1/keys", KEYS},
    {HTTP_METHOD_POST, "/v1/keys", NEW_KEY},
    {HTTP_METHOD_GET, "/v1/keys/{id}", KEY},
    {HTTP_METHOD_DELETE, "/v1/keys/{id}", DROP},
    {HTTP_METHOD_POST, "/v1/keys/{id}/rotate", ROTATE},
    {HTTP_METHOD_GET, "/v1/audit/{n}/proof/{kind}", PROOF},
};

static const struct {
	enum http_method method;
	const char *path;
	const char *wanted; /* "id value value", or "status [allow]" */
} CASES[] = {
    {HTTP_METHOD_GET, "/", "8"},
    {HTTP_METHOD_GET, "/health", "1"},
    {HTTP_METHOD_HEAD, "/health", "1"},
    {HTTP_METHOD_POST, "/health", "405 GET, HEAD"},
    {HTTP_METHOD_OPTIONS, "/v1/keys", "405 GET, HEAD, POST"},
    {HTTP_METHOD_PUT, "/v1/keys/a", "405 GET, HEAD, DELETE"},
    {HTTP_METHOD_GET, "/nothing", "404 "},
    {HTTP_METHOD_GET, "/health/more", "404 "},
    {HTTP_METHOD_GET, "/v1", "404 "},
    {HTTP_METHOD_GET, "/HEALTH", "404 "},
    {HTTP_METHOD_POST, "/v1/tools/git_push/call", "3 git_push"},
    {HTTP_METHOD_POST, "/v1/tools/%67it/call", "3 git"},
    {HTTP_METHOD_POST, "/v1/tools/gr%C3%BC/call", "3 gr\xc3\xbc"},
    {HTTP_METHOD_GET, "/v1/audit/17/proof/inclusion", "10 17 inclusion"},
    {HTTP_METHOD_DELETE, "/v1/keys/k1", "9 k1"},
    /* another spelling of a literal part is another path */
    {HTTP_METHOD_GET, "/he%61lth", "404 "},
    {HTTP_METHOD_GET, "/v%31/keys", "404 "},
    /* what is no path */
    {HTTP_METHOD_GET, "//health", "400 "},
    {HTTP_METHOD_GET, "/health/", "400 "},
    {HTTP_METHOD_GET, "/v1//keys", "400 "},
    {HTTP_METHOD_GET, "/v1/../health", "400 "},
    {HTTP_METHOD_GET, "/./health", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%2e%2e", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%2E", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/a%2fb", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/a%2Fb", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/a%5cb", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/a%00", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/a%0d%0ab", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%7f", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%c0%af", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%ff", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%4", "400 "},
    {HTTP_METHOD_GET, "/v1/keys/%zz", "400 "},
    {HTTP_METHOD_GET, "/nothing/%2e%2e", "400 "},
    {HTTP_METHOD_GET, "*", "400 "},
    /* decoded once only */
    {HTTP_METHOD_GET, "/v1/keys/%252e%252e", "4 %2e%2e"},
};

static void find(enum http_method method, const char *path, char *out, size_t max)
{
	struct http_head head = {.method = method, .path = {path, strlen(path)}};
	struct http_match match;
	struct http_refusal why;
	int r = http_route_find(ROUTES, sizeof(ROUTES) / sizeof(ROUTES[0]), &head, &match, &why);

	if (r) {
		assert_int_equal(r, why.status);
		assert_int_equal(match.id, 0);
		(void)snprintf(out, max, "%d %s", r, match.allow);
		return;
	}
	(void)snprintf(out, max, "%d", match.id);
	for (size_t i = 0; i < match.count; i++)
		(void)snprintf(
		    out + strlen(out), max - strlen(out), " %s", match.parameters[i].value);
}

static void test_cases(void **state)
{
	char got[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		find(CASES[i].method, CASES[i].path, got, sizeof(got));
		if (strcmp(got, CASES[i].wanted) != 0)
			fail_msg("%s: got %s, wanted %s", CASES[i].path, got, CASES[i].wanted);
	}
}

static void test_long(void **state)
{
	char path[HTTP_ROUTE_PATH_MAX + 2];
	char got[2048];

	(void)state;
	(void)snprintf(path, sizeof(path), "/v1/keys/");
	memset(path + 9, 'a', sizeof(path) - 10);
	path[sizeof(path) - 1] = '\0';
	find(HTTP_METHOD_GET, path, got, sizeof(got));
	assert_string_equal(got, "414 ");
	path[sizeof(path) - 2] = '\0';
	find(HTTP_METHOD_GET, path, got, sizeof(got));
	assert_int_equal(strncmp(got, "4 aaa", 5), 0);
}

static void test_value(void **state)
{
	static const char path[] = "/v1/audit/17/proof/inclusion";
	struct http_head head = {.method = HTTP_METHOD_GET, .path = {path, sizeof(path) - 1}};
	struct http_match match;
	struct http_refusal why;

	(void)state;
	assert_int_equal(
	    http_route_find(ROUTES, sizeof(ROUTES) / sizeof(ROUTES[0]), &head, &match, &why), 0);
	assert_string_equal(http_match_value(&match, "n"), "17");
	assert_string_equal(http_match_value(&match, "kind"), "inclusion");
	assert_null(http_match_value(&match, "kin"));
	assert_null(http_match_value(&match, ""));
}

static void query(const char *text, const char *name, int wanted, const char *value)
{
	char out[16] = "";

	assert_int_equal(
	    http_query_value((struct http_text){text, strlen(text)}, name, out, sizeof(out)),
	    wanted);
	if (value)
		assert_string_equal(out, value);
}

static void test_query(void **state)
{
	(void)state;
	query("a=1&b=2", "b", 0, "2");
	query("ab=1&b=2", "a", -ENOENT, NULL);
	query("", "a", -ENOENT, NULL);
	query("a=x+y%2Fz", "a", 0, "x y/z");
	query("a", "a", 0, "");
	query("a=", "a", 0, "");
	query("a=1&a=2", "a", -EINVAL, NULL);
	query("a=%00", "a", -EINVAL, NULL);
	query("a=%0a", "a", -EINVAL, NULL);
	query("a=%ff", "a", -EINVAL, NULL);
	query("a=%4", "a", -EINVAL, NULL);
	query("a=1234567890123456", "a", -ENOBUFS, NULL);
	query("a=123456789012345", "a", 0, "123456789012345");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_cases),
	    cmocka_unit_test(test_long),
	    cmocka_unit_test(test_value),
	    cmocka_unit_test(test_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
