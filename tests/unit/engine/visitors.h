/*
 * HTTP callers in the world of fakes.h: a policy with authentication, a key store in a folder of
 * its own, an issuer whose keys are made here, and requests as the HTTP front would send them.
 */
#ifndef CALLGATE_TEST_ENGINE_VISITORS_H
#define CALLGATE_TEST_ENGINE_VISITORS_H

#include "tests/unit/engine/fakes.h"

#include <limits.h>

#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/access/authenticate.h"
#include "supervisor/engine/access/held.h"
#include "supervisor/engine/access/visitor.h"
#include "supervisor/engine/fetch.h"
#include "supervisor/engine/records/metrics.h"
#include "tests/unit/identity/maker.h"

#define STATIC_KEY  "static-key-of-an-administrator-0123456789"
#define SERVICE_KEY "service-key-of-an-administrator-012345678"
#define ISSUER      "https://idp.example/"
#define AUDIENCE    "callgate"

static const char guarded_policy[] =
    "server:\n  listen: 127.0.0.1\n  port: 8700\n  url: https://gate.example\n"
    "  auth: {enabled: true, jwks_url: \"https://idp.example/jwks\", issuer: \"" ISSUER
    "\", audience: " AUDIENCE ", api_keys: [\"${API_KEY_1}\"]}\n"
    "  observability: {metrics: {enabled: true}}\n"
    "  studio: {enabled: true}\n"
    "roles:\n"
    "  developer: {tools: [bash], permissions: [tokens:issue, metrics:read]}\n"
    "  keeper: {tools: [bash], permissions: [keys:manage, tokens:issue]}\n"
    "  operator: {tools: [\"*\"], approve: [\"*\"], permissions: [approvals:read, "
    "approvals:decide, policy:edit]}\n"
    "principals:\n"
    "  - {peer_uid: 1000, roles: [developer]}\n"
    "  - {jwt: {claim: role, value: developer}, roles: [developer]}\n"
    "  - {jwt: {claim: role, value: operator}, roles: [operator]}\n"
    "  - {jwt: {claim: scope, value: keys}, roles: [keeper], namespaces: [default, a1]}\n"
    "  - {jwt: {claim: role, value: split}, roles: [developer], namespaces: [default]}\n"
    "  - {jwt: {claim: role, value: split}, roles: [operator], namespaces: [a1]}\n"
    "  - {jwt: {claim: role, value: both}, client_cert: {san: \"spiffe://corp/ci\"}, roles: "
    "[operator]}\n"
    "  - {client_cert: {san: \"spiffe://corp/ci\"}, roles: [developer]}\n"
    "  - {api_key: API_KEY_1, roles: [developer]}\n"
    "tenants:\n  acme: {namespaces: [a1, a2], rate_limiting: {requests_per_minute: 60, burst: "
    "3}}\n"
    "  blue: {namespaces: [b1]}\n"
    "namespaces:\n  default: {working_directory: ./w}\n  a1: {working_directory: ./a1}\n"
    "  a2: {working_directory: ./a2}\n  b1: {working_directory: ./b1}\n"
    "tools:\n"
    "  bash: {type: command, working_directory: ., deny_by_default: true, allowed_commands: "
    "[ls]}\n"
    "  inner: {type: command, visibility: internal, working_directory: ., allowed_commands: "
    "[ls]}\n"
    "  secret: {type: command, visibility: private, working_directory: ., allowed_commands: "
    "[ls]}\n";

static char guarded_folder[PATH_MAX];
static EVP_PKEY *issuer_key;
static uint64_t last_serial = 5000;
static uint64_t last_peer;

static inline struct ruleset *guarded_rules(const char *text)
{
	static char *variables[] = {"API_KEY_1=" STATIC_KEY, NULL};
	struct policy_source source = {
	    .file = "test.yaml", .text = text, .len = strlen(text), .env = variables};
	struct ruleset *rules = calloc(1, sizeof(*rules));
	struct err_note note = {0};

	if (policy_load(&source, &rules->policy, NULL, &note))
		fail_msg("%s", note.text);
	assert_int_equal(rulebook_new(rules->policy, &rules->book, &note), 0);
	assert_int_equal(digest_of(&rules->version, text, strlen(text)), 0);
	rules->uses = 1;
	return rules;
}

