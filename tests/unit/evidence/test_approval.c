#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/evidence/approval.h"

#define KEY  "6TJ5GubnqECkYWTJBHhkJtXngh3YspoA1hyucq/dTaQ="
#define ID   "75be0ebd4485da8d"
#define LINE "callgate-approver v1 " ID " ann@desk " KEY "\n"

static void approver_round_trip(void **state)
{
	struct approver approver, made;
	struct buf out;

	(void)state;
	assert_int_equal(approver_parse(&approver, LINE), 0);
	assert_string_equal(approver.id, ID);
	assert_string_equal(approver.name, "ann@desk");
	buf_init(&out, 256);
	approver_text(&out, &approver);
	assert_string_equal(buf_cstr(&out), LINE);
	buf_fini(&out);
	assert_int_equal(approver_init(&made, "ann@desk", approver.public_key), 0);
	assert_memory_equal(&made, &approver, sizeof(made));
	assert_int_equal(approver_parse(&approver, "callgate-approver v1 " ID " ann@desk " KEY), 0);
}

static void approver_lines_have_one_form(void **state)
{
	static const char *const bad[] = {
	    "",
	    "\n",
	    "callgate-approver v1 ",
	    "callgate-approver v1 " ID,
	    "callgate-approver v2 " ID " ann " KEY "\n",
	    "callgate-approver v1 75be0ebd4485da8e ann " KEY "\n", /* another key's id */
	    "callgate-approver v1 75BE0EBD4485DA8D ann " KEY "\n",
	    "callgate-approver v1 75be0ebd ann " KEY "\n",
	    "callgate-approver v1 " ID " " KEY "\n",
	    "callgate-approver v1 " ID "  " KEY "\n",
	    "callgate-approver v1 " ID " a\nb " KEY "\n",
	    "callgate-approver v1 " ID " a/b " KEY "\n",
	    "callgate-approver v1 " ID " ann 6TJ5GubnqECkYWTJBHhkJtXngh3YspoA1hyucq/dTQ==\n",
	    "callgate-approver v1 " ID " ann " KEY "\n\n",
	    "callgate-approver v1 " ID " ann " KEY "\nmore",
	    "callgate-approver v1 " ID " ann " KEY " \n",
	};
	struct approver approver = {.id = "same"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(approver_parse(&approver, bad[i]), -EBADMSG);
	assert_string_equal(approver.id, "same");
}

static void approver_names(void **state)
{
	char name[APPROVER_NAME_MAX + 2];
	uint8_t key[KEY_LEN] = {1};
	struct approver approver;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[APPROVER_NAME_MAX + 1] = '\0';
	assert_int_equal(approver_init(&approver, name, key), -EINVAL);
	assert_int_equal(approver_init(&approver, name + 1, key), 0);
	assert_int_equal(approver_init(&approver, "", key), -EINVAL);
	assert_int_equal(approver_init(&approver, "a b", key), -EINVAL);
	assert_int_equal(approver_init(&approver, "\x1b[1m", key), -EINVAL);
}

static void signed_bytes_are_unambiguous(void **state)
{
	struct digest plan = {{0xab}};
	struct buf out;

	(void)state;
	buf_init(&out, 1024);
	assert_int_equal(approval_signed_bytes(&out, "a-1", &plan, "deny", 42, "no\nway"), 0);
	assert_string_equal(buf_cstr(&out),
	    "callgate-approval-v1\na-1\n"
	    "ab00000000000000000000000000000000000000000000000000000000000000\n"
	    "deny\n42\nno\nway");
	buf_reset(&out);
	assert_int_equal(approval_signed_bytes(&out, "a-1", &plan, "approve", 42, NULL), 0);
	assert_string_equal(buf_cstr(&out) + out.len - 11, "approve\n42\n");
	buf_reset(&out);
	assert_int_equal(approval_signed_bytes(&out, "a\n1", &plan, "deny", 1, ""), -EINVAL);
	assert_int_equal(approval_signed_bytes(&out, "", &plan, "deny", 1, ""), -EINVAL);
	assert_int_equal(approval_signed_bytes(&out, "a", &plan, "", 1, ""), -EINVAL);
	assert_int_equal(approval_signed_bytes(&out, "a", &plan, "approve\n", 1, ""), -EINVAL);
	assert_int_equal(out.len, 0);
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(approver_round_trip),
	    cmocka_unit_test(approver_lines_have_one_form),
	    cmocka_unit_test(approver_names),
	    cmocka_unit_test(signed_bytes_are_unambiguous),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
