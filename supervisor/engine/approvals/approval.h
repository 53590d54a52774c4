/*
 * The questions put to humans, each bound to one exact plan of one principal, agent, namespace
 * and tool, or to the list of what one call of theirs has changed. Identical calls share a
 * question; an answer is given once and used once; a question has a deadline and then counts as
 * expired, never as answered. Lives in memory: a restart forgets questions and answers, and the
 * next identical call asks again.
 * Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_APPROVAL_H
#define CALLGATE_ENGINE_APPROVAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "policy/policy.h"
#include "supervisor/base/err.h"
#include "supervisor/engine/peer.h"
#include "supervisor/evidence/approval.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/link/message.h"

struct account;
struct call;
struct engine;

#define APPROVAL_ID_MAX     16  /* 12 hex digits and a NUL */
#define APPROVAL_REASON_MAX 512 /* bytes of an approver's reason, with NUL */
#define APPROVAL_QUORUM_MAX 16  /* people who may have to agree */
#define APPROVAL_CLAIM_MAX  128 /* bytes of who somebody says he is, with NUL */
#define APPROVAL_MAKERS_MAX 512 /* CALLER_MAKERS_MAX of them, all but the last keys */

/* Pending may become any other; approved becomes used, expired, void. The rest are ends. */
#define APPROVAL_STATES(X)                                                                         \
	X(PENDING, "pending")                                                                      \
	X(APPROVED, "approved") /* waits to be picked up by the identical call */                  \
	X(DENIED, "denied")     /* the same */                                                     \
	X(EXPIRED, "expired")   /* the same */                                                     \
	X(USED, "used")                                                                            \
	X(CANCELLED, "cancelled")   /* the caller withdrew */                                      \
	X(SUPERSEDED, "superseded") /* approved with other arguments: a question of its own */     \
	X(VOID, "void")             /* the policy or the daemon changed under it */

enum approval_state {
	APPROVAL_NONE = 0,
#define APPROVAL_ENUM_(id, name) APPROVAL_##id,
	APPROVAL_STATES(APPROVAL_ENUM_)
#undef APPROVAL_ENUM_
};

/* Who answered; copied into the call that the answer decides. */
struct approval_answer {
	char id[APPROVAL_ID_MAX];
	char principal[PRINCIPAL_MAX];    /* "" while unanswered */
	char key[APPROVER_ID_LEN + 1];    /* "" when the answer was not signed */
	char name[APPROVER_NAME_MAX + 1]; /* of the key */
	char reason[APPROVAL_REASON_MAX];
	enum grant_bit scope;    /* of a yes: what it stands for; zero counts as once */
	bool elicited;           /* said in the client of the caller, where by_client allows it */
	enum caller_proof proof; /* how the principal proved who he is */
	char makers
	    [APPROVAL_MAKERS_MAX]; /* who made that key (person.h); "" = nobody in particular */
	char credential[CREDENTIAL_MAX];  /* the key or token that he proved it by; "" = none */
	char claimed[APPROVAL_CLAIM_MAX]; /* by a channel: who it says has answered, unproven */
};

/* One who has said yes. */
struct approval_yes {
	char principal[PRINCIPAL_MAX], makers[APPROVAL_MAKERS_MAX]; /* as in the answer */
	char key[APPROVER_ID_LEN + 1], name[APPROVER_NAME_MAX + 1];
	const char *how; /* approval_answer_how(): a literal */
	char claimed[APPROVAL_CLAIM_MAX];
};

/* An approver's answer with other arguments than those asked for: a call of its own, which is
 * judged anew and, where it must be asked about, answered by this. */
struct approval_edit {
	struct approval_answer answer; /* id: of the question that was answered so */
	struct digest plan;            /* that it was about; zero: there is no edit */
	struct digest policy;          /* the version it was given under; counts under no other */
	bool spent;                    /* has answered the question of its own */
};

