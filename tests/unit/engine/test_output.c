/* Capture: whole hashes, bounded memory, a marker, backpressure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/engine/calls/output.h"

#define MiB (1024 * 1024)

static uv_loop_t loop;
static struct output *output;
static int to_out, to_err;

static void start(uint64_t keep)
{
	int out[2], err[2];

	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(output_start(&loop, out[0], err[0], keep, &output), 0);
	to_out = out[1];
	to_err = err[1];
}

static void stop(void)
{
	output_free(output);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
}

/* Writes all, turning the loop whenever the pipe is full. */
static void feed(int fd, const uint8_t *bytes, size_t len)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0) {
			assert_int_equal(errno, EAGAIN);
			uv_run(&loop, UV_RUN_ONCE);
			continue;
		}
		bytes += done;
		len -= (size_t)done;
	}
}

static void check(enum output_stream stream, const void *all, size_t len, const char *kept)
{
	struct output_facts facts;
	struct digest digest;
	struct buf text = {0};

	buf_init(&text, 16 * MiB);
	assert_int_equal(output_facts(output, stream, &facts), 0);
	assert_int_equal(facts.bytes, len);
	assert_int_equal(digest_of(&digest, all, len), 0);
	assert_true(digest_equal(&digest, &facts.digest));
	assert_int_equal(output_text(&text, output, stream), 0);
	if (kept) {
		assert_int_equal(text.len, strlen(kept));
		assert_memory_equal(text.data ? text.data : (const uint8_t *)"", kept, text.len);
		assert_int_equal(facts.truncated, strcmp(kept, all) != 0);
	}
	buf_fini(&text);
}

static void test_short(void **state)
{
	(void)state;
	start(0);
	feed(to_out, (const uint8_t *)"hello", 5);
	close(to_out);
	close(to_err);
	assert_int_equal(output_finish(output), 0);
	check(OUTPUT_OUT, "hello", 5, "hello");
	check(OUTPUT_ERR, "", 0, "");
	stop();
}

static void test_head_and_tail(void **state)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz";

	(void)state;
	for (size_t len = 0; len <= 26; len++) {
		char want[128], all[32];

		start(7);
		feed(to_out, (const uint8_t *)alphabet, len);
		for (size_t i = 0; i < len; i++) /* in single bytes, to walk around the ring */
			feed(to_err, (const uint8_t *)alphabet + i, 1);
		uv_run(&loop, UV_RUN_NOWAIT);
		close(to_out);
		close(to_err);
		assert_int_equal(output_finish(output), 0);
		snprintf(all, sizeof(all), "%.*s", (int)len, alphabet);
		if (len <= 7)
			snprintf(want, sizeof(want), "%s", all);
		else
			snprintf(want, sizeof(want), "abcd\n[callgate: %zu bytes left out]\n%s",
			    len - 7, all + len - 3);
		check(OUTPUT_OUT, all, len, want);
		check(OUTPUT_ERR, all, len, want);
		stop();
	}
}

static void test_flood(void **state)
{
	size_t len = 16 * MiB + 17;
	uint8_t *bytes = malloc(len);
	struct buf text = {0};

	(void)state;
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	start(100000);
	feed(to_out, bytes, len);
	close(to_out);
	close(to_err);
	assert_int_equal(output_finish(output), 0);
	check(OUTPUT_OUT, bytes, len, NULL);
	buf_init(&text, MiB);
	assert_int_equal(output_text(&text, output, OUTPUT_OUT), 0);
	assert_true(text.len < 100000 + 64);
	assert_memory_equal(text.data, bytes, 50000);
	assert_memory_equal(text.data + text.len - 50000, bytes + len - 50000, 50000);
	buf_fini(&text);
	stop();
	free(bytes);
}

/* Nobody reads while the loop does not turn: the writer is stopped by the pipe. */
static void test_backpressure(void **state)
{
	static uint8_t zeros[MiB];
	ssize_t taken;

	(void)state;
	start(0);
	assert_int_equal(fcntl(to_out, F_SETFL, O_NONBLOCK), 0);
	taken = write(to_out, zeros, sizeof(zeros));
	assert_in_range(taken, 4096, 256 * 1024);
	assert_int_equal(write(to_out, zeros, 1), -1);
	close(to_out);
	close(to_err);
	assert_int_equal(output_finish(output), 0);
	check(OUTPUT_OUT, zeros, (size_t)taken, NULL);
	stop();
}

/* A writer that outlives the tree does not hold us: what is there is taken, the rest refused. */
static void test_open_writer(void **state)
{
	(void)state;
	start(0);
	feed(to_out, (const uint8_t *)"x", 1);
	assert_int_equal(output_finish(output), 0);
	check(OUTPUT_OUT, "x", 1, "x");
	assert_int_equal(write(to_out, "y", 1), -1);
	assert_int_equal(errno, EPIPE);
	close(to_out);
	close(to_err);
	stop();
}

