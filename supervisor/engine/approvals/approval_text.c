#include "supervisor/engine/approvals/approval_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/script.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/effects/effect_told.h"

#define DETAILS_TEXT_MAX (1024 * 1024) /* a list with it still fits into one answer */
#define COMMAND_TEXT_MAX (512 * 1024)  /* an argv of 48 KiB, each byte escaped */
#define WARNING_TEXT_MAX 2048

char *approval_command(const struct call *call)
{
	struct buf cleanup_with(buf_fini) text = {0};
	const char *line;

	buf_init(&text, COMMAND_TEXT_MAX);
	for (uint32_t i = 0; i < call->command.argc; i++) {
		if (i > 0)
			(void)buf_text(&text, " ");
		(void)str_quote(&text, call->command.argv[i]);
	}
	line = buf_cstr(&text);
	return line ? strdup(line) : NULL;
}

char *approval_prompt(const char *prompt, const char *command)
{
	static const char mark[] = "{command}";
	struct buf cleanup_with(buf_fini) text = {0};
	const char *at, *line;

	buf_init(&text, 2 * COMMAND_TEXT_MAX);
	while ((at = strstr(prompt, mark))) {
		(void)str_escape(&text, prompt, (size_t)(at - prompt));
		(void)buf_text(&text, command);
		prompt = at + strlen(mark);
	}
	(void)str_escape(&text, prompt, strlen(prompt));
	line = buf_cstr(&text);
	return line ? strdup(line) : NULL;
}

static int put_details(struct buf *text, const struct call *call, char **ret)
{
	char *cleanup_free arguments = NULL;
	const char *all;

	(void)buf_text(text, call->plan_text);
	if (call->stdin_kind == STDIN_SEALED) {
		arguments = json_dumps(call->arguments, JSON_COMPACT | JSON_SORT_KEYS);
		if (!arguments)
			return -ENOMEM;
		(void)buf_text(text, "arguments   ");
		(void)str_escape(text, arguments, strlen(arguments));
		(void)buf_text(text, "\n");
	}
	all = buf_cstr(text);
	if (text->fault == -ENOBUFS)
		return -E2BIG;
	*ret = all ? strdup(all) : NULL;
	return *ret ? 0 : -ENOMEM;
}

int approval_details(const struct call *call, char **ret)
{
	struct buf cleanup_with(buf_fini) text = {0};

	buf_init(&text, DETAILS_TEXT_MAX);
	return put_details(&text, call, ret);
}

int approval_effects_details(const struct call *call, const struct effects *effects, char **ret)
{
	struct buf cleanup_with(buf_fini) text = {0};

	buf_init(&text, DETAILS_TEXT_MAX);
	(void)effect_told_text(&text, effects);
	(void)buf_text(&text, "\n");
	return put_details(&text, call, ret);
}

/* Every text that the caller gave, names of members, too: each is looked at by itself. */
static void look(struct script_mix *mix, const json_t *value)
{
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_string(value))
		script_look(mix, json_string_value(value), json_string_length(value));
	json_array_foreach(value, i, inner)
	{
		look(mix, inner);
	}
	json_object_foreach((json_t *)value, key, inner)
	{
		script_look(mix, key, strlen(key));
		look(mix, inner);
	}
}

char *approval_warning(const struct call *call)
{
	struct buf cleanup_with(buf_fini) text = {0};
	struct script_mix mix = {0};
	const char *line;

	look(&mix, call->arguments);
	if (mix.count == 0)
		return strdup("");
	buf_init(&text, WARNING_TEXT_MAX);
	(void)script_tell(&text, &mix);
	line = buf_cstr(&text);
	return line ? strdup(line) : NULL;
}
