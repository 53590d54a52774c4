#include "supervisor/auditor/signer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/self.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

/* A frame is u32 length and payload. Requests: op, fields; answers: status, fields. */
#define FRAME_MAX  (64 + NOTE_MAX + DIGEST_LEN * SIGNER_LEAVES_MAX)
#define FRAME_HEAD 4
#define SIGNER_FD  3 /* its only descriptor besides stderr */

enum signer_op {
	OP_NONE = 0,
	OP_BEGIN,  /* str origin */
	OP_RESUME, /* str origin, str note, u64 size, roots of the set bits upwards */
	OP_SIGN,   /* u64 size, u32 count, leaves */
};

enum signer_answer {
	SIGNER_ANSWER_NONE = 0,
	SIGNER_ANSWER_OK,
	SIGNER_ANSWER_FAILED, /* i64 fault, str what */
};

/* ---- frames, both sides -------------------------------------------------------------------- */

/* Starts a frame; its length is filled in when it is sent, so that it goes out in one write and
 * the other side wakes up once. */
static void frame_begin(struct buf *frame, uint8_t first)
{
	buf_reset(frame);
	buf_put_u32(frame, 0);
	buf_put_u8(frame, first);
}

static int frame_send(int fd, struct buf *frame)
{
	size_t len = frame->len - FRAME_HEAD;

	if (frame->fault)
		return frame->fault;
	for (unsigned i = 0; i < FRAME_HEAD; i++)
		frame->data[i] = (uint8_t)(len >> 8 * i);
	return fd_write_all(fd, frame->data, frame->len);
}

static int read_exactly(int fd, uint8_t *out, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, out, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -EPIPE;
		out += n;
		len -= (size_t)n;
	}
	return 0;
}

/* out holds FRAME_MAX bytes. */
static int frame_receive(int fd, uint8_t *out, size_t *ret_len)
{
	uint8_t head[FRAME_HEAD];
	size_t len;
	int r = read_exactly(fd, head, sizeof(head));

	if (r < 0)
		return r;
	len = head[0] | (size_t)head[1] << 8 | (size_t)head[2] << 16 | (size_t)head[3] << 24;
	if (len == 0 || len > FRAME_MAX)
		return -EBADMSG;
	r = read_exactly(fd, out, len);
	if (r == 0)
		*ret_len = len;
	return r;
}

/* ---- the child ----------------------------------------------------------------------------- */

enum signer_stage {
	STAGE_NONE = 0, /* knows no tree yet: signs nothing */
	STAGE_SIGNING,
};

struct signing {
	enum signer_stage stage;
	enum signer_seed seed_kind;
	uint8_t seed[KEY_LEN];
	uint8_t public_key[KEY_LEN];
	struct note_key key;
	struct frontier frontier;
	uint8_t frame[FRAME_MAX];
};

static int seed_read(struct signing *signing, int keydir, const char *name)
{
	int cleanup_fd fd = openat(keydir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size != KEY_LEN)
		return -EBADMSG;
	if ((st.st_mode & 077) != 0 || st.st_uid != geteuid())
		return -EPERM; /* others could have read or chosen it */
	return read_exactly(fd, signing->seed, KEY_LEN) < 0 ? -EIO : 0;
}

/* The established seed, else a new one from an interrupted first start, else one made now. */
static int seed_load(struct signing *signing, int keydir)
{
	int r = seed_read(signing, keydir, SIGNER_KEY);

	if (r != -ENOENT) {
		signing->seed_kind = SIGNER_SEED_ESTABLISHED;
		return r;
	}
	signing->seed_kind = SIGNER_SEED_NEW;
	r = seed_read(signing, keydir, SIGNER_KEY_NEW);
	if (r != -ENOENT)
		return r;
	r = key_random(signing->seed, KEY_LEN);
	if (r < 0)
		return r;
	return fd_write_file_at(keydir, SIGNER_KEY_NEW, 0600, signing->seed, KEY_LEN);
}

