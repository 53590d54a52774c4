/*
 * Runs the probe in real cells, straight through sandbox/cell.h, without a daemon.
 *
 *   cells [--user UID] [--off LAYER] PROBE MATRIX   every verb must hold; with --off those of
 *                                                   LAYER must not: for a build with WALLS=1
 *                                                   and that wall left out by the environment
 *   cells [--user UID] --verb VERB PROBE MATRIX     that verb alone must hold
 *   cells [--user UID] --life PROBE                 the life and death of cells
 *   cells [--user UID] --time N PROBE               how long they take
 *
 * One line per failure; the last line sums up. Exit 0: as expected.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/cell.h"
#include "sandbox/landlock.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"

#define WORKSPACE  "/tmp/work/space" /* below /tmp: it must appear there all the same */
#define OWNER      1234              /* of the workspace on disk, when we are root */
#define TIMEOUT_MS 20000
#define PIDS       12
#define FILES      64
#define FILE_SIZE  (2ULL << 20)
#define MEMORY     (48ULL << 20)
#define TMP_BYTES  (2ULL << 20)
#define TMP_INODES 64
#define ENV_MAX    24

struct run {
	struct cell_host host;
	struct zygote zygote;
	char place[64]; /* temporary directory with the probe and the workspace */
	uid_t user;     /* 0: as root */
	char env[ENV_MAX][64];
	const char *envp[ENV_MAX + 1];
	unsigned env_count;
	uint32_t slot;
	unsigned good, bad;
	int gate[2];      /* of the cell that is run: the tool's end, ours; -1: it has none */
	bool groups_kept; /* an ordinary user cannot drop his: the layer must be absent */
	const char *off;  /* the wall that is left out */
	const char *only; /* the one verb that is run */
};

struct result {
	struct cell_event last; /* EXITED or FAILED */
	struct attestation attested;
	bool started;
	char said[512]; /* the probe's standard error */
};

static void fatal(const char *what, int fault, const struct err_note *note)
{
	fprintf(stderr, "cells: %s: %s %s\n", what, strerror(-fault), note ? note->text : "");
	exit(2);
}

static void set_env(struct run *run, const char *format, ...)
{
	va_list args;

	if (run->env_count == ENV_MAX)
		fatal("environment", -ENOSPC, NULL);
	va_start(args, format);
	vsnprintf(run->env[run->env_count], sizeof(run->env[0]), format, args);
	va_end(args);
	run->envp[run->env_count] = run->env[run->env_count];
	run->env_count++;
}

/* ---- the stage ------------------------------------------------------------------------------- */

static void give(const char *path, uid_t owner)
{
	if (geteuid() == 0 && chown(path, owner, owner) < 0)
		fatal(path, -errno, NULL);
}

/* Servers of the host that listen in the workspace: no tool may reach them. */
static void make_servers(const struct run *run, uid_t owner)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

	for (unsigned i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		int fd = socket(AF_UNIX, types[i], 0);

		snprintf(address.sun_path, sizeof(address.sun_path), "%s/home/space/server%u",
		    run->place, i);
		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		    (types[i] != SOCK_DGRAM && listen(fd, 64) < 0) ||
		    chmod(address.sun_path, 0777) < 0)
			fatal(address.sun_path, -errno, NULL);
		give(address.sun_path, owner);
	}
}

static void copy_probe(const struct run *run, const char *probe, const char *name)
{
	char path[128], bytes[65536];
	int in = open(probe, O_RDONLY), out;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", run->place, name);
	out = open(path, O_CREAT | O_WRONLY, 0755);
	if (in < 0 || out < 0)
		fatal(probe, -errno, NULL);
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			fatal(path, -errno, NULL);
	close(in);
	close(out);
}

/* The workspace lies in a folder that itself is bound for the programs in it. The "script" in it is
 * a program, private to the owner. */
