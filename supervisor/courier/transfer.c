#include "supervisor/courier/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "supervisor/base/str.h"

#define RETRY_MAX_S (24 * 60 * 60)

/* ---- birth --------------------------------------------------------------------------------- */

static int add_header(struct transfer *transfer, const char *header)
{
	struct curl_slist *longer = curl_slist_append(transfer->headers, header);

	if (!longer)
		return -ENOMEM;
	transfer->headers = longer;
	return 0;
}

/* Two of libcurl's own headers are not wanted: Expect would cost a round trip, and the type of a
 * body is the asker's to say. */
static int copy_headers(struct transfer *transfer, const struct strv *headers)
{
	int fault = add_header(transfer, "Expect:");
	bool typed = false;

	for (uint32_t i = 0; !fault && i < headers->count; i++) {
		typed |= !strncasecmp(headers->items[i], "Content-Type:", strlen("Content-Type:"));
		fault = add_header(transfer, headers->items[i]);
	}
	return fault || typed ? fault : add_header(transfer, "Content-Type:");
}

static int copy_fetch(struct transfer *transfer, const struct message_fetch *fetch)
{
	transfer->method = fetch->method;
	transfer->url = strdup(fetch->url);
	transfer->body = malloc(fetch->body.len + 1);
	if (!transfer->url || !transfer->body)
		return -ENOMEM;
	if (fetch->body.len > 0)
		memcpy(transfer->body, fetch->body.data, fetch->body.len);
	transfer->body_len = fetch->body.len;
	return copy_headers(transfer, &fetch->headers);
}

int transfer_new(struct transfer **ret, const struct message_fetch *fetch, uint64_t serial,
    uint64_t now_ms, struct err_note *note)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer));
	uint32_t timeout_ms = fetch->timeout_ms;
	int fault;

	if (!transfer)
		return err_note(note, -ENOMEM, "out of memory");
	if (timeout_ms == 0 || timeout_ms > ORDER_TIMEOUT_MAX)
		timeout_ms = ORDER_TIMEOUT_MAX;
	transfer->serial = serial;
	transfer->due_ms = now_ms + timeout_ms;
	buf_init(&transfer->answer,
	    fetch->answer_max < MESSAGE_BODY_MAX ? fetch->answer_max : MESSAGE_BODY_MAX);
	fault = order_judge(&transfer->order, fetch, note);
	if (!fault && copy_fetch(transfer, fetch))
		fault = err_note(note, -ENOMEM, "out of memory");
	if (fault) {
		transfer_free(transfer);
		return fault;
	}
	*ret = transfer;
	return 0;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	curl_easy_cleanup(transfer->easy);
	if (transfer->url)
		explicit_bzero(transfer->url, strlen(transfer->url));
	for (struct curl_slist *header = transfer->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	if (transfer->body)
		explicit_bzero(transfer->body, transfer->body_len);
	if (transfer->answer.data)
		explicit_bzero(transfer->answer.data, transfer->answer.len);
	free(transfer->url);
	free(transfer->body);
	curl_slist_free_all(transfer->headers);
	buf_fini(&transfer->answer);
	free(transfer);
}

/* ---- what libcurl asks us ------------------------------------------------------------------ */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	if (size * count == 0 || buf_put(&transfer->answer, bytes, size * count) == 0)
		return size * count;
	(void)err_note(&transfer->note, -EMSGSIZE,
	    "its answer is longer than the %zu bytes that are taken", transfer->answer.limit);
	return CURL_WRITEFUNC_ERROR;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;

	(void)bytes;
	transfer->header_bytes += size * count;
	if (transfer->header_bytes <= TRANSFER_HEADERS_MAX)
		return size * count;
	(void)err_note(&transfer->note, -EMSGSIZE,
	    "the headers of its answer are longer than %d bytes", TRANSFER_HEADERS_MAX);
	return CURL_WRITEFUNC_ERROR;
}

/* The address is the one that will be connected to: no second look-up comes after this. */
static curl_socket_t on_open(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct transfer *transfer = context;

	(void)purpose;
	if (reach_judge(&transfer->outgoing->reach, &transfer->order.target, &to->addr,
		&transfer->note) != REACH_ALLOWED)
		return CURL_SOCKET_BAD;
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* A connection that is used again was opened under what held then. */
static int on_connected(
    void *context, char *to_address, char *own_address, int to_port, int own_port)
{
	struct transfer *transfer = context;

	(void)own_address;
	(void)to_port;
	(void)own_port;
	return reach_judge_text(&transfer->outgoing->reach, &transfer->order.target, to_address,
		   &transfer->note) == REACH_ALLOWED
		   ? CURL_PREREQFUNC_OK
		   : CURL_PREREQFUNC_ABORT;
}

/* ---- the handle ---------------------------------------------------------------------------- */

struct setting {
	CURLoption option;
	long value;
};

static const struct setting settings[] = {
    {CURLOPT_NOSIGNAL, 1}, {CURLOPT_FOLLOWLOCATION, 0}, {CURLOPT_UNRESTRICTED_AUTH, 0},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED}, {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_HTTP09_ALLOWED, 0}, {CURLOPT_PATH_AS_IS, 1},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2}, {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2}, {CURLOPT_TCP_KEEPALIVE, 1}, {CURLOPT_MAXAGE_CONN, 60},
    {CURLOPT_QUICK_EXIT, 1}, /* a stuck look-up is left to its thread, not waited for */
};

