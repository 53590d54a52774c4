#include "supervisor/warden/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/environment.h"

#define BYTES_MAX (2 * CELL_ARG_BYTES)

/* ---- where it runs ------------------------------------------------------------------------- */

/* The directory behind the path is still the one that was opened at load. */
static int same_workspace(const struct workspace *workspace, struct err_note *note)
{
	int cleanup_fd fd = open(workspace->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != workspace->dev ||
	    st.st_ino != workspace->ino)
		return err_note(note, PLAN_REFUSED,
		    "%s: is not the directory it was at the policy's load; restore it or reload",
		    workspace->path);
	return 0;
}

/* Opens what the caller calls its current directory. A descriptor, PLAN_REFUSED as -1, -errno. */
static int open_cwd(const struct workspace *workspace, const char *cwd, struct err_note *note)
{
	const char *why;
	int fd;

	if (cwd[0] == '/' && workspace_is_below(workspace->path, cwd))
		cwd += strlen(workspace->path) + strspn(cwd + strlen(workspace->path), "/");
	if (!cwd[0])
		cwd = ".";
	fd = workspace_openat2(workspace->fd, cwd, O_PATH | O_DIRECTORY | O_CLOEXEC,
	    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (fd >= 0)
		return fd;
	switch (fd) {
	case -EXDEV: why = "leads out of the tool's working directory"; break;
	case -ELOOP:
		/* Rules judged the name: it must be the one way there. */
		why = "leads through a symbolic link; name the directory that it leads to";
		break;
	default: why = "no such directory below the tool's working directory"; break;
	}
	return err_note(note, fd, "cwd %s: %s", cwd, why);
}

static int find_cwd(struct plan *plan, int fd, struct err_note *note)
{
	int fault = hashes_stamp(fd, &plan->cwd_stamp);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "cwd"));
	plan->cwd = workspace_path_of(fd);
	if (!plan->cwd || !workspace_is_below(plan->workspace->path, plan->cwd))
		return err_note(
		    note, PLAN_REFUSED, "cwd: was moved out of the tool's working directory");
	return 0;
}

/* ---- what runs ----------------------------------------------------------------------------- */

/* The program's name by the kind of tool: a function's argv is for people only. NULL: refused. */
static const char *name_of(
    const struct tool *tool, const struct plan_input *input, struct err_note *note)
{
	const char *name = input->argv.items[0];

	if (tool->function)
		return tool->function;
	if (tool->client && !strcmp(name, TOOLS_CLIENT))
		return tool->client;
	if (!tool_is_typed(tool->policy) || !strcmp(name, tool->policy->exec.program))
		return name;
	(void)err_note(note, PLAN_REFUSED, "%s: tool %s runs %s and nothing else", name,
	    tool->policy->name, tool->policy->exec.program);
	return NULL;
}

static int find_program(struct plan *plan, const struct tools *tools,
    const struct plan_input *input, struct err_note *note)
{
	const char *name = name_of(plan->tool, input, note);
	uid_t judge;
	int fault;

	if (!name)
		return PLAN_REFUSED;
	judge = tool_owns(plan->tool, name) ? PROGRAM_TRUSTED : tools->tool_uid;
	if (name[0] != '/' && strchr(name, '/'))
		return err_note(note, PLAN_REFUSED,
		    "%s: name a program of the path, or give its absolute path", name);
	fault = program_open(&plan->program, tools->path, name, judge, note);
	switch (fault) {
	case 0: break;
	case -ENOENT: return err_note(note, PLAN_REFUSED, "%s: no such program", name);
	case -EACCES: return PLAN_REFUSED; /* the note is program_open()'s */
	case -ELOOP: return err_note(note, PLAN_REFUSED, "%s: too many interpreters", name);
	default: return err_note_errno(note, err_note(note, fault, "%s", name));
	}
	if (!allowlist_has(plan->tool->allowlist, &plan->program))
		return err_note(note, PLAN_REFUSED, "%s: not among the programs of tool %s", name,
		    plan->tool->policy->name);
	for (uint32_t i = 0; i < plan->program.part_count; i++)
		if (workspace_is_below(plan->workspace->path, plan->program.parts[i].path))
			return err_note(note, PLAN_REFUSED,
			    "%s: lies in the working directory, where the tool could change it",
			    name);
	/* What it is given by name are files to edit or to search. */
	plan->program.data = plan->program.data || plan->tool->function;
	return 0;
}

static int hash_program(struct plan *plan, struct hashes *hashes, struct err_note *note)
{
	for (uint32_t i = 0; i < plan->program.part_count; i++) {
		struct program_part *part = &plan->program.parts[i];
		struct program_stamp stamp;
		int fault = part->read_fd < 0 ? -EACCES
					      : hashes_of(hashes, part->read_fd, TOOLS_PROGRAM_MAX,
						    &stamp, &plan->part_digests[i]);

		if (fault)
			return err_note_errno(note,
			    err_note(note, fault, "%s: cannot be read to be hashed", part->path));
		if (memcmp(&stamp, &part->stamp, sizeof(stamp)))
			return err_note(
			    note, -EAGAIN, "%s: changed while it was read; try again", part->path);
	}
	return 0;
}

