/*
 * Orders about changes that are held. The life of one: what was decided goes to disk, and only the
 * auditor's answer to that sends it to the warden; COMMIT and UNDO carry the receipt, which the
 * warden looks at itself. DISCARD asks for no receipt: to throw away needs no right but the one
 * that was judged here, and it is sent even where the record could not be written. LOOK changes
 * nothing and is not recorded. The warden's answer ends an order: the call that waits in WRITING or
 * DROPPING is stepped, and the client that asked is answered. Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_EFFECT_OP_H
#define CALLGATE_ENGINE_EFFECT_OP_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/approvals/approval.h"
#include "supervisor/engine/calls/result.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/link/message.h"

/* One order. Texts and lists are copied. */
struct effect_order {
	enum effects_op op;
	const struct approval_answer *answer; /* who decided; NULL: nobody, but: */
	const char *cause;                    /* why, where nobody decided; a literal; "" = said */
	const char *by;                       /* principal, for the warden's record */
	const uint32_t *paths;                /* indexes of the list; NULL: all of it */
	uint32_t path_count;
	const struct result_to *to; /* who is answered; NULL: nobody */
};

/* 0, -EBUSY: another order about this call is under way; -ENOMEM, -errno: nothing was sent. The
 * record of a DISCARD that does not fit, too, is sent without. */
int effect_op_start(
    struct engine *engine, struct holding *holding, const struct effect_order *order);
/* A human has answered the question about it, or nobody has in time, and no call waits for that
 * any more. to: APPROVED commits; anything else discards. */
void effect_op_answered(struct engine *engine, const struct approval *approval,
    enum approval_state to, const char *cause);
/* The questions are void: what they were about and no call waits for is discarded. */
void effect_op_void(struct engine *engine, const char *cause);
/* Tells the warden to forget what is over. Nobody waits for the answer. */
void effect_op_forget(struct engine *engine, const struct holding *holding);

/* RECORDED: true if it was the answer to one of those records. */
bool effect_op_recorded(struct engine *engine, const struct message *message);
/* EFFECTED. 0, or -EBADMSG: the warden is broken. */
int effect_op_effected(struct engine *engine, struct message *message);
void effect_op_free_all(struct engine *engine);

#endif
