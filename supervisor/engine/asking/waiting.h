/*
 * All that waits for news, or is remembered between two messages of the front: one per engine,
 * made when first needed. Each list belongs to the file named beside it. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_WAITING_H
#define CALLGATE_ENGINE_WAITING_H

#include <stdint.h>
#include <uv.h>

#include "supervisor/evidence/digest.h"

struct engine;
struct elicitation;
struct log_wish;
struct progress;
struct tool_question;
struct subscription;

struct waiting {
	struct subscription *subscriptions; /* subscribe.c */
	struct progress *progress;          /* progress.c: calls with a token ... */
	uv_timer_t *ticker;                 /* ... and their timer; NULL while there is none */
	struct elicitation *elicitations;   /* elicit.c: forms that clients have not answered */
	struct tool_question *questions; /* question.c: of running tools to their callers' users */
	struct log_wish *wishes;         /* logging.c: what principals want to hear over HTTP */
	uint8_t key[KEY_LEN]; /* of this start: cursors and request states are authentic by it */
};

/* NULL: out of memory, or no random bytes. */
struct waiting *waiting_of(struct engine *engine);
/* NULL: nothing was ever needed. */
struct waiting *waiting_find(const struct engine *engine);
/* Frees all without a word. */
void waiting_free(struct engine *engine);

#endif
