/*
 * POLICY: all that engine is given at a load, its secrets among it.
 */
#include <errno.h>
#include <stddef.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/secrets.h"
#include "supervisor/warden/warden.h"

static void fill(struct message *message, struct warden *warden, const struct config *config,
    const struct approver_lines *lines)
{
	struct message_policy *policy = &message->u.policy;

	policy->version = config->version;
	policy->path = config->file;
	policy->state = warden->state.path;
	policy->owner_uid = geteuid();
	policy->approvers.items = (const char **)lines->items;
	policy->approvers.count = lines->count;
	policy->audit_size = warden->audit_size;
	policy->audit_root = warden->audit_root;
	message->fds[0] = config->frozen;
	message->fd_count = 1;
}

int warden_send_policy(struct warden *warden, const struct config *config, struct err_note *note)
{
	struct secrets cleanup_with(secrets_fini) secrets = {.items = NULL};
	struct approver_lines lines;
	struct message message;
	uint32_t skipped;
	int fault = secrets_find(config, &secrets, note);

	if (fault)
		return fault;
	fault = state_approvers(&warden->state, &lines, &skipped);
	if (fault)
		return err_note_errno(
		    note, err_note(note, fault, "%s/approvers", warden->state.path));
	if (skipped)
		log_warn("%s/approvers: %u files are not approver keys of ours; they do not count",
		    warden->state.path, skipped);
	message_init(&message, MESSAGE_POLICY);
	fill(&message, warden, config, &lines);
	secrets_into(&secrets, &message.u.policy);
	fault = link_send(&warden->engine, &message);
	approvers_free(&lines);
	warden->awaited = (struct awaited){.serial = message.serial};
	if (fault == -EMSGSIZE)
		return err_note(note, fault,
		    "%s: approvers, API keys and secrets of channels are more than fits in one "
		    "message (64 KiB); name fewer, or make keys with `callgate keys create`",
		    config->file);
	return fault ? err_note_errno(note, err_note(note, fault, "engine")) : 0;
}
