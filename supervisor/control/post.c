#include "supervisor/control/post.h"

#include <errno.h>
#include <string.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/base/str.h"

#define PATIENCE_S      120
#define PATIENCE_LOAD_S 600 /* a policy is read, its programs hashed, its tests run */

static const char *text_in(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* A message that has an id and a method is waited for. */
static int note_request(struct post *post, const json_t *message)
{
	json_t *id = json_object_get(message, "id");

	if (!json_object_get(message, "method") || !id || json_is_null(id))
		return 0;
	return json_array_append(post->waits, id) == 0 ? 0 : -ENOMEM;
}

int post_read(struct post *post, const char *text, size_t len)
{
	const json_t *params;
	int result = 0;

	*post = (struct post){.method = "", .name = "", .version = "", .waits = json_array()};
	if (!post->waits)
		return -ENOMEM;
	post->message = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	result = note_request(post, post->message);
	for (size_t i = 0; result == 0 && i < json_array_size(post->message); i++)
		result = note_request(post, json_array_get(post->message, i));
	post->method = text_in(post->message, "method");
	params = json_object_get(post->message, "params");
	post->version = text_in(json_object_get(params, "_meta"), MCP_META_VERSION);
	post->name = text_in(params, strcmp(post->method, "resources/read") == 0 ? "uri" : "name");
	if (strcmp(post->method, "notifications/cancelled") == 0)
		post->cancels = json_object_get(params, "requestId");
	return result;
}

void post_fini(struct post *post)
{
	json_decref(post->message);
	json_decref(post->waits);
	*post = (struct post){.method = ""};
}

/* The place of the id among those that are waited for, or their number. */
static size_t find_wait(const struct post *post, const json_t *id)
{
	size_t i, count = json_array_size(post->waits);

	for (i = 0; i < count; i++)
		if (json_equal(json_array_get(post->waits, i), id))
			break;
	return i;
}

bool post_waits_for(const struct post *post, const json_t *id)
{
	return id && find_wait(post, id) < json_array_size(post->waits);
}

static bool take_one(struct post *post, json_t *message)
{
	json_t *id = json_object_get(message, "id");
	size_t i;

	if (!json_is_object(message))
		return false;
	if (json_object_get(message, "method"))
		return true; /* a notification, or a question to the client */
	if (!json_object_get(message, "result") == !json_object_get(message, "error"))
		return false;
	if ((!id || json_is_null(id)) && json_object_get(message, "error")) {
		if (json_array_size(post->waits) == 1 && !json_is_array(post->message))
			(void)json_object_set(message, "id", json_array_get(post->waits, 0));
		else
			return true; /* about the body as a whole */
	}
	i = find_wait(post, json_object_get(message, "id"));
	return i < json_array_size(post->waits) && json_array_remove(post->waits, i) == 0;
}

bool post_take(struct post *post, json_t *message)
{
	bool good = json_is_object(message) || json_array_size(message) > 0;

	if (!json_is_array(message))
		return take_one(post, message);
	for (size_t i = 0; i < json_array_size(message); i++)
		good = take_one(post, json_array_get(message, i)) && good;
	return good;
}

static bool is_plain(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return len > 0 && text[0] != ' ' && text[len - 1] != ' ' && strncmp(text, "=?", 2) != 0;
}

int post_put_value(struct buf *out, const char *text)
{
	if (is_plain(text))
		return buf_text(out, text);
	(void)buf_text(out, "=?base64?");
	(void)str_base64(out, text, strlen(text));
	return buf_text(out, "?=");
}

long post_patience(const char *method)
{
	static const struct {
		const char *method;
		long seconds;
	} rows[] = {
	    {"tools/call", 0},
	    {"subscriptions/listen", 0},
	    {"callgate/approvals/watch", 0},
	    {"callgate/reload", PATIENCE_LOAD_S},
	    {"callgate/config/write", PATIENCE_LOAD_S},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].method, method) == 0)
			return rows[i].seconds;
	return PATIENCE_S;
}
