/*
 * Who may come in now: rate limits by address before anything is verified, by principal, key and
 * tenant after it; the pauses after failed sign-ins; and what of all this is recorded. Bounded:
 * all memory is taken at the start. Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_ADMISSION_H
#define CALLGATE_ENGINE_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/engine/caller.h"
#include "supervisor/identity/ledger.h"
#include "supervisor/identity/verdict.h"

struct engine;
struct policy;

/* With per_user so many users may share an address: what tells them apart is known only after
 * verifying, and verifying must be bounded, too. */
#define ADMISSION_SHARED   10
#define ADMISSION_FAILURES 256 /* addresses whose failures are recorded one by one */
#define ADMISSION_TOLD     60  /* auth.fail a minute; what is beyond is one more, with its number */
#define ADMISSION_NAME_MAX 64

/* Failed sign-ins of one address. */
struct failure {
	char name[ADMISSION_NAME_MAX];    /* "" = free */
	char address[ADMISSION_NAME_MAX]; /* as people write it: of the last one */
	uint64_t told_us;                 /* monotonic: of the last record */
	uint32_t untold;                  /* since then */
};

/* Since the last summary. */
struct summary {
	uint64_t failed;                    /* with a credential that was not accepted */
	uint64_t bare;                      /* without any, where one is needed */
	uint64_t limited;                   /* 429 */
	uint64_t metrics;                   /* reads of /metrics */
	uint64_t health, refused, answered; /* of the front's counts: those told before */
};

/* Zeroed but for init. */
struct admission {
	struct engine *engine;
	struct ledger *addresses, *attempts, *principals, *keys, *tenants, *welcomed;
	struct failure failures[ADMISSION_FAILURES];
	uint64_t told_since_us; /* monotonic: when the minute of told began */
	uint32_t told;          /* auth.fail since then */
	uint64_t rest;          /* failures that are in no record but the next minute's last */
	struct summary since;
	uv_timer_t *timer; /* owned; one summary a minute */
	bool is_running;
};

/* 0 or -errno. */
int admission_init(struct admission *admission, struct engine *engine);
void admission_fini(struct admission *admission);

/* The name under which an address is counted; a Unix socket by its user. */
void admission_name(char out[ADMISSION_NAME_MAX], const char *address, uint32_t uid);

/* Each: true, or false with *ret_retry_s for Retry-After. */
/* One request from there; shows: with a credential. */
bool admission_address(struct engine *engine, const char *name, bool shows, uint32_t *ret_retry_s);
/* May a credential from there be verified now? */
bool admission_try(struct engine *engine, const char *name, uint32_t *ret_retry_s);
/* One request of who has proved who he is. space: as asked for. */
bool admission_caller(
    struct engine *engine, const struct caller *caller, const char *space, uint32_t *ret_retry_s);

/* A credential was not accepted. Recorded (auth.fail) at most once a second and address, and
 * ADMISSION_TOLD times a minute in all, however many addresses. It counts towards a pause
 * unless it was once good or could not be checked. address: for the record, or "": the name; id: of
 * a known key, or "". */
void admission_failed(struct engine *engine, const char *name, const char *address,
    enum caller_proof proof, enum credential_verdict verdict, const char *id);
/* May one more auth.fail be written now? Takes it where it may. */
bool admission_may_tell(struct engine *engine);
/* So many failures had no record of their own: the minute's last one counts them. */
void admission_leave(struct engine *engine, uint32_t count);
/* A credential was needed, and none was shown. */
void admission_bare(struct engine *engine);
/* One was accepted: recorded (auth.ok) once in ten minutes per principal, credential, address. */
void admission_welcome(struct engine *engine, const struct caller *caller, const char *name);
/* One read of the metrics. */
void admission_metrics(struct engine *engine);
/* Writes what is not recorded yet: once a minute, and at the end. */
void admission_flush(struct engine *engine);

/* The tenant of a request: the credential's, else that of the namespace. "" = none. */
const char *admission_tenant(
    const struct policy *policy, const struct caller *caller, const char *space);

#endif
