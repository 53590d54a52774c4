#include "supervisor/engine/access/redact.h"

#include <string.h>

#include "policy/policy.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/identity/api_key.h"

#define KEY_PART_MIN 16 /* bytes behind the prefix that no name has by chance */
#define JWT_PART_MIN 8

static size_t run_of(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* {"... in base64url, and two more parts. */
static bool holds_jwt(const char *text)
{
	for (const char *at = strstr(text, "eyJ"); at; at = strstr(at + 1, "eyJ")) {
		size_t head = run_of(at);
		size_t body = at[head] == '.' ? run_of(at + head + 1) : 0;

		if (head >= JWT_PART_MIN && body >= JWT_PART_MIN && at[head + 1 + body] == '.')
			return true;
	}
	return false;
}

static bool holds_key(const char *text)
{
	const char *at = strstr(text, API_KEY_PREFIX);

	return at && run_of(at + strlen(API_KEY_PREFIX)) >= KEY_PART_MIN;
}

/* A key that an administrator made up has no form. */
static bool is_known(const struct engine *engine, const char *text, size_t len)
{
	const struct auth *auth = engine->auth;
	struct digest digest;

	if (!auth || len < API_KEY_STATIC_MIN || api_key_digest(&digest, text, len))
		return false;
	return api_key_find(auth->known, auth->known_count, &digest) < auth->known_count ||
	       (auth->has_service && digest_equal(&auth->service, &digest));
}

static bool is_of_policy(const struct engine *engine, const char *name)
{
	const struct policy *policy = engine->rules ? engine->rules->policy : NULL;

	return policy && (policy_find_tool(policy, name) || policy_find_agent(policy, name) ||
			     policy_find_namespace(policy, name));
}

const char *redact_name(const struct engine *engine, const char *name)
{
	if (!name || !name[0] || is_of_policy(engine, name))
		return name;
	return holds_key(name) || holds_jwt(name) || is_known(engine, name, strlen(name)) ? REDACTED
											  : name;
}

const char *redact_path(const struct engine *engine, const char *path)
{
	if (holds_key(path) || holds_jwt(path))
		return "/" REDACTED;
	for (const char *at = path; *at; at += strspn(at, "/")) {
		size_t len = strcspn(at, "/");

		if (is_known(engine, at, len))
			return "/" REDACTED;
		at += len;
	}
	return path;
}
