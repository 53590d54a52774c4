/*
 * One tool call: its states, events and outcomes, and all that is known about it.
 *
 * call.c tells the story; calls.c brings calls into the world and finds them; judge.c thinks;
 * record.c and result.c write down. Only call_step() writes call->state. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CALL_H
#define CALLGATE_ENGINE_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "policy/decide.h"
#include "policy/lexer.h"
#include "supervisor/engine/approvals/approval.h"
#include "supervisor/engine/peer.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/evidence/receipt.h"
#include "supervisor/link/message.h"

/* X(state, name): what has been reached; entering one does exactly one thing. Zero is NEW, which
 * no call ever becomes again. */
#define CALL_STATES(X)                                                                             \
	X(RECEIVED, "received")           /* identity is looked up */                              \
	X(AUTHENTICATED, "authenticated") /* the policy decides */                                 \
	X(AUTHORIZED, "authorized")       /* the warden plans */                                   \
	X(PLANNED, "planned")             /* is a human needed? */                                 \
	X(APPROVAL, "approval")           /* a human is asked */                                   \
	X(DECIDED, "decided")             /* "allow" goes to disk */                               \
	X(DECLINED, "declined")           /* "not run" goes to disk */                             \
	X(SANDBOX, "sandbox")             /* the warden launches, on the receipt */                \
	X(RUNNING, "running")             /* output is read */                                     \
	X(KILLING, "killing")             /* the tree is being ended */                            \
	X(CLOSING, "closing")             /* the calls inside it are ending */                     \
	X(SETTLED, "settled")             /* what becomes of what it changed? */                   \
	X(REVIEW, "review")               /* a human is asked about that */                        \
	X(WRITING, "writing")             /* the warden writes it into the workspace */            \
	X(DROPPING, "dropping")           /* the warden throws it away */                          \
	X(FINISHED, "finished")           /* the outcome goes to disk */                           \
	X(AUDITED, "audited")             /* the answer goes out, charges come back */

#define CALL_EVENTS(X)                                                                             \
	X(ARRIVED, "arrived")                                                                      \
	X(IDENTIFIED, "identified")   /* the kernel's uid has a role, agent and namespace */       \
	X(BUSY, "busy")               /* a limit is reached, or the daemon is stopping */          \
	X(DENIED, "denied")           /* by identity, policy or human */                           \
	X(PERMITTED, "permitted")     /* the policy says allow or ask */                           \
	X(PLANNED, "planned")         /* the warden's digest is here */                            \
	X(REFUSED, "refused")         /* by the warden, before anything ran */                     \
	X(UNAVAILABLE, "unavailable") /* the same, for a missing wall or a full disk */            \
	X(READY, "ready")             /* nobody needs to be asked */                               \
	X(NEEDS_HUMAN, "needs human")                                                              \
	X(APPROVED, "approved")                                                                    \
	X(EDITED, "edited")         /* by a human, with other arguments: judged anew */            \
	X(EXPIRED, "expired")       /* nobody answered in time */                                  \
	X(TIMEOUT, "timeout")       /* of the state */                                             \
	X(RELOADED, "reloaded")     /* another policy is in force */                               \
	X(RECEIPT, "receipt")       /* durable, with a MAC: may be launched */                     \
	X(RECORDED, "recorded")     /* durable, without */                                         \
	X(UNRECORDED, "unrecorded") /* the auditor could not */                                    \
	X(LAUNCHED, "launched")                                                                    \
	X(VOIDED, "voided") /* planned again at launch: another digest */                          \
	X(EXITED, "exited") /* by itself: exit status or signal */                                 \
	X(DEADLINE, "deadline")                                                                    \
	X(OOM, "oom")                                                                              \
	X(PIDS, "pids")                                                                            \
	X(CPU, "cpu")                                                                              \
	X(DISK, "disk")           /* bytes or files of /tmp, or the size of one file */            \
	X(OUTPUT, "output")       /* by itself, but not all that it wrote was kept */              \
	X(BROKE, "broke")         /* the cell failed, or was ended by another than us */           \
	X(STUCK, "stuck")         /* not dead by the kill deadline */                              \
	X(KILLED, "killed")       /* the tree is dead as we asked */                               \
	X(CLOSED, "closed")       /* no call inside it lives any more */                           \
	X(WRITTEN, "written")     /* what it changed stands in the workspace */                    \
	X(DROPPED, "dropped")     /* what it changed is gone, or goes with the daemon */           \
	X(CANCELLED, "cancelled") /* by the client: notification or hang-up */                     \
	X(FAULT, "fault")         /* ours, or a pair that is not in the table */

