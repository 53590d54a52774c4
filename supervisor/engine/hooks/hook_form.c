#include "supervisor/engine/hooks/hook_form.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/approvals/approval_told.h"

#define SHORT_COMMAND_MAX 1000 /* bytes of a command that is too long, to know it by */
#define TEXT_MAX          (4 * 1024 * 1024)

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static bool asks(const struct hook_form *form)
{
	return strcmp(form->event, "approval.requested") == 0;
}

/* Takes value. */
static int put(struct buf *out, json_t *value)
{
	char *cleanup_free text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return text ? buf_text(out, text) : -ENOMEM;
}

/* ---- what a question says ------------------------------------------------------------------- */

/* A copy whose arguments are escaped, with the nonce. */
static json_t *whole_of(const struct hook_form *form)
{
	json_t *told = json_copy((json_t *)form->data);
	json_t *arguments = approval_escaped(json_object_get(form->data, "arguments"));

	if (!told || json_object_set_new(told, "arguments", arguments) ||
	    json_object_set_new(told, "nonce", json_string(form->nonce)) ||
	    json_object_set_new(told, "answer_url", json_string(form->answer_url)) ||
	    json_object_set_new(told, "page_url", json_string(form->page_url))) {
		json_decref(told);
		return NULL;
	}
	return told;
}

/* What is said twice goes first. */
static void leave_out_repeats(json_t *told)
{
	static const char *const repeats[] = {"prompt", "argv", "limits", "votes", "channels"};

	for (size_t i = 0; i < sizeof(repeats) / sizeof(repeats[0]); i++)
		(void)json_object_del(told, repeats[i]);
}

/* The first bytes of a text, whole characters, and how many are missing. */
static json_t *cut(const char *text)
{
	size_t len = strlen(text), keep = SHORT_COMMAND_MAX;

	if (len <= keep)
		return json_string(text);
	while (keep > 0 && (text[keep] & 0xc0) == 0x80)
		keep--;
	return json_sprintf("%.*s [... %zu more bytes are not shown]", (int)keep, text, len - keep);
}

/* Something to know a question by that does not fit; nothing to answer it with. */
static json_t *short_of(const struct hook_form *form)
{
	static const char *const kept[] = {"id", "plan", "tool", "agent", "namespace", "principal",
	    "host", "expires", "state", "warning"};
	json_t *told = json_pack("{s:b, s:o, s:s, s:s}", "too_long", 1, "command",
	    cut(string_of(form->data, "command")), "note",
	    "too long to approve here: it would not be shown whole. Answer it with `callgate "
	    "watch`, or on the approvals page",
	    "page_url", form->page_url);

	for (size_t i = 0; told && i < sizeof(kept) / sizeof(kept[0]); i++)
		(void)json_object_set(told, kept[i], json_object_get(form->data, kept[i]));
	return told;
}

/* ---- Standard Webhooks, GitHub, plain JSON -------------------------------------------------- */

/* The envelope. Takes data. */
static json_t *enveloped(const struct hook_form *form, json_t *data)
{
	char stamp[CLOCK_STAMP_MAX];

	(void)clock_stamp(stamp, form->wall_us);
	if (form->type == CHANNEL_STANDARD)
		return json_pack(
		    "{s:s, s:s, s:o}", "type", form->event, "timestamp", stamp, "data", data);
	if (form->type == CHANNEL_GITHUB)
		return json_pack("{s:s, s:s, s:I, s:o}", "type", form->event, "id", form->id,
		    "timestamp", (json_int_t)(form->wall_us / 1000000), "data", data);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:O?, s:s, s:o}", "event", form->event,
	    "timestamp", stamp, "tool_name", string_of(data, "tool"), "agent",
	    string_of(data, "agent"), "session_id", string_of(data, "principal"), "parameters",
	    json_object_get(data, "arguments"), "approval", string_of(data, "id"), "data", data);
}

static int put_enveloped(struct buf *out, const struct hook_form *form, json_t *data)
{
	return data ? put(out, enveloped(form, data)) : -ENOMEM;
}

