#include "supervisor/warden/nursery.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/self.h"

#define NURSERY_SOCK 3

extern char **environ;

enum question_kind {
	QUESTION_NONE = 0,
	QUESTION_START, /* fds: the program's */
	QUESTION_OWNER, /* fds: the file */
};

struct question {
	uint32_t kind;
	uint32_t program;
	uint32_t level;
	uint32_t format;
};

struct answer {
	int32_t fault;
	int32_t pid; /* START; its pidfd comes along */
	uint32_t uid;
	struct err_note note;
};

static const struct {
	const char *name;
	uint32_t fd_count;
} programs[NURSERY_PROGRAM_COUNT] = {
    [NURSERY_HTTP] = {"callgate-front-http", 3},
    [NURSERY_COURIER] = {"callgate-courier", 2},
};

const char *nursery_program_name(enum nursery_program program)
{
	return program < NURSERY_PROGRAM_COUNT ? programs[program].name : NULL;
}

/* ---- the process itself --------------------------------------------------------------------- */

/* Powers were shed once for all of them. */
static void start_program(const struct question *question, const int *fds, size_t fd_count,
    struct child *ret, struct answer *answer)
{
	const struct child_user same_user = {.root = false};
	struct child_environment environment;
	struct child_spec spec = {.fds = fds, .user = &same_user, .for_parent = true};

	answer->fault = -EBADMSG;
	if (question->program == NURSERY_NONE || question->program >= NURSERY_PROGRAM_COUNT ||
	    fd_count != programs[question->program].fd_count || question->level > LOG_LEVEL_DEBUG ||
	    question->format > LOG_FORMAT_JSON)
		return;
	child_environment_make(
	    &environment, (enum log_level)question->level, (enum log_format)question->format);
	spec.program = programs[question->program].name;
	spec.fd_count = (uint32_t)fd_count;
	spec.environment = environment.items;
	answer->fault = child_start(&spec, ret, &answer->note);
	answer->pid = answer->fault ? 0 : ret->pid;
}

static void find_owner(const int *fds, size_t fd_count, struct answer *answer)
{
	struct stat st;

	answer->fault = fd_count != 1 ? -EBADMSG : fstat(fds[0], &st) < 0 ? -errno : 0;
	if (!answer->fault)
		answer->uid = st.st_uid;
}

static _Noreturn void serve(void)
{
	for (;;) {
		struct question question;
		struct answer answer = {.fault = -EBADMSG};
		struct child child = {.pidfd = -1};
		int fds[NURSERY_FDS_MAX];
		size_t count = 0;

		if (fd_receive(NURSERY_SOCK, &question, sizeof(question), fds, NURSERY_FDS_MAX,
			&count) != sizeof(question))
			_exit(0); /* the warden is gone */
		if (question.kind == QUESTION_START)
			start_program(&question, fds, count, &child, &answer);
		else if (question.kind == QUESTION_OWNER)
			find_owner(fds, count, &answer);
		while (count > 0)
			close(fds[--count]);
		if (fd_send(NURSERY_SOCK, &answer, sizeof(answer), &child.pidfd,
			child.pidfd >= 0 ? 1 : 0))
			_exit(0);
		cleanup_fd_(&child.pidfd);
	}
}

/* Tokens and keys may lie in the daemon's environment: here they are overwritten where they are. */
static void forget_environment(void)
{
	static const char *const kept[] = {"CALLGATE_LIBEXEC=", "JOURNAL_STREAM="};
	char **next = environ;

	for (char **at = environ; at && *at; at++) {
		bool keep = false;

		for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
			keep = keep || !strncmp(*at, kept[i], strlen(kept[i]));
		if (keep)
			*next++ = *at;
		else
			explicit_bzero(*at, strlen(*at));
	}
	if (next)
		*next = NULL;
}

static _Noreturn void become_nursery(int sock, const struct child_user *user, pid_t parent)
{
	/* A session of its own: an interrupt typed at the daemon is the daemon's to handle. */
	if (setsid() < 0 || fd_move(&sock, NURSERY_SOCK) || fd_close_from(NURSERY_SOCK + 1))
		_exit(1);
	forget_environment();
	(void)prctl(PR_SET_NAME, "callgate-nurse"); /* for ps; nothing hangs on it */
	/* The change of uid clears what self_start() sets. */
	if (chdir("/") < 0 || child_shed_powers(user) || self_start() || self_refuse_powers())
		_exit(1);
	if (getppid() != parent)
		_exit(1);
	serve();
}

