/*
 * Records of HTTP and of who manages access: sign-ins, requests that are no calls, keys, tokens,
 * configuration. No credential, nor a piece of one, is in any. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RECORD_HTTP_H
#define CALLGATE_ENGINE_RECORD_HTTP_H

#include <stdint.h>

#include "supervisor/engine/records/record.h"

struct caller;
struct engine;
struct peer;
struct scope;
struct summary;

/* auth.ok: who, how, with what, from where. */
void record_auth_ok(struct engine *engine, const struct caller *caller);
/* auth.fail of an address ("": of all that have no record of their own): how many, why the last;
 * proof: what it was taken for; id: of a known key; "" for either: not known. */
void record_auth_failed(struct engine *engine, const char *address, uint64_t count, const char *why,
    const char *proof, const char *id);
/* http.summary: since the last one. */
void record_http_summary(struct engine *engine, const struct summary *summary);
/* http.request: the answer to the request of this visitor. status: of HTTP. */
void record_http_request(struct engine *engine, const struct peer *peer, int status);

/* What somebody did to a key, a token or the configuration. "", NULL: left out. */
struct admin_act {
	enum record_type type;
	const char *action;
	const char *id;     /* of the key or token */
	const char *tenant; /* of the key */
	const char *result; /* where it was not simply done */
	const char *detail; /* "sha256:..." of a configuration's difference, or a note */
	const struct scope *granted;
	uint64_t expires_s;
};
/* Sends it; done: as in record_note_then(). */
int record_admin(struct engine *engine, const struct caller *by, const struct admin_act *act,
    record_done *done, void *context);

#endif