/* Of DESIGN 5.2; what a call ends with. */
#define CALL_OUTCOMES(X)                                                                           \
	X(COMPLETED, "completed")                                                                  \
	X(REFUSED, "refused")                                                                      \
	X(PENDING, "pending")                                                                      \
	X(EXPIRED, "expired")                                                                      \
	X(CANCELLED, "cancelled")                                                                  \
	X(DEADLINE, "deadline")                                                                    \
	X(OOM, "oom")                                                                              \
	X(PIDS, "pids")                                                                            \
	X(DISK, "disk")                                                                            \
	X(OUTPUT, "output")                                                                        \
	X(UNAVAILABLE, "unavailable")                                                              \
	X(FAILED, "failed")

#define CALL_ENUM_STATE_(id, name)   CALL_##id,
#define CALL_ENUM_EVENT_(id, name)   CALL_ON_##id,
#define CALL_ENUM_OUTCOME_(id, name) OUTCOME_##id,
#define CALL_ENUM_COUNT_(id, name)   +1
enum call_state { CALL_NEW = 0, CALL_STATES(CALL_ENUM_STATE_) };
enum call_event { CALL_ON_NOTHING = 0, CALL_EVENTS(CALL_ENUM_EVENT_) };
enum call_outcome { OUTCOME_NONE = 0, CALL_OUTCOMES(CALL_ENUM_OUTCOME_) };
enum call_counts {
	CALL_STATE_COUNT = 1 CALL_STATES(CALL_ENUM_COUNT_),
	CALL_EVENT_COUNT = 1 CALL_EVENTS(CALL_ENUM_COUNT_),
	CALL_OUTCOME_COUNT = 1 CALL_OUTCOMES(CALL_ENUM_COUNT_),
};
#undef CALL_ENUM_STATE_
#undef CALL_ENUM_EVENT_
#undef CALL_ENUM_OUTCOME_
#undef CALL_ENUM_COUNT_

struct account;
struct engine;
struct output;
struct ruleset;
struct stream;

#define CALL_SENTENCE_MAX   1536
#define CALL_RULE_MAX       320
#define CALL_REASON_MAX     768
#define CALL_LAYERS_MAX     32
#define CALL_PLAN_WAIT_MS   60000 /* hashing what would run may take a while, once */
#define CALL_LAUNCH_WAIT_MS 30000
#define CALL_ANSWER_WAIT_MS 60000  /* for a record or a death; siblings answer in milliseconds */
#define CALL_WRITE_WAIT_MS  300000 /* for changes to be written: they may be many and large */

/* How the tree ended, from EXITED. */
struct call_exit {
	enum exit_how how;
	int64_t code;                  /* exit status, or signal */
	bool by_signal;                /* code is the signal that the program died of */
	char *layers[CALL_LAYERS_MAX]; /* owned */
	uint32_t layer_count;
	uint64_t wall_us;
	uint64_t cpu_us;
	uint64_t memory_peak;
};

/* Log messages of its tool (logging.h). */
struct call_log {
	uint16_t wanted; /* modern: from which severity on; 0 = none */
	uint32_t told;   /* to its client, and */
	uint32_t bytes;  /* of their data */
	uint64_t said;   /* told or not */
};

struct call {
	struct call *next;
	struct engine *engine;
	enum call_state state;     /* written by call_step() alone */
	enum call_outcome outcome; /* the same */
	int stepping;
	char id[CALL_ID_MAX];
	uint64_t born_us; /* monotonic */
	uv_timer_t timer; /* of the state; the call is freed in its close callback */

