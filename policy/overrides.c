#include <errno.h>
#include <string.h>

#include "policy/check.h"
#include "policy/keys.h"
#include "policy/policy.h"
#include "policy/text.h"

#define URL_MAX   2048
#define ROLES_MAX 64

static int refuse(struct schema *schema, const char *option, const char *why)
{
	return err_note(schema->note, -EINVAL, "%s: %s", option, why);
}

static int take_text(
    struct schema *schema, const char *option, const char *text, const char **ret_text)
{
	size_t len = strlen(text);

	if (!len || len > URL_MAX || !text_is_clean(text, len))
		return refuse(schema, option, "is empty, too long or not clean text; correct it");
	*ret_text = arena_text(schema->arena, text, len);
	return *ret_text ? 0 : -ENOMEM;
}

/* A token is judged by who signed it, who issued it and for whom. */
static int take_jwt(
    struct schema *schema, const struct policy_overrides *overrides, struct policy_auth *auth)
{
	const char *why;
	int fault;

	if (!overrides->jwks_url && !overrides->issuer && !overrides->audience)
		return 0;
	if (!overrides->jwks_url || !overrides->issuer || !overrides->audience)
		return refuse(schema, "--auth-jwks-url",
		    "is not enough to judge a token, and neither is --auth-issuer or "
		    "--auth-audience; give all three or none");
	why = judge_url(overrides->jwks_url);
	if (why)
		return refuse(schema, "--auth-jwks-url", why);
	fault = take_text(schema, "--auth-jwks-url", overrides->jwks_url, &auth->jwks_url);
	if (!fault)
		fault = take_text(schema, "--auth-issuer", overrides->issuer, &auth->issuer);
	if (!fault)
		fault = take_text(schema, "--auth-audience", overrides->audience, &auth->audience);
	auth->enabled = true;
	return fault;
}

static int take_roles(struct schema *schema, const char *names, struct policy_words *ret)
{
	struct policy_word *items = arena_array(schema->arena, ROLES_MAX, sizeof(*items));
	uint32_t count = 0;

	if (!items)
		return -ENOMEM;
	for (bool more = true; more; names++) {
		size_t len = strcspn(names, ",");

		if (count == ROLES_MAX)
			return refuse(schema, "--studio-roles", "names more than 64; shorten it");
		items[count].text = arena_text(schema->arena, names, len);
		if (!items[count].text)
			return -ENOMEM;
		if (judge_name(items[count].text))
			return refuse(schema, "--studio-roles",
			    "is not a list of roles; write names with a comma between them");
		count++;
		names += len;
		more = *names == ',';
	}
	*ret = (struct policy_words){items, count};
	return 0;
}

int overrides_apply(struct schema *schema, struct policy_http *http)
{
	const struct policy_overrides *overrides = schema->source->overrides;
	int fault;

	if (!overrides)
		return 0;
	fault = take_jwt(schema, overrides, &http->auth);
	if (!fault && overrides->studio_roles)
		fault = take_roles(schema, overrides->studio_roles, &http->studio_roles);
	if (overrides->no_auth_required) {
		http->auth.require_auth = false;
		http->auth.require_auth_given = true;
	}
	if (overrides->studio)
		http->studio = true;
	return fault;
}