struct approval {
	struct approval *next; /* oldest first */
	enum approval_state state;
	struct approval_answer answer;
	struct digest plan;        /* or, where it is about changes, the digest of their list */
	char effects[CALL_ID_MAX]; /* the call whose changes it is about; "" = about a plan */
	struct caller *caller;     /* who asks, and may not answer without a key; held */
	char principal[PRINCIPAL_MAX];
	char *agent, *space, *tool;       /* owned; "" = none */
	char *command, *prompt, *details; /* owned, escaped for terminals */
	char *warning;                    /* owned; "" = nothing looks like what it is not */
	char *rule, *reason;              /* owned */
	uint32_t quorum;                  /* distinct people who must say yes; one no is enough */
	uint32_t yes_count;
	struct approval_yes yes[APPROVAL_QUORUM_MAX];
	json_t *facts; /* of the call (approval_told.h); owned */
	size_t facts_bytes;
	json_t *edited; /* the arguments that were approved in place of those; owned; or NULL */
	struct digest edited_plan;         /* zero, or the plan of: */
	char edited_from[APPROVAL_ID_MAX]; /* the question whose answer edited it; "" = none */
	uint64_t created_wall_us;
	uint64_t expires_wall_us;
	uint64_t expires_us; /* monotonic; end of the present state */
	struct account *account;
	uint64_t charged_bytes;
};

struct approval_book {
	struct approval *first;
	uint64_t revision;      /* grows with every change */
	uv_timer_t timer;       /* for the nearest deadline */
	struct past_ring *past; /* approval_past.h; NULL until one is over */
};

enum approval_result {
	APPROVAL_WAITS = 1, /* call->approval is set: a human is asked, or was already */
	APPROVAL_GRANTED,   /* an answer was there and is used up now; call->answer is filled */
	APPROVAL_DECLINED,  /* the same, and it was no */
	APPROVAL_RAN_OUT,   /* nobody answered the last time; the next call asks anew */
	APPROVAL_FULL,      /* this principal has QUOTA_APPROVALS questions open */
	APPROVAL_EDITED,    /* approved with other arguments: call->body and ->edit are set */
};

void approval_init(struct engine *engine);
/* Closes the timer, frees all questions without a word. */
void approval_fini(struct engine *engine);

/* Asks for this planned call, or finds the answer. enum approval_result or -errno. */
int approval_ask(struct call *call);
/* Asks about what this call has changed: always a question of its own, for one answer. Sets
 * call->approval and ->review. APPROVAL_WAITS, APPROVAL_DECLINED (too much to be shown whole),
 * APPROVAL_FULL or -errno. */
int approval_ask_effects(struct call *call);
/* The same call waits no longer. */
void approval_leave_effects(struct call *call);
/* The call waits no longer. If it was cancelled and nobody else waits, the question goes too. */
void approval_leave(struct call *call);

enum approval_vote {
	APPROVAL_DECIDED = 1, /* the question is answered; the approval may be gone now */
	APPROVAL_COUNTED,     /* one more yes; others must agree */
	APPROVAL_TWICE,       /* this principal or key has said yes already */
	APPROVAL_NO_GRANT,    /* the grant cannot be made: note; nothing changed */
};
/* An answer: approve or deny, already judged by approver_judge(). Only a pending question takes
 * it. Steps the calls that wait. enum approval_vote. */
enum approval_vote approval_answer(struct engine *engine, struct approval *approval,
    enum approval_state to, const struct approval_answer *answer, struct err_note *note);
/* Approves with other arguments, which are taken: the question ends as superseded, and whoever
 * waits for it, or calls so again, goes on with them. edited: an object, checked already. */
void approval_edit(struct engine *engine, struct approval *approval,
    const struct approval_answer *answer, json_t *edited);
/* How approvals of a tool work under this policy: its own block, or the file's. */
const struct policy_approval *approval_rules(const struct policy *policy, const char *tool);
/* Ends questions and answers whose time is over. */
void approval_sweep(struct engine *engine);
/* All questions end as void. Does not step the calls that wait: they are walked again
 * (calls_reload) or ended (calls_drain) by the caller. cause: a literal. */
void approval_void_all(struct engine *engine, const char *cause);

/* The same of what was asked for with a key or token that has ended, where nobody waits for it. */
void approval_void_of(struct engine *engine, const char *credential, const char *cause);

/* Any question not yet ended; NULL if unknown. */
struct approval *approval_find(const struct engine *engine, const char *id);
uint32_t approval_pending(const struct engine *engine);
const char *approval_state_name(enum approval_state state);
/* How whoever answered proved who he is: "signature", "uid", "channel", "jwt", ...; "" while
 * unanswered. A literal. */
const char *approval_answer_how(const struct approval_answer *answer);

#endif
