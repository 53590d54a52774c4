/* A LAUNCH arrives: what was decided, once, and still the same. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/launch_own.h"

/* The sealed bytes must be those that were decided. */
static int take_stdin(struct launch *launch, struct err_note *note)
{
	int cleanup_fd fd = message_take_fd(&launch->message, 0);

	if (launch_input(launch)->stdin_kind != STDIN_SEALED)
		return 0;
	return feed_take(&launch->feed, fd, &launch_input(launch)->stdin_digest, note);
}

static bool is_known(const struct launcher *launcher, const struct launch *self)
{
	for (const struct launch *launch = launcher->first; launch; launch = launch->next)
		if (launch != self && !strcmp(launch_input(launch)->call, launch_input(self)->call))
			return true;
	return false;
}

/* The receipt rule: only what the auditor has sealed, only once, and only if it is still so. */
static enum answer_status admit(struct launch *launch, struct err_note *note)
{
	struct launcher *launcher = launch->launcher;
	const struct message_launch *ask = &launch->message.u.launch;
	int result;

	if (launcher->closed) {
		(void)err_note(note, 0, "the daemon is shutting down");
		return ANSWER_UNAVAILABLE;
	}
	if (receipt_check(&ask->receipt, launcher->receipt_key, ask->input.call, &ask->plan)) {
		(void)err_note(note, 0, "the receipt is not the auditor's for this call and plan");
		return ANSWER_REFUSED;
	}
	if (receipts_take(&launcher->receipts, ask->receipt.n) || is_known(launcher, launch)) {
		(void)err_note(note, 0, "the receipt was used before");
		return ANSWER_REFUSED;
	}
	result = plan_make(launcher->planner, &ask->input, &launch->plan, note);
	if (result < 0)
		return ANSWER_UNAVAILABLE;
	if (result > 0)
		return ANSWER_VOID; /* it could be planned when it was decided */
	if (!digest_equal(&launch->plan.digest, &ask->plan)) {
		(void)err_note(note, 0, "a program, script or directory changed");
		return ANSWER_VOID;
	}
	return take_stdin(launch, note) ? ANSWER_VOID : ANSWER_OK;
}

void launch_ask(struct launcher *launcher, struct message *message)
{
	struct launch *launch = calloc(1, sizeof(*launch));
	struct launch **last = &launcher->first;
	struct err_note note = {""};
	enum answer_status status;

	if (!launch) {
		launch_break(launcher, -ENOMEM);
		return;
	}
	launch->launcher = launcher;
	launch->ends = LAUNCH_NO_ENDS;
	launch->plan.script.fd = -1;
	launch->message = *message;
	message_init(message, MESSAGE_NONE); /* its storage and descriptors moved */
	feed_init(&launch->feed);
	cgroup_leaf_init(&launch->cell.leaf);
	while (*last)
		last = &(*last)->next;
	*last = launch;
	status = admit(launch, &note);
	if (status != ANSWER_OK) {
		launch_decline(launch, status, note.text);
		return;
	}
	launch->digest = launch->plan.digest;
	launch->required = launch->plan.tool->required;
	launch->deadline_ms = launch->plan.tool->policy->max_execution_ms;
	launch->state = LAUNCH_WAITING;
	launch_go_on(launcher);
}
