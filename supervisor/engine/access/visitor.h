/*
 * One HTTP request becomes a peer: who it is, by what it shows. It is nobody until its first
 * REQUEST, which is judged here before anything is done for it: limits by address, the credential,
 * limits by who it is. A request on a Unix socket with a credential of its own goes the same way
 * for that request alone. Without a good credential it is refused, held until the issuer's keys are
 * there, or, where the policy says so, nobody in particular. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_VISITOR_H
#define CALLGATE_ENGINE_VISITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/peer.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/link/message.h"

struct engine;
struct methods_ask;

/* What an HTTP request showed; owned copies. */
struct visit {
	char *authorization, *api_key; /* wiped once judged; then "" */
	char *address, *subject, *method, *path, *request_id, *revision;
	char **sans;
	uint32_t san_count;
	struct digest certificate; /* with subject or sans */
	bool local, excluded;
	uint32_t uid, gid;
	uint64_t born_us; /* monotonic */
	bool is_counted;  /* by its address */
	bool is_judged;   /* the peer's caller is who it is */
	char *space;      /* as the REQUEST asks for */
	/* The method whose answer is to be recorded (http.request); REQUEST_NONE: none. */
	enum request_method recorded;
};

/* MESSAGE_VISITOR: a peer of the HTTP front until its PEER_GONE. 0; -EBADMSG when the number is
 * known already; -ENOMEM. */
int visitor_arrived(struct engine *engine, struct message *message);
/* Wipes and frees; accepts NULL. */
void visitor_free(struct visit *visit);

enum visitor_verdict {
	VISITOR_REFUSED = 0, /* and answered */
	VISITOR_HELD,        /* the message is taken; methods_request() will see it again */
	VISITOR_ADMITTED,    /* ask->peer->caller is who asks */
};
/* Who asks? peer: of the message. guest: where a request of a Unix socket shows a credential, it
 * is filled with the peer for this request and *ret_peer is it; its caller is released by the
 * receiver. Otherwise *ret_peer is peer. ask needs engine, request and to only. */
enum visitor_verdict visitor_admit(const struct methods_ask *ask, struct message *message,
    const struct peer *peer, struct peer *guest, const struct peer **ret_peer);

/* An answer goes out: recorded where it is to be. status: of HTTP. */
void visitor_answered(struct engine *engine, uint64_t peer, int status);
/* May a peer that has shown nothing see what is public? */
bool visitor_sees_public(const struct peer *peer);
#endif
