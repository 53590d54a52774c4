/*
 * The warden's own records: the second witness beside engine. Builds the fields and sends them to
 * the auditor; "call" and "plan" are added there from the message's head. Used by main.c and
 * launch.c. Never waits.
 */
#ifndef CALLGATE_WARDEN_TRAIL_H
#define CALLGATE_WARDEN_TRAIL_H

#include <stdint.h>

#include "supervisor/link/effects.h"
#include "supervisor/link/link.h"
#include "supervisor/warden/config.h"
#include "supervisor/warden/plan.h"
#include "sandbox/layer.h"

/* Each sends one record: 0 and *ret_serial (of the RECORDED to come), or -errno. */
int trail_policy_load(struct link *auditor, const struct config *config, uint64_t *ret_serial);
int trail_policy_refused(
    struct link *auditor, const char *file, const char *why, uint64_t *ret_serial);

/* A role that is started and lost while the daemon goes on. 0 or -errno. */
int trail_role_start(struct link *auditor, const char *role, pid_t pid);
int trail_role_lost(struct link *auditor, const char *role, const char *how);

struct trail_start {
	const char *call;
	const struct plan_input *input;
	const struct plan *plan;
	const struct attestation *attestation;
	uint64_t receipt_n;
	pid_t pid;
};
int trail_exec_start(struct link *auditor, const struct trail_start *start);

struct trail_exit {
	const struct message_exited *exited;
	const struct digest *plan;
	const char *tool;
	int empty; /* enum of struct cgroup_usage */
};
int trail_exec_exit(struct link *auditor, const struct trail_exit *exit);

/* What became of a call's overlay: the call and the digest of its list are the record's own. */
struct trail_effects {
	const char *call;
	const struct digest *effects; /* zero: it was never read */
	const char *by;               /* principal; "" = nobody asked */
	const char *what;             /* "commit", "undo"; why it was dropped */
	uint32_t paths;
	uint32_t commits;           /* taken back; WRITTEN only; 0: none */
	const struct effects *list; /* what was written, to be named; WRITTEN only; may be empty */
	uint64_t receipt_n;         /* of the decision; WRITTEN only */
};
int trail_effects_written(
    struct link *auditor, const struct trail_effects *effects, uint64_t *ret_serial);
int trail_effects_dropped(
    struct link *auditor, const struct trail_effects *effects, uint64_t *ret_serial);

/* "exited", "signaled", "deadline", ... */
const char *trail_how(enum exit_how how);

#endif
