/*
 * What the engine process holds: its links, the policy in force, and the lists of calls,
 * connections, accounts and approvals. One instance, made in main.c and handed down; modules
 * meet only through this struct and each other's headers. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ENGINE_H
#define CALLGATE_ENGINE_ENGINE_H

#include <stdint.h>
#include <uv.h>

#include "supervisor/engine/approvals/approval.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/link/link.h"

#define ENGINE_CALLS_MAX     512 /* calls that may be under way at once */
#define ENGINE_APPROVERS_MAX 256

struct account;
struct approver;
struct auth;
struct call;
struct callbacks;
struct control;
struct explaining;
struct fetching;
struct grant;
struct hooks;
struct metrics;
struct noted;
struct peer;
struct ruleset;
struct hook_secrets;
struct waiting;
struct watch;

struct engine {
	uv_loop_t *loop;
	struct link warden;
	struct link auditor;
	struct link front;
	struct link http; /* these two come and go (sibling.h); name is NULL while there is none */
	struct link courier;
	int early_http, early_courier;     /* their ends, before there is a policy; 0 = none */
	uint64_t http_age;                 /* how many HTTP fronts are gone */
	struct message_counts http_counts; /* of all of them; what is now, of the one that runs */

	struct ruleset *rules;      /* in force; NULL until the first POLICY */
	struct approver *approvers; /* owned array: whose signatures count */
	uint32_t approver_count;

	struct auth *auth;       /* NULL: no credential is accepted */
	struct metrics *metrics; /* NULL until something is counted */

	struct call *calls; /* newest first; a call leaves the list when it is AUDITED */
	uint32_t call_count;
	struct peer *peers;
	struct account *accounts;
	struct approval_book approvals;
	struct effect_book effects;   /* what calls have changed, held by the warden */
	struct grant *grants;         /* newest first */
	struct waiting *waiting;      /* forms, progress, subscriptions; NULL until one is needed */
	struct hooks *hooks;          /* questions on their way to channels; NULL until one is */
	struct callbacks *callbacks;  /* answers of channels that were seen; NULL: none */
	struct hook_secrets *secrets; /* of channels; NULL: none */
	struct watch *watches;        /* long polls of approvals */
	struct control *controls;     /* reloads and shutdowns the warden has not answered yet */
	struct fetching *fetching;    /* asked of courier; NULL until something is */
	struct explaining *explaining; /* explanations that wait for a plan */
	struct noted *notes;           /* records sent without a call waiting for them */
	uint32_t note_count;
	uv_timer_t tick; /* once a second while refused logins wait to be summed up */

	char host[256];     /* name of this machine, for people; "" = not known */
	char *state_dir;    /* as the warden gave it; owned */
	uint32_t owner_uid; /* of the daemon */
	int daemon_pid;
	uint64_t born_us;    /* monotonic */
	uint64_t audit_size; /* newest sealed tree that POLICY or a receipt told of */
	struct digest audit_root;
	uint64_t stale_answers; /* answers nobody waited for any more: dropped, counted */
	uint64_t ping_serial;   /* the warden's PING that front has not answered; 0: none */
	int draining;           /* no new calls; leave when the last is answered */
	int failed;             /* -errno of a sibling that is lost; the process ends */
};

/* Sends; a lost or choking sibling ends the process, because no call can be honest without it.
 * The HTTP front and courier may be lost: they are hung up on, and the loop tells the rest. A peer
 * is answered through sibling_send_peer(). Descriptors stay the caller's. 0, -EMSGSIZE, -EINVAL
 * (only this message is at fault), -errno. */
int engine_send(struct engine *engine, struct link *link, struct message *message);
/* Keeps the larger tree: the log only grows. */
void engine_note_tree(struct engine *engine, uint64_t size, const struct digest *root);
/* Ends the loop with a fault. what: a literal. */
void engine_fail(struct engine *engine, int fault, const char *what);
/* Ends the loop once it is draining and nothing is left to do. */
void engine_settle(struct engine *engine);

#endif
