/* Peers of the HTTP front: whose number is whose, on which link, and what is left of them. */
#include "tests/unit/engine/fakes.h"

#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/sibling.h"

#define HTTP(n) (PEER_IS_HTTP | (n))

static link_handler unused_handler;

static void unused_handler(struct link *link, struct message *message, int fault)
{
	(void)link;
	(void)message;
	(void)fault;
}

static int setup(void **state)
{
	world_setup(state);
	world.front.name = "link to front";
	world.http.name = "link to HTTP front";
	return 0;
}

static void visit(uint64_t peer)
{
	struct message message;

	message_init(&message, MESSAGE_VISITOR);
	message.u.visitor.peer = peer;
	assert_int_equal(sibling_read_peer(&world, &world.http, &message), 0);
	assert_int_equal(visitor_arrived(&world, &message), 0);
	assert_int_equal(visitor_arrived(&world, &message), -EBADMSG);
}

static struct message ask_status(uint64_t peer, uint64_t serial)
{
	struct message message = request_message(peer, serial, REQUEST_STATUS);

	assert_int_equal(sibling_read_peer(&world, &world.http, &message), 0);
	return message;
}

static void test_numbers_and_links(void **state)
{
	static const struct {
		uint64_t peer;
		int by_http, by_front;
	} numbers[] = {
	    {1, -EBADMSG, 0},
	    {0, -EBADMSG, 0},
	    {HTTP(0), 0, -EBADMSG},
	    {HTTP(1), 0, -EBADMSG},
	    {HTTP((1ull << 40) - 1), 0, -EBADMSG},
	    {HTTP(1ull << 40), -EBADMSG, -EBADMSG}, /* would be another front's */
	    {UINT64_MAX, -EBADMSG, -EBADMSG},
	};
	struct message message;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		message = request_message(numbers[i].peer, 2, REQUEST_STATUS);
		assert_int_equal(
		    sibling_read_peer(&world, &world.http, &message), numbers[i].by_http);
		message = request_message(numbers[i].peer, 2, REQUEST_STATUS);
		assert_int_equal(
		    sibling_read_peer(&world, &world.front, &message), numbers[i].by_front);
	}
	message_init(&message, MESSAGE_COUNTS); /* names no peer */
	assert_int_equal(sibling_read_peer(&world, &world.http, &message), 0);
}

static void test_answers_take_the_road_they_came(void **state)
{
	struct message message, *reply;

	(void)state;
	visit(HTTP(7));
	message = ask_status(HTTP(7), 40);
	assert_int_equal(methods_request(&world, &message), 0);
	reply = sent_next(&world.http, MESSAGE_REPLY);
	assert_non_null(reply);
	assert_int_equal(reply->serial, 40);
	assert_int_equal(reply->u.reply.kind, REPLY_ERROR); /* nobody may do nothing */
	message = request_message(1, 42, REQUEST_STATUS);
	assert_int_equal(methods_request(&world, &message), 0);
	assert_null(sent_next(&world.http, MESSAGE_REPLY));
	assert_non_null(sent_next(&world.front, MESSAGE_REPLY));
}

/* A new HTTP front counts from 1 again, and gets nothing that was for the old one. */
static void test_another_front(void **state)
{
	struct message message;
	struct call *call;

	(void)state;
	visit(HTTP(1));
	call = world_call(1, 80, "gated", "{\"command\": \"ls\"}");
	answer_plan(call, ANSWER_OK, 3);
	call->peer = HTTP(1); /* as if its caller had come by HTTP */
	sibling_lost(&world, &world.http);
	assert_null(peer_find(&world, HTTP(1)));
	assert_non_null(peer_find(&world, 1));
	assert_true(call->silent);
	visit(HTTP(1));
	drive_to_end(call->id);
	assert_null(sent_next(&world.http, MESSAGE_REPLY));
	assert_null(sent_next(&world.front, MESSAGE_REPLY));
	message = ask_status(HTTP(1), 80);
	assert_int_equal(methods_request(&world, &message), 0);
	assert_non_null(sent_next(&world.http, MESSAGE_REPLY));
	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.body = (struct bytes){"{}", 2};
	assert_int_equal(sibling_send_peer(&world, HTTP(1), &message), -EPIPE);
	assert_int_equal(sibling_send_peer(&world, HTTP(1) | 1ull << 40, &message), 0);
	assert_int_equal(sent_next(&world.http, MESSAGE_NOTIFY)->u.notify.peer, HTTP(1));
}

