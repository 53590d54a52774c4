#include "supervisor/engine/access/authenticate.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/rows.h"
#include "supervisor/identity/base64url.h"
#include "supervisor/identity/bearer.h"
#include "supervisor/identity/jwt.h"

#define SKEW_S         30 /* between the issuer's clock and ours */
#define THUMBPRINT_MAX 44
#define RANDOM_BITS    ((1ull << 48) - 1) /* of a mark (rows.h) */

/* One credential on its way through the kinds. */
struct judging {
	struct auth *auth;
	const struct policy *policy;
	const struct credentials *shown;
	struct bearer bearer;
	uint64_t now_s;
	struct authenticated *out;
};

static void drop_caller(struct caller **caller)
{
	*caller = caller_drop(*caller);
}

/* A name with control or invisible letters is not what it looks like to an approver. */
bool authenticate_name_is_clean(const char *name)
{
	struct buf cleanup_with(buf_fini) out = {0};
	const char *escaped;

	buf_init(&out, 8 * PRINCIPAL_MAX + 64);
	(void)str_escape(&out, name, strlen(name));
	escaped = buf_cstr(&out);
	return name[0] && escaped && strcmp(escaped, name) == 0;
}

/* NULL: the name is not fit, or no memory; out->verdict says which. */
static struct caller *named(
    struct authenticated *out, enum caller_proof proof, const char *kind, const char *name)
{
	struct caller *caller = caller_new();

	out->verdict = CREDENTIAL_FAULT;
	if (!caller)
		return NULL;
	caller->proof = proof;
	if (strlen(kind) + strlen(name) >= sizeof(caller->principal) ||
	    !authenticate_name_is_clean(name)) {
		out->verdict = CREDENTIAL_CLAIM;
		return caller_drop(caller);
	}
	(void)snprintf(caller->principal, sizeof(caller->principal), "%s%s", kind, name);
	return caller;
}

static int show_certificate(struct caller *caller, const struct credentials *shown)
{
	return shown->certificate ? caller_set_sans(caller, shown->sans, shown->san_count) : 0;
}

/* Gives the caller away, or refuses for want of memory. */
static void let_in(struct judging *judging, struct caller **caller, int fault)
{
	if (!fault)
		fault = show_certificate(*caller, judging->shown);
	judging->out->verdict = fault ? CREDENTIAL_FAULT : CREDENTIAL_OK;
	if (!fault)
		judging->out->caller = take_ptr(*caller);
}

/* What tells a static key, and the rows that it has its rights by, from others. */
static int generation_of(const struct auth *auth, const struct digest *key, uint64_t *ret)
{
	uint64_t mark;
	int fault = auth->rows ? rows_mark_of(key, auth->signer.seed, &mark) : -ENOENT;

	*ret = fault ? 0 : mark ^ (auth->rows & RANDOM_BITS);
	return fault;
}

/* ---- keys of the policy, and the service key ---------------------------------------------- */

static bool try_static(struct judging *judging)
{
	struct auth *auth = judging->auth;
	struct authenticated *out = judging->out;
	struct caller *cleanup_with(drop_caller) caller = NULL;
	struct digest digest;
	size_t place;
	int fault;

	if (api_key_digest(&digest, judging->bearer.text, judging->bearer.len)) {
		out->verdict = CREDENTIAL_FAULT;
		return true;
	}
	place = api_key_find(auth->known, auth->known_count, &digest);
	if (place < auth->known_count) {
		out->proof = CALLER_STATIC_KEY;
		caller = named(out, CALLER_STATIC_KEY, "api_key:", auth->names[place]);
		if (!caller)
			return true;
		fault = caller_set(&caller->credential, auth->names[place]);
		if (!fault)
			fault = generation_of(auth, &digest, &caller->generation);
		caller->shown.api_key = caller->credential;
		let_in(judging, &caller, fault);
		return true;
	}
	if (!auth->has_service || !digest_equal(&auth->service, &digest))
		return false;
	out->proof = CALLER_SERVICE_KEY;
	caller = named(out, CALLER_SERVICE_KEY, "", SERVICE_PRINCIPAL);
	if (!caller)
		return true;
	let_in(judging, &caller,
	    caller_set_own(caller, &(const struct shown_own){.besides = PERMISSION(KEYS_MANAGE)}));
	return true;
}

/* ---- what carries its own rights ---------------------------------------------------------- */

static struct shown_globs globs_of(const struct scope *scope, enum scope_kind kind)
{
	const struct scope_list *list = &scope->lists[kind];