static CURLcode set_limits(struct transfer *transfer, uint64_t left_ms)
{
	CURL *easy = transfer->easy;
	CURLcode bad = CURLE_OK;

	for (size_t i = 0; !bad && i < sizeof(settings) / sizeof(settings[0]); i++)
		bad = curl_easy_setopt(easy, settings[i].option, settings[i].value);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		    left_ms < TRANSFER_CONNECT_MS ? (long)left_ms : (long)TRANSFER_CONNECT_MS);
	if (!bad)
		bad = curl_easy_setopt(
		    easy, CURLOPT_PROTOCOLS_STR, transfer->order.target.plain ? "http" : "https");
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* nor one of the environment */
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_USERAGENT, "callgate/" CALLGATE_VERSION);
	return bad;
}

/* libcurl counts whole seconds, so in the first two every connection is a new one. */
static CURLcode set_oldest(struct transfer *transfer, uint64_t now_ms)
{
	uint64_t changed_ms = transfer->outgoing->changed_ms;

	if (changed_ms == 0)
		return CURLE_OK;
	if (now_ms - changed_ms < 2000)
		return curl_easy_setopt(transfer->easy, CURLOPT_FRESH_CONNECT, 1L);
	return curl_easy_setopt(
	    transfer->easy, CURLOPT_MAXLIFETIME_CONN, (long)((now_ms - changed_ms) / 1000 - 1));
}

static CURLcode set_callbacks(struct transfer *transfer)
{
	const struct {
		CURLoption function, data;
		void (*call)(void);
	} hooks[] = {
	    {CURLOPT_WRITEFUNCTION, CURLOPT_WRITEDATA, (void (*)(void))on_body},
	    {CURLOPT_HEADERFUNCTION, CURLOPT_HEADERDATA, (void (*)(void))on_header},
	    {CURLOPT_OPENSOCKETFUNCTION, CURLOPT_OPENSOCKETDATA, (void (*)(void))on_open},
	    {CURLOPT_PREREQFUNCTION, CURLOPT_PREREQDATA, (void (*)(void))on_connected},
	};
	CURLcode bad = CURLE_OK;

	for (size_t i = 0; !bad && i < sizeof(hooks) / sizeof(hooks[0]); i++) {
		bad = curl_easy_setopt(transfer->easy, hooks[i].function, hooks[i].call);
		if (!bad)
			bad = curl_easy_setopt(transfer->easy, hooks[i].data, (void *)transfer);
	}
	return bad;
}

static CURLcode set_question(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	CURLcode bad = curl_easy_setopt(easy, CURLOPT_URL, transfer->url);

	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	if (!bad && transfer->method == FETCH_POST)
		bad = curl_easy_setopt(easy, CURLOPT_POST, 1L);
	if (!bad && transfer->method == FETCH_POST)
		bad = curl_easy_setopt(
		    easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_len);
	if (!bad && transfer->method == FETCH_POST)
		bad = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
	if (!bad && !transfer->order.target.plain)
		bad = authorities_use(&transfer->outgoing->authorities, easy);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->said);
	if (!bad)
		bad = curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	return bad;
}

int transfer_prepare(struct transfer *transfer, const struct outgoing *outgoing, uint64_t now_ms,
    struct err_note *note)
{
	CURLcode bad;

	if (now_ms >= transfer->due_ms)
		return err_note(note, -ETIMEDOUT, "%s: its turn did not come in the time allowed",
		    transfer->order.host);
	if (!transfer->order.target.plain && authorities_count(outgoing->authorities) == 0)
		return err_note(note, -ENOENT,
		    "%s: there are no certificates to check it with; install ca-certificates, or "
		    "set server.outgoing.ca",
		    transfer->order.host);
	transfer->outgoing = outgoing;
	transfer->easy = curl_easy_init();
	if (!transfer->easy)
		return err_note(note, -ENOMEM, "out of memory");
	bad = set_limits(transfer, transfer->due_ms - now_ms);
	if (!bad)
		bad = set_oldest(transfer, now_ms);
	if (!bad)
		bad = set_callbacks(transfer);
	if (!bad)
		bad = set_question(transfer);
	return bad ? err_note(note, -ENOMEM, "%s: libcurl: %s", transfer->order.host,
			 curl_easy_strerror(bad))
		   : 0;
}

/* ---- what became of it --------------------------------------------------------------------- */

/* What TLS says of a certificate is worth its words; the rest may quote what the server sent. */
static const char *reason(struct transfer *transfer, CURLcode result)
{
	if (transfer->note.text[0])
		return transfer->note.text;
	if (transfer->said[0] &&
	    (result == CURLE_PEER_FAILED_VERIFICATION || result == CURLE_SSL_CONNECT_ERROR ||
		result == CURLE_SSL_CACERT_BADFILE))
		return err_note(&transfer->note, 0, "%s", transfer->said), transfer->note.text;
	return curl_easy_strerror(result);
}

static uint32_t retry_after(CURL *easy)
{
	curl_off_t seconds = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds) || seconds < 0)
		return 0;
	return seconds < RETRY_MAX_S ? (uint32_t)seconds : RETRY_MAX_S;
}

void transfer_answer(struct transfer *transfer, CURLcode result, struct message_fetched *ret)
{
	long status = 0;

	*ret = (struct message_fetched){.status = ANSWER_UNAVAILABLE, .note = ""};
	if (result == CURLE_OK &&
	    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK &&
	    status >= 100 && status <= 999) {
		ret->status = ANSWER_OK;
		ret->http = (uint16_t)status;
		ret->retry_s = retry_after(transfer->easy);
		ret->body = (struct bytes){transfer->answer.data, transfer->answer.len};
		return;
	}
	(void)snprintf(transfer->words, sizeof(transfer->words), "%s: %s", transfer->order.host,
	    result == CURLE_OK ? "its answer has no status" : reason(transfer, result));
	ret->note = transfer->words;
}
