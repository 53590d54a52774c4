/* Patterns of ECMA-262 and texts that some of them match, the same ones for the same seed. */
#ifndef CALLGATE_TESTS_POLICY_RANDOM_PATTERN_H
#define CALLGATE_TESTS_POLICY_RANDOM_PATTERN_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define RANDOM_PATTERN_MAX 256
#define RANDOM_TEXT_MAX    64

static inline uint32_t random_below(uint32_t *seed, uint32_t sides)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % sides;
}

static inline const char *random_of(uint32_t *seed, const char *const *list, uint32_t count)
{
	return list[random_below(seed, count)];
}

static inline void random_put(char *out, size_t max, const char *text)
{
	if (strlen(out) + strlen(text) < max)
		strcat(out, text);
}

static inline void random_sequence(char *out, unsigned depth, uint32_t *seed);

static inline void random_part(char *out, unsigned depth, uint32_t *seed)
{
	static const char *const atoms[] = {"a", "b", "/", "\xc3\xa9", "ab", "-", ".", "\\.",
	    "[ab]", "[^a]", "[a-c]", "[a/\xc3\xa9]", "[/b-y]", "[ab-y]", "[.-/a]", "[^/-b]", "\\w",
	    "\\u00e9", "\\x62", "^", "$", "\\b", "\\B", "abababab", "b/ab-ab/a"};
	static const char *const groups[] = {"(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(", "(?:"};

	if (!depth || random_below(seed, 4)) {
		random_put(out, 180, random_of(seed, atoms, sizeof(atoms) / sizeof(atoms[0])));
		return;
	}
	if (strlen(out) > 100)
		return;
	random_put(out, 180, random_of(seed, groups, sizeof(groups) / sizeof(groups[0])));
	random_sequence(out, depth - 1, seed);
	if (!random_below(seed, 2)) {
		random_put(out, 200, "|");
		random_sequence(out, depth - 1, seed);
	}
	random_put(out, RANDOM_PATTERN_MAX, ")");
}

static inline void random_sequence(char *out, unsigned depth, uint32_t *seed)
{
	static const char *const repeats[] = {
	    "?", "*", "+", "{2}", "{0,1}", "{1,}", "{0}", "+?", "??", "{3,4}"};

	for (uint32_t parts = random_below(seed, 4); parts; parts--) {
		random_part(out, depth, seed);
		if (!random_below(seed, 4))
			random_put(out, 200,
			    random_of(seed, repeats, sizeof(repeats) / sizeof(repeats[0])));
	}
}

/* Some are refused: whoever asked looks. */
static inline void random_pattern(char out[RANDOM_PATTERN_MAX], uint32_t *seed)
{
	out[0] = '\0';
	random_sequence(out, 3, seed);
	random_part(out, 1, seed);
}

/* pattern: its letters are used now and then; NULL: none. */
static inline void random_text(char out[RANDOM_TEXT_MAX], const char *pattern, uint32_t *seed)
{
	static const char *const words[] = {
	    "a", "b", "/", "\xc3\xa9", "ab", "-", ".", "x", "abababab", "b/ab-ab/a", "\n"};
	char letters[RANDOM_TEXT_MAX] = "";
	size_t len = 0;

	for (; pattern && *pattern && len + 1 < sizeof(letters); pattern++)
		if (strchr("ab/-.", *pattern) && random_below(seed, 6))
			letters[len++] = *pattern;
	out[0] = '\0';
	for (uint32_t parts = random_below(seed, 4); parts; parts--)
		random_put(
		    out, RANDOM_TEXT_MAX, random_of(seed, words, sizeof(words) / sizeof(words[0])));
	random_put(out, RANDOM_TEXT_MAX, letters);
	for (uint32_t parts = random_below(seed, 2); parts; parts--)
		random_put(
		    out, RANDOM_TEXT_MAX, random_of(seed, words, sizeof(words) / sizeof(words[0])));
}

#endif
