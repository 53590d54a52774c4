#include "supervisor/warden/overlays_try.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/layer.h"
#include "sandbox/cell.h"

#define SAID_MAX 16384

static bool any_overlay(const struct tools *tools)
{
	bool any = false;

	for (uint32_t i = 0; i < tools->count; i++)
		any = any || tools->items[i].overlay;
	return any;
}

static void say(struct buf *said, const struct tools *tools, const struct tool *tool,
    const struct err_note *note)
{
	(void)buf_textf(said, "%s:%u:%u: tool %s: every call is refused here: %s\n",
	    tools->config->file, tool->policy->sandbox.pos.line, tool->policy->sandbox.pos.column,
	    tool->policy->name, note->text);
}

/* One over this workspace, in a mount namespace of its own: the places of the last are gone. */
static int try_one(bool root, const char *workspace, struct err_note *note)
{
	const struct layer_spec spec = {.root = root, .disk = 65536, .inodes = 16};
	int cleanup_fd lower =
	    (int)syscall(SYS_open_tree, AT_FDCWD, workspace, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int cleanup_fd upper = -1, mount = -1;
	int fault = lower < 0 ? -errno : 0;

	if (!fault && unshare(CLONE_NEWNS) < 0)
		fault = -errno;
	if (!fault)
		fault = layer_enter_root();
	if (fault)
		return err_note_errno(note, err_note(note, fault, "overlay: %s", workspace));
	fault = layer_probe(root, note);
	return fault ? fault : layer_make(&spec, lower, &upper, &mount, note);
}

static void try_apart(bool root, const char *workspace, struct err_note *note)
{
	int pair[2];
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		(void)err_note_errno(note, err_note(note, -errno, "overlay: a process to try it"));
		return;
	}
	if (pid == 0) {
		(void)try_one(root, workspace, note);
		_exit(fd_write_all(pair[1], note->text, strlen(note->text)) < 0);
	}
	close(pair[1]);
	(void)!read(pair[0], note->text, sizeof(note->text) - 1);
	close(pair[0]);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static bool is_tried(const struct tools *tools, uint32_t i, uint32_t k)
{
	const struct tool *tool = &tools->items[i];
	bool tried = false;

	for (uint32_t j = 0; j < k; j++)
		tried = tried || !strcmp(tool->workspaces[j].path, tool->workspaces[k].path);
	return tried;
}

/* The first that cannot be is told of each tool. */
static void try_all(const struct tools *tools, bool root, struct buf *said)
{
	for (uint32_t i = 0; i < tools->count; i++) {
		struct err_note note = {""};

		for (uint32_t k = 0; tools->items[i].overlay && !note.text[0] && k < tools->spaces;
		     k++)
			if (!is_tried(tools, i, k))
				try_apart(root, tools->items[i].workspaces[k].path, &note);
		if (note.text[0])
			say(said, tools, &tools->items[i], &note);
	}
}

static _Noreturn void work(const struct tools *tools, bool set_up, int out)
{
	struct buf cleanup_with(buf_fini) said = {0};
	struct err_note note = {""};
	struct cell_host host;
	int fault = 0;

	buf_init(&said, SAID_MAX);
	cell_look(&host);
	if (!set_up)
		fault = cell_setup(&host, &note);
	if (!fault) /* else nothing at all can run here, which is said elsewhere */
		try_all(tools, host.root, &said);
	_exit(fd_write_all(out, said.data, said.len) < 0);
}

void overlays_try(const struct tools *tools, bool set_up, struct buf *warnings)
{
	int cleanup_fd memory = any_overlay(tools) ? memfd_create("said", MFD_CLOEXEC) : -1;
	char *cleanup_free said = NULL;
	size_t len = 0;
	pid_t pid;

	if (memory < 0)
		return;
	pid = fork();
	if (pid == 0)
		work(tools, set_up, memory);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (lseek(memory, 0, SEEK_SET) == 0 && fd_read_all(memory, SAID_MAX, &said, &len) == 0)
		(void)buf_put(warnings, said, len);
}
