/* Who comes through the gate of a running call: that call, one step deeper, as long as it runs. */
#include "tests/unit/engine/fakes.h"

#include <sys/socket.h>

#include "policy/policy.h"
#include "supervisor/engine/asking/gate.h"

#define LS "{\"command\": \"ls\"}"

static uint64_t next_serial = 100;
static uint64_t next_peer = 50;

static void set_gates(bool gates)
{
	struct policy_tool *tools = ((struct policy *)(uintptr_t)world.rules->policy)->tools;

	for (uint32_t i = 0; i < world.rules->policy->tool_count; i++)
		tools[i].sandbox.callgate = gates;
}

static int setup(void **state)
{
	world_setup(state);
	set_gates(true);
	return 0;
}

static uint64_t arrive(const char *call)
{
	struct message message;

	message_init(&message, MESSAGE_PEER);
	message.u.peer.peer = ++next_peer;
	message.u.peer.uid = message.u.peer.gid = 100007; /* the cell's: counts for nothing */
	message.u.peer.pid = 4712;
	message.u.peer.call = call;
	assert_int_equal(peer_arrived(&world, &message), 0);
	assert_int_equal(peer_arrived(&world, &message), -EBADMSG);
	return next_peer;
}

static struct call *ask_for(uint64_t peer, const char *tool)
{
	struct message message = request_message(peer, ++next_serial, REQUEST_TOOLS_CALL);

	message.u.request.tool = tool;
	message.u.request.progress = message.u.request.retry = "";
	message.u.request.body = (struct bytes){LS, strlen(LS)};
	assert_int_equal(methods_request(&world, &message), 0);
	return world.calls;
}

static void run(struct call *call)
{
	int writers[2];

	assert_int_equal(call->state, CALL_AUTHORIZED);
	answer_plan(call, ANSWER_OK, 3);
	answer_record(call->serial, ANSWER_OK, 9);
	answer_launch(call->serial, ANSWER_OK, writers);
	close(writers[0]);
	close(writers[1]);
	assert_int_equal(call->state, CALL_RUNNING);
}

static struct call *running(uint64_t peer, const char *tool)
{
	struct call *call = ask_for(peer, tool);

	run(call);
	return call;
}

static const struct peer *peer_of(uint64_t id)
{
	const struct peer *peer = peer_find(&world, id);

	assert_non_null(peer);
	return peer;
}

static void whoever_comes_is_the_call(void **state)
{
	struct call *call = running(1, "bash");
	const struct peer *peer = peer_of(arrive(call->id));
	struct call *nested;

	(void)state;
	assert_string_equal(peer->call, call->id);
	assert_string_equal(peer->caller->principal, "uid:1000");
	assert_int_equal(peer->caller->shown.uid, 1000);
	assert_int_equal(peer->caller->shown.gid, 1000);
	assert_int_equal(peer->depth, 1);
	nested = ask_for(peer->id, "bash");
	assert_string_equal(nested->parent, call->id);
	assert_string_equal(nested->caller->principal, "uid:1000");
	assert_int_equal(nested->depth, 1);
	assert_ptr_equal(nested->account, call->account); /* one account is charged */
	/* At the socket nothing changed. */
	assert_string_equal(peer_of(1)->call, "");
	assert_int_equal(peer_of(1)->depth, 0);
}

static void nobody_comes_through_what_is_no_gate(void **state)
{
	struct call *planned = ask_for(1, "bash");
	struct call *gateless = running(2, "bash");
	const char *const doors[] = {"c-unknown", planned->id, "-",
	    "a name that is longer than any id of a call can be, by far", gateless->id};

	(void)state;
	for (size_t i = 0; i < sizeof(doors) / sizeof(doors[0]); i++) {
		const struct peer *peer;

		set_gates(doors[i] != gateless->id);
		peer = peer_of(arrive(doors[i]));
		assert_true(peer->call[0] != '\0'); /* he is not at the socket either */
		assert_string_equal(peer->caller->principal, "nobody");
		assert_false(peer->caller->shown.has_peer);
		assert_null(calls_find(&world, peer->call));
		for (unsigned m = 1; m < REQUEST_METHOD_COUNT; m++)
			if (m != REQUEST_TOOLS_CALL)
				assert_non_null(gate_refuses(peer, (enum request_method)m));
	}
}

static void the_end_of_the_call_ends_what_came_through(void **state)
{
	struct call *call = running(1, "bash");
	uint64_t first = arrive(call->id), second = arrive(call->id);
	struct call *runs = running(first, "bash"), *other = running(1, "bash");
	struct call *planned = ask_for(second, "bash");
	char ids[2][CALL_ID_MAX];

	(void)state;
	memcpy(ids[0], runs->id, CALL_ID_MAX);
	memcpy(ids[1], planned->id, CALL_ID_MAX);
	sent_forget();
	assert_int_equal(gate_close(call), 2);
	/* The tree is ended, the plan declined; both without an answer to anybody. */
	assert_int_equal(runs->state, CALL_KILLING);
	assert_int_equal(planned->state, CALL_DECLINED);
	assert_string_equal(sent_next(&world.warden, MESSAGE_KILL)->u.kill.call, ids[0]);
	assert_int_equal(sent_records(RECORD_CALL_DECISION, ids[1]), 1);
	assert_int_equal(other->state, CALL_RUNNING);
	assert_int_equal(call->state, CALL_RUNNING);
	/* Nobody is served there any more, who was there or who comes late. */
	assert_non_null(gate_refuses(peer_of(first), REQUEST_TOOLS_LIST));
	assert_non_null(gate_refuses(peer_of(second), REQUEST_TOOLS_LIST));
	assert_null(gate_refuses(peer_of(1), REQUEST_TOOLS_LIST));
	sent_forget();
	assert_int_equal(gate_close(call), 2); /* again: nothing more is sent */
	assert_int_equal(sent_count_of(MESSAGE_KILL), 0);
	drive_to_end(ids[0]);
	assert_int_equal(gate_close(call), 1);
	drive_to_end(ids[1]);
	assert_int_equal(gate_close(call), 0);
	assert_int_equal(sent_count_of(MESSAGE_REPLY), 2);
	assert_int_equal(sent_next(&world.front, MESSAGE_REPLY)->u.reply.kind, REPLY_SILENT);
	/* Front says at last that they are gone. */
	for (uint64_t id = first; id <= second; id++) {
		struct message gone;

		message_init(&gone, MESSAGE_PEER_GONE);
		gone.u.peer_gone.peer = id;
		assert_int_equal(peer_gone(&world, &gone), 0);
	}
	assert_int_equal(call->state, CALL_RUNNING);
}

