/* The two forms of a plan: canonical bytes for the digest, lines for people. */
#include "supervisor/warden/plan.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/base/paths.h"
#include "supervisor/base/str.h"

/* Tags of the canonical form; a number is never given a second meaning. */
enum tag {
	TAG_FORM = 1,
	TAG_TOOL,
	TAG_AGENT,
	TAG_NAMESPACE,
	TAG_PRINCIPAL,
	TAG_POLICY,
	TAG_ARG_COUNT,
	TAG_ARG,
	TAG_ENV_COUNT,
	TAG_ENV_NAME,
	TAG_ENV_VALUE, /* HMAC */
	TAG_WORKSPACE,
	TAG_WORKSPACE_DEV,
	TAG_WORKSPACE_INO,
	TAG_CWD,
	TAG_CWD_DEV,
	TAG_CWD_INO,
	TAG_STDIN, /* empty: none */
	TAG_PART_COUNT,
	TAG_PART_PATH,
	TAG_PART_DEV,
	TAG_PART_INO,
	TAG_PART_DIGEST,
	TAG_SCRIPT_PATH, /* empty: none, and then the next three are missing */
	TAG_SCRIPT_DEV,
	TAG_SCRIPT_INO,
	TAG_SCRIPT_DIGEST,
	TAG_SANDBOX_MODE,
	TAG_SANDBOX_REQUIRED,
	TAG_SANDBOX_OPEN,
	TAG_SANDBOX_RUN_AS,
	TAG_LIMIT,
	TAG_NETWORK, /* empty: none */
	TAG_FILE_COUNT,
	TAG_FILE_PATH,
	TAG_FILE_SIZE,
	TAG_FILE_DIGEST, /* empty: not hashed */
	TAG_FILES_MORE,
	TAG_STDIN_KIND,
	TAG_PATH_COUNT,
	TAG_PATH,
	TAG_GATE,
};

static void put(struct buf *out, enum tag tag, const void *bytes, size_t len)
{
	(void)buf_put_u8(out, (uint8_t)tag); /* the fault is sticky */
	(void)buf_put_bytes(out, bytes, len);
}

static void put_text(struct buf *out, enum tag tag, const char *text)
{
	put(out, tag, text, strlen(text));
}

static void put_number(struct buf *out, enum tag tag, uint64_t value)
{
	(void)buf_put_u8(out, (uint8_t)tag);
	(void)buf_put_u32(out, sizeof(value));
	(void)buf_put_u64(out, value);
}

static void put_digest(struct buf *out, enum tag tag, const struct digest *digest)
{
	put(out, tag, digest->bytes, DIGEST_LEN);
}

static int put_environment(struct buf *out, const struct planner *planner, const struct plan *plan)
{
	uint32_t count = 0;

	while (plan->env[count])
		count++;
	put_number(out, TAG_ENV_COUNT, count);
	for (uint32_t i = 0; i < count; i++) {
		const char *entry = plan->env[i];
		size_t name = strcspn(entry, "=");
		struct digest mac;
		int fault =
		    digest_hmac(&mac, planner->env_key, entry + name + 1, strlen(entry + name + 1));

		if (fault)
			return fault;
		put(out, TAG_ENV_NAME, entry, name);
		put_digest(out, TAG_ENV_VALUE, &mac);
	}
	return 0;
}

static void put_programs(struct buf *out, const struct plan *plan)
{
	put_number(out, TAG_PART_COUNT, plan->program.part_count);
	for (uint32_t i = 0; i < plan->program.part_count; i++) {
		const struct program_part *part = &plan->program.parts[i];

		put_text(out, TAG_PART_PATH, part->path);
		put_number(out, TAG_PART_DEV, part->stamp.dev);
		put_number(out, TAG_PART_INO, part->stamp.ino);
		put_digest(out, TAG_PART_DIGEST, &plan->part_digests[i]);
	}
	put_text(out, TAG_SCRIPT_PATH, plan->script.path ? plan->script.path : "");
	if (plan->script.path) {
		put_number(out, TAG_SCRIPT_DEV, plan->script.stamp.dev);
		put_number(out, TAG_SCRIPT_INO, plan->script.stamp.ino);
		put_digest(out, TAG_SCRIPT_DIGEST, &plan->script.digest);
	}
}

static void put_files(struct buf *out, const struct plan_files *files)
{
	put_number(out, TAG_FILE_COUNT, files->count);
	for (uint32_t i = 0; i < files->count; i++) {
		const struct plan_file *file = &files->items[i];

		put_text(out, TAG_FILE_PATH, file->path);
		put_number(out, TAG_FILE_SIZE, file->missed ? 0 : file->stamp.size);
		put(out, TAG_FILE_DIGEST, file->digest.bytes, file->missed ? 0 : DIGEST_LEN);
	}
	put_number(out, TAG_FILES_MORE, files->more);
}

