/*
 * The keeper's process: a table of overlays, a list of children at work, one poll(2). Mounts are
 * made here at once; everything that reads or writes files for long is a child's, which answers on
 * the same socket. A child that ends without a word is answered for.
 */
#include "supervisor/warden/keeper/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/diff.h"
#include "supervisor/warden/keeper/jobs.h"
#include "supervisor/warden/keeper/layer.h"
#include "supervisor/warden/keeper/order.h"
#include "sandbox/self.h"

#define SOCK     3
#define SAVED    4
#define JOBS_MAX KEEPER_MAX

/* One overlay; id 0: a free place. */
struct kept {
	uint32_t id;
	int upper;
	int workspace;
	struct timespec since;
};

struct job {
	pid_t pid; /* 0: a free place */
	int pidfd;
	uint64_t until_us;
	struct keeper_ask ask;
};

struct keeping {
	bool root;
	struct kept kept[KEEPER_MAX];
	struct job jobs[JOBS_MAX];
};

/* What came with a request. */
struct handed {
	int fds[KEEPER_FDS_MAX];
	size_t count;
};

static void tell(const struct keeper_told *told, int fd)
{
	if (fd_send(SOCK, told, sizeof(*told), &fd, fd >= 0 ? 1 : 0))
		_exit(0); /* the warden is gone */
}

static struct keeper_told answer_to(const struct keeper_ask *ask)
{
	return (struct keeper_told){
	    .op = ask->op, .id = ask->id, .serial = ask->serial, .status = ANSWER_UNAVAILABLE};
}

static void refuse(const struct keeper_ask *ask, const char *why)
{
	struct keeper_told told = answer_to(ask);

	(void)err_note(&told.note, 0, "%s", why);
	tell(&told, -1);
}

/* ---- overlays -------------------------------------------------------------------------------- */

static struct kept *find(struct keeping *self, uint32_t id)
{
	for (size_t i = 0; i < KEEPER_MAX; i++)
		if (self->kept[i].id == id)
			return &self->kept[i];
	return NULL;
}

static void make(struct keeping *self, const struct keeper_ask *ask, struct handed *handed)
{
	const struct layer_spec spec = {.root = self->root,
	    .exec = ask->exec,
	    .disk = ask->disk,
	    .inodes = ask->inodes,
	    .uid = ask->uid,
	    .gid = ask->gid};
	struct keeper_told told = answer_to(ask);
	struct kept *kept = find(self, 0);
	int cleanup_fd mount = -1;

	if (!ask->id || find(self, ask->id) || !kept || handed->count != 2) {
		refuse(ask, "overlay: there are too many at once");
		return;
	}
	/* File times come from this clock. */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &kept->since) < 0 ||
	    layer_make(&spec, handed->fds[0], &kept->upper, &mount, &told.note)) {
		tell(&told, -1);
		return;
	}
	kept->id = ask->id;
	kept->workspace = take_fd(&handed->fds[1]);
	told.status = ANSWER_OK;
	tell(&told, mount);
}

static void drop(struct keeping *self, uint32_t id)
{
	struct kept *kept = id ? find(self, id) : NULL;

	if (!kept)
		return;
	cleanup_fd_(&kept->upper);
	cleanup_fd_(&kept->workspace);
	*kept = (struct kept){.upper = -1, .workspace = -1};
}

/* ---- children -------------------------------------------------------------------------------- */

static uint64_t bytes_used(int folder)
{
	struct statfs st;

	return fstatfs(folder, &st) < 0
		   ? 0
		   : (uint64_t)(st.f_blocks - st.f_bfree) * (uint64_t)st.f_bsize;
}

