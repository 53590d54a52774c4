#include "policy/load_request.h"

#include <errno.h>
#include <string.h>

static const char *const mode_names[LOAD_MODE_COUNT] = {
    [LOAD_FILE] = "load", [LOAD_EDIT] = "edit", [LOAD_SHOW] = "show"};

int load_request_put(struct buf *out, const struct load_request *request)
{
	const struct policy_overrides *overrides = &request->overrides;
	char *text;
	json_t *root = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:b, s:b}", "mode",
	    mode_names[request->mode], "jwks_url", overrides->jwks_url, "issuer", overrides->issuer,
	    "audience", overrides->audience, "studio_roles", overrides->studio_roles,
	    "no_auth_required", overrides->no_auth_required, "studio", overrides->studio);

	if (!root)
		return -EINVAL;
	text = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	if (!text)
		return -ENOMEM;
	(void)buf_text(out, text);
	free(text);
	return out->fault;
}

static enum load_mode mode_of(const char *name)
{
	for (int mode = LOAD_FILE; mode < LOAD_MODE_COUNT; mode++) {
		if (!strcmp(mode_names[mode], name))
			return (enum load_mode)mode;
	}
	return LOAD_NONE;
}

int load_request_read(const char *text, struct load_request *ret)
{
	struct load_request request = {.mode = LOAD_FILE};
	const char *mode;
	int no_auth_required, studio;

	if (!text) {
		*ret = request;
		return 0;
	}
	request.root =
	    strlen(text) < LOAD_REQUEST_MAX ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	if (!request.root)
		return -EBADMSG;
	if (json_unpack(request.root, "{s:s, s?s, s?s, s?s, s?s, s:b, s:b !}", "mode", &mode,
		"jwks_url", &request.overrides.jwks_url, "issuer", &request.overrides.issuer,
		"audience", &request.overrides.audience, "studio_roles",
		&request.overrides.studio_roles, "no_auth_required", &no_auth_required, "studio",
		&studio) ||
	    mode_of(mode) == LOAD_NONE) {
		load_request_fini(&request);
		return -EBADMSG;
	}
	request.mode = mode_of(mode);
	request.overrides.no_auth_required = no_auth_required;
	request.overrides.studio = studio;
	*ret = request;
	return 0;
}

void load_request_fini(struct load_request *request)
{
	json_decref(request->root);
	*request = (struct load_request){.mode = LOAD_NONE};
}
