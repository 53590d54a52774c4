#include "supervisor/warden/trail.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/evidence/record.h"
#include "supervisor/warden/witness.h"

#define ARGV_BYTES_MAX  6000 /* of argv in a record: escaped six-fold it still fits a line */
#define ARGV_WORDS_MAX  256
#define LAYERS_TEXT     1024
#define NAMES_BYTES_MAX (24 * 1024) /* of the paths that one record names */

/* keys of one record are in ascending order: the emitter never sorts */

static int send_record(
    struct link *auditor, struct message_record *record, struct buf *fields, uint64_t *ret_serial)
{
	struct message message;
	int fault;

	if (fields->fault)
		return fields->fault;
	record->body = (struct bytes){fields->data, fields->len};
	message_init(&message, MESSAGE_RECORD);
	message.u.record = *record;
	fault = link_send(auditor, &message);
	if (!fault && ret_serial)
		*ret_serial = message.serial;
	return fault;
}

int trail_policy_load(struct link *auditor, const struct config *config, uint64_t *ret_serial)
{
	struct message_record record = {.record = RECORD_POLICY_LOAD, .call = ""};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_int(&fields, "agents", config->policy->agent_count);
	record_put_str(&fields, "file", config->path);
	record_put_int(&fields, "principals", config->policy->principal_count);
	record_put_int(&fields, "tools", config->policy->tool_count);
	record_put_digest(&fields, "version", &config->version);
	return send_record(auditor, &record, &fields, ret_serial);
}

int trail_policy_refused(
    struct link *auditor, const char *file, const char *why, uint64_t *ret_serial)
{
	struct message_record record = {.record = RECORD_POLICY_REFUSED, .call = ""};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "file", file);
	record_put_str(&fields, "reason", why);
	return send_record(auditor, &record, &fields, ret_serial);
}

int trail_role_start(struct link *auditor, const char *role, pid_t pid)
{
	struct message_record record = {.record = RECORD_ROLE_START, .call = ""};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_int(&fields, "pid", pid);
	record_put_str(&fields, "role", role);
	return send_record(auditor, &record, &fields, NULL);
}

int trail_role_lost(struct link *auditor, const char *role, const char *how)
{
	struct message_record record = {.record = RECORD_ROLE_LOST, .call = ""};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "how", how);
	record_put_str(&fields, "role", role);
	return send_record(auditor, &record, &fields, NULL);
}

/* As much of argv as a line can hold; the plan digest covers all of it. */
static void put_argv(struct buf *fields, const struct plan_input *input)
{
	size_t bytes = 0, count = 0;

	while (count < input->argv.count && count < ARGV_WORDS_MAX) {
		bytes += strlen(input->argv.items[count]);
		if (bytes > ARGV_BYTES_MAX)
			break;
		count++;
	}
	record_put_int(fields, "argc", input->argv.count);
	record_put_list(fields, "argv", input->argv.items, count);
}

static void put_layers(struct buf *fields, const struct attestation *attestation)
{
	const char *items[2 * LAYER_COUNT];
	struct buf cleanup_with(buf_fini) text;
	struct strv layers;

	buf_init(&text, LAYERS_TEXT);
	if (attestation_text(&text, attestation))
		fields->fault = text.fault ? text.fault : -EINVAL;
	witness_split((char *)buf_cstr(&text), items, sizeof(items) / sizeof(*items), &layers);
	record_put_list(fields, "layers", layers.items, layers.count);
}

int trail_exec_start(struct link *auditor, const struct trail_start *start)
{
	const struct program *program = &start->plan->program;
	const struct plan_script *script = &start->plan->script;
	struct message_record record = {
	    .record = RECORD_EXEC_START, .call = start->call, .plan = start->plan->digest};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	put_argv(&fields, start->input);
	record_put_str(&fields, "cwd", start->plan->cwd);
	put_layers(&fields, start->attestation);
	record_put_int(&fields, "pid", start->pid);
	record_put_digest(&fields, "policy", &start->input->policy);
	record_put_str(&fields, "program", program->parts[0].path);
	record_put_digest(&fields, "program_sha256", &start->plan->part_digests[0]);
	record_put_int(&fields, "receipt", (int64_t)start->receipt_n);
	if (script->path) {
		record_put_str(&fields, "script", script->path);
		record_put_digest(&fields, "script_sha256", &script->digest);
	}
	record_put_str(&fields, "tool", start->input->tool);
	return send_record(auditor, &record, &fields, NULL);
}