static void test_bad_descriptors(void **state)
{
	struct output *none = NULL;
	int fds[2];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(output_start(&loop, fds[0], -1, 0, &none) < 0);
	assert_null(none);
	assert_int_equal(fcntl(fds[0], F_GETFD), -1); /* taken and closed */
	close(fds[1]);
	while (uv_run(&loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&loop), 0);
}

struct listener {
	size_t room;
	struct buf bytes[OUTPUT_STREAMS];
};

static size_t listener_room(void *owner, enum output_stream stream)
{
	const struct listener *listener = owner;
	size_t used = listener->bytes[stream].len;

	return used < listener->room ? listener->room - used : 0;
}

static void listener_take(void *owner, enum output_stream stream, const void *bytes, size_t len)
{
	assert_int_equal(buf_put(&((struct listener *)owner)->bytes[stream], bytes, len), 0);
}

/* The tap hears everything once and in order, and stops the reading of its stream alone. */
static void test_tap(void **state)
{
	struct listener listener = {.room = 10};
	const struct output_tap tap = {listener_room, listener_take, &listener};
	struct output_facts facts;

	(void)state;
	buf_init(&listener.bytes[OUTPUT_OUT], MiB);
	buf_init(&listener.bytes[OUTPUT_ERR], MiB);
	start(0);
	output_tap(output, &tap);
	output_resume(output, OUTPUT_OUT); /* not stopped: nothing happens */
	assert_int_equal(write(to_out, "0123456789abcdef", 16), 16);
	assert_int_equal(write(to_err, "err", 3), 3);
	for (int i = 0; i < 4; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(listener.bytes[OUTPUT_OUT].len, 10);
	assert_int_equal(listener.bytes[OUTPUT_ERR].len, 3);
	listener.room = 12;
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(listener.bytes[OUTPUT_OUT].len, 10); /* not before it is told */
	output_resume(output, OUTPUT_OUT);
	for (int i = 0; i < 4; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(listener.bytes[OUTPUT_OUT].len, 12);
	close(to_out);
	close(to_err);
	assert_int_equal(output_finish(output), 0); /* room or not */
	assert_int_equal(listener.bytes[OUTPUT_OUT].len, 16);
	assert_memory_equal(listener.bytes[OUTPUT_OUT].data, "0123456789abcdef", 16);
	assert_memory_equal(listener.bytes[OUTPUT_ERR].data, "err", 3);
	assert_int_equal(output_facts(output, OUTPUT_OUT, &facts), 0);
	assert_int_equal(facts.bytes, 16);
	output_resume(output, OUTPUT_OUT); /* after the end: nothing happens */
	stop();
	buf_fini(&listener.bytes[OUTPUT_OUT]);
	buf_fini(&listener.bytes[OUTPUT_ERR]);
}

static void seen_is(enum output_stream stream, const uint8_t *all, size_t len, size_t newest)
{
	const void *tail;
	uint64_t total;
	size_t got;

	assert_int_equal(output_seen(output, stream, &total, &tail, &got), 0);
	assert_int_equal(total, len);
	assert_int_equal(got, newest);
	assert_memory_equal(tail, all + len - newest, newest);
}

static void test_seen(void **state)
{
	static uint8_t bytes[20000];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 9);
	start(0); /* all in the head */
	seen_is(OUTPUT_OUT, bytes, 0, 0);
	feed(to_out, bytes, 5000);
	uv_run(&loop, UV_RUN_NOWAIT);
	seen_is(OUTPUT_OUT, bytes, 5000, OUTPUT_SEEN_MAX);
	seen_is(OUTPUT_ERR, bytes, 0, 0);
	close(to_out);
	close(to_err);
	stop();
	start(6000); /* 3000 of the head, then a ring of 3000 */
	for (size_t len = 0; len < sizeof(bytes);) {
		size_t step = 700, kept;

		feed(to_err, bytes + len, step);
		uv_run(&loop, UV_RUN_NOWAIT);
		len += step;
		kept = len <= 6000 ? len : 3000;
		seen_is(OUTPUT_ERR, bytes, len, kept < OUTPUT_SEEN_MAX ? kept : OUTPUT_SEEN_MAX);
		if (len + step > sizeof(bytes))
			break;
	}
	close(to_out);
	close(to_err);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short),
	    cmocka_unit_test(test_head_and_tail),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_backpressure),
	    cmocka_unit_test(test_open_writer),
	    cmocka_unit_test(test_bad_descriptors),
	    cmocka_unit_test(test_tap),
	    cmocka_unit_test(test_seen),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
