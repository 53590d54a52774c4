/*
 * Every rule that speaks about one question, collected. policy_judge() takes the strictest,
 * policy_tell_*() tell them all: the same list, so they cannot differ. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_VOICES_H
#define CALLGATE_POLICY_VOICES_H

#include "policy/decide.h"

/* What explain tells at most: a command of many words makes hundreds speak. */
#define EXPLAIN_VOICES_MAX 100

struct voices {
	struct verdict *items;
	uint32_t count;
	uint32_t cap;
	struct voices_held *held; /* what words of some verdicts point into (voices_pack.c) */
	uint32_t pack_work;       /* done so far, up to VOICES_PACK_WORK (voices_pack.h) */
};

/* 0 or -ENOMEM; then *ret is empty. Ended by voices_fini(). */
int voices_collect(const struct question *question, struct voices *ret);
void voices_fini(struct voices *voices);
/* The strictest; of equals the first. A question of which nothing speaks is denied. */
struct verdict voices_strictest(const struct question *question, const struct voices *voices);

/* ---- the pieces, for voices.c and voices_pack.c ---- */

enum word_silence {
	SILENCE_IS_DEFAULT = 0, /* a word that nothing speaks of falls to defaults.decision */
	SILENCE_IS_SPOKEN_FOR,  /* something speaks of its command as a whole */
	SILENCE_IS_ELSEWHERE,   /* it runs on another machine: only denied_commands speak */
};
/* 0 or -ENOMEM, both. */
int voices_add(struct voices *voices, const struct verdict *verdict);
int voices_word(struct voices *voices, const struct question *question, const char *word,
    enum word_silence silence);

#endif
