/* The policy file on its way, by the real callgate-policy: flags above the file, secrets that the
 * policy names, and the three things it can be asked for. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/warden/rig.h"

static struct rig rig;
static struct err_note note;
static struct buf warnings;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_dir(&rig, "ws");
	buf_init(&warnings, CONFIG_REPORT_MAX);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&warnings);
	rig_remove(&rig);
	return 0;
}

/* Starts the child, waits for its end, takes what it made. */
static int ask(struct config_request request, struct config **ret)
{
	const struct child_user user = {.uid = geteuid(), .gid = getegid()};
	struct config_child child;
	struct pollfd end = {.events = POLLIN};
	int fault;

	request.file = rig_path(&rig, "p.yaml");
	*ret = NULL;
	note.text[0] = '\0';
	buf_reset(&warnings);
	fault = config_start(&request, &user, &child, &note);
	if (fault)
		return fault;
	end.fd = child.child.pidfd;
	assert_int_equal(poll(&end, 1, 30000), 1);
	return config_finish(&child, ret, &warnings, &note);
}

static struct config *asked(struct config_request request)
{
	struct config *config;
	int fault = ask(request, &config);

	if (fault)
		fail_msg("%d %s", fault, note.text);
	return config;
}

static void test_flags(void **state)
{
	const struct policy_overrides flags = {.jwks_url = "https://id.example/keys",
	    .issuer = "i",
	    .audience = "a",
	    .no_auth_required = true,
	    .studio = true,
	    .studio_roles = "r"};
	const struct policy_overrides wrong = {.studio = true, .studio_roles = "nobody"};
	const struct policy_overrides dirty = {.studio_roles = "a\nb"};
	struct config *plain, *config;

	(void)state;
	rig_file(&rig, "p.yaml", "roles: {r: {}}\n", 0600);
	plain = asked((struct config_request){.mode = LOAD_NONE});
	assert_false(plain->policy->http.auth.enabled);
	assert_null(plain->text);
	config = asked((struct config_request){.overrides = &flags});
	assert_true(config->policy->http.auth.enabled);
	assert_false(config->policy->http.auth.require_auth);
	assert_true(config->policy->http.studio);
	assert_string_equal(config->policy->http.auth.jwks_url, "https://id.example/keys");
	assert_false(digest_equal(&plain->version, &config->version));
	config_free(plain);
	config_free(config);
	assert_int_equal(ask((struct config_request){.overrides = &wrong}, &config), -EINVAL);
	assert_non_null(strstr(note.text, "there is no role 'nobody'"));
	assert_int_equal(ask((struct config_request){.overrides = &dirty}, &config), -EINVAL);
}

/* Only the warden may ask for such things, and no ${NAME} sees what it asked. */
static void test_variable(void **state)
{
	struct config *config;

	(void)state;
	rig_file(&rig, "p.yaml", "roles: {r: {}}\n", 0600);
	assert_int_equal(setenv("CALLGATE_POLICY_REQUEST", "mode=load\nstudio=\n", 1), 0);
	config = asked((struct config_request){.mode = LOAD_FILE});
	assert_false(config->policy->http.studio);
	config_free(config);
	rig_file(&rig, "p.yaml", "audit: {directory: \"${CALLGATE_POLICY_REQUEST}\"}\n", 0600);
	assert_int_equal(ask((struct config_request){.mode = LOAD_FILE}, &config), -EINVAL);
	assert_non_null(strstr(note.text, "is not set"));
	assert_int_equal(unsetenv("CALLGATE_POLICY_REQUEST"), 0);
}

/* What the policy names comes out of .env, and nothing else. */
static void test_values(void **state)
{
	struct config *config;

	(void)state;
	rig_file(&rig, ".env",
	    "STATIC=0123456789abcdef0123456789abcdef\nSERVICE=s\nHOOK=h\nSIGN=g\nTOOL=t\nOTHER=o\n"
	    "STATI=x\nSTATICS=y\n",
	    0600);
	rig_file(&rig, "p.yaml",
	    "server: {auth: {api_keys: [\"${STATIC}\"], service_key_env: SERVICE}}\n"
	    "approvals: {channels: {a: {type: slack, url_env: HOOK, secret_env: SIGN}}}\n"
	    "tools: {t: {type: command, env: {A: {api_key_env: TOOL}}}}\n",
	    0600);
	config = asked((struct config_request){.mode = LOAD_FILE});
	assert_string_equal(config_variable(config, "STATIC"), "0123456789abcdef0123456789abcdef");
	assert_string_equal(config_variable(config, "SERVICE"), "s");
	assert_string_equal(config_variable(config, "HOOK"), "h");
	assert_string_equal(config_variable(config, "SIGN"), "g");
	assert_string_equal(config_variable(config, "TOOL"), "t");
	assert_null(config_variable(config, "OTHER"));
	assert_null(config_variable(config, "STATI"));
	assert_null(config_variable(config, "STATICS"));
	config_free(config);
}

