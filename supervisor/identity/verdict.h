/*
 * What became of a credential: one list for every kind of it.
 *
 * The name goes into the record and says exactly why. The reason goes to the client and says no
 * more than helps an honest one: who guesses is not told which guess was near. Floor 2; pure.
 */
#ifndef CALLGATE_IDENTITY_VERDICT_H
#define CALLGATE_IDENTITY_VERDICT_H

#include <stdbool.h>

#define CREDENTIAL_MALFORMED_ "the credential is malformed"
#define CREDENTIAL_REFUSED_   "the credential was not accepted"
#define CREDENTIAL_EXPIRED_   "the credential has expired"
#define CREDENTIAL_EARLY_     "the credential is not valid yet"
#define CREDENTIAL_ELSEWHERE_ "the credential is for another service"
#define CREDENTIAL_BUSY_      "the credential could not be checked; try again later"
#define CREDENTIAL_ACCEPTED_  "accepted"
#define CREDENTIAL_ABSENT_    "a credential is needed"
#define CREDENTIAL_ONE_ONLY_  "more than one credential was given; send one"
#define CREDENTIAL_MISTYPED_  "the API key is mistyped or cut off"

/* X(id, name in the record, what the client may read) */
#define CREDENTIAL_VERDICTS(X)                                                                     \
	X(UNCHECKED, "unchecked", CREDENTIAL_REFUSED_)                                             \
	X(ABSENT, "absent", CREDENTIAL_ABSENT_)                                                    \
	X(SEVERAL, "several", CREDENTIAL_ONE_ONLY_)                                                \
	X(TOO_LARGE, "too-large", CREDENTIAL_MALFORMED_)                                           \
	X(FORM, "form", CREDENTIAL_MALFORMED_)                                                     \
	X(ENCODING, "encoding", CREDENTIAL_MALFORMED_)                                             \
	X(JSON, "json", CREDENTIAL_MALFORMED_)                                                     \
	X(HEADER, "header", CREDENTIAL_MALFORMED_)                                                 \
	X(EXTENSION, "extension", CREDENTIAL_REFUSED_)                                             \
	X(TYPE, "type", CREDENTIAL_REFUSED_)                                                       \
	X(ALG_UNKNOWN, "alg-unknown", CREDENTIAL_REFUSED_)                                         \
	X(ALG_NOT_ALLOWED, "alg-not-allowed", CREDENTIAL_REFUSED_)                                 \
	X(KEY_UNKNOWN, "key-unknown", CREDENTIAL_REFUSED_)                                         \
	X(KEY_UNFIT, "key-unfit", CREDENTIAL_REFUSED_)                                             \
	X(KEY_AMBIGUOUS, "key-ambiguous", CREDENTIAL_REFUSED_)                                     \
	X(SIGNATURE_LENGTH, "signature-length", CREDENTIAL_REFUSED_)                               \
	X(SIGNATURE, "signature", CREDENTIAL_REFUSED_)                                             \
	X(CLAIM, "claim", CREDENTIAL_MALFORMED_)                                                   \
	X(NO_EXPIRY, "no-expiry", CREDENTIAL_REFUSED_)                                             \
	X(EXPIRED, "expired", CREDENTIAL_EXPIRED_)                                                 \
	X(NOT_YET, "not-yet", CREDENTIAL_EARLY_)                                                   \
	X(ISSUED_LATER, "issued-later", CREDENTIAL_EARLY_)                                         \
	X(ISSUER, "issuer", CREDENTIAL_REFUSED_)                                                   \
	X(AUDIENCE, "audience", CREDENTIAL_ELSEWHERE_)                                             \
	X(BOUND, "bound", CREDENTIAL_REFUSED_)                                                     \
	X(SCOPE, "scope", CREDENTIAL_REFUSED_)                                                     \
	X(MISTYPED, "mistyped", CREDENTIAL_MISTYPED_)                                              \
	X(NO_SUCH_KEY, "no-such-key", CREDENTIAL_REFUSED_)                                         \
	X(REVOKED, "revoked", CREDENTIAL_REFUSED_)                                                 \
	X(FAULT, "fault", CREDENTIAL_BUSY_)                                                        \
	X(OK, "ok", CREDENTIAL_ACCEPTED_)

#define CREDENTIAL_ENUM_(id, name, reason) CREDENTIAL_##id,
enum credential_verdict { CREDENTIAL_VERDICTS(CREDENTIAL_ENUM_) };
#undef CREDENTIAL_ENUM_

/* Literals. An unknown value is "unchecked". */
const char *credential_name(enum credential_verdict verdict);
const char *credential_reason(enum credential_verdict verdict);
/* Whether newer keys of the issuer could change the verdict: the one case for a forced refresh. */
bool credential_wants_keys(enum credential_verdict verdict);

#endif
