#include "supervisor/identity/json_text.h"

#include <errno.h>
#include <stdbool.h>

/* Counts without understanding: what is not JSON is left to the parser to refuse. */
static int count(const char *text, size_t len, const struct json_limits *limits)
{
	size_t values = 0;
	size_t depth = 0;
	bool quoted = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (quoted) {
			if (c == '\\')
				i++;
			else if (c == '"')
				quoted = false;
			continue;
		}
		if (c == '"')
			quoted = true;
		else if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && depth > 0)
			depth--;
		if (c == ',' || c == '{' || c == '[')
			values++;
		if (depth > limits->depth || values > limits->values)
			return -EMSGSIZE;
	}
	return 0;
}

int json_text_object(json_t **ret, const void *text, size_t len, const struct json_limits *limits)
{
	json_t *root;
	int fault;

	if (len > limits->bytes)
		return -EMSGSIZE;
	fault = count(text, len, limits);
	if (fault)
		return fault;
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(root)) {
		json_decref(root);
		return -EBADMSG;
	}
	*ret = root;
	return 0;
}
