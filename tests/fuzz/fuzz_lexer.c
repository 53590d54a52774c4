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
	assert(command_from_argv(&again, command->argv, command->argc) == 0);
	assert(again.argc == command->argc);
	for (uint32_t i = 0; i < again.argc; i++)
		assert(!strcmp(again.argv[i], command->argv[i]));
	command_fini(&again);
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
	if (command.form == COMMAND_SIMPLE)
		check_simple(&command);
	else
		check_shell(&command, data, size);
	command_fini(&command);
	assert(!command.storage);
	return 0;
}
