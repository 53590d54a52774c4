/*
 * callgate-courier: fetches from the outside what engine asks for, and hears of the outside only
 * answers. Started by callgated with 3 = link to engine, 4 = link to the warden;
 * CALLGATE_LOG=level,format. OUTGOING on 4 comes first and again at each reload; until then what
 * engine asks waits. It holds no policy and no call; the loss of either link ends it, and its own
 * loss costs what it was asked.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/self.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/courier/pool.h"
#include "supervisor/courier/resolver.h"
#include "supervisor/link/link.h"

#define FD_ENGINE 3
#define FD_WARDEN 4
#define CA_MAX    (4 * 1024 * 1024)

static struct courier {
	uv_loop_t loop;
	uv_check_t check;
	struct link engine;
	struct link warden;
	struct pool pool;
	struct outgoing outgoing;
	int leaving; /* when what was asked is answered */
	int failed;
} courier;

static void fail(const char *what, int fault)
{
	log_error("%s: %s; courier ends", what, strerror(-fault));
	courier.failed = 1;
	uv_stop(&courier.loop);
}

/* ---- answers ------------------------------------------------------------------------------- */

static void on_answer(void *owner, uint64_t serial, const struct message_fetched *answer)
{
	struct message message;
	int fault;

	(void)owner;
	message_init(&message, MESSAGE_FETCHED);
	message.serial = serial;
	message.u.fetched = *answer;
	fault = link_send(&courier.engine, &message);
	if (fault)
		fail("link to engine", fault);
}

/* Landlock knows files, not names: who is replaced can be read again only by a new courier. */
static void on_unresolved(void *owner)
{
	(void)owner;
	if (courier.leaving || !resolver_is_stale())
		return;
	log_warn("the name service's files were replaced; courier ends, to be started anew");
	courier.leaving = 1;
}

/* What the last answers need to leave is looked at once each turn. */
static void on_check(uv_check_t *check)
{
	(void)check;
	if (courier.leaving && pool_busy(&courier.pool) == 0 && link_backlog(&courier.engine) == 0)
		uv_stop(&courier.loop);
}

/* ---- what the warden says ------------------------------------------------------------------ */

/* The system's authorities, and those of the policy where fd >= 0. */
static int read_authorities(struct authorities **ret, int fd, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) system = {0};
	const void *more = "";
	size_t more_len = 0;
	int fault;

	buf_init(&system, CA_MAX);
	fault = resolver_authorities(&system);
	if (fault == -ENOENT)
		log_warn("the system has no certificates of authorities; install ca-certificates");
	else if (fault)
		return err_note_errno(note, err_note(note, fault, "the system's authorities"));
	fault = fd >= 0 ? fd_map_sealed(fd, CA_MAX, &more, &more_len) : 0;
	if (fault)
		return err_note_errno(note, err_note(note, fault, "server.outgoing.ca"));
	fault = fd >= 0 && more_len == 0
		    ? err_note(note, -EBADMSG, "server.outgoing.ca: it is empty")
		    : authorities_read(ret, system.data, system.len, more, more_len, note);
	if (fd >= 0)
		fd_unmap(more, more_len);
	return fault;
}

/* Both are whole before one of them changes. Whatever is replaced, no connection of before is used
 * again. */
static int take_outgoing(struct message *message)
{
	const struct message_outgoing *told = &message->u.outgoing;
	struct outgoing *held = &courier.outgoing;
	struct authorities *authorities = NULL;
	struct reach reach = {0};
	struct err_note note = {""};
	int fault = reach_parse(&reach, &told->networks, &note);

	if (!fault)
		fault = read_authorities(&authorities, told->has_ca ? message->fds[0] : -1, &note);
	if (fault) {
		log_error("%s", note.text);
		reach_fini(&reach);
		return fault;
	}
	if (held->authorities)
		held->changed_ms = clock_monotonic_us() / 1000;
	reach_fini(&held->reach);
	authorities_free(held->authorities);
	held->reach = reach;
	held->authorities = authorities;
	courier.leaving = 0;
	pool_set_outgoing(&courier.pool, held);
	return 0;
}