/* Its own outcome comes last: after the deaths and the outcomes of all that came through. */
static void the_outcome_comes_after_those_inside(void **state)
{
	struct call *call = running(1, "bash");
	uint64_t peer = arrive(call->id);
	struct call *runs = running(peer, "bash"), *planned = ask_for(peer, "bash");
	struct call *inner = running(arrive(runs->id), "bash");
	char ids[4][CALL_ID_MAX];

	(void)state;
	memcpy(ids[0], call->id, CALL_ID_MAX);
	memcpy(ids[1], runs->id, CALL_ID_MAX);
	memcpy(ids[2], planned->id, CALL_ID_MAX);
	memcpy(ids[3], inner->id, CALL_ID_MAX);
	sent_forget();
	answer_exit(ids[0], EXIT_HOW_EXITED, 0);
	assert_int_equal(call->state, CALL_CLOSING);
	assert_int_equal(runs->state, CALL_KILLING);
	assert_int_equal(inner->state, CALL_KILLING);
	drive_to_end(ids[2]);
	assert_int_equal(call->state, CALL_CLOSING);
	answer_exit(ids[1], EXIT_HOW_KILLED, 0);
	assert_int_equal(runs->state, CALL_CLOSING); /* it waits for the one inside it */
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, ids[1]), 0);
	answer_exit(ids[3], EXIT_HOW_KILLED, 0);
	assert_int_equal(runs->state, CALL_CLOSING); /* dead, but that is not on disk yet */
	drive_to_end(ids[3]);
	assert_int_equal(runs->state, CALL_FINISHED);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, ids[0]), 0);
	answer_record(runs->serial, ANSWER_OK, 0);
	assert_int_equal(call->state, CALL_FINISHED);
	assert_int_equal(call->outcome, OUTCOME_COMPLETED);
	assert_int_equal(sent_records(RECORD_CALL_OUTCOME, ids[0]), 1);
	drive_to_end(ids[0]);
	for (int i = 0; i < 4; i++)
		assert_null(calls_find(&world, ids[i]));
}

static void nesting_has_an_end(void **state)
{
	struct call *call = running(1, "bash");

	(void)state;
	for (uint32_t depth = 1; depth <= GATE_DEPTH_MAX; depth++) {
		uint64_t peer = arrive(call->id);

		assert_int_equal(peer_of(peer)->depth, depth);
		assert_null(gate_refuses(peer_of(peer), REQUEST_TOOLS_LIST));
		call = running(peer, "bash");
		assert_int_equal(call->depth, depth);
	}
	/* The innermost runs, and its gate says why it does not help. */
	assert_string_equal(
	    gate_refuses(peer_of(arrive(call->id)), REQUEST_TOOLS_LIST), GATE_TOO_DEEP);
}

static void inside_one_asks_for_tools_only(void **state)
{
	struct call *call = running(1, "bash");
	const struct peer *inside = peer_of(arrive(call->id)), *outside = peer_of(1);

	(void)state;
	for (unsigned m = 1; m < REQUEST_METHOD_COUNT; m++) {
		bool served = m == REQUEST_TOOLS_LIST || m == REQUEST_TOOLS_CALL ||
			      m == REQUEST_AGENTS_LIST || m == REQUEST_EXPLAIN ||
			      m == REQUEST_SUBSCRIBE || m == REQUEST_STREAM_WRITE ||
			      m == REQUEST_STREAM_READ || m == REQUEST_SET_LEVEL;
		bool own = m == REQUEST_PROGRESS || m == REQUEST_ELICIT || m == REQUEST_LOG;

		assert_int_equal(
		    gate_refuses(inside, (enum request_method)m) == NULL, served || own);
		assert_int_equal(gate_refuses(outside, (enum request_method)m) != NULL, own);
	}
}

static void the_gate_is_handed_on(void **state)
{
	struct call *call = running(1, "bash");
	int ends[2];
	const struct message *message;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(gate_open(call, ends[0]), 0);
	message = sent_next(&world.front, MESSAGE_GATE);
	assert_non_null(message);
	assert_string_equal(message->u.gate.call, call->id);
	assert_int_equal(message->fd_count, 1);
	assert_int_equal(gate_close(call), 0);
	message = sent_next(&world.front, MESSAGE_GATE);
	assert_non_null(message);
	assert_string_equal(message->u.gate.call, call->id);
	assert_int_equal(message->fd_count, 0);
	close(ends[0]); /* still ours */
	close(ends[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(whoever_comes_is_the_call),
	    TEST(nobody_comes_through_what_is_no_gate),
	    TEST(the_end_of_the_call_ends_what_came_through),
	    TEST(the_outcome_comes_after_those_inside),
	    TEST(nesting_has_an_end),
	    TEST(inside_one_asks_for_tools_only),
	    TEST(the_gate_is_handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
