/*
 * How this host stands, found out once at the daemon's start.
 */
#include "sandbox/cell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/landlock.h"
#include "sandbox/refusal.h"

/* Far above what adduser, systemd and subordinate ranges hand out. */
#define CELL_UID_FIRST 0x70000000U
#define CELL_UID_COUNT 4096U

#define TRY_MS         10000

/* Is every uid of the machine mapped here, one to one? */
static bool in_first_namespace(void)
{
	int cleanup_fd fd = open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC);
	unsigned inside = 1, outside = 1, count = 0;
	char text[256];
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	text[len] = '\0';
	return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 && inside == 0 &&
	       outside == 0 && count == UINT32_MAX;
}

static int write_file(const char *path, const char *text, int len)
{
	int cleanup_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd_write_all(fd, text, (size_t)len);
}

/* setgroups must be given up before an ordinary user may map his group (user_namespaces(7)). */
static int map_self(uid_t uid, gid_t gid)
{
	char line[64];
	int r = write_file("/proc/self/setgroups", "deny", 4);

	if (r == 0)
		r = write_file("/proc/self/gid_map", line,
		    snprintf(line, sizeof(line), "%u %u 1\n", gid, gid));
	if (r == 0)
		r = write_file("/proc/self/uid_map", line,
		    snprintf(line, sizeof(line), "%u %u 1\n", uid, uid));
	return r;
}

/* The map files belong to root while a process is not dumpable; so it is, for a moment. */
static int enter_own_namespace(const struct cell_host *host, struct err_note *note)
{
	int dumpable = prctl(PR_GET_DUMPABLE);
	struct refusal why;
	int r;

	refusal_read("/proc", &why);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return refusal_userns(&why, -errno, note);
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return err_note(note, -errno, "sandbox: cannot become dumpable for the id maps");
	r = map_self(host->uid, host->gid);
	if (prctl(PR_SET_DUMPABLE, dumpable == 1) < 0)
		return err_note(note, -errno, "sandbox: cannot become undumpable again");
	if (r == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		r = -errno;
	return r == 0 ? 0 : refusal_rights(&why, r, note);
}

/* Asks for nothing: EINVAL or EBADF come from a kernel that has the call (5.12). */
static bool knows_mount_setattr(void)
{
	return mount_setattr(-1, "", AT_EMPTY_PATH, NULL, 0) < 0 && errno != ENOSYS;
}

void cell_look(struct cell_host *ret_host)
{
	struct cell_host host = {.uid = geteuid(), .gid = getegid()};
	int abi = landlock_abi();
	struct refusal why;

	refusal_read("/proc", &why);
	host.filtered = why.filtered;
	host.root = host.uid == 0 && in_first_namespace();
	host.landlock_abi = abi > 0 ? (uint32_t)abi : 0;
	host.landlock_fault = abi < 0 ? abi : 0;
	if (host.root) {
		host.cell_uid_first = CELL_UID_FIRST;
		host.cell_uid_count = CELL_UID_COUNT;
		host.idmap = true;
	}
	*ret_host = host;
}

int cell_setup(struct cell_host *ret_host, struct err_note *note)
{
	struct cell_host host;
	int r = 0;

	if (!knows_mount_setattr())
		return err_note(note, -ENOSYS,
		    "sandbox: this kernel has no mount_setattr(2); use Linux 5.14 or newer");
	cell_look(&host);
	if (!host.root)
		r = enter_own_namespace(&host, note);
	if (r < 0)
		return r;
	*ret_host = host;
	return 0;
}

/* ---- a look ahead ---------------------------------------------------------------------------- */

static int prepare_one(struct err_note *note)
{
	struct zygote zygote = {.sock = -1, .pid = -1, .pidfd = -1};
	struct pollfd answer = {.events = POLLIN};
	struct cell_host host;
	struct cell cell;
	int r = cell_setup(&host, note);

	if (r == 0)
		r = zygote_start(&host, &zygote, note);
	if (r == 0)
		r = zygote_ask(&zygote, 0);
	answer.fd = zygote.sock;
	if (r == 0 && poll(&answer, 1, TRY_MS) != 1)
		r = err_note(note, -ETIMEDOUT, "sandbox: none was prepared in time");
	if (r == 0)
		r = zygote_take(&zygote, &cell, note);
	if (r == 0) {
		(void)cell_kill(&cell);
		cell_close(&cell);
	}
	zygote_stop(&zygote);
	return r;
}

static _Noreturn void try_and_tell(int fd)
{
	struct err_note note = {""};
	int r = prepare_one(&note);

	if (r < 0 && !note.text[0])
		(void)err_note(&note, r, "sandbox: %s", strerror(-r));
	_exit(fd_write_all(fd, note.text, strlen(note.text)) < 0 || r < 0);
}

int cell_try(struct err_note *note)
{
	struct err_note said = {""};
	int pair[2], status = 0;
	ssize_t len;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return err_note_errno(note, err_note(note, -errno, "sandbox: pipe"));
	pid = fork();
	if (pid == 0)
		try_and_tell(pair[1]);
	close(pair[1]);
	len = pid < 0 ? -1 : read(pair[0], said.text, sizeof(said.text) - 1);
	close(pair[0]);
	if (pid < 0)
		return err_note_errno(note, err_note(note, -EAGAIN, "sandbox: fork"));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return err_note(note, -ENOTSUP, "%s",
	    len > 0 ? said.text : "sandbox: the attempt died; see the kernel log");
}
