/*
 * Words that make a command string unreadable when they stand first in a command. Private to
 * policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_LEXER_WORDS_H
#define CALLGATE_POLICY_LEXER_WORDS_H

#include <stdint.h>

/* What the word is, a literal, or NULL: nothing special. */
const char *lexer_word_is_special(const char *word);
/* The same of a whole simple command whose first word is nothing special; argc is not 0. */
const char *lexer_use_is_special(const char *const *argv, uint32_t argc);

#endif
