/*
 * What a call changed in its overlay, as warden and engine tell it each other: a list of paths with
 * what stood there before and after. Sorted by path, each path once, relative to the workspace,
 * never absolute, without "." and "..". Paths and link targets are bytes as they are on disk,
 * without NUL, and nothing for a terminal: whoever shows them escapes them. Floor 2.
 */
#ifndef CALLGATE_LINK_EFFECTS_H
#define CALLGATE_LINK_EFFECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

#define EFFECTS_MAX      4096         /* paths in one list; more is EFFECTS_LOST */
#define EFFECTS_PATH_MAX 4095         /* bytes of a path, and of a link's target */
#define EFFECTS_LOOK_MAX (256 * 1024) /* bytes of each side that LOOK answers */

enum effect_kind {
	EFFECT_NONE = 0,
	EFFECT_ADDED,
	EFFECT_CHANGED, /* content, or another type of object */
	EFFECT_REMOVED, /* a directory with all that was in it: one effect each */
	EFFECT_MODE,    /* permission bits only */
};
enum effect_type {
	EFFECT_TYPE_NONE = 0, /* there is nothing */
	EFFECT_FILE,
	EFFECT_DIRECTORY,
	EFFECT_LINK,
	EFFECT_SPECIAL, /* FIFO, socket, device: shown, never committed */
};
/* Reasons for a human to look twice, as bits. */
enum effect_mark {
	EFFECT_RUNS_LATER =
	    1, /* something on the host may run it: hooks, Makefile, CI, editor tasks */
	EFFECT_LEADS_OUT = 2,  /* a link whose target is absolute or above the workspace */
	EFFECT_UNDERNEATH = 4, /* the workspace changed there since the call began: no commit */
	EFFECT_MARKS_ALL = 7,
};
struct effect_side {
	uint8_t type;         /* enum effect_type */
	uint16_t mode;        /* permission bits; of links 0 */
	uint64_t size;        /* of files; else 0 */
	struct digest digest; /* SHA-256 of a file's content or a link's target; else zero */
};
struct effect {
	uint8_t kind; /* enum effect_kind */
	uint8_t marks;
	const char *path;   /* never "" */
	const char *target; /* of a link that is there after; else "" */
	struct effect_side before, after;
};
struct effects {
	struct effect *items;
	uint32_t count;
	char *storage; /* private: what decoded paths point into */
};

/* Appends the list, in the order it has. 0, -EINVAL: not as the head of this file says (order,
 * bytes, kinds that do not fit their sides); -EMSGSIZE: over a limit. */
int effects_encode(struct buf *out, const struct effects *effects);
/* Takes a copy. 0, -EBADMSG, -ENOMEM; on failure *ret is empty. */
int effects_decode(struct effects *ret, const void *bytes, size_t len);
/* Accepts an empty one. */
void effects_fini(struct effects *effects);
/* SHA-256 over "callgate-effects-v1\n" and the encoded list: what a decision is bound to. */
void effects_digest(struct digest *ret, const void *bytes, size_t len);
/* Whether something on the host may run what lies at this path, later and without asking:
 * .git/hooks, .git/config, .gitmodules, .envrc, makefiles, CI files, package scripts, editor tasks,
 * shell startup files. A hint for people; case is ignored. Pure. */
bool effects_runs_later(const char *path);
/* "added", "file"; "?" for a number out of range. */
const char *effect_kind_name(unsigned kind);
const char *effect_type_name(unsigned type);

#endif
