/*
 * The plan: what exactly would run, and its digest (DESIGN 2). Names and arguments come from
 * engine; programs, directories and scripts are opened and hashed here. A plan keeps the
 * descriptors of its own opening: at launch the plan is made again, and what that opening found
 * is what runs.
 *
 * The digest is SHA-256 over tag, length, value fields in a fixed order, so that no two plans
 * share their bytes. It covers everything the tool can tell apart before it runs but the content
 * of directories and data files. Used by main.c and launch.c; reads the disk.
 */
#ifndef CALLGATE_WARDEN_PLAN_H
#define CALLGATE_WARDEN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/link/message.h"
#include "supervisor/warden/hashes.h"
#include "supervisor/warden/tools.h"

#define PLAN_SCRIPT_MAX (16 * 1024 * 1024) /* bytes of a script that is hashed */
#define PLAN_TEXT_MAX   (24 * 1024)        /* bytes of the readable plan */

/* Results besides 0 and faults. */
enum plan_result {
	PLAN_REFUSED = 1, /* understood and not allowed: note */
	PLAN_VOID = 2,    /* decided under another policy: note */
};

struct planner {
	const struct tools *tools;
	struct hashes *hashes;
	uint8_t env_key[KEY_LEN]; /* HMAC of environment values; random, of this start */
};

/* The file of the workspace that an interpreter would run. */
struct plan_script {
	char *path; /* resolved; NULL: there is none */
	int fd;     /* O_PATH */
	bool first; /* the first word that is not an option: bound read-only over its path */
	struct program_stamp stamp;
	struct digest digest;
};

struct plan {
	const struct tool *tool;           /* of planner->tools; valid while those are in force */
	const struct workspace *workspace; /* likewise */
	struct program program;
	struct digest part_digests[PROGRAM_CHAIN_MAX];
	struct plan_script script;
	char **argv; /* what the program gets, NULL-terminated; one block */
	char *cwd;   /* resolved absolute path */
	struct program_stamp cwd_stamp;
	struct digest digest;
};

/* 0 and *ret (ended by plan_fini), an enum plan_result, or -errno; note in both other cases. */
int plan_make(const struct planner *planner, const struct plan_input *input, struct plan *ret,
    struct err_note *note);
/* Is every opened file still what was hashed? 0, -ESTALE with note, -errno. */
int plan_recheck(const struct plan *plan, struct err_note *note);
void plan_fini(struct plan *plan);

/* Appends the canonical bytes. 0 or the buf's fault, or -EIO. */
int plan_bytes(struct buf *out, const struct planner *planner, const struct plan_input *input,
    const struct plan *plan);
/* Appends the plan for people: lines, escaped, at most PLAN_TEXT_MAX bytes. */
int plan_text(struct buf *out, const struct plan_input *input, const struct plan *plan);

#endif
