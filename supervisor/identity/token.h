/*
 * Short-lived scoped tokens of our own: JWTs signed with Ed25519 that carry what they may at most
 * be used for. Whoever issues one gives away a part of what he has, never more: issuing narrows by
 * itself. They are verified by the same code as anybody else's (jwt.h), against our own key set.
 *
 *   {"typ":"callgate+jwt","alg":"EdDSA","kid":"..."}
 *   {"iss":"...","aud":"...","sub":"...","iat":0,"exp":0,"jti":"...",
 *    "callgate":{"by":"...","max_calls":0,"tools":[],"agents":[],"namespaces":[],"roles":[],
 *                "permissions":[]}}
 *
 * Floor 2: jansson, libcrypto; pure but for the signature.
 */
#ifndef CALLGATE_IDENTITY_TOKEN_H
#define CALLGATE_IDENTITY_TOKEN_H

#include "supervisor/identity/jwt.h"
#include "supervisor/identity/scope.h"

#define TOKEN_TYP       "callgate+jwt"
#define TOKEN_TTL_MAX_S (24 * 3600)
#define TOKEN_NO_LIMIT  UINT64_MAX /* of calls, or of time: only what an issuer has */
#define TOKEN_ID_BYTES  16
#define TOKEN_ID_MAX    23 /* its base64url, with NUL */

struct token_signer {
	uint8_t seed[KEY_LEN]; /* secret: key_wipe() the whole when done */
	uint8_t public_key[KEY_LEN];
	char kid[JWK_THUMBPRINT_MAX];
};

/* What somebody has, or wants to give away. Zeroed: nothing. Ended by token_grant_fini(). */
struct token_grant {
	struct scope scope;
	uint64_t max_calls; /* 0: none */
	uint64_t expires_s; /* since 1970; 0: expired */
};

/* Borrowed for the call. */
struct token_facts {
	const char *issuer, *audience; /* as token_verify() will expect them */
	const char *subject;           /* the principal that the token stands for */
	const char *by;                /* who issued it */
	uint8_t id[TOKEN_ID_BYTES];    /* random */
	uint64_t generation;           /* of what it is issued by: it changes when that does */
	uint64_t now_s;
};

/* Zeroed: nothing verified. Ended by token_fini(). */
struct token {
	char subject[JWT_SUBJECT_MAX + 1];
	char by[JWT_SUBJECT_MAX + 1];
	char id[TOKEN_ID_MAX];
	uint64_t generation; /* as in token_facts */
	struct token_grant grant;
};

/* 0 or -EIO. */
int token_signer_init(struct token_signer *ret, const uint8_t seed[KEY_LEN]);
/* {"keys":[…]}: our public keys, newest first, for /.well-known/jwks.json and for jwks_parse().
 * 0 or the buf's fault, -EIO. */
int token_jwks(struct buf *out, const uint8_t (*public_keys)[KEY_LEN], size_t count);

/* What of `wants` lies within `has`: scopes intersected, the smaller number of calls, the earlier
 * end and no later than TOKEN_TTL_MAX_S from now. *ret is ended by token_grant_fini(), also after
 * a fault. 0; -EACCES: nothing of use is left; -E2BIG; -ENOMEM. */
int token_narrow(struct token_grant *ret, const struct token_grant *has,
    const struct token_grant *wants, uint64_t now_s);
/* Narrows, then appends the signed token. *ret_grant: what it is good for, ended by
 * token_grant_fini() also after a fault. 0; as token_narrow(); -EINVAL: a fact is missing or too
 * long; -EMSGSIZE: the token would be longer than any that is accepted; -EIO; the buf's fault. */
int token_issue(struct buf *out, struct token_grant *ret_grant, const struct token_signer *signer,
    const struct token_facts *facts, const struct token_grant *has,
    const struct token_grant *wants);
void token_grant_fini(struct token_grant *grant);

/* set: our own keys only. One that somebody else signed fails before any signature is checked
 * (_KEY_UNKNOWN, _ALG_NOT_ALLOWED), so this may be asked first of any JWT. How many calls were
 * made with an id is counted by the caller. */
enum credential_verdict token_verify(struct token *ret, const struct jwks *set,
    const struct token_facts *expected, const char *text, size_t len);
void token_fini(struct token *token);

#endif