	/* who asks, for what; owned copies */
	uint64_t peer;
	uint64_t request; /* serial of the REQUEST, echoed by the REPLY */
	enum request_era era;
	struct caller *caller; /* held */
	uint32_t pid;          /* of who asked; 0 by HTTP */
	char *agent, *space, *tool_name;
	uint32_t options; /* enum request_option */
	char *progress;   /* JSON of the progress token; "" = none */
	char *retry;      /* JSON of {inputResponses?, requestState?}; "" = none */
	char *parent;     /* the running call through whose gate it came; "" = none */
	uint32_t depth;   /* 0: from the socket */
	char *body;       /* arguments as JSON */
	size_t body_len;
	struct account *account;
	bool counted; /* a call of its account; false: over the limit */
	uint64_t charged_bytes;
	bool used_up; /* asked for by a token that has no calls left */
	bool silent;  /* the client does not want an answer any more */
	bool parked;  /* answered with a form; nobody waits until it comes again (question.h) */
	uint32_t questions; /* that its tool has asked somebody */
	uint32_t foreseen;  /* that were answered by what came with the request */
	struct call_log log;

	/* how it was judged, under which version */
	struct ruleset *rules;
	const struct policy_tool *tool; /* NULL: unknown, which the answer says */
	bool unknown_tool;
	struct identity identity;
	struct command command;
	char *cwd;
	struct strv paths; /* owned strings: arguments of format workspace-path */
	enum stdin_kind stdin_kind;
	int stdin_fd; /* sealed */
	struct digest stdin_digest;
	json_t *arguments;             /* of the call, defaults filled in; owned */
	json_t *facts;                 /* what rules see of them (policy/facts.h); owned */
	struct json_schema_work spent; /* on checking them */
	enum decision decision;
	char rule[CALL_RULE_MAX];         /* "file:line:column what"; "" when no rule spoke */
	char reason[CALL_REASON_MAX];     /* the rule's, as a sentence */
	char sentence[CALL_SENTENCE_MAX]; /* of the end: what, why, retry or not; "" until then */

	/* the plan, and the human's answer to it */
	struct digest plan; /* zero: never planned */
	char *plan_text;
	char *program;
	struct approval *approval;     /* set exactly while it waits in APPROVAL */
	struct approval_answer answer; /* id "" = no human was asked */
	bool answered;                 /* by a human, yes or no */
	struct approval_edit edit;     /* he gave other arguments: body is his */
	char grant[APPROVAL_ID_MAX];   /* the grant that let it run without asking; "" = none */
	bool allowed;                  /* reached DECIDED */
	uint64_t hold_until_us;        /* monotonic; 0 not yet asked */

	/* what it waits for: the one answer with this type and serial */
	enum message_type awaits;
	uint64_t serial;
	struct receipt receipt; /* of the decision, for LAUNCH */
	struct receipt proof;   /* of the outcome, for the client */
	bool proven;

	/* what ran */
	int pipes[2]; /* between LAUNCHED and output_start() */
	int input;    /* write end of a streamed standard input; -1 = none */
	struct stream
	    *stream;   /* what the client fetches and writes while it runs; NULL = nothing */
	bool streamed; /* some output was seen before the outcome */
	struct output *output;
	struct call_exit exit;

	/* what it changed, where the tool has an overlay; the list is effect_book_find(id) */
	bool holds;                    /* charged one QUOTA_HOLD that no holding has taken over */
	enum effects_state effects;    /* as EXITED told */
	struct approval_answer review; /* of who was asked about it; id "" = nobody was */
	bool kept;                     /* by a review: it stands in the workspace */
};

/* Takes the event, and every event that follows from it at once. Not re-entrant. */
void call_step(struct call *call, enum call_event event);
/* What the warden plans by; borrows from the call. */
void call_plan_input(struct plan_input *input, const struct call *call);
/* Its program came to its own end, whether or not all that it printed was kept. */
bool call_is_completed(const struct call *call);
/* The client withdrew. */
void call_cancel(struct call *call);

const char *call_state_name(enum call_state state);
const char *call_event_name(enum call_event event);
const char *call_outcome_name(enum call_outcome outcome);

#endif
