/*
 * Who asks: the principal, and what he has shown (policy/shown.h), verified. A connection of the
 * Unix socket has one caller as long as it lasts; each HTTP request has its own, made of its
 * credential. Calls, questions and streams hold the caller whose they are, since they outlive the
 * request and are judged again when the policy changes. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CALLER_H
#define CALLGATE_ENGINE_CALLER_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/shown.h"

#define PRINCIPAL_MAX     280    /* bytes of a principal's name, with NUL */
#define CREDENTIAL_MAX    96     /* of a credential's id, where it is copied */
#define CALLER_MAKERS_MAX 8      /* keys that are made by keys that are made by keys */
#define KEY_PRINCIPAL     "key:" /* and the id: what a key of the key store is called */
#define SERVICE_PRINCIPAL "service"

/* How a caller has proved who he is; the name stands in records. */
#define CALLER_PROOFS(X)                                                                           \
	X(NOBODY, "nobody")                                                                        \
	X(ANONYMOUS, "anonymous")     /* has shown nothing, and need not */                        \
	X(PEER, "peer")               /* by the kernel: "uid:1000" */                              \
	X(API_KEY, "api-key")         /* of the key store: "key:key_0123456789abcdef" */           \
	X(STATIC_KEY, "static-key")   /* of the policy: "api_key:API_KEY_1" */                     \
	X(SERVICE_KEY, "service-key") /* "service" */                                              \
	X(JWT, "jwt")                 /* of the issuer: "jwt:SUBJECT" */                           \
	X(TOKEN, "token")             /* of our own: the principal that it stands for */           \
	X(CERTIFICATE, "certificate") /* alone: "cert:" and its first name */                      \
	X(CHANNEL, "channel")         /* an answer by web hook: "channel:NAME" (hook.h) */

enum caller_proof {
#define CALLER_ENUM_(id, name) CALLER_##id,
	CALLER_PROOFS(CALLER_ENUM_)
#undef CALLER_ENUM_
};

struct caller {
	uint32_t holds;
	enum caller_proof proof;
	char principal[PRINCIPAL_MAX];
	struct shown shown; /* points into what follows, and into this struct */
	json_t *claims;     /* of a JWT; owned */
	char **sans;        /* of a certificate; owned, and each of them */
	struct shown_own own;
	char **globs;     /* what own points to; owned, NULL at its end, and each of them */
	char *tenant;     /* owned; "" = none */
	char *credential; /* id of the key or token, for records; owned; "" = none */
	/* Who made the key, and the key that made it, and so on; owned; NULL behind the last */
	char *makers[CALLER_MAKERS_MAX + 1];
	char *address;       /* of the client; owned; "" = Unix socket */
	char *request_id;    /* owned; "" = Unix socket */
	char *method, *path; /* of the HTTP request; owned; "" = Unix socket */
	uint64_t generation; /* of his key, or of the rows that he has his rights by (rows.h) */
	uint64_t expires_s;  /* since 1970; 0: never. Nothing new may begin after it */
	uint64_t calls_left; /* of a token with a number of calls; UINT64_MAX: no limit */
};

/* One more of the makers. 0, -ENOMEM, or -E2BIG: there are CALLER_MAKERS_MAX. */
int caller_add_maker(struct caller *caller, const char *principal);
/* Fills what is "" yet. text may be NULL. 0 or -ENOMEM. */
int caller_set(char **place, const char *text);
/* The rights of a credential of our own making, copied: lists in the order of own's. 0, -ENOMEM. */
int caller_set_own(struct caller *caller, const struct shown_own *own);
/* Names of a certificate, copied. 0 or -ENOMEM. */
int caller_set_sans(struct caller *caller, const char *const *sans, size_t count);
/* A caller known from the kernel, with one hold. NULL: out of memory. */
struct caller *caller_of_uid(uint32_t uid, uint32_t gid);
/* One who has no rights at all, such as whoever comes through the gate of a call that is over. */
struct caller *caller_nobody(void);
/* Zeroed but for the texts (""), the hold and calls_left; for those who fill it in. */
struct caller *caller_new(void);
struct caller *caller_hold(struct caller *caller);
/* Accepts NULL. Always returns NULL. */
struct caller *caller_drop(struct caller *caller);

/* Is it known who this is? */
bool caller_is_proven(const struct caller *caller);
/* Is the credential's time over? Then nothing new may begin. */
bool caller_has_expired(const struct caller *caller);
const char *caller_proof_name(enum caller_proof proof);
/* Whether two are the same person or program: the same principal, or a key and who made it, at
 * whatever remove, since he may have kept it. */
bool caller_same(const struct caller *a, const struct caller *b);

#endif
