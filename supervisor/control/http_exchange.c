#include "supervisor/control/http_exchange.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent-api/wire/mcp.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/command.h"

#define ERROR_BODY_MAX (64 * 1024) /* of an answer that is none of ours */
#define RETRY_MAX_S    86400
#define STATUS_OK      200
#define CODE_ELSE      503 /* of a JSON-RPC error for what no daemon said */

int http_deliver(struct http_shared *shared, const char *text, size_t len)
{
	struct http_line *line = calloc(1, sizeof(*line));

	if (!line)
		return -ENOMEM;
	line->text = strndup(text, len);
	line->len = len;
	if (!line->text) {
		free(line);
		return -ENOMEM;
	}
	*shared->last = line;
	shared->last = &line->next;
	return 0;
}

/* ---- what comes back -------------------------------------------------------------------- */

static int stop(struct http_exchange *exchange, const char *why)
{
	if (!exchange->broken[0])
		(void)snprintf(exchange->broken, sizeof(exchange->broken), "%s", why);
	return -EBADMSG;
}

/* The revision that a handshake agreed upon is said with every later request. */
static void learn_revision(struct http_exchange *exchange, const json_t *message)
{
	const char *version = json_string_value(
	    json_object_get(json_object_get(message, "result"), "protocolVersion"));

	if (strcmp(exchange->post.method, "initialize") == 0 && version &&
	    mcp_revision_from_name(version) != MCP_REVISION_NONE)
		(void)snprintf(
		    exchange->shared->revision, sizeof(exchange->shared->revision), "%s", version);
}

/* One message, or a batch of them, as text: line breaks between its tokens become blanks. */
static int take_text(struct http_exchange *exchange, char *text, size_t len)
{
	json_t *message = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	json_t *had_id = json_object_get(message, "id");
	char *cleanup_free written = NULL;
	int result = 0;

	had_id = json_is_null(had_id) ? NULL : had_id;
	if (!message || !post_take(&exchange->post, message)) {
		json_decref(message);
		return stop(exchange, "it sent what is no answer to what was asked");
	}
	learn_revision(exchange, message);
	if (json_is_object(message) && !had_id && json_object_get(message, "id"))
		written = json_dumps(message, JSON_COMPACT);
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n' || text[i] == '\r')
			text[i] = ' ';
	result = written ? http_deliver(exchange->shared, written, strlen(written))
			 : http_deliver(exchange->shared, text, len);
	json_decref(message);
	return result;
}

static int on_event(void *owner, char *data, size_t len)
{
	return take_text(owner, data, len);
}

