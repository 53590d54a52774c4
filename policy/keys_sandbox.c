#include "policy/keys.h"

#include <errno.h>
#include <string.h>

#include "policy/tool.h"

/* The names of sandbox/layer.h, a neighbour that this floor may not include; the unit test holds
 * the two lists together. */
static const char *const layer_names[] = {"userns", "mntns", "pidns", "netns", "ipcns", "utsns",
    "cgroupns", "root", "proc", "caps", "nnp", "groups", "landlock", "allowlist", "seccomp",
    "memfd", "fds", "cgroup", "limits", "disk", NULL};

static const char *judge_layer(const char *text)
{
	for (const char *const *name = layer_names; *name; name++) {
		if (!strcmp(*name, text))
			return NULL;
	}
	return "is not a wall of the sandbox; callgate.yaml(5) lists them";
}

/* `all`, or a list. An empty list would ask for no wall at all, so it is refused. */
static int read_require(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	struct policy_sandbox *sandbox = record;
	const char *text;
	int fault;

	if (node->kind == YAML_KIND_SEQUENCE && !node->count)
		return schema_refuse(
		    schema, node, "requires no wall; name walls, or remove it for the default");
	if (node->kind == YAML_KIND_SEQUENCE)
		return read_words(schema, node, key, record);
	fault = schema_text(schema, node, &text);
	if (fault)
		return fault;
	if (strcmp(text, "all"))
		return schema_refuse(schema, node,
		    "'%.60s' is not a list of walls; write all or a list", node->text);
	sandbox->require_all = true;
	return 0;
}

static const char *const workspace_choices[] = {"", "rw", "ro", "overlay", NULL};
static const char *const run_as_choices[] = {"cell", "owner", NULL};

#define LIMIT(name_, read_, member, min_, max_, range_, about_)                                    \
	{                                                                                          \
		.name = (name_), .read = (read_), .about = (about_),                               \
		.place = PLACE(policy_sandbox, member), .min = (min_), .max = (max_),              \
		.range = (range_)                                                                  \
	}

const struct schema_key sandbox_keys[] = {
    LIMIT("memory", read_size, memory, 4 * MIB, 64 * TIB, "4MiB to 65536GiB",
	"Memory of the whole process tree (512MiB)"),
    LIMIT("pids", read_count, pids, 1, 32768, "1 to 32768", "Processes and threads (128)"),
    LIMIT("cpu", read_duration, cpu_ms, 1000, 7 * DAY_MS, "1s to 7d",
	"CPU time of one process (none)"),
    LIMIT("output", read_size, output, 1 * KIB, 64 * MIB, "1KiB to 64MiB",
	"Kept of stdout and of stderr each (1MiB)"),
    LIMIT(
	"disk", read_size, disk, 64 * KIB, 64 * TIB, "64KiB to 65536GiB", "Bytes of /tmp (64MiB)"),
    LIMIT("inodes", read_count, inodes, 16, 1000000000, "16 to 1000000000", "Files in /tmp (4096)"),
    LIMIT("file_size", read_size, file_size, 4 * KIB, 64 * TIB, "4KiB to 65536GiB",
	"Bytes of one file written (1GiB)"),
    LIMIT(
	"files", read_count, files, 8, 1048576, "8 to 1048576", "Open files of one process (256)"),
    {.name = "workspace",
	.read = read_choice,
	.about = "Written, only read, or written aside until somebody keeps it (rw)",
	.place = PLACE(policy_sandbox, workspace),
	.choices = workspace_choices},
    {.name = "exec",
	.read = read_bool,
	.about = "Programs in the workspace and /tmp may run: any code (false)",
	.place = PLACE(policy_sandbox, exec)},
    {.name = "run_as",
	.read = read_choice,
	.about = "A user id of its own, or the workspace's owner (cell)",
	.place = PLACE(policy_sandbox, run_as),
	.choices = run_as_choices},
    {.name = "require",
	.read = read_require,
	.about = "Walls without which no call runs: all, or a list",
	.place = PLACE(policy_sandbox, require),
	.given_place = PLACE(policy_sandbox, require_given),
	.choices = layer_names,
	.judge = judge_layer,
	.like = read_words,
	.form = "{\"const\":\"all\"}"},
    {.name = "callgate",
	.read = read_bool,
	.about = "The call gets a gate of its own, to ask for other tools (false)",
	.place = PLACE(policy_sandbox, callgate)},
    KEY_LATER("network"),
    KEY_LATER("rootfs"),
    KEY_LATER("pin"),
    KEY_LATER("sockets"),
    KEY_LATER("inject"),
    KEY_END,
};
