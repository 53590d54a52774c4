/*
 * Letters that look like others: a word with letters of several scripts is nearly always one that
 * pretends to be another. A small table, not Unicode's: scripts whose letters resemble Latin ones.
 * Floor 0.
 */
#ifndef CALLGATE_BASE_SCRIPT_H
#define CALLGATE_BASE_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"

#define SCRIPT_TOLD_MAX 8 /* code points that are named; the others are counted */

/* The letters, not Latin, of words with letters of several scripts. Starts as zeroes. */
struct script_mix {
	uint32_t codes[SCRIPT_TOLD_MAX]; /* different ones, as they came */
	uint32_t kept;
	uint32_t count; /* of all such letters */
};

/* Adds what UTF-8 text holds; a word is a run of letters of the table. */
void script_look(struct script_mix *mix, const char *text, size_t len);
/* Appends "mixed scripts: U+0456 Cyrillic, U+03BF Greek within a word" and so on. out's fault. */
int script_tell(struct buf *out, const struct script_mix *mix);

#endif
