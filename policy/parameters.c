#include "policy/parameters.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/handlers.h"
#include "policy/schema.h"

/* An untyped command's, as DESIGN 5.2 has them. */
static const char *const command_parameters[] = {"command", "argv", "stdin", "cwd", NULL};

static int take_required(struct parameters *parameters)
{
	const json_t *list = json_object_get(parameters->schema, "required");
	const json_t *name;
	size_t i;

	parameters->required = json_object();
	if (!parameters->required)
		return -ENOMEM;
	json_array_foreach(list, i, name)
	{
		if (json_object_set_new(parameters->required, json_string_value(name), json_true()))
			return -ENOMEM;
	}
	return 0;
}

int parameters_init(struct parameters *parameters, const struct policy_tool *tool)
{
	const struct handler *handler =
	    tool->handler ? handler_by_id((unsigned)tool->handler) : NULL;
	const char *text = handler ? handler->parameters : tool->parameters;

	*parameters = (struct parameters){NULL};
	if (!text[0])
		return 0;
	parameters->schema = json_loads(text, 0, NULL);
	return parameters->schema ? take_required(parameters) : -EINVAL;
}

void parameters_fini(struct parameters *parameters)
{
	json_decref(parameters->schema);
	json_decref(parameters->required);
	*parameters = (struct parameters){NULL};
}

static json_t *property(const struct parameters *parameters, const char *name)
{
	return json_object_get(json_object_get(parameters->schema, "properties"), name);
}

bool parameters_have(const struct parameters *parameters, const char *name)
{
	if (parameters->schema)
		return property(parameters, name);
	for (size_t i = 0; command_parameters[i]; i++) {
		if (!strcmp(command_parameters[i], name))
			return true;
	}
	return false;
}

static bool holds_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
	{
		if (json_is_string(item) && !strcmp(json_string_value(item), text))
			return true;
	}
	return false;
}

bool parameters_always(const struct parameters *parameters, const char *name)
{
	return json_object_get(property(parameters, name), "default") ||
	       json_object_get(parameters->required, name);
}

bool parameters_may_be(const struct parameters *parameters, const char *name, const char *type)
{
	const json_t *said = json_object_get(property(parameters, name), "type");

	if (json_is_string(said))
		return !strcmp(json_string_value(said), type);
	return holds_text(said, type);
}

static bool says_path(const json_t *schema)
{
	const char *format = json_string_value(json_object_get(schema, "format"));

	return format && !strcmp(format, "workspace-path");
}

static size_t count_paths(const json_t *value)
{
	size_t count = says_path(value), i;
	const char *name;
	json_t *item;

	json_array_foreach(value, i, item) count += count_paths(item);
	json_object_foreach((json_t *)(uintptr_t)value, name, item) count += count_paths(item);
	return count;
}

bool parameters_paths_seen(const struct parameters *parameters)
{
	size_t seen = 0;
	const char *name;
	json_t *schema;

	json_object_foreach(json_object_get(parameters->schema, "properties"), name, schema) seen +=
	    says_path(schema) + says_path(json_object_get(schema, "items"));
	return seen == count_paths(parameters->schema);
}

/* ---- advice ------------------------------------------------------------------------------- */

struct advice {
	const char *wanted;
	const char *close; /* NULL: none is */
	char *out;
	size_t used;
};

static void offer(struct advice *advice, const char *name)
{
	if (!advice->close && schema_is_close(advice->wanted, name))
		advice->close = name;
	if (advice->used + strlen(name) + 3 < PARAMETER_ADVICE_MAX)
		advice->used += (size_t)snprintf(advice->out + advice->used,
		    PARAMETER_ADVICE_MAX - advice->used, advice->used ? ", %s" : "the tool has %s",
		    name);
}

const char *parameters_advice(
    const struct parameters *parameters, const char *name, char out[PARAMETER_ADVICE_MAX])
{
	struct advice advice = {.wanted = name, .out = out};
	json_t *properties = json_object_get(parameters->schema, "properties");
	const char *known;
	json_t *value;

	json_object_foreach(properties, known, value) offer(&advice, known);
	for (size_t i = 0; !parameters->schema && command_parameters[i]; i++)
		offer(&advice, command_parameters[i]);
	if (advice.close)
		snprintf(out, PARAMETER_ADVICE_MAX, "did you mean %.120s?", advice.close);
	else if (!advice.used)
		snprintf(out, PARAMETER_ADVICE_MAX, "the tool has no parameter");
	return out;
}