/* Copies the shebang's words and the caller's into one block. */
static int join_argv(struct plan *plan, const struct plan_input *input, struct err_note *note)
{
	const char *const *prefix = (const char *const *)plan->program.prefix;
	uint32_t before = 0, skip = prefix ? 1 : 0, count = 0;
	size_t bytes = 0, bytes_all;
	char *next;

	for (; prefix && prefix[before]; before++)
		bytes += strlen(prefix[before]) + 1;
	for (uint32_t i = skip; i < input->argv.count; i++)
		bytes += strlen(input->argv.items[i]) + 1;
	bytes_all = bytes + environment_bytes(plan->env);
	if (bytes_all > CELL_ARG_BYTES)
		return err_note(note, PLAN_REFUSED,
		    "%zu bytes of arguments and environment: at most %d", bytes_all,
		    CELL_ARG_BYTES);
	plan->argv = malloc((before + input->argv.count + 1) * sizeof(char *) + bytes);
	if (!plan->argv)
		return err_note(note, -ENOMEM, "out of memory");
	next = (char *)(plan->argv + before + input->argv.count + 1);
	for (uint32_t i = 0; i < before; i++) {
		plan->argv[count++] = next;
		next = stpcpy(next, prefix[i]) + 1;
	}
	for (uint32_t i = skip; i < input->argv.count; i++) {
		plan->argv[count++] = next;
		next = stpcpy(next, input->argv.items[i]) + 1;
	}
	plan->argv[count] = NULL;
	return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int find_tool(struct plan *plan, const struct planner *planner,
    const struct plan_input *input, struct err_note *note)
{
	if (!digest_equal(&input->policy, &planner->tools->config->version))
		return err_note(note, PLAN_VOID, "the policy was reloaded since this was decided");
	plan->tool = tools_find(planner->tools, input->tool);
	if (!plan->tool)
		return err_note(note, PLAN_REFUSED, "%s: no such tool", input->tool);
	plan->workspace = tools_workspace(planner->tools, plan->tool, input->space);
	if (!plan->workspace)
		return err_note(note, PLAN_REFUSED, "%s: no such namespace", input->space);
	if (!input->argv.count || !input->argv.items[0][0])
		return err_note(note, PLAN_REFUSED, "no program is named");
	return same_workspace(plan->workspace, note);
}

static int make(const struct planner *planner, const struct plan_input *input, struct plan *plan,
    struct err_note *note)
{
	struct buf cleanup_with(buf_fini) bytes;
	int cleanup_fd cwd = -1;
	int fault = find_tool(plan, planner, input, note);

	buf_init(&bytes, BYTES_MAX);
	if (fault)
		return fault;
	cwd = open_cwd(plan->workspace, input->cwd, note);
	if (cwd < 0)
		return PLAN_REFUSED;
	fault = find_cwd(plan, cwd, note);
	if (!fault)
		fault = plan_paths_check(input, cwd, note);
	if (!fault)
		fault = find_program(plan, planner->tools, input, note);
	if (!fault)
		fault = hash_program(plan, planner->hashes, note);
	if (!fault)
		fault = plan_files_find(plan, planner, input, cwd, note);
	if (!fault)
		fault = environment_make(planner->tools, plan->tool, &plan->env, note);
	if (!fault)
		fault = join_argv(plan, input, note);
	if (fault)
		return fault;
	fault = plan_bytes(&bytes, planner, input, plan);
	if (!fault)
		fault = digest_of(&plan->digest, bytes.data, bytes.len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "the plan's digest"));
	return 0;
}

int plan_make(const struct planner *planner, const struct plan_input *input, struct plan *ret,
    struct err_note *note)
{
	struct plan plan = {.script = {.fd = -1}};
	int fault = make(planner, input, &plan, note);

	if (fault) {
		plan_fini(&plan);
		return fault;
	}
	*ret = plan;
	return 0;
}

static int recheck(
    int fd, const struct program_stamp *stamp, const char *path, struct err_note *note)
{
	struct program_stamp now;
	int fault = hashes_stamp(fd, &now);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s", path));
	if (memcmp(&now, stamp, sizeof(now)))
		return err_note(note, -ESTALE, "%s: changed between decision and start", path);
	return 0;
}

int plan_recheck(const struct plan *plan, struct err_note *note)
{
	for (uint32_t i = 0; i < plan->program.part_count; i++) {
		const struct program_part *part = &plan->program.parts[i];
		int fault = recheck(part->fd, &part->stamp, part->path, note);

		if (fault)
			return fault;
	}
	if (plan->script.path) {
		int fault = recheck(plan->script.fd, &plan->script.stamp, plan->script.path, note);

		if (fault)
			return fault;
	}
	return plan_files_recheck(plan, note);
}

void plan_fini(struct plan *plan)
{
	program_fini(&plan->program);
	plan_files_fini(&plan->files);
	cleanup_fd_(&plan->script.fd);
	free(plan->script.path);
	free(plan->argv);
	environment_free(plan->env);
	free(plan->cwd);
	memset(plan, 0, sizeof(*plan));
	plan->script.fd = -1;
}
