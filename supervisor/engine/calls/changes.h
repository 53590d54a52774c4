/*
 * What a call changes in its overlay, from the call's side: room for it before anything runs, the
 * list when the tree is dead, and the words about it. effects/effect_book.h holds what is left when
 * the call is over. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CHANGES_H
#define CALLGATE_ENGINE_CHANGES_H

#include "supervisor/engine/calls/call.h"

/* May a call of this tool leave changes? NOTHING; BUSY (too many are held), DENIED (it would be
 * shown before somebody has looked), with the sentence. */
enum call_event changes_make_room(struct call *call);
/* Has the same call run, and is a human asked about what that changed? Then the sentence says
 * so. */
bool changes_wait(struct call *call);
/* EXITED: what it left. 0, or -EBADMSG: the warden is broken. */
int changes_take(struct call *call, const struct message_exited *exited);
/* Nothing was written. note: the warden's. */
void changes_say_unwritten(struct call *call, const char *note);
/* The sentence of a call whose changes were asked about and not kept. False: it is none of
 * those. */
bool changes_explain(struct call *call);
/* What a call that ended well says about its changes; appended to its sentence. */
void changes_tell(struct call *call);
/* Somebody was to see what it changed and has not said yes: then nobody sees what it printed. */
bool changes_withhold(const struct call *call);
/* _meta["callgate/effects"]: a new object; NULL: there is nothing to tell. */
json_t *changes_json(const struct call *call);

#endif
