#include "supervisor/engine/methods/methods_keys.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/approvals/approval.h"
#include "supervisor/engine/access/rights.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/admin.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

#define LATEST_S   253402300799ll /* the last second of the year 9999 */
#define LIST_BATCH 16
#define LIST_BYTES (2 * 1024 * 1024) /* of keys in one answer; the rest follows on `after` */

static uint64_t now_s(void)
{
	return clock_wall_us() / 1000000;
}

/* Who manages the keys of all tenants, and may give what he has not. */
static bool is_master(const struct methods_ask *ask)
{
	return ask->peer->caller->proof == CALLER_SERVICE_KEY || methods_is_owner(ask);
}

/* Whose keys this caller sees; NULL: everybody's. */
static const char *tenant_of(const struct methods_ask *ask)
{
	return is_master(ask) ? NULL : rights_tenant(ask);
}

static struct key_store *store_of(const struct methods_ask *ask)
{
	struct auth *auth = ask->engine->auth;

	if (!auth || !auth->store)
		result_refuse(
		    &ask->to, RESULT_UNAVAILABLE, "this daemon has no key store; its log says why");
	return auth ? auth->store : NULL;
}

static void refuse_fault(const struct methods_ask *ask, int fault)
{
	switch (fault) {
	case -ENOENT: result_refuse(&ask->to, RESULT_NOT_FOUND, "no key of that id"); return;
	case -EKEYREVOKED:
		result_refuse(&ask->to, RESULT_CONFLICT, "that key is revoked; make a new one");
		return;
	case -EKEYEXPIRED:
		result_refuse(&ask->to, RESULT_CONFLICT, "that key has expired; make a new one");
		return;
	case -EDQUOT:
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "this tenant has %d keys, and may have no "
		    "more",
		    KEY_STORE_PER_TENANT);
		return;
	case -EINVAL:
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "a key's label must be UTF-8 of at most %d bytes, and its end in the future",
		    KEY_TEXT_MAX);
		return;
	default:
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "key store: %s; see the daemon's log",
		    strerror(-fault));
		return;
	}
}

/* ---- what is told of a key ---------------------------------------------------------------- */

static json_t *entry(const struct key_record *record)
{
	json_t *object = json_pack("{s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o}", "id", record->id,
	    "tenant", record->tenant, "label", value_text(record->label, strlen(record->label)),
	    "created_by", record->created_by, "created", rights_time(record->created_s), "expires",
	    rights_time(record->expires_s), "rotated", rights_time(record->rotated_s), "revoked",
	    rights_time(record->revoked_s));

	if (object && scope_to_json(&record->scope, object)) {
		json_decref(object);
		return NULL;
	}
	return object;
}

static size_t size_of(const struct key_record *record)
{
	size_t size = 512;

	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++)
		for (uint32_t i = 0; i < record->scope.lists[kind].count; i++)
			size += strlen(record->scope.lists[kind].items[i]) + 3;
	return size + 6 * strlen(record->label);
}

/* ---- create ------------------------------------------------------------------------------- */

struct wish {
	const char *tenant, *label;
	struct scope scope;
	uint64_t expires_s;
};

static void wish_fini(struct wish *wish)
{
	scope_fini(&wish->scope);
}

static bool tenant_exists(const struct methods_ask *ask, const char *name)
{
	const struct policy *policy = ask->engine->rules->policy;

	for (uint32_t i = 0; i < policy->tenant_count; i++)
		if (strcmp(policy->tenants[i].name, name) == 0)
			return true;
	return name[0] == '\0';
}

/* NULL when well-formed, else what is wrong. */
static const char *read_wish(const struct methods_ask *ask, struct wish *wish)
{
	const json_t *label = json_object_get(ask->params, "label");
	const json_t *tenant = json_object_get(ask->params, "tenant");
	const json_t *expires = json_object_get(ask->params, "expires_s");
	json_int_t end = json_integer_value(expires);

	wish->label = label ? json_string_value(label) : "";
	wish->tenant = tenant           ? json_string_value(tenant)
		       : is_master(ask) ? ask->peer->caller->tenant
					: rights_tenant(ask);
	if (!wish->label)
		return "label: a text is needed";
	if (!wish->tenant || !tenant_exists(ask, wish->tenant))
		return "tenant: no tenant of that name is in the policy";
	if (scope_from_json(&wish->scope, ask->params))
		return "roles, tools, agents, namespaces, permissions: each is a list of at most "
		       "64 names or globs";
	if (expires && !json_is_null(expires) &&
	    (!json_is_integer(expires) || end <= (json_int_t)now_s() || end > LATEST_S))
		return "expires_s: a time in the future is needed, as seconds since 1970";
	wish->expires_s = json_is_integer(expires) ? (uint64_t)end : 0;
	return NULL;
}

