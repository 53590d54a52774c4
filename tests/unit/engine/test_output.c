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

#include "supervisor/engine/output.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_short),
	    cmocka_unit_test(test_head_and_tail),
	    cmocka_unit_test(test_flood),
	    cmocka_unit_test(test_backpressure),
	    cmocka_unit_test(test_open_writer),
	    cmocka_unit_test(test_bad_descriptors),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
