#include <errno.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/engine/hooks/hook_form.h"

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static void put_line(struct buf *out, const char *name, const char *text)
{
	if (text[0])
		buf_textf(out, "%s: %s\n", name, text);
}

static void put_json(struct buf *out, const char *name, const json_t *value)
{
	char *cleanup_free text =
	    value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;

	if (value && !text)
		out->fault = out->fault ? out->fault : -ENOMEM;
	put_line(out, name, text ? text : "");
}

static void put_who(struct buf *out, const json_t *question)
{
	const json_t *says = json_object_get(question, "agent_says");

	put_line(out, "tool", string_of(question, "tool"));
	put_line(out, "asked by", string_of(question, "principal"));
	put_line(out, "agent", string_of(question, "agent"));
	put_line(out, "namespace", string_of(question, "namespace"));
	put_line(out, "host", string_of(question, "host"));
	put_line(out, "directory", string_of(question, "cwd"));
	put_line(out, "rule", string_of(question, "rule"));
	put_line(out, "why it asks", string_of(question, "reason"));
	put_line(out, "the agent says (not to be trusted)", string_of(says, "text"));
}

int hook_form_text(struct buf *out, const json_t *question)
{
	put_line(out, "WARNING", string_of(question, "warning"));
	put_line(out, "command", string_of(question, "command"));
	put_who(out, question);
	put_line(out, "changes", string_of(question, "diff"));
	put_json(out, "arguments", json_object_get(question, "arguments"));
	put_json(out, "risk", json_object_get(question, "risk"));
	put_json(out, "walls", json_object_get(question, "walls"));
	put_json(out, "earlier answers", json_object_get(question, "earlier"));
	put_json(out, "scopes", json_object_get(question, "scope_words"));
	put_line(out, "plan", string_of(question, "plan"));
	put_line(out,
	    json_object_get(question, "effects") ? "what it changed, and what ran"
						 : "what would run",
	    string_of(question, "details"));
	put_line(out, "expires", string_of(question, "expires"));
	put_line(out, "approval", string_of(question, "id"));
	return out->fault;
}

/* Between two rows of three backticks nothing is markup but these. A backslash of the text is
 * doubled already, so \u{60} can only be a backtick. */
int hook_form_slack(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&': buf_text(out, "&amp;"); break;
		case '<': buf_text(out, "&lt;"); break;
		case '>': buf_text(out, "&gt;"); break;
		case '`': buf_text(out, "\\u{60}"); break;
		default: buf_put(out, &text[i], 1);
		}
	}
	return out->fault;
}

int hook_form_ntfy(const char *url, struct buf *out, const char **ret_topic)
{
	const char *host = strstr(url, "://");
	const char *slash = strrchr(url, '/');

	if (!host || !slash || slash < host + 3 || !slash[1] || strpbrk(slash, "?#"))
		return -EINVAL;
	*ret_topic = slash + 1;
	return buf_put(out, url, (size_t)(slash - url) + 1);
}