	return (struct shown_globs){(const char *const *)list->items, list->count};
}

static uint32_t permissions_of(const struct scope *scope)
{
	uint32_t permissions = 0;

	for (unsigned bit = 0; bit < PERMISSION_BIT_COUNT; bit++)
		if (scope_has(scope, SCOPE_PERMISSIONS, permission_name(1u << bit)))
			permissions |= 1u << bit;
	return permissions;
}

/* A key of a tenant enters that tenant's namespaces only, whatever it says itself; a tenant that
 * the policy has no more has none. *ret_names is the caller's. */
static int bound_by_tenant(const struct policy *policy, const struct key_record *record,
    const char ***ret_names, struct shown_globs *ret)
{
	const struct policy_tenant *tenant = NULL;
	const char **names;
	size_t count = 0;

	for (uint32_t i = 0; i < policy->tenant_count; i++)
		if (strcmp(policy->tenants[i].name, record->tenant) == 0)
			tenant = &policy->tenants[i];
	names = calloc((tenant ? tenant->namespaces.count : 0) + 1u, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; tenant && i < tenant->namespaces.count; i++)
		if (scope_has(&record->scope, SCOPE_NAMESPACES, tenant->namespaces.items[i].text))
			names[count++] = tenant->namespaces.items[i].text;
	*ret_names = names;
	*ret = (struct shown_globs){names, count};
	return 0;
}

static struct shown_own own_of(const struct scope *scope)
{
	return (struct shown_own){.roles = globs_of(scope, SCOPE_ROLES),
	    .tools = globs_of(scope, SCOPE_TOOLS),
	    .agents = globs_of(scope, SCOPE_AGENTS),
	    .namespaces = globs_of(scope, SCOPE_NAMESPACES),
	    .permissions = permissions_of(scope)};
}

/* Who made this key, and if that was by another key, who made that one: each of them may know this
 * one. Keys stay in the store when they have ended. */
static int trace_makers(struct caller *caller, struct key_store *store, const char *made_by)
{
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};
	char next[sizeof(record.created_by)];
	int fault = 0;

	(void)snprintf(next, sizeof(next), "%s", made_by);
	while (!fault && next[0]) {
		fault = caller_add_maker(caller, next);
		if (fault || strncmp(next, KEY_PRINCIPAL, strlen(KEY_PRINCIPAL)) != 0)
			break;
		key_record_fini(&record);
		fault = key_store_get(store, NULL, next + strlen(KEY_PRINCIPAL), &record);
		memcpy(next, record.created_by, sizeof(next));
	}
	return fault;
}

static int fill_from_key(
    struct caller *caller, const struct judging *judging, const struct key_record *record)
{
	const char **cleanup_free names = NULL;
	struct shown_own own = own_of(&record->scope);
	int fault = 0;

	if (record->tenant[0])
		fault = bound_by_tenant(judging->policy, record, &names, &own.namespaces);
	if (!fault)
		fault = caller_set_own(caller, &own);
	if (!fault)
		fault = caller_set(&caller->credential, record->id);
	if (!fault)
		fault = caller_set(&caller->tenant, record->tenant);
	if (!fault)
		fault = trace_makers(caller, judging->auth->store, record->created_by);
	caller->generation = record->rotated_s;
	caller->expires_s = record->expires_s;
	return fault;
}

static void try_key_store(struct judging *judging)
{
	struct authenticated *out = judging->out;
	struct caller *cleanup_with(drop_caller) caller = NULL;
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};

	out->proof = CALLER_API_KEY;
	if (!judging->auth->store) {
		out->verdict = CREDENTIAL_FAULT;
		return;
	}
	out->verdict = key_store_check(judging->auth->store, judging->bearer.text,
	    judging->bearer.len, judging->now_s, &record);
	memcpy(out->id, record.id, sizeof(out->id));
	if (out->verdict != CREDENTIAL_OK)
		return;
	caller = named(out, CALLER_API_KEY, KEY_PRINCIPAL, record.id);
	if (caller)
		let_in(judging, &caller, fill_from_key(caller, judging, &record));
}

/* A token that a key has issued ends with that key, also when the key gets a new secret: whoever
 * had the old one may have issued it. It shares the tenant and the maker. */
static enum credential_verdict take_issuing_key(
    struct judging *judging, const struct token *token, struct caller *caller)
{
	struct key_record cleanup_with(key_record_fini) record = {.id = ""};
	int fault;

