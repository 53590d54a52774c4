/*
 * libcurl as every request of ours uses it: TLS 1.2 or newer, verified; no redirects, no cookies,
 * no credential from a URL or a .netrc, no proxy for this machine; and one small request as a
 * whole. Floor 4: libcurl, jansson; web_fetch() blocks.
 */
#ifndef CALLGATE_CONTROL_WEB_H
#define CALLGATE_CONTROL_WEB_H

#include <curl/curl.h>
#include <jansson.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/control/remote.h"

#define WEB_CONNECT_S  10
#define WEB_HEADER_MAX (64 * 1024) /* bytes of all headers of an answer */

/* A handle for requests to url, with an error buffer of CURL_ERROR_SIZE bytes that stays the
 * caller's. remote: whose CA counts; as_client: and whose client certificate is shown. NULL: no
 * memory, or this libcurl cannot do TLS. Ended by curl_easy_cleanup(). */
CURL *web_handle(const struct remote *remote, const char *url, int as_client, char *error_text);

/* Says what a transfer that ended with code means: "URL: why; what to do". */
void web_explain(struct err_note *note, const char *url, CURLcode code, const char *error_text);

/* A header of the list, which is ended and wiped by web_headers_free(). 0 or -ENOMEM. */
int web_header(struct curl_slist **list, const char *text);
void web_headers_free(struct curl_slist *list);

/* One small JSON document. */
struct web_fetch {
	const struct remote *remote;
	const char *url;      /* judged by url_read() */
	const char *form;     /* body of a POST, "" too; NULL: GET */
	long status;          /* out: of HTTP */
	json_t *document;     /* out: an object, owned by the caller; NULL: the body is none */
	struct err_note note; /* out: why there was no answer */
};

/* 0: an answer came, whatever it says; -EHOSTUNREACH: none, see note; -ENOMEM. */
int web_fetch(struct web_fetch *fetch);

/* Appends name=value to a form, percent-encoded; nothing for an empty value. */
void web_form(struct buf *form, const char *name, const char *value);

#endif
