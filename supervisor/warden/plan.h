/*
 * The plan: what exactly would run, and its digest (DESIGN 2). Names and arguments come from
 * engine; programs, directories and scripts are opened and hashed here. A plan keeps the
 * descriptors of its own opening: at launch the plan is made again, and what that opening found
 * is what runs.
 *
 * The digest is SHA-256 over tag, length, value fields in a fixed order, so that no two plans
 * share their bytes. It covers everything the tool can tell apart before it runs but the content
 * of directories and of files that no word of the command names. Used by main.c and launch.c;
 * reads the disk.
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

#define PLAN_FILES_MAX   64                 /* files of the workspace that are hashed */
#define PLAN_FILES_BYTES (64 * 1024 * 1024) /* and their sum */
#define PLAN_WORDS_MAX   32768              /* words of argv, and in them, that are looked at */
#define PLAN_TEXT_MAX    (24 * 1024)        /* bytes of the readable plan */

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

/* A regular file of the workspace that a word of argv names. */
struct plan_file {
	char *path; /* resolved */
	struct program_stamp stamp;
	struct digest digest; /* of its content, unless: */
	const char *missed;   /* why that is not part of the plan (literal), else NULL */
};

struct plan_files {
	struct plan_file *items; /* in argv order, each once; PLAN_FILES_MAX are allocated */
	uint32_t count;
	uint64_t bytes; /* hashed so far */
	uint32_t words; /* looked at so far */
	bool more;      /* there are more than the plan holds */
};

/* The one of them that an interpreter reads as its program: bound read-only over its path. */
struct plan_script {
	char *path; /* NULL: there is none */
	int fd;     /* O_PATH */
	struct program_stamp stamp;
	struct digest digest;
};

struct plan {
	const struct tool *tool;           /* of planner->tools; valid while those are in force */
	const struct workspace *workspace; /* likewise */
	struct program program;
	struct digest part_digests[PROGRAM_CHAIN_MAX];
	struct plan_files files;
	struct plan_script script;
	bool unseen; /* it runs code of files that are not among those */
	char **argv; /* what the program gets, NULL-terminated; one block */
	char **env;  /* the same; environment_free() */
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

/* plan_files.c: hashes what the caller's words name, seen from cwd, into plan->files, ->script and
 * ->unseen. 0, PLAN_REFUSED or -errno, with note. A program that runs the code of files is refused
 * what cannot be hashed; for others it is told as missed. */
int plan_files_find(struct plan *plan, const struct planner *planner,
    const struct plan_input *input, int cwd, struct err_note *note);
/* Is each still what was hashed? Only code is asked for. 0, -ESTALE with note, -errno. */
int plan_files_recheck(const struct plan *plan, struct err_note *note);
void plan_files_fini(struct plan_files *files);

/* plan_paths.c: does each of input->paths, seen from cwd, lie below it, or could be made there? 0,
 * PLAN_REFUSED or -ENOMEM, with note. */
int plan_paths_check(const struct plan_input *input, int cwd, struct err_note *note);

/* Appends the canonical bytes. 0 or the buf's fault, or -EIO. */
int plan_bytes(struct buf *out, const struct planner *planner, const struct plan_input *input,
    const struct plan *plan);
/* Appends the plan for people: lines, escaped, at most PLAN_TEXT_MAX bytes. */
int plan_text(struct buf *out, const struct plan_input *input, const struct plan *plan);

#endif
