#include "supervisor/engine/access/visitor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/policy.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/authenticate.h"
#include "supervisor/engine/access/held.h"
#include "supervisor/engine/access/redact.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/records/record_http.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/identity/api_key.h"

#define CHALLENGE_MAX 160
#define BUSY_RETRY_S  10

/* ---- arriving and leaving ----------------------------------------------------------------- */

static void wipe(char **text)
{
	if (*text)
		key_wipe(*text, strlen(*text));
	free(take_ptr(*text));
}

void visitor_free(struct visit *visit)
{
	if (!visit)
		return;
	wipe(&visit->authorization);
	wipe(&visit->api_key);
	for (uint32_t i = 0; visit->sans && i < visit->san_count; i++)
		free(visit->sans[i]);
	free(visit->sans);
	free(visit->address);
	free(visit->subject);
	free(visit->method);
	free(visit->path);
	free(visit->request_id);
	free(visit->revision);
	free(visit->space);
	free(visit);
}

static int copy_sans(struct visit *visit, const struct strv *sans)
{
	visit->sans = calloc(sans->count + 1u, sizeof(*visit->sans));
	if (!visit->sans)
		return -ENOMEM;
	for (uint32_t i = 0; i < sans->count; i++) {
		visit->sans[i] = strdup(sans->items[i]);
		if (!visit->sans[i])
			return -ENOMEM;
		visit->san_count++;
	}
	return 0;
}

static int copy_texts(struct visit *visit, const struct message_visitor *told)
{
	const struct {
		char **to;
		const char *from;
	} texts[] = {
	    {&visit->authorization, told->authorization},
	    {&visit->api_key, told->api_key},
	    {&visit->address, told->address},
	    {&visit->subject, told->subject},
	    {&visit->method, told->method},
	    {&visit->path, told->path},
	    {&visit->request_id, told->request_id},
	    {&visit->revision, told->revision},
	    {&visit->space, ""},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (caller_set(texts[i].to, texts[i].from))
			return -ENOMEM;
	return copy_sans(visit, &told->sans);
}

/* Who writes a key where its id belongs shall not find it in the records. */
static void hide_secrets(char *path)
{
	static const char ids[] = "/v1/keys/";
	bool is_id = strncmp(path, ids, sizeof(ids) - 1) == 0;
	char *at = is_id ? path + sizeof(ids) - 1 : path;

	while (*at) {
		size_t len = strcspn(at, "/");

		if (is_id ? strncmp(at, "key_", 4) != 0
			  : strncmp(at, API_KEY_PREFIX, sizeof(API_KEY_PREFIX) - 1) == 0)
			memset(at, '*', len);
		is_id = false;
		at += len;
		at += *at == '/';
	}
}

static struct visit *new_visit(const struct message_visitor *told)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->certificate = told->certificate;
	visit->local = told->local;
	visit->excluded = told->excluded;
	visit->uid = told->uid;
	visit->gid = told->gid;
	visit->born_us = clock_monotonic_us();
	if (copy_texts(visit, told)) {
		visitor_free(visit);
		return NULL;
	}
	hide_secrets(visit->path);
	return visit;
}

/* The message is the decoder's memory, which is freed unwiped. */
static void wipe_message(struct message *message)
{
	const char *secrets[] = {message->u.visitor.authorization, message->u.visitor.api_key};

	for (size_t i = 0; message->storage && i < 2; i++)
		key_wipe((char *)secrets[i], strlen(secrets[i]));
}

int visitor_arrived(struct engine *engine, struct message *message)
{
	const struct message_visitor *told = &message->u.visitor;
	struct peer given = {.id = told->peer, .pid = told->local ? told->pid : 0};
	int fault = -ENOMEM;

	if (peer_find(engine, told->peer))
		return -EBADMSG;
	given.caller = caller_nobody();
	given.visit = new_visit(told);
	if (given.caller && given.visit && peer_add(engine, &given))
		fault = 0;
	wipe_message(message);
	if (fault) {
		(void)caller_drop(given.caller);
		visitor_free(given.visit);
	}
	return fault;
}

/* ---- refusing ----------------------------------------------------------------------------- */

