/* Every pack that callgate brings passes its own tests, of which each has plenty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/arena.h"
#include "policy/pack.h"
#include "policy/pack_keys.h"
#include "supervisor/base/buf.h"

#define TESTS_LEAST 25

static void run_pack(const char *name)
{
	struct arena arena = {.chunks = NULL};
	struct policy_pack pack;
	struct err_note note = {""};
	struct buf failures;
	int fault;

	if (pack_load(&pack, &arena, name, &note))
		fail_msg("%s", note.text);
	buf_init(&failures, 65536);
	fault = pack_test(&pack, &failures);
	if (fault)
		fail_msg("%s\n%s", name, buf_cstr(&failures));
	if (pack.test_count < TESTS_LEAST)
		fail_msg("%s: only %u tests", name, pack.test_count);
	print_message("%s: %u rules, %u tests\n", name, pack.rule_count, pack.test_count);
	buf_fini(&failures);
	arena_fini(&arena);
}

static void every_pack_passes_its_tests(void **state)
{
	uint32_t count = 0;

	(void)state;
	for (const char *const *name = pack_names(); *name; name++, count++)
		run_pack(*name);
	assert_true(count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_pack_passes_its_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
