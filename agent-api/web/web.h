/*
 * The HTTP front: one server, the links to engine and to the warden, and the requests in flight
 * between them. It holds bytes and connections, answers what needs no decision, and forwards the
 * rest; it opens nothing and decides nothing. It serves nothing before the warden has said how
 * (MESSAGE_SITE). Floor 3; never blocks.
 */
#ifndef CALLGATE_WEB_WEB_H
#define CALLGATE_WEB_WEB_H

#include <uv.h>

#include "agent-api/http/server.h"
#include "agent-api/web/limits.h"
#include "agent-api/web/reply.h"
#include "agent-api/web/site.h"
#include "supervisor/link/link.h"

struct exchange;
struct batch;

enum web_phase {
	WEB_SERVING = 0,
	WEB_DRAINING, /* new requests get 503; ends well when engine leaves */
	WEB_DONE,     /* engine left while draining; the last answers are still delivered */
	WEB_FAILED,   /* the process must end */
};

struct web {
	uv_loop_t loop;
	struct link engine;
	struct link warden;
	struct http_server server;
	struct site *site; /* owned; NULL: nothing is served yet */
	int listen_fd;     /* owned until the server has it; then -1 */
	bool ended;        /* the server is */
	uint64_t last_peer;
	uint64_t request_seed; /* of ids of requests, so that no two processes give the same */
	struct exchange *by_serial[WEB_BUCKETS]; /* in flight; owned */
	struct exchange *by_peer[WEB_BUCKETS];   /* the same */
	struct batch *batches;                   /* in flight; each is of its messages */
	uint32_t in_flight;
	uint32_t streams;
	uint32_t exchanges;           /* structs, the closing ones too */
	struct message_counts counts; /* since the last report */
	uv_timer_t report;
	enum web_phase phase;
	struct reply refused; /* the server sends it after its callback has returned */
};

/* Takes the descriptors. 0 or -errno; after a failure the process can only exit. */
int web_open(struct web *web, int engine_fd, int listen_fd, int warden_fd);
/* Runs until engine leaves. The phase it ended in: WEB_DONE or WEB_FAILED. */
enum web_phase web_run(struct web *web);
/* Closes everything and lets the loop finish. */
void web_close(struct web *web);

/* Ends the process's work. */
void web_fail(struct web *web, const char *what, int fault);
/* Whether something new may begin. NULL or the reason in words, a literal. */
const char *web_refuses(const struct web *web);
/* Tells engine what was answered without it. */
void web_report(struct web *web);
/* Sends to engine; a link that cannot take it fails the front. 0 or -errno. */
int web_tell(struct web *web, struct message *message);

/* Answers, with what every answer carries; counted as answered here. Ends the request. */
void web_answer(struct web *web, struct http_request *request, struct reply *reply);
/* The same of an error. */
void web_answer_error(struct web *web, struct http_request *request, int status, const char *error);
/* Adds what every answer carries. */
void web_dress(const struct web *web, const struct http_request *request, struct reply *reply);

#endif
