#include "supervisor/control/url.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"

#define HTTPS_PORT 443
#define HTTP_PORT  80
#define DIGITS     "0123456789"
#define NAME_BYTES "abcdefghijklmnopqrstuvwxyz" DIGITS ".-"
#define PATH_BYTES                                                                                 \
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._~!$&'()*+,;=:@%/"

/* "127." and then digits and dots: what no resolver takes for a name. */
static bool is_loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0 ||
	       (strncmp(host, "127.", 4) == 0 && strspn(host, DIGITS ".") == strlen(host));
}

static const char *read_scheme(struct url *url, const char *text)
{
	if (strncmp(text, "https://", 8) == 0) {
		url->https = true;
		url->port = HTTPS_PORT;
		return text + 8;
	}
	url->port = HTTP_PORT;
	return strncmp(text, "http://", 7) == 0 ? text + 7 : NULL;
}

/* The length of the host at text; 0: there is none. */
static size_t host_length(const char *text)
{
	size_t len;

	if (text[0] != '[')
		return strcspn(text, ":/?#");
	len = strcspn(text, "]");
	return text[len] == ']' ? len + 1 : 0;
}

static bool read_host(struct url *url, const char *text, size_t len)
{
	if (len == 0 || len >= sizeof(url->host))
		return false;
	for (size_t i = 0; i < len; i++)
		url->host[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	url->host[len] = '\0';
	if (url->host[0] == '[')
		return strspn(url->host + 1, "abcdef:." DIGITS) == len - 2 && len > 3;
	return strspn(url->host, NAME_BYTES) == len && url->host[0] != '.' && url->host[0] != '-';
}

/* What follows the host: [:port]. Returns what follows that; NULL: no number of a port. */
static const char *read_port(struct url *url, const char *text)
{
	char digits[8];
	uint64_t port;
	size_t len;

	if (*text != ':')
		return text;
	len = strspn(++text, DIGITS);
	if (len == 0 || len >= sizeof(digits))
		return NULL;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, text);
	if (str_u64(digits, UINT16_MAX, &port) != 0 || port == 0)
		return NULL;
	url->port = (uint16_t)port;
	url->port_said = true;
	return text + len;
}

static bool is_path(const char *path)
{
	return (*path == '\0' || *path == '/') && strspn(path, PATH_BYTES) == strlen(path) &&
	       !strstr(path, "/..") && !strstr(path, "//") && !strstr(path, "/./");
}

int url_read(struct url *url, const char *text, struct err_note *note)
{
	const char *rest;
	size_t len;

	*url = (struct url){.path = ""};
	if (strlen(text) >= URL_MAX)
		return err_note(note, -EINVAL, "longer than %d bytes", URL_MAX - 1);
	rest = read_scheme(url, text);
	if (!rest)
		return err_note(note, -EINVAL, "must begin with https://");
	if (rest[strcspn(rest, "@/")] == '@')
		return err_note(
		    note, -EINVAL, "holds a user name; a credential does not belong there");
	len = host_length(rest);
	if (!read_host(url, rest, len))
		return err_note(note, -EINVAL, "has no host");
	rest = read_port(url, rest + len);
	if (!rest)
		return err_note(note, -EINVAL, "the port is not a number from 1 to 65535");
	if (!is_path(rest))
		return err_note(
		    note, -EINVAL, "has a query, a fragment or a path that is no plain one");
	url->path = rest;
	url->loopback = is_loopback(url->host);
	if (!url->https && !url->loopback)
		return err_note(note, -EINVAL,
		    "http is for this machine only (127.0.0.1, [::1], localhost); use https");
	return 0;
}

int url_read_gate(struct url *url, char out[URL_MAX], const char *text, struct err_note *note)
{
	int result = url_read(url, text, note);

	if (result != 0)
		return result;
	if (strcmp(url->path, "") != 0 && strcmp(url->path, "/") != 0)
		return err_note(note, -EINVAL, "has a path; give https://HOST[:PORT]");
	(void)url_origin(url, out);
	url->path = "";
	return 0;
}

const char *url_origin(const struct url *url, char out[URL_MAX])
{
	const char *scheme = url->https ? "https" : "http";

	if (url->port_said && url->port != (url->https ? HTTPS_PORT : HTTP_PORT))
		(void)snprintf(out, URL_MAX, "%s://%s:%u", scheme, url->host, (unsigned)url->port);
	else
		(void)snprintf(out, URL_MAX, "%s://%s", scheme, url->host);
	return out;
}

const char *url_file_name(const struct url *url, char out[URL_MAX])
{
	(void)snprintf(out, URL_MAX, "%s_%u", url->host, (unsigned)url->port);
	for (char *byte = out; *byte; byte++)
		if (!strchr(NAME_BYTES "_", *byte))
			*byte = '-';
	return out;
}
