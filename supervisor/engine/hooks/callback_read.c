#include "supervisor/engine/hooks/callback_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/hooks/hook_form.h"

#define FORM_PREFIX "payload="

void callback_body_fini(struct callback_body *body)
{
	json_decref(body->root);
	json_decref(body->more);
	body->root = body->more = NULL;
}

/* 0 and the text ("" where it may be absent and is), or -EINVAL. */
static int read_text(const json_t *object, const char *key, bool needed, const char **ret)
{
	const json_t *value = json_object_get(object, key);

	*ret = json_is_string(value) ? json_string_value(value) : "";
	return (value && !json_is_string(value)) || (needed && !**ret) ? -EINVAL : 0;
}

static int refuse_unknown(const json_t *object, const char *const *known, struct err_note *note)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		const char *const *at = known;

		while (*at && strcmp(*at, key) != 0)
			at++;
		if (!*at)
			return err_note(note, -EINVAL, "%s: not part of an answer", key);
	}
	return 0;
}

static int read_decision(
    struct channel_answer *answer, const char *decision, const char *scope, struct err_note *note)
{
	answer->approve = strcmp(decision, "approve") == 0;
	if (!answer->approve && strcmp(decision, "deny") != 0)
		return err_note(note, -EINVAL, "decision: approve or deny is needed");
	answer->scope = scope[0] ? grant_scope(scope) : GRANT_ONCE;
	if (!answer->scope)
		return err_note(note, -EINVAL, "scope: once, session or always is needed");
	return 0;
}

static int read_json(struct callback_body *body, struct err_note *note)
{
	static const char *const known[] = {"approval", "nonce", "decision", "scope", "reason",
	    "approver", "id", "timestamp", NULL};
	const json_t *root = body->root, *time = json_object_get(root, "timestamp");
	struct channel_answer *answer = &body->answer;
	const char *decision, *scope;

	if (refuse_unknown(root, known, note))
		return -EINVAL;
	if (read_text(root, "approval", true, &answer->approval) ||
	    read_text(root, "nonce", true, &answer->nonce) ||
	    read_text(root, "decision", true, &decision) ||
	    read_text(root, "scope", false, &scope) ||
	    read_text(root, "reason", false, &answer->reason) ||
	    read_text(root, "approver", false, &answer->claimed) ||
	    read_text(root, "id", false, &body->id))
		return err_note(note, -EINVAL,
		    "approval, nonce and decision are needed, as texts; scope, reason, approver "
		    "and id may be there");
	if (time && (!json_is_integer(time) || json_integer_value(time) < 0))
		return err_note(note, -EINVAL, "timestamp: seconds since 1970 are needed");
	body->has_time = time != NULL;
	body->time_s = (uint64_t)json_integer_value(time);
	if (strlen(answer->reason) >= APPROVAL_REASON_MAX)
		return err_note(note, -EINVAL, "reason: a text of less than 512 bytes is needed");
	return read_decision(answer, decision, scope, note);
}

/* ---- Slack ---------------------------------------------------------------------------------- */

/* One field of a form, and no other. 0 and its bytes; -EINVAL. */
static int read_form(struct buf *out, struct callback_text form)
{
	size_t at = strlen(FORM_PREFIX);
	uint8_t byte;
	char hex[3] = "";

	if (form.len < at || memcmp(form.text, FORM_PREFIX, at) != 0)
		return -EINVAL;
	for (; at < form.len; at++) {
		char c = form.text[at];

		if (c == '&' || (c == '%' && form.len - at < 3))
			return -EINVAL;
		if (c == '%') {
			memcpy(hex, &form.text[at + 1], 2);
			if (str_unhex(&byte, 1, hex) || byte == 0)
				return -EINVAL;
			buf_put(out, &byte, 1);
			at += 2;
		} else {
			buf_put(out, c == '+' ? " " : &c, 1);
		}
	}
	return out->fault ? -EINVAL : 0;
}

static const struct {
	const char *id, *decision, *scope;
} actions[] = {
    {"callgate_approve_once", "approve", "once"},
    {"callgate_approve_session", "approve", "session"},
    {"callgate_approve_always", "approve", "always"},
    {"callgate_deny", "deny", "once"},
};

static int read_action(struct callback_body *body, const json_t *action, struct err_note *note)
{
	static const char *const known[] = {"approval", "nonce", NULL};
	const char *id = json_string_value(json_object_get(action, "action_id"));
	const json_t *value = json_object_get(action, "value");

	if (!id || !json_is_string(value) ||
	    value_read(json_string_value(value), json_string_length(value), &body->more, note) ||
	    !json_is_object(body->more) || refuse_unknown(body->more, known, note) ||
	    read_text(body->more, "approval", true, &body->answer.approval) ||
	    read_text(body->more, "nonce", true, &body->answer.nonce))
		return err_note(note, -EINVAL, "payload: not a button of ours");
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(actions[i].id, id) == 0)
			return read_decision(
			    &body->answer, actions[i].decision, actions[i].scope, note);
	return err_note(note, -EINVAL, "payload: not an action of ours");
}

/* {type: block_actions, user: {id, username}, actions: [one]} of Slack's making. */
static int read_slack(struct callback_body *body, struct err_note *note)
{
	const json_t *pressed = json_object_get(body->root, "actions");
	const json_t *user = json_object_get(body->root, "user");
	const char *type = json_string_value(json_object_get(body->root, "type"));
	const char *id = json_string_value(json_object_get(user, "id"));
	const char *name = json_string_value(json_object_get(user, "username"));

	if (!type || strcmp(type, "block_actions") != 0 || !json_is_array(pressed) ||
	    json_array_size(pressed) != 1)
		return err_note(note, -EINVAL, "payload: one pressed button is needed");
	(void)snprintf(
	    body->claimed, sizeof(body->claimed), "slack:%s %s", id ? id : "?", name ? name : "");
	body->answer.claimed = body->claimed;
	return read_action(body, json_array_get(pressed, 0), note);
}

int callback_read(struct callback_body *ret, enum channel_type type, struct callback_text text,
    struct err_note *note)
{
	struct buf cleanup_with(buf_fini) form = {0};
	int fault;

	*ret = (struct callback_body){.id = ""};
	ret->answer.reason = ret->answer.claimed = "";
	if (type == CHANNEL_SLACK) {
		buf_init(&form, text.len + 1);
		if (read_form(&form, text))
			return err_note(note, -EINVAL, "a form with payload alone is needed");
		text = (struct callback_text){(const char *)form.data, form.len};
	}
	fault = value_read(text.len ? text.text : "", text.len, &ret->root, note);
	if (fault)
		return fault;
	if (!json_is_object(ret->root))
		return err_note(note, -EINVAL, "an object is needed");
	return type == CHANNEL_SLACK ? read_slack(ret, note) : read_json(ret, note);
}