static const char file[] = "server:\n  port: 8700\nroles: {r: {}}\n";

static struct config_request edit_of(const char *text)
{
	return (struct config_request){
	    .mode = LOAD_EDIT, .edited = text, .edited_len = strlen(text)};
}

static void test_edit(void **state)
{
	static const char edited[] = "roles: {r: {permissions: [audit:read]}, s: {}}\n";
	struct config *config, *again;

	(void)state;
	rig_file(&rig, "p.yaml", file, 0600);
	config = asked(edit_of(edited));
	assert_string_equal(config->text,
	    "roles: {r: {permissions: [audit:read]}, s: {}}\nserver:\n  port: 8700\n");
	assert_int_equal(config->text_len, strlen(config->text));
	assert_string_equal(config->difference,
	    "{\"gains\":[{\"who\":\"role r\",\"what\":\"permission audit:read\"}],\"loses\":[],"
	    "\"changed\":[]}");
	assert_int_equal(config->policy->role_count, 2);
	assert_int_equal(config->policy->http.port, 8700);
	/* What was judged is what a reload will read: the same version. */
	rig_file(&rig, "p.yaml", config->text, 0600);
	again = asked((struct config_request){.mode = LOAD_FILE});
	assert_true(digest_equal(&config->version, &again->version));
	config_free(config);
	config_free(again);
}

static void test_edit_refused(void **state)
{
	struct config *config;

	(void)state;
	rig_file(&rig, "p.yaml", file, 0600);
	assert_int_equal(ask(edit_of("roles: {}\n\"server\": {}\n"), &config), -EPERM);
	assert_non_null(strstr(note.text, "p.yaml:2:1: server: Security: server configuration is "
					  "immutable via studio API"));
	assert_int_equal(ask(edit_of("roles: {r: {tols: []}}\n"), &config), -EINVAL);
	assert_non_null(strstr(note.text, "p.yaml:1:13: roles.r.tols: unknown key"));
	assert_int_equal(ask(edit_of("tools: {t: {type: command, tests: [{args: {command: ls}, "
				     "expect: deny}]}}\n"),
			     &config),
	    -EINVAL);
	assert_non_null(strstr(note.text, "tests"));
	assert_int_equal(ask(edit_of(""), &config), -EINVAL);
	assert_null(config);
}

/* A file that was broken by hand can be mended, and what was not compared is said. */
static void test_edit_of_broken(void **state)
{
	struct config *config;

	(void)state;
	rig_file(&rig, "p.yaml", "server: {port: 8700}\nrolls: {}\n", 0600);
	config = asked(edit_of("roles: {r: {}}\n"));
	assert_non_null(strstr(config->difference, "nothing was compared"));
	config_free(config);
	rig_file(&rig, "p.yaml", "server: {port: 8700\n", 0600);
	assert_int_equal(ask(edit_of("roles: {r: {}}\n"), &config), -EINVAL);
}

static void test_show(void **state)
{
	struct config *config;

	(void)state;
	rig_file(&rig, "p.yaml", file, 0600);
	config = asked((struct config_request){.mode = LOAD_SHOW});
	assert_string_equal(config->text, "roles: {r: {}}\n");
	assert_null(config->difference);
	assert_null(config->policy);
	config_free(config);
	rig_file(&rig, "p.yaml", "{server: {port: 1}, roles: {}}\n", 0600);
	assert_int_equal(ask((struct config_request){.mode = LOAD_SHOW}, &config), -EINVAL);
	assert_non_null(strstr(note.text, "server: is not a block of its own"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_flags, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_variable, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_values, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_edit, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_edit_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_edit_of_broken, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_show, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
