#include "agent-api/http/head.h"

#include <string.h>
#include <strings.h>

static const char *const method_names[HTTP_METHOD_COUNT] = {
    [HTTP_METHOD_NONE] = "",
    [HTTP_METHOD_GET] = "GET",
    [HTTP_METHOD_HEAD] = "HEAD",
    [HTTP_METHOD_POST] = "POST",
    [HTTP_METHOD_PUT] = "PUT",
    [HTTP_METHOD_PATCH] = "PATCH",
    [HTTP_METHOD_DELETE] = "DELETE",
    [HTTP_METHOD_OPTIONS] = "OPTIONS",
};

const char *http_method_name(enum http_method method)
{
	return method < HTTP_METHOD_COUNT ? method_names[method] : "";
}

enum http_method http_method_of(struct http_text name)
{
	for (int i = 1; i < HTTP_METHOD_COUNT; i++) {
		if (strlen(method_names[i]) == name.len &&
		    memcmp(method_names[i], name.at, name.len) == 0)
			return (enum http_method)i;
	}
	return HTTP_METHOD_NONE;
}

/* ---- text ------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct http_text http_text_trim(struct http_text text)
{
	while (text.len > 0 && is_blank(text.at[0])) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && is_blank(text.at[text.len - 1]))
		text.len--;
	return text;
}

bool http_text_same(struct http_text a, struct http_text b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.at, b.at, a.len) == 0);
}

bool http_text_is(struct http_text text, const char *word)
{
	return http_text_same(text, (struct http_text){word, strlen(word)});
}

bool http_text_next(struct http_text *list, struct http_text *ret_element)
{
	while (list->len > 0) {
		const char *comma = memchr(list->at, ',', list->len);
		size_t len = comma ? (size_t)(comma - list->at) : list->len;
		struct http_text element = http_text_trim((struct http_text){list->at, len});

		list->at += len + (comma != NULL);
		list->len -= len + (comma != NULL);
		if (element.len > 0) {
			*ret_element = element;
			return true;
		}
	}
	return false;
}

bool http_text_has_token(struct http_text list, const char *token)
{
	struct http_text element;

	while (http_text_next(&list, &element)) {
		if (http_text_is(element, token))
			return true;
	}
	return false;
}

static bool is_token_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

bool http_is_token(struct http_text text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_token_byte(text.at[i]))
			return false;
	}
	return text.len > 0;
}

/* ---- lines ------------------------------------------------------------------------------ */

struct http_text http_line_name(const struct http_head *head, size_t index)
{
	const struct http_line *line = &head->lines[index];

	return (struct http_text){head->block + line->name, line->name_len};
}

struct http_text http_line_value(const struct http_head *head, size_t index)
{
	const struct http_line *line = &head->lines[index];

	return (struct http_text){head->block + line->value, line->value_len};
}

bool http_head_next(
    const struct http_head *head, const char *name, size_t *index, struct http_text *ret_value)
{
	while (*index < head->count) {
		size_t at = (*index)++;

		if (http_text_is(http_line_name(head, at), name)) {
			*ret_value = http_line_value(head, at);
			return true;
		}
	}
	return false;
}

enum http_found http_head_find(
    const struct http_head *head, const char *name, struct http_text *ret_value)
{
	struct http_text second;
	size_t index = 0;

	*ret_value = (struct http_text){"", 0};
	if (!http_head_next(head, name, &index, ret_value))
		return HTTP_FOUND_NONE;
	if (!http_head_next(head, name, &index, &second))
		return HTTP_FOUND_ONE;
	*ret_value = (struct http_text){"", 0};
	return HTTP_FOUND_MANY;
}
