#include "supervisor/engine/approvals/approval_told.h"

#include <string.h>

#include "agent-api/wire/value.h"
#include "policy/decide.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/approvals/approval_past.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/caller.h"
#include "supervisor/engine/calls/annotations.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

#define WALLS_MAX  8192
#define DIFF_MAX   (64 * 1024) /* a longer one is left out: the arguments say the same */
#define ENTRY_SIZE 4096        /* bytes of an entry beside its long texts */

static json_t *text(const char *bytes)
{
	return value_text(bytes, strlen(bytes));
}

static json_t *escaped(const void *bytes, size_t len)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *line;

	buf_init(&out, 8 * (len + 1));
	(void)str_escape(&out, bytes, len);
	line = buf_cstr(&out);
	return line ? json_string(line) : NULL;
}

static json_t *escaped_text(const char *bytes)
{
	return bytes ? escaped(bytes, strlen(bytes)) : json_string("");
}

static json_t *escaped_object(const json_t *value)
{
	json_t *copy = json_object(), *inner;
	const char *key;

	json_object_foreach((json_t *)value, key, inner)
	{
		json_t *name = escaped(key, strlen(key));

		if (!name ||
		    json_object_set_new(copy, json_string_value(name), approval_escaped(inner))) {
			json_decref(name);
			json_decref(copy);
			return NULL;
		}
		json_decref(name);
	}
	return copy;
}

json_t *approval_escaped(const json_t *value)
{
	json_t *copy, *inner;
	size_t i;

	if (json_is_string(value))
		return escaped(json_string_value(value), json_string_length(value));
	if (json_is_object(value))
		return escaped_object(value);
	if (!json_is_array(value))
		return json_deep_copy(value);
	copy = json_array();
	json_array_foreach(value, i, inner)
	{
		if (json_array_append_new(copy, approval_escaped(inner))) {
			json_decref(copy);
			return NULL;
		}
	}
	return copy;
}

/* ---- what the call tells, when it asks ------------------------------------------------------ */

static json_t *argv_of(const struct call *call)
{
	json_t *argv = json_array();

	for (uint32_t i = 0; i < call->command.argc; i++)
		(void)json_array_append_new(
		    argv, escaped(call->command.argv[i], strlen(call->command.argv[i])));
	return argv;
}

static json_t *words(const struct policy_words *list)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, json_string(list->items[i].text));
	return array;
}

static json_t *risk_of(const struct policy_tool *tool)
{
	const struct result_annotations said = annotations_of(tool);

	return json_pack("{s:b, s:b, s:b, s:b}", "read_only", said.read_only, "destructive",
	    said.destructive, "idempotent", said.idempotent, "open_world", said.open_world);
}

/* {walls, limits}; what cannot be told is left out, and then nobody is told that it holds. */
static json_t *walls_of(const struct call *call)
{
	struct buf cleanup_with(buf_fini) out = {0};
	struct err_note note;
	json_t *walls = NULL;

	buf_init(&out, WALLS_MAX);
	if (policy_tell_walls(&out, call->tool, call->engine->owner_uid != 0) == 0 &&
	    value_read((const char *)out.data, out.len, &walls, &note) == 0)
		return walls;
	return json_object();
}

/* What the agent says for itself, where its tool has a parameter for it. It proves nothing. */
static json_t *agent_says(const json_t *arguments)
{
	static const char *const names[] = {"reason", "justification", "description"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *said = json_object_get(arguments, names[i]);

		if (json_is_string(said) && json_string_length(said) > 0)
			return json_pack("{s:o, s:b}", "text",
			    escaped(json_string_value(said), json_string_length(said)), "trusted",
			    0);
	}
	return NULL;
}

/* Each line of a text behind its sign, escaped. */
static void put_lines(struct buf *out, char sign, const json_t *said)
{
	const char *at = json_string_value(said);
	const char *end = at ? at + json_string_length(said) : NULL;

	while (at && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = newline ? (size_t)(newline - at) : (size_t)(end - at);

		buf_textf(out, "%c", sign);
		(void)str_escape(out, at, len);
		buf_text(out, "\n");
		at += len + 1;
	}
}

/* What a change of text_editor takes away and puts there. NULL: it is no such call. */
static json_t *diff_of(const struct call *call)
{
	const json_t *arguments = call->arguments;
	struct buf cleanup_with(buf_fini) out = {0};

	if (call->tool->type != TOOL_FUNCTION || call->tool->handler != HANDLER_TEXT_EDITOR)
		return NULL;
	buf_init(&out, DIFF_MAX);
	put_lines(&out, '-', json_object_get(arguments, "old_str"));
	put_lines(&out, '+', json_object_get(arguments, "new_str"));
	put_lines(&out, '+', json_object_get(arguments, "insert_text"));
	put_lines(&out, '+', json_object_get(arguments, "file_text"));
	return out.len > 0 && !out.fault ? json_stringn((const char *)out.data, out.len) : NULL;
}

static void set_given(json_t *object, const char *key, json_t *value)
{
	if (value)
		(void)json_object_set_new(object, key, value);
}

