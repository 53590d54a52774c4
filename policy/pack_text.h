/*
 * The texts of policy/packs as embed.sh puts them into one C file of the build folder. Private to
 * policy/pack_text.c and that file. Floor 1: libc.
 */
#ifndef CALLGATE_POLICY_PACK_TEXT_H
#define CALLGATE_POLICY_PACK_TEXT_H

struct pack_embedded {
	const char *name;
	const char *text;
};

/* Sorted by name; a NULL name ends the table. */
extern const struct pack_embedded pack_texts[];
/* The same names; NULL ends the list. */
extern const char *const pack_text_names[];

#endif
