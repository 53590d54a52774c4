/* ARM: a plan becomes mounts, descriptors, rules and limits of one cell. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/launch_own.h"
#include "sandbox/refusal.h"

#define RUN_ACCESS (LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE)

struct arming {
	int mount;
	int out[2], err[2], in[2];
	int gate[2]; /* the tool's end, front's */
	const char **bind_paths;
	int *bind_mounts;
	uint32_t bind_count;
	struct cell_rule *rules; /* only where the allowlist's own do not do */
	uint32_t rule_count;
};

static void arming_fini(struct arming *arming)
{
	int *fds[] = {&arming->mount, &arming->out[0], &arming->out[1], &arming->err[0],
	    &arming->err[1], &arming->in[0], &arming->in[1], &arming->gate[0], &arming->gate[1]};

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		cleanup_fd_(fds[i]);
	for (uint32_t i = 0; i < arming->bind_count; i++)
		cleanup_fd_(&arming->bind_mounts[i]);
	free(arming->bind_mounts);
	free(arming->bind_paths);
	free(arming->rules);
}

/* Takes the mount, which may be a fault. */
static int add_bind(struct arming *arming, const char *path, int mount, struct err_note *note)
{
	if (mount < 0)
		return err_note_errno(note, err_note(note, mount, "%s: cannot be mounted", path));
	arming->bind_paths[arming->bind_count] = path;
	arming->bind_mounts[arming->bind_count++] = mount;
	return 0;
}

static bool is_bound(const struct arming *arming, const char *path)
{
	for (uint32_t i = 0; i < arming->bind_count; i++)
		if (workspace_is_below(arming->bind_paths[i], path))
			return true;
	return false;
}

/* What a cell has anyway. */
static bool is_inside(const char *path)
{
	return workspace_is_below("/usr", path) || workspace_is_below("/etc", path);
}

/* These binds run code, so they may show nothing of the workspace: a place in it is left out (no
 * program of a workspace is ever planned), and over one around it the workspace is mounted. */
static int add_programs(struct arming *arming, const struct plan *plan, struct err_note *note)
{
	const struct tool_outside *outside = &plan->tool->outside;
	const char *workspace = plan->workspace->path;
	int fault = 0;

	for (uint32_t i = 0; !fault && i < outside->count; i++)
		if (!workspace_is_below(workspace, outside->paths[i]))
			fault = add_bind(
			    arming, outside->paths[i], cell_mount_program(outside->fds[i]), note);
	for (uint32_t i = 0; !fault && i < plan->program.part_count; i++) {
		const struct program_part *part = &plan->program.parts[i];

		if (!is_inside(part->path) && !is_bound(arming, part->path))
			fault = add_bind(arming, part->path, cell_mount_program(part->fd), note);
	}
	return fault;
}

/* fd: the workspace, or what was opened in it. */
static struct cell_folder folder_of(
    const struct launcher *launcher, const struct plan *plan, const struct pool_cell *cell, int fd)
{
	return (struct cell_folder){fd, plan->workspace->uid, plan->workspace->gid,
	    &launcher->pool->idmaps[cell->cell.slot]};
}

static int add_binds(struct arming *arming, const struct plan *plan,
    const struct launcher *launcher, const struct pool_cell *cell, struct err_note *note)
{
	uint32_t most = plan->tool->outside.count + plan->program.part_count + 1;
	struct cell_folder script = folder_of(launcher, plan, cell, plan->script.fd);
	int fault;

	arming->bind_paths = calloc(most, sizeof(*arming->bind_paths));
	arming->bind_mounts = calloc(most, sizeof(*arming->bind_mounts));
	if (!arming->bind_paths || !arming->bind_mounts)
		return err_note(note, -ENOMEM, "out of memory");
	fault = add_programs(arming, plan, note);
	if (fault || !plan->script.path)
		return fault;
	/* What was hashed is what the interpreter finds, whatever the name says by then. */
	return add_bind(arming, plan->script.path,
	    cell_mount_script(launcher->host, &cell->cell, &script, plan->tool->mode), note);
}

/* An open allowlist grants the path's programs; an approved one from elsewhere adds itself. */
static int add_rules(struct arming *arming, const struct plan *plan, const struct cell_rule **ret,
    struct err_note *note)
{
	const struct program *program = &plan->program;
	const struct cell_rule *rules = allowlist_rules(plan->tool->allowlist, &arming->rule_count);
	uint32_t count = arming->rule_count;

