/* Signatures of web hooks: the published examples of each scheme, and what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "supervisor/engine/hooks/hook_sign.h"

/* The example of the Standard Webhooks libraries. Computed anew with
 *   python3 -c 'import hmac, hashlib, base64; print(base64.b64encode(hmac.new(base64.b64decode(
 *     "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), b"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330."
 *     b"{\"test\": 2432232314}", hashlib.sha256).digest()))' */
static const struct hook_message standard = {.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    .id = "msg_p5jXN8AQM9LWM0D4loKWxJek",
    .time_s = 1614265330,
    .body = "{\"test\": 2432232314}",
    .body_len = 20};
static const char standard_time[] = "1614265330";
#define MAC "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
static const char standard_signature[] = "v1," MAC;

/* GitHub's documentation: secret "It's a Secret to Everybody", payload "Hello, World!".
 *   printf 'Hello, World!' | openssl dgst -sha256 -hmac "It's a Secret to Everybody" */
static const struct hook_message github = {
    .secret = "It's a Secret to Everybody", .id = "", .body = "Hello, World!", .body_len = 13};
static const char github_signature[] =
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/* Slack's documentation, "Verifying requests from Slack". */
static const char slack_body[] =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
    "channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
    "command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F"
    "T1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121."
    "803a0bc887a14d10d2c447fce8b6703c";
static const char slack_signature[] =
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

static void test_published_examples(void **state)
{
	const struct hook_message slack = {.secret = "8f742231b10e8888abcd99yyyzzz85a5",
	    .id = "",
	    .time_s = 1531420618,
	    .body = slack_body,
	    .body_len = sizeof(slack_body) - 1};
	struct buf out = {0};

	(void)state;
	buf_init(&out, 256);
	assert_int_equal(hook_sign_standard(&out, &standard), 0);
	assert_string_equal(buf_cstr(&out), standard_signature);
	buf_reset(&out);
	assert_int_equal(hook_sign_github(&out, &github), 0);
	assert_string_equal(buf_cstr(&out), github_signature);
	buf_reset(&out);
	assert_int_equal(hook_sign_slack(&out, &slack), 0);
	assert_string_equal(buf_cstr(&out), slack_signature);
	buf_fini(&out);
}

