/* Texts of server: and approvals.channels: addresses, names and URLs. */
#include <arpa/inet.h>
#include <string.h>

#include "policy/keys.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

#define HOST_NAME_LEN 253 /* of a name that can be looked up */

/* ---- addresses ---------------------------------------------------------------------------- */

/* A path is told by its slash. */
const char *judge_listen(const char *text)
{
	unsigned char address[16];

	if (strchr(text, '/'))
		return text[strlen(text) - 1] == '/' ? "is a folder; name the socket in it" : NULL;
	if (inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1)
		return NULL;
	return "is not an address; write one such as 127.0.0.1 or ::1, or the path of a socket";
}

/* True when bits of the address beyond the prefix are set. */
static bool has_host_bits(const unsigned char *address, unsigned bytes, unsigned prefix)
{
	for (unsigned i = prefix; i < bytes * 8; i++) {
		if (address[i / 8] & (0x80u >> (i % 8)))
			return true;
	}
	return false;
}

/* An address, or a network as ADDRESS/PREFIX. */
const char *judge_network(const char *text)
{
	static const char why[] = "is not a network; write one such as 10.0.0.0/8 or fd00::/8";
	unsigned char address[16];
	uint64_t prefix = 0;
	char plain[64];
	size_t len = strcspn(text, "/");
	unsigned bytes;

	if (len >= sizeof(plain))
		return why;
	memcpy(plain, text, len);
	plain[len] = '\0';
	if (inet_pton(AF_INET, plain, address) == 1)
		bytes = 4;
	else if (inet_pton(AF_INET6, plain, address) == 1)
		bytes = 16;
	else
		return why;
	if (!text[len])
		return NULL;
	if (str_u64(text + len + 1, bytes * 8, &prefix) || (text[len + 1] == '0' && text[len + 2]))
		return why;
	return has_host_bits(address, bytes, (unsigned)prefix)
		   ? "has bits set beyond its prefix; write the network's first address"
		   : NULL;
}

const char *judge_proxy(const char *text)
{
	return http_is_local_proxy(text) ? NULL : judge_network(text);
}

/* The length of HOST at the start of text; 0: there is none. */
static size_t name_len(const char *text)
{
	static const char fit[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
	size_t len;

	if (text[0] == '[') {
		len = strspn(text + 1, "0123456789abcdefABCDEF:.");
		return len && text[len + 1] == ']' ? len + 2 : 0;
	}
	len = text[0] == '.' || text[0] == '-' ? 0 : strspn(text, fit);
	return len <= HOST_NAME_LEN ? len : 0; /* resolvers differ in what they cut off */
}

/* The length of :PORT at the start of text; 0: there is none. */
static size_t port_len(const char *text)
{
	size_t digits = text[0] == ':' ? strspn(text + 1, "0123456789") : 0;
	char port[8];
	uint64_t value;

	if (!digits || digits >= sizeof(port))
		return 0;
	memcpy(port, text + 1, digits);
	port[digits] = '\0';
	return str_u64(port, 65535, &value) || !value ? 0 : digits + 1;
}

/* The length of HOST[:PORT]; 0: there is none. */
static size_t host_len(const char *text)
{
	size_t len = name_len(text);

	return len ? len + port_len(text + len) : 0;
}

static bool is_loopback(const char *host, size_t len)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t name = strlen(names[i]);

		if (len >= name && !strncmp(host, names[i], name) &&
		    (len == name || host[name] == ':'))
			return true;
	}
	return false;
}

/* Keys that are fetched in the clear can be replaced on the way; only this machine may do so. */
const char *judge_url(const char *text)
{
	const char *host = strstr(text, "://");
	size_t len;

	if (!host || text[strcspn(text, " \t\n#@\\")])
		return "is not a URL; write https://host/path without blanks, @ and #";
	host += 3;
	len = host_len(host);
	if (!len || (host[len] && host[len] != '/'))
		return "is not a URL; write https://host/path without blanks, @ and #";
	if (!strncmp(text, "https://", 8))
		return NULL;
	return !strncmp(text, "http://", 7) && is_loopback(host, len)
		   ? NULL
		   : "is not fetched safely; write https:// (http:// only for localhost)";
}

const char *judge_endpoint(const char *text)
{
	size_t name = name_len(text);
	size_t port = name ? port_len(text + name) : 0;

	return port && !text[name + port] ? NULL
					  : "is not host:port; write one such as localhost:4318";
}

const char *judge_origin(const char *text)
{
	static const char why[] =
	    "is not an origin; write scheme://host[:port] without a path, or *";
	const char *host = strstr(text, "://");
	size_t len;

	if (!strcmp(text, "*"))
		return NULL;
	if (strncmp(text, "https://", 8) && strncmp(text, "http://", 7))
		return why;
	len = host_len(host + 3);
	return len && !host[3 + len] ? NULL : why;
}

const char *judge_method(const char *text)
{
	static const char *const methods[] = {
	    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!strcmp(text, methods[i]))
			return NULL;
	}
	return "is not a method of HTTP; choose from GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
}

/* A token of RFC 9110. */
const char *judge_header(const char *text)
{
	static const char fit[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				  "!#$%&'+-.^_`|~";

	return text[strspn(text, fit)] ? "is not a header's name; use letters, digits and -" : NULL;
}

const char *judge_url_path(const char *text)
{
	if (text[0] != '/' || text[strcspn(text, " \t\n?#*%\\")] || text_climbs(text) ||
	    strstr(text, "//"))
		return "is not a plain path; write one such as /health, matched whole";
	return NULL;
}

/* scheme://host[:port] and nothing behind it. */
const char *judge_site_url(const char *text)
{
	const char *host = strstr(text, "://");
	size_t len = host ? host_len(host + 3) : 0;

	if (!len || host[3 + len])
		return "is not the address of a site; write https://host[:port] without a path or "
		       "a last slash";
	return judge_url(text) ? "is not safe: credentials would cross the network in the clear; "
				 "write https:// (http:// only for localhost)"
			       : NULL;
}

/* As in the header Host, without the port. */
const char *judge_host(const char *text)
{
	size_t len = name_len(text);

	return len && !text[len] ? NULL : "is not a host's name; write one such as gate.example";
}

/* Signed with a secret, or not at all: whoever judges such a token could also have made it. */
const char *judge_algorithm(const char *text)
{
	static const char *const names[] = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
	    "ES256", "ES384", "ES512", "EdDSA"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(text, names[i]))
			return NULL;
	}
	if (!strncmp(text, "HS", 2) || !strcmp(text, "none"))
		return "proves nothing: with public keys anybody can make such a token; choose "
		       "RS256, PS256, ES256 or EdDSA";
	return "is not an algorithm that is read; choose RS, PS or ES with 256, 384 or 512, or "
	       "EdDSA";
}