json_t *approval_facts(const struct call *call, size_t *ret_bytes)
{
	const struct policy_approval *rules = approval_rules(call->rules->policy, call->tool->name);
	json_t *walls = walls_of(call);
	json_t *facts = json_pack("{s:o, s:O?, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "argv",
	    argv_of(call), "arguments", call->arguments, "cwd", escaped_text(call->cwd), "program",
	    escaped_text(call->program), "host", call->engine->host, "risk", risk_of(call->tool),
	    "editable", words(&rules->editable), "channels", words(&rules->channels), "asked_by",
	    json_pack("{s:s, s:s, s:s}", "principal", call->caller->principal, "proof",
		caller_proof_name(call->caller->proof), "credential", call->caller->credential));

	if (facts) {
		(void)json_object_update(facts, walls);
		set_given(facts, "diff", diff_of(call));
		set_given(facts, "agent_says", agent_says(call->arguments));
		*ret_bytes = json_dumpb(facts, NULL, 0, JSON_COMPACT);
	}
	json_decref(walls);
	return facts;
}

/* ---- the whole, when somebody looks --------------------------------------------------------- */

static const enum grant_bit lasting[] = {GRANT_SESSION, GRANT_ALWAYS};

/* What a call has changed is nobody's but its own: it is kept once. */
static json_t *scopes_of(const struct policy_approval *rules, bool is_once)
{
	json_t *scopes = json_pack("[s]", grant_scope_name(GRANT_ONCE));

	for (unsigned i = 0; !is_once && i < sizeof(lasting) / sizeof(*lasting); i++)
		if (rules->grants & lasting[i])
			(void)json_array_append_new(
			    scopes, json_string(grant_scope_name(lasting[i])));
	return scopes;
}

/* What each answer would let happen, in words. */
static json_t *scope_words(const struct policy_approval *rules, bool is_once)
{
	uint64_t ttl_ms = rules->max_grant_ttl_ms ? rules->max_grant_ttl_ms : GRANT_TTL_STANDARD_MS;
	json_t *told =
	    json_pack("{s:s}", "once", is_once ? "what this call changed" : "this call, one time");

	if (!is_once && (rules->grants & GRANT_SESSION))
		(void)json_object_set_new(told, "session",
		    json_sprintf("calls with exactly this plan of the same connection, until it "
				 "ends, at most %llu minutes",
			(unsigned long long)ttl_ms / 60000));
	if (!is_once && (rules->grants & GRANT_ALWAYS))
		(void)json_object_set_new(told, "always",
		    json_sprintf("calls with exactly this plan of the same principal, agent, "
				 "namespace and tool, for %llu minutes",
			(unsigned long long)ttl_ms / 60000));
	return told;
}

static json_t *votes_of(const struct approval *approval)
{
	json_t *votes = json_array();

	for (uint32_t i = 0; i < approval->yes_count && i < APPROVAL_QUORUM_MAX; i++) {
		const struct approval_yes *yes = &approval->yes[i];

		(void)json_array_append_new(
		    votes, json_pack("{s:s, s:s, s:s, s:o}", "by", yes->principal, "method",
			       yes->how, "key", yes->key, "claimed", text(yes->claimed)));
	}
	return votes;
}

static json_t *earlier_of(const struct engine *engine, const struct approval *approval)
{
	const struct approval_earlier earlier = approval_past_count(engine, approval);

	return json_pack("{s:i, s:i, s:i, s:i}", "approved", (int)earlier.approved, "denied",
	    (int)earlier.denied, "same_approved", (int)earlier.same_approved, "same_denied",
	    (int)earlier.same_denied);
}

static json_t *base_of(const struct approval *approval, const struct policy_approval *rules)
{
	char plan[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:";
	char created[CLOCK_STAMP_MAX], expires[CLOCK_STAMP_MAX];

	(void)digest_hex(plan + strlen(plan), &approval->plan);
	(void)clock_stamp(created, approval->created_wall_us);
	(void)clock_stamp(expires, approval->expires_wall_us);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s,"
			 " s:i, s:i, s:o, s:b, s:s}",
	    "id", approval->answer.id, "plan", plan, "tool", approval->tool, "agent",
	    approval->agent, "namespace", approval->space, "principal", approval->principal,
	    "command", text(approval->command), "prompt", text(approval->prompt), "details",
	    text(approval->details), "rule", text(approval->rule), "reason", text(approval->reason),
	    "created", created, "expires", expires, "state", approval_state_name(approval->state),
	    "agreed", (int)approval->yes_count, "quorum", (int)approval->quorum, "scopes",
	    scopes_of(rules, approval->effects[0]), "reason_required", (int)rules->reason_required,
	    "warning", approval->warning);
}

json_t *approval_json(const struct engine *engine, const struct approval *approval)
{
	const struct policy_approval *rules = approval_rules(engine->rules->policy, approval->tool);
	uint64_t now_us = clock_monotonic_us();
	json_t *told = base_of(approval, rules);

	if (!told)
		return NULL;
	(void)json_object_update_missing(told, approval->facts);
	(void)json_object_set_new(told, "scope_words", scope_words(rules, approval->effects[0]));
	(void)json_object_set_new(told, "votes", votes_of(approval));
	(void)json_object_set_new(told, "earlier", earlier_of(engine, approval));
	(void)json_object_set_new(told, "expires_in_s",
	    json_integer(approval->expires_us > now_us
			     ? (json_int_t)((approval->expires_us - now_us) / 1000000)
			     : 0));
	if (approval->edited_from[0])
		(void)json_object_set_new(told, "edited_from", json_string(approval->edited_from));
	return told;
}

size_t approval_size(const struct approval *approval)
{
	return strlen(approval->command) + strlen(approval->prompt) + strlen(approval->details) +
	       approval->facts_bytes + ENTRY_SIZE;
}
