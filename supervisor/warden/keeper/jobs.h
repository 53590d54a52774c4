/*
 * What the keeper's children do: read, write, take back. Each takes what it works on as open
 * descriptors and says what came of it. Used by serve.c, each in a process of its own that is
 * confined first (confine.c), and by tests.
 */
#ifndef CALLGATE_WARDEN_KEEPER_JOBS_H
#define CALLGATE_WARDEN_KEEPER_JOBS_H

#include "supervisor/base/buf.h"
#include "supervisor/warden/keeper/keeper.h"
#include "supervisor/link/effects.h"

#define JOB_LIST_MAX MESSAGE_BODY_MAX

/* Where a commit reads and writes. All borrowed. */
struct commit_places {
	int workspace; /* a folder opened by the warden, on disk */
	int upper;     /* the overlay's; -1 for UNDO and RECOVER */
	int saved;     /* STATE/effects */
};

/* What came of it: status, note, and in out the encoded list of what was written, or of what stood
 * in the way. */
struct job_result {
	enum answer_status status;
	struct err_note note;
	struct buf out;
	uint32_t count;
	uint32_t commits; /* UNDO and RECOVER: how many were taken back */
	struct digest effects;
	char call[CALL_ID_MAX + 1];
};

/* commit.c: writes the chosen paths of the list (none: all). call: a name, as digest of what was
 * shown it is kept for UNDO. */
struct commit_ask {
	const char *call;
	const struct digest *shown;
	const struct effects *list;
	const struct strv *paths;
	uint32_t
	    written; /* UNDO: paths that are written and not taken back, as who asks knows it */
};
void commit_make(
    const struct commit_places *places, const struct commit_ask *ask, struct job_result *ret);
/* undo.c: takes back all commits of the call, if the workspace still has everything they wrote and
 * everything is kept that they replaced; else nothing at all. */
void undo_make(
    const struct commit_places *places, const struct commit_ask *ask, struct job_result *ret);
/* undo.c: takes back what a crash left half written in this workspace, one commit a time: status
 * NONE, nothing (more) is there; OK: that of ->call, ->out says what was put back. It is found
 * again until saved_settle(). */
void undo_recover(const struct commit_places *places, struct job_result *ret);
/* look.c: both sides of one path, as EFFECTED's body. */
void look_make(const struct commit_places *places, const char *path, struct job_result *ret);

/* confine.c: from now on this process reads below the `read` folders, reads and writes below the
 * `write` ones (-1: none), and mounts, connects to, starts and traces nothing. 0 or -errno. */
int job_confine(const int read[2], const int write[2]);
/* confine.c: what the keeper itself never does. 0 or -errno. */
int keeper_confine(void);

#endif