static void make_place(struct run *run, const char *probe)
{
	static const char *const dirs[] = {"home", "home/space"};
	uid_t owner = run->user ? run->user : OWNER;
	char path[128];
	int fd;

	snprintf(run->place, sizeof(run->place), "/tmp/callgate-cells-XXXXXX");
	if (!mkdtemp(run->place) || chmod(run->place, 0755) < 0)
		fatal(run->place, -errno, NULL);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", run->place, dirs[i]);
		if (mkdir(path, 0755) < 0)
			fatal(path, -errno, NULL);
	}
	give(path, owner);
	snprintf(path, sizeof(path), "%s/home/space/f", run->place);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	if (fd < 0)
		fatal(path, -errno, NULL);
	close(fd);
	give(path, owner);
	copy_probe(run, probe, "probe");
	copy_probe(run, probe, "home/space/script");
	snprintf(path, sizeof(path), "%s/home/space/script", run->place);
	give(path, owner);
	if (chmod(path, 0700) < 0)
		fatal(path, -errno, NULL);
	make_servers(run, owner);
}

static void become(struct run *run)
{
	const gid_t group = 4;

	/* Something to lose, so that its loss can be seen. */
	if (geteuid() == 0 && run->user == 0 && setgroups(1, &group) < 0)
		fatal("setgroups", -errno, NULL);
	if (run->user && geteuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(run->user, run->user, run->user) < 0 ||
		setresuid(run->user, run->user, run->user) < 0))
		fatal("setresuid", -errno, NULL);
	run->groups_kept = geteuid() != 0 && getgroups(0, NULL) > 0;
	prctl(PR_SET_DUMPABLE, 0); /* as every role of the daemon */
}

static void tell_environment(struct run *run)
{
	static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts", "cgroup"};
	struct rlimit core = {0, 0};
	struct stat st;
	char path[64];

	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
		if (stat(path, &st) < 0)
			fatal(path, -errno, NULL);
		set_env(run, "NS_%s=%llu", kinds[i], (unsigned long long)st.st_ino);
	}
	if (getrlimit(RLIMIT_CORE, &core) < 0)
		fatal("getrlimit", -errno, NULL);
	set_env(run, "PIDS=%d", PIDS);
	set_env(run, "FILES=%d", FILES);
	set_env(run, "CORE=%d", core.rlim_max == 0 ? 0 : 1);
	set_env(run, "FILE_SIZE=%llu", FILE_SIZE);
	set_env(run, "MEMORY=%llu", MEMORY);
	set_env(run, "TMP_BYTES=%llu", TMP_BYTES);
	set_env(run, "TMP_INODES=%d", TMP_INODES);
	set_env(run, "WORKSPACE=%s", WORKSPACE);
}

static void begin(struct run *run, const char *probe)
{
	struct err_note note = {.text = ""};
	int r;

	make_place(run, probe);
	become(run);
	r = cell_setup(&run->host, &note);
	if (r < 0)
		fatal("cell_setup", r, &note);
	tell_environment(run);
	r = zygote_start(&run->host, &run->zygote, &note);
	if (r < 0)
		fatal("zygote_start", r, &note);
}

/* The caller's script removes the place: as another user we may not. */
static void end(struct run *run)
{
	zygote_stop(&run->zygote);
	printf("%s\n", run->place);
}

/* ---- one cell -------------------------------------------------------------------------------- */

static int open_in(const struct run *run, const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", run->place, name);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		fatal(path, -errno, NULL);
	return fd;
}

static int await(int fd)
{
	struct pollfd wait = {.fd = fd, .events = POLLIN};

	return poll(&wait, 1, TIMEOUT_MS) > 0 ? 0 : -ETIMEDOUT;
}

static struct cell prepare(struct run *run)
{
	struct err_note note = {.text = ""};
	struct cell cell;
	int r = zygote_ask(&run->zygote, run->slot++ % 64);

	if (r == 0)
		r = await(run->zygote.sock);
	if (r == 0)
		r = zygote_take(&run->zygote, &cell, &note);
	if (r < 0)
		fatal("prepare", r, &note);
	return cell;
}

