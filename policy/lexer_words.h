/*
 * Words that make a command string unreadable when they stand first in a command. Private to
 * policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_LEXER_WORDS_H
#define CALLGATE_POLICY_LEXER_WORDS_H

/* What the word is, a literal, or NULL: nothing special. */
const char *lexer_word_is_special(const char *word);

#endif
