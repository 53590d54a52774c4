/*
 * The human side of approvals as pending, approve, deny and watch share it: fetch, find, show
 * with every hostile byte escaped, decide with the proof that is needed. Floor 4.
 */
#ifndef CALLGATE_CONTROL_APPROVALS_H
#define CALLGATE_CONTROL_APPROVALS_H

#include <jansson.h>
#include <openssl/evp.h>

#include "supervisor/control/approver_key.h"
#include "supervisor/control/command.h"

/* The key of one person, opened at the first need and kept for the command's lifetime. */
struct approvals_key {
	const char *given; /* --key FILE, or NULL */
	EVP_PKEY *key;     /* owned; NULL until needed */
	struct approver approver;
};

void approvals_key_fini(struct approvals_key *key);

/* One approval for people: everything that the daemon says of it, nothing cut. */
void approvals_print(const json_t *approval);
/* The same as text; the caller's. NULL: out of memory. */
char *approvals_text(const json_t *approval);
/* The same on a terminal, by screens. 0, PAGER_LEFT or -errno. */
int approvals_page(int tty, const json_t *approval);

/* Seconds until it expires; negative when it has. */
long approvals_seconds_left(const json_t *approval);

/* What a human says to one approval. */
struct approvals_answer {
	const char *decision; /* "approve" or "deny" */
	const char *scope;    /* "once", "session" or "always"; NULL = once */
	const char *reason;   /* NULL = none */
};

/* Signs where a bare answer would be refused: when the caller has
 * this uid, or when a key was given. Returns an exit status; complains by itself. */
int approvals_decide(const struct command_session *session, const json_t *approval,
    const struct approvals_answer *given, struct approvals_key *key);

/* Puts what proves the answer into params ("approver"), where a bare one would be refused. 0, or an
 * exit status after complaining. */
int approvals_prove(const struct command_session *session, const json_t *approval,
    const char *decision, const char *reason, struct approvals_key *key, json_t *params);

/* The approval with this id or unique id prefix (at least 4 characters); borrowed from list.
 * NULL after complaining. */
const json_t *approvals_find(const json_t *list, const char *id);

#endif
