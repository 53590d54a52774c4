#include "agent-api/web/site.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/web/limits.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

/* ---- lists and hosts -------------------------------------------------------------------- */

bool site_lists(const struct strv *list, struct http_text text)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (strlen(list->items[i]) == text.len &&
		    (text.len == 0 || memcmp(list->items[i], text.at, text.len) == 0))
			return true;
	}
	return false;
}

bool site_lists_any_case(const struct strv *list, struct http_text text)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (http_text_is(text, list->items[i]))
			return true;
	}
	return false;
}

static bool is_port(struct http_text port)
{
	if (port.len == 0 || port.len > 5)
		return false;
	for (size_t i = 0; i < port.len; i++) {
		if (port.at[i] < '0' || port.at[i] > '9')
			return false;
	}
	return true;
}

/* Bytes that names and addresses are written with, and that need no escape where we repeat them. */
static bool is_host(struct http_text host, bool bracketed)
{
	if (host.len == 0 || host.len > 255)
		return false;
	for (size_t i = 0; i < host.len; i++) {
		char c = host.at[i];
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';

		if (!plain && !(bracketed && c == ':'))
			return false;
	}
	return true;
}

bool site_split_host(struct http_text text, struct http_text *ret_host, struct http_text *ret_port)
{
	bool bracketed = text.len > 0 && text.at[0] == '[';
	const char *end = text.len == 0 ? NULL : memchr(text.at, bracketed ? ']' : ':', text.len);
	struct http_text host = {
	    text.at + bracketed, (end ? (size_t)(end - text.at) : text.len) - (bracketed ? 1 : 0)};
	struct http_text rest = {NULL, 0};

	if (bracketed && !end)
		return false;
	if (end)
		rest = (struct http_text){
		    end + bracketed, text.len - (size_t)(end - text.at) - bracketed};
	*ret_port = (struct http_text){NULL, 0};
	if (rest.len > 0) {
		*ret_port = (struct http_text){rest.at + 1, rest.len - 1};
		if (rest.at[0] != ':' || !is_port(*ret_port))
			return false;
	}
	*ret_host = host;
	return is_host(host, bracketed);
}

/* ---- what was said ---------------------------------------------------------------------- */

/* ret_unix: where the list may hold the word for the Unix path, whether it does; else NULL. */
static int read_networks(const struct strv *words, const char *what, struct http_networks *ret,
    bool *ret_unix, struct err_note *note)
{
	struct http_network *list = calloc(words->count + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	ret->list = list;
	for (uint32_t i = 0; i < words->count; i++) {
		if (ret_unix && strcmp(words->items[i], "unix") == 0)
			*ret_unix = true;
		else if (http_network_parse(words->items[i], &list[ret->count]) == 0)
			ret->count++;
		else
			return err_note(note, -EINVAL,
			    "server.%s: %s is no network such as 10.0.0.0/8; write it as one", what,
			    words->items[i]);
	}
	return 0;
}

static int read_url(struct site *site, struct err_note *note)
{
	const char *url = site->said->url;
	const char *authority = strncmp(url, "https://", 8) == 0  ? url + 8
				: strncmp(url, "http://", 7) == 0 ? url + 7
								  : NULL;
	struct http_text port;

	if (!*url)
		return 0;
	if (!authority || !site_split_host((struct http_text){authority, strcspn(authority, "/")},
			      &site->url_host, &port))
		return err_note(note, -EINVAL,
		    "server.url: %s is no address such as https://gate.example", url);
	return 0;
}

struct pem {
	const void *bytes;
	size_t len;
};

static int read_tls(struct site *site, struct err_note *note)
{
	static const char *const names[] = {"cert", "key", "client_ca"};
	const struct message_site *said = site->said;
	struct pem pems[3] = {{NULL, 0}};
	int r = 0;

	if (!said->has_tls)
		return 0;
	for (int i = 0; i < 2 + said->has_ca && r == 0; i++) {
		r = fd_map_sealed(site->message.fds[i], WEB_PEM_MAX, &pems[i].bytes, &pems[i].len);
		if (r < 0)
			(void)err_note_errno(
			    note, err_note(note, r, "server.tls.%s: the file's copy", names[i]));
	}
	if (r == 0)
		r = http_tls_new(&(struct http_tls_config){.chain = pems[0].bytes,
				     .chain_len = pems[0].len,
				     .key = pems[1].bytes,
				     .key_len = pems[1].len,
				     .client_ca = said->has_ca ? pems[2].bytes : NULL,
				     .client_ca_len = pems[2].len,
				     .client_required = said->require_client_cert},
		    &site->tls, note);
	for (int i = 0; i < 3; i++) {
		if (pems[i].bytes)
			fd_unmap(pems[i].bytes, pems[i].len);
	}
	return r;
}

static int read_site(struct site *site, struct err_note *note)
{
	const struct message_site *said = site->said;
	int r = read_networks(
	    &said->trusted_proxies, "trusted_proxies", &site->proxies, &site->local_proxies, note);

	if (r == 0)
		r = read_networks(&said->ip_allowlist, "ip_allowlist", &site->allowed, NULL, note);
	if (r == 0)
		r = read_networks(
		    &said->auth_ip_allowlist, "auth.ip_allowlist", &site->auth_allowed, NULL, note);
	if (r == 0)
		r = read_url(site, note);
	return r == 0 ? read_tls(site, note) : r;
}

int site_new(struct message *message, struct site **ret, struct err_note *note)
{
	struct site *site = calloc(1, sizeof(*site));
	int r;

	if (!site)
		return err_note(note, -ENOMEM, "server: no memory for its settings");
	site->message = *message;
	memset(message, 0, sizeof(*message)); /* it is the site's now */
	site->said = &site->message.u.site;
	r = read_site(site, note);
	if (r < 0) {
		site_free(site);
		return r;
	}
	/* The keys live in OpenSSL's memory now, and nowhere else. */
	for (uint32_t i = 0; i < site->message.fd_count; i++) {
		if (site->message.fds[i] >= 0)
			close(message_take_fd(&site->message, i));
	}
	*ret = site;
	return 0;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	http_tls_unref(site->tls);
	free((void *)site->proxies.list);
	free((void *)site->allowed.list);
	free((void *)site->auth_allowed.list);
	message_fini(&site->message);
	free(site);
}