	if (strncmp(token->subject, KEY_PRINCIPAL, strlen(KEY_PRINCIPAL)) != 0)
		return CREDENTIAL_OK;
	if (!judging->auth->store)
		return CREDENTIAL_FAULT;
	fault = key_store_get(
	    judging->auth->store, NULL, token->subject + strlen(KEY_PRINCIPAL), &record);
	if (fault == -ENOENT ||
	    (!fault && (record.revoked_s || record.rotated_s != token->generation)))
		return CREDENTIAL_REVOKED;
	if (!fault && record.expires_s && record.expires_s <= judging->now_s)
		return CREDENTIAL_EXPIRED;
	caller->generation = record.rotated_s;
	if (!fault)
		fault = caller_set(&caller->tenant, record.tenant);
	if (!fault)
		fault = trace_makers(caller, judging->auth->store, record.created_by);
	return fault ? CREDENTIAL_FAULT : CREDENTIAL_OK;
}

/* The same of a static key: what was issued with it ends when the policy has it no more, or has
 * other principals. */
static enum credential_verdict take_issuing_static(
    struct judging *judging, const struct token *token, struct caller *caller)
{
	static const char prefix[] = "api_key:";
	const struct auth *auth = judging->auth;
	uint64_t generation;

	if (strncmp(token->subject, prefix, sizeof(prefix) - 1) != 0)
		return CREDENTIAL_OK;
	caller->generation = token->generation;
	for (size_t i = 0; i < auth->known_count; i++) {
		if (strcmp(auth->names[i], token->subject + sizeof(prefix) - 1) != 0)
			continue;
		if (generation_of(auth, &auth->known[i], &generation))
			return CREDENTIAL_FAULT;
		if (generation == token->generation)
			return CREDENTIAL_OK;
	}
	return CREDENTIAL_REVOKED;
}

/* The same of who has his rights by the policy's rows: whether they are still his cannot be seen
 * from a token, so all such tokens end when any row changes. */
static enum credential_verdict take_issuing_row(
    struct judging *judging, const struct token *token, struct caller *caller)
{
	if (strncmp(token->subject, "key:", 4) == 0 || strncmp(token->subject, "api_key:", 8) == 0)
		return CREDENTIAL_OK;
	caller->generation = token->generation;
	return judging->auth->rows && token->generation == judging->auth->rows ? CREDENTIAL_OK
									       : CREDENTIAL_REVOKED;
}

static void take_token(struct judging *judging, const struct token *token)
{
	const struct shown_own own = own_of(&token->grant.scope);
	struct authenticated *out = judging->out;
	struct caller *cleanup_with(drop_caller) caller =
	    named(out, CALLER_TOKEN, "", token->subject);
	int fault;

	if (!caller)
		return;
	out->verdict = take_issuing_key(judging, token, caller);
	if (out->verdict == CREDENTIAL_OK)
		out->verdict = take_issuing_static(judging, token, caller);
	if (out->verdict == CREDENTIAL_OK)
		out->verdict = take_issuing_row(judging, token, caller);
	if (out->verdict != CREDENTIAL_OK)
		return;
	fault = caller_set_own(caller, &own);
	if (!fault)
		fault = caller_set(&caller->credential, token->id);
	caller->expires_s = token->grant.expires_s;
	caller->calls_left = token->grant.max_calls;
	let_in(judging, &caller, fault);
}

/* What is said of a token of ours only when its signature is good. */
static bool is_foreign(enum credential_verdict verdict)
{
	return verdict != CREDENTIAL_OK && verdict != CREDENTIAL_EXPIRED &&
	       verdict != CREDENTIAL_SCOPE && verdict != CREDENTIAL_FAULT;
}

/* false: it is signed by somebody else, as far as can be seen. */
static bool try_token(struct judging *judging)
{
	struct token cleanup_with(token_fini) token = {.subject = ""};
	const struct token_facts expected = {.issuer = auth_issuer(judging->policy),
	    .audience = AUTH_AUDIENCE,
	    .now_s = judging->now_s};

	judging->out->verdict = token_verify(
	    &token, judging->auth->own, &expected, judging->bearer.text, judging->bearer.len);
	judging->out->proof = CALLER_TOKEN;
	if (is_foreign(judging->out->verdict))
		return false;
	if (judging->out->verdict == CREDENTIAL_OK)
		take_token(judging, &token);
	return true;
}

/* ---- JWTs of the issuer ------------------------------------------------------------------- */

static bool claim_has(const void *claims, const char *claim, const char *value)
{
	const struct jwt jwt = {.claims = (json_t *)claims};

	return jwt_claim_has(&jwt, claim, value);
}

