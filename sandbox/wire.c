#include "sandbox/wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

/* A kernel refuses more descriptors in flight than RLIMIT_NOFILE to an ordinary user. The cell
 * takes them out as fast as it can; so waiting a little is all it needs. */
#define FLIGHT_TRIES    2000
#define FLIGHT_PAUSE_NS 500000

enum arm_flag {
	ARM_ALLOWLIST_OPEN = 1 << 0,
	ARM_ALLOW_JIT = 1 << 1,
	ARM_BY_CGROUP = 1 << 2,
	ARM_HAS_STDIN = 1 << 3,
	ARM_HAS_MOUNT = 1 << 4,
	ARM_HAS_GATE = 1 << 5,
};

int wire_receive(int sock, struct wire_message *ret_message)
{
	ssize_t len = fd_receive(sock, ret_message->bytes, sizeof(ret_message->bytes),
	    ret_message->fds, WIRE_FDS, &ret_message->fd_count);

	ret_message->fd_next = 0;
	if (len <= 0) {
		ret_message->fd_count = 0;
		return len == 0 || len == -ECONNRESET ? -EPIPE : (int)len;
	}
	reader_init(&ret_message->body, ret_message->bytes, (size_t)len);
	ret_message->kind = (enum wire_kind)reader_u8(&ret_message->body);
	return 0;
}

int wire_expect(int sock, enum wire_kind kind, struct wire_message *ret_message)
{
	int r = wire_receive(sock, ret_message);

	if (r < 0)
		return r;
	if (ret_message->kind == kind)
		return 0;
	wire_fini(ret_message);
	return -EBADMSG;
}

int wire_poll(int sock)
{
	struct pollfd wait = {.fd = sock, .events = POLLIN};
	int r;

	do
		r = poll(&wait, 1, 0);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return -errno;
	return r == 0 ? -EAGAIN : 0;
}

void wire_fini(struct wire_message *message)
{
	int fd;

	while ((fd = wire_take_fd(message)) >= 0)
		close(fd);
}

int wire_take_fd(struct wire_message *message)
{
	return message->fd_next < message->fd_count ? message->fds[message->fd_next++] : -1;
}

void wire_begin(struct buf *out, enum wire_kind kind)
{
	buf_init(out, WIRE_MAX);
	(void)buf_put_u8(out, (uint8_t)kind); /* faults are sticky: wire_send() reads them */
}

int wire_send(int sock, struct buf *out, const int *fds, size_t fd_count)
{
	const struct timespec pause = {.tv_nsec = FLIGHT_PAUSE_NS};
	int r = out->fault;

	for (int tries = 0; r == 0 && tries < FLIGHT_TRIES; tries++) {
		r = fd_send(sock, out->data, out->len, fds, fd_count);
		if (r != -ETOOMANYREFS)
			break;
		nanosleep(&pause, NULL);
		r = tries + 1 < FLIGHT_TRIES ? 0 : r;
	}
	buf_fini(out);
	return r;
}

/* ---- FAILED and ATTESTATION bodies ----------------------------------------------------------- */

void wire_put_failure(struct buf *out, const struct wire_failure *failure)
{
	(void)buf_put_u8(out, failure->step);
	(void)buf_put_u32(out, (uint32_t)failure->error);
	(void)buf_put_str(out, failure->note.text);
}

void wire_get_failure(struct reader *in, struct wire_failure *ret_failure)
{
	ret_failure->step = reader_u8(in);
	ret_failure->error = (int)reader_u32(in);
	(void)err_note(&ret_failure->note, 0, "%s", reader_str(in));
}

void wire_put_attestation(struct buf *out, const struct attestation *attestation)
{
	(void)buf_put_u32(out, attestation->layers);
	(void)buf_put_u32(out, attestation->landlock_abi);
	(void)buf_put_u8(out, attestation->limits_by_cgroup);
	(void)buf_put_u8(out, attestation->memory_watched);
	(void)buf_put_u8(out, attestation->allowlist_open);
	(void)buf_put_u8(out, attestation->disk_fsize);
}

void wire_get_attestation(struct reader *in, struct attestation *ret_attestation)
{
	memset(ret_attestation, 0, sizeof(*ret_attestation));
	ret_attestation->layers = reader_u32(in) & LAYERS_ALL;
	ret_attestation->landlock_abi = reader_u32(in);
	ret_attestation->limits_by_cgroup = reader_u8(in) == 1;
	ret_attestation->memory_watched = reader_u8(in) == 1;
	ret_attestation->allowlist_open = reader_u8(in) == 1;
	ret_attestation->disk_fsize = reader_u8(in) == 1;
}

/* ---- ARM, sending ---------------------------------------------------------------------------- */

static uint32_t count_words(const char *const *words, size_t *bytes)
{
	uint32_t count = 0;

	for (; words[count] && count <= WIRE_WORDS_MAX; count++)
		*bytes += strlen(words[count]) + 1;
	return count;
}

