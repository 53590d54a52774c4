#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "supervisor/evidence/receipt.h"

struct fixture {
	uint8_t key[KEY_LEN];
	struct digest plan;
	struct receipt receipt;
};

static struct fixture sealed(void)
{
	struct fixture f = {.receipt = {.n = 7, .size = 9}};

	for (size_t i = 0; i < KEY_LEN; i++)
		f.key[i] = (uint8_t)(i + 1);
	memset(f.receipt.leaf.bytes, 0x11, DIGEST_LEN);
	memset(f.receipt.root.bytes, 0x22, DIGEST_LEN);
	memset(f.plan.bytes, 0x33, DIGEST_LEN);
	assert_int_equal(receipt_seal(&f.receipt, f.key, "c-1", &f.plan), 0);
	return f;
}

/* A decision about effects starts no tool, and the other way round. */
static void effects_are_no_plan(void **state)
{
	struct fixture f = sealed();
	const struct digest zero = {{0}};

	(void)state;
	assert_int_equal(receipt_check_effects(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
	assert_int_equal(receipt_seal_effects(&f.receipt, f.key, "c-1", &f.plan), 0);
	assert_int_equal(receipt_check_effects(&f.receipt, f.key, "c-1", &f.plan), 0);
	assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
	assert_int_equal(receipt_check_effects(&f.receipt, f.key, "c-2", &f.plan), -EKEYREJECTED);
	assert_int_equal(receipt_seal_effects(&f.receipt, f.key, "c-1", &zero), -EINVAL);
	assert_int_equal(receipt_check_effects(&f.receipt, f.key, "c-1", &zero), -EKEYREJECTED);
}

/* The bytes under the MAC are part of the contract between two programs: computed elsewhere. */
static void mac_is_what_it_was(void **state)
{
	struct fixture f = sealed();
	char hex[DIGEST_HEX_MAX];

	(void)state;
	assert_string_equal(digest_hex(hex, &f.receipt.mac),
	    "2295a386a2b924a667d7683872b4ad99a35b3731976c4a9caab37c1194c5887a");
	assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), 0);
}

static void any_other_byte_is_rejected(void **state)
{
	struct fixture good = sealed(), f;

	(void)state;
	for (size_t i = 0; i < sizeof(f.receipt); i++) {
		f = good;
		((uint8_t *)&f.receipt)[i] ^= 1;
		assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
	}
	for (size_t i = 0; i < KEY_LEN; i++) {
		f = good;
		f.key[i] ^= 0x80;
		assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
		f = good;
		f.plan.bytes[i] ^= 0x80;
		assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
	}
	assert_int_equal(receipt_check(&good.receipt, good.key, "c-2", &good.plan), -EKEYREJECTED);
	assert_int_equal(receipt_check(&good.receipt, good.key, "c-1 ", &good.plan), -EKEYREJECTED);
}

static void nothing_is_sealed_for_nobody(void **state)
{
	struct fixture f = sealed();
	struct digest zero = {{0}}, before = f.receipt.mac;
	uint8_t no_key[KEY_LEN] = {0};

	(void)state;
	assert_int_equal(receipt_seal(&f.receipt, no_key, "c-1", &f.plan), -EINVAL);
	assert_int_equal(receipt_seal(&f.receipt, f.key, "", &f.plan), -EINVAL);
	assert_int_equal(receipt_seal(&f.receipt, f.key, NULL, &f.plan), -EINVAL);
	assert_int_equal(receipt_seal(&f.receipt, f.key, "c-1", &zero), -EINVAL);
	assert_true(digest_equal(&before, &f.receipt.mac));
	assert_int_equal(receipt_check(&f.receipt, no_key, "c-1", &f.plan), -EKEYREJECTED);
	assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &zero), -EKEYREJECTED);
	f.receipt.mac = zero;
	assert_int_equal(receipt_check(&f.receipt, f.key, "c-1", &f.plan), -EKEYREJECTED);
}

static void giant_call_id_is_a_fault(void **state)
{
	struct fixture f = sealed();
	char call[2000];

	(void)state;
	memset(call, 'c', sizeof(call));
	call[sizeof(call) - 1] = '\0';
	assert_int_equal(receipt_seal(&f.receipt, f.key, call, &f.plan), -EIO);
	assert_int_equal(receipt_check(&f.receipt, f.key, call, &f.plan), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(effects_are_no_plan),
	    cmocka_unit_test(mac_is_what_it_was),
	    cmocka_unit_test(any_other_byte_is_rejected),
	    cmocka_unit_test(nothing_is_sealed_for_nobody),
	    cmocka_unit_test(giant_call_id_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
