#include "supervisor/control/web.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define FETCH_S      30
#define DOCUMENT_MAX (256 * 1024)
#define KEEPALIVE_S  30L

static void set_tls(CURL *easy, const struct remote *remote, int as_client)
{
	(void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (remote->ca) {
		(void)curl_easy_setopt(easy, CURLOPT_CAINFO, remote->ca);
		(void)curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	}
	if (as_client && remote->cert) {
		(void)curl_easy_setopt(easy, CURLOPT_SSLCERT, remote->cert);
		(void)curl_easy_setopt(
		    easy, CURLOPT_SSLKEY, remote->key ? remote->key : remote->cert);
	}
}

CURL *web_handle(const struct remote *remote, const char *url, int as_client, char *error_text)
{
	int https = strncmp(url, "https://", 8) == 0;
	CURL *easy;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return NULL;
	easy = curl_easy_init();
	if (!easy)
		return NULL;
	error_text[0] = '\0';
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text);
	set_tls(easy, remote, as_client);
	(void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)WEB_CONNECT_S);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	(void)curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
	(void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "callgate/" CALLGATE_VERSION);
	/* A proxy would read what is said in the clear to this machine. */
	if (!https)
		(void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
	/* What must hold whatever this libcurl is. */
	if (curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, https ? "https" : "http") != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_URL, url) != CURLE_OK) {
		curl_easy_cleanup(easy);
		return NULL;
	}
	return easy;
}

/* What helps, by what went wrong; text: libcurl's own word on it. */
void web_explain(struct err_note *note, const char *url, CURLcode code, const char *text)
{
	const char *why = text && text[0] ? text : curl_easy_strerror(code);

	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		(void)err_note(note, -EHOSTUNREACH,
		    "%s: TLS: its certificate is not trusted: %s; name its CA with --ca FILE", url,
		    why);
		break;
	case CURLE_SSL_CERTPROBLEM:
		(void)err_note(note, -EHOSTUNREACH,
		    "%s: TLS: our certificate cannot be used: %s; see --cert and --key", url, why);
		break;
	case CURLE_SSL_CACERT_BADFILE:
		(void)err_note(note, -EHOSTUNREACH,
		    "%s: TLS: the CA file cannot be read: %s; see --ca", url, why);
		break;
	case CURLE_SSL_CONNECT_ERROR:
		(void)err_note(note, -EHOSTUNREACH,
		    "%s: TLS: %s; does it speak TLS 1.2 or newer there, and does it want a client "
		    "certificate (--cert)?",
		    url, why);
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
		(void)err_note(
		    note, -EHOSTUNREACH, "%s: no such host; see --url and the network", url);
		break;
	case CURLE_OPERATION_TIMEDOUT:
		(void)err_note(
		    note, -EHOSTUNREACH, "%s: %s; is the gate there and well?", url, why);
		break;
	default:
		(void)err_note(note, -EHOSTUNREACH,
		    "%s: %s; does a callgate with server.port listen there?", url, why);
	}
}

int web_header(struct curl_slist **list, const char *text)
{
	struct curl_slist *longer = curl_slist_append(*list, text);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

void web_headers_free(struct curl_slist *list)
{
	for (struct curl_slist *node = list; node; node = node->next)
		OPENSSL_cleanse(node->data, strlen(node->data));
	curl_slist_free_all(list);
}

void web_form(struct buf *form, const char *name, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				    "-._~";

	if (!value || !*value)
		return;
	(void)buf_textf(form, "%s%s=", form->len ? "&" : "", name);
	for (; *value; value++) {
		if (strchr(plain, *value))
			(void)buf_put(form, value, 1);
		else
			(void)buf_textf(form, "%%%02X", (unsigned)(unsigned char)*value);
	}
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	struct buf *body = owner;

	return buf_put(body, bytes, size * count) == 0 ? size * count : 0;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
	size_t *left = owner;

	(void)bytes;
	if (size * count > *left)
		return 0;
	*left -= size * count;
	return size * count;
}

static CURLcode perform(CURL *easy, struct web_fetch *fetch, struct buf *body)
{
	struct curl_slist *headers = NULL;
	size_t header_left = WEB_HEADER_MAX;
	CURLcode code = CURLE_OUT_OF_MEMORY;

	if (web_header(&headers, "Accept: application/json") == 0 &&
	    web_header(&headers, "Expect:") == 0) {
		(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
		(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)FETCH_S);
		(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
		(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, body);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
		(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, &header_left);
		if (fetch->form)
			(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, fetch->form);
		code = curl_easy_perform(easy);
		(void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &fetch->status);
	}
	web_headers_free(headers);
	return code;
}

int web_fetch(struct web_fetch *fetch)
{
	char error_text[CURL_ERROR_SIZE];
	CURL *easy = web_handle(fetch->remote, fetch->url, 0, error_text);
	struct buf cleanup_with(buf_fini) body = {0};
	CURLcode code;

	fetch->status = 0;
	fetch->document = NULL;
	if (!easy)
		return err_note(
		    &fetch->note, -ENOMEM, "%s: libcurl cannot be used for it", fetch->url);
	buf_init(&body, DOCUMENT_MAX);
	code = perform(easy, fetch, &body);
	if (code == CURLE_OK) {
		fetch->document =
		    json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES, NULL);
		if (!json_is_object(fetch->document)) {
			json_decref(fetch->document);
			fetch->document = NULL;
		}
	} else if (body.fault == -ENOBUFS) {
		(void)err_note(&fetch->note, -EHOSTUNREACH,
		    "%s: its answer is longer than %d bytes; is this the right address?",
		    fetch->url, DOCUMENT_MAX);
	} else {
		web_explain(&fetch->note, fetch->url, code, error_text);
	}
	if (body.data)
		OPENSSL_cleanse(body.data, body.len); /* a token may be in it */
	curl_easy_cleanup(easy);
	return code == CURLE_OK ? 0 : -EHOSTUNREACH;
}