/* One request at the door. */
struct entry {
	const struct methods_ask *ask;
	struct message *message;
	struct visit *visit; /* NULL: a request of a Unix socket with a credential */
	struct credentials shown;
	char name[ADMISSION_NAME_MAX]; /* under which its address is counted */
	struct caller *caller;         /* who it is, found out here; one hold */
};

static enum visitor_verdict refuse_limited(const struct entry *entry, uint32_t retry_s)
{
	const struct result_refusal refusal = {.code = RESULT_TOO_MANY, .retry_s = retry_s};

	result_refuse_with(
	    &entry->ask->to, &refusal, "too many requests; try again in %u s", retry_s);
	return VISITOR_REFUSED;
}

/* The same words whether the credential that was not looked at is good or bad. */
static enum visitor_verdict refuse_paused(const struct entry *entry, uint32_t retry_s)
{
	const struct result_refusal refusal = {.code = RESULT_TOO_MANY, .retry_s = retry_s};

	result_refuse_with(&entry->ask->to, &refusal,
	    "too many failed sign-ins from this address; try again in %u s", retry_s);
	return VISITOR_REFUSED;
}

static enum visitor_verdict refuse_busy(const struct entry *entry)
{
	const struct result_refusal refusal = {.code = RESULT_UNAVAILABLE, .retry_s = BUSY_RETRY_S};

	result_refuse_with(&entry->ask->to, &refusal, "%s", credential_reason(CREDENTIAL_FAULT));
	return VISITOR_REFUSED;
}

static enum visitor_verdict refuse_credential(
    const struct entry *entry, enum credential_verdict verdict)
{
	char challenge[CHALLENGE_MAX];
	const struct result_refusal refusal = {
	    .code = RESULT_UNAUTHENTICATED, .challenge = challenge};

	(void)snprintf(challenge, sizeof(challenge),
	    "error=\"invalid_token\", error_description=\"%s\"", credential_reason(verdict));
	result_refuse_with(&entry->ask->to, &refusal, "%s", credential_reason(verdict));
	return VISITOR_REFUSED;
}

static enum visitor_verdict refuse_bare(const struct entry *entry)
{
	admission_bare(entry->ask->engine);
	result_refuse(
	    &entry->ask->to, RESULT_UNAUTHENTICATED, "%s", credential_reason(CREDENTIAL_ABSENT));
	return VISITOR_REFUSED;
}

/* ---- the credential ----------------------------------------------------------------------- */

static const struct policy_auth *auth_rules(const struct entry *entry)
{
	return &entry->ask->engine->rules->policy->http.auth;
}

static enum visitor_verdict take_failure(struct entry *entry, const struct authenticated *found)
{
	struct engine *engine = entry->ask->engine;
	enum credential_verdict verdict = found->verdict;

	/* What no key is known for is not wrong as long as there is no key at all. */
	if (found->proof == CALLER_JWT && credential_wants_keys(verdict) &&
	    !issuer_keys(&engine->auth->issuer))
		verdict = CREDENTIAL_FAULT;
	admission_failed(engine, entry->name, entry->visit ? entry->visit->address : "",
	    found->proof, verdict, found->id);
	return verdict == CREDENTIAL_FAULT ? refuse_busy(entry) : refuse_credential(entry, verdict);
}

/* Newer keys may make it good: it waits for them, once. */
static bool hold(struct entry *entry, const struct authenticated *found)
{
	struct auth *auth = entry->ask->engine->auth;

	return found->proof == CALLER_JWT && credential_wants_keys(found->verdict) &&
	       !auth->is_final && issuer_awaits(&auth->issuer) &&
	       held_add(entry->ask->engine, entry->message) == 0;
}

/* ADMITTED without a caller: nothing is shown. */
static enum visitor_verdict judge_credential(struct entry *entry)
{
	struct engine *engine = entry->ask->engine;
	struct authenticated found;
	uint32_t retry_s;

	if (!entry->shown.authorization && !entry->shown.api_key)
		return VISITOR_ADMITTED;
	if (!admission_try(engine, entry->name, &retry_s))
		return refuse_paused(entry, retry_s);
	authenticate(engine->auth, engine->rules->policy, &entry->shown, &found);
	if (found.verdict == CREDENTIAL_OK) {
		entry->caller = found.caller;
		return VISITOR_ADMITTED;
	}
	if (hold(entry, &found))
		return VISITOR_HELD;
	return take_failure(entry, &found);
}