static void test_loss_is_no_end(void **state)
{
	struct message message;

	(void)state;
	message_init(&message, MESSAGE_NOTIFY);
	message.u.notify.body = (struct bytes){"{}", 2};
	send_fault = -EPIPE;
	assert_int_equal(sibling_send_peer(&world, HTTP(3), &message), -EPIPE);
	send_fault = -ENOBUFS;
	assert_int_equal(sibling_send_peer(&world, HTTP(3), &message), -ENOBUFS);
	assert_int_equal(world.failed, 0);
	assert_int_equal(sibling_send_peer(&world, 1, &message), -ENOBUFS);
	assert_int_equal(world.failed, -ENOBUFS); /* the Unix front's loss still is */
}

static void test_told_before_the_policy(void **state)
{
	struct ruleset *rules = world.rules;
	struct message message;
	int ends[2][2];

	(void)state;
	world.http.name = NULL;
	world.rules = NULL;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe2(ends[i], O_CLOEXEC), 0);
		message_init(&message, MESSAGE_SIBLING);
		message.u.sibling.sibling = SIBLING_HTTP;
		message.fds[0] = ends[i][1];
		message.fd_count = 1;
		assert_int_equal(sibling_take(&world, &message, unused_handler), 0);
		assert_int_equal(message.fds[0], -1);
		assert_null(world.http.name);
	}
	assert_int_equal(
	    read(ends[0][0], &message, 1), 0); /* the first was closed for the second */
	close(ends[0][0]);
	close(ends[1][0]);
	world.rules = rules;
	assert_int_equal(sibling_open_all(&world, unused_handler), 0);
	assert_non_null(world.http.name);
	assert_null(world.courier.name);
	close(ends[1][1]); /* the fake link does not */
	message_init(&message, MESSAGE_SIBLING);
	assert_int_equal(sibling_take(&world, &message, unused_handler), -EBADMSG);
	message.u.sibling.sibling = SIBLING_HTTP;
	assert_int_equal(sibling_take(&world, &message, unused_handler), 0); /* gone */
	assert_null(world.http.name);
	assert_int_equal(world.http_age, 1);
	assert_int_equal(sibling_take(&world, &message, unused_handler), 0); /* still is */
	assert_int_equal(world.http_age, 1);
}

static void test_counts_add_up(void **state)
{
	struct message message;

	(void)state;
	message_init(&message, MESSAGE_COUNTS);
	message.u.counts = (struct message_counts){1, 2, 3, 4, 5, 6};
	assert_int_equal(sibling_counts(&world, &message), 0);
	assert_int_equal(sibling_counts(&world, &message), 0);
	sibling_lost(&world, &world.http);
	assert_int_equal(world.http_counts.health, 2);
	assert_int_equal(world.http_counts.refused, 4);
	assert_int_equal(world.http_counts.answered, 6);
	assert_int_equal(world.http_counts.connections, 0); /* it is gone, and they with it */
	assert_int_equal(world.http_counts.idle + world.http_counts.streams, 0);
}

int main(void)
{
#define SIBLING(test) cmocka_unit_test_setup_teardown(test, setup, world_teardown)
	const struct CMUnitTest tests[] = {
	    SIBLING(test_numbers_and_links),
	    SIBLING(test_answers_take_the_road_they_came),
	    SIBLING(test_another_front),
	    SIBLING(test_loss_is_no_end),
	    SIBLING(test_told_before_the_policy),
	    SIBLING(test_counts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
