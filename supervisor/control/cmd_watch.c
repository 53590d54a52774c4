/* watch: the terminal prompt. Each waiting call is shown whole, then answered here, once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/control/approvals.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

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

/* One line typed after the question; what was typed before it is thrown away. */
static int read_answer(int tty, const char *question, char out[ANSWER_MAX])
{
	ssize_t got;

	(void)tcflush(tty, TCIFLUSH);
	dprintf(tty, "%s ", question);
	do {
		got = read(tty, out, ANSWER_MAX - 1);
	} while (got < 0 && errno == EINTR);
	if (got <= 0)
		return -ENODATA;
	out[got] = 0;
	out[strcspn(out, "\n")] = 0;
	return 0;
}

/* A wrong passphrase is no answer: it may be typed again, then the call goes on waiting. */
static void decide(const struct command_session *session, const json_t *approval,
    const char *decision, const char *reason, struct approvals_key *key)
{
	for (int tries = 0; tries < DECIDE_TRIES; tries++) {
		int had_key = key->key != NULL;

		if (approvals_decide(session, approval, decision, reason, key) == COMMAND_OK ||
		    had_key || key->key)
			return; /* decided, or the daemon itself said why not */
	}
	printf("still waiting: callgate approve %s\n",
	    json_string_value(json_object_get(approval, "id")));
}

static int ask_human(const struct command_session *session, int tty, const json_t *approval,
    struct approvals_key *key)
{
	char answer[ANSWER_MAX], reason[ANSWER_MAX];

	putchar('\n');
	approvals_print(approval);
	fflush(stdout);
	if (read_answer(tty, "approve? [y = yes, n = no, Enter = leave it waiting]", answer) != 0)
		return -ENODATA;
	if (approvals_seconds_left(approval) < 0) {
		printf("too late: it has expired\n");
	} else if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0) {
		decide(session, approval, "approve", NULL, key);
	} else if (strcmp(answer, "n") == 0 || strcmp(answer, "no") == 0) {
		if (read_answer(tty, "why? [Enter = no reason]", reason) != 0)
			return -ENODATA;
		decide(session, approval, "deny", reason, key);
	} else {
		printf("left waiting: callgate approve %s\n",
		    json_string_value(json_object_get(approval, "id")));
	}
	return 0;
}

static int ask_all(const struct command_session *session, int tty, const json_t *list,
    struct asked *asked, struct approvals_key *key)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(list, "approvals"), i, entry)
	{
		const char *id = json_string_value(json_object_get(entry, "id"));

		if (id && !was_asked(asked, id) && ask_human(session, tty, entry, key) != 0)
			return -ENODATA;
	}
	return 0;
}

int cmd_watch(struct command_session *session, int argc, char **argv)
{
	struct approvals_key key = {.given = command_take_option(&argc, argv, "--key")};
	int cleanup_fd tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	struct asked *cleanup_free asked = calloc(1, sizeof(*asked));
	json_int_t revision = 0;
	int status = command_no_more(argc, argv, 0);

	if (status == 0 && (tty < 0 || !asked))
		return command_fail(COMMAND_USAGE, "watch: needs a terminal; without one use "
						   "`callgate pending` and `callgate approve ID`");
	if (status == 0)
		printf("waiting for calls that need a human; end with Ctrl-C\n");
	while (status == 0) {
		json_t *list = NULL;

		fflush(stdout);
		status = client_once(session, "callgate/approvals/watch",
		    json_pack("{s:I}", "since", revision), &list);
		if (status != 0)
			break;
		revision = json_integer_value(json_object_get(list, "revision"));
		if (ask_all(session, tty, list, asked, &key) != 0) {
			json_decref(list);
			break; /* the terminal ended */
		}
		json_decref(list);
	}
	approvals_key_fini(&key);
	return status;
}
