/*
 * Gates: a running call whose tool has sandbox.callgate asks for other tools through a socket of
 * its own. Who comes through one is that call: its principal, its account, its agent where he
 * names none, its namespace, one step deeper, and never an approver. He is served as long as the
 * call runs. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_GATE_H
#define CALLGATE_ENGINE_GATE_H

#include <stdint.h>

#include "supervisor/link/message.h"

#define GATE_DEPTH_MAX 4 /* calls inside the one that came from the socket */
#define GATE_TOO_DEEP  "calls are nested too deep: at most 4 may stand inside another one"

struct call;
struct caller;
struct engine;
struct peer;

/* LAUNCHED brought front's end of the gate: hands it on; fd stays the caller's. 0 or -errno: the
 * call runs on and finds nobody at its gate. */
int gate_open(struct call *call, int fd);
/* The call is being ended, or has ended: nobody is served through its gate any more, and the calls
 * that came through it are cancelled. May be done twice. Returns how many of those have no outcome
 * on disk yet; when the last one has, gate_left() lets the call go on from CLOSING. */
uint32_t gate_close(struct call *call);
/* This call has just reached AUDITED. Where it came through the gate of one that is CLOSING, and
 * was the last, that one goes on. */
void gate_left(const struct call *nested);

/* A new peer that came through the gate of this call: who he is, with a hold, and how deep. Of a
 * call that does not run (it may have ended meanwhile) or has no gate: he is nobody and is served
 * nothing. NULL: out of memory. */
struct caller *gate_admit(struct engine *engine, struct peer *peer, const char *call);
/* Why he may not ask for this; a literal. NULL: he may. TOOLS_CALL is left to its judge, so that
 * its refusal is recorded. */
const char *gate_refuses(const struct peer *peer, enum request_method method);

#endif
