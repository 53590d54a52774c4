#include "supervisor/engine/methods/methods_tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/rights.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/admin.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/identity/base64url.h"

#define JWKS_TEXT_MAX 4096

/* ---- issue -------------------------------------------------------------------------------- */

/* A positive number, or otherwise. false: it is no such. */
static bool read_number(const json_t *params, const char *name, uint64_t otherwise, uint64_t *ret)
{
	const json_t *value = json_object_get(params, name);

	*ret = otherwise;
	if (!value || json_is_null(value))
		return true;
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		return false;
	*ret = (uint64_t)json_integer_value(value);
	return true;
}

/* Agents and namespaces only say where: who names none means all of his own. An empty list counts
 * as named. 0, -ENOMEM. */
static int add_own_places(const struct methods_ask *ask, struct scope *scope)
{
	static const enum scope_kind kinds[] = {SCOPE_AGENTS, SCOPE_NAMESPACES};
	int fault = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !fault; i++)
		if (!json_object_get(ask->params, scope_kind_name(kinds[i])))
			fault = scope_add(scope, kinds[i], "*");
	return fault;
}

/* What a token can do is named, or it is good for nothing: NULL, or what is not. */
static const char *lacks(const struct scope *scope)
{
	if (scope->lists[SCOPE_ROLES].count == 0)
		return "roles: none is named, and no token has one by itself; name those that it "
		       "needs (--role)";
	if (scope_is_idle(scope))
		return "tools: none is named, and no token has one by itself; name those that it "
		       "needs (--tool), or permissions (--permission)";
	return NULL;
}

/* NULL when well-formed, else what is wrong. */
static const char *read_wants(
    const struct methods_ask *ask, uint64_t now_s, struct token_grant *wants)
{
	uint64_t ttl_s;

	if (scope_from_json(&wants->scope, ask->params))
		return "roles, tools, agents, namespaces, permissions: each is a list of at most "
		       "64 names or globs";
	if (!read_number(ask->params, "max_calls", TOKEN_NO_LIMIT, &wants->max_calls))
		return "max_calls: a number of at least 1 is needed";
	if (!read_number(ask->params, "ttl_s", TOKENS_TTL_S, &ttl_s) || ttl_s > TOKEN_TTL_MAX_S)
		return "ttl_s: 1 to 86400 seconds are needed";
	if (add_own_places(ask, &wants->scope))
		return "out of memory";
	wants->expires_s = now_s + ttl_s;
	return lacks(&wants->scope);
}

static void refuse_fault(const struct methods_ask *ask, int fault)
{
	if (fault == -EACCES)
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "nothing of use would be left: name tools or permissions that %s has, with the "
		    "roles that give them, in one namespace and for one agent",
		    ask->peer->caller->principal);
	else if (fault == -E2BIG || fault == -EMSGSIZE || fault == -EINVAL)
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "a token cannot hold that much; name fewer agents, namespaces, roles or tools");
	else
		result_refuse(
		    &ask->to, RESULT_UNAVAILABLE, "no token could be signed: %s", strerror(-fault));
}

static json_t *granted_json(const struct token_grant *grant)
{
	json_t *granted = json_object();

	if (!granted || scope_to_json(&grant->scope, granted) ||
	    json_object_set_new(granted, "max_calls",
		grant->max_calls == TOKEN_NO_LIMIT ? json_null()
						   : json_integer((json_int_t)grant->max_calls))) {
		json_decref(granted);
		return NULL;
	}
	return granted;
}

static void give_token(const struct methods_ask *ask, const struct token_facts *facts,
    struct buf *text, const struct token_grant *grant)
{
	struct buf cleanup_with(buf_fini) id = {0};
	struct admin_act act = {.type = RECORD_ADMIN_TOKEN,
	    .action = "issue",
	    .tenant = rights_tenant(ask),
	    .granted = &grant->scope,
	    .expires_s = grant->expires_s};
	json_t *answer;

	buf_init(&id, TOKEN_ID_MAX);
	(void)base64url_encode(&id, facts->id, sizeof(facts->id));
	act.id = buf_cstr(&id);
	answer = json_pack("{s:s, s:s, s:o, s:o}", "token", buf_cstr(text), "id", act.id, "expires",
	    rights_time(grant->expires_s), "granted", granted_json(grant));
	admin_answer(ask, &act, answer, "token");
	if (text->data)
		key_wipe(text->data, text->len);
}

/* What the caller has himself. A number of calls cannot be shared out: each token would have it. */
static int rights_of(
    const struct methods_ask *ask, const struct token_grant *wants, struct token_grant *ret)
{
	const struct caller *caller = ask->peer->caller;

	ret->max_calls = TOKEN_NO_LIMIT;
	ret->expires_s = caller->expires_s ? caller->expires_s : TOKEN_NO_LIMIT;
	return rights_within(ask, &wants->scope, &ret->scope);
}