const char *trail_how(enum exit_how how)
{
	switch (how) {
	case EXIT_HOW_NONE: return "unknown";
	case EXIT_HOW_EXITED: return "exited";
	case EXIT_HOW_SIGNALED: return "signaled";
	case EXIT_HOW_DEADLINE: return "deadline";
	case EXIT_HOW_KILLED: return "killed";
	case EXIT_HOW_OOM: return "oom";
	case EXIT_HOW_PIDS: return "pids";
	case EXIT_HOW_FAILED: return "failed";
	case EXIT_HOW_STUCK: return "stuck";
	case EXIT_HOW_CPU: return "cpu";
	case EXIT_HOW_FILE: return "file_size";
	case EXIT_HOW_DISK: return "disk";
	case EXIT_HOW_INODES: return "inodes";
	}
	return "unknown";
}

static const char *proof_name(enum cell_proof proof)
{
	switch (proof) {
	case CELL_PROOF_NONE: return "none";
	case CELL_PROOF_ECHILD: return "echild";
	case CELL_PROOF_PIDFD: return "pidfd";
	}
	return "none";
}

int trail_exec_exit(struct link *auditor, const struct trail_exit *exit)
{
	const struct message_exited *exited = exit->exited;
	struct message_record record = {
	    .record = RECORD_EXEC_EXIT, .call = exited->call, .plan = *exit->plan};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	if (exit->empty != CGROUP_POPULATED_UNKNOWN)
		record_put_bool(&fields, "cgroup_empty", exit->empty == CGROUP_EMPTY);
	record_put_int(&fields, "code", exited->code);
	record_put_int(&fields, "cpu_us", (int64_t)exited->cpu_us);
	record_put_str(&fields, "how", trail_how((enum exit_how)exited->how));
	record_put_int(&fields, "memory_peak", (int64_t)exited->memory_peak);
	record_put_str(&fields, "note", exited->note[0] ? exited->note : NULL);
	record_put_str(&fields, "proof", proof_name((enum cell_proof)exited->proof));
	record_put_str(&fields, "tool", exit->tool);
	record_put_int(&fields, "wall_us", (int64_t)exited->wall_us);
	return send_record(auditor, &record, &fields, NULL);
}

/* Bytes of the tool's choosing: the auditor escapes them. Too many are counted only. */
static void put_names(struct buf *fields, const struct effects *list)
{
	const char **names = calloc(list->count + 1, sizeof(*names));
	size_t bytes = 0;

	for (uint32_t i = 0; names && i < list->count; i++) {
		names[i] = list->items[i].path;
		bytes += strlen(names[i]) * 6 + 3;
	}
	if (names && list->count && bytes <= NAMES_BYTES_MAX)
		record_put_list(fields, "names", names, list->count);
	free(names);
}

int trail_effects_written(
    struct link *auditor, const struct trail_effects *effects, uint64_t *ret_serial)
{
	struct message_record record = {.record = RECORD_EFFECTS_WRITTEN, .call = effects->call};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "by", effects->by[0] ? effects->by : NULL);
	if (effects->commits)
		record_put_int(&fields, "commits", effects->commits);
	record_put_digest(&fields, "effects", effects->effects);
	put_names(&fields, effects->list);
	record_put_str(&fields, "op", effects->what);
	record_put_int(&fields, "paths", effects->paths);
	if (effects->receipt_n)
		record_put_int(&fields, "receipt", (int64_t)effects->receipt_n);
	return send_record(auditor, &record, &fields, ret_serial);
}

int trail_effects_dropped(
    struct link *auditor, const struct trail_effects *effects, uint64_t *ret_serial)
{
	struct message_record record = {.record = RECORD_EFFECTS_DROPPED, .call = effects->call};
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "by", effects->by[0] ? effects->by : NULL);
	record_put_str(&fields, "cause", effects->what);
	if (!digest_is_zero(effects->effects))
		record_put_digest(&fields, "effects", effects->effects);
	record_put_int(&fields, "paths", effects->paths);
	return send_record(auditor, &record, &fields, ret_serial);
}