static uint8_t arm_flags(const struct cell_arm *arm)
{
	return (uint8_t)((arm->allowlist_open ? ARM_ALLOWLIST_OPEN : 0) |
			 (arm->allow_jit ? ARM_ALLOW_JIT : 0) |
			 (arm->limits.by_cgroup ? ARM_BY_CGROUP : 0) |
			 (arm->stdin_fd >= 0 ? ARM_HAS_STDIN : 0) |
			 (arm->mount_fd >= 0 ? ARM_HAS_MOUNT : 0) |
			 (arm->has_gate ? ARM_HAS_GATE : 0));
}

static void put_limits(struct buf *out, const struct cell_limits *limits)
{
	(void)buf_put_u64(out, limits->memory);
	(void)buf_put_u64(out, limits->pids);
	(void)buf_put_u64(out, limits->cpu_ms);
	(void)buf_put_u64(out, limits->file_size);
	(void)buf_put_u64(out, limits->files);
	(void)buf_put_u64(out, limits->tmp_bytes);
	(void)buf_put_u64(out, limits->tmp_inodes);
}

static int send_head(int sock, const struct cell_arm *arm, uint32_t *ret_words)
{
	size_t bytes = 0, fd_count = 3;
	uint32_t argc = count_words(arm->argv, &bytes);
	uint32_t envc = count_words(arm->envp, &bytes);
	int fds[6] = {arm->exec_fd, arm->stdout_fd, arm->stderr_fd};
	struct buf out;

	if (argc + envc > WIRE_WORDS_MAX || bytes > CELL_ARG_BYTES)
		return -E2BIG;
	if (argc == 0 || arm->rule_count > CELL_RULES_MAX)
		return -EINVAL;
	if (arm->stdin_fd >= 0)
		fds[fd_count++] = arm->stdin_fd;
	if (arm->mount_fd >= 0)
		fds[fd_count++] = arm->mount_fd;
	if (arm->has_gate)
		fds[fd_count++] = arm->gate_fd;
	wire_begin(&out, WIRE_ARM);
	(void)buf_put_u8(&out, (uint8_t)arm->mode);
	(void)buf_put_u8(&out, arm_flags(arm));
	put_limits(&out, &arm->limits);
	(void)buf_put_u64(&out, arm->landlock_workspace);
	(void)buf_put_u32(&out, argc);
	(void)buf_put_u32(&out, envc);
	(void)buf_put_u32(&out, (uint32_t)bytes);
	(void)buf_put_u32(&out, arm->rule_count);
	(void)buf_put_u32(&out, arm->bind_count);
	(void)buf_put_str(&out, arm->workspace);
	(void)buf_put_str(&out, arm->cwd);
	*ret_words = argc + envc;
	return wire_send(sock, &out, fds, fd_count);
}

/* Words travel as one run of NUL-terminated strings, cut anywhere. */
static int send_words(int sock, const struct cell_arm *arm, uint32_t words)
{
	struct buf out;
	const char *const *next = arm->argv;
	int r;

	wire_begin(&out, WIRE_WORDS);
	for (uint32_t i = 0; i < words; i++, next++) {
		const char *at;
		size_t left;

		if (!*next)
			next = arm->envp;
		at = *next;
		for (left = strlen(at) + 1; left > 0;) {
			size_t room = WIRE_CHUNK - out.len, take = left < room ? left : room;

			(void)buf_put(&out, at, take);
			at += take;
			left -= take;
			if (out.len < WIRE_CHUNK)
				continue;
			r = wire_send(sock, &out, NULL, 0);
			if (r < 0)
				return r;
			wire_begin(&out, WIRE_WORDS);
		}
	}
	if (out.len > 1)
		return wire_send(sock, &out, NULL, 0);
	buf_fini(&out);
	return 0;
}