/* By what the rights that are given away here stand and fall (authenticate.c). */
static uint64_t generation_of(const struct methods_ask *ask)
{
	switch (ask->peer->caller->proof) {
	case CALLER_API_KEY:
	case CALLER_STATIC_KEY:
	case CALLER_TOKEN: return ask->peer->caller->generation;
	case CALLER_NOBODY:
	case CALLER_ANONYMOUS:
	case CALLER_PEER:
	case CALLER_SERVICE_KEY:
	case CALLER_JWT:
	case CALLER_CERTIFICATE:
	case CALLER_CHANNEL: break;
	}
	return ask->engine->auth->rows;
}

static void issue(const struct methods_ask *ask, uint64_t now_s, const struct token_grant *wants)
{
	struct auth *auth = ask->engine->auth;
	const char *principal = ask->peer->caller->principal;
	struct token_facts facts = {.issuer = auth_issuer(ask->engine->rules->policy),
	    .audience = AUTH_AUDIENCE,
	    .subject = principal,
	    .by = principal,
	    .generation = generation_of(ask),
	    .now_s = now_s};
	struct token_grant cleanup_with(token_grant_fini) has = {.max_calls = 0};
	struct token_grant cleanup_with(token_grant_fini) granted = {.max_calls = 0};
	struct buf cleanup_with(buf_fini) text = {0};
	int fault = rights_of(ask, wants, &has);

	buf_init(&text, JWS_TEXT_MAX + 1);
	if (!fault)
		fault = key_random(facts.id, sizeof(facts.id));
	if (!fault)
		fault = token_issue(&text, &granted, &auth->signer, &facts, &has, wants);
	if (fault)
		refuse_fault(ask, fault);
	else
		give_token(ask, &facts, &text, &granted);
}

void issue_token(const struct methods_ask *ask)
{
	static const char *const known[] = {
	    "tools", "agents", "namespaces", "roles", "permissions", "max_calls", "ttl_s"};
	struct token_grant cleanup_with(token_grant_fini) wants = {.max_calls = 0};
	uint64_t now_s = clock_wall_us() / 1000000;
	const char *wrong;

	if (admin_refuses_unknown(ask, known, sizeof(known) / sizeof(known[0])))
		return;
	wrong = read_wants(ask, now_s, &wants);
	if (wrong)
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
	else if (!ask->engine->auth)
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "this daemon signs no tokens");
	else if (!caller_is_proven(ask->peer->caller)) /* a token of his would be somebody's */
		result_refuse(
		    &ask->to, RESULT_FORBIDDEN, "who has shown nothing has nothing to give away");
	else if (ask->peer->caller->calls_left != TOKEN_NO_LIMIT)
		result_refuse(
		    &ask->to, RESULT_FORBIDDEN, "a token with a number of calls issues no others");
	else
		issue(ask, now_s, &wants);
}

/* ---- the public half ---------------------------------------------------------------------- */

void tell_token_keys(const struct methods_ask *ask)
{
	struct buf cleanup_with(buf_fini) text = {0};
	struct auth *auth = ask->engine->auth;
	json_t *keys = NULL;

	buf_init(&text, JWKS_TEXT_MAX);
	if (auth &&
	    token_jwks(&text, (const uint8_t(*)[KEY_LEN]) & auth->signer.public_key, 1) == 0)
		keys = json_loadb((const char *)text.data, text.len, 0, NULL);
	if (keys)
		result_give(&ask->to, keys);
	else
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "this daemon signs no tokens");
}

/* ---- whoami ------------------------------------------------------------------------------- */

static json_t *list_of(const struct scope *scope, enum scope_kind kind)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < scope->lists[kind].count; i++)
		(void)json_array_append_new(list, json_string(scope->lists[kind].items[i]));
	return list;
}

static json_t *roles_of(const struct identity *identity)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < identity->role_count; i++)
		(void)json_array_append_new(list, json_string(identity->roles[i]->name));
	return list;
}

static json_t *permissions_of(const struct identity *identity)
{
	json_t *list = json_array();

	for (unsigned bit = 0; bit < PERMISSION_BIT_COUNT; bit++)
		if (identity->permissions & (1u << bit))
			(void)json_array_append_new(list, json_string(permission_name(1u << bit)));
	return list;
}

void tell_who(const struct methods_ask *ask)
{
	const struct caller *caller = ask->peer->caller;
	struct scope cleanup_with(scope_fini) all = {0};
	struct scope cleanup_with(scope_fini) has = {0};
	int fault = scope_add_all(&all);

	if (!fault)
		fault = rights_within(ask, &all, &has);
	if (fault && fault != -E2BIG) {
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "out of memory");
		return;
	}
	result_give(&ask->to,
	    json_pack("{s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o}", "principal",
		value_text(caller->principal, strlen(caller->principal)), "proof",
		caller_proof_name(caller->proof), "roles", roles_of(&ask->identity), "permissions",
		permissions_of(&ask->identity), "tenant", rights_tenant(ask), "namespaces",
		list_of(&has, SCOPE_NAMESPACES), "agents", list_of(&has, SCOPE_AGENTS), "expires",
		rights_time(caller->expires_s)));
}
