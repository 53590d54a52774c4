/* watch: the terminal prompt. Each waiting call is shown whole, then answered here, once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/approvals.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/pager.h"

#define ANSWER_MAX   256
#define ASKED_MAX    1024
#define DECIDE_TRIES 3

/* Ids already put to the human; the oldest are forgotten first. */
struct asked {
	char ids[ASKED_MAX][40];
	unsigned count;
};

static int was_asked(struct asked *asked, const char *id)
{
	for (unsigned i = 0; i < ASKED_MAX && i < asked->count; i++)
		if (strcmp(asked->ids[i], id) == 0)
			return 1;
	snprintf(asked->ids[asked->count++ % ASKED_MAX], sizeof(asked->ids[0]), "%s", id);
	return 0;
}

/* A wrong passphrase is no answer: it may be typed again, then the call goes on waiting. */
static void decide(const struct command_session *session, const json_t *approval,
    const struct approvals_answer *given, struct approvals_key *key)
{
	for (int tries = 0; tries < DECIDE_TRIES; tries++) {
		int had_key = key->key != NULL;

		if (approvals_decide(session, approval, given, key) == COMMAND_OK || had_key ||
		    key->key)
			return; /* decided, or the daemon itself said why not */
	}
	printf("still waiting: callgate approve %s\n",
	    json_string_value(json_object_get(approval, "id")));
}

/* "once session always" -> the one that was typed; NULL where that is none of them. */
static const char *scope_of(const json_t *scopes, const char *typed)
{
	const json_t *scope;
	size_t i;

	json_array_foreach(scopes, i, scope)
	{
		const char *name = json_string_value(scope);

		if (name && typed[0] && strncmp(name, typed, strlen(typed)) == 0)
			return name;
	}
	return typed[0] ? NULL : "once";
}

/* What a yes stands for, where the policy leaves a choice. 0; -ENODATA: the terminal ended. */
static int ask_scope(int tty, const json_t *scopes, struct approvals_answer *given)
{
	char question[ANSWER_MAX] = "for how long? [Enter = once", typed[ANSWER_MAX];
	size_t len;

	for (size_t i = 1; i < json_array_size(scopes); i++) {
		const char *name = json_string_value(json_array_get(scopes, i));

		len = strlen(question);
		(void)snprintf(question + len, sizeof(question) - len, ", %s", name ? name : "");
	}
	len = strlen(question);
	(void)snprintf(question + len, sizeof(question) - len, "]");
	while (json_array_size(scopes) > 1 && !given->scope) {
		if (pager_ask(tty, question, typed, sizeof(typed)) != 0)
			return -ENODATA;
		given->scope = scope_of(scopes, typed);
	}
	return 0;
}

/* Scope and reason, as the policy has them for this tool. 0; -ENODATA: the terminal ended; 1: no
 * reason was given where one is needed, so it goes on waiting. */
static int ask_details(
    int tty, const json_t *approval, struct approvals_answer *given, char *reason)
{
	if (ask_scope(tty, json_object_get(approval, "scopes"), given) != 0)
		return -ENODATA;
	if (!json_is_true(json_object_get(approval, "reason_required")))
		return 0;
	if (pager_ask(tty, "why? [the policy wants a reason; Enter = leave it waiting]", reason,
		ANSWER_MAX))
		return -ENODATA;
	given->reason = reason;
	return str_is_seen(reason) ? 0 : 1;
}

static void say_left(const json_t *approval)
{
	printf("left waiting: callgate approve %s\n",
	    json_string_value(json_object_get(approval, "id")));
}

static int ask_human(const struct command_session *session, int tty, const json_t *approval,
    struct approvals_key *key)
{
	struct approvals_answer given = {0};
	char answer[ANSWER_MAX], reason[ANSWER_MAX];

	switch (approvals_page(tty, approval)) {
	case 0: break;
	case PAGER_LEFT: say_left(approval); return 0;
	default: return -ENODATA;
	}
	if (pager_ask(tty, "approve? [y = yes, n = no, Enter = leave it waiting]", answer,
		sizeof(answer)) != 0)
		return -ENODATA;
	if (approvals_seconds_left(approval) < 0) {
		printf("too late: it has expired\n");
	} else if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0) {
		given.decision = "approve";
		switch (ask_details(tty, approval, &given, reason)) {
		case 0: decide(session, approval, &given, key); break;
		case 1: say_left(approval); break;
		default: return -ENODATA;
		}
	} else if (strcmp(answer, "n") == 0 || strcmp(answer, "no") == 0) {
		if (pager_ask(tty, "why? [Enter = no reason]", reason, sizeof(reason)) != 0)
			return -ENODATA;
		given.decision = "deny";
		given.reason = reason;
		decide(session, approval, &given, key);
	} else {
		say_left(approval);
	}
	return 0;
}

/* Where to put what waits: to the human at this terminal, or as lines to a program. */
struct watching {
	int tty; /* -1: lines */
	struct asked *asked;
	struct approvals_key key;
};

static int print_line(const json_t *approval)
{
	char *cleanup_free text = json_dumps(approval, JSON_COMPACT);

	if (!text)
		return -ENOMEM;
	command_put_json(text, strlen(text));
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EPIPE;
}

static int show_new(
    const struct command_session *session, struct watching *watching, const json_t *list)
{
	const json_t *entry;
	int fault = 0;
	size_t i;

	json_array_foreach(json_object_get(list, "approvals"), i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "id"));

		if (!id || fault || was_asked(watching->asked, id))
			continue;
		fault = watching->tty < 0
			    ? print_line(entry)
			    : ask_human(session, watching->tty, entry, &watching->key);
	}
	return fault;
}

static int watch(const struct command_session *session, struct watching *watching)
{
	json_int_t revision = 0;
	int status = 0, fault = 0;

	while (status == 0 && !fault) {
		json_t *list = NULL;

		fflush(stdout);
		status = client_once(session, "callgate/approvals/watch",
		    json_pack("{s:I}", "since", revision), &list);
		if (status == 0) {
			revision = json_integer_value(json_object_get(list, "revision"));
			fault = show_new(session, watching, list);
		}
		json_decref(list);
	}
	return status; /* a fault: the terminal or the reader has ended, which is no error */
}

int cmd_watch(struct command_session *session, int argc, char **argv)
{
	struct watching watching = {.key.given = command_take_option(&argc, argv, "--key")};
	int text = session->output == COMMAND_OUTPUT_TEXT;
	int cleanup_fd tty = text ? open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY) : -1;
	struct asked *cleanup_free asked = calloc(1, sizeof(*asked));
	int status = command_no_more(argc, argv, 0);

	if (status == 0 && ((text && tty < 0) || !asked))
		return command_fail(COMMAND_USAGE, "watch: needs a terminal; without one use "
						   "`callgate pending` and `callgate approve ID`");
	if (status == 0 && text)
		printf("waiting for calls that need a human; end with Ctrl-C\n");
	watching.tty = tty;
	watching.asked = asked;
	if (status == 0)
		status = watch(session, &watching);
	approvals_key_fini(&watching.key);
	return status;
}
