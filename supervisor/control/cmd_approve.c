/* pending, approve, deny: one look, one answer. */
#include <stdio.h>
#include <string.h>

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
		if (session->output == COMMAND_OUTPUT_TEXT)
			approvals_print(approval);
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