/* ---- the warden's side ---------------------------------------------------------------------- */

int nursery_start(struct nursery *ret, const struct child_user *user, struct err_note *note)
{
	struct nursery nursery = {.sock = -1, .child = {.name = "callgate-nursery", .pidfd = -1}};
	pid_t parent = getpid();
	int pair[2];
	int fault = fd_pair(pair);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "socketpair"));
	nursery.child.pid = fork();
	if (nursery.child.pid == 0)
		become_nursery(pair[1], user, parent);
	close(pair[1]);
	nursery.sock = pair[0];
	if (nursery.child.pid < 0)
		fault = -errno;
	else if ((nursery.child.pidfd = (int)syscall(SYS_pidfd_open, nursery.child.pid, 0)) < 0)
		fault = -errno;
	if (fault) {
		nursery_stop(&nursery);
		return err_note_errno(note, err_note(note, fault, "callgate-nursery"));
	}
	*ret = nursery;
	return 0;
}

/* Answers come in the order of asking, and nothing else does: one that is late would be taken for
 * the next, so a nursery that does not answer is given up. */
static int ask(struct nursery *nursery, const struct question *question, const int *fds,
    size_t fd_count, struct answer *ret, int *ret_fd)
{
	struct pollfd answered = {.fd = nursery->sock, .events = POLLIN};
	size_t got_fds = 0;
	int fault;

	if (nursery->sock < 0)
		return -EPIPE;
	fault = fd_send(nursery->sock, question, sizeof(*question), fds, fd_count);
	if (!fault && poll(&answered, 1, NURSERY_ANSWER_MS) != 1)
		fault = -ETIMEDOUT;
	if (!fault &&
	    fd_receive(nursery->sock, ret, sizeof(*ret), ret_fd, 1, &got_fds) != sizeof(*ret))
		fault = -EPIPE;
	if (fault) {
		if (got_fds)
			cleanup_fd_(ret_fd);
		cleanup_fd_(&nursery->sock);                     /* it ends by that, and the */
		if (nursery->child.pid > 0)                      /* daemon with it: its pidfd */
			(void)kill(nursery->child.pid, SIGKILL); /* says so */
		return -EPIPE;
	}
	ret->note.text[sizeof(ret->note.text) - 1] = '\0';
	return 0;
}

int nursery_ask(struct nursery *nursery, const struct nursery_order *order, struct child *ret,
    struct err_note *note)
{
	const char *name = nursery_program_name(order->program);
	const struct question question = {
	    .kind = QUESTION_START,
	    .program = order->program,
	    .level = order->level,
	    .format = order->format,
	};
	struct answer answer = {0};
	int cleanup_fd pidfd = -1;
	int fault;

	if (!name)
		return err_note(note, -EINVAL, "callgate-nursery: no such program");
	fault =
	    ask(nursery, &question, order->fds, programs[order->program].fd_count, &answer, &pidfd);
	if (fault)
		return err_note(note, fault, "%s: callgate-nursery does not answer", name);
	if (answer.fault || answer.pid <= 0 || pidfd < 0) {
		(void)err_note(note, 0, "%s", answer.note.text[0] ? answer.note.text : name);
		return answer.fault < 0 ? answer.fault : -EBADMSG;
	}
	*ret = (struct child){.name = name, .pid = answer.pid, .pidfd = take_fd(&pidfd)};
	return 0;
}

int nursery_owner(struct nursery *nursery, int fd, uid_t *ret_uid)
{
	const struct question question = {.kind = QUESTION_OWNER};
	struct answer answer = {0};
	int cleanup_fd none = -1;
	int fault = ask(nursery, &question, &fd, 1, &answer, &none);

	if (!fault)
		fault = answer.fault;
	if (!fault)
		*ret_uid = answer.uid;
	return fault;
}

void nursery_stop(struct nursery *nursery)
{
	cleanup_fd_(&nursery->sock);
	child_end(&nursery->child, 0);
}