static uint32_t algorithms_of(const struct policy_auth *auth)
{
	uint32_t algs = 0;

	for (uint32_t i = 0; i < auth->algorithms.count; i++) {
		enum jws_alg alg = algorithm_by_name(auth->algorithms.items[i].text);

		if (alg != JWS_NO_ALG)
			algs |= 1u << alg;
	}
	return auth->algorithms.count ? algs : JWS_ALGS_DEFAULT;
}

/* The name of who comes with it; a machine's token may have no subject. */
static const char *subject_of(const struct jwt *jwt)
{
	const char *client = jwt_text(jwt, "client_id");

	return jwt->subject[0] ? jwt->subject : client ? client : "";
}

static void take_jwt(struct judging *judging, struct jwt *jwt)
{
	struct caller *cleanup_with(drop_caller) caller =
	    named(judging->out, CALLER_JWT, "jwt:", subject_of(jwt));

	if (!caller)
		return;
	caller->claims = take_ptr(jwt->claims);
	caller->shown.claims = caller->claims;
	caller->shown.has = claim_has;
	caller->expires_s = jwt->expires_s;
	let_in(judging, &caller, 0);
}

static int thumbprint_of(struct buf *out, const struct credentials *shown)
{
	buf_init(out, THUMBPRINT_MAX);
	return shown->certificate ? base64url_encode(out, shown->certificate->bytes, DIGEST_LEN)
				  : 0;
}

static void try_jwt(struct judging *judging)
{
	const struct policy_auth *auth = &judging->policy->http.auth;
	struct buf cleanup_with(buf_fini) thumbprint = {0};
	struct jwt_rules rules = {.issuer = auth->issuer,
	    .audience = auth->audience,
	    .audience_claim =
		auth->audience_claim && auth->audience_claim[0] ? auth->audience_claim : NULL,
	    .algs = algorithms_of(auth),
	    .skew_s = SKEW_S};
	const struct jwks *keys = issuer_keys(&judging->auth->issuer);
	struct jwt cleanup_with(jwt_fini) jwt = {.claims = NULL};

	if (!auth->jwks_url || !auth->jwks_url[0])
		return; /* what the token's own check said stands */
	judging->out->proof = CALLER_JWT;
	if (thumbprint_of(&thumbprint, judging->shown)) {
		judging->out->verdict = CREDENTIAL_FAULT;
		return;
	}
	rules.thumbprint = judging->shown->certificate ? buf_cstr(&thumbprint) : NULL;
	judging->out->verdict = jwt_verify(
	    &jwt, keys, &rules, judging->now_s, judging->bearer.text, judging->bearer.len);
	if (judging->out->verdict == CREDENTIAL_OK)
		take_jwt(judging, &jwt);
}

/* ---- the order ---------------------------------------------------------------------------- */

static void judge_bearer(struct judging *judging)
{
	if (try_static(judging))
		return;
	switch (judging->bearer.kind) {
	case BEARER_API_KEY: try_key_store(judging); return;
	case BEARER_JWT:
		if (!try_token(judging))
			try_jwt(judging);
		return;
	case BEARER_NONE:
	case BEARER_OTHER: judging->out->verdict = CREDENTIAL_NO_SUCH_KEY; return;
	}
}

void authenticate(struct auth *auth, const struct policy *policy, const struct credentials *shown,
    struct authenticated *ret)
{
	struct judging judging = {.auth = auth,
	    .policy = policy,
	    .shown = shown,
	    .now_s = clock_wall_us() / 1000000,
	    .out = ret};

	*ret = (struct authenticated){.verdict = CREDENTIAL_UNCHECKED};
	ret->verdict = bearer_read(&judging.bearer, shown->authorization, shown->api_key);
	if (ret->verdict == CREDENTIAL_OK) {
		ret->verdict = CREDENTIAL_UNCHECKED;
		judge_bearer(&judging);
	}
}

void authenticate_certificate(const struct credentials *shown, struct authenticated *ret)
{
	const char *name = shown->san_count ? shown->sans[0] : shown->subject;
	struct caller *cleanup_with(drop_caller) caller = NULL;

	*ret = (struct authenticated){.proof = CALLER_CERTIFICATE};
	caller = named(ret, CALLER_CERTIFICATE, "cert:", name ? name : "");
	if (!caller)
		return;
	if (show_certificate(caller, shown))
		return;
	ret->verdict = CREDENTIAL_OK;
	ret->caller = take_ptr(caller);
}
