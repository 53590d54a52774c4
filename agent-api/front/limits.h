/*
 * What all clients together may make one front hold. Per message: agent-api/wire/limits.h.
 */
#ifndef CALLGATE_FRONT_LIMITS_H
#define CALLGATE_FRONT_LIMITS_H

#define FRONT_CONNECTIONS_MAX 1024
#define FRONT_IN_FLIGHT_MAX   256                 /* requests with engine, per connection */
#define FRONT_OUTPUT_MAX      (4 * 1024 * 1024)   /* bytes waiting for one client to read */
#define FRONT_HELD_MAX        (128 * 1024 * 1024) /* bytes held for all clients */
#define FRONT_READ            (64 * 1024)         /* bytes taken from one client per turn */
#define FRONT_ACCEPTS         64                  /* connections taken per turn */
#define FRONT_ACCEPT_PAUSE_MS 100                 /* after running out of descriptors */
/* Gates of running calls (gate.h). */
#define FRONT_GATES_MAX         512 /* engine lets no more calls run */
#define FRONT_GATE_CONNECTIONS  16  /* through one gate at once */
#define FRONT_GATES_CONNECTIONS 256 /* through all of them */
#define FRONT_GATE_WRONG        64  /* messages without a connection before a gate is closed */

#endif
