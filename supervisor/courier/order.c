#include "supervisor/courier/order.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "supervisor/base/str.h"

/* libcurl writes these itself; two of them would be two answers to where a request ends. */
static const char *const forbidden[] = {"Connection", "Content-Length", "Expect", "Host",
    "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding",
    "Upgrade"};

static bool is_plain_ascii(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_value(const char *text)
{
	if (!*text)
		return false;
	for (; *text; text++)
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

static int judge_header(const char *header, struct err_note *note)
{
	const char *colon = header;

	while (is_name_byte(*colon))
		colon++;
	if (colon == header || colon[0] != ':' || colon[1] != ' ' || !is_value(colon + 2) ||
	    strlen(header) > ORDER_HEADER_MAX)
		return err_note(note, -EINVAL, "a header is not of the form Name: value");
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (strlen(forbidden[i]) == (size_t)(colon - header) &&
		    !strncasecmp(forbidden[i], header, (size_t)(colon - header)))
			return err_note(
			    note, -EINVAL, "the header %s is not the asker's to set", forbidden[i]);
	return 0;
}

/* As it is written: what only turns out to be loopback (0x7f.1, a name) is not meant so. */
static bool is_loopback(const char *authority)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (!strncasecmp(authority, names[i], len) &&
		    (authority[len] == '\0' || strchr(":/?#", authority[len])))
			return true;
	}
	return false;
}

static int judge_parts(struct order *ret, CURLU *parts, const char *url, struct err_note *note)
{
	char *host = NULL, *port = NULL;
	int fault = 0;

	if (curl_url_set(parts, CURLUPART_URL, url, CURLU_DISALLOW_USER | CURLU_PATH_AS_IS) ||
	    curl_url_get(parts, CURLUPART_HOST, &host, 0) ||
	    curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) || !*host)
		fault = err_note(note, -EINVAL,
		    "the address is no URL, or holds a user name; write https://HOST/PATH");
	else if (strlen(host) >= sizeof(ret->host))
		fault = err_note(note, -EINVAL, "the name of the host is too long");
	else if (!strcmp(port, "0"))
		fault = err_note(note, -EINVAL, "no server listens at port 0");
	else
		(void)str_printable(ret->host, sizeof(ret->host), host);
	curl_free(host);
	curl_free(port);
	return fault;
}

static int judge_url(struct order *ret, const char *url, struct err_note *note)
{
	const char *authority;
	CURLU *parts;
	int fault;

	if (strlen(url) > ORDER_URL_MAX || !is_plain_ascii(url))
		return err_note(note, -EINVAL,
		    "the address is longer than %d bytes, or holds blanks or letters beyond ASCII",
		    ORDER_URL_MAX);
	ret->target.plain = !strncmp(url, "http://", strlen("http://"));
	if (!ret->target.plain && strncmp(url, "https://", strlen("https://")) != 0)
		return err_note(note, -EINVAL, "the address does not begin with https://");
	authority = strstr(url, "://") + strlen("://");
	if (*authority == '/') /* libcurl would look for the host behind it */
		return err_note(note, -EINVAL, "the address names no host");
	ret->target.loopback = is_loopback(authority);
	parts = curl_url();
	if (!parts)
		return err_note(note, -ENOMEM, "out of memory");
	fault = judge_parts(ret, parts, url, note);
	curl_url_cleanup(parts);
	return fault;
}

int order_judge(struct order *ret, const struct message_fetch *fetch, struct err_note *note)
{
	int fault = 0;

	*ret = (struct order){0};
	if (fetch->method != FETCH_GET && fetch->method != FETCH_POST)
		return err_note(note, -EINVAL, "neither GET nor POST");
	if (fetch->method == FETCH_GET && fetch->body.len > 0)
		return err_note(note, -EINVAL, "a GET has no body");
	if (fetch->headers.count > ORDER_HEADERS_MAX)
		return err_note(note, -EINVAL, "more than %d headers", ORDER_HEADERS_MAX);
	for (uint32_t i = 0; !fault && i < fetch->headers.count; i++)
		fault = judge_header(fetch->headers.items[i], note);
	return fault ? fault : judge_url(ret, fetch->url, note);
}
