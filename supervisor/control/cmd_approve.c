/* pending, approve, deny: one look, one answer. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/approvals.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

int cmd_pending(struct command_session *session, int argc, char **argv)
{
	const json_t *entry;
	json_t *list = NULL;
	size_t i;
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = client_once(session, "callgate/approvals/list", NULL, &list);
	if (status != 0)
		return status;
	if (session->output == COMMAND_OUTPUT_JSON) {
		status = command_print_json(list);
	} else if (json_array_size(json_object_get(list, "approvals")) == 0) {
		printf("nothing waits\n");
	} else {
		json_array_foreach(json_object_get(list, "approvals"), i, entry)
		    approvals_print(entry);
	}
	json_decref(list);
	return status;
}

static int is_scope(const char *scope)
{
	return !scope || strcmp(scope, "once") == 0 || strcmp(scope, "session") == 0 ||
	       strcmp(scope, "always") == 0;
}

/* At a terminal a yes wants all of it seen first; a program reads it whole. */
static int show(const struct command_session *session, const json_t *approval, int is_yes)
{
	int cleanup_fd tty = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)
				 ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
				 : -1;

	if (session->output != COMMAND_OUTPUT_TEXT)
		return COMMAND_OK;
	if (tty < 0 || !is_yes) {
		approvals_print(approval);
		return COMMAND_OK;
	}
	if (approvals_page(tty, approval) == 0)
		return COMMAND_OK;
	return command_fail(COMMAND_USAGE, "approve: not all of it was shown; it is left waiting");
}

static int decide_one(
    struct command_session *session, int argc, char **argv, struct approvals_answer *answer)
{
	struct approvals_key key = {.given = command_take_option(&argc, argv, "--key")};
	const json_t *approval;
	json_t *list = NULL;
	int status;

	answer->reason = command_take_option(&argc, argv, "--reason");
	status = command_no_more(argc, argv, 1);
	if (status != 0)
		return status;
	if (!is_scope(answer->scope))
		return command_fail(COMMAND_USAGE, "%s: --scope %s: once, session or always",
		    argv[0], answer->scope);
	if (argc != 2)
		return command_fail(COMMAND_USAGE, "%s: which? see `callgate pending`", argv[0]);
	status = client_once(session, "callgate/approvals/list", NULL, &list);
	if (status != 0)
		return status;
	approval = approvals_find(list, argv[1]);
	if (!approval) {
		status = COMMAND_USAGE;
	} else {
		status = show(session, approval, strcmp(answer->decision, "approve") == 0);
		if (status == 0)
			status = approvals_decide(session, approval, answer, &key);
	}
	approvals_key_fini(&key);
	json_decref(list);
	return status;
}

int cmd_approve(struct command_session *session, int argc, char **argv)
{
	struct approvals_answer answer = {
	    .decision = "approve", .scope = command_take_option(&argc, argv, "--scope")};

	return decide_one(session, argc, argv, &answer);
}

int cmd_deny(struct command_session *session, int argc, char **argv)
{
	struct approvals_answer answer = {.decision = "deny"};

	return decide_one(session, argc, argv, &answer);
}
