/* A command string through the lexer: whatever it says must hang together. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/lexer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_shell(const struct command *command, const uint8_t *data, size_t size)
{
	assert(command->argc == 3);
	assert(!strcmp(command->argv[0], "sh") && !strcmp(command->argv[1], "-c"));
	assert(strlen(command->argv[2]) == size && !memcmp(command->argv[2], data, size));
}

/* A simple command given as its own argv is the same command. */
static void check_simple(const struct command *command)
{
	struct command again;

	assert(command->argc >= 1 && command->word_count == 1);
	assert(!strcmp(command->words[0], command->argv[0]));
	assert(command->simple_count == 1 && command->simples[0].argv == command->argv);
	assert(command->simples[0].argc == command->argc && !command->simples[0].redirect_count);
	assert(command_from_argv(&again, command->argv, command->argc) == 0);
	assert(again.argc == command->argc);
	for (uint32_t i = 0; i < again.argc; i++)
		assert(!strcmp(again.argv[i], command->argv[i]));
	command_fini(&again);
}

/* The simple commands are the words in their order, and none is longer than the text. */
static void check_simples(const struct command *command, size_t size)
{
	size_t last = 0;

	assert(command->simple_count <= command->word_count);
	assert(command->form == COMMAND_NOT_ANALYSABLE
		   ? command->word_count <= command->simple_count + 1
		   : command->word_count == command->simple_count);
	for (uint32_t i = 0; i < command->simple_count; i++) {
		const struct simple_command *simple = &command->simples[i];

		assert(simple->argc >= 1 && !simple->argv[simple->argc]);
		assert(simple->argv[0] == command->words[i]);
		assert(simple->offset < size && (!i || simple->offset > last));
		last = simple->offset;
		for (uint32_t j = 0; j < simple->argc; j++)
			assert(strlen(simple->argv[j]) <= size);
		for (uint32_t j = 0; j < simple->redirect_count; j++) {
			assert(simple->redirects[j].descriptor >= -1);
			assert(simple->redirects[j].descriptor <= 9);
			assert(strlen(simple->redirects[j].operator) <= 2);
			assert(strlen(simple->redirects[j].word) <= size);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command command;
	int fault = command_parse(&command, (const char *)data, size);

	if (fault) {
		assert(fault == -EINVAL || fault == -E2BIG);
		assert(command.form == COMMAND_NONE && !command.storage && command.why);
		return 0;
	}
	assert(command.form != COMMAND_NONE);
	assert(!command.argv[command.argc]);
	assert((command.form == COMMAND_NOT_ANALYSABLE) == (command.why != NULL));
	assert(command.offset <= size);
	for (uint32_t i = 0; i < command.word_count; i++)
		assert(command.words[i][0]);
	check_simples(&command, size);
	if (command.form == COMMAND_SIMPLE)
		check_simple(&command);
	else
		check_shell(&command, data, size);
	command_fini(&command);
	assert(!command.storage);
	return 0;
}
