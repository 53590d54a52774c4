/*
 * Accounts: what one principal has under way, so that none can use up the gate. Every charge is
 * returned by the free of the thing that made it; an account dies when all are returned.
 * Floor 3, engine only; blocks never.
 */
#ifndef CALLGATE_ENGINE_QUOTA_H
#define CALLGATE_ENGINE_QUOTA_H

#include <stdint.h>

#include "supervisor/engine/caller.h"

struct engine;

#define QUOTA_CALLS     64
#define QUOTA_APPROVALS 64
#define QUOTA_WATCHES   16
#define QUOTA_HELD      32
#define QUOTA_BYTES     (256ull * 1024 * 1024) /* arguments, plans and kept output */

enum quota_kind {
	QUOTA_CALL,
	QUOTA_APPROVAL,
	QUOTA_WATCH,
	QUOTA_HOLD, /* changes of a call, from its start until they are forgotten */
	QUOTA_BYTE,
	QUOTA_KIND_COUNT,
};

struct account {
	struct account *next;
	struct engine *engine;
	char principal[PRINCIPAL_MAX];
	uint64_t used[QUOTA_KIND_COUNT];
	uint32_t refused_logins;      /* not yet in a record */
	uint64_t refused_reported_us; /* monotonic; 0 never */
	char refused_why[96];         /* of the last one */
	uint32_t holds;               /* things that point here */
};

/* The account of a principal, made if need be and held; NULL: out of memory. */
struct account *quota_hold(struct engine *engine, const struct caller *caller);
/* Accepts NULL. Always returns NULL. */
struct account *quota_drop(struct account *account);

/* 0, or -EDQUOT with nothing charged. */
int quota_charge(struct account *account, enum quota_kind kind, uint64_t amount);
void quota_return(struct account *account, enum quota_kind kind, uint64_t amount);

/* A request of who may do nothing: recorded as auth.fail, at most one a second and principal,
 * with the number it stands for. why: a literal. */
void quota_refused_login(struct engine *engine, const struct caller *caller, const char *why);
enum quota_flush {
	QUOTA_FLUSH_DUE,
	QUOTA_FLUSH_ALL,
};
/* Writes the summaries that are due, or all of them and forgets them: for drain and the end. */
void quota_flush(struct engine *engine, enum quota_flush which);

#endif