static void put_sandbox(struct buf *out, const struct tool *tool)
{
	const struct cell_limits *limits = &tool->limits;
	const uint64_t numbers[] = {limits->memory, limits->pids, limits->cpu_ms, limits->file_size,
	    limits->files, limits->tmp_bytes, limits->tmp_inodes, tool->policy->sandbox.output,
	    tool->policy->max_execution_ms};

	put_number(out, TAG_SANDBOX_MODE, tool->mode);
	put_number(out, TAG_SANDBOX_REQUIRED, tool->required);
	put_number(out, TAG_SANDBOX_OPEN, tool->open);
	put_number(out, TAG_SANDBOX_RUN_AS, tool->policy->sandbox.run_as);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		put_number(out, TAG_LIMIT, numbers[i]);
	put_text(out, TAG_NETWORK, "");
	put_number(out, TAG_GATE, tool->client != NULL);
}

int plan_bytes(struct buf *out, const struct planner *planner, const struct plan_input *input,
    const struct plan *plan)
{
	int fault;

	put_text(out, TAG_FORM, "callgate-plan-v1");
	put_text(out, TAG_TOOL, input->tool);
	put_text(out, TAG_AGENT, input->agent);
	put_text(out, TAG_NAMESPACE, input->space);
	put_text(out, TAG_PRINCIPAL, input->principal);
	put_digest(out, TAG_POLICY, &input->policy);
	put_number(out, TAG_ARG_COUNT, input->argv.count);
	for (uint32_t i = 0; i < input->argv.count; i++)
		put_text(out, TAG_ARG, input->argv.items[i]);
	fault = put_environment(out, planner, plan);
	if (fault)
		return fault;
	put_text(out, TAG_WORKSPACE, plan->workspace->path);
	put_number(out, TAG_WORKSPACE_DEV, plan->workspace->dev);
	put_number(out, TAG_WORKSPACE_INO, plan->workspace->ino);
	put_text(out, TAG_CWD, plan->cwd);
	put_number(out, TAG_CWD_DEV, plan->cwd_stamp.dev);
	put_number(out, TAG_CWD_INO, plan->cwd_stamp.ino);
	put(out, TAG_STDIN, input->stdin_digest.bytes,
	    input->stdin_kind == STDIN_SEALED ? DIGEST_LEN : 0);
	put_number(out, TAG_STDIN_KIND, input->stdin_kind);
	put_number(out, TAG_PATH_COUNT, input->paths.count);
	for (uint32_t i = 0; i < input->paths.count; i++)
		put_text(out, TAG_PATH, input->paths.items[i]);
	put_programs(out, plan);
	put_files(out, &plan->files);
	put_sandbox(out, plan->tool);
	return out->fault;
}

/* ---- for people ---------------------------------------------------------------------------- */

#define COMMAND_MAX (16 * 1024) /* bytes of the command line shown */
#define FIELD_MAX   1024        /* bytes of any other value */
#define ENV_MAX     1024        /* bytes of names of the environment after which no more follow */

static void say(struct buf *out, const char *label, const char *value)
{
	size_t len = strlen(value);

	(void)buf_textf(out, "%-12s", label);
	(void)str_escape(out, value, len > FIELD_MAX ? FIELD_MAX : len);
	(void)buf_text(out, len > FIELD_MAX ? " (cut)\n" : "\n");
}

static void say_file(
    struct buf *out, const char *label, const char *path, const struct digest *digest)
{
	char hex[DIGEST_HEX_MAX];

	(void)buf_textf(out, "%-12s", label);
	(void)str_escape(out, path, strnlen(path, FIELD_MAX));
	(void)buf_textf(out, " sha256:%s\n", digest_hex(hex, digest));
}

/* As it is named from the current directory, if it is below that. */
static void say_files(struct buf *out, const struct plan *plan)
{
	size_t cwd = strlen(plan->cwd);

	for (uint32_t i = 0; i < plan->files.count; i++) {
		const struct plan_file *file = &plan->files.items[i];
		char path[PATHS_MAX + 2];
		bool below = !strncmp(plan->cwd, file->path, cwd) && file->path[cwd] == '/';

		(void)snprintf(
		    path, sizeof(path), "%s%s", below ? "." : "", file->path + (below ? cwd : 0));
		if (plan->script.path && !strcmp(plan->script.path, file->path))
			continue;
		if (!file->missed) {
			say_file(out, "reads", path, &file->digest);
			continue;
		}
		(void)buf_textf(out, "%-12snot part of the digest: ", "reads");
		(void)str_escape(out, path, strnlen(path, FIELD_MAX));
		(void)buf_textf(out, " (%s)\n", file->missed);
	}
	if (plan->files.more)
		(void)buf_textf(out, "%-12smore files than are part of the digest\n", "reads");
	if (plan->unseen)
		(void)buf_textf(
		    out, "%-12smay run files that are not part of this plan\n", "warning");
	if (plan->program.multicall)
		(void)buf_textf(out,
		    "%-12sthis program is many in one file, and every one of them is allowed\n",
		    "warning");
}

