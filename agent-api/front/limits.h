/*
 * What clients may make one front hold, each and together. Per message: agent-api/wire/limits.h.
 *
 * A holder is a user (all connections of one uid) or a gate (all connections of one running call).
 * Where a sum is reached, the biggest holder gives way, never who happens to ask (budget.h).
 */
#ifndef CALLGATE_FRONT_LIMITS_H
#define CALLGATE_FRONT_LIMITS_H

#define FRONT_IN_FLIGHT_MAX   256               /* requests with engine, per connection */
#define FRONT_OUTPUT_MAX      (4 * 1024 * 1024) /* bytes waiting for one client to read */
#define FRONT_READ            (64 * 1024)       /* bytes taken from one client per turn */
#define FRONT_ACCEPTS         64                /* connections taken per turn */
#define FRONT_ACCEPT_PAUSE_MS 100               /* after running out of descriptors */
#define FRONT_LINE_MS         60000             /* from the first byte of a message to its last */
#define FRONT_LAST_MS         1500              /* for the last answers, after engine has left */
/* Connections. The last slots are kept: the daemon's own user finds one when others have taken all
 * they can, and root when both have. */
#define FRONT_CONNECTIONS_MAX  1024
#define FRONT_USER_CONNECTIONS 256 /* of one uid */
#define FRONT_KEPT_FOR_OWN     32
#define FRONT_KEPT_FOR_ROOT    32
/* Bytes of unfinished messages and of requests with engine. */
#define FRONT_IN_MAX       (64 * 1024 * 1024) /* of all holders */
#define FRONT_USER_IN_MAX  (32 * 1024 * 1024)
#define FRONT_GATE_IN_MAX  (4 * 1024 * 1024)
#define FRONT_GATES_IN_MAX (32 * 1024 * 1024) /* of all gates */
#define FRONT_IN_SURE      (256 * 1024)       /* of one holder, whatever the others hold */
/* Bytes of answers that wait to be read. */
#define FRONT_OUT_MAX       (128 * 1024 * 1024)
#define FRONT_USER_OUT_MAX  (64 * 1024 * 1024)
#define FRONT_GATE_OUT_MAX  (16 * 1024 * 1024)
#define FRONT_GATES_OUT_MAX (64 * 1024 * 1024)
/* Gates of running calls (gate.h). */
#define FRONT_GATES_MAX         512 /* engine lets no more calls run */
#define FRONT_GATE_CONNECTIONS  16  /* through one gate at once */
#define FRONT_GATES_CONNECTIONS 256 /* through all of them */
#define FRONT_GATE_WRONG        64  /* messages without a connection before a gate is closed */

#endif