static int json_ask(struct buf *out, const struct hook_form *form, bool *ret_whole)
{
	json_t *data = whole_of(form);
	int fault;

	json_incref(data);
	fault = put_enveloped(out, form, data);
	if (!fault && out->len > HOOK_BODY_MAX) {
		buf_reset(out);
		leave_out_repeats(data);
		json_incref(data);
		fault = put_enveloped(out, form, data);
	}
	json_decref(data);
	*ret_whole = !fault && out->len <= HOOK_BODY_MAX;
	if (fault || *ret_whole)
		return fault;
	buf_reset(out);
	return put_enveloped(out, form, short_of(form));
}

/* ---- for people: Slack and ntfy ------------------------------------------------------------- */

static int people_text(struct buf *text, const struct hook_form *form, bool *ret_whole)
{
	json_t *told = asks(form) ? whole_of(form) : json_incref((json_t *)form->data);
	int fault = told ? 0 : -ENOMEM;

	*ret_whole = asks(form);
	if (!fault && asks(form))
		fault = hook_form_text(text, told);
	else if (!fault)
		fault = buf_text(text, string_of(told, "text"));
	json_decref(told);
	return fault;
}

static int short_text(struct buf *text, const struct hook_form *form)
{
	json_t *told = short_of(form);
	int fault = told ? 0 : -ENOMEM;

	buf_reset(text);
	if (!fault) {
		buf_textf(text, "%s\n", string_of(told, "note"));
		fault = hook_form_text(text, told);
	}
	json_decref(told);
	return fault;
}

static json_t *slack_button(const char *action, const char *words, const struct hook_form *form)
{
	json_t *value =
	    json_pack("{s:s, s:s}", "approval", string_of(form->data, "id"), "nonce", form->nonce);
	char *cleanup_free text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return json_pack("{s:s, s:s, s:s, s:{s:s, s:s}}", "type", "button", "action_id", action,
	    "value", text ? text : "", "text", "type", "plain_text", "text", words);
}

static json_t *slack_buttons(const struct hook_form *form)
{
	json_t *elements = json_array(), *scope;
	size_t i;

	json_array_foreach(json_object_get(form->data, "scopes"), i, scope)
	{
		const char *name = json_string_value(scope);

		if (name && !strcmp(name, "session"))
			(void)json_array_append_new(elements,
			    slack_button("callgate_approve_session", "Approve for session", form));
		else if (name && !strcmp(name, "always"))
			(void)json_array_append_new(elements,
			    slack_button("callgate_approve_always", "Approve always", form));
		else
			(void)json_array_append_new(
			    elements, slack_button("callgate_approve_once", "Approve once", form));
	}
	(void)json_array_append_new(elements, slack_button("callgate_deny", "Deny", form));
	return json_pack(
	    "{s:s, s:s, s:o}", "type", "actions", "block_id", "callgate", "elements", elements);
}

/* The most of the text that fits into one block once it is escaped, whole characters. */
static size_t slack_piece(const char *text, size_t left)
{
	size_t took = 0, cost = 0;

	while (took < left) {
		char c = text[took];
		size_t more = c == '`' ? 6 : c == '&' ? 5 : c == '<' || c == '>' ? 4 : 1;

		if (cost + more > HOOK_BLOCK_MAX)
			break;
		cost += more;
		took++;
	}
	while (took < left && took > 1 && (text[took] & 0xc0) == 0x80)
		took--;
	return took;
}

/* NULL: out of memory. *ret_count: blocks. */
static json_t *slack_blocks(const struct buf *text, size_t *ret_count)
{
	const char *at = (const char *)text->data;
	json_t *blocks = json_array();
	size_t left = text->len;

	*ret_count = 0;
	while (left > 0 && blocks) {
		struct buf cleanup_with(buf_fini) piece = {0};
		size_t len = slack_piece(at, left);

		buf_init(&piece, 2 * HOOK_BLOCK_MAX);
		buf_text(&piece, "```");
		(void)hook_form_slack(&piece, at, len);
		buf_text(&piece, "```");
		if (json_array_append_new(
			blocks, json_pack("{s:s, s:{s:s, s:s%}}", "type", "section", "text", "type",
				    "mrkdwn", "text", (const char *)piece.data, piece.len))) {
			json_decref(blocks);
			return NULL;
		}
		at += len;
		left -= len;
		(*ret_count)++;
	}
	return blocks;
}

