#include "supervisor/engine/access/auth.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/access/held.h"
#include "supervisor/engine/access/rows.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

#define JWKS_TEXT_MAX 4096

/* ---- birth and death ---------------------------------------------------------------------- */

/* A new key at each start: the counts of used calls do not outlive it, nor do the tokens. */
static int make_signer(struct auth *auth)
{
	struct buf cleanup_with(buf_fini) text = {0};
	uint8_t seed[KEY_LEN];
	int fault = key_random(seed, sizeof(seed));

	if (!fault)
		fault = token_signer_init(&auth->signer, seed);
	key_wipe(seed, sizeof(seed));
	buf_init(&text, JWKS_TEXT_MAX);
	if (!fault)
		fault = token_jwks(&text, (const uint8_t(*)[KEY_LEN]) & auth->signer.public_key, 1);
	if (!fault)
		fault = jwks_parse(&auth->own, (const char *)text.data, text.len, NULL);
	return fault;
}

int auth_open(struct engine *engine, const char *folder, struct err_note *note)
{
	struct auth *auth = calloc(1, sizeof(*auth));
	int fault = auth ? 0 : -ENOMEM;

	if (fault)
		return err_note(note, fault, "authentication: out of memory");
	auth->engine = engine;
	engine->auth = auth;
	auth->uses = uses_new(USES_PLACES_MAX);
	fault = auth->uses ? admission_init(&auth->admission, engine) : -ENOMEM;
	if (!fault)
		fault = make_signer(auth);
	if (fault)
		(void)err_note_errno(note, err_note(note, fault, "authentication: not ready"));
	if (!fault && folder)
		fault = key_store_open(&auth->store, folder, note);
	if (fault)
		auth_free(engine);
	return fault;
}

static void free_keys(char **names, struct digest *known)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
	free(known);
}

void auth_free(struct engine *engine)
{
	struct auth *auth = take_ptr(engine->auth);

	if (!auth)
		return;
	held_free_all(auth);
	issuer_fini(&auth->issuer);
	admission_fini(&auth->admission);
	key_store_close(auth->store);
	jwks_free(auth->own);
	uses_free(auth->uses);
	free_keys(auth->names, auth->known);
	key_wipe(&auth->signer, sizeof(auth->signer));
	free(auth);
}

/* ---- what the policy says ----------------------------------------------------------------- */

/* "NAME=<64 hex>" */
static int read_key(const char *line, struct digest *ret_digest, char **ret_name)
{
	const char *sign = strchr(line, '=');

	if (!sign || sign == line || digest_unhex(ret_digest, sign + 1))
		return -EBADMSG;
	*ret_name = strndup(line, (size_t)(sign - line));
	return *ret_name ? 0 : -ENOMEM;
}

int auth_take_keys(struct engine *engine, const struct message_policy *policy)
{
	const struct strv *lines = &policy->static_keys;
	struct auth *auth = engine->auth;
	const char *service_text = policy->service_key ? policy->service_key : "";
	struct digest *known = calloc(lines->count + 1u, sizeof(*known));
	char **names = calloc(lines->count + 1u, sizeof(*names));
	struct digest service = {{0}};
	int fault = known && names && auth ? 0 : -ENOMEM;

	for (uint32_t i = 0; i < lines->count && !fault; i++)
		fault = read_key(lines->items[i], &known[i], &names[i]);
	if (!fault && service_text[0] && digest_unhex(&service, service_text))
		fault = -EBADMSG;
	if (fault) {
		free_keys(names, known);
		return fault;
	}
	free_keys(auth->names, auth->known);
	auth->names = names;
	auth->known = known;
	auth->known_count = lines->count;
	auth->service = service;
	auth->has_service = service_text[0] != '\0';
	return 0;
}

void auth_take_policy(struct engine *engine)
{
	struct auth *auth = engine->auth;
	int fault;

	if (!auth)
		return;
	fault = rows_mark(engine->rules->policy, auth->signer.seed, &auth->rows);
	if (fault) {
		auth->rows = 0;
		log_error("tokens: %s; none is good", strerror(-fault));
	}
	fault = issuer_set(&auth->issuer, engine, &engine->rules->policy->http.auth);
	if (fault)
		log_error("server.auth.jwks_url: keys cannot be fetched: %s; no JWT is accepted",
		    strerror(-fault));
}

const char *auth_issuer(const struct policy *policy)
{
	const char *url = policy->http.url;

	return url && url[0] ? url : "callgate";
}

/* ---- the end of a credential -------------------------------------------------------------- */

bool auth_is_of(const struct caller *caller, const char *credential)
{
	const char *name = strchr(caller->principal, ':');

	return strcmp(caller->credential, credential) == 0 ||
	       (caller->proof == CALLER_TOKEN && name && strcmp(name + 1, credential) == 0);
}

void auth_ended(struct engine *engine, const char *credential)
{
	for (struct call *call = engine->calls; call; call = call->next)
		if (auth_is_of(call->caller, credential))
			call->caller->expires_s = 1;
	calls_expire(engine);
}