static int serve_begin(struct signing *signing, struct reader *request)
{
	const char *origin = reader_str(request);

	if (reader_end(request) < 0 || signing->stage != STAGE_NONE ||
	    signing->seed_kind != SIGNER_SEED_NEW)
		return -EPERM;
	signing->stage = STAGE_SIGNING;
	return note_key_init(&signing->key, origin, signing->public_key);
}

static int serve_resume(struct signing *signing, struct reader *request)
{
	const char *origin = reader_str(request), *note = reader_str(request);
	struct frontier frontier = {.size = reader_u64(request)};
	struct checkpoint checkpoint;
	struct digest root;
	int r;

	for (unsigned level = 0; level < 64; level++) {
		const void *bytes =
		    frontier.size >> level & 1 ? reader_raw(request, DIGEST_LEN) : NULL;

		if (bytes)
			memcpy(frontier.roots[level].bytes, bytes, DIGEST_LEN);
	}
	if (reader_end(request) < 0 || signing->stage != STAGE_NONE)
		return -EPERM;
	r = note_key_init(&signing->key, origin, signing->public_key);
	if (r == 0)
		r = note_open(&checkpoint, &signing->key, note, strlen(note));
	if (r == 0)
		r = frontier_root(&frontier, &root);
	if (r < 0)
		return r;
	if (checkpoint.size != frontier.size || !digest_equal(&checkpoint.root, &root) ||
	    strcmp(checkpoint.origin, signing->key.name) != 0)
		return -EPERM;
	signing->frontier = frontier;
	signing->stage = STAGE_SIGNING;
	return 0;
}

/* The tree is extended first and judged as a whole: a wrong size ends the signer, so that the
 * leaves taken in can never be signed under another one. */
static int serve_sign(struct signing *signing, struct reader *request, struct buf *answer)
{
	uint64_t size = reader_u64(request);
	uint32_t count = reader_u32(request);
	struct buf cleanup_with(buf_fini) body = {0};
	struct checkpoint checkpoint = {.size = size};
	uint8_t signature[SIGNATURE_LEN];
	int r = 0;

	buf_init(&body, NOTE_MAX);
	if (signing->stage != STAGE_SIGNING || count == 0)
		return -EPERM;
	for (uint32_t i = 0; i < count && r == 0; i++) {
		const void *leaf = reader_raw(request, DIGEST_LEN);

		if (!leaf)
			return -EPERM;
		r = frontier_append(&signing->frontier, leaf);
	}
	if (r < 0)
		return r;
	if (reader_end(request) < 0 || signing->frontier.size != size)
		return -EPERM;
	memcpy(checkpoint.origin, signing->key.name, sizeof(checkpoint.origin));
	r = frontier_root(&signing->frontier, &checkpoint.root);
	if (r == 0)
		r = checkpoint_body(&body, &checkpoint);
	if (r == 0)
		r = key_sign(signature, signing->seed, body.data, body.len);
	return r == 0 ? note_assemble(answer, &checkpoint, &signing->key, signature) : r;
}

static int serve_request(struct signing *signing, size_t len, struct buf *answer)
{
	struct reader request;

	reader_init(&request, signing->frame, len);
	switch ((enum signer_op)reader_u8(&request)) {
	case OP_BEGIN: return serve_begin(signing, &request);
	case OP_RESUME: return serve_resume(signing, &request);
	case OP_SIGN: return serve_sign(signing, &request, answer);
	case OP_NONE: break;
	}
	return -EPERM;
}

static void answer_fault(struct buf *answer, int fault, const char *what)
{
	frame_begin(answer, SIGNER_ANSWER_FAILED);
	buf_put_i64(answer, fault);
	buf_put_str(answer, what);
}

static void serve(struct signing *signing)
{
	struct buf answer;
	size_t len;
	int r = 0;

	buf_init(&answer, FRAME_HEAD + FRAME_MAX);
	while (r == 0 && frame_receive(SIGNER_FD, signing->frame, &len) == 0) {
		frame_begin(&answer, SIGNER_ANSWER_OK);
		r = serve_request(signing, len, &answer);
		if (r < 0)
			answer_fault(&answer, r, "refused");
		if (frame_send(SIGNER_FD, &answer) < 0)
			break;
	}
	buf_fini(&answer);
}

