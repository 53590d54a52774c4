/* Requests in flight: found by serial and by id, gone from both when removed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent-api/front/pending.h"

static struct pending *add(struct pending_table *table, struct pending **head, uint64_t serial)
{
	char id[24];
	struct pending *pending;

	snprintf(id, sizeof(id), "%llu", (unsigned long long)serial);
	pending = pending_new(NULL, id, 1);
	assert_non_null(pending);
	pending->serial = serial;
	pending_add(table, head, pending);
	return pending;
}

static void found_until_removed(void **state)
{
	static struct pending_table table;
	struct pending *one = NULL, *two = NULL;

	(void)state;
	for (uint64_t serial = 1; serial <= 3 * PENDING_BUCKETS; serial++)
		add(&table, serial % 2 ? &one : &two, serial);
	assert_int_equal(table.count, 3 * PENDING_BUCKETS);
	for (uint64_t serial = 2; serial <= 3 * PENDING_BUCKETS; serial += 2) {
		struct pending *pending = pending_by_serial(&table, serial);

		assert_non_null(pending);
		assert_int_equal(pending->serial, serial);
		pending_remove(&table, &two, pending);
		assert_null(pending_by_serial(&table, serial));
		assert_non_null(pending_by_serial(&table, serial - 1));
	}
	assert_null(two);
	assert_non_null(pending_by_id(one, "4097"));
	assert_null(pending_by_id(one, "4096"));
	while (one)
		pending_remove(&table, &one, one);
	assert_int_equal(table.count, 0);
	assert_null(pending_by_serial(&table, 1));
}

static void ids_are_the_connections_own(void **state)
{
	static struct pending_table table;
	struct pending *one = NULL, *two = NULL;

	(void)state;
	add(&table, &one, 5);
	assert_non_null(pending_by_id(one, "5"));
	assert_null(pending_by_id(two, "5"));
	assert_null(pending_by_id(one, "\"5\"")); /* the string is another id than the number */
	pending_remove(&table, &one, one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(found_until_removed),
	    cmocka_unit_test(ids_are_the_connections_own),
	};

	return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
