/*
 * What a caller has shown of who he is, each part verified by whoever fills it in. Every matcher
 * of a principal row must be met by something here, and what nobody has shown meets nothing: zero
 * is a caller who has shown nothing, not root. Pure; floor 1.
 */
#ifndef CALLGATE_POLICY_SHOWN_H
#define CALLGATE_POLICY_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Patterns of str_glob(); an empty list is nothing. Borrowed. */
struct shown_globs {
	const char *const *items;
	size_t count;
};

/* The rights that a credential of our own making carries (a key of the key store, a token, the
 * service key): they stand in place of all principal rows. Roles are still the policy's: a name
 * here gives what that role gives now, within the other four. */
struct shown_own {
	struct shown_globs roles;
	struct shown_globs tools;
	struct shown_globs agents;
	struct shown_globs namespaces;
	uint32_t permissions; /* PERMISSION() bits: at most these, of the roles' */
	uint32_t besides;     /* PERMISSION() bits without any role: the service key's */
};

/* Zero: nothing. Borrowed, by whoever holds a struct subject. */
struct shown {
	bool has_peer; /* the kernel's word on a Unix socket: */
	uint32_t uid, gid;
	const char *api_key; /* the name of a static key; NULL: none */
	/* Claims of a verified JWT; NULL: none. has: is this claim that text, or a list with it? */
	const void *claims;
	bool (*has)(const void *claims, const char *claim, const char *value);
	const char *const *sans; /* of a verified client certificate: "URI:...", "DNS:..." */
	size_t san_count;
	bool anonymous; /* asked for nothing, where nothing is required */
	const struct shown_own *own;
};

#endif
