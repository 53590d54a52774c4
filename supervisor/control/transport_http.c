/*
 * A gate over HTTP: each message is one POST to /mcp, and what comes back in answers and events
 * becomes the same lines that the socket would bring. Requests run side by side; to cancel one, or
 * to close, is to hang up on it, which is what tells the gate.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/control/command.h"
#include "supervisor/control/http_exchange.h"

#define CONNECTIONS_MAX 32L
#define POLL_MS         60000

struct over_http {
	struct transport transport; /* first */
	struct http_shared shared;
	CURLM *multi;
	struct http_exchange *flying;
	int finished; /* nothing more will be sent */
	char endpoint[URL_MAX + 8];
	char token[CREDENTIAL_MAX];
};

static struct over_http *mine(struct transport *transport)
{
	return (struct over_http *)transport;
}

static void land(struct over_http *http, struct http_exchange *exchange)
{
	struct http_exchange **at = &http->flying;

	while (*at && *at != exchange)
		at = &(*at)->next;
	if (*at)
		*at = exchange->next;
	(void)curl_multi_remove_handle(http->multi, exchange->easy);
	http_exchange_free(exchange);
}

/* Lets libcurl work on what is there already, without waiting. */
static void work(struct over_http *http)
{
	CURLMsg *done;
	int count;

	(void)curl_multi_perform(http->multi, &count);
	while ((done = curl_multi_info_read(http->multi, &count)) != NULL) {
		struct http_exchange *exchange = NULL;

		if (done->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(done->easy_handle, CURLINFO_PRIVATE, &exchange);
		http_exchange_end(exchange, done->data.result);
		land(http, exchange);
	}
}

/* Nobody waits for its answer any more. */
static void hang_up(struct over_http *http, const json_t *id)
{
	for (struct http_exchange *exchange = http->flying; exchange; exchange = exchange->next)
		if (post_waits_for(&exchange->post, id)) {
			land(http, exchange);
			return;
		}
}

static int http_send(struct transport *transport, const char *text, size_t len)
{
	struct over_http *http = mine(transport);
	struct http_exchange *exchange = NULL;
	int result = http_exchange_new(&http->shared, text, len, &exchange);

	if (result != 0)
		return result;
	if (exchange->post.cancels) {
		hang_up(http, exchange->post.cancels);
		http_exchange_free(exchange);
		return 0;
	}
	if (curl_multi_add_handle(http->multi, exchange->easy) != CURLM_OK) {
		http_exchange_free(exchange);
		return -ENOMEM;
	}
	exchange->next = http->flying;
	http->flying = exchange;
	work(http);
	return 0;
}

static int anything_due(const struct over_http *http)
{
	const struct http_exchange *exchange = http->flying;

	while (exchange && !http_exchange_is_due(exchange))
		exchange = exchange->next;
	return exchange != NULL;
}

/* Has receive() something to say? */
static int is_ready(const struct over_http *http)
{
	return http->shared.first || (http->finished && !anything_due(http));
}

static int count_ready(struct pollfd *others, unsigned count)
{
	return count ? poll(others, count, 0) : 0;
}

static unsigned waited_for(struct curl_waitfd *fds, const struct pollfd *others, unsigned count)
{
	unsigned used = 0;

	for (unsigned i = 0; i < count; i++) {
		if (others[i].fd < 0)
			continue;
		fds[used++] = (struct curl_waitfd){.fd = others[i].fd,
		    .events = (short)((others[i].events & POLLIN ? CURL_WAIT_POLLIN : 0) |
				      (others[i].events & POLLOUT ? CURL_WAIT_POLLOUT : 0))};
	}
	return used;
}

static int http_wait(
    struct transport *transport, struct pollfd *others, unsigned count, int timeout_ms)
{
	struct over_http *http = mine(transport);
	struct curl_waitfd fds[TRANSPORT_OTHERS_MAX];
	uint64_t end = clock_monotonic_us() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000;

	if (count > TRANSPORT_OTHERS_MAX)
		return -EINVAL;
	for (;;) {
		int ready = count_ready(others, count), patience = POLL_MS;
		uint64_t now = clock_monotonic_us();

		if (ready < 0)
			return -errno;
		work(http);
		if (is_ready(http))
			return 1;
		if (ready > 0 || (timeout_ms >= 0 && now >= end))
			return 0;
		if (timeout_ms >= 0 && (end - now) / 1000 + 1 < (uint64_t)patience)
			patience = (int)((end - now) / 1000 + 1);
		if (curl_multi_poll(http->multi, fds, waited_for(fds, others, count), patience,
			NULL) != CURLM_OK)
			return -EIO;
	}
}

static int http_receive(struct transport *transport, struct buf *in)
{
	struct over_http *http = mine(transport);
	struct http_line *line;
	int result = 0;

	while (!http->shared.first && anything_due(http) && result >= 0)
		result = http_wait(transport, NULL, 0, POLL_MS);
	line = http->shared.first;
	if (!line)
		return -EPIPE;
	http->shared.first = line->next;
	if (!line->next)
		http->shared.last = &http->shared.first;
	(void)buf_put(in, line->text, line->len);
	result = buf_put(in, "\n", 1);
	free(line->text);
	free(line);
	return result == 0 ? 0 : -EPIPE;
}

static void http_finish(struct transport *transport)
{
	mine(transport)->finished = 1;
}

static void http_close(struct transport *transport)
{
	struct over_http *http = mine(transport);

	while (http->flying)
		land(http, http->flying);
	while (http->shared.first) {
		struct http_line *line = http->shared.first;

		http->shared.first = line->next;
		free(line->text);
		free(line);
	}
	if (http->multi)
		(void)curl_multi_cleanup(http->multi);
	OPENSSL_cleanse(http->token, sizeof(http->token));
	free(http);
}

int transport_open_http(const struct remote *remote, struct transport **ret, struct err_note *note)
{
	static const struct transport_functions functions = {
	    .send = http_send,
	    .receive = http_receive,
	    .wait = http_wait,
	    .finish = http_finish,
	    .close = http_close,
	};
	struct over_http *http = calloc(1, sizeof(*http));
	int status = COMMAND_UNREACHABLE;

	if (!http || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		free(http);
		(void)err_note(note, -ENOMEM, "%s: libcurl cannot start", remote->url);
		return status;
	}
	http->transport.does = &functions;
	http->shared = (struct http_shared){.remote = remote,
	    .endpoint = http->endpoint,
	    .token = http->token,
	    .failure = &http->transport.failure};
	http->shared.last = &http->shared.first;
	(void)snprintf(http->endpoint, sizeof(http->endpoint), "%s/mcp", remote->url);
	http->multi = curl_multi_init();
	if (http->multi)
		status = remote_credential(remote, http->token, note);
	else
		(void)err_note(note, -ENOMEM, "%s: libcurl cannot start", remote->url);
	if (status != 0) {
		http_close(&http->transport);
		return status;
	}
	(void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, CONNECTIONS_MAX);
	*ret = &http->transport;
	return 0;
}
