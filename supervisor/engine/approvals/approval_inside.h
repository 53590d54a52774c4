/*
 * What the two halves of the book of questions know of each other: how a question is made
 * (approval_new.c), and what becomes of it (approval.c). Nobody else includes this.
 */
#ifndef CALLGATE_ENGINE_APPROVAL_INSIDE_H
#define CALLGATE_ENGINE_APPROVAL_INSIDE_H

#include "supervisor/engine/approvals/approval.h"

/* Charged, in the book and told: APPROVAL_WAITS; else as approval_ask(). */
int approval_ask_anew(struct call *call);
/* Marks a question as one about an approver's edit, where it is. */
void approval_take_edited_from(struct approval *approval, const struct call *call);

/* A question that is in no book. */
void approval_free(struct approval *approval);
void approval_set_state(
    struct engine *engine, struct approval *approval, enum approval_state state);
/* Ends a question for good; its id is remembered. Nobody may be waiting for it any more. */
void approval_close(struct engine *engine, struct approval *approval, enum approval_state state);

#endif