static int slack_put(
    struct buf *out, const struct hook_form *form, const struct buf *text, bool *whole)
{
	static const char asked[] = "callgate: a tool call waits for approval";
	static const char other[] = "callgate: about approvals";
	size_t count = 0;
	json_t *blocks = slack_blocks(text, &count);

	if (!blocks)
		return -ENOMEM;
	*whole = *whole && count <= HOOK_BLOCKS_MAX;
	if (*whole)
		(void)json_array_append_new(blocks, slack_buttons(form));
	return put(
	    out, json_pack("{s:s, s:o}", "text", asks(form) ? asked : other, "blocks", blocks));
}

static int slack_body(struct buf *out, const struct hook_form *form, bool *ret_whole)
{
	struct buf cleanup_with(buf_fini) text = {0};
	int fault;

	buf_init(&text, TEXT_MAX);
	fault = people_text(&text, form, ret_whole);
	if (!fault)
		fault = slack_put(out, form, &text, ret_whole);
	if (fault || !asks(form) || (*ret_whole && out->len <= HOOK_BODY_MAX))
		return fault;
	*ret_whole = false;
	buf_reset(out);
	fault = short_text(&text, form);
	return fault ? fault : slack_put(out, form, &text, ret_whole);
}

static json_t *ntfy_button(const struct hook_form *form, const char *label, const char *decision)
{
	json_t *answer = json_pack("{s:s, s:s, s:s}", "approval", string_of(form->data, "id"),
	    "nonce", form->nonce, "decision", decision);
	char *cleanup_free body = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	json_decref(answer);
	return json_pack("{s:s, s:s, s:s, s:s, s:{s:s}, s:s, s:b}", "action", "http", "label",
	    label, "url", form->answer_url, "method", "POST", "headers", "Content-Type",
	    "application/json", "body", body ? body : "", "clear", 1);
}

/* At most three: ntfy shows no more. */
static json_t *ntfy_buttons(const struct hook_form *form, bool whole)
{
	json_t *actions = json_array();

	if (whole && form->answer_url[0]) {
		(void)json_array_append_new(actions, ntfy_button(form, "Approve once", "approve"));
		(void)json_array_append_new(actions, ntfy_button(form, "Deny", "deny"));
	}
	if (form->page_url[0])
		(void)json_array_append_new(actions, json_pack("{s:s, s:s, s:s}", "action", "view",
							 "label", "Open", "url", form->page_url));
	return actions;
}

static int ntfy_body(struct buf *out, const struct hook_form *form, bool *ret_whole)
{
	struct buf cleanup_with(buf_fini) text = {0};
	int fault;

	buf_init(&text, TEXT_MAX);
	fault = people_text(&text, form, ret_whole);
	if (!fault && asks(form) && text.len > HOOK_NTFY_MAX) {
		*ret_whole = false;
		fault = short_text(&text, form);
	}
	if (fault)
		return fault;
	return put(
	    out, json_pack("{s:s, s:s, s:s%, s:i, s:o}", "topic", form->topic, "title",
		     asks(form) ? "callgate: approve a tool call?" : "callgate: about approvals",
		     "message", (const char *)text.data, text.len, "priority", asks(form) ? 4 : 3,
		     "actions", ntfy_buttons(form, *ret_whole)));
}

int hook_form_body(struct buf *out, const struct hook_form *form, bool *ret_whole)
{
	*ret_whole = false;
	switch (form->type) {
	case CHANNEL_SLACK: return slack_body(out, form, ret_whole);
	case CHANNEL_NTFY: return ntfy_body(out, form, ret_whole);
	case CHANNEL_STANDARD:
	case CHANNEL_GITHUB:
	case CHANNEL_JSON:
		return asks(form) ? json_ask(out, form, ret_whole)
				  : put_enveloped(out, form, json_incref((json_t *)form->data));
	case CHANNEL_NONE:
	case CHANNEL_TYPE_COUNT: break;
	}
	return -EINVAL;
}
