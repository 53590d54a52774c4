/*
 * The zygote: a fork of the warden that has given up everything but one socket, lives in the
 * template root, and clones cells on request. CLONE_PARENT makes them the warden's children, so
 * that it alone reaps them and no pid can be used again behind its back.
 */
#include "sandbox/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/enter.h"

#define ZYGOTE_SOCK 3

struct zygote_self {
	struct entry pattern; /* what every cell starts from */
	struct seccomp_program known;
	struct seccomp_program refused;
};

/* ---- becoming the zygote --------------------------------------------------------------------- */

/* First of all, so that any fault can be told: the socket to its number, all else closed. */
static int keep_socket(int sock)
{
	int r = fd_move(&sock, ZYGOTE_SOCK);

	if (r == 0 && fcntl(ZYGOTE_SOCK, F_SETFD, FD_CLOEXEC) < 0)
		r = -errno;
	return r == 0 ? fd_close_from(ZYGOTE_SOCK + 1) : r;
}

/* The address in a field of /proc/self/stat, counted from 1 as in proc_pid_stat(5); 0: none. The
 * program's name, field 2, may hold anything but ends with the last bracket. */
static uintptr_t address_in(const char *stat, int field)
{
	const char *at = strrchr(stat, ')');

	for (int i = 2; at && i < field; i++) {
		at = strchr(at, ' ');
		at = at ? at + 1 : NULL;
	}
	return at ? (uintptr_t)strtoull(at, NULL, 10) : 0;
}

/* A cell's first process is a copy of the daemon, and /proc/1/cmdline is read by every program in
 * there: paths of the host are none of its business. */
static int forget_command_line(void)
{
	static const char title[] = "callgate-cell";
	char stat[2048];
	int cleanup_fd file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	ssize_t len = file < 0 ? -1 : read(file, stat, sizeof(stat) - 1);
	uintptr_t begin, end;
	size_t size;

	if (len < 0)
		return -errno;
	stat[len] = '\0';
	begin = address_in(stat, 48);
	end = address_in(stat, 49);
	if (!begin || end <= begin)
		return -ENODATA;
	size = end - begin;
	memset((void *)begin, 0, size);
	memcpy((void *)begin, title, size > sizeof(title) ? sizeof(title) : size - 1);
	return 0;
}

/* What the warden had set up for itself must not reach a tool: handlers, masks, terminals. */
static int shed(void)
{
	int cleanup_fd null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	if (null < 0)
		return -errno;
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL); /* KILL, STOP and glibc's own cannot be set */
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &none, NULL) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0) < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -errno;
	return 0;
}

static int build_filters(struct zygote_self *self)
{
	const struct walls *walls = &self->pattern.walls;
	const char *extra = wall_is_off(walls, LAYER_MEMFD) ? "memfd_create" : NULL;
	int r = seccomp_build(SECCOMP_SET_KNOWN, extra, &self->known);

	if (r == 0)
		r = seccomp_build(SECCOMP_SET_REFUSED, NULL, &self->refused);
	if (r == 0)
		r = seccomp_build(SECCOMP_SET_NO_WX, NULL, &self->pattern.no_wx);
	return r == 0 ? seccomp_build(SECCOMP_SET_LAST, NULL, &self->pattern.last) : r;
}

/* The large filters are walked once per call number when they are loaded; loaded here, every cell
 * has them for nothing. */
static int load_filters(struct zygote_self *self)
{
	int r;

	if (wall_is_off(&self->pattern.walls, LAYER_SECCOMP))
		return 0;
	r = seccomp_load_program(&self->refused);
	if (r == 0)
		r = seccomp_load_program(&self->known);
	self->pattern.filtered = r == 0;
	return r;
}

static int drop_groups(const struct entry *pattern)
{
	if (!pattern->host.root || wall_is_off(&pattern->walls, LAYER_GROUPS))
		return 0;
	return setgroups(0, NULL) < 0 ? -errno : 0;
}