/* Everything up to the loop; the answer tells the parent how it went. */
static int prepare(struct signing *signing, int keydir, struct buf *answer)
{
	struct err_note note = {""};
	int r = self_start();

	if (r < 0) {
		answer_fault(answer, r, "self_start");
		return r;
	}
	/* Best effort: the seed is also in the key file, and cores are off. */
	(void)mlock(signing, sizeof(*signing));
	r = seed_load(signing, keydir);
	if (r == 0)
		r = key_public(signing->public_key, signing->seed);
	if (r < 0) {
		answer_fault(answer, r, "keys/" SIGNER_KEY);
		return r;
	}
	if (fd_close_from(SIGNER_FD + 1) < 0 || self_confine(SELF_SIGNER, NULL, &note) < 0) {
		answer_fault(answer, -EPERM, note.text);
		return -EPERM;
	}
	frame_begin(answer, SIGNER_ANSWER_OK);
	buf_put_u8(answer, (uint8_t)signing->seed_kind);
	buf_put(answer, signing->public_key, KEY_LEN);
	return answer->fault;
}

static _Noreturn void signer_child(int *fd, int *keydir)
{
	struct signing *signing = calloc(1, sizeof(*signing));
	struct buf answer;
	int r;

	buf_init(&answer, FRAME_HEAD + FRAME_MAX);
	signal(SIGPIPE, SIG_IGN);
	/* keydir may sit on the number we want. */
	*keydir = fcntl(*keydir, F_DUPFD_CLOEXEC, SIGNER_FD + 1);
	if (!signing || *keydir < 0 || fd_move(fd, SIGNER_FD) < 0)
		_exit(1);
	r = prepare(signing, *keydir, &answer);
	if (frame_send(SIGNER_FD, &answer) == 0 && r == 0)
		serve(signing);
	key_wipe(signing, sizeof(*signing));
	_exit(r < 0);
}

/* ---- the auditor's side -------------------------------------------------------------------- */

/* Reads one answer. frame holds FRAME_MAX bytes. 0 with *ret behind the status, or a fault with
 * the signer's word in note. */
static int take_answer(int fd, uint8_t *frame, struct reader *ret, struct err_note *note)
{
	size_t len;
	int r = frame_receive(fd, frame, &len);
	int64_t fault;

	if (r < 0)
		return err_note(note, r == -ECONNRESET ? -EPIPE : r, "AUDIT_UNAVAILABLE signer: %s",
		    strerror(-r));
	reader_init(ret, frame, len);
	if (reader_u8(ret) == SIGNER_ANSWER_OK)
		return 0;
	fault = reader_i64(ret);
	return err_note(note, -EPIPE, "AUDIT_UNAVAILABLE signer: %s: %s", reader_str(ret),
	    strerror((int)-fault));
}

static int hello(struct signer *signer, struct err_note *note)
{
	uint8_t *cleanup_free frame = malloc(FRAME_MAX);
	struct reader answer;
	const void *key;
	int r;

	if (!frame)
		return err_note(note, -ENOMEM, "AUDIT_UNAVAILABLE signer: out of memory");
	r = take_answer(signer->fd, frame, &answer, note);
	if (r < 0)
		return r;
	signer->seed = (enum signer_seed)reader_u8(&answer);
	key = reader_raw(&answer, KEY_LEN);
	if (reader_end(&answer) < 0 ||
	    (signer->seed != SIGNER_SEED_NEW && signer->seed != SIGNER_SEED_ESTABLISHED))
		return err_note(note, -EBADMSG, "AUDIT_UNAVAILABLE signer: broken answer");
	memcpy(signer->public_key, key, KEY_LEN);
	return 0;
}