static enum visitor_verdict judge_certificate(struct entry *entry)
{
	struct authenticated found;

	if (!entry->shown.certificate)
		return VISITOR_ADMITTED;
	authenticate_certificate(&entry->shown, &found);
	if (found.verdict != CREDENTIAL_OK)
		return take_failure(entry, &found);
	entry->caller = found.caller;
	return VISITOR_ADMITTED;
}

/* ---- who has shown nothing ---------------------------------------------------------------- */

static struct caller *anonymous(void)
{
	struct caller *caller = caller_nobody();

	if (!caller)
		return NULL;
	caller->proof = CALLER_ANONYMOUS;
	(void)snprintf(caller->principal, sizeof(caller->principal), "anonymous");
	caller->shown.anonymous = true;
	return caller;
}

static bool is_list(uint16_t method)
{
	return method == REQUEST_TOOLS_LIST || method == REQUEST_AGENTS_LIST;
}

static bool is_mcp(const struct visit *visit)
{
	return strcmp(visit->path, "/mcp") == 0;
}

/* Came by a Unix socket, and the policy gives his user something. With authentication on, nobody
 * else is his uid alone: it may be that of a proxy, which stands for all of its clients. */
static bool is_known_user(const struct entry *entry)
{
	const struct policy *policy = entry->ask->engine->rules->policy;
	const struct visit *visit = entry->visit;
	const struct subject subject = {
	    .shown = {.has_peer = true, .uid = visit->uid, .gid = visit->gid},
	    .agent = "",
	    .space = ""};
	struct identity identity;

	if (!visit->local)
		return false;
	policy_identify(policy, &subject, &identity);
	return !policy->http.auth.enabled || identity.result != IDENTITY_NO_ROLE;
}

static enum visitor_verdict let_in_bare(struct entry *entry)
{
	const struct policy_auth *auth = auth_rules(entry);
	const struct visit *visit = entry->visit;

	if (is_known_user(entry))
		entry->caller = caller_of_uid(visit->uid, visit->gid);
	else if (!auth->enabled || !auth->require_auth || visit->excluded)
		entry->caller = anonymous();
	else if (is_list(entry->ask->request->method) && !is_mcp(visit))
		entry->caller = caller_nobody(); /* sees what is public */
	else
		return refuse_bare(entry);
	return entry->caller ? VISITOR_ADMITTED : refuse_busy(entry);
}

bool visitor_sees_public(const struct peer *peer)
{
	return peer->visit && !is_mcp(peer->visit) && !caller_is_proven(peer->caller);
}

/* ---- the door ----------------------------------------------------------------------------- */

static const char *given(const char *text)
{
	return text && text[0] ? text : NULL;
}

static struct credentials shown_by(const struct visit *visit)
{
	bool has_certificate = visit->subject[0] || visit->san_count;

	return (struct credentials){.authorization = given(visit->authorization),
	    .api_key = given(visit->api_key),
	    .certificate = has_certificate ? &visit->certificate : NULL,
	    .subject = visit->subject,
	    .sans = (const char *const *)visit->sans,
	    .san_count = visit->san_count};
}

/* Where the caller comes from, for records. 0 or -ENOMEM. */
static int say_where(const struct engine *engine, struct caller *caller, const struct visit *visit)
{
	int fault = caller_set(&caller->address, visit->address);

	if (!fault)
		fault = caller_set(&caller->request_id, visit->request_id);
	if (!fault)
		fault = caller_set(&caller->method, visit->method);
	return fault ? fault : caller_set(&caller->path, redact_path(engine, visit->path));
}

/* What needs no credential is not refused for a wrong one either: a web hook is judged by its
 * signature, and our public keys are for everybody. */
static bool needs_nobody(uint16_t method)
{
	return method == REQUEST_CALLBACK || method == REQUEST_TOKENS_KEYS;
}

static enum visitor_verdict find_caller(struct entry *entry)
{
	enum visitor_verdict verdict = VISITOR_ADMITTED;

