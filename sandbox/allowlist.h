/*
 * From command names to what the kernel is told: programs, interpreters, loaders, libraries, and
 * the Landlock rules that let exactly those run (research: cover rule, library closure,
 * families). Opened objects are judged, never names; everything is held open as O_PATH.
 *
 * Built by the warden at policy load, read-only afterwards. Touches the disk, may take seconds
 * on a cold cache (progress is the caller's). Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_ALLOWLIST_H
#define CALLGATE_SANDBOX_ALLOWLIST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "sandbox/cell.h"

/* What a program is, seen through the descriptor that was opened. */
struct program_stamp {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

#define PROGRAM_CHAIN_MAX 6
#define PROGRAM_TRUSTED   ((uid_t)-1) /* as tool_uid: nobody's rights to it are looked at */

/* One link of the chain that the kernel would follow: script, its interpreter, ..., the ELF
 * program, its ELF interpreter. */
struct program_part {
	char *path;  /* resolved absolute path of the opened object */
	int fd;      /* O_PATH, owned */
	int read_fd; /* O_RDONLY for hashing, owned; an unreadable program is refused */
	struct program_stamp stamp;
	bool script;
	bool loader; /* ELF interpreter */
};

struct program {
	char *name; /* as asked for */
	struct program_part parts[PROGRAM_CHAIN_MAX];
	uint32_t part_count;
	uint32_t exec_part; /* index of the ELF program that execveat gets */
	/* Words the shebangs put before the rest of argv (interpreter, its argument, script path);
	 * NULL-terminated; NULL when parts[0] is an ELF program. */
	char **prefix;
	bool allow_jit;   /* runtime that needs writable code (node) */
	bool interpreter; /* runs code of its arguments: sh, python, perl, node, awk, ... */
	bool finds;       /* runs code of files that its arguments need not name: make, npm */
	bool data;        /* an ELF program known to run nothing it is given: cat, grep, cp */
	const char
	    *code_letters; /* family_code_letters(); NULL: no operand is code, as for a script */
	bool multicall;    /* busybox, toybox, coreutils single binary: finds is set, too */
};

struct survey;
struct holdings;

struct allowlist_spec {
	const char *const *path;    /* absolute directories, NULL-terminated */
	const char *const *allowed; /* names or absolute paths, NULL-terminated */
	const char *const *denied;
	const char *const *helpers; /* globs of absolute paths */
	/* Absolute paths of programs that came with the caller, or NULL. Whoever could change those
	 * could change the caller, so their owners are not judged; in no cell can they be written.
	 * */
	const char *const *own;
	bool open;           /* deny_by_default: false */
	bool multicall;      /* many programs in one file may stand in the list, all of them */
	uid_t tool_uid;      /* programs this uid could write are refused */
	const uid_t *owners; /* NULL */
	/* Shared by the lists of one load (survey.h, of the same tool_uid) and by all lists there
	 * are (held.h); NULL: this one has its own. */
	struct survey *survey;
	struct holdings *holdings;
	/* Where to put which of the names above a fault is about; NULL: nobody asks. */
	const char **culprit;
};

struct allowlist;

/* Opens one program by name in path (or by absolute path) and follows shebangs. 0; -ENOENT;
 * -EACCES (not executable, or writable by tool_uid: note); -ELOOP (chain too long); -errno.
 * tool_uid PROGRAM_TRUSTED: for allowlist_spec.own. */
int program_open(struct program *ret, const char *const *path, const char *name, uid_t tool_uid,
    struct err_note *note);
void program_fini(struct program *program);

/* 0 and *ret; a fault with note for a name that is refused. Names that are not found are not an
 * error: allowlist_missing() lists them. */
int allowlist_build(
    const struct allowlist_spec *spec, struct allowlist **ret, struct err_note *note);
/* One more owner of the same list; each calls allowlist_free(). */
struct allowlist *allowlist_share(struct allowlist *allowlist);
void allowlist_free(struct allowlist *allowlist);
const struct cell_rule *allowlist_rules(const struct allowlist *allowlist, uint32_t *ret_count);
/* Names of allowed_commands that no directory of the path holds; NULL-terminated. */
const char *const *allowlist_missing(const struct allowlist *allowlist);
/* May this opened program run under the list (same dev and inode as an entry, or, when open, not
 * a denied one)? */
bool allowlist_has(const struct allowlist *allowlist, const struct program *program);
/* Folders besides /usr and /etc that hold anything granted ("/opt/tool/bin"); places.h. */
const char *const *allowlist_outside(const struct allowlist *allowlist);
/* What somebody should know before relying on the list, one line each: helpers that match
 * nothing, programs that a tool would start and may not (make without sh), libraries that no
 * directory holds. For policy check, doctor and the log. */
const char *const *allowlist_remarks(const struct allowlist *allowlist);
/* Any program that runs code of its arguments (for policy check and doctor). */
const char *const *allowlist_interpreters(const struct allowlist *allowlist);

#endif