	*ret = rules;
	if (!plan->tool->open)
		return 0;
	arming->rules = calloc(count + program->part_count, sizeof(*rules));
	if (!arming->rules)
		return err_note(note, -ENOMEM, "out of memory");
	if (count)
		memcpy(arming->rules, rules, count * sizeof(*rules));
	for (uint32_t i = 0; i < program->part_count; i++)
		arming->rules[count++] = (struct cell_rule){program->parts[i].fd, RUN_ACCESS};
	arming->rule_count = count;
	*ret = arming->rules;
	return 0;
}

/* A pipe whose end for the tool belongs to the tool's uid, so that it may open /dev/stdout. */
static int open_pipe(int ends[2], int tools_end, uid_t owner, struct err_note *note)
{
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_note_errno(note, err_note(note, -errno, "pipe"));
	if (owner != (uid_t)-1 && fchown(ends[tools_end], owner, (gid_t)-1) < 0)
		return err_note_errno(note, err_note(note, -errno, "pipe"));
	return 0;
}

static int open_pipes(struct arming *arming, uid_t owner, int has_stdin, struct err_note *note)
{
	int fault = open_pipe(arming->out, 1, owner, note);

	if (!fault)
		fault = open_pipe(arming->err, 1, owner, note);
	if (!fault && has_stdin)
		fault = open_pipe(arming->in, 0, owner, note);
	return fault;
}

/* A stream: of all pairs it alone stays with its other end, whoever holds it. */
static int open_gate(struct arming *arming, const struct tool *tool, struct err_note *note)
{
	if (!tool->client)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, arming->gate) < 0)
		return err_note_errno(note, err_note(note, -errno, "gate"));
	return 0;
}

/* The kernel's limits where the cell has a leaf, else rlimits. */
static int limit(const struct pool_cell *cell, struct cell_limits *limits, struct err_note *note)
{
	int fault = cgroup_leaf_limit(&cell->leaf, limits);

	limits->by_cgroup = fault == 0;
	if (!fault || fault == -ENOTSUP)
		return 0;
	return err_note_errno(note, err_note(note, fault, "control group limits"));
}

static int send_arm(const struct plan *plan, const struct pool_cell *cell, struct arming *arming,
    struct err_note *note)
{
	const struct workspace *workspace = plan->workspace;
	struct cell_arm arm = {
	    .argv = (const char *const *)plan->argv,
	    .envp = (const char *const *)plan->env,
	    .workspace = workspace->path,
	    .cwd = plan->cwd,
	    .mount_fd = arming->mount,
	    .exec_fd = plan->program.parts[plan->program.exec_part].fd,
	    .stdin_fd = arming->in[0],
	    .stdout_fd = arming->out[1],
	    .stderr_fd = arming->err[1],
	    .has_gate = arming->gate[0] >= 0,
	    .gate_fd = arming->gate[0],
	    .bind_paths = arming->bind_paths,
	    .bind_mounts = arming->bind_mounts,
	    .bind_count = arming->bind_count,
	    .mode = plan->tool->mode,
	    .allowlist_open = plan->tool->open,
	    .allow_jit = plan->program.allow_jit,
	    .limits = plan->tool->limits,
	    .landlock_workspace = UINT64_MAX, /* all that the mode allows */
	};
	int fault = limit(cell, &arm.limits, note);

	if (!fault)
		fault = add_rules(arming, plan, &arm.rules, note);
	if (fault)
		return fault;
	arm.rule_count = arming->rule_count;
	fault = cell_arm(&cell->cell, &arm);
	return fault ? err_note_errno(note, err_note(note, fault, "arming the sandbox")) : 0;
}

/* The workspace as the cell sees it: an overlay that was made for this call, or itself. */
static int mount_workspace(const struct launcher *launcher, const struct plan *plan,
    const struct launch_place *place, struct err_note *note)
{
	struct cell_folder folder = folder_of(launcher, plan, place->cell, plan->workspace->fd);
	int mount;

	/* Whatever led here: such a tool never works on the workspace itself. */
	if (plan->tool->overlay && place->mount < 0)
		return err_note(note, -ENOTSUP, "the tool's overlay is not there");
	if (place->mount < 0)
		return cell_mount_workspace(
		    launcher->host, &place->cell->cell, &folder, plan->tool->mode, note);
	mount = fcntl(place->mount, F_DUPFD_CLOEXEC, 3);
	return mount < 0 ? err_note_errno(note, err_note(note, -errno, "overlay")) : mount;
}

