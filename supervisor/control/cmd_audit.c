/* audit: hands over to verify, tail and prove, which need no daemon. */
#include <string.h>

#include "supervisor/control/audit.h"
#include "supervisor/control/command.h"

#define AUDIT_ARGUMENTS_MAX 64

int cmd_audit(struct command_session *session, int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(int argc, char **argv);
	} verbs[] = {
	    {"verify", audit_verify_main},
	    {"tail", audit_tail_main},
	    {"prove", audit_prove_main},
	};
	char option[] = "--output", json[] = "json";
	char *words[AUDIT_ARGUMENTS_MAX + 3];
	int count = 0;

	if (argc < 2)
		return command_fail(
		    COMMAND_USAGE, "audit: verify, tail or prove? see `callgate help audit`");
	if (argc > AUDIT_ARGUMENTS_MAX)
		return command_fail(
		    COMMAND_USAGE, "audit: more than %d arguments", AUDIT_ARGUMENTS_MAX);
	if (command_local_only(session, argv[0]) != 0)
		return COMMAND_USAGE;
	words[count++] = argv[1];
	if (session->output == COMMAND_OUTPUT_JSON) {
		words[count++] = option;
		words[count++] = json;
	}
	for (int i = 2; i < argc; i++)
		words[count++] = argv[i];
	words[count] = NULL;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			return verbs[i].run(count, words);
	return argv[1][0] == '-' ? command_bad_option(COMMAND_USAGE, argv[0], argv[1])
				 : command_bad_word(argv[0], argv[1], "verify tail prove");
}