static long status_of(const struct http_exchange *exchange)
{
	long status = 0;

	(void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static int is_good(long status)
{
	return status >= STATUS_OK && status < 300;
}

/* "application/json; charset=utf-8" is application/json. */
static int has_type(const struct http_exchange *exchange, const char *type)
{
	size_t len = strlen(type);
	const char *given = NULL;

	(void)curl_easy_getinfo(exchange->easy, CURLINFO_CONTENT_TYPE, &given);
	return given && strncasecmp(given, type, len) == 0 && strchr("; \t", given[len]) != NULL;
}

static enum http_form choose_form(const struct http_exchange *exchange)
{
	if (has_type(exchange, "text/event-stream") && is_good(status_of(exchange)))
		return HTTP_FORM_EVENTS;
	return has_type(exchange, "application/json") ? HTTP_FORM_JSON : HTTP_FORM_NONE;
}

static int take_bytes(struct http_exchange *exchange, const void *bytes, size_t len)
{
	int result;

	if (exchange->form == HTTP_FORM_UNKNOWN) {
		exchange->form = choose_form(exchange);
		buf_init(&exchange->answer,
		    is_good(status_of(exchange)) ? TRANSPORT_MESSAGE_MAX : ERROR_BODY_MAX);
	}
	if (exchange->form == HTTP_FORM_JSON && buf_put(&exchange->answer, bytes, len) != 0)
		return stop(exchange, "its answer is longer than any that a gate gives");
	if (exchange->form != HTTP_FORM_EVENTS)
		return 0;
	result = sse_feed(&exchange->events, bytes, len, on_event, exchange);
	if (result == -EMSGSIZE)
		return stop(exchange, "an event is longer than any that a gate sends");
	return result;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *owner)
{
	return take_bytes(owner, bytes, size * count) == 0 ? size * count : 0;
}

/* The value of the header line where it has that name (with its colon), without blanks around it;
 * "" for another name, or a value that does not fit. Returns out. */
static const char *value_of(const char *line, size_t len, const char *name, char *out, size_t max)
{
	size_t skip = strlen(name);

	out[0] = '\0';
	if (len < skip || strncasecmp(line, name, skip) != 0)
		return out;
	while (skip < len && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	while (len > skip && strchr(" \t\r\n", line[len - 1]) && line[len - 1])
		len--;
	if (len - skip < max)
		(void)snprintf(out, max, "%.*s", (int)(len - skip), line + skip);
	return out;
}

/* What is said again with every later request goes back as it came, or not at all. */
static void learn_session(struct http_exchange *exchange, const char *value)
{
	char *session = exchange->shared->session;

	for (const char *byte = value; *byte; byte++)
		if (*byte <= ' ' || *byte > '~')
			return;
	if (*value && strcmp(exchange->post.method, "initialize") == 0)
		(void)snprintf(session, sizeof(exchange->shared->session), "%s", value);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *owner)
{
	struct http_exchange *exchange = owner;
	size_t len = size * count;
	char value[sizeof(exchange->shared->session)];
	uint64_t seconds;

	if (len > exchange->header_left) {
		(void)stop(exchange, "its headers are too long");
		return 0;
	}
	exchange->header_left -= len;
	if (str_u64(value_of(bytes, len, "retry-after:", value, sizeof(value)), RETRY_MAX_S,
		&seconds) == 0)
		exchange->retry_s = (long)seconds;
	learn_session(exchange, value_of(bytes, len, "mcp-session-id:", value, sizeof(value)));
	return len;
}

/* ---- why there is no answer ----------------------------------------------------------------- */

/* The gate's own word in a body of errors: {"error": "..."} or {"error": {"message": "..."}}. */
static const char *word_of(const json_t *document)
{
	const json_t *error = json_object_get(document, "error");
	const char *word = json_string_value(error);

	return word ? word : json_string_value(json_object_get(error, "message"));
}

static int explain_status(
    const struct http_exchange *exchange, struct err_note *note, long status, const char *word)
{
	const char *url = exchange->shared->remote->url;
	char wait[64] = "later";

	if (exchange->retry_s)
		(void)snprintf(wait, sizeof(wait), "in %ld s", exchange->retry_s);
	if (status == 401) {
		(void)err_note(note, 0,
		    "%s: not authenticated: %s; run `callgate login --url %s` or give --token-file",
		    url, word ? word : "the gate did not say why", url);
		return COMMAND_NOT_AUTHENTICATED;
	}
	if (status == 403) {
		(void)err_note(note, 0, "%s: not permitted: %s; see `callgate whoami`", url,
		    word ? word : "the gate did not say why");
		return COMMAND_REFUSED;
	}
	if (status == 429 || status == 503)
		(void)err_note(note, 0, "%s: %s; try again %s", url,
		    word            ? word
		    : status == 429 ? "too many requests"
				    : "not available",
		    wait);
	else if (status >= 300 && status < 400)
		(void)err_note(note, 0,
		    "%s: it redirects elsewhere, which is not followed; give the address itself "
		    "with --url",
		    url);
	else if (is_good(status))
		(void)err_note(note, 0,
		    "%s: it ended without an answer to what was asked; is this a callgate?", url);
	else
		(void)err_note(note, 0, "%s: HTTP status %ld: %s; is this a callgate?", url, status,
		    word ? word : "without a reason");
	return COMMAND_UNREACHABLE;
}

/* Into the transport, where nothing went wrong before; exit status and words. */
static void explain(struct http_exchange *exchange, CURLcode code, const char *word,
    struct transport_failure *failure)
{
	const char *url = exchange->shared->remote->url;
	long status = status_of(exchange);

	failure->answered = status != 0;
	if (exchange->broken[0]) {
		(void)err_note(
		    &failure->note, 0, "%s: %s; is this a callgate?", url, exchange->broken);
		failure->status = COMMAND_UNREACHABLE;
	} else if (code != CURLE_OK) {
		web_explain(&failure->note, url, code, exchange->error_text);
		failure->status = COMMAND_UNREACHABLE;
	} else {
		failure->status = explain_status(exchange, &failure->note, status, word);
	}
	if (exchange->shared->failure->status == 0)
		*exchange->shared->failure = *failure;
}

static json_int_t error_code(const struct transport_failure *failure, long status)
{
	if (failure->status == COMMAND_NOT_AUTHENTICATED || failure->status == COMMAND_REFUSED)
		return status;
	return status == 429 ? status : CODE_ELSE;
}

/* An error for each request that is still waited for. */
static void answer_rest(struct http_exchange *exchange, const struct transport_failure *failure)
{
	json_int_t code = error_code(failure, status_of(exchange));
	json_t *id;
	size_t i;

	json_array_foreach(exchange->post.waits, i, id)
	{
		json_t *error = json_pack("{s:s, s:O, s:{s:I, s:s}}", "jsonrpc", "2.0", "id", id,
		    "error", "code", code, "message", failure->note.text);
		char *cleanup_free text = error ? json_dumps(error, JSON_COMPACT) : NULL;

		json_decref(error);
		if (text)
			(void)http_deliver(exchange->shared, text, strlen(text));
	}
}

/* A body of JSON-RPC is an answer whatever the status says, but for those two whose remedy is told
 * better from here. */
static void end_json(struct http_exchange *exchange, json_t **ret_document)
{
	struct buf *answer = &exchange->answer;
	int is_rpc;

	*ret_document = json_loadb(
	    (const char *)answer->data, answer->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	is_rpc = json_is_array(*ret_document) || json_object_get(*ret_document, "jsonrpc");
	if (is_good(status_of(exchange))
		? json_array_size(exchange->post.waits) > 0
		: is_rpc && status_of(exchange) != 401 && status_of(exchange) != 429)
		(void)take_text(exchange, (char *)answer->data, answer->len);
}

void http_exchange_end(struct http_exchange *exchange, CURLcode code)
{
	struct transport_failure failure = {0};
	json_t *document = NULL;
	long status = status_of(exchange);

	if (exchange->broken[0])
		code = CURLE_WRITE_ERROR;
	if (code == CURLE_OK && exchange->form == HTTP_FORM_JSON)
		end_json(exchange, &document);
	if (json_array_size(exchange->post.waits) > 0 || code != CURLE_OK ||
	    (!is_good(status) && exchange->post.method[0] && !document)) {
		explain(exchange, code, word_of(document), &failure);
		answer_rest(exchange, &failure);
	}
	json_decref(document);
}

/* ---- what goes out -------------------------------------------------------------------------- */

static int put_header(struct http_exchange *exchange, const char *name, const char *value)
{
	struct buf cleanup_with(buf_fini) line = {0};
	const char *text;
	int result;

	buf_init(&line, CREDENTIAL_MAX + 256);
	(void)buf_textf(&line, "%s: ", name);
	(void)post_put_value(&line, value);
	text = buf_cstr(&line);
	result = text ? web_header(&exchange->headers, text) : -ENOMEM;
	if (line.data)
		explicit_bzero(line.data, line.len);
	return result;
}

static const char *revision_of(const struct http_exchange *exchange)
{
	if (exchange->post.version[0])
		return exchange->post.version;
	return exchange->shared->revision[0] ? exchange->shared->revision : MCP_VERSION_LEGACY;
}

static int put_headers(struct http_exchange *exchange)
{
	const struct post *post = &exchange->post;
	struct curl_slist **list = &exchange->headers;
	int result = web_header(list, "Content-Type: application/json");

	if (result == 0)
		result = web_header(list, "Accept: application/json, text/event-stream");
	if (result == 0)
		result = web_header(list, "Expect:");
	if (result == 0 && strcmp(post->method, "initialize") != 0)
		result = put_header(exchange, "MCP-Protocol-Version", revision_of(exchange));
	if (result == 0 && !post->version[0] && exchange->shared->session[0])
		result = put_header(exchange, "Mcp-Session-Id", exchange->shared->session);
	if (result == 0 && post->version[0])
		result = put_header(exchange, "Mcp-Method", post->method);
	if (result == 0 && post->version[0] && post->name[0])
		result = put_header(exchange, "Mcp-Name", post->name);
	if (result == 0 && exchange->shared->token[0]) {
		char bearer[CREDENTIAL_MAX + 8];

		(void)snprintf(bearer, sizeof(bearer), "Bearer %s", exchange->shared->token);
		result = put_header(exchange, "Authorization", bearer);
		explicit_bzero(bearer, sizeof(bearer));
	}
	return result;
}

static void set_up(struct http_exchange *exchange, size_t len)
{
	CURL *easy = exchange->easy;

	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
	(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, exchange->body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
	(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT, post_patience(exchange->post.method));
}

int http_exchange_new(
    struct http_shared *shared, const char *text, size_t len, struct http_exchange **ret)
{
	struct http_exchange *exchange = calloc(1, sizeof(*exchange));
	int result;

	if (!exchange)
		return -ENOMEM;
	exchange->shared = shared;
	exchange->header_left = WEB_HEADER_MAX;
	sse_init(&exchange->events, TRANSPORT_MESSAGE_MAX);
	exchange->body = strndup(text, len);
	exchange->easy = web_handle(shared->remote, shared->endpoint, 1, exchange->error_text);
	result = post_read(&exchange->post, text, len);
	if (result == 0 && exchange->body && exchange->easy)
		result = put_headers(exchange);
	else
		result = -ENOMEM;
	if (result != 0) {
		http_exchange_free(exchange);
		return result;
	}
	exchange->asks = json_array_size(exchange->post.waits) > 0;
	set_up(exchange, strlen(exchange->body));
	*ret = exchange;
	return 0;
}

int http_exchange_is_due(const struct http_exchange *exchange)
{
	return !exchange->asks || json_array_size(exchange->post.waits) > 0;
}

void http_exchange_free(struct http_exchange *exchange)
{
	if (!exchange)
		return;
	curl_easy_cleanup(exchange->easy);
	web_headers_free(exchange->headers);
	post_fini(&exchange->post);
	buf_fini(&exchange->answer);
	sse_fini(&exchange->events);
	free(exchange->body);
	free(exchange);
}