int launch_lay(struct launch *launch, struct err_note *note)
{
	const struct launcher *launcher = launch->launcher;
	const struct plan *plan = &launch->plan;
	const struct cell_host *host = launcher->host;
	struct cell_folder folder = folder_of(launcher, plan, &launch->cell, plan->workspace->fd);
	uid_t uid = host->root ? host->cell_uid_first + launch->cell.cell.slot : host->uid;
	struct overlay_spec spec = {.call = launch_input(launch)->call,
	    .principal = launch_input(launch)->principal,
	    .disk = plan->tool->limits.tmp_bytes,
	    .inodes = plan->tool->limits.tmp_inodes,
	    .uid = uid,
	    .gid = host->root ? uid : host->gid,
	    .exec = plan->tool->mode == CELL_WORKSPACE_EXEC,
	    .workspace = plan->workspace->fd};
	int cleanup_fd lower = -1;

	if (!launcher->overlays)
		return err_note(note, -ENOTSUP, "overlay: there is no keeper");
	/* What is below is never written to by this mount. */
	lower = cell_mount_workspace(host, &launch->cell.cell, &folder, CELL_WORKSPACE_RO, note);
	if (lower < 0)
		return lower;
	spec.lower = lower;
	return overlays_make(launcher->overlays, &spec, &launch->overlay, note);
}

int launch_arm(const struct launcher *launcher, const struct plan *plan,
    const struct launch_place *place, int has_stdin, struct launch_ends *ret_ends,
    struct err_note *note)
{
	const struct cell_host *host = launcher->host;
	const struct pool_cell *cell = place->cell;
	uid_t owner = host->root ? host->cell_uid_first + cell->cell.slot : (uid_t)-1;
	struct arming cleanup_with(arming_fini) arming = {
	    .mount = -1, .out = {-1, -1}, .err = {-1, -1}, .in = {-1, -1}, .gate = {-1, -1}};
	int fault;

	arming.mount = mount_workspace(launcher, plan, place, note);
	if (arming.mount < 0)
		return arming.mount;
	fault = add_binds(&arming, plan, launcher, cell, note);
	if (!fault)
		fault = open_pipes(&arming, owner, has_stdin, note);
	if (!fault)
		fault = open_gate(&arming, plan->tool, note);
	if (!fault)
		fault = send_arm(plan, cell, &arming, note);
	if (fault)
		return fault;
	ret_ends->out = take_fd(&arming.out[0]);
	ret_ends->err = take_fd(&arming.err[0]);
	ret_ends->in = take_fd(&arming.in[1]);
	ret_ends->gate = take_fd(&arming.gate[1]);
	return 0;
}

int launch_attest(const struct launcher *launcher, const struct pool_cell *cell, uint32_t required,
    struct attestation *attestation, struct err_note *note)
{
	if (cell->leaf.name[0]) {
		attestation->layers |= LAYER_BIT(CGROUP);
		attestation->cgroup = launcher->pool->cgroup->kind;
	}
	return refusal_walls(launcher->host, attestation, required, note);
}

/* In the order that message.h gives. The feed has taken what is not for engine. */
int launch_ends_tell(const struct launch_ends *ends, struct message *launched)
{
	launched->fds[launched->fd_count++] = ends->out;
	launched->fds[launched->fd_count++] = ends->err;
	launched->u.launched.has_input = ends->in >= 0;
	if (ends->in >= 0)
		launched->fds[launched->fd_count++] = ends->in;
	launched->u.launched.has_gate = ends->gate >= 0;
	if (ends->gate >= 0)
		launched->fds[launched->fd_count++] = ends->gate;
	return ends->in >= 0 ? fd_set_nonblocking(ends->in) : 0;
}

void launch_ends_close(struct launch_ends *ends)
{
	cleanup_fd_(&ends->out);
	cleanup_fd_(&ends->err);
	cleanup_fd_(&ends->in);
	cleanup_fd_(&ends->gate);
}
