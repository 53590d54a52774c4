/*
 * What authentication stands on: digests of the static keys and the service key, the key store,
 * the key that signs our tokens, the issuer's keys, the counts of who tried how often, and the
 * requests that wait for keys. One per engine, made before it is confined. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_AUTH_H
#define CALLGATE_ENGINE_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/base/err.h"
#include "supervisor/engine/access/admission.h"
#include "supervisor/engine/access/issuer.h"
#include "supervisor/identity/key_store.h"
#include "supervisor/identity/token.h"
#include "supervisor/identity/uses.h"
#include "supervisor/link/message.h"

struct engine;
struct policy;

#define AUTH_AUDIENCE "callgate" /* of our tokens */

struct held; /* held.h */

struct auth {
	struct engine *engine;
	struct key_store *store; /* NULL: there is none, and no key of it is accepted */
	struct token_signer signer;
	struct jwks *own; /* the public half, as a set */
	struct uses *uses;
	struct digest *known; /* of the static keys, owned */
	char **names;         /* of the same, owned */
	size_t known_count;
	struct digest service;
	bool has_service;
	uint64_t rows; /* rows_mark() of the policy in force; 0: not known, and no token counts */
	struct issuer issuer;
	struct admission admission;
	struct held *held; /* oldest first */
	uint32_t held_count;
	uv_timer_t *holding; /* for the oldest of them; NULL: none ever waited */
	bool is_final;       /* who is judged now has waited already */
};

/* Makes engine->auth. folder: of the key store, borrowed; NULL: none, and then keys are neither
 * made nor accepted. 0, or -errno with note. */
int auth_open(struct engine *engine, const char *folder, struct err_note *note);
/* MESSAGE_POLICY: the digests of the keys that count from now on. 0, -EBADMSG or -ENOMEM with the
 * old ones kept. */
int auth_take_keys(struct engine *engine, const struct message_policy *policy);
/* The policy in force is another: its issuer. */
void auth_take_policy(struct engine *engine);
/* The issuer that our tokens name under this policy. Borrowed from it, or a literal. */
const char *auth_issuer(const struct policy *policy);
/* Has he come by this key or token, or by a token that this key has issued? */
bool auth_is_of(const struct caller *caller, const char *credential);
/* A key or token is worth nothing from now on: calls that were asked for with it, or with a token
 * of it, and are not decided yet, are refused. */
void auth_ended(struct engine *engine, const char *credential);
/* The process ends; what waits is not answered. */
void auth_free(struct engine *engine);

#endif
