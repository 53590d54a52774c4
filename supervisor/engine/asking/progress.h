/*
 * notifications/progress for calls whose client gave a token: what the tool has written so far,
 * while it runs, and whom the call waits for; or what the tool itself says through its gate
 * (callgate/progress), which then takes the place of its output. Numbers only grow. Five a second
 * for one call after a burst, none after its result. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_PROGRESS_H
#define CALLGATE_ENGINE_PROGRESS_H

#include "supervisor/base/buf.h"

struct call;
struct methods_ask;
struct waiting;

#define PROGRESS_EVERY_MS   200
#define PROGRESS_WAITING_MS 5000 /* how often a call that waits for a human says so */
#define PROGRESS_TEXT_MAX   4096 /* bytes of output in one message */
#define PROGRESS_SAID_MAX   1024 /* bytes of what a tool says itself */
#define PROGRESS_BURST      10   /* of its own numbers may go out at once */

/* Watches this call to its end, if it has a token. Without memory it has no progress. */
void progress_start(struct call *call);
void progress_free_all(struct waiting *waiting);
/* REQUEST_PROGRESS of a running call, {progress, total?, message?}: answered {} when it was taken,
 * also where its client wants no progress. What is too fast is told later, the newest of it. */
void progress_take(const struct methods_ask *ask);

/* Appends the end of bytes as text for people: whole characters, nothing a terminal acts upon but
 * newline and tab. 0, -ENOMEM, or out's fault. */
int progress_text(struct buf *out, const void *bytes, size_t len);

#endif
