#include "policy/lexer_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The two sorts of words that make a string unreadable when they stand first. Sorted by use, not
 * by alphabet; both lists hold what dash, bash, ksh and busybox know together. */
static const char *const reserved_words[] = {"if", "then", "else", "elif", "fi", "for", "while",
    "until", "do", "done", "case", "esac", "in", "!", "time", "function", "select", "coproc", "[[",
    "namespace"};
static const char *const changing_builtins[] = {"eval", "exec", "command", "builtin", ".", "source",
    "trap", "alias", "unalias", "export", "readonly", "local", "declare", "typeset", "let", "set",
    "shopt", "unset", "read", "getopts", "mapfile", "readarray", "hash", "enable", "shift",
    "return", "break", "continue", "compgen", "complete", "compopt", "bind", "fc", "history",
    "jobs", "wait", "setvar", "nameref", "integer", "float", "compound", "autoload", "functions",
    "redirect", "login", "newgrp"};
/* Builtins of which only a use with one of these options does: it sets a variable, PATH for one, or
 * expands the subscript of a name. */
static const struct {
	const char *word, *option;
	bool first; /* only as the first argument, with or without a value in it */
} changing_uses[] = {
    {"printf", "-v", true},
    {"test", "-v", false},
    {"test", "-R", false},
    {"[", "-v", false},
    {"[", "-R", false},
};

static bool is_one_of(const char *word, const char *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!strcmp(word, list[i]))
			return true;
	}
	return false;
}
#define IS_ONE_OF(word, list) is_one_of(word, list, sizeof(list) / sizeof((list)[0]))

static bool is_used_with(const char *const *argv, uint32_t argc, const char *option, bool first)
{
	if (first)
		return argc > 1 && !strncmp(argv[1], option, strlen(option));
	for (uint32_t i = 1; i < argc; i++) {
		if (!strcmp(argv[i], option))
			return true;
	}
	return false;
}

const char *lexer_use_is_special(const char *const *argv, uint32_t argc)
{
	for (size_t i = 0; i < sizeof(changing_uses) / sizeof(changing_uses[0]); i++) {
		if (!strcmp(argv[0], changing_uses[i].word) &&
		    is_used_with(argv, argc, changing_uses[i].option, changing_uses[i].first))
			return "an option of a shell builtin that sets or expands names";
	}
	return NULL;
}

const char *lexer_word_is_special(const char *word)
{
	if (IS_ONE_OF(word, reserved_words))
		return "a word of the shell's own language";
	if (IS_ONE_OF(word, changing_builtins))
		return "a shell builtin that runs or redefines words";
	return NULL;
}
