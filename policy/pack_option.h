/*
 * From a word to the option a program takes it for: exact names, unambiguous beginnings,
 * negations. Private to policy/pack*.c. Pure.
 */
#ifndef CALLGATE_POLICY_PACK_OPTION_H
#define CALLGATE_POLICY_PACK_OPTION_H

#include "policy/pack.h"

enum pack_found {
	PACK_FOUND_NONE = 0,
	PACK_FOUND_ONE,
	PACK_FOUND_SEVERAL, /* an ambiguous beginning */
};

/* A word of len bytes, without "=value", among the options of table and of the sets it uses. */
enum pack_found pack_option_find(const struct policy_pack *pack, const struct pack_table *table,
    const char *word, size_t len, const struct pack_option **ret_option, bool *ret_negated);
/* The table of a subcommand, NULL if it is not known. */
const struct pack_table *pack_subcommand(const struct policy_pack *pack, const char *name);
/* True if a rule's name for an option means this given one. */
bool pack_given_is(const struct pack_given *given, const char *name);

#endif
