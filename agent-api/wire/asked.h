/*
 * What the server has asked a client and not heard of yet. Engine's requests pass through here as
 * they go out, so that only the one answer to each goes in: whatever else a client answers never
 * reaches engine. Floor 1.
 */
#ifndef CALLGATE_WIRE_ASKED_H
#define CALLGATE_WIRE_ASKED_H

#include <jansson.h>
#include <stddef.h>

#include "agent-api/wire/notice.h"

/* An engine asks once per waiting call, and its calls are bounded by user; the oldest question
 * makes room. */
#define ASKED_MAX 64

struct asked {
	char ids[ASKED_MAX][NOTICE_ID_MAX]; /* "" = free */
	unsigned next;                      /* where the next one goes */
};

/* Looks whether an outgoing object is a request of ours and keeps its id. *asked is made when
 * needed; freed by free(). 0 or -ENOMEM. */
int asked_note(struct asked **asked, const void *body, size_t len);
/* Is this the id of an open question? It is closed then. asked may be NULL. 1 or 0. */
int asked_take(struct asked *asked, const json_t *id);

#endif