static void say_command(struct buf *out, const char *label, const struct plan_input *input)
{
	size_t begin = out->len;

	(void)buf_textf(out, "%-12s", label);
	for (uint32_t i = 0; i < input->argv.count; i++) {
		struct buf word;

		buf_init(&word, COMMAND_MAX);
		if (str_quote(&word, input->argv.items[i]) ||
		    out->len - begin + word.len > COMMAND_MAX) {
			(void)buf_textf(out, " (cut: %u more words)", input->argv.count - i);
			buf_fini(&word);
			break;
		}
		(void)buf_textf(out, "%s%s", i ? " " : "", buf_cstr(&word));
		buf_fini(&word);
	}
	(void)buf_text(out, "\n");
}

static const char *mode_text(const struct tool *tool)
{
	if (tool->overlay)
		return tool->mode == CELL_WORKSPACE_EXEC
			   ? "an overlay: what is written stays aside, and it runs code"
			   : "an overlay: what is written stays aside, and nothing in it runs";
	switch (tool->mode) {
	case CELL_WORKSPACE_NONE: return "not visible";
	case CELL_WORKSPACE_RO: return "read only";
	case CELL_WORKSPACE_RW: return "read and write, nothing in it runs";
	case CELL_WORKSPACE_EXEC: return "read and write, and it runs code";
	}
	return "?";
}

static const char *part_label(const struct program_part *part, uint32_t i)
{
	if (i == 0)
		return "program";
	return part->loader ? "loader" : "interpreter";
}

struct unit {
	uint64_t value;
	const char *name;
};

/* As the policy writes it: a whole number of the largest unit that it is a multiple of. The last
 * unit is 1. */
static void say_quantity(
    struct buf *out, const char *label, uint64_t value, const struct unit *units)
{
	while (units->value > 1 && (value < units->value || value % units->value))
		units++;
	(void)buf_textf(
	    out, "%s %llu%s", label, (unsigned long long)(value / units->value), units->name);
}

static void say_limits(struct buf *out, const struct tool *tool)
{
	static const struct unit times[] = {
	    {24 * 3600 * 1000, "d"}, {3600 * 1000, "h"}, {1000, "s"}, {1, "ms"}};
	static const struct unit sizes[] = {
	    {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}, {1, " bytes"}};
	const struct cell_limits *limits = &tool->limits;

	(void)buf_textf(out, "%-12s", "limits");
	say_quantity(out, "time", tool->policy->max_execution_ms, times);
	say_quantity(out, ", memory", limits->memory, sizes);
	say_quantity(out, ", /tmp", limits->tmp_bytes, sizes);
	(void)buf_textf(out, ", processes %llu\n", (unsigned long long)limits->pids);
}

static void say_stdin(struct buf *out, const struct plan_input *input)
{
	char hex[DIGEST_HEX_MAX];

	switch ((enum stdin_kind)input->stdin_kind) {
	case STDIN_NONE: say(out, "stdin", "none"); return;
	case STDIN_SEALED:
		(void)buf_textf(
		    out, "%-12ssha256:%s\n", "stdin", digest_hex(hex, &input->stdin_digest));
		return;
	case STDIN_STREAM:
		say(out, "stdin", "stream: whatever the client sends while it runs");
		return;
	}
}

/* Names only: values are nobody's to read. */
static void say_environment(struct buf *out, const struct policy_tool *tool)
{
	size_t begin = out->len;

	for (uint32_t i = 0; i < tool->env_count; i++) {
		if (out->len - begin > ENV_MAX) {
			(void)buf_textf(out, " (cut: %u more)", tool->env_count - i);
			break;
		}
		if (i)
			(void)buf_text(out, " ");
		else
			(void)buf_textf(out, "%-12s", "environment");
		(void)str_escape(out, tool->env[i].name, strnlen(tool->env[i].name, FIELD_MAX));
	}
	if (tool->env_count)
		(void)buf_text(out, "\n");
}

int plan_text(struct buf *out, const struct plan_input *input, const struct plan *plan)
{
	char hex[DIGEST_HEX_MAX];

	say(out, "tool", input->tool);
	say(out, "agent", input->agent[0] ? input->agent : "(none)");
	say(out, "namespace", input->space[0] ? input->space : "default");
	say(out, "principal", input->principal);
	say_command(out, plan->tool->function ? "function" : "command", input);
	for (uint32_t i = 0; i < plan->program.part_count; i++)
		say_file(out, part_label(&plan->program.parts[i], i), plan->program.parts[i].path,
		    &plan->part_digests[i]);
	if (plan->script.path)
		say_file(out, "script", plan->script.path, &plan->script.digest);
	say_files(out, plan);
	say(out, "directory", plan->cwd);
	(void)buf_textf(out, "%-12s%s\n", "workspace", mode_text(plan->tool));
	say_stdin(out, input);
	say_environment(out, plan->tool->policy);
	(void)buf_textf(out, "%-12snone\n", "network");
	if (plan->tool->open)
		(void)buf_textf(
		    out, "%-12severy program of the path but the denied ones\n", "programs");
	if (plan->tool->client)
		say(out, "gate", "the call may ask callgate for other tools");
	say_limits(out, plan->tool);
	(void)buf_textf(out, "%-12ssha256:%s\n", "policy", digest_hex(hex, &input->policy));
	return out->fault;
}
