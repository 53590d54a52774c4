#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sandbox/layer.h"

static void names_go_both_ways(void **state)
{
	(void)state;
	for (unsigned i = 0; i < LAYER_COUNT; i++)
		assert_int_equal(layer_from_name(layer_name((enum layer)i)), i);
	assert_int_equal(layer_from_name("Landlock"), LAYER_COUNT);
	assert_int_equal(layer_from_name(""), LAYER_COUNT);
	assert_string_equal(layer_name(LAYER_COUNT), "unknown");
}

static void text_says_what_stands_behind_a_name(void **state)
{
	struct attestation some = {.layers = LAYER_BIT(USERNS) | LAYER_BIT(LANDLOCK) |
					     LAYER_BIT(ALLOWLIST) | LAYER_BIT(CGROUP) |
					     LAYER_BIT(LIMITS) | LAYER_BIT(DISK),
	    .landlock_abi = 2,
	    .cgroup = CGROUP_HYBRID,
	    .limits_by_cgroup = true,
	    .allowlist_open = true,
	    .disk_fsize = true};
	struct attestation none = {.memory_watched = true};
	struct buf out;

	(void)state;
	buf_init(&out, 512);
	assert_int_equal(attestation_text(&out, &some), 0);
	assert_string_equal(buf_cstr(&out),
	    "userns landlock:2 allowlist:open cgroup:hybrid limits:cgroup disk:fsize");
	buf_reset(&out);
	assert_int_equal(attestation_text(&out, &none), 0);
	assert_string_equal(buf_cstr(&out), "cgroup:none memory:watched");
	buf_fini(&out);
	buf_init(&out, 5);
	assert_int_equal(attestation_text(&out, &some), -ENOBUFS);
	buf_fini(&out);
}

static void each_missing_wall_is_refused_by_name(void **state)
{
	struct attestation all = {.layers = LAYERS_ALL};
	struct err_note note;

	(void)state;
	assert_int_equal(attestation_check(&all, LAYERS_ALL, &note), 0);
	for (unsigned i = 0; i < LAYER_COUNT; i++) {
		struct attestation one_less = {.layers = LAYERS_ALL & ~(1u << i)};

		assert_int_equal(attestation_check(&one_less, LAYERS_ALL, &note), -ENOTSUP);
		assert_int_equal(strncmp(note.text, layer_name((enum layer)i),
				     strlen(layer_name((enum layer)i))),
		    0);
		assert_non_null(strchr(note.text, ';'));
		assert_int_equal(attestation_check(&one_less, LAYERS_ALL & ~(1u << i), NULL), 0);
	}
}

static void nothing_attested_meets_no_requirement(void **state)
{
	struct attestation none = {.layers = 0};

	(void)state;
	assert_int_equal(attestation_check(&none, LAYERS_DEFAULT, NULL), -ENOTSUP);
	assert_int_equal(attestation_check(&none, 1u << LAYER_COUNT, NULL), -EINVAL);
	assert_int_equal(attestation_check(&none, 0, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_go_both_ways),
	    cmocka_unit_test(text_says_what_stands_behind_a_name),
	    cmocka_unit_test(each_missing_wall_is_refused_by_name),
	    cmocka_unit_test(nothing_attested_meets_no_requirement),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
