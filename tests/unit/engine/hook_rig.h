/* A world with channels: what is sent to courier is caught, and answered by hand. */
#ifndef CALLGATE_TEST_ENGINE_HOOK_RIG_H
#define CALLGATE_TEST_ENGINE_HOOK_RIG_H

#include "tests/unit/engine/fakes.h"

#include <inttypes.h>

#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/hooks/callback.h"
#include "supervisor/engine/hooks/hook.h"
#include "supervisor/engine/hooks/hook_secret.h"
#include "supervisor/engine/hooks/hook_sign.h"

#define SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define LS     "{\"command\": \"ls\"}"

static const char hook_policy[] =
    "server:\n  socket: {path: callgate.sock}\n  url: https://gate.example\n"
    "approvals:\n  timeout: 10m\n  hold: 45s\n  channels:\n"
    "    ops: {type: standard, url: \"https://ops.example/hook\", secret_env: OPS, "
    "roles: [operator]}\n"
    "    hub: {type: github, url: \"https://hub.example/hook\", secret_env: HUB, "
    "roles: [operator]}\n"
    "    chat: {type: slack, url_env: CHAT_URL, secret_env: CHAT, roles: [operator]}\n"
    "    push: {type: ntfy, url: \"https://ntfy.example/team/topic\", roles: [operator]}\n"
    "    boss: {type: json, url: \"https://boss.example/ask\", roles: [operator]}\n"
    "    local: {type: json, url: \"http://127.0.0.1:9/ask\", roles: [operator]}\n"
    "    mute: {type: standard, url: \"https://mute.example/\", secret_env: OPS}\n"
    "    other: {type: standard, url: \"https://other.example/\", secret_env: OPS, "
    "roles: [operator], namespaces: [away]}\n"
    "roles:\n"
    "  developer: {tools: [\"*\"], permissions: [approvals:read]}\n"
    "  operator: {tools: [\"*\"], approve: [\"*\"], permissions: [approvals:read, "
    "approvals:decide]}\n"
    "principals:\n"
    "  - {peer_uid: 1000, roles: [developer]}\n"
    "  - {peer_uid: 1001, roles: [operator]}\n"
    "namespaces: {default: {working_directory: ./workspace}, away: {working_directory: ./away}}\n"
    "tools:\n"
    "  one:\n    type: command\n    working_directory: .\n    deny_by_default: true\n"
    "    allowed_commands: [ls, echo]\n    require_approval: true\n"
    "    approval: {channels: [terminal, ops]}\n"
    "  steps:\n    type: command\n    allowed_commands: [ls, echo]\n    require_approval: true\n"
    "    approval: {channels: [terminal, ops, hub], escalate_after: 2m}\n"
    "  hub_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [hub]}\n"
    "  chat_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [chat], grants: [once, always]}\n"
    "  push_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [push]}\n"
    "  boss_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [boss]}\n"
    "  local_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [local]}\n"
    "  mute_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [mute]}\n"
    "  away_only:\n    type: command\n    allowed_commands: [ls, echo]\n"
    "    require_approval: true\n    approval: {channels: [other, terminal]}\n"
    "  pair:\n    type: command\n    allowed_commands: [ls, echo]\n    require_approval: true\n"
    "    approval: {channels: [ops, boss, terminal], quorum: 2}\n"
    "  why:\n    type: command\n    allowed_commands: [ls, echo]\n    require_approval: true\n"
    "    approval: {channels: [ops], reason_required: true}\n"
    "  push_to:\n    type: command\n    description: Push\n"
    "    parameters: {type: object, additionalProperties: false, required: [branch], "
    "properties: {branch: {type: string, pattern: \"^[a-z/]+$\"}, force: {type: boolean}}}\n"
    "    exec: {program: git, argv: [push, \"{branch}\"]}\n"
    "    rules:\n"
    "      - {id: never, when: {branch: {const: prod}}, decision: deny, reason: no}\n"
    "      - {id: free, when: {branch: {pattern: \"^feature/\"}}, decision: allow}\n"
    "    approval: {channels: [terminal, ops], editable: [branch], reason_required: false}\n"
    "  push_pair:\n    type: command\n    description: Push\n"
    "    parameters: {type: object, additionalProperties: false, required: [branch], "
    "properties: {branch: {type: string}}}\n"
    "    exec: {program: git, argv: [push, \"{branch}\"]}\n    require_approval: true\n"
    "    approval: {channels: [terminal, ops], editable: [branch], quorum: 2}\n";