static int arm(struct run *run, const struct cell *cell, const char *verb, int err_fd)
{
	struct err_note note = {.text = ""};
	const char *argv[] = {"probe", verb, NULL};
	int ws = open_in(run, "home/space", O_PATH | O_DIRECTORY),
	    probe = open_in(run, "probe", O_PATH);
	uid_t owner = run->user ? run->user : OWNER;
	struct cell_rule rules[1] = {{probe, LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE}};
	struct cell_arm request = {
	    .argv = argv,
	    .envp = run->envp,
	    .workspace = WORKSPACE,
	    .cwd = WORKSPACE,
	    .exec_fd = probe,
	    .stdin_fd = -1,
	    .stdout_fd = err_fd,
	    .stderr_fd = err_fd,
	    .mode = CELL_WORKSPACE_RW,
	    .rules = rules,
	    .rule_count = 1,
	    .limits = {.memory = MEMORY,
		.pids = PIDS,
		.cpu_ms = 5000,
		.file_size = FILE_SIZE,
		.files = FILES,
		.tmp_bytes = TMP_BYTES,
		.tmp_inodes = TMP_INODES},
	    .landlock_workspace = landlock_workspace_access(CELL_WORKSPACE_RW),
	    .has_gate = run->gate[0] >= 0,
	    .gate_fd = run->gate[0],
	};
	const char *bind_paths[] = {"/tmp/work", WORKSPACE "/script"};
	int home = open_in(run, "home", O_PATH | O_DIRECTORY);
	int script = open_in(run, "home/space/script", O_PATH);
	int binds[2], r;

	/* Where the host's /proc is seen, the watches would sum up the host. */
	if (run->off && (strcmp(run->off, "pidns") == 0 || strcmp(run->off, "proc") == 0 ||
			    strcmp(run->off, "mntns") == 0))
		request.limits.memory = request.limits.cpu_ms = 0;
	request.mount_fd = cell_mount_workspace(&run->host, cell,
	    &(struct cell_folder){ws, owner, owner, NULL}, CELL_WORKSPACE_RW, &note);
	if (request.mount_fd < 0)
		fatal("cell_mount_workspace", request.mount_fd, &note);
	binds[0] = cell_mount_program(home);
	binds[1] = cell_mount_script(
	    &run->host, cell, &(struct cell_folder){script, owner, owner, NULL}, request.mode);
	if (binds[0] < 0 || binds[1] < 0)
		fatal("binds", binds[0] < 0 ? binds[0] : binds[1], NULL);
	request.bind_paths = bind_paths;
	request.bind_mounts = binds;
	/* Without a mount namespace there is no step that would take them. */
	request.bind_count = run->off && strcmp(run->off, "mntns") == 0 ? 0 : 2;
	r = cell_arm(cell, &request);
	const int used[] = {binds[0], binds[1], request.mount_fd, home, script, ws, probe};
	for (unsigned i = 0; i < sizeof(used) / sizeof(used[0]); i++)
		close(used[i]);
	return r;
}

/* Reads until EXITED or FAILED. go: sent when the cell is armed. */
static int follow(const struct cell *cell, struct result *result)
{
	for (;;) {
		struct cell_event event;
		int r = await(cell->sock);

		if (r == 0)
			r = cell_event_read(cell, &event);
		if (r < 0)
			return r;
		if (event.kind == CELL_EVENT_ARMED) {
			result->attested = event.attestation;
			r = cell_go(cell);
			if (r < 0)
				return r;
			continue;
		}
		result->started |= event.kind == CELL_EVENT_STARTED;
		if (event.kind == CELL_EVENT_STARTED)
			continue;
		result->last = event;
		return 0;
	}
}

static int bury(struct cell *cell)
{
	int r = await(cell->pidfd);

	if (r == 0)
		r = cell_reap(cell);
	cell_close(cell);
	return r;
}

/* Our end stays open until the next one. */
static void open_gate(struct run *run)
{
	close(run->gate[1]);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, run->gate) < 0)
		fatal("socketpair", -errno, NULL);
}