static inline void guarded_use(const char *text)
{
	struct ruleset *old = world.rules;

	world.rules = guarded_rules(text);
	auth_take_policy(&world);
	calls_reload(&world);
	(void)ruleset_drop(old);
}

static inline void hex_of(char out[DIGEST_HEX_MAX], const char *text)
{
	struct digest digest;

	assert_int_equal(digest_of(&digest, text, strlen(text)), 0);
	digest_hex(out, &digest);
}

static inline void guarded_keys(const char *static_key, const char *service_key)
{
	static char line[DIGEST_HEX_MAX + 16], service[DIGEST_HEX_MAX];
	const char *lines[] = {line};
	struct message_policy policy = {.static_keys = {.items = lines, .count = 1}};
	char hex[DIGEST_HEX_MAX];

	hex_of(hex, static_key);
	snprintf(line, sizeof(line), "API_KEY_1=%s", hex);
	hex_of(service, service_key);
	policy.service_key = service;
	assert_int_equal(auth_take_keys(&world, &policy), 0);
}

static inline int guarded_setup(void **state)
{
	struct err_note note = {""};

	world_setup(state);
	world.owner_uid = 4242;
	world.courier.name = "link to courier";
	snprintf(guarded_folder, sizeof(guarded_folder), "%s/callgate-auth-XXXXXX",
	    getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(guarded_folder));
	if (auth_open(&world, guarded_folder, &note))
		fail_msg("%s", note.text);
	guarded_keys(STATIC_KEY, SERVICE_KEY);
	if (!issuer_key)
		issuer_key = maker_key(JWK_ED25519);
	guarded_use(guarded_policy);
	return 0;
}

static inline int guarded_teardown(void **state)
{
	static const char *const files[] = {"keys.db", "keys.db-wal", "keys.db-shm"};
	char path[PATH_MAX + 16];

	peer_free_all(&world);
	record_free_all(&world);
	auth_free(&world);
	metrics_free(&world);
	fetch_free_all(&world);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", guarded_folder, files[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(guarded_folder), 0);
	return world_teardown(state);
}

/* ---- credentials -------------------------------------------------------------------------- */

static inline uint64_t now_s(void)
{
	return clock_wall_us() / 1000000;
}

/* A JWT of the issuer; claims: further members, with a comma in front. The caller's. */
static inline char *jwt_by(EVP_PKEY *key, const char *kid, const char *claims)
{
	char header[128], payload[1024];

	snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
	snprintf(payload, sizeof(payload),
	    "{\"iss\":\"" ISSUER "\",\"aud\":\"" AUDIENCE "\",\"sub\":\"alice\",\"exp\":%llu%s}",
	    (unsigned long long)now_s() + 600, claims);
	return maker_token(header, payload, key, JWS_EDDSA);
}

static inline char *jwt_of(const char *claims)
{
	return jwt_by(issuer_key, "k1", claims);
}

/* What courier brings; keys: NULL: a failure. */
static inline void courier_brings(const char *kid, EVP_PKEY *key)
{
	struct message *asked = sent_next(&world.courier, MESSAGE_FETCH);
	struct message answer;
	struct buf text;

	assert_non_null(asked);
	buf_init(&text, 8192);
	message_init(&answer, MESSAGE_FETCHED);
	answer.serial = asked->serial;
	answer.u.fetched.status = key ? ANSWER_OK : ANSWER_UNAVAILABLE;
	answer.u.fetched.http = key ? 200 : 0;
	answer.u.fetched.note = key ? "" : "no route";
	if (key) {
		buf_textf(&text, "{\"keys\":[{\"kid\":\"%s\",", kid);
		maker_members(&text, key, JWK_ED25519);
		buf_text(&text, "}]}");
	}
	answer.u.fetched.body.data = text.data ? (void *)text.data : (void *)"";
	answer.u.fetched.body.len = text.len;
	assert_int_equal(fetch_answered(&world, &answer), 0);
	buf_fini(&text);
}

/* ---- requests ----------------------------------------------------------------------------- */

struct visited {
	const char *bearer;  /* behind "Bearer "; NULL: none */
	const char *api_key; /* X-API-Key */
	const char *san;     /* of a client certificate */
	const char *address, *path;
	bool excluded, local;
	uint32_t uid; /* of a local one; 0: 1000 */
	enum request_method method;
	const char *space, *agent, *tool;
	const char *body; /* JSON; NULL: {} */
	uint32_t options;
};