/* Reads it all before a word is said: a list is whole or it is not there. */
static int do_diff(const struct keeping *self, const struct kept *kept, struct keeper_told *told)
{
	const struct diff_spec spec = {.upper = kept->upper,
	    .lower = kept->workspace,
	    .opaque = self->root ? LAYER_OPAQUE_ROOT : LAYER_OPAQUE_USER,
	    .since = kept->since};
	struct effects cleanup_with(diff_free) list = {.count = 0};
	struct buf cleanup_with(buf_fini) out;
	int fault = diff_make(&spec, &list, &told->note);
	int fd = -1;

	if (fault)
		return -1;
	buf_init(&out, JOB_LIST_MAX);
	told->count = list.count;
	told->used = bytes_used(kept->upper);
	fault = effects_encode(&out, &list);
	if (!fault && list.count)
		fault = fd = fd_sealed("callgate-effects", out.data, out.len);
	if (fault < 0) {
		(void)err_note_errno(
		    &told->note, err_note(&told->note, fault, "the list of changes"));
		return -1;
	}
	told->status = ANSWER_OK;
	return fd;
}

static int take_result(struct keeper_told *told, struct job_result *result)
{
	int fd = -1;

	told->status = result->status;
	told->note = result->note;
	told->count = result->count;
	told->commits = result->commits;
	told->effects = result->effects;
	memcpy(told->call, result->call, sizeof(told->call));
	if (result->out.fault || !result->out.len)
		return -1;
	fd = fd_sealed("callgate-effects", result->out.data, result->out.len);
	return fd < 0 ? -1 : fd;
}

/* COMMIT, UNDO, LOOK and RECOVER, each behind its walls. */
static int do_write(const struct kept *kept, const struct keeper_ask *ask,
    const struct handed *handed, struct keeper_told *told)
{
	struct job_result result = {.status = ANSWER_UNAVAILABLE};
	struct commit_places places = {.workspace = kept ? kept->workspace : handed->fds[0],
	    .upper = kept ? kept->upper : -1,
	    .saved = SAVED};
	bool reads = ask->op == KEEPER_LOOK;
	const int read[2] = {places.upper, reads ? places.workspace : -1};
	const int write[2] = {reads ? -1 : places.workspace, reads ? -1 : SAVED};
	struct order order;
	int fault = order_read(&order, ask, handed->fds, handed->count);

	if (!fault)
		fault = job_confine(read, write);
	if (fault) {
		(void)err_note_errno(&told->note, err_note(&told->note, fault, "the keeper"));
		return -1;
	}
	buf_init(&result.out, JOB_LIST_MAX);
	if (ask->op == KEEPER_COMMIT)
		commit_make(&places, &order.commit, &result);
	else if (ask->op == KEEPER_UNDO_ALL)
		undo_make(&places, &order.commit, &result);
	else if (ask->op == KEEPER_LOOK)
		look_make(&places, order.paths.count ? order.paths.items[0] : "", &result);
	else
		undo_recover(&places, &result);
	return take_result(told, &result);
}

static _Noreturn void work(const struct keeping *self, const struct kept *kept,
    const struct keeper_ask *ask, const struct handed *handed)
{
	struct keeper_told told = answer_to(ask);
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = ask->op == KEEPER_DIFF ? do_diff(self, kept, &told)
				    : do_write(kept, ask, handed, &told);
	tell(&told, fd);
	_exit(0);
}

static bool is_whole(const struct keeper_ask *ask, const struct kept *kept, size_t fds)
{
	switch ((enum keeper_op)ask->op) {
	case KEEPER_DIFF: return kept && fds == 0;
	case KEEPER_COMMIT: return kept && fds == 2;
	case KEEPER_LOOK: return kept && fds == 1;
	case KEEPER_UNDO_ALL: return fds == 2;
	case KEEPER_RECOVER: return fds == 1;
	case KEEPER_NONE:
	case KEEPER_MAKE:
	case KEEPER_DROP:
	case KEEPER_OP_COUNT: break;
	}
	return false;
}

static void begin(struct keeping *self, const struct keeper_ask *ask, struct handed *handed)
{
	const struct kept *kept = ask->id ? find(self, ask->id) : NULL;
	struct job *job = self->jobs;

	while (job < self->jobs + JOBS_MAX && job->pid)
		job++;
	if (!is_whole(ask, kept, handed->count) || job == self->jobs + JOBS_MAX) {
		refuse(ask, "nothing like that is held");
		return;
	}
	/* Not fork(): libuv's handler would close the numbers that its pipe had in the warden. */
	job->pid = _Fork();
	if (job->pid == 0)
		work(self, kept, ask, handed);
	job->pidfd = job->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, job->pid, 0);
	if (job->pidfd < 0) {
		if (job->pid > 0)
			(void)kill(job->pid, SIGKILL);
		job->pid = 0;
		refuse(ask, "the keeper cannot start a process; check the process limit");
		return;
	}
	job->ask = *ask;
	job->until_us = clock_monotonic_us() + KEEPER_WORK_MS * UINT64_C(1000);
}

