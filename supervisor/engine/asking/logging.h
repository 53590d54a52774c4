/*
 * Log messages of running tools (callgate/log through the gate), which become
 * notifications/message on the stream of the request that called, where its client wants them of
 * that severity: in the modern era the request itself says so, in the legacy one logging/setLevel
 * did. Nobody is told who has asked for nothing.
 *
 * That level is the connection's on the Unix socket and through a gate. Over HTTP no sessions are
 * kept, so it is the principal's, of the anonymous ones the address's; it is forgotten an hour
 * after it was last set or used, and the one that waits longest makes room for others.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_LOGGING_H
#define CALLGATE_ENGINE_LOGGING_H

struct methods_ask;
struct waiting;

#define LOGGING_MESSAGES       1000         /* of one call, that are told */
#define LOGGING_BYTES          (256 * 1024) /* of their data as JSON, together */
#define LOGGING_DATA_MAX       4096         /* of one */
#define LOGGING_LIFE_S         3600
#define LOGGING_KEPT           1024 /* principals that have a level over HTTP */
#define LOGGING_KEPT_ANONYMOUS 256  /* addresses that have one */

/* REQUEST_SET_LEVEL {level}: {}. */
void logging_set_level(const struct methods_ask *ask);
/* REQUEST_LOG {level, data} of a running call: {} when it was taken, also where nobody wants it. */
void logging_take(const struct methods_ask *ask);

void logging_free_all(struct waiting *waiting);

#endif
