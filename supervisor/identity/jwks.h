/*
 * A JWKS document as an immutable set of keys that can verify.
 *
 * A document is taken whole or refused whole; a key in it that is not usable is left out and
 * told about. A set never changes: newer keys are another set, and who holds an old one decides
 * for how long. Floor 2: jansson, libcrypto; pure.
 */
#ifndef CALLGATE_IDENTITY_JWKS_H
#define CALLGATE_IDENTITY_JWKS_H

#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/identity/jwk.h"
#include "supervisor/identity/verdict.h"

#define JWKS_BYTES_MAX (256 * 1024)
#define JWKS_KEYS_MAX  64

struct jwks;

/* *ret is freed by jwks_free(). 0; -EMSGSIZE: too many bytes, values or keys; -EBADMSG: not a
 * JWKS document, or a member stands twice; -ENOKEY: not one key in it is usable; -ENOMEM. note
 * says why and what to do; it may be NULL. */
int jwks_parse(struct jwks **ret, const char *text, size_t len, struct err_note *note);
void jwks_free(struct jwks *set);

size_t jwks_count(const struct jwks *set);
/* One line for each key that was left out, "key 2 (kid ...): why", escaped; nothing if none.
 * 0 or the buf's fault. */
int jwks_skipped(const struct jwks *set, struct buf *out);

/* The one key of this kid that verifies this algorithm; kid "" means that the token names none,
 * which is good where one key alone fits. Borrowed from the set.
 * CREDENTIAL_OK, _KEY_UNKNOWN (no such kid), _KEY_UNFIT (that kid is for something else) or
 * _KEY_AMBIGUOUS (several fit: the document does not tell them apart, and guessing is not done).
 * set may be NULL: no key is known. */
enum credential_verdict jwks_find(
    const struct jwks *set, const char *kid, enum jws_alg alg, const struct jwk **ret);

#endif