static void test_a_secret_that_is_none(void **state)
{
	struct hook_message message = standard;
	struct buf out = {0};

	(void)state;
	buf_init(&out, 256);
	message.secret = "whsec_not base64";
	assert_true(hook_sign_standard(&out, &message) < 0);
	message.secret = "whsec_";
	assert_true(hook_sign_standard(&out, &message) < 0);
	message.secret = "";
	assert_true(hook_sign_github(&out, &message) < 0);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

static enum hook_verdict verify(const char *signatures)
{
	struct hook_message message = standard;

	return hook_verify_standard(&message, standard_time, signatures, 1614265330);
}

static void test_standard(void **state)
{
	(void)state;
	assert_int_equal(verify(standard_signature), HOOK_GENUINE);
	/* one of several, as when a secret is changed */
	assert_int_equal(verify("v1,AAAA v1a,zzz v1," MAC), HOOK_GENUINE);
	assert_int_equal(verify("v1," MAC " v1,AAAA"), HOOK_GENUINE);
	assert_int_equal(verify(""), HOOK_FORGED);
	assert_int_equal(verify(" "), HOOK_FORGED);
	assert_int_equal(verify("v1,"), HOOK_FORGED);
	assert_int_equal(verify(MAC), HOOK_FORGED);
	assert_int_equal(verify("v2," MAC), HOOK_FORGED);
	assert_int_equal(verify("v1a," MAC), HOOK_FORGED);
	assert_int_equal(verify("V1," MAC), HOOK_FORGED);
	assert_int_equal(verify("v1," MAC "A"), HOOK_FORGED);
	/* short: 16 of 32 bytes; then without its padding; then another last bit */
	assert_int_equal(verify("v1,g0hM9SsE+OTPJTGt/tmIKg=="), HOOK_FORGED);
	assert_int_equal(verify("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE"), HOOK_FORGED);
	assert_int_equal(verify("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF="), HOOK_FORGED);
	/* beyond those that are looked at */
	assert_int_equal(verify("a b c d e f g h v1," MAC), HOOK_FORGED);
}

static void test_standard_is_over_all_of_it(void **state)
{
	struct hook_message message = standard;

	(void)state;
	message.body = "{\"test\":2432232314}"; /* the same value, written anew */
	message.body_len = 19;
	assert_int_equal(
	    hook_verify_standard(&message, standard_time, standard_signature, 1614265330),
	    HOOK_FORGED);
	message = standard;
	message.id = "msg_p5jXN8AQM9LWM0D4loKWxJel";
	assert_int_equal(
	    hook_verify_standard(&message, standard_time, standard_signature, 1614265330),
	    HOOK_FORGED);
	/* no dot in an id: what was signed cannot be cut elsewhere */
	message.id = "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330";
	assert_int_equal(
	    hook_verify_standard(&message, standard_time, standard_signature, 1614265330),
	    HOOK_FORGED);
	message = standard;
	assert_int_equal(
	    hook_verify_standard(&message, "01614265330", standard_signature, 1614265330),
	    HOOK_FORGED);
	assert_int_equal(
	    hook_verify_standard(&message, "1614265330 ", standard_signature, 1614265330),
	    HOOK_FORGED);
	assert_int_equal(
	    hook_verify_standard(&message, "", standard_signature, 1614265330), HOOK_FORGED);
	message.id = "";
	assert_int_equal(
	    hook_verify_standard(&message, standard_time, standard_signature, 1614265330),
	    HOOK_FORGED);
}

static void test_time(void **state)
{
	struct hook_message message = standard;
	const uint64_t then = 1614265330;

	(void)state;
	assert_int_equal(
	    hook_verify_standard(&message, standard_time, standard_signature, then + HOOK_SKEW_S),
	    HOOK_GENUINE);
	assert_int_equal(hook_verify_standard(
			     &message, standard_time, standard_signature, then + HOOK_SKEW_S + 1),
	    HOOK_STALE);
	assert_int_equal(hook_verify_standard(
			     &message, standard_time, standard_signature, then - HOOK_SKEW_S - 1),
	    HOOK_STALE);
	assert_false(hook_is_near(0, UINT64_MAX));
	assert_false(hook_is_near(UINT64_MAX, 0));
}

static void test_hex_signatures(void **state)
{
	char text[sizeof(github_signature) + 2];

	(void)state;
	assert_int_equal(hook_verify_github(&github, github_signature), HOOK_GENUINE);
	assert_int_equal(hook_verify_github(&github, ""), HOOK_FORGED);
	assert_int_equal(hook_verify_github(&github, "sha256="), HOOK_FORGED);
	assert_int_equal(hook_verify_github(&github, github_signature + 7), HOOK_FORGED);
	snprintf(text, sizeof(text), "sha1=%s", github_signature + 7);
	assert_int_equal(hook_verify_github(&github, text), HOOK_FORGED);
	snprintf(text, sizeof(text), "%.*s", (int)sizeof(github_signature) - 2, github_signature);
	assert_int_equal(hook_verify_github(&github, text), HOOK_FORGED); /* short by one */
	snprintf(text, sizeof(text), "%s0", github_signature);
	assert_int_equal(hook_verify_github(&github, text), HOOK_FORGED); /* and longer */
	/* uppercase: another text than the one that is sent */
	snprintf(text, sizeof(text), "%s", github_signature);
	for (char *at = text + 7; *at; at++)
		if (*at >= 'a' && *at <= 'f')
			*at = (char)(*at - 'a' + 'A');
	assert_int_equal(hook_verify_github(&github, text), HOOK_FORGED);
}

static void test_slack(void **state)
{
	struct hook_message message = {.secret = "8f742231b10e8888abcd99yyyzzz85a5",
	    .id = "",
	    .body = slack_body,
	    .body_len = sizeof(slack_body) - 1};

	(void)state;
	assert_int_equal(
	    hook_verify_slack(&message, "1531420618", slack_signature, 1531420618), HOOK_GENUINE);
	assert_int_equal(
	    hook_verify_slack(&message, "1531420618", slack_signature, 1531420618 + 301),
	    HOOK_STALE);
	assert_int_equal(
	    hook_verify_slack(&message, "1531420619", slack_signature, 1531420618), HOOK_FORGED);
	assert_int_equal(hook_verify_slack(&message, "1531420618", "v0=", 1531420618), HOOK_FORGED);
	message.body_len--;
	assert_int_equal(
	    hook_verify_slack(&message, "1531420618", slack_signature, 1531420618), HOOK_FORGED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_published_examples),
	    cmocka_unit_test(test_a_secret_that_is_none),
	    cmocka_unit_test(test_standard),
	    cmocka_unit_test(test_standard_is_over_all_of_it),
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_hex_signatures),
	    cmocka_unit_test(test_slack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
