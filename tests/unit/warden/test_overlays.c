/* How long and how much is held of overlays: the hour, the number and the bytes; the oldest of who
 * holds the most goes first, never what is being written, and each is told the trail and the
 * keeper. The keeper is the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/effects.h"
#include "supervisor/warden/overlays_own.h"

static uv_loop_t loop;
static struct link engine, auditor;
static struct launcher launcher;
static struct overlays overlays;
static int engine_end, auditor_end, keeper_end;
static uint32_t made; /* calls so far */

static void on_message(struct link *link, struct message *message, int fault)
{
	(void)link;
	(void)message;
	(void)fault;
}

static void open_link(struct link *link, const char *name, int *ret_end)
{
	int pair[2];

	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(link_open(link, &loop, pair[0], name, on_message, NULL), 0);
	*ret_end = pair[1];
}

static int setup(void **state)
{
	int pair[2];

	(void)state;
	made = 0;
	launcher = (struct launcher){.loop = &loop, .engine = &engine, .auditor = &auditor};
	overlays = (struct overlays){.saved = -1};
	assert_int_equal(uv_loop_init(&loop), 0);
	open_link(&engine, "engine", &engine_end);
	open_link(&auditor, "auditor", &auditor_end);
	assert_int_equal(fd_pair(pair), 0);
	overlays.keeper = (struct keeper){.sock = pair[0], .pid = -1, .pidfd = -1, .able = true};
	keeper_end = pair[1];
	assert_int_equal(overlays_start(&overlays, &launcher), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(launcher.broken, 0);
	overlays_close(&overlays);
	link_close(&engine);
	link_close(&auditor);
	uv_close((uv_handle_t *)&overlays.answers, NULL);
	uv_close((uv_handle_t *)&overlays.clock, NULL);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	close(engine_end);
	close(auditor_end);
	close(keeper_end);
	return 0;
}

/* ---- the siblings ---------------------------------------------------------------------------- */

/* What the warden asked of the keeper; op 0: nothing. */
static struct keeper_ask asked(void)
{
	struct keeper_ask ask = {.op = KEEPER_NONE};
	int fds[KEEPER_FDS_MAX];
	size_t count = 0;

	if (recv(keeper_end, NULL, 0, MSG_PEEK | MSG_DONTWAIT | MSG_TRUNC) <= 0)
		return ask;
	assert_int_equal(
	    fd_receive(keeper_end, &ask, sizeof(ask), fds, KEEPER_FDS_MAX, &count), sizeof(ask));
	while (count-- > 0)
		close(fds[count]);
	return ask;
}

static void tell(const struct keeper_told *told, int fd)
{
	assert_int_equal(fd_send(keeper_end, told, sizeof(*told), &fd, fd >= 0 ? 1 : 0), 0);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
}

static int one_effect(void)
{
	struct effect effect = {.kind = EFFECT_ADDED,
	    .path = "a",
	    .target = "",
	    .after = {.type = EFFECT_DIRECTORY, .mode = 0755}};
	const struct effects list = {.items = &effect, .count = 1};
	struct buf cleanup_with(buf_fini) out;

	buf_init(&out, 4096);
	assert_int_equal(effects_encode(&out, &list), 0);
	return fd_sealed("test", out.data, out.len);
}

/* A call of principal's that has left one change of so many bytes; its id is "c-N". */
static uint32_t held_by(const char *principal, uint64_t used)
{
	int cleanup_fd place = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int cleanup_fd list = one_effect();
	char call[CALL_ID_MAX];
	struct overlay_spec spec = {
	    .call = call, .principal = principal, .workspace = place, .lower = place};
	struct message exited;
	struct err_note note = {""};
	uint32_t id;

	snprintf(call, sizeof(call), "c-%u", ++made);
	assert_int_equal(overlays_make(&overlays, &spec, &id, &note), 0);
	assert_int_equal(asked().op, KEEPER_MAKE);
	tell(&(struct keeper_told){.op = KEEPER_MAKE, .id = id, .status = ANSWER_OK}, place);
	message_init(&exited, MESSAGE_EXITED);
	exited.u.exited.call = call;
	exited.u.exited.proof = CELL_PROOF_ECHILD;
	exited.u.exited.note = "";
	assert_int_equal(overlays_finish(&overlays, id, &exited), 0);
	assert_int_equal(asked().op, KEEPER_DIFF);
	tell(
	    &(struct keeper_told){
		.op = KEEPER_DIFF, .id = id, .status = ANSWER_OK, .count = 1, .used = used},
	    list);
	return id;
}

static uint32_t held(uint64_t used)
{
	return held_by("uid:1", used);
}

/* The next record is the end of this call, for that reason; and the keeper forgets it. */
static void expect_dropped(uint32_t id, const char *call, const char *cause)
{
	static uint8_t bytes[MESSAGE_MAX];
	struct keeper_ask drop = asked();
	struct message message;
	ssize_t len = recv(auditor_end, bytes, sizeof(bytes), MSG_DONTWAIT);

	assert_true(len > 0);
	assert_int_equal(message_decode(&message, bytes, (size_t)len, NULL, 0), 0);
	assert_int_equal(message.u.record.record, RECORD_EFFECTS_DROPPED);
	assert_string_equal(message.u.record.call, call);
	assert_non_null(
	    memmem(message.u.record.body.data, message.u.record.body.len, cause, strlen(cause)));
	message_fini(&message);
	assert_int_equal(drop.op, KEEPER_DROP);
	assert_int_equal(drop.id, id);
	assert_null(overlay_find(&overlays, id));
}

static void expect_nothing(void)
{
	char byte;

	assert_int_equal(recv(auditor_end, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
	assert_int_equal(asked().op, KEEPER_NONE);
}

/* ---- the limits ------------------------------------------------------------------------------ */

static void test_an_hour(void **state)
{
	uint32_t first = held(1), second = held(1);
	uint64_t since = overlay_find(&overlays, first)->held_us;
	const uint64_t hour = OVERLAYS_KEPT_MS * UINT64_C(1000);

	(void)state;
	overlay_find(&overlays, second)->held_us = since + 5;
	overlays_expire(&overlays, since + hour);
	expect_nothing();
	overlays_expire(&overlays, since + hour + 1);
	expect_dropped(first, "c-1", "nobody took it in time");
	/* What is being written just now is not taken away from under it. */
	overlay_find(&overlays, second)->busy = 1;
	overlays_expire(&overlays, since + 2 * hour);
	expect_nothing();
	overlay_find(&overlays, second)->busy = 0;
	overlays_expire(&overlays, since + 2 * hour);
	expect_dropped(second, "c-2", "nobody took it in time");
}

static void test_so_many(void **state)
{
	uint32_t ids[OVERLAYS_HELD];

	(void)state;
	for (uint32_t i = 0; i < OVERLAYS_HELD; i++) {
		ids[i] = held(1);
		overlay_find(&overlays, ids[i])->held_us = 1000 + i;
	}
	expect_nothing();
	(void)held(1);
	expect_dropped(ids[0], "c-1", "room for newer ones");
	expect_nothing();
	/* The oldest is being written: the next one goes. */
	overlay_find(&overlays, ids[1])->busy = 1;
	(void)held(1);
	expect_dropped(ids[2], "c-3", "room for newer ones");
	expect_nothing();
	overlay_find(&overlays, ids[1])->busy = 0;
}

static void test_so_much(void **state)
{
	uint32_t first = held(OVERLAYS_BYTES / 2), second = held(OVERLAYS_BYTES / 2), third;

	(void)state;
	overlay_find(&overlays, first)->held_us = 1;
	overlay_find(&overlays, second)->held_us = 2;
	expect_nothing();
	third = held(OVERLAYS_BYTES / 2 + 1);
	expect_dropped(first, "c-1", "room for newer ones");
	expect_dropped(second, "c-2", "room for newer ones");
	expect_nothing();
	assert_non_null(overlay_find(&overlays, third));
	/* Nobody is held at the daemon's end. */
	overlays_end(&overlays);
	expect_dropped(third, "c-3", "the daemon ends");
}

/* One who fills it up pushes out his own, however old others' are. */
static void test_who_holds_the_most(void **state)
{
	uint32_t other = held_by("uid:2", OVERLAYS_BYTES / 4), first = 0;

	(void)state;
	overlay_find(&overlays, other)->held_us = 1;
	for (uint32_t i = 1; i < OVERLAYS_HELD; i++) {
		uint32_t id = held(1);

		overlay_find(&overlays, id)->held_us = 1000 + i;
		first = first ? first : id;
	}
	expect_nothing();
	(void)held_by("uid:3", 1);
	expect_dropped(first, "c-2", "room for newer ones");
	/* By bytes it is the other way round. */
	(void)held_by("uid:2", OVERLAYS_BYTES);
	expect_dropped(other, "c-1", "room for newer ones");
	assert_int_equal(asked().op, KEEPER_DROP); /* its second is too much alone */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_an_hour, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_so_many, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_so_much, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_who_holds_the_most, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