	if (needs_nobody(entry->ask->request->method)) {
		entry->caller = caller_nobody();
		return entry->caller ? VISITOR_ADMITTED : refuse_busy(entry);
	}
	if (auth_rules(entry)->enabled)
		verdict = judge_credential(entry);
	if (verdict == VISITOR_ADMITTED && !entry->caller)
		verdict = judge_certificate(entry);
	if (verdict == VISITOR_ADMITTED && !entry->caller)
		verdict = let_in_bare(entry);
	return verdict;
}

/* Limits by who it is. */
static enum visitor_verdict welcome(struct entry *entry)
{
	struct engine *engine = entry->ask->engine;
	uint32_t retry_s;

	if (!admission_caller(engine, entry->caller, entry->ask->request->space, &retry_s))
		return refuse_limited(entry, retry_s);
	if (caller_is_proven(entry->caller))
		admission_welcome(engine, entry->caller, entry->name);
	return VISITOR_ADMITTED;
}

static enum visitor_verdict admit_visit(struct entry *entry, const struct peer *peer)
{
	struct visit *visit = entry->visit;
	enum visitor_verdict verdict;
	uint32_t retry_s;

	admission_name(entry->name, visit->address, visit->uid);
	entry->shown = shown_by(visit);
	if (!visit->is_counted &&
	    !admission_address(entry->ask->engine, entry->name,
		entry->shown.authorization || entry->shown.api_key || entry->shown.certificate,
		&retry_s))
		return refuse_limited(entry, retry_s);
	visit->is_counted = true;
	verdict = find_caller(entry);
	if (verdict == VISITOR_ADMITTED && say_where(entry->ask->engine, entry->caller, visit))
		verdict = refuse_busy(entry);
	if (verdict == VISITOR_ADMITTED)
		verdict = welcome(entry);
	if (verdict == VISITOR_ADMITTED) {
		visit->is_judged = true;
		peer_become(entry->ask->engine, peer->id, take_ptr(entry->caller));
		wipe(&visit->authorization); /* kept where it is wrong: it stays wrong */
		wipe(&visit->api_key);
	}
	return verdict;
}

/* A credential on a Unix socket: that request is its bearer's, and not of who is connected. */
static enum visitor_verdict admit_guest(
    struct entry *entry, const struct peer *peer, struct peer *guest)
{
	enum visitor_verdict verdict;

	if (peer->call[0]) {
		result_refuse(&entry->ask->to, RESULT_FORBIDDEN,
		    "a running call asks as itself and with no credential");
		return VISITOR_REFUSED;
	}
	admission_name(entry->name, "", peer->caller->shown.uid);
	entry->shown.api_key = entry->ask->request->credential;
	verdict = judge_credential(entry);
	if (verdict == VISITOR_ADMITTED)
		verdict = welcome(entry);
	if (verdict == VISITOR_ADMITTED) {
		*guest = *peer;
		guest->next = NULL;
		guest->caller = take_ptr(entry->caller);
	}
	return verdict;
}

enum visitor_verdict visitor_admit(const struct methods_ask *ask, struct message *message,
    const struct peer *peer, struct peer *guest, const struct peer **ret_peer)
{
	struct entry entry = {.ask = ask, .message = message, .visit = peer->visit};
	const char *credential = ask->request->credential;
	enum visitor_verdict verdict;

	*ret_peer = peer;
	if (peer->visit ? peer->visit->is_judged : !credential || !credential[0])
		return VISITOR_ADMITTED;
	if (!ask->engine->auth)
		return refuse_busy(&entry);
	verdict = peer->visit ? admit_visit(&entry, peer) : admit_guest(&entry, peer, guest);
	if (verdict == VISITOR_ADMITTED && !peer->visit)
		*ret_peer = guest;
	(void)caller_drop(entry.caller);
	return verdict;
}

void visitor_answered(struct engine *engine, uint64_t id, int status)
{
	const struct peer *peer = id & PEER_IS_HTTP ? peer_find(engine, id) : NULL;

	if (!peer || !peer->visit || peer->visit->recorded == REQUEST_NONE)
		return;
	record_http_request(engine, peer, status);
	peer->visit->recorded = REQUEST_NONE;
}
