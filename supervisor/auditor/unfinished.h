/*
 * The calls that a crash cut off: decided, but without an outcome; started, but without an exit.
 *
 * Fed with every sealed line while recovery follows the trail, it keeps one entry for each call
 * that is not over at that point: its memory grows with what runs at once, not with the journal.
 * What is left at the end is owed, and the auditor itself writes it behind log.open. An outcome
 * that is durable closes its call, so that dying in the middle of this writes none twice.
 * Auditor only; pure.
 */
#ifndef CALLGATE_AUDITOR_UNFINISHED_H
#define CALLGATE_AUDITOR_UNFINISHED_H

#include <stddef.h>
#include <sys/queue.h>

#include "supervisor/auditor/entry.h"

struct unfinished_call;

#define UNFINISHED_CHAINS 1024

TAILQ_HEAD(unfinished_list, unfinished_call);
LIST_HEAD(unfinished_chain, unfinished_call);

/* A zeroed one is not valid: unfinished_init(). */
struct unfinished {
	struct unfinished_list list;                       /* owned; in the order of the trail */
	struct unfinished_chain chains[UNFINISHED_CHAINS]; /* the same by name */
};

void unfinished_init(struct unfinished *unfinished);
void unfinished_fini(struct unfinished *unfinished);
/* Takes in the next sealed line. 0 or -ENOMEM. */
int unfinished_line(struct unfinished *unfinished, const void *line, size_t len);
/* What is owed: for each call exec.exit if it was started, then call.outcome if it was decided.
 * *ret_list is the caller's, NULL if nothing is owed. 0 or -ENOMEM. */
int unfinished_entries(const struct unfinished *unfinished, struct entry **ret_list);

#endif
