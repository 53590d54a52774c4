/*
 * A whole call beside what it cannot be faster than, and beside what others need: interleaved in
 * one run, so that a slow minute of the machine slows all alike.
 *
 *   spawn   posix_spawn of the program, output read, waited for
 *   sync    append of 600 bytes and fdatasync in the journal's folder
 *   bwrap   the same program under bubblewrap with namespaces, private root and a filter
 *   call    tools/call over the Unix socket, answer read
 *
 * usage: bench_call SOCKET TOOL PROGRAM SYNC-FILE FILTER ROUNDS BWRAP-ARG...
 * FILTER: BPF that every bwrap finds open as descriptor 9 (its arguments say --seccomp 9).
 * Prints p50, p90, p99 in microseconds, the ratios, then calls a second at 1 and 16 callers.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/base/str.h"

#define ROUNDS_MAX 20000
#define ANSWER_MAX (256 * 1024)
#define FILTER_FD  9

extern char **environ;

enum kind { SPAWN, SYNC, BWRAP, CALL, KINDS };
static const char *const names[KINDS] = {"spawn", "sync", "bwrap", "call"};
static double samples[KINDS][ROUNDS_MAX];

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void die(const char *what)
{
	fprintf(stderr, "bench_call: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* filter: file to open as FILTER_FD, or NULL. */
static void spawn_and_wait(char *const *argv, const char *filter)
{
	posix_spawn_file_actions_t actions;
	char sink[4096];
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) != 0)
		die("pipe");
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	if (filter)
		posix_spawn_file_actions_addopen(&actions, FILTER_FD, filter, O_RDONLY, 0);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
		die(argv[0]);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (read(ends[0], sink, sizeof(sink)) > 0)
		;
	close(ends[0]);
	if (waitpid(pid, &status, 0) != pid || status != 0) {
		errno = 0;
		die("the program failed");
	}
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die(path);
	return fd;
}

static void call_once(int fd, const char *request, size_t len)
{
	static char answer[ANSWER_MAX];
	size_t have = 0;

	if (write(fd, request, len) != (ssize_t)len)
		die("write");
	do {
		ssize_t got = read(fd, answer + have, sizeof(answer) - 1 - have);

		if (got <= 0)
			die("read");
		have += (size_t)got;
	} while (answer[have - 1] != '\n');
	answer[have] = 0;
	if (!strstr(answer, "\"outcome\":\"completed\"")) {
		fprintf(stderr, "bench_call: not completed: %.400s\n", answer);
		exit(1);
	}
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quantile(enum kind kind, int rounds, double q)
{
	return samples[kind][(int)(q * (rounds - 1))];
}

static void report(int rounds)
{
	double spawn, sync, bwrap, call;

	printf("%-6s %10s %10s %10s   (microseconds, %d interleaved rounds)\n", "", "p50", "p90",
	    "p99", rounds);
	for (int k = 0; k < KINDS; k++) {
		qsort(samples[k], (size_t)rounds, sizeof(double), ascending);
		printf("%-6s %10.0f %10.0f %10.0f\n", names[k], quantile(k, rounds, .5),
		    quantile(k, rounds, .9), quantile(k, rounds, .99));
	}
	spawn = quantile(SPAWN, rounds, .5);
	sync = quantile(SYNC, rounds, .5);
	bwrap = quantile(BWRAP, rounds, .5);
	call = quantile(CALL, rounds, .5);
	printf("call / (spawn + 2 sync + 400 us) = %.2f (target 1.00)\n",
	    call / (spawn + 2 * sync + 400));
	printf("call / bwrap = %.2f (target 0.30)\n", call / bwrap);
	printf("call - spawn - 2 sync = %.0f us\n", call - spawn - 2 * sync);
}

/* Each caller is a process with a connection of its own. Calls a second over all. */
static double throughput(const char *socket, const char *request, int callers, int each)
{
	double begin = now_us();

	for (int c = 0; c < callers; c++) {
		pid_t pid = fork();

		if (pid == 0) {
			int fd = connect_to(socket);

			for (int i = 0; i < each; i++)
				call_once(fd, request, strlen(request));
			_exit(0);
		}
	}
	for (int c = 0; c < callers; c++) {
		int status;

		if (wait(&status) < 0 || status != 0)
			die("a caller failed");
	}
	return (double)(callers * each) * 1e6 / (now_us() - begin);
}

static double bwrap_throughput(char *const *argv, const char *filter, int callers, int each)
{
	double begin = now_us();

	for (int c = 0; c < callers; c++) {
		if (fork() == 0) {
			for (int i = 0; i < each; i++)
				spawn_and_wait(argv, filter);
			_exit(0);
		}
	}
	for (int c = 0; c < callers; c++)
		(void)wait(NULL);
	return (double)(callers * each) * 1e6 / (now_us() - begin);
}

int main(int argc, char **argv)
{
	char request[1024], block[600];
	char *program[] = {argc > 3 ? argv[3] : NULL, NULL};
	uint64_t rounds;
	int fd, file;

	if (argc < 8 || str_u64(argv[6], ROUNDS_MAX, &rounds) != 0 || rounds < 10) {
		fprintf(stderr,
		    "usage: bench_call SOCKET TOOL PROGRAM SYNC-FILE FILTER ROUNDS BWRAP-ARG...\n");
		return 2;
	}
	memset(block, 'x', sizeof(block));
	snprintf(request, sizeof(request),
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
	    "\"arguments\":{\"argv\":[\"%s\"]}}}\n",
	    argv[2], argv[3]);
	fd = connect_to(argv[1]);
	file = open(argv[4], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (file < 0)
		die(argv[4]);
	for (int i = -5; i < (int)rounds; i++) { /* the first five warm up */
		double t[KINDS + 1];

		t[0] = now_us();
		spawn_and_wait(program, NULL);
		t[1] = now_us();
		if (write(file, block, sizeof(block)) < 0 || fdatasync(file) != 0)
			die("fdatasync");
		t[2] = now_us();
		spawn_and_wait(argv + 7, argv[5]);
		t[3] = now_us();
		call_once(fd, request, strlen(request));
		t[4] = now_us();
		for (int k = 0; k < KINDS && i >= 0; k++)
			samples[k][i] = t[k + 1] - t[k];
	}
	report((int)rounds);
	for (int callers = 1; callers <= 16; callers *= 16) {
		double calls = throughput(argv[1], request, callers, (int)rounds / callers);
		double bwraps =
		    bwrap_throughput(argv + 7, argv[5], callers, (int)rounds / callers / 4 + 1);

		printf("%2d callers: %.0f calls/s, bwrap %.0f/s, ratio %.2f (target 2.5 at 16)\n",
		    callers, calls, bwraps, calls / bwraps);
	}
	return 0;
}