static int answer_ping(uint64_t serial)
{
	struct message answer;

	message_init(&answer, MESSAGE_PONG);
	answer.serial = serial;
	return link_send(&courier.warden, &answer);
}

static void on_warden(struct link *link, struct message *message, int fault)
{
	fault = message ? -EBADMSG : fault;
	if (message && message->type == MESSAGE_OUTGOING) {
		fault = take_outgoing(message);
	} else if (message && message->type == MESSAGE_LOGGER) {
		log_set((enum log_level)message->u.logger.level,
		    (enum log_format)message->u.logger.format);
		fault = 0;
	} else if (message && message->type == MESSAGE_PING) {
		fault = answer_ping(message->serial);
	} else if (message && message->type == MESSAGE_DRAIN) {
		log_info("leaving: %s", message->u.drain.cause);
		courier.leaving = 1;
		fault = 0;
	}
	if (fault)
		fail(link->name, fault);
}

static void on_engine(struct link *link, struct message *message, int fault)
{
	if (message && message->type == MESSAGE_FETCH) {
		pool_fetch(&courier.pool, &message->u.fetch, message->serial);
		return;
	}
	if (message && message->type == MESSAGE_FORGET) {
		pool_forget(&courier.pool, message->u.forget.fetch);
		return;
	}
	if (!message && courier.leaving && fault == -EPIPE) {
		uv_stop(&courier.loop); /* nobody is left who waits for an answer */
		return;
	}
	fail(link->name, message ? -EBADMSG : fault);
}

/* ---- birth and death ----------------------------------------------------------------------- */

static int confine(void)
{
	int places[RESOLVER_PLACES_MAX + 1];
	struct err_note note = {""};
	int fault = authorities_check(&note);

	if (fault) {
		log_error("%s", note.text);
		return fault;
	}
	resolver_load();
	resolver_places(places);
	fault = self_confine(SELF_COURIER, places, &note);
	for (size_t i = 0; places[i] >= 0; i++)
		close(places[i]);
	if (fault)
		log_error("%s", note.text);
	return fault;
}

static int start(void)
{
	int fault = uv_loop_init(&courier.loop);

	if (!fault)
		fault = uv_check_init(&courier.loop, &courier.check);
	if (!fault)
		fault = uv_check_start(&courier.check, on_check);
	if (!fault && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		fault = -ENOMEM;
	courier.pool.answer = on_answer;
	courier.pool.unresolved = on_unresolved;
	if (!fault)
		fault = pool_open(&courier.pool, &courier.loop);
	if (!fault)
		fault = link_open(
		    &courier.engine, &courier.loop, FD_ENGINE, "link to engine", on_engine, NULL);
	if (!fault)
		fault = link_open(
		    &courier.warden, &courier.loop, FD_WARDEN, "link to warden", on_warden, NULL);
	if (fault) {
		log_error("descriptors 3 and 4: %s; this program is started by callgated",
		    strerror(-fault));
		return fault;
	}
	return confine();
}

static void stop(void)
{
	pool_close(&courier.pool);
	link_close(&courier.engine);
	link_close(&courier.warden);
	uv_close((uv_handle_t *)&courier.check, NULL);
	while (uv_run(&courier.loop, UV_RUN_DEFAULT))
		; /* until every close callback has run */
	(void)uv_loop_close(&courier.loop);
	authorities_free(courier.outgoing.authorities);
	reach_fini(&courier.outgoing.reach);
}

int main(void)
{
	log_init_role("courier");
	(void)signal(SIGINT, SIG_IGN); /* a terminal's ^C is for callgated */
	(void)signal(SIGPIPE, SIG_IGN);
	if (self_start() < 0 || start() < 0)
		return EXIT_FAILURE;
	(void)uv_run(&courier.loop, UV_RUN_DEFAULT);
	stop();
	return courier.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