/* NULL: it lies within what this caller has; else what does not, or why it cannot be seen. */
static const char *too_wide(
    const struct methods_ask *ask, const struct scope *scope, uint64_t expires_s)
{
	const struct caller *caller = ask->peer->caller;
	struct scope cleanup_with(scope_fini) has = {0};
	int fault;

	if (!caller_is_proven(caller))
		return "who has shown nothing makes no keys";
	if (caller->calls_left != TOKEN_NO_LIMIT)
		return "a token with a number of calls makes no keys";
	if (caller->makers[CALLER_MAKERS_MAX - 1])
		return "too many keys stand between who made the first and this one; make it with "
		       "another credential";
	if (caller->expires_s && (!expires_s || expires_s > caller->expires_s))
		return "a key may not outlive the credential that makes it: give an earlier "
		       "expires_s";
	fault = rights_within(ask, scope, &has);
	if (fault == -E2BIG)
		return "too much is named at once: name fewer agents and namespaces";
	if (fault)
		return "out of memory";
	return scope_covers(&has, scope) ? NULL
					 : "the key would be allowed more than who makes it: name "
					   "only roles, tools, agents, namespaces and permissions "
					   "that he has in all of them";
}

/* true: it is answered. */
static bool refuses_wish(const struct methods_ask *ask, const struct wish *wish)
{
	const char *why;

	if (is_master(ask))
		return false;
	if (strcmp(wish->tenant, rights_tenant(ask)) != 0) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may manage the keys of its own tenant only", ask->peer->caller->principal);
		return true;
	}
	why = too_wide(ask, &wish->scope, wish->expires_s);
	if (why)
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s", why);
	return why != NULL;
}

static void give_key(
    const struct methods_ask *ask, const struct key_record *record, const char *action, char *key)
{
	const struct admin_act act = {.type = RECORD_ADMIN_KEY,
	    .action = action,
	    .id = record->id,
	    .tenant = record->tenant,
	    .granted = &record->scope,
	    .expires_s = record->expires_s};
	json_t *answer = entry(record);

	if (answer && json_object_set_new(answer, "key", json_string(key))) {
		json_decref(answer);
		answer = NULL;
	}
	key_wipe(key, strlen(key));
	admin_answer(ask, &act, answer, "key");
}

void create_key(const struct methods_ask *ask)
{
	static const char *const known[] = {"label", "tenant", "roles", "tools", "agents",
	    "namespaces", "permissions", "expires_s"};
	struct wish cleanup_with(wish_fini) wish = {.tenant = ""};
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};
	struct key_store *store = store_of(ask);
	char key[API_KEY_LEN + 1];
	const char *wrong;
	int fault;

	if (!store || admin_refuses_unknown(ask, known, sizeof(known) / sizeof(known[0])))
		return;
	wrong = read_wish(ask, &wish);
	if (wrong) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
		return;
	}
	if (refuses_wish(ask, &wish))
		return;
	fault = key_store_create(store,
	    &(const struct key_request){.tenant = wish.tenant,
		.label = wish.label,
		.created_by = ask->peer->caller->principal,
		.scope = &wish.scope,
		.expires_s = wish.expires_s},
	    now_s(), key, &record);
	if (fault)
		refuse_fault(ask, fault);
	else
		give_key(ask, &record, "create", key);
}

/* ---- list --------------------------------------------------------------------------------- */

/* One batch into keys. Returns how many there were, or a fault; *bytes grows. */
static int list_batch(struct key_store *store, const char *tenant, char after[KEY_ID_MAX],
    json_t *keys, size_t *bytes)
{
	struct key_record records[LIST_BATCH];
	size_t count = 0;
	int fault = key_store_list(store, tenant, after, records, LIST_BATCH, &count);

	for (size_t i = 0; i < count; i++) {
		if (!fault && json_array_append_new(keys, entry(&records[i])))
			fault = -ENOMEM;
		*bytes += size_of(&records[i]);
		memcpy(after, records[i].id, KEY_ID_MAX);
		key_record_fini(&records[i]);
	}
	return fault ? fault : (int)count;
}