static inline int hook_setup(void **state)
{
	char lines[4][96] = {"OPS=" SECRET, "HUB=It's a Secret to Everybody",
	    "CHAT=8f742231b10e8888abcd99yyyzzz85a5", "CHAT_URL=https://chat.example/T0/B0/x"};
	const char *items[4] = {lines[0], lines[1], lines[2], lines[3]};
	const struct strv all = {items, 4};

	world_setup(state);
	world.rules = ruleset_drop(world.rules);
	world.rules = world_rules(hook_policy);
	assert_int_equal(hook_secrets_replace(&world, &all), 0);
	for (int i = 0; i < 4; i++)
		assert_string_equal(lines[i], ""); /* wiped */
	return 0;
}

/* A call of this peer that waits for a human, with a plan made of this byte. */
static inline struct call *hook_waiting(
    uint64_t serial, const char *tool, const char *arguments, uint8_t plan)
{
	struct call *call = world_call(1, serial, tool, arguments);

	answer_plan(call, ANSWER_OK, plan);
	return call;
}

/* The oldest request to courier that was not looked at; NULL: none. */
static inline const struct message *next_fetch(void)
{
	hook_sweep(&world);
	return sent_next(&world.courier, MESSAGE_FETCH);
}

static inline const char *fetch_header(const struct message *fetch, const char *name)
{
	const struct strv *headers = &fetch->u.fetch.headers;
	size_t len = strlen(name);

	for (uint32_t i = 0; i < headers->count; i++)
		if (!strncmp(headers->items[i], name, len) &&
		    !strncmp(headers->items[i] + len, ": ", 2))
			return headers->items[i] + len + 2;
	return "";
}

static inline json_t *fetch_json(const struct message *fetch)
{
	json_t *json = json_loadb(
	    fetch->u.fetch.body.data, fetch->u.fetch.body.len, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(json);
	return json;
}

static inline void answer_fetch(
    const struct message *fetch, uint16_t http, uint32_t retry_s, const char *body)
{
	struct message message;

	message_init(&message, MESSAGE_FETCHED);
	message.serial = fetch->serial;
	message.u.fetched.status = http ? ANSWER_OK : ANSWER_UNAVAILABLE;
	message.u.fetched.http = http;
	message.u.fetched.retry_s = retry_s;
	message.u.fetched.note = http ? "" : "no route";
	message.u.fetched.body.data = body;
	message.u.fetched.body.len = strlen(body);
	assert_int_equal(fetch_answered(&world, &message), 0);
}

static inline const char *text_at(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

/* Sends params; 0 or the error's code. *ret_body, if asked for, is the caller's. */
static inline int hook_request(
    uint64_t peer, enum request_method method, json_t *params, json_t **ret_body)
{
	struct message message = request_message(peer, 900, method);
	char *text = json_dumps(params, 0);
	struct message *reply;
	json_t *body;
	int code;

	message.u.request.body.data = text;
	message.u.request.body.len = strlen(text);
	while (sent_next(&world.front, MESSAGE_REPLY))
		;
	assert_int_equal(methods_request(&world, &message), 0);
	reply = sent_next(&world.front, MESSAGE_REPLY);
	assert_non_null(reply);
	body = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, 0, NULL);
	code = reply->u.reply.kind == REPLY_RESULT
		   ? 0
		   : (int)json_integer_value(json_object_get(body, "code"));
	json_decref(params);
	free(text);
	if (ret_body)
		*ret_body = body;
	else
		json_decref(body);
	return code;
}

/* No record and no message but to courier holds this text. */
static inline void assert_nowhere(const char *text)
{
	for (size_t i = 0; i < sent_count; i++)
		if (sent[i].message.type == MESSAGE_RECORD)
			assert_false(record_holds(&sent[i].message, text));
}

static inline const struct message *newest_record(enum record_type type)
{
	for (size_t i = sent_count; i > 0; i--)
		if (sent[i - 1].message.type == MESSAGE_RECORD &&
		    sent[i - 1].message.u.record.record == type)
			return &sent[i - 1].message;
	fail_msg("no record of that type");
	return NULL;
}

#endif
