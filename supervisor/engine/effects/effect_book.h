/*
 * The changes that calls have left in their overlays, and that the warden holds until somebody
 * takes them over or throws them away. Lives in memory: a reload of the policy changes nothing
 * here, and the warden forgets all of it when the daemon ends. Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_EFFECT_BOOK_H
#define CALLGATE_ENGINE_EFFECT_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/approvals/approval.h"
#include "supervisor/link/effects.h"
#include "supervisor/link/message.h"

struct account;
struct call;
struct effect_op;
struct engine;

/* Held may become committed (all of it) or discarded, committed may become undone. */
#define HOLDING_STATES(X)                                                                          \
	X(HELD, "held")                                                                            \
	X(COMMITTED, "committed")                                                                  \
	X(UNDONE, "undone")                                                                        \
	X(DISCARDED, "discarded")

enum holding_state {
	HOLDING_NONE = 0,
#define HOLDING_ENUM_(id, name) HOLDING_##id,
	HOLDING_STATES(HOLDING_ENUM_)
#undef HOLDING_ENUM_
};

struct holding {
	struct holding *next; /* newest first */
	enum holding_state state;
	char call[CALL_ID_MAX];
	struct caller *caller;      /* who asked for the call; held */
	char *agent, *space, *tool; /* owned; "" = none */
	char *command;              /* owned, escaped for terminals */
	struct digest plan;         /* of the call */
	struct digest digest;       /* of the list */
	struct effects effects;     /* owned */
	bool *written;              /* by index: committed, and not undone */
	uint32_t written_count;
	uint64_t created_wall_us;
	char approval[APPROVAL_ID_MAX]; /* the open question about it; "" = none */
	bool busy;                      /* an order is with the auditor or the warden */
	struct account *account;        /* charged one QUOTA_HOLD, and */
	uint64_t charged_bytes;
};

struct effect_book {
	struct holding *first;
	struct effect_op *ops; /* orders under way (effect_op.h) */
};

/* Takes the list that EXITED brought, decoded already, and the call's QUOTA_HOLD. NULL: out of
 * memory, and then the list is freed. */
struct holding *effect_book_add(
    struct call *call, struct effects *effects, const void *bytes, size_t len);
/* NULL: unknown. Those of before that are over are found, too, until they are forgotten. */
struct holding *effect_book_find(const struct engine *engine, const char *call);
/* The one whose open question is about what this call, just planned, would do again. */
struct holding *effect_book_twin(const struct call *call);
/* Makes room for one more of this account: forgets its oldest that is over, which cannot be undone
 * any more then. False: all of its are still held. */
bool effect_book_make_room(struct engine *engine, struct account *account);
/* Forgets one, without a word to the warden. */
void effect_book_drop(struct engine *engine, struct holding *holding);
void effect_book_free_all(struct engine *engine);

const char *holding_state_name(enum holding_state state);

#endif
