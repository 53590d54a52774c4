/* One timer, many deadlines: each once, in order, and never after it was cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent-api/http/deadline.h"

#define NODES 3

static struct {
	uv_loop_t loop;
	struct http_deadlines deadlines;
	struct http_deadline_node node[NODES];
	int order[NODES + 1];
	int count;
	enum http_deadline kind;
} T;

static void on_expired(struct http_deadline_node *node, enum http_deadline kind)
{
	assert_int_equal(node->kind, HTTP_DEADLINE_NONE);
	assert_true(T.count < NODES);
	T.order[T.count++] = (int)(node - T.node);
	T.kind = kind;
	if (T.count == 1) /* what expires may touch another that is due as well */
		http_deadline_set(&T.deadlines, &T.node[2], HTTP_DEADLINE_NONE);
}

static void test_order(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&T.loop), 0);
	assert_int_equal(http_deadlines_init(&T.deadlines, &T.loop, on_expired), 0);
	T.deadlines.ms[HTTP_DEADLINE_HEAD] = 20;
	T.deadlines.ms[HTTP_DEADLINE_IDLE] = 60;
	T.deadlines.ms[HTTP_DEADLINE_BODY] = 100000;
	http_deadline_set(&T.deadlines, &T.node[0], HTTP_DEADLINE_IDLE);
	http_deadline_set(&T.deadlines, &T.node[1], HTTP_DEADLINE_HEAD);
	http_deadline_set(&T.deadlines, &T.node[2], HTTP_DEADLINE_HEAD);
	assert_ptr_equal(http_deadline_oldest(&T.deadlines, HTTP_DEADLINE_HEAD), &T.node[1]);
	http_deadline_set(&T.deadlines, &T.node[1], HTTP_DEADLINE_HEAD); /* anew: now the last */
	assert_ptr_equal(http_deadline_oldest(&T.deadlines, HTTP_DEADLINE_HEAD), &T.node[2]);
	http_deadline_set(&T.deadlines, &T.node[2], HTTP_DEADLINE_BODY);
	assert_ptr_equal(http_deadline_oldest(&T.deadlines, HTTP_DEADLINE_HEAD), &T.node[1]);
	while (T.count < 2)
		assert_true(uv_run(&T.loop, UV_RUN_ONCE) >= 0);
	assert_int_equal(T.order[0], 1);
	assert_int_equal(T.order[1], 0);
	assert_int_equal(T.kind, HTTP_DEADLINE_IDLE);
	for (int i = 1; i < HTTP_DEADLINE_COUNT; i++)
		assert_null(http_deadline_oldest(&T.deadlines, (enum http_deadline)i));
	http_deadlines_close(&T.deadlines, NULL);
	assert_int_equal(uv_run(&T.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&T.loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