void list_keys(const struct methods_ask *ask)
{
	static const char *const known[] = {"tenant", "after"};
	struct key_store *store = store_of(ask);
	const char *tenant = tenant_of(ask), *asked = methods_text(ask, "tenant");
	const char *from = methods_text(ask, "after");
	char after[KEY_ID_MAX] = "";
	json_t *keys;
	size_t bytes = 0;
	int count = LIST_BATCH;

	if (!store || admin_refuses_unknown(ask, known, sizeof(known) / sizeof(known[0])))
		return;
	if (tenant && asked && strcmp(tenant, asked) != 0) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may manage the keys of its own tenant only", ask->peer->caller->principal);
		return;
	}
	(void)snprintf(after, sizeof(after), "%s", from ? from : "");
	keys = json_array();
	while (count == LIST_BATCH && bytes < LIST_BYTES)
		count = list_batch(store, tenant ? tenant : asked, after, keys, &bytes);
	if (count < 0) {
		json_decref(keys);
		refuse_fault(ask, count);
		return;
	}
	result_give(&ask->to, count == LIST_BATCH
				  ? json_pack("{s:o, s:s}", "keys", keys, "next", after)
				  : json_pack("{s:o}", "keys", keys));
}

/* ---- rotate and revoke -------------------------------------------------------------------- */

/* The key that is meant, as far as this caller may know of it. 0; else it is answered. */
static int find_key(const struct methods_ask *ask, struct key_store *store, struct key_record *ret)
{
	static const char *const known[] = {"id"};
	const char *id = methods_text(ask, "id");
	int fault;

	if (admin_refuses_unknown(ask, known, sizeof(known) / sizeof(known[0])))
		return -EINVAL;
	if (!id) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "id: the id of a key is needed");
		return -EINVAL;
	}
	fault = key_store_get(store, tenant_of(ask), id, ret);
	if (fault)
		refuse_fault(ask, fault);
	return fault;
}

/* Who rotates a key learns it, and could answer as whoever has it: so it must be his own, or one
 * that he made, and then may not be allowed more than he is. */
static const char *may_not_rotate(const struct methods_ask *ask, const struct key_record *record)
{
	const struct caller *caller = ask->peer->caller;

	if (is_master(ask) ||
	    (caller->proof == CALLER_API_KEY && strcmp(caller->credential, record->id) == 0))
		return NULL;
	if (strcmp(record->created_by, caller->principal) != 0)
		return "only who made a key, and the key itself, may rotate it; revoke it, and "
		       "make another";
	return too_wide(ask, &record->scope, record->expires_s);
}

/* What was asked for with it and waits for nobody but an approver is over, too. */
static void end_of(struct engine *engine, const char *id)
{
	auth_ended(engine, id);
	approval_void_of(engine, id, "the key of who asked has ended");
}

void rotate_key(const struct methods_ask *ask)
{
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};
	struct key_store *store = store_of(ask);
	char key[API_KEY_LEN + 1];
	const char *why;
	int fault;

	if (!store || find_key(ask, store, &record))
		return;
	why = may_not_rotate(ask, &record);
	if (why) {
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s", why);
		return;
	}
	fault = key_store_rotate(store, record.tenant, record.id, now_s(), key);
	if (fault) {
		refuse_fault(ask, fault);
		return;
	}
	record.rotated_s = now_s();
	end_of(ask->engine, record.id);
	give_key(ask, &record, "rotate", key);
}

void revoke_key(const struct methods_ask *ask)
{
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};
	struct key_store *store = store_of(ask);
	struct admin_act act = {.type = RECORD_ADMIN_KEY, .action = "revoke"};
	int fault;

	if (!store || find_key(ask, store, &record))
		return;
	fault = key_store_revoke(store, record.tenant, record.id, now_s());
	if (fault) {
		refuse_fault(ask, fault);
		return;
	}
	end_of(ask->engine, record.id);
	act.id = record.id;
	act.tenant = record.tenant;
	admin_answer(ask, &act, json_pack("{s:s, s:s}", "id", record.id, "state", "revoked"), NULL);
}
