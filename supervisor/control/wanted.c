#include "supervisor/control/wanted.h"

#include <stdio.h>

#include "supervisor/base/str.h"
#include "supervisor/control/command.h"

static const struct {
	const char *option, *member;
} lists[] = {
    {"--role", "roles"},
    {"--tool", "tools"},
    {"--agent", "agents"},
    {"--namespace", "namespaces"},
    {"--permission", "permissions"},
};

/* 0 or COMMAND_USAGE. */
static int take_list(int *argc, char **argv, const char *option, json_t *list)
{
	const char *value;

	while ((value = command_take_option(argc, argv, option)) != NULL) {
		if (!*value)
			return command_fail(
			    COMMAND_USAGE, "%s: an empty value; name one thing each", option);
		if (json_array_append_new(list, json_string(value)) != 0)
			return command_fail(COMMAND_USAGE, "%s %s: not valid UTF-8", option, value);
	}
	return 0;
}

json_t *wanted_take(int *argc, char **argv)
{
	json_t *wanted = json_object();

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		json_t *list = json_array();

		if (json_object_set_new(wanted, lists[i].member, list) != 0 ||
		    take_list(argc, argv, lists[i].option, list) != 0) {
			json_decref(wanted);
			return NULL;
		}
	}
	return wanted;
}

int wanted_seconds(const char *option, const char *text, uint64_t *ret_s)
{
	uint64_t ms;

	if (str_duration_ms(text, &ms) != 0 || ms < 1000)
		return command_fail(COMMAND_USAGE,
		    "%s %s: not a time of at least a second; write 90s, 30m, 12h or 30d", option,
		    text);
	*ret_s = ms / 1000;
	return 0;
}

int wanted_print_secret(int as_json, const json_t *answer, const char *member)
{
	const char *secret = command_text_of(answer, member);

	if (!secret[0])
		return command_fail(COMMAND_USAGE,
		    "the daemon sent no %s; are both programs of one version?", member);
	if (as_json)
		return command_print_json(answer);
	command_print_escaped(secret);
	putchar('\n');
	return COMMAND_OK;
}
