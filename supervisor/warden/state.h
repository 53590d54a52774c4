/*
 * The state directory: one daemon at a time, and the places of key, journal, approvers and pin.
 * Everything is opened once and used by descriptor; the names are for messages. Used by main.c
 * before READY; blocks on the disk only.
 */
#ifndef CALLGATE_WARDEN_STATE_H
#define CALLGATE_WARDEN_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/base/paths.h"

#define STATE_APPROVERS_MAX 256

struct state {
	char path[PATHS_MAX];    /* resolved */
	char journal[PATHS_MAX]; /* resolved; set by state_open_journal() */
	uid_t service;           /* whom keys and journal may belong to besides us */
	int dir;
	int lock;
	int keys;
	int store;   /* STATE/engine: what engine keeps */
	int effects; /* STATE/effects: what commits replaced */
	int audit;   /* journal directory; -1 until state_open_journal() */
};

/* Lines of STATE/approvers/ID.pub; heap, freed by approvers_free(). */
struct approver_lines {
	char *items[STATE_APPROVERS_MAX];
	uint32_t count;
};

/* path: NULL for the usual place. service: the uid the auditor will run under, or our own.
 * Creates what is missing with 0700, checks owner and mode, takes
 * the lock. 0; -EBUSY: another daemon holds it (note names its pid); -errno; note always says. */
int state_open(struct state *ret, const char *path, uid_t service, struct err_note *note);
/* Opens the journal's directory: absolute, or "" for STATE/audit. 0 or -errno with note. */
int state_open_journal(struct state *state, const char *directory, struct err_note *note);
/* Gives keys, store and journal to the service uid (root only). 0 or -errno with note. */
int state_give(const struct state *state, gid_t gid, struct err_note *note);
/* Writes STATE/trust.pin for this verifier key, or compares with the one that is there.
 * 0; -EKEYREJECTED: another key is pinned; -EBADMSG, -errno; note says. */
int state_pin(const struct state *state, const char *vkey, struct err_note *note);
/* Reads the approver files that are well formed and ours; *ret_skipped counts the others.
 * 0 or -errno. */
int state_approvers(const struct state *state, struct approver_lines *ret, uint32_t *ret_skipped);
void approvers_free(struct approver_lines *lines);
/* Releases the lock. Accepts a state that was never opened (all descriptors -1). */
void state_close(struct state *state);

#endif
