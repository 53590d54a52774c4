#include "policy/template.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define NAME_BYTES 128

/* The words so far: one text, its pieces ended by NUL, and where each begins. */
struct filling {
	const json_t *arguments;
	struct err_note *note;
	struct buf text;
	uint32_t count;
	bool options_ended; /* a literal "--" came before */
};

bool template_holds(const json_t *arguments, const char *parameter)
{
	const json_t *value = json_object_get(arguments, parameter);

	return value && !json_is_null(value) && !json_is_false(value);
}

static int refuse(struct filling *filling, const char *parameter, const char *why)
{
	(void)err_note(filling->note, 0, "arguments.%s: %s", parameter, why);
	return TEMPLATE_REFUSED;
}

/* A value as the text of an argument: no container, and no number in another than its own form. */
static int put_value(struct filling *filling, const char *parameter, const json_t *value)
{
	struct buf *out = &filling->text;

	switch (value ? json_typeof(value) : JSON_NULL) {
	case JSON_STRING:
		if (strlen(json_string_value(value)) != json_string_length(value))
			return refuse(filling, parameter, "holds a NUL byte; remove it");
		return buf_text(out, json_string_value(value));
	case JSON_INTEGER:
		return buf_textf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL: return buf_textf(out, "%.17g", json_real_value(value));
	case JSON_TRUE: return buf_text(out, "true");
	case JSON_FALSE: return buf_text(out, "false");
	case JSON_NULL: return refuse(filling, parameter, "is missing; give a value");
	case JSON_OBJECT:
	case JSON_ARRAY: break;
	}
	return refuse(filling, parameter, "is no text or number; it cannot become one argument");
}

static int put_placeholder(struct filling *filling, const char *name, size_t len)
{
	char parameter[NAME_BYTES];

	if (len >= sizeof(parameter))
		return refuse(filling, "?", "a parameter of a name that long cannot be");
	memcpy(parameter, name, len);
	parameter[len] = '\0';
	return put_value(filling, parameter, json_object_get(filling->arguments, parameter));
}

/* {{ and }} stand for themselves; the loader has seen to it that every other brace has its pair. */
static int put_text(struct filling *filling, const char *text)
{
	int fault = 0;

	while (*text && !fault) {
		size_t plain = strcspn(text, "{}");

		fault = buf_put(&filling->text, text, plain);
		text += plain;
		if (fault || !*text)
			break;
		if (text[1] == text[0]) {
			fault = buf_put(&filling->text, text, 1);
			text += 2;
		} else {
			size_t len = strcspn(text + 1, "}");

			fault = put_placeholder(filling, text + 1, len);
			text += len + 1 + (text[len + 1] == '}');
		}
	}
	return fault;
}

/* A value that begins with "-" would be an option that the policy does not know of. start: where
 * the argument begins; written: the element's text in the policy. */
static int end_argument(
    struct filling *filling, const struct policy_element *element, size_t start, bool literal)
{
	const char *argument;
	int fault = buf_put(&filling->text, "", 1);

	if (fault)
		return fault;
	argument = (const char *)filling->text.data + start;
	if (argument[0] == '-' && !literal && !element->dash && !filling->options_ended) {
		(void)err_note(filling->note, 0,
		    "arguments: the value for '%.60s' starts with - and would be read as an "
		    "option; give another",
		    element->text);
		return TEMPLATE_REFUSED;
	}
	if (literal && !strcmp(argument, "--"))
		filling->options_ended = true;
	filling->count++;
	return 0;
}

static int fill_text(struct filling *filling, const struct policy_element *element)
{
	const char *text = element->text;
	bool literal = text[0] != '{' || text[1] == '{';
	size_t start = filling->text.len;
	int fault = put_text(filling, text);

	return fault ? fault : end_argument(filling, element, start, literal);
}

static int fill_each(struct filling *filling, const struct policy_element *element)
{
	const json_t *list = json_object_get(filling->arguments, element->text);
	const json_t *value;
	size_t index;

	if (!json_is_array(list))
		return refuse(filling, element->text, "is no list; give one");
	json_array_foreach(list, index, value)
	{
		size_t start = filling->text.len;
		int fault = put_value(filling, element->text, value);

		if (!fault)
			fault = end_argument(filling, element, start, false);
		if (fault)
			return fault;
	}
	return 0;
}

static int fill_element(struct filling *filling, const struct policy_element *element)
{
	if (element->condition[0] && !template_holds(filling->arguments, element->condition))
		return 0;
	switch (element->kind) {
	case ELEMENT_TEXT: return fill_text(filling, element);
	case ELEMENT_EACH: return fill_each(filling, element);
	case ELEMENT_NONE: break;
	}
	return -EINVAL;
}

static int give(struct filling *filling, struct command *ret)
{
	const char **cleanup_free argv = calloc(filling->count + 1u, sizeof(*argv));
	const char *at = (const char *)filling->text.data;
	int fault;

	if (!argv)
		return -ENOMEM;
	for (uint32_t i = 0; i < filling->count; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	fault = command_from_argv(ret, argv, filling->count);
	if (fault == -EINVAL || fault == -E2BIG) {
		(void)err_note(filling->note, 0, "arguments: %s",
		    ret->why ? ret->why : "more than a command may hold");
		return TEMPLATE_REFUSED;
	}
	return fault;
}

int template_fill(const struct policy_exec *exec, const json_t *arguments, struct command *ret,
    struct err_note *note)
{
	struct filling filling = {.arguments = arguments, .note = note, .count = 1};
	int fault;

	buf_init(&filling.text, COMMAND_BYTES_MAX);
	fault = buf_put(&filling.text, exec->program, strlen(exec->program) + 1);
	for (uint32_t i = 0; !fault && i < exec->element_count; i++)
		fault = fill_element(&filling, &exec->elements[i]);
	if (fault == -ENOBUFS)
		fault = refuse(&filling, "", "more than a command may hold");
	if (!fault)
		fault = give(&filling, ret);
	buf_fini(&filling.text);
	return fault;
}
