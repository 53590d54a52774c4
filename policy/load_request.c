#include "policy/load_request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const mode_names[LOAD_MODE_COUNT] = {
    [LOAD_FILE] = "load", [LOAD_EDIT] = "edit", [LOAD_SHOW] = "show"};

static void put_line(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	for (const char *byte = value; *byte; byte++) {
		if (((unsigned char)*byte < ' ' || *byte == 0x7f) && !out->fault)
			out->fault = -EINVAL;
	}
	buf_textf(out, "%s=%s\n", name, value);
}

int load_request_put(struct buf *out, const struct load_request *request)
{
	const struct policy_overrides *overrides = &request->overrides;

	if (request->mode <= LOAD_NONE || request->mode >= LOAD_MODE_COUNT)
		return -EINVAL;
	put_line(out, "mode", mode_names[request->mode]);
	put_line(out, "jwks_url", overrides->jwks_url);
	put_line(out, "issuer", overrides->issuer);
	put_line(out, "audience", overrides->audience);
	put_line(out, "studio_roles", overrides->studio_roles);
	put_line(out, "no_auth_required", overrides->no_auth_required ? "" : NULL);
	put_line(out, "studio", overrides->studio ? "" : NULL);
	return out->fault;
}

static int take_text(const char **place, const char *value)
{
	if (*place)
		return -EBADMSG; /* twice */
	*place = value;
	return 0;
}

static int take_flag(bool *place, const char *value)
{
	if (*place || *value)
		return -EBADMSG;
	*place = true;
	return 0;
}

static int take_mode(struct load_request *request, const char *value)
{
	if (request->mode != LOAD_NONE)
		return -EBADMSG;
	for (int mode = LOAD_FILE; mode < LOAD_MODE_COUNT; mode++) {
		if (!strcmp(mode_names[mode], value))
			request->mode = (enum load_mode)mode;
	}
	return request->mode == LOAD_NONE ? -EBADMSG : 0;
}

static int take_line(struct load_request *request, const char *name, const char *value)
{
	struct policy_overrides *overrides = &request->overrides;

	if (!strcmp(name, "mode"))
		return take_mode(request, value);
	if (!strcmp(name, "jwks_url"))
		return take_text(&overrides->jwks_url, value);
	if (!strcmp(name, "issuer"))
		return take_text(&overrides->issuer, value);
	if (!strcmp(name, "audience"))
		return take_text(&overrides->audience, value);
	if (!strcmp(name, "studio_roles"))
		return take_text(&overrides->studio_roles, value);
	if (!strcmp(name, "no_auth_required"))
		return take_flag(&overrides->no_auth_required, value);
	if (!strcmp(name, "studio"))
		return take_flag(&overrides->studio, value);
	return -EBADMSG;
}

static int take_lines(struct load_request *request)
{
	char *line = request->text;

	while (*line) {
		char *end = strchr(line, '\n'), *equals = strchr(line, '=');
		int fault;

		if (!end || !equals || equals > end)
			return -EBADMSG;
		*end = *equals = '\0';
		fault = take_line(request, line, equals + 1);
		if (fault)
			return fault;
		line = end + 1;
	}
	return request->mode == LOAD_NONE ? -EBADMSG : 0;
}

int load_request_read(const char *text, struct load_request *ret)
{
	struct load_request request = {.mode = LOAD_NONE};
	int fault;

	if (!text) {
		*ret = (struct load_request){.mode = LOAD_FILE};
		return 0;
	}
	if (strlen(text) > LOAD_REQUEST_MAX)
		return -EBADMSG;
	request.text = strdup(text);
	if (!request.text)
		return -ENOMEM;
	fault = take_lines(&request);
	if (fault)
		load_request_fini(&request);
	else
		*ret = request;
	return fault;
}

void load_request_fini(struct load_request *request)
{
	free(request->text);
	*request = (struct load_request){.mode = LOAD_NONE};
}
