/* What courier is asked, and what becomes of it: one answer each, whatever happens to courier. */
#include "tests/unit/engine/fakes.h"

#include "supervisor/engine/fetch.h"
#include "supervisor/engine/sibling.h"

struct asker {
	int answers;
	uint16_t status;
	char note[256];
	char body[64];
	bool again; /* asks the next one from within the answer */
};

static void on_done(void *context, const struct message_fetched *answer)
{
	struct asker *asker = context;

	asker->answers++;
	asker->status = answer->status;
	snprintf(asker->note, sizeof(asker->note), "%s", answer->note ? answer->note : "");
	snprintf(asker->body, sizeof(asker->body), "%.*s", (int)answer->body.len,
	    (const char *)answer->body.data);
	if (asker->again) {
		const struct message_fetch next = {.method = FETCH_GET, .url = "https://next/"};

		asker->again = false;
		assert_true(fetch_start(&world, &next, on_done, asker) > 0);
	}
}

static int setup(void **state)
{
	world_setup(state);
	world.courier.name = "link to courier";
	return 0;
}

static int teardown(void **state)
{
	fetch_free_all(&world);
	return world_teardown(state);
}

static int64_t ask(struct asker *asker)
{
	static const char *headers[] = {"Accept: application/json"};
	const struct message_fetch fetch = {.method = FETCH_GET,
	    .url = "https://issuer.example/jwks.json",
	    .headers = {headers, 1},
	    .timeout_ms = 1000,
	    .answer_max = 1000};

	return fetch_start(&world, &fetch, on_done, asker);
}

static void answer(int64_t serial, const char *body)
{
	struct message message;

	message_init(&message, MESSAGE_FETCHED);
	message.serial = (uint64_t)serial;
	message.u.fetched.status = ANSWER_OK;
	message.u.fetched.http = 200;
	message.u.fetched.note = "";
	message.u.fetched.body = (struct bytes){body, strlen(body)};
	assert_int_equal(fetch_answered(&world, &message), 0);
}

/* Timers run by the loop's own clock: what is due by ours is looked at when one fires. */
static void turn(void)
{
	for (int i = 0; i < 20; i++) {
		usleep(1000);
		uv_run(&world_loop, UV_RUN_NOWAIT);
	}
}

static void test_answer_finds_its_question(void **state)
{
	struct asker one = {0}, two = {0};
	int64_t first = ask(&one), second = ask(&two);
	struct message *sent_first;

	(void)state;
	assert_true(first > 0 && second > first);
	sent_first = sent_next(&world.courier, MESSAGE_FETCH);
	assert_non_null(sent_first);
	assert_int_equal(sent_first->serial, first);
	assert_string_equal(sent_first->u.fetch.url, "https://issuer.example/jwks.json");
	assert_string_equal(sent_first->u.fetch.headers.items[0], "Accept: application/json");
	answer(second, "two");
	assert_int_equal(one.answers, 0);
	assert_int_equal(two.answers, 1);
	assert_int_equal(two.status, ANSWER_OK);
	assert_string_equal(two.body, "two");
	answer(second, "again"); /* nobody waits for it */
	answer(second + 40, "foreign");
	assert_int_equal(two.answers, 1);
	assert_int_equal(world.stale_answers, 2);
	answer(first, "one");
	assert_string_equal(one.body, "one");
}

/* Never from within fetch_start(), or who asks would have to stand it in the middle of a thing. */
static void test_no_courier(void **state)
{
	struct asker one = {.again = true};

	(void)state;
	world.courier.name = NULL;
	send_fault = -EPIPE;
	assert_true(ask(&one) > 0);
	assert_int_equal(one.answers, 0);
	turn();
	assert_int_equal(one.answers, 2); /* the second was asked from the first */
	assert_int_equal(one.status, ANSWER_UNAVAILABLE);
	assert_non_null(strstr(one.note, "not running"));
	assert_int_equal(world.failed, 0);
}

static void test_courier_lost(void **state)
{
	struct asker one = {0}, two = {.again = true};
	int64_t first = ask(&one);

	(void)state;
	ask(&two);
	sibling_lost(&world, &world.courier);
	assert_int_equal(one.answers, 0);
	answer(first, "late"); /* of the courier that is gone: believed no more */
	assert_int_equal(one.answers, 0);
	turn();
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.status, ANSWER_UNAVAILABLE);
	assert_int_equal(two.answers, 1); /* what it asked anew went to the next courier */
	fake_now_us += 60 * 1000000ull;
	assert_true(ask(&one) > first);
}

static void test_silent_courier(void **state)
{
	struct asker one = {0};

	(void)state;
	assert_true(ask(&one) > 0);
	fake_now_us += (1000 + FETCH_GRACE_MS) * 1000ull - 20000;
	assert_true(ask(&(struct asker){0}) > 0); /* arms the timer by the clock of now */
	fetch_forget(&world, &world);
	turn();
	assert_int_equal(one.answers, 0);
	fake_now_us += 20001;
	turn();
	assert_int_equal(one.answers, 1);
	assert_int_equal(one.status, ANSWER_UNAVAILABLE);
	assert_non_null(strstr(one.note, "does not answer"));
}

static void test_forget(void **state)
{
	struct asker one = {0}, two = {0};
	int64_t first, second;

	(void)state;
	fetch_forget(&world, &one); /* before anything was asked */
	first = ask(&one);
	ask(&one);
	second = ask(&two);
	fetch_forget(&world, &one);
	answer(first, "late");
	answer(second, "two");
	turn();
	assert_int_equal(one.answers, 0);
	assert_int_equal(two.answers, 1);
	assert_int_equal(world.stale_answers, 1);
}

/* To cancel also tells courier, once for each that it has. */
static void test_cancel(void **state)
{
	struct asker one = {0};
	const struct message *told;
	int64_t first;

	(void)state;
	ask(&one);
	fetch_forget(&world, &one);
	assert_null(sent_next(&world.courier, MESSAGE_FORGET));
	first = ask(&one);
	fetch_cancel(&world, &one);
	told = sent_next(&world.courier, MESSAGE_FORGET);
	assert_non_null(told);
	assert_int_equal(told->u.forget.fetch, first);
	fetch_cancel(&world, &one);
	assert_null(sent_next(&world.courier, MESSAGE_FORGET));
	answer(first, "late");
	assert_int_equal(one.answers, 0);
}

static void test_too_much(void **state)
{
	static struct asker crowd;
	struct asker one = {0};

	(void)state;
	send_fault = -EMSGSIZE;
	assert_int_equal(ask(&one), -EMSGSIZE);
	send_fault = 0;
	for (int i = 0; i < FETCH_PENDING_MAX; i++)
		assert_true(ask(&crowd) > 0);
	assert_int_equal(ask(&one), -ENOBUFS);
	fetch_forget(&world, &crowd);
	turn();
	assert_int_equal(one.answers + crowd.answers, 0);
	assert_true(ask(&one) > 0);
}

int main(void)
{
#define FETCH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    FETCH(test_answer_finds_its_question),
	    FETCH(test_no_courier),
	    FETCH(test_courier_lost),
	    FETCH(test_silent_courier),
	    FETCH(test_forget),
	    FETCH(test_cancel),
	    FETCH(test_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