static int run_verb(struct run *run, const char *verb, struct result *result)
{
	struct cell cell = prepare(run);
	int pipe_fds[2], r;
	ssize_t n;

	memset(result, 0, sizeof(*result));
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		fatal("pipe", -errno, NULL);
	if (strncmp(verb, "gate_", 5) == 0)
		open_gate(run);
	r = arm(run, &cell, verb, pipe_fds[1]);
	close(pipe_fds[1]);
	close(run->gate[0]);
	run->gate[0] = -1;
	if (r == 0 || r == -EPIPE)
		r = follow(&cell, result);
	if (r < 0)
		(void)cell_kill(&cell);
	n = read(pipe_fds[0], result->said, sizeof(result->said) - 1);
	result->said[n > 0 ? n : 0] = '\0';
	result->said[strcspn(result->said, "\n")] = '\0';
	close(pipe_fds[0]);
	if (bury(&cell) < 0 && r == 0)
		r = -ETIMEDOUT;
	return r;
}

/* ---- the matrix ------------------------------------------------------------------------------ */

static void judge(struct run *run, bool good, const char *verb, const struct result *result)
{
	if (good) {
		run->good++;
		return;
	}
	run->bad++;
	printf("FAILED %s: %s%d; %s%s\n", verb, result->last.signaled ? "signal " : "exit ",
	    result->last.code, result->said,
	    result->last.kind == CELL_EVENT_FAILED ? result->last.note.text : "");
}

static bool wanted(const struct run *run, const char *verb, const char *layer)
{
	if (run->groups_kept && strcmp(layer, "groups") == 0)
		return false;
	if (run->only && strcmp(verb, run->only) != 0)
		return false;
	return !run->off || strcmp(layer, run->off) == 0;
}

/* Attested although it was left out? */
static bool claims(const struct result *result, const char *off)
{
	enum layer layer = layer_from_name(off);

	return layer < LAYER_COUNT && (result->attested.layers & (1u << layer));
}

static void run_matrix(struct run *run, const char *path)
{
	char line[128], verb[64], layer[32];
	FILE *file = fopen(path, "r");

	if (!file)
		fatal(path, -errno, NULL);
	while (fgets(line, sizeof(line), file)) {
		struct result result;
		int r;

		if (line[0] == '#' || sscanf(line, "%63s %31s", verb, layer) != 2 ||
		    !wanted(run, verb, layer))
			continue;
		r = run_verb(run, verb, &result);
		/* A failed entry is no breach either: the verb must have run and seen the gap. */
		judge(run,
		    r == 0 && result.last.kind == CELL_EVENT_EXITED && !result.last.signaled &&
			result.last.code == (run->off ? 1 : 0),
		    verb, &result);
		if (run->off && claims(&result, run->off))
			judge(run, false, "attested although off", &result);
	}
	fclose(file);
}

/* ---- life and death -------------------------------------------------------------------------- */

static void check(struct run *run, bool good, const char *what)
{
	if (good)
		run->good++;
	else {
		run->bad++;
		printf("FAILED %s\n", what);
	}
}

static void check_attestation(struct run *run)
{
	struct buf text;
	struct result result;
	uint32_t all = LAYERS_ALL & ~LAYER_BIT(CGROUP); /* the warden's to say */

	if (run->groups_kept)
		all &= ~LAYER_BIT(GROUPS);
	buf_init(&text, 1024);
	check(run,
	    run_verb(run, "exit_7", &result) == 0 && result.started &&
		result.last.kind == CELL_EVENT_EXITED && !result.last.signaled &&
		result.last.code == 7,
	    "exit status");
	check(run, result.attested.layers == all, "every wall is attested");
	check(run,
	    result.attested.memory_watched && !result.attested.limits_by_cgroup &&
		result.attested.disk_fsize &&
		result.attested.landlock_abi == run->host.landlock_abi,
	    "details of the attestation");
	check(run, attestation_text(&text, &result.attested) == 0, "text");
	printf("%s\n", buf_cstr(&text));
	buf_fini(&text);
}

static bool exists(const struct run *run, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", run->place, name);
	return access(path, F_OK) == 0;
}

