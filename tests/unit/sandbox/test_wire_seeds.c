/* The seeds of the fuzzer of sandbox/wire.c are messages of today, as the warden, the zygote and a
 * cell send them. With WIRE_SEEDS=write the files are made anew. Started from the root of the
 * sources, as all tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "sandbox/enter.h"
#include "sandbox/wire.h"

#define PLACE    "tests/fuzz/corpus/wire/"
#define SEED_MAX (64 * 1024)

/* The first byte of a seed, as fuzz_wire.c reads it. */
enum reads { READS_CELL, READS_RULES, READS_EVENTS, READS_PREPARED };

struct seed {
	uint8_t bytes[SEED_MAX];
	size_t len;
};

/* What lies in the socket, as the harness sends it again; from the message of a kind on. */
static void collect(int sock, struct seed *seed, enum wire_kind from)
{
	uint8_t bytes[WIRE_MAX];
	bool begun = from == WIRE_NONE;

	while (wire_poll(sock) == 0) {
		int fds[WIRE_FDS];
		size_t count = 0;
		ssize_t len = fd_receive(sock, bytes, sizeof(bytes), fds, WIRE_FDS, &count);

		assert_true(len > 0);
		for (size_t i = 0; i < count; i++)
			close(fds[i]);
		begun = begun || bytes[0] == from;
		if (!begun)
			continue;
		assert_true(seed->len + (size_t)len + 3 <= SEED_MAX);
		seed->bytes[seed->len++] = (uint8_t)len;
		seed->bytes[seed->len++] = (uint8_t)(len >> 8);
		seed->bytes[seed->len++] = (uint8_t)count;
		memcpy(seed->bytes + seed->len, bytes, (size_t)len);
		seed->len += (size_t)len;
	}
}

static void check(const char *name, const struct seed *seed)
{
	const char *wish = getenv("WIRE_SEEDS");
	static uint8_t stored[SEED_MAX];
	char path[128];
	ssize_t got;
	int fd;

	(void)snprintf(path, sizeof(path), PLACE "%s", name);
	if (wish && strcmp(wish, "write") == 0) {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, seed->bytes, seed->len), seed->len);
		close(fd);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: no seed; run this with WIRE_SEEDS=write", path);
	got = read(fd, stored, sizeof(stored));
	close(fd);
	if (got != (ssize_t)seed->len || memcmp(stored, seed->bytes, seed->len) != 0)
		fail_msg("%s: not of today; run this with WIRE_SEEDS=write", path);
}

static void send_arm(int sock, int null, bool large)
{
	const char *argv[] = {"sh", "-c", "exit 7", NULL}, *envp[] = {"PATH=/usr/bin", NULL};
	const char *bind_paths[] = {"/opt/tools", "/w/run.sh"};
	const int bind_mounts[] = {null, null};
	const struct cell_rule rules[] = {{null, 1}, {null, 5}, {null, 13}};
	struct cell_arm arm = {.argv = argv,
	    .envp = envp,
	    .workspace = "/w",
	    .cwd = "/w/src",
	    .mount_fd = large ? null : -1,
	    .exec_fd = null,
	    .stdin_fd = large ? null : -1,
	    .stdout_fd = null,
	    .stderr_fd = null,
	    .has_gate = large,
	    .gate_fd = null,
	    .bind_paths = bind_paths,
	    .bind_mounts = bind_mounts,
	    .bind_count = large ? 2 : 0,
	    .mode = large ? CELL_WORKSPACE_RW : CELL_WORKSPACE_NONE,
	    .rules = rules,
	    .rule_count = 3,
	    .allow_jit = large,
	    .limits = {.memory = 1 << 20, .pids = 5, .cpu_ms = 1000, .by_cgroup = large},
	    .landlock_workspace = UINT64_MAX};

	assert_int_equal(wire_send_arm(sock, &arm), 0);
}

static void arm_seed(const int pair[2], int null, bool large)
{
	static struct seed seed;

	seed = (struct seed){.bytes = {READS_CELL}, .len = 2};
	send_arm(pair[0], null, large);
	collect(pair[1], &seed, WIRE_NONE);
	check(large ? "arm-large" : "arm", &seed);
	seed = (struct seed){.bytes = {READS_RULES, 3}, .len = 2};
	send_arm(pair[0], null, large);
	collect(pair[1], &seed, WIRE_RULES);
	check(large ? "rules-large" : "rules", &seed);
}

static void send_failed(int sock, uint32_t slot, bool with_slot, int pidfd)
{
	struct wire_failure failure = {.step = 3, .error = 1, .note = {"identity: refused"}};
	struct buf out;

	wire_begin(&out, WIRE_FAILED);
	wire_put_failure(&out, &failure);
	if (with_slot)
		(void)buf_put_u32(&out, slot);
	assert_int_equal(wire_send(sock, &out, &pidfd, with_slot), 0);
}

static void put_walls(struct buf *out, enum wire_kind kind)
{
	const struct attestation have = {.layers = LAYERS_ALL, .landlock_abi = 4};

	wire_begin(out, kind);
	wire_put_attestation(out, &have);
}

static void events_seed(const int pair[2])
{
	static struct seed seed;
	struct buf out;

	seed = (struct seed){.bytes = {READS_EVENTS}, .len = 2};
	put_walls(&out, WIRE_ARMED);
	assert_int_equal(wire_send(pair[0], &out, NULL, 0), 0);
	wire_begin(&out, WIRE_STARTED);
	assert_int_equal(wire_send(pair[0], &out, NULL, 0), 0);
	send_failed(pair[0], 0, false, -1);
	wire_begin(&out, WIRE_EXITED);
	(void)buf_put_u8(&out, 1);
	(void)buf_put_u32(&out, 9);
	(void)buf_put_u64(&out, 1234);
	(void)buf_put_u64(&out, 1 << 20);
	(void)buf_put_u8(&out, 1);
	assert_int_equal(wire_send(pair[0], &out, NULL, 0), 0);
	collect(pair[1], &seed, WIRE_NONE);
	check("events", &seed);
}

static void prepared_seed(const int pair[2], int null)
{
	static struct seed seed;
	const int fds[] = {null, null};
	struct buf out;

	seed = (struct seed){.bytes = {READS_PREPARED}, .len = 2};
	send_failed(pair[0], 2, true, null);
	put_walls(&out, WIRE_PREPARED);
	(void)buf_put_u32(&out, 2);
	(void)buf_put_u32(&out, 4711);
	assert_int_equal(wire_send(pair[0], &out, fds, 2), 0);
	collect(pair[1], &seed, WIRE_NONE);
	check("prepared", &seed);
}

static void seeds_are_of_today(void **state)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), pair[2];

	(void)state;
	assert_true(null >= 0);
	assert_int_equal(fd_pair(pair), 0);
	arm_seed(pair, null, false);
	arm_seed(pair, null, true);
	events_seed(pair);
	prepared_seed(pair, null);
	close(pair[0]);
	close(pair[1]);
	close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(seeds_are_of_today)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
