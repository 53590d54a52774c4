/*
 * callgate/effects/...: what calls have changed in their overlays, and what becomes of it.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_EFFECTS_H
#define CALLGATE_ENGINE_METHODS_EFFECTS_H

struct methods_ask;

/* What the caller may know of: his own, and what he may approve or see of approvals. */
void list_effects(const struct methods_ask *ask);
/* {call}: all changes of one. */
void get_effects(const struct methods_ask *ask);
/* {call, path}: one path, before and after. */
void look_at_effects(const struct methods_ask *ask);
/* {call, digest, paths?, reason?, approver?}: who may approve the tool, and is not who asked or
 * signs. approver is as for a decision (PROTOCOL.md), over approval_effects_digest(). */
void commit_effects(const struct methods_ask *ask);
/* The same; takes back all that was committed. */
void undo_effects(const struct methods_ask *ask);
/* {call}: who asked for the call, or who may approve its tool. */
void discard_effects(const struct methods_ask *ask);

#endif
