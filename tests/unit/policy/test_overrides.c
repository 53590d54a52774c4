/* What the command line says above the file, and how it comes to the child that reads the file. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/load.h"
#include "policy/load_request.h"

static int load(const char *text, const struct policy_overrides *overrides,
    struct policy **ret_policy, struct err_note *note)
{
	const struct policy_source source = {
	    .file = "p.yaml", .text = text, .len = strlen(text), .overrides = overrides};

	note->text[0] = '\0';
	return policy_load(&source, ret_policy, NULL, note);
}

static struct policy *loaded(const char *text, const struct policy_overrides *overrides)
{
	struct policy *policy = NULL;
	struct err_note note;

	if (load(text, overrides, &policy, &note))
		fail_msg("%s", note.text);
	return policy;
}

static void refused(const char *text, const struct policy_overrides *overrides, const char *part)
{
	struct policy *policy = NULL;
	struct err_note note;

	assert_int_equal(load(text, overrides, &policy, &note), -EINVAL);
	assert_null(policy);
	if (!strstr(note.text, part) || !strstr(note.text, "; "))
		fail_msg("%s", note.text);
}

static const struct policy_overrides jwt = {
    .jwks_url = "https://id.example/keys", .issuer = "https://id.example/", .audience = "gate"};

static void test_jwt(void **state)
{
	struct policy *policy = loaded("version: 1", &jwt);

	(void)state;
	assert_true(policy->http.auth.enabled);
	assert_true(policy->http.auth.require_auth);
	assert_string_equal(policy->http.auth.jwks_url, "https://id.example/keys");
	assert_string_equal(policy->http.auth.issuer, "https://id.example/");
	assert_string_equal(policy->http.auth.audience, "gate");
	policy_free(policy);
	/* Above what the file says; what it says of the rest stays. */
	policy =
	    loaded("server: {auth: {enabled: false, jwks_url: https://a/, issuer: i, audience: "
		   "a, require_auth: false}}",
		&jwt);
	assert_true(policy->http.auth.enabled);
	assert_false(policy->http.auth.require_auth);
	assert_string_equal(policy->http.auth.issuer, "https://id.example/");
	policy_free(policy);
}

static void test_flags(void **state)
{
	const struct policy_overrides open = {.no_auth_required = true};
	const struct policy_overrides studio = {.studio = true, .studio_roles = "a,b-c"};
	const struct policy_overrides roles = {.studio_roles = "gone"};
	struct policy *policy =
	    loaded("server: {auth: {enabled: true, require_auth: true}}\nroles: {r: {}}\n"
		   "principals: [{anonymous: true, roles: [r]}]",
		&open);

	(void)state;
	assert_true(policy->http.auth.enabled);
	assert_false(policy->http.auth.require_auth);
	policy_free(policy);
	policy = loaded("roles: {a: {}, b-c: {}}", &studio);
	assert_true(policy->http.studio);
	assert_int_equal(policy->http.studio_roles.count, 2);
	assert_string_equal(policy->http.studio_roles.items[1].text, "b-c");
	policy_free(policy);
	/* Alone it opens nothing. */
	policy = loaded("version: 1", &roles);
	assert_false(policy->http.studio);
	policy_free(policy);
	/* The words that a far listener without credentials needs. */
	refused("server: {listen: 0.0.0.0, port: 1}", NULL, "server.listen");
	policy = loaded("server: {listen: 0.0.0.0, port: 1}", &open);
	policy_free(policy);
}

static void test_refused(void **state)
{
	const struct policy_overrides parts[] = {{.jwks_url = "https://a/"}, {.issuer = "i"},
	    {.audience = "a"}, {.jwks_url = "https://a/", .issuer = "i"},
	    {.issuer = "i", .audience = "a"}};
	const struct policy_overrides wrong[] = {
	    {.jwks_url = "http://a.example/", .issuer = "i", .audience = "a"},
	    {.jwks_url = "", .issuer = "i", .audience = "a"},
	    {.jwks_url = "https://u:p@a/", .issuer = "i", .audience = "a"},
	    {.jwks_url = "https://a/", .issuer = "", .audience = "a"},
	    {.jwks_url = "https://a/", .issuer = "i", .audience = "a\nb\001"},
	    {.studio = true, .studio_roles = "nobody"}, {.studio = true}, {.studio_roles = "a,"},
	    {.studio_roles = ","}, {.studio_roles = ""}, {.studio_roles = "a b"},
	    {.studio_roles = "*"}};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		refused("version: 1", &parts[i], "all three");
	/* The file's other two do not complete them. */
	refused("server: {auth: {jwks_url: https://a/, issuer: i, audience: a}}", &parts[0],
	    "all three");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		refused("version: 1", &wrong[i], i < 5 ? "--auth-" : "studio");
}

static void test_request(void **state)
{
	const struct load_request requests[] = {{.mode = LOAD_FILE}, {.mode = LOAD_SHOW},
	    {.mode = LOAD_EDIT, .overrides = {"https://a/?b=c", "i=j", "", "a,b", true, true}}};

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct load_request again;
		struct buf text;

		buf_init(&text, LOAD_REQUEST_MAX);
		assert_int_equal(load_request_put(&text, &requests[i]), 0);
		assert_int_equal(load_request_read(buf_cstr(&text), &again), 0);
		assert_int_equal(again.mode, requests[i].mode);
		assert_int_equal(
		    again.overrides.no_auth_required, requests[i].overrides.no_auth_required);
		assert_int_equal(again.overrides.studio, requests[i].overrides.studio);
		if (requests[i].mode == LOAD_EDIT) {
			assert_string_equal(again.overrides.jwks_url, "https://a/?b=c");
			assert_string_equal(again.overrides.issuer, "i=j");
			assert_string_equal(again.overrides.audience, "");
			assert_string_equal(again.overrides.studio_roles, "a,b");
		} else {
			assert_null(again.overrides.jwks_url);
		}
		load_request_fini(&again);
		buf_fini(&text);
	}
}

static void test_request_refused(void **state)
{
	static const char *const texts[] = {"", "\n", "x", "mode=load", "mode=other\n", "mode=\n",
	    "mode=load\nmode=load\n", "mode=load\nissuer=a\nissuer=b\n", "mode=load\nother=a\n",
	    "mode=load\nstudio=1\n", "mode=load\nstudio=\nstudio=\n", "issuer=a\n",
	    "mode=load\nissuer\n=a\n", "=\n"};
	const struct load_request bad = {.mode = LOAD_FILE, .overrides = {.issuer = "a\nstudio="}};
	const struct load_request none = {.mode = LOAD_NONE};
	struct load_request request;
	char *large = calloc(1, LOAD_REQUEST_MAX + 2);
	struct buf text;

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (load_request_read(texts[i], &request) != -EBADMSG)
			fail_msg("%s", texts[i]);
	memset(large, 'x', LOAD_REQUEST_MAX + 1);
	assert_int_equal(load_request_read(large, &request), -EBADMSG);
	assert_int_equal(load_request_read(NULL, &request), 0);
	assert_int_equal(request.mode, LOAD_FILE);
	buf_init(&text, LOAD_REQUEST_MAX);
	assert_int_equal(load_request_put(&text, &bad), -EINVAL); /* a value makes no lines */
	buf_reset(&text);
	assert_int_equal(load_request_put(&text, &none), -EINVAL);
	buf_fini(&text);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_jwt),
	    cmocka_unit_test(test_flags),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_request),
	    cmocka_unit_test(test_request_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