static int become_zygote(struct zygote_self *self, struct err_note *note)
{
	int r = forget_command_line();

	if (r == 0)
		r = shed();
	if (r == 0)
		r = drop_groups(&self->pattern);
	if (r == 0)
		r = namespaces_record(self->pattern.outer_ns);
	if (r == 0)
		r = build_filters(self);
	if (r < 0)
		return err_note_errno(
		    note, err_note(note, r,
			      "sandbox: the zygote cannot start; it needs /dev/null and /proc"));
	/* Ahead of everything that is executed or loaded from here on, in all cells. */
	if (!wall_is_off(&self->pattern.walls, LAYER_NNP) &&
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_note(note, -errno, "sandbox: no_new_privs is refused; check the kernel");
	r = rootfs_template(&self->pattern.walls, note);
	if (r < 0)
		return r;
	r = load_filters(self);
	if (r < 0)
		return err_note_errno(note,
		    err_note(note, r, "sandbox: no seccomp filter; needs CONFIG_SECCOMP_FILTER"));
	return 0;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* What came of one request. */
struct birth {
	uint32_t slot;
	pid_t pid;
	int pidfd;
	int sock; /* the warden's end */
};

/* clone(2), not clone3(2): the filter that the zygote carries cannot see into clone3. The child
 * is told apart by the return value, as with fork. */
static pid_t clone_cell(const struct walls *walls, int *ret_pidfd)
{
	unsigned long flags = (unsigned)namespaces_flags(walls) | CLONE_PARENT | CLONE_PIDFD;

	return (pid_t)syscall(SYS_clone, flags, NULL, ret_pidfd, NULL, 0UL);
}

static _Noreturn void be_cell(struct zygote_self *self, const struct birth *birth, int pair[2])
{
	struct entry *entry = &self->pattern;

	close(pair[0]);
	close(ZYGOTE_SOCK);
	entry->sock = pair[1];
	entry->slot = birth->slot;
	if (entry->host.root) {
		entry->uid = entry->host.cell_uid_first + birth->slot;
		entry->gid = entry->uid;
	}
	enter_cell(entry);
}

/* An ordinary user's cell maps itself; one of root cannot, its uid is not the one it was born
 * with. Root's cell waits for this word in any case. */
static int tell_mapped(const struct zygote_self *self, const struct birth *birth)
{
	const struct cell_host *host = &self->pattern.host;
	uid_t uid = host->cell_uid_first + birth->slot;
	struct buf out;
	int r = 0;

	if (!host->root)
		return 0;
	if (!wall_is_off(&self->pattern.walls, LAYER_USERNS))
		r = namespaces_map(birth->pid, uid, uid);
	if (r < 0)
		return r;
	wire_begin(&out, WIRE_MAPPED);
	return wire_send(birth->sock, &out, NULL, 0);
}

static void answer_failed(const struct birth *birth, const struct wire_failure *failure)
{
	struct buf out;

	wire_begin(&out, WIRE_FAILED);
	wire_put_failure(&out, failure);
	(void)buf_put_u32(&out, birth->slot);
	if (wire_send(ZYGOTE_SOCK, &out, &birth->pidfd, birth->pidfd >= 0) < 0)
		_exit(1);
}

/* Hands on what the cell says of its preparation: the warden learns of a cell when it is ready. */
static void answer_prepared(const struct birth *birth, struct wire_message *message)
{
	const int fds[2] = {birth->sock, birth->pidfd};
	struct attestation have;
	struct buf out;

	wire_get_attestation(&message->body, &have);
	wire_begin(&out, WIRE_PREPARED);
	wire_put_attestation(&out, &have);
	(void)buf_put_u32(&out, birth->slot);
	(void)buf_put_u32(&out, (uint32_t)birth->pid);
	if (wire_send(ZYGOTE_SOCK, &out, fds, 2) < 0)
		_exit(1);
}

static void answer(const struct birth *birth)
{
	struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
	struct wire_failure failure = {.error = ECHILD};

	(void)err_note(&failure.note, 0,
	    "cell: it died while being prepared; see the kernel log for seccomp or memory kills");
	if (wire_receive(birth->sock, &message) == 0) {
		if (message.kind == WIRE_PREPARED) {
			answer_prepared(birth, &message);
			return;
		}
		if (message.kind == WIRE_FAILED)
			wire_get_failure(&message.body, &failure);
	}
	answer_failed(birth, &failure);
}

static const char *remedy_of(int fault)
{
	switch (fault) {
	case -EAGAIN: return "raise the process limit of this user (ulimit -u, TasksMax=)";
	case -ENOSPC: return "sysctl -w user.max_user_namespaces=15000";
	case -EPERM:
		return "check kernel.unprivileged_userns_clone, "
		       "kernel.apparmor_restrict_unprivileged_userns and the container's seccomp";
	case -EMFILE:
	case -ENFILE: return "raise the limit of open files (ulimit -n, LimitNOFILE=)";
	default: return "check user.max_user_namespaces, memory and the limits of this user";
	}
}

static void refuse(const struct birth *birth, int fault, const char *what)
{
	struct wire_failure failure = {.error = -fault};

	(void)err_note(
	    &failure.note, fault, "%s: %s; %s", what, strerror(-fault), remedy_of(fault));
	answer_failed(birth, &failure);
}

static void make_cell(struct zygote_self *self, uint32_t slot)
{
	struct birth birth = {.slot = slot, .pid = -1, .pidfd = -1, .sock = -1};
	int pair[2] = {-1, -1};
	int r = fd_pair(pair);

	if (r < 0) {
		refuse(&birth, r, "cell socket");
		return;
	}
	birth.sock = pair[0];
	birth.pid = clone_cell(&self->pattern.walls, &birth.pidfd);
	if (birth.pid == 0)
		be_cell(self, &birth, pair);
	r = birth.pid < 0 ? -errno : 0;
	close(pair[1]);
	if (r < 0) {
		refuse(&birth, r, "clone of a cell");
	} else {
		r = tell_mapped(self, &birth);
		/* It would not hear: its last words say why. */
		if (r == 0 || r == -EPIPE)
			answer(&birth);
		else
			refuse(&birth, r, "id map of a cell");
		close(birth.pidfd);
	}
	close(pair[0]);
}

static _Noreturn void serve(struct zygote_self *self)
{
	for (;;) {
		struct wire_message message = {.fd_count = 0};
		uint32_t slot;

		if (wire_expect(ZYGOTE_SOCK, WIRE_ASK, &message) < 0)
			_exit(0); /* the warden is gone, or speaks nonsense */
		slot = reader_u32(&message.body);
		wire_fini(&message);
		if (reader_end(&message.body) < 0)
			_exit(1);
		make_cell(self, slot);
	}
}

_Noreturn void zygote_run(const struct cell_host *host, int sock)
{
	struct zygote_self self = {
	    .pattern = {
		.host = *host, .uid = host->uid, .gid = host->gid, .sock = -1, .ruleset = -1}};
	struct err_note note = {.text = ""};
	struct buf out;
	int r;

	walls_read(&self.pattern.walls);
	if (keep_socket(sock) < 0)
		_exit(1); /* and the warden sees the end of it */
	r = become_zygote(&self, &note);
	wire_begin(&out, r == 0 ? WIRE_READY : WIRE_FAILED);
	if (r < 0)
		wire_put_failure(&out, &(struct wire_failure){.error = -r, .note = note});
	if (wire_send(ZYGOTE_SOCK, &out, NULL, 0) < 0 || r < 0)
		_exit(1);
	serve(&self);
}
