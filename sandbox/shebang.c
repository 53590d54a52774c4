#include "sandbox/shebang.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define BLANK " \t"

int shebang_parse(const char *bytes, size_t len, struct shebang *ret, struct err_note *note)
{
	char line[SHEBANG_MAX];
	char *word, *rest;
	const char *end;
	size_t line_len;

	if (len < 2 || bytes[0] != '#' || bytes[1] != '!')
		return -ENOEXEC;
	end = memchr(bytes, '\n', len);
	if (end == NULL && len >= SHEBANG_MAX)
		return err_note(note, -EACCES, "the #! line is longer than %d bytes; shorten it",
		    SHEBANG_MAX - 1);
	line_len = (end == NULL ? len : (size_t)(end - bytes)) - 2;
	memcpy(line, bytes + 2, line_len);
	line[line_len] = '\0';
	for (size_t i = 0; i < line_len; i++)
		if ((unsigned char)line[i] < ' ' && line[i] != '\t')
			return err_note(note, -EACCES, "control byte 0x%02x in the #! line",
			    (unsigned char)line[i]);
	while (line_len > 0 && strchr(BLANK, line[line_len - 1]) != NULL)
		line[--line_len] = '\0';
	word = line + strspn(line, BLANK);
	rest = word + strcspn(word, BLANK);
	if (*word != '/')
		return err_note(note, -EACCES, "the #! line names no absolute path: \"%s\"", word);
	memset(ret, 0, sizeof(*ret));
	memcpy(ret->interpreter, word, (size_t)(rest - word));
	rest += strspn(rest, BLANK);
	memcpy(ret->argument, rest, strlen(rest) + 1);
	return 0;
}

enum env_word {
	ENV_REFUSED = 0,
	ENV_SKIPPED,      /* an option without effect on what is started */
	ENV_SKIPPED_PAIR, /* the same, with its value in the next word */
	ENV_OPTIONS_END,
	ENV_PROGRAM,
};

static enum env_word env_word_kind(const char *word, bool options)
{
	static const char *const skipped[] = {"-", "-i", "--ignore-environment", "-v", "--debug"};

	if (options && word[0] == '-') {
		if (strcmp(word, "--") == 0)
			return ENV_OPTIONS_END;
		if (strcmp(word, "-u") == 0)
			return ENV_SKIPPED_PAIR;
		if (strncmp(word, "-u", 2) == 0 || strncmp(word, "--unset=", 8) == 0)
			return ENV_SKIPPED;
		for (size_t i = 0; i < sizeof(skipped) / sizeof(skipped[0]); i++)
			if (strcmp(word, skipped[i]) == 0)
				return ENV_SKIPPED;
		return ENV_REFUSED;
	}
	if (strncmp(word, "PATH=", 5) == 0)
		return ENV_REFUSED;
	return strchr(word, '=') != NULL ? ENV_SKIPPED : ENV_PROGRAM;
}

/* Cuts the next word off; NULL at the end. */
static char *next_word(char **rest)
{
	char *word = *rest + strspn(*rest, BLANK);

	if (*word == '\0')
		return NULL;
	*rest = word + strcspn(word, BLANK);
	if (**rest != '\0')
		*(*rest)++ = '\0';
	return word;
}

static int env_split(char *text, char ret_program[SHEBANG_MAX], struct err_note *note)
{
	bool options = true;
	char *word;

	while ((word = next_word(&text)) != NULL) {
		switch (env_word_kind(word, options)) {
		case ENV_REFUSED:
			return err_note(
			    note, -EACCES, "env is given %s, which is not followed", word);
		case ENV_SKIPPED_PAIR: next_word(&text); break;
		case ENV_SKIPPED: options = options && strchr(word, '=') == NULL; break;
		case ENV_OPTIONS_END: options = false; break;
		case ENV_PROGRAM: memcpy(ret_program, word, strlen(word) + 1); return 0;
		}
	}
	return err_note(note, -EACCES, "env is given no program and would start the script again");
}

/* What follows -S or --split-string=; NULL if the argument is not split. */
static const char *split_string(const char *argument)
{
	static const char long_option[] = "--split-string=";

	if (strncmp(argument, "-S", 2) == 0)
		return argument + 2;
	if (strncmp(argument, long_option, sizeof(long_option) - 1) == 0)
		return argument + sizeof(long_option) - 1;
	return NULL;
}

int shebang_env_program(const char *argument, char ret_program[SHEBANG_MAX], struct err_note *note)
{
	const char *split = split_string(argument);
	char text[SHEBANG_MAX];

	if (split == NULL && strpbrk(argument, BLANK) != NULL)
		return err_note(
		    note, -EACCES, "env takes \"%s\" as one word; write env -S", argument);
	/* Quotes, escapes, comments and ${VAR} of -S are refused: their meaning is env's own. */
	if (strpbrk(argument, "\\'\"$#") != NULL)
		return err_note(note, -EACCES, "env -S with quotes, \\, $ or #: \"%s\"", argument);
	if (split == NULL)
		split = argument;
	memcpy(text, split, strlen(split) + 1);
	return env_split(text, ret_program, note);
}
