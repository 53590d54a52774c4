#include "supervisor/engine/approvals/grant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/records/record.h"

static const struct {
	enum grant_bit scope;
	const char *name;
} scopes[] = {
    {GRANT_ONCE, "once"},
    {GRANT_SESSION, "session"},
    {GRANT_ALWAYS, "always"},
};

const char *grant_scope_name(enum grant_bit scope)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (scopes[i].scope == scope)
			return scopes[i].name;
	return "none";
}

enum grant_bit grant_scope(const char *name)
{
	for (size_t i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++)
		if (!strcmp(scopes[i].name, name))
			return scopes[i].scope;
	return (enum grant_bit)0;
}

/* ---- birth and death ---------------------------------------------------------------------- */

static void free_grant(struct grant *grant)
{
	free(grant->agent);
	free(grant->space);
	free(grant->tool);
	free(grant->command);
	free(grant->rule);
	free(grant);
}

static int fill(struct grant *grant, const struct approval *approval)
{
	uint8_t bytes[6];

	grant->plan = approval->plan;
	memcpy(grant->principal, approval->principal, sizeof(grant->principal));
	grant->agent = strdup(approval->agent);
	grant->space = strdup(approval->space);
	grant->tool = strdup(approval->tool);
	grant->command = strdup(approval->command);
	grant->rule = strdup(approval->rule);
	grant->answer = approval->answer;
	if (!grant->agent || !grant->space || !grant->tool || !grant->command || !grant->rule)
		return -ENOMEM;
	if (key_random(bytes, sizeof(bytes)))
		return -EIO;
	grant->id[0] = 'g';
	str_hex(grant->id + 1, bytes, sizeof(bytes));
	return 0;
}

static uint32_t count_of(const struct engine *engine)
{
	uint32_t count = 0;

	for (const struct grant *at = engine->grants; at; at = at->next)
		count++;
	return count;
}

int grant_add(struct engine *engine, const struct approval *approval, enum grant_bit scope,
    const struct call *caller, uint64_t ttl_ms)
{
	uint64_t ttl_us = (ttl_ms ? ttl_ms : GRANT_TTL_STANDARD_MS) * 1000;
	struct grant *grant;
	int fault;

	grant_sweep(engine);
	if (scope == GRANT_SESSION && !caller)
		return GRANT_NO_SESSION;
	if (count_of(engine) >= GRANTS_MAX)
		return GRANT_FULL;
	grant = calloc(1, sizeof(*grant));
	fault = grant ? fill(grant, approval) : -ENOMEM;
	if (fault) {
		if (grant)
			free_grant(grant);
		return fault;
	}
	grant->scope = scope;
	grant->peer = scope == GRANT_SESSION ? caller->peer : 0;
	grant->created_wall_us = clock_wall_us();
	grant->expires_wall_us = grant->created_wall_us + ttl_us;
	grant->expires_us = clock_monotonic_us() + ttl_us;
	grant->next = engine->grants;
	engine->grants = grant;
	return 0;
}

static bool is_over(const struct engine *engine, const struct grant *grant, uint64_t now_us)
{
	return grant->expires_us <= now_us ||
	       (grant->scope == GRANT_SESSION && !peer_find(engine, grant->peer));
}

void grant_sweep(struct engine *engine)
{
	uint64_t now_us = clock_monotonic_us();
	struct grant **at = &engine->grants;

	while (*at) {
		struct grant *grant = *at;

		if (is_over(engine, grant, now_us)) {
			*at = grant->next;
			free_grant(grant);
		} else {
			at = &grant->next;
		}
	}
}

void grant_free_all(struct engine *engine)
{
	while (engine->grants) {
		struct grant *grant = engine->grants;

		engine->grants = grant->next;
		free_grant(grant);
	}
}

/* ---- use ---------------------------------------------------------------------------------- */

static bool may_be_for(const struct grant *grant, const struct call *call)
{
	const char *agent = call->identity.agent ? call->identity.agent->name : "";

	return !strcmp(grant->principal, call->caller->principal) && !strcmp(grant->agent, agent) &&
	       !strcmp(grant->space, call->identity.space->name) &&
	       !strcmp(grant->tool, call->tool->name) &&
	       (grant->scope == GRANT_ALWAYS || grant->peer == call->peer);
}

/* The digest covers all of these already; an answer must never cross from one principal to
 * another, whatever the digest is made of. */
static bool is_for(const struct grant *grant, const struct call *call)
{
	return digest_equal(&grant->plan, &call->plan) && may_be_for(grant, call);
}

const struct grant *grant_find(const struct call *call)
{
	uint64_t now_us = clock_monotonic_us();

	for (const struct grant *at = call->engine->grants; at; at = at->next)
		if (is_for(at, call) && !is_over(call->engine, at, now_us))
			return at;
	return NULL;
}

bool grant_possible(const struct call *call)
{
	uint64_t now_us = clock_monotonic_us();

	for (const struct grant *at = call->engine->grants; at; at = at->next)
		if (may_be_for(at, call) && !is_over(call->engine, at, now_us))
			return true;
	return false;
}

const struct grant *grant_by_id(const struct engine *engine, const char *id)
{
	const struct grant *at = engine->grants;

	while (at && strcmp(at->id, id) != 0)
		at = at->next;
	return at;
}

void grant_revoke(struct engine *engine, const struct grant *grant, const char *by)
{
	struct grant **at = &engine->grants;
	struct grant *found;

	while (*at && *at != grant)
		at = &(*at)->next;
	found = *at;
	if (!found)
		return;
	*at = found->next;
	record_grant_end(engine, found, by, "revoked");
	free_grant(found);
}

void grant_void_all(struct engine *engine, const char *cause)
{
	while (engine->grants) {
		struct grant *grant = engine->grants;

		engine->grants = grant->next;
		record_grant_end(engine, grant, "", cause);
		free_grant(grant);
	}
}
