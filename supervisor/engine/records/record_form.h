/*
 * Records of the forms that a tool puts to its caller's user (callgate/elicit): that one was asked,
 * and what became of it. What stands in them is the user's and the tool's: digests and sizes only.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RECORD_FORM_H
#define CALLGATE_ENGINE_RECORD_FORM_H

#include <jansson.h>

struct caller;
struct engine;

/* form.asked. call: its id; form: what the tool wants to know. */
void record_form_asked(
    struct engine *engine, const char *call, const struct caller *caller, const json_t *form);
/* form.answered. who: in whose client; action: accept, decline, cancel, or withdrawn: nobody waited
 * for it any more; content: what was filled in, or NULL. */
void record_form_answered(struct engine *engine, const char *call, const struct caller *who,
    const char *action, const json_t *content);

#endif