static void check_ends(struct run *run)
{
	struct result result;
	uint64_t before = clock_monotonic_us();

	check(run,
	    run_verb(run, "die", &result) == 0 && result.last.signaled && result.last.code == 9,
	    "signal");
	check(run, run_verb(run, "leave_orphan", &result) == 0 && result.last.code == 0,
	    "tool with orphans ends");
	check(run, clock_monotonic_us() - before < 1000000, "orphans are not waited for");
	sleep(2);
	check(run, !exists(run, "home/space/orphan-was-here"), "orphans are dead");
	check(run,
	    run_verb(run, "eat_shared", &result) == 0 &&
		result.last.reached == CELL_REACHED_MEMORY && result.last.memory_peak > MEMORY,
	    "watched memory");
}

static void check_kill(struct run *run)
{
	struct cell cell = prepare(run);
	struct cell_event event = {.kind = CELL_EVENT_NONE};
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	check(run,
	    arm(run, &cell, "sleep", null) == 0 && await(cell.sock) == 0 &&
		cell_event_read(&cell, &event) == 0 && event.kind == CELL_EVENT_ARMED,
	    "armed");
	check(run, cell_event_read(&cell, &event) == -EAGAIN, "nothing runs before GO");
	check(run,
	    cell_go(&cell) == 0 && await(cell.sock) == 0 && cell_event_read(&cell, &event) == 0 &&
		event.kind == CELL_EVENT_STARTED,
	    "started");
	check(run, cell_reap(&cell) == -EAGAIN, "it lives");
	check(run, cell_kill(&cell) == 0 && bury(&cell) == 0, "killed");
	close(null);
}

/* What a tool sends over its gate arrives, and nobody but the tool had held its end. */
static void check_gate(struct run *run)
{
	struct result result;
	char text[16] = "";
	size_t count = 0;
	int fd = -1;

	check(run,
	    run_verb(run, "gate_sends", &result) == 0 && result.last.kind == CELL_EVENT_EXITED &&
		result.last.code == 0,
	    "a tool sends over its gate");
	check(run,
	    fd_receive(run->gate[1], text, sizeof(text), &fd, 1, &count) == 1 && count == 1 &&
		read(fd, text, sizeof(text)) == 5 && memcmp(text, "hello", 5) == 0,
	    "and it arrives");
	check(run, fd_receive(run->gate[1], text, sizeof(text), &fd, 1, &count) == 0,
	    "the gate ends with its cell");
}

/* Whoever lets go of a cell before GO ends it. */
static void check_abandon(struct run *run)
{
	struct cell cell = prepare(run);
	int pidfd = dup(cell.pidfd);
	struct cell only_pidfd = {.sock = -1, .pidfd = pidfd};

	cell_close(&cell);
	check(run, bury(&only_pidfd) == 0, "an abandoned cell ends");
}

/* Its own /proc does not say it: a child of ours goes into its user namespace and asks ours. Only
 * root may: an ordinary user's cell is not dumpable, and cloned from a program of his host. */
static void check_no_nested(struct run *run)
{
	struct cell cell;
	int status = -1;
	pid_t pid;

	if (run->user)
		return;
	cell = prepare(run);
	pid = fork();
	if (pid == 0) {
		char text[32] = "";
		int fd = setns(cell.pidfd, CLONE_NEWUSER) < 0
			     ? -1
			     : open("/proc/sys/user/max_user_namespaces", O_RDONLY);

		if (fd < 0 || read(fd, text, sizeof(text) - 1) < 1)
			_exit(2);
		_exit(strcmp(text, "0\n") != 0);
	}
	check(run, pid > 0 && waitpid(pid, &status, 0) == pid && status == 0,
	    "no user namespace can be made in a cell");
	check(run, cell_kill(&cell) == 0 && bury(&cell) == 0, "killed");
}