static int send_binds(int sock, const struct cell_arm *arm)
{
	for (uint32_t i = 0; i < arm->bind_count; i++) {
		struct buf out;
		int r;

		wire_begin(&out, WIRE_BIND);
		(void)buf_put_str(&out, arm->bind_paths[i]);
		r = wire_send(sock, &out, &arm->bind_mounts[i], 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int send_rules(int sock, const struct cell_arm *arm)
{
	int fds[WIRE_FDS];

	for (uint32_t sent = 0; sent < arm->rule_count;) {
		struct buf out;
		uint32_t n = 0;
		int r;

		wire_begin(&out, WIRE_RULES);
		for (; n < WIRE_FDS && sent < arm->rule_count; n++, sent++) {
			(void)buf_put_u64(&out, arm->rules[sent].access);
			fds[n] = arm->rules[sent].fd;
		}
		r = wire_send(sock, &out, fds, n);
		if (r < 0)
			return r;
	}
	return 0;
}

int wire_send_arm(int sock, const struct cell_arm *arm)
{
	uint32_t words = 0;
	int r = send_head(sock, arm, &words);

	if (r == 0)
		r = send_words(sock, arm, words);
	if (r == 0)
		r = send_binds(sock, arm);
	if (r == 0)
		r = send_rules(sock, arm);
	return r;
}

/* ---- ARM, receiving -------------------------------------------------------------------------- */

struct word_counts {
	uint32_t argc, envc, bytes;
};

static void get_limits(struct reader *in, struct cell_limits *ret_limits)
{
	ret_limits->memory = reader_u64(in);
	ret_limits->pids = reader_u64(in);
	ret_limits->cpu_ms = reader_u64(in);
	ret_limits->file_size = reader_u64(in);
	ret_limits->files = reader_u64(in);
	ret_limits->tmp_bytes = reader_u64(in);
	ret_limits->tmp_inodes = reader_u64(in);
}

static int take_fds(struct arm_request *ret, struct wire_message *message, uint8_t flags)
{
	ret->exec_fd = wire_take_fd(message);
	ret->stdio[1] = wire_take_fd(message);
	ret->stdio[2] = wire_take_fd(message);
	if (flags & ARM_HAS_STDIN)
		ret->stdio[0] = wire_take_fd(message);
	if (flags & ARM_HAS_MOUNT)
		ret->mount_fd = wire_take_fd(message);
	if (flags & ARM_HAS_GATE)
		ret->gate_fd = wire_take_fd(message);
	if (message->fd_next != message->fd_count || ret->stdio[2] < 0 ||
	    ((flags & ARM_HAS_STDIN) && ret->stdio[0] < 0) ||
	    ((flags & ARM_HAS_MOUNT) && ret->mount_fd < 0) ||
	    ((flags & ARM_HAS_GATE) && ret->gate_fd < 0))
		return -EBADMSG;
	return 0;
}

static int get_head(
    struct wire_message *message, struct arm_request *ret, struct word_counts *ret_counts)
{
	struct reader *in = &message->body;
	uint8_t flags;

	ret->mode = (enum cell_workspace)reader_u8(in);
	flags = reader_u8(in);
	ret->allowlist_open = flags & ARM_ALLOWLIST_OPEN;
	ret->allow_jit = flags & ARM_ALLOW_JIT;
	get_limits(in, &ret->limits);
	ret->limits.by_cgroup = flags & ARM_BY_CGROUP;
	ret->landlock_workspace = reader_u64(in);
	ret_counts->argc = reader_u32(in);
	ret_counts->envc = reader_u32(in);
	ret_counts->bytes = reader_u32(in);
	ret->rule_count = reader_u32(in);
	ret->bind_count = reader_u32(in);
	ret->workspace = strdup(reader_str(in));
	ret->cwd = strdup(reader_str(in));
	if (!ret->workspace || !ret->cwd)
		return -ENOMEM;
	if (reader_end(in) < 0 || ret->mode > CELL_WORKSPACE_EXEC || ret_counts->argc == 0 ||
	    ret_counts->argc > WIRE_WORDS_MAX || ret_counts->envc > WIRE_WORDS_MAX ||
	    ret_counts->bytes > CELL_ARG_BYTES || ret->rule_count > CELL_RULES_MAX)
		return -EBADMSG;
	return take_fds(ret, message, flags);
}

/* Cuts the run of bytes into argv and envp, each with a NULL behind it. */
static int split_words(struct arm_request *ret, const struct word_counts *counts)
{
	char **slots = calloc((size_t)counts->argc + counts->envc + 2, sizeof(*slots));
	char *at = ret->words, *end = ret->words + counts->bytes;

	if (!slots)
		return -ENOMEM;
	ret->argv = slots;
	ret->envp = slots + counts->argc + 1;
	for (uint32_t i = 0; i < counts->argc + counts->envc; i++) {
		char *nul = memchr(at, '\0', (size_t)(end - at));

		if (!nul)
			return -EBADMSG;
		slots[i < counts->argc ? i : i + 1] = at;
		at = nul + 1;
	}
	return at == end ? 0 : -EBADMSG;
}

static int receive_words(int sock, struct wire_message *message, struct arm_request *ret,
    const struct word_counts *counts)
{
	size_t have = 0;

	ret->words = malloc((size_t)counts->bytes + 1);
	if (!ret->words)
		return -ENOMEM;
	while (have < counts->bytes) {
		int r = wire_expect(sock, WIRE_WORDS, message);
		size_t len;

		if (r < 0)
			return r;
		len = message->body.left;
		if (len == 0 || len > counts->bytes - have || message->fd_count > 0) {
			wire_fini(message);
			return -EBADMSG;
		}
		memcpy(ret->words + have, message->body.next, len);
		have += len;
	}
	return split_words(ret, counts);
}

static struct arm_request no_request(void)
{
	return (struct arm_request){
	    .exec_fd = -1, .mount_fd = -1, .stdio = {-1, -1, -1}, .gate_fd = -1};
}

int wire_receive_arm(int sock, struct arm_request *ret)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	struct word_counts counts = {0};
	int r;

	*ret = no_request();
	r = wire_expect(sock, WIRE_ARM, &message);
	if (r == 0)
		r = get_head(&message, ret, &counts);
	if (r == 0)
		r = receive_words(sock, &message, ret, &counts);
	return r;
}

void arm_request_fini(struct arm_request *request)
{
	const int fds[] = {request->exec_fd, request->mount_fd, request->stdio[0],
	    request->stdio[1], request->stdio[2], request->gate_fd};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(request->workspace);
	free(request->cwd);
	free(request->words);
	free(request->argv);
	*request = no_request();
}