static void look_after(struct job *job, bool ended)
{
	int status = 0;

	if (!ended) {
		if (clock_monotonic_us() > job->until_us)
			(void)kill(job->pid, SIGKILL);
		return;
	}
	while (waitpid(job->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		refuse(&job->ask, "it took too long, or broke, and was ended");
	cleanup_fd_(&job->pidfd);
	job->pid = 0;
}

/* ---- the process ----------------------------------------------------------------------------- */

static void serve_one(struct keeping *self)
{
	struct handed handed = {{-1, -1}, 0};
	struct keeper_ask ask;

	if (fd_receive(SOCK, &ask, sizeof(ask), handed.fds, KEEPER_FDS_MAX, &handed.count) !=
	    sizeof(ask))
		_exit(0); /* the warden is gone */
	ask.call[CALL_ID_MAX] = '\0';
	if (ask.op == KEEPER_MAKE)
		make(self, &ask, &handed);
	else if (ask.op == KEEPER_DROP)
		drop(self, ask.id);
	else
		begin(self, &ask, &handed);
	for (size_t i = 0; i < handed.count; i++)
		cleanup_fd_(&handed.fds[i]);
}

static _Noreturn void serve(struct keeping *self)
{
	for (;;) {
		struct pollfd fds[1 + JOBS_MAX] = {{.fd = SOCK, .events = POLLIN}};
		struct job *jobs[JOBS_MAX];
		nfds_t count = 0;

		for (size_t i = 0; i < JOBS_MAX; i++)
			if (self->jobs[i].pid) {
				jobs[count] = &self->jobs[i];
				fds[1 + count++] =
				    (struct pollfd){.fd = self->jobs[i].pidfd, .events = POLLIN};
			}
		if (poll(fds, 1 + count, count ? 1000 : -1) < 0)
			continue;
		for (nfds_t i = 0; i < count; i++)
			look_after(jobs[i], fds[1 + i].revents != 0);
		if (fds[0].revents)
			serve_one(self);
	}
}

static int shed(pid_t parent)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || setpgid(0, 0) < 0 || self_start())
		return -errno;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NAME, "callgate-keeper"); /* for ps; nothing hangs on it */
	return getppid() == parent ? 0 : -ESRCH;
}

static int take_places(int sock, int saved)
{
	int copy = dup(saved); /* above both numbers, or moved there */
	int fault = copy < 0 ? -errno : 0;

	if (!fault && sock == SAVED) {
		sock = fcntl(sock, F_DUPFD, 10);
		fault = sock < 0 ? -errno : 0;
	}
	if (!fault && copy == SOCK)
		fault = (copy = fcntl(copy, F_DUPFD, 10)) < 0 ? -errno : 0;
	if (!fault)
		fault = fd_move(&sock, SOCK);
	if (!fault)
		fault = fd_move(&copy, SAVED);
	return fault ? fault : fd_close_from(SAVED + 1);
}

_Noreturn void keeper_run(int sock, int saved, bool root, pid_t parent)
{
	struct keeper_told ready = {.status = ANSWER_UNAVAILABLE};
	struct keeping *self = calloc(1, sizeof(*self));
	int fault = take_places(sock, saved);

	if (fault || !self || shed(parent))
		_exit(1);
	self->root = root;
	for (size_t i = 0; i < KEEPER_MAX; i++)
		self->kept[i].upper = self->kept[i].workspace = -1;
	umask(0);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		fault = -errno;
	if (!fault)
		fault = layer_enter_root();
	if (fault)
		(void)err_note_errno(&ready.note,
		    err_note(&ready.note, fault, "overlay: the keeper has no mounts of its own"));
	else if (!layer_probe(root, &ready.note))
		ready.status = ANSWER_OK;
	if (keeper_confine())
		_exit(1);
	tell(&ready, -1);
	serve(self);
}