static int arm_bad(const struct cell *cell, const char *workspace, const char *cwd, int exec_fd)
{
	const char *argv[] = {"probe", NULL}, *envp[] = {NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;
	struct cell_arm request = {.argv = argv,
	    .envp = envp,
	    .workspace = workspace,
	    .cwd = cwd,
	    .mount_fd = -1,
	    .exec_fd = exec_fd,
	    .stdin_fd = -1,
	    .stdout_fd = null,
	    .stderr_fd = null};

	r = cell_arm(cell, &request);
	close(null);
	return r;
}

static void check_failure(struct run *run, const char *cwd, const char *step, int error)
{
	struct cell cell = prepare(run);
	int probe = open_in(run, "probe", O_PATH);
	struct result result = {.started = false};
	int r = arm_bad(&cell, "/tmp", cwd, probe);

	if (r == 0)
		r = follow(&cell, &result);
	check(run,
	    r == 0 && !result.started && result.last.kind == CELL_EVENT_FAILED &&
		strcmp(result.last.step, step) == 0 && result.last.error == error,
	    step);
	if (result.last.kind == CELL_EVENT_FAILED)
		printf("%s\n", result.last.note.text);
	else
		(void)cell_kill(&cell);
	check(run, bury(&cell) == 0, "a failed cell ends");
	close(probe);
}

static void run_life(struct run *run)
{
	check_attestation(run);
	check_ends(run);
	check_kill(run);
	check_gate(run);
	check_abandon(run);
	check_no_nested(run);
	check_failure(run, "/nowhere", "working directory", ENOENT);
	check_failure(run, "/bin", "working directory", ENOTDIR);
	check_failure(run, "/tmp/../etc", "working directory", EINVAL);
	check_failure(run, "/tmp", "exec", EACCES); /* no rule allows the program */
}

/* ---- time ------------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void print_times(const char *what, uint64_t *times, unsigned count)
{
	qsort(times, count, sizeof(*times), by_value);
	printf("%-22s p50 %5llu us, p90 %5llu us\n", what, (unsigned long long)times[count / 2],
	    (unsigned long long)times[count * 9 / 10]);
}

static void run_time(struct run *run, unsigned count)
{
	uint64_t *times = calloc(4 * count, sizeof(*times));
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (unsigned i = 0; i < count; i++) {
		uint64_t at[5] = {clock_monotonic_us()};
		struct cell cell = prepare(run);
		struct cell_event event;
		struct result result = {.started = false};

		at[1] = clock_monotonic_us();
		if (arm(run, &cell, "exit_7", null) < 0 || await(cell.sock) < 0 ||
		    cell_event_read(&cell, &event) < 0 || event.kind != CELL_EVENT_ARMED)
			fatal("arm", -EIO, NULL);
		at[2] = clock_monotonic_us();
		if (cell_go(&cell) < 0 || follow(&cell, &result) < 0)
			fatal("go", -EIO, NULL);
		at[3] = clock_monotonic_us();
		bury(&cell);
		at[4] = clock_monotonic_us();
		for (unsigned k = 0; k < 4; k++)
			times[k * count + i] = at[k + 1] - at[k];
	}
	print_times("prepare", times, count);
	print_times("arm, mount included", times + count, count);
	print_times("go until exit is told", times + 2 * count, count);
	print_times("until init is gone", times + 3 * count, count);
	close(null);
	free(times);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"user", required_argument, NULL, 'u'},
	    {"off", required_argument, NULL, 'o'}, {"verb", required_argument, NULL, 'v'},
	    {"life", no_argument, NULL, 'l'}, {"time", required_argument, NULL, 't'},
	    {NULL, 0, NULL, 0}};
	struct run run = {.gate = {-1, -1}};
	unsigned count = 0;
	bool life = false;
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u')
			run.user = (uid_t)strtoul(optarg, NULL, 10);
		else if (option == 'o')
			run.off = optarg;
		else if (option == 'v')
			run.only = optarg;
		else if (option == 'l')
			life = true;
		else if (option == 't')
			count = (unsigned)strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (optind >= argc || (!life && !count && optind + 1 >= argc))
		return 2;
	if (geteuid() != 0)
		run.user = geteuid();
	begin(&run, argv[optind]);
	if (life)
		run_life(&run);
	else if (count)
		run_time(&run, count);
	else
		run_matrix(&run, argv[optind + 1]);
	printf("%u held, %u failed\n", run.good, run.bad);
	end(&run);
	return run.bad || (!count && run.good == 0);
}
