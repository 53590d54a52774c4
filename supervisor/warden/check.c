#include "supervisor/warden/check.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/workspace.h"
#include "sandbox/refusal.h"

#define WALLS_TOLD 3 /* tools that a lacking wall is told of one by one */

static struct policy_pos place_of(
    const struct policy_tool *tool, const struct policy_namespace *space)
{
	if (tool->working_directory_pos.line)
		return tool->working_directory_pos;
	return space->working_directory_pos.line ? space->working_directory_pos : tool->pos;
}

/* One thing that a tool must not reach. */
struct treasure {
	const char *what;
	const char *path;
};

static int check_treasure(const struct config *config, const struct treasure *treasure,
    const struct workspace *workspace, struct policy_pos pos, struct err_note *note)
{
	int held = treasure->path ? workspace_holds(workspace, treasure->path) : 0;

	if (held < 0)
		return err_note_errno(note, err_note(note, held, "%s", treasure->path));
	if (!held)
		return 0;
	return err_note(note, -EINVAL,
	    "%s:%u:%u: working_directory %s: holds %s (%s), where a tool could change it; move one "
	    "of them",
	    config->file, pos.line, pos.column, workspace->path, treasure->what, treasure->path);
}

static int check_treasures(const struct config *config, const struct check_places *places,
    const struct workspace *workspace, struct policy_pos pos, struct err_note *note)
{
	const struct treasure treasures[] = {
	    {"the policy file", config->path},
	    {"the .env file", config->dotenv},
	    {"the .env file", config->home_dotenv},
	    {"the state directory with the keys", places->state},
	    {"the audit journal", places->journal},
	    {"the daemon's socket", places->socket},
	};

	int fault = 0;

	for (size_t i = 0; i < sizeof(treasures) / sizeof(*treasures) && !fault; i++)
		fault = check_treasure(config, &treasures[i], workspace, pos, note);
	for (int i = 0; places->site && i < SITE_FILE_COUNT && !fault; i++) {
		const struct treasure file = {
		    site_file_what((enum site_file)i), places->site->paths[i]};

		fault = check_treasure(config, &file, workspace, pos, note);
	}
	return fault;
}

static int check_pair(const struct config *config, const struct check_places *places,
    const struct policy_tool *tool, const struct policy_namespace *space, struct err_note *note)
{
	struct workspace cleanup_with(workspace_close) workspace = {.fd = -1};
	int fault = workspace_open(config, tool, space, &workspace, note);

	if (fault)
		return fault;
	if (places->root && tool->sandbox.run_as == RUN_AS_OWNER && workspace.uid == 0)
		return err_note(note, -EINVAL,
		    "%s:%u:%u: tool %s: run_as owner, but %s belongs to root and tools never "
		    "run as root; "
		    "chown it or leave run_as out",
		    config->file, tool->sandbox.pos.line, tool->sandbox.pos.column, tool->name,
		    workspace.path);
	return check_treasures(config, places, &workspace, place_of(tool, space), note);
}

int check_policy(
    const struct config *config, const struct check_places *places, struct err_note *note)
{
	const struct policy *policy = config->policy;
	int fault;

	for (uint32_t i = 0; i < policy->tool_count; i++) {
		for (uint32_t j = 0; j < policy->namespace_count; j++) {
			fault = check_pair(
			    config, places, &policy->tools[i], &policy->namespaces[j], note);
			if (fault)
				return fault;
		}
	}
	return 0;
}

void check_walls(
    const struct tools *tools, const struct cell_host *host, uint32_t missing, struct buf *warnings)
{
	const uint32_t landlock = LAYER_BIT(LANDLOCK) | LAYER_BIT(ALLOWLIST);
	const struct attestation have = {
	    .layers = LAYERS_ALL & ~missing & ~(host->landlock_fault ? landlock : 0)};
	uint32_t told = 0;

	for (uint32_t i = 0; i < tools->count; i++) {
		const struct tool *tool = &tools->items[i];
		struct err_note note = {""};

		if (!refusal_walls(host, &have, tool->required, &note) || told++ >= WALLS_TOLD)
			continue;
		(void)buf_textf(warnings, "%s:%u:%u: tool %s: every call is refused here: %s\n",
		    tools->config->file, tool->policy->pos.line, tool->policy->pos.column,
		    tool->policy->name, note.text);
	}
	if (told > WALLS_TOLD)
		(void)buf_textf(warnings, "and so are those of %u more tools\n", told - WALLS_TOLD);
}

int check_process(struct err_note *note)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
			return err_note(note, -EBADF,
			    "descriptor %d is closed and /dev/null cannot take "
			    "its place",
			    fd);
	if (getuid() != geteuid() || getgid() != getegid())
		return err_note(
		    note, -EPERM, "started setuid or setgid; start it as the user it runs as");
	return 0;
}