/* How its end is seen, and that its silence does not last. */
static int watch(struct signer *signer)
{
	struct timeval wait = {.tv_sec = SIGNER_WAIT_S};

	signer->pidfd = (int)syscall(SYS_pidfd_open, signer->pid, 0);
	if (signer->pidfd < 0 ||
	    setsockopt(signer->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    setsockopt(signer->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) < 0)
		return -errno;
	return 0;
}

int signer_start(struct signer *ret, int keydir, struct err_note *note)
{
	struct signer signer = {.fd = -1, .pidfd = -1};
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_note(note, -errno, "AUDIT_UNAVAILABLE signer: %s", strerror(errno));
	signer.pid = fork();
	if (signer.pid == 0) {
		close(pair[0]);
		signer_child(&pair[1], &keydir);
	}
	r = signer.pid < 0 ? -errno : 0;
	close(pair[1]);
	signer.fd = pair[0];
	if (r == 0)
		r = watch(&signer);
	r = r == 0 ? hello(&signer, note)
		   : err_note(note, r, "AUDIT_UNAVAILABLE signer: %s", strerror(-r));
	if (r < 0) {
		signer_stop(&signer);
		return r;
	}
	*ret = signer;
	return 0;
}

/* Sends a request and takes the answer; the text of an answer to SIGN goes to ret_note. */
static int ask(struct signer *signer, struct buf *request, char *ret_note)
{
	uint8_t *cleanup_free frame = malloc(FRAME_MAX);
	struct reader answer;
	int r;

	if (!frame)
		return -ENOMEM;
	if (signer->fd < 0)
		return -EPIPE;
	r = frame_send(signer->fd, request);
	if (r == 0)
		r = take_answer(signer->fd, frame, &answer, NULL);
	if (r < 0)
		return r;
	if (!ret_note)
		return reader_end(&answer);
	if (answer.left == 0 || answer.left >= NOTE_MAX)
		return -EBADMSG;
	memcpy(ret_note, answer.next, answer.left);
	ret_note[answer.left] = '\0';
	return 0;
}

int signer_begin(struct signer *signer, const char *origin)
{
	struct buf cleanup_with(buf_fini) request = {0};

	if (signer->seed != SIGNER_SEED_NEW)
		return -EPERM;
	buf_init(&request, FRAME_HEAD + FRAME_MAX);
	frame_begin(&request, OP_BEGIN);
	buf_put_str(&request, origin);
	return ask(signer, &request, NULL);
}

int signer_resume(
    struct signer *signer, const char *origin, const struct frontier *sealed, const char *note)
{
	struct buf cleanup_with(buf_fini) request = {0};

	buf_init(&request, FRAME_HEAD + FRAME_MAX);
	frame_begin(&request, OP_RESUME);
	buf_put_str(&request, origin);
	buf_put_str(&request, note);
	buf_put_u64(&request, sealed->size);
	for (unsigned level = 0; level < 64; level++) {
		if (sealed->size >> level & 1)
			buf_put(&request, sealed->roots[level].bytes, DIGEST_LEN);
	}
	return ask(signer, &request, NULL);
}

int signer_sign(struct signer *signer, uint64_t size, const struct digest *leaves, size_t count,
    char ret_note[NOTE_MAX])
{
	struct buf cleanup_with(buf_fini) request = {0};

	if (count == 0 || count > SIGNER_LEAVES_MAX)
		return -EINVAL;
	buf_init(&request, FRAME_HEAD + FRAME_MAX);
	frame_begin(&request, OP_SIGN);
	buf_put_u64(&request, size);
	buf_put_u32(&request, (uint32_t)count);
	buf_put(&request, leaves, count * sizeof(*leaves));
	return ask(signer, &request, ret_note);
}

int signer_establish(struct signer *signer, int keydir)
{
	int cleanup_fd dir = openat(keydir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || renameat(dir, SIGNER_KEY_NEW, dir, SIGNER_KEY) < 0 || fsync(dir) < 0)
		return -errno;
	signer->seed = SIGNER_SEED_ESTABLISHED;
	return 0;
}

void signer_stop(struct signer *signer)
{
	if (signer->pid == 0)
		return;
	close(signer->fd); /* it ends by itself at the end of its requests */
	while (signer->pid > 0 && waitpid(signer->pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (signer->pidfd >= 0)
		close(signer->pidfd);
	*signer = (struct signer){.fd = -1, .pidfd = -1};
}
