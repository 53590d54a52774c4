#include "supervisor/control/discovery.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/control/command.h"
#include "supervisor/control/web.h"

#define WELL_KNOWN_RESOURCE "/.well-known/oauth-protected-resource"
#define WELL_KNOWN_SERVER   "/.well-known/oauth-authorization-server"
#define WELL_KNOWN_OPENID   "/.well-known/openid-configuration"
#define DEVICE_GRANT        "urn:ietf:params:oauth:grant-type:device_code"

int discovery_judge_url(
    const char *text, const char *field, bool local, char out[URL_MAX], struct err_note *note)
{
	struct err_note why = {0};
	struct url url;

	if (!text)
		return err_note(note, -EINVAL, "%s: not there, or no text", field);
	if (url_read(&url, text, &why) != 0)
		return err_note(note, -EINVAL, "%s: %s: %s", field, text, why.text);
	if (url.loopback && !local)
		return err_note(
		    note, -EINVAL, "%s: %s: is this machine, where the gate is not", field, text);
	(void)snprintf(out, URL_MAX, "%s", text);
	return 0;
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		if (json_is_string(entry) && strcmp(json_string_value(entry), text) == 0)
			return true;
	}
	return false;
}

/* RFC 9728 3.3: what it says it is must be what was asked; or its /mcp, which is there, too. */
static bool is_of_gate(const char *resource, const char *url)
{
	size_t len = strlen(url);

	return strncmp(resource, url, len) == 0 &&
	       (!resource[len] || strcmp(resource + len, "/") == 0 ||
		   strcmp(resource + len, "/mcp") == 0);
}

int discovery_judge_resource(
    const json_t *document, const char *url, struct discovered *ret, struct err_note *note)
{
	const char *resource = json_string_value(json_object_get(document, "resource"));
	const json_t *servers = json_object_get(document, "authorization_servers");
	struct url gate;

	if (!json_is_object(document))
		return err_note(note, -EINVAL, "its resource metadata is no JSON object");
	if (!resource || strlen(resource) >= URL_MAX || !is_of_gate(resource, url))
		return err_note(note, -EINVAL,
		    "resource: %s: is not the gate that was asked; give its public address "
		    "(server.url) with --url",
		    resource ? resource : "(none)");
	if (json_array_size(servers) == 0)
		return err_note(note, -EINVAL,
		    "authorization_servers: empty; this gate has no issuer of tokens "
		    "(server.auth.issuer), use --token-file");
	if (url_read(&gate, url, note) != 0)
		return -EINVAL;
	(void)snprintf(ret->resource, URL_MAX, "%s", resource);
	return discovery_judge_url(json_string_value(json_array_get(servers, 0)),
	    "authorization_servers", gate.loopback, ret->issuer, note);
}

int discovery_judge_server(
    const json_t *document, bool local, struct discovered *ret, struct err_note *note)
{
	const char *issuer = json_string_value(json_object_get(document, "issuer"));
	const json_t *grants = json_object_get(document, "grant_types_supported");
	int result;

	if (!json_is_object(document))
		return err_note(note, -EINVAL, "its metadata is no JSON object");
	if (!issuer || strcmp(issuer, ret->issuer) != 0)
		return err_note(note, -EINVAL, "issuer: says %s, but %s was asked",
		    issuer ? issuer : "nothing", ret->issuer);
	if (!json_object_get(document, "device_authorization_endpoint") ||
	    (grants && !has_text(grants, DEVICE_GRANT)))
		return err_note(note, -EINVAL,
		    "device_authorization_endpoint: it offers no device flow; get a token in "
		    "another way and give it with --token-file");
	result = discovery_judge_url(
	    json_string_value(json_object_get(document, "device_authorization_endpoint")),
	    "device_authorization_endpoint", local, ret->device_endpoint, note);
	if (result == 0)
		result = discovery_judge_url(
		    json_string_value(json_object_get(document, "token_endpoint")),
		    "token_endpoint", local, ret->token_endpoint, note);
	return result;
}

/* ---- over the network ----------------------------------------------------------------------- */

/* A document, or NULL with an exit status and words. */
static json_t *get(
    const struct remote *remote, const char *url, int *ret_status, struct err_note *note)
{
	struct web_fetch fetch = {.remote = remote, .url = url};

	*ret_status = COMMAND_UNREACHABLE;
	if (web_fetch(&fetch) != 0) {
		*note = fetch.note;
		return NULL;
	}
	if (fetch.status == 200 && fetch.document)
		return fetch.document;
	json_decref(fetch.document);
	if (fetch.status == 404 && strstr(url, WELL_KNOWN_RESOURCE))
		(void)err_note(note, 0,
		    "%s: this address names no issuer to sign in at; check it, or ask for an API "
		    "key (`callgate keys create` there) and set CALLGATE_TOKEN",
		    url);
	else
		(void)err_note(note, 0, "%s: HTTP status %ld%s; is this the right address?", url,
		    fetch.status, fetch.status == 200 ? " without a JSON object" : "");
	return NULL;
}

/* "scheme://host[:port]" + name + path, as RFC 8414 puts them together; or path + name, as OpenID
 * does. A slash at the path's end goes. */
static void well_known(char out[URL_MAX + 64], const char *issuer, const char *name)
{
	char origin[URL_MAX];
	struct url url;
	size_t len;

	out[0] = '\0';
	if (url_read(&url, issuer, NULL) != 0)
		return;
	len = strlen(url.path);
	len -= len > 0 && url.path[len - 1] == '/';
	(void)url_origin(&url, origin);
	if (strcmp(name, WELL_KNOWN_OPENID) == 0)
		(void)snprintf(out, URL_MAX + 64, "%s%.*s%s", origin, (int)len, url.path, name);
	else
		(void)snprintf(out, URL_MAX + 64, "%s%s%.*s", origin, name, (int)len, url.path);
}

/* By the OAuth name, else by OpenID's. The complaint is about the last one that there was. */
static int ask_server(const struct remote *remote, struct discovered *ret, struct err_note *note)
{
	static const char *const names[] = {WELL_KNOWN_SERVER, WELL_KNOWN_OPENID};
	struct err_note why = {0};
	int status = COMMAND_UNREACHABLE;

	for (size_t i = 0; i < 2; i++) {
		char url[URL_MAX + 64];
		json_t *document;
		int judged;

		well_known(url, ret->issuer, names[i]);
		document = get(remote, url, &status, note);
		if (!document)
			continue;
		judged = discovery_judge_server(document, remote->at.loopback, ret, &why);
		json_decref(document);
		if (judged == 0)
			return COMMAND_OK;
		(void)err_note(note, 0, "%s: %s", url, why.text);
		return COMMAND_USAGE;
	}
	return status;
}

int discover(const struct remote *remote, struct discovered *ret, struct err_note *note)
{
	char url[URL_MAX + 64];
	struct err_note why = {0};
	json_t *document;
	int status;

	(void)snprintf(url, sizeof(url), "%s%s", remote->url, WELL_KNOWN_RESOURCE);
	document = get(remote, url, &status, note);
	if (!document)
		return status;
	if (discovery_judge_resource(document, remote->url, ret, &why) != 0) {
		(void)err_note(note, 0, "%s: %s", url, why.text);
		status = COMMAND_USAGE;
	} else {
		status = ask_server(remote, ret, note);
	}
	json_decref(document);
	return status;
}
