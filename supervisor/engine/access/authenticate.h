/*
 * A credential becomes a caller: who shows it, and with which rights. One order for all kinds:
 * static keys and the service key, tokens of our own, the key store, JWTs of the issuer; the first
 * that knows it decides. Floor 3, engine only; reads the key store, otherwise pure.
 */
#ifndef CALLGATE_ENGINE_AUTHENTICATE_H
#define CALLGATE_ENGINE_AUTHENTICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/engine/caller.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/identity/key_store.h"
#include "supervisor/identity/verdict.h"

struct auth;
struct policy;

/* What a request shows. Borrowed; NULL: there is no such thing. */
struct credentials {
	const char *authorization, *api_key; /* headers */
	const struct digest *certificate;    /* of the client, verified */
	const char *subject;                 /* of it */
	const char *const *sans;             /* of it */
	size_t san_count;
};

/* Zeroed: refused, and nothing known. */
struct authenticated {
	enum credential_verdict verdict;
	enum caller_proof proof; /* what it was taken for, also where it was refused */
	struct caller *caller;   /* with one hold, the receiver's; NULL unless CREDENTIAL_OK */
	char id[KEY_ID_MAX];     /* of a key that is known but expired or revoked; else "" */
};

/* CREDENTIAL_ABSENT: nothing is shown but, maybe, a certificate. The secrets are not kept. */
void authenticate(struct auth *auth, const struct policy *policy, const struct credentials *shown,
    struct authenticated *ret);
/* The caller that a certificate alone makes: verdict OK, or FORM where it has no name that can be
 * written down. */
void authenticate_certificate(const struct credentials *shown, struct authenticated *ret);
/* May this name stand in records and on terminals as it is? */
bool authenticate_name_is_clean(const char *name);

#endif
