/*
 * What a credential may at most be used for: five lists of globs, and nothing where a list is
 * empty. A scope gives nothing by itself: the policy's roles decide, the scope only narrows.
 *
 * Globs are those of str_glob(); a name is a glob that matches itself, and "*" is everything.
 * Floor 2: jansson; pure.
 */
#ifndef CALLGATE_IDENTITY_SCOPE_H
#define CALLGATE_IDENTITY_SCOPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define SCOPE_ITEMS_MAX 64  /* a list */
#define SCOPE_TEXT_MAX  255 /* bytes of one glob, of [A-Za-z0-9_.:*?-] */

/* X(id, name in JSON and in the key store) */
#define SCOPE_KINDS(X)                                                                             \
	X(TOOLS, "tools")                                                                          \
	X(AGENTS, "agents")                                                                        \
	X(NAMESPACES, "namespaces")                                                                \
	X(ROLES, "roles")                                                                          \
	X(PERMISSIONS, "permissions")

#define SCOPE_ENUM_(id, name) SCOPE_##id,
enum scope_kind { SCOPE_KINDS(SCOPE_ENUM_) SCOPE_KIND_COUNT };
#undef SCOPE_ENUM_

/* Zeroed: nothing. Ended by scope_fini(). */
struct scope {
	struct scope_list {
		char **items; /* owned; each once */
		uint32_t count;
	} lists[SCOPE_KIND_COUNT];
};

const char *scope_kind_name(enum scope_kind kind);
/* SCOPE_KIND_COUNT if there is no such list. */
enum scope_kind scope_kind_by_name(const char *name);

/* 0 (also when it is there already); -EINVAL: not a glob of the form above; -E2BIG; -ENOMEM. */
int scope_add(struct scope *scope, enum scope_kind kind, const char *glob);
/* Adds "*" to every list. 0 or -ENOMEM, -E2BIG. */
int scope_add_all(struct scope *scope);
int scope_copy(struct scope *ret, const struct scope *from);
void scope_fini(struct scope *scope);

bool scope_has(const struct scope *scope, enum scope_kind kind, const char *name);
/* No tool and no permission: of no use to anybody. */
bool scope_is_idle(const struct scope *scope);

/* Whether every name that narrow matches is matched by wide. false also where that holds but is
 * not seen ("?*" and "*?"): never true where it does not hold. */
bool scope_glob_covers(const char *wide, const char *narrow);
/* What lies in both: never wider than either. *ret is ended by scope_fini(), also after a fault.
 * 0; -E2BIG: more than SCOPE_ITEMS_MAX in a list; -ENOMEM. */
int scope_intersect(struct scope *ret, const struct scope *a, const struct scope *b);
/* Whether everything in narrow lies in wide, as far as scope_glob_covers() sees. */
bool scope_covers(const struct scope *wide, const struct scope *narrow);

/* Sets one member per list in the object, empty lists too. 0 or -ENOMEM. */
int scope_to_json(const struct scope *scope, json_t *object);
/* The lists that the object has; its other members are the caller's to judge. *ret as above.
 * 0; -EBADMSG: a list is no list of globs; -E2BIG; -ENOMEM. */
int scope_from_json(struct scope *ret, const json_t *object);

#endif
