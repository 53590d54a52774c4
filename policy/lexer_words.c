#include "policy/lexer_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* The two sorts of words that make a string unreadable when they stand first. Sorted by use, not
 * by alphabet; both lists hold what dash, bash, ksh and busybox know together. */
static const char *const reserved_words[] = {"if", "then", "else", "elif", "fi", "for", "while",
    "until", "do", "done", "case", "esac", "in", "!", "time", "function", "select", "coproc"};
static const char *const changing_builtins[] = {"eval", "exec", "command", "builtin", ".", "source",
    "trap", "alias", "unalias", "export", "readonly", "local", "declare", "typeset", "let", "set",
    "shopt", "unset", "read", "getopts", "mapfile", "readarray", "hash", "enable", "shift",
    "return", "break", "continue"};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(word, list[i]))
			return true;
	}
	return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

const char *lexer_word_is_special(const char *word)
{
	if (IS_ONE_OF(word, reserved_words))
		return "a word of the shell's own language";
	if (IS_ONE_OF(word, changing_builtins))
		return "a shell builtin that runs or redefines words";
	return NULL;
}