/* Sends VISITOR and REQUEST; the peer's number. The reply, if there is one, is with world.http. */
static inline uint64_t visit(const struct visited *asked)
{
	uint64_t peer = PEER_IS_HTTP | ++last_peer;
	const char *sans[] = {asked->san};
	struct message message, request;
	char authorization[20000] = "";

	if (asked->bearer)
		snprintf(authorization, sizeof(authorization), "Bearer %s", asked->bearer);
	message_init(&message, MESSAGE_VISITOR);
	message.u.visitor = (struct message_visitor){.peer = peer,
	    .address = asked->local     ? ""
		       : asked->address ? asked->address
					: "192.0.2.7",
	    .local = asked->local,
	    .uid = asked->uid ? asked->uid : 1000,
	    .gid = 1000,
	    .authorization = authorization,
	    .api_key = asked->api_key ? asked->api_key : "",
	    .subject = asked->san ? "CN=ci" : "",
	    .sans = {.items = sans, .count = asked->san ? 1 : 0},
	    .method = "POST",
	    .path = asked->path ? asked->path : "/v1/x",
	    .request_id = "req-1",
	    .revision = "",
	    .excluded = asked->excluded};
	memset(message.u.visitor.certificate.bytes, asked->san ? 7 : 0, DIGEST_LEN);
	assert_int_equal(visitor_arrived(&world, &message), 0);
	request = request_message(peer, ++last_serial, asked->method);
	request.u.request.space = asked->space ? asked->space : "";
	request.u.request.agent = asked->agent ? asked->agent : "";
	request.u.request.tool = asked->tool ? asked->tool : "";
	request.u.request.credential = "";
	request.u.request.options = asked->options;
	request.u.request.body.data = asked->body ? asked->body : "{}";
	request.u.request.body.len = strlen(request.u.request.body.data);
	assert_int_equal(methods_request(&world, &request), 0);
	return peer;
}

/* Every record so far is on disk. */
static inline void records_are_written(void)
{
	for (size_t i = 0; i < sent_count; i++) {
		if (sent[i].seen || sent[i].message.type != MESSAGE_RECORD)
			continue;
		sent[i].seen = 1;
		answer_record(sent[i].message.serial, ANSWER_OK, 0);
	}
}

/* The body of the next reply to the HTTP front; *ret_reply: it. The caller's. */
static inline json_t *visit_reply(const struct message_reply **ret_reply)
{
	struct message *reply;
	json_t *json;

	records_are_written();
	reply = sent_next(&world.http, MESSAGE_REPLY);
	assert_non_null(reply);
	json = json_loadb(reply->u.reply.body.data, reply->u.reply.body.len, JSON_DECODE_ANY, NULL);
	assert_non_null(json);
	if (ret_reply)
		*ret_reply = &reply->u.reply;
	return json;
}

/* 200, or the code of the error. */
static inline int visit_status(const struct visited *asked)
{
	const struct message_reply *reply;
	json_t *json;
	int code;

	(void)visit(asked);
	json = visit_reply(&reply);
	code = reply->kind == REPLY_RESULT ? 200
					   : (int)json_integer_value(json_object_get(json, "code"));
	json_decref(json);
	return code;
}

/* The result of a request that must succeed; the caller's. */
static inline json_t *visit_result(const struct visited *asked)
{
	const struct message_reply *reply;
	json_t *json;

	(void)visit(asked);
	json = visit_reply(&reply);
	if (reply->kind != REPLY_RESULT) {
		char *text = json_dumps(json, JSON_COMPACT);

		fail_msg("%s", text);
	}
	return json;
}

/* Does any record hold these bytes? */
static inline int recorded_anywhere(const char *text)
{
	for (size_t i = 0; i < sent_count; i++)
		if (sent[i].message.type == MESSAGE_RECORD && record_holds(&sent[i].message, text))
			return 1;
	return 0;
}

/* The newest record of this type; NULL: none. */
static inline struct message *record_of(enum record_type type)
{
	for (size_t i = sent_count; i > 0; i--)
		if (sent[i - 1].message.type == MESSAGE_RECORD &&
		    sent[i - 1].message.u.record.record == type)
			return &sent[i - 1].message;
	return NULL;
}

static inline void pass_s(uint64_t seconds)
{
	fake_now_us += seconds * 1000000;
}

#endif
