#include "agent-api/http/reader.h"

#include <errno.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/http/chunk.h"
#include "supervisor/base/cleanup.h"

/* What belongs to a request only while it is read. */
struct reading {
	struct http_incoming incoming; /* first: one is the other */
	struct http_scan scan;
	struct http_chunk chunk;
	llhttp_t parser;
	size_t url_len;      /* what the parser took for the target */
	uint32_t lines;      /* header lines that the parser saw */
	uint64_t left;       /* of a body with a length */
	bool head_seen;      /* the parser reached the end of the head */
	bool complete;       /* the parser reached the end of the message */
	bool head_announced; /* HTTP_READ_HEAD was returned, the body not begun */
};

static struct reading *reading_of(const struct http_reader *reader)
{
	return (struct reading *)reader->incoming;
}

static enum http_progress refuse(struct http_reader *reader, int status, const char *reason)
{
	reader->refusal = (struct http_refusal){status, reason};
	reader->phase = HTTP_READER_REFUSED;
	return HTTP_READ_REFUSED;
}

/* ---- what the parser says --------------------------------------------------------------- */

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	(void)at; /* the guard's own reading is what is used */
	reading->url_len += len;
	return 0;
}

static int on_line(llhttp_t *parser)
{
	struct reading *reading = parser->data;

	reading->lines++;
	return 0;
}

static int on_head(llhttp_t *parser)
{
	struct reading *reading = parser->data;

	reading->head_seen = true;
	parser->upgrade = 0; /* an offer to speak something else is not taken up */
	return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
	struct reading *reading = parser->data;

	return buf_put(&reading->incoming.body, at, len) < 0 ? HPE_USER : 0;
}

static int on_complete(llhttp_t *parser)
{
	struct reading *reading = parser->data;

	reading->complete = true;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_url,
    .on_header_value_complete = on_line,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* Gives the parser bytes that the guard has passed. */
static enum http_progress execute(struct http_reader *reader, const char *bytes, size_t len)
{
	struct reading *reading = reading_of(reader);
	llhttp_errno_t r = len ? llhttp_execute(&reading->parser, bytes, len) : HPE_OK;

	if (r == HPE_OK)
		return HTTP_READ_MORE;
	if (r == HPE_PAUSED && reading->complete &&
	    llhttp_get_error_pos(&reading->parser) == bytes + len)
		return HTTP_READ_MORE;
	if (reading->incoming.body.fault == -ENOMEM)
		return refuse(reader, 503, "no memory for the body");
	return refuse(reader, 400, "the request is not HTTP/1.1 to the letter");
}

/* ---- head ------------------------------------------------------------------------------- */

/* Both have read the same. */
static bool agrees(const struct reading *reading)
{
	const struct http_head *head = &reading->incoming.head;
	const llhttp_t *parser = &reading->parser;
	bool bodyless = head->framing == HTTP_FRAMING_NONE ||
			(head->framing == HTTP_FRAMING_LENGTH && head->length == 0);

	return reading->head_seen && reading->lines == head->count &&
	       reading->url_len == head->target.len && parser->http_major == 1 &&
	       parser->http_minor == head->minor &&
	       strcmp(llhttp_method_name((llhttp_method_t)parser->method),
		   http_method_name(head->method)) == 0 &&
	       !(parser->flags & F_CHUNKED) == !(head->framing == HTTP_FRAMING_CHUNKED) &&
	       !(parser->flags & F_CONTENT_LENGTH) == !(head->framing == HTTP_FRAMING_LENGTH) &&
	       (head->framing != HTTP_FRAMING_LENGTH || parser->content_length == head->length) &&
	       reading->complete == bodyless;
}

static enum http_progress judge(struct http_reader *reader)
{
	struct reading *reading = reading_of(reader);
	struct http_incoming *incoming = reader->incoming;
	const char *block = (const char *)incoming->block.data;

	if (http_guard_judge(block, incoming->block.len, &incoming->head, &reader->refusal)) {
		reader->phase = HTTP_READER_REFUSED;
		return HTTP_READ_REFUSED;
	}
	if (execute(reader, block, incoming->block.len) == HTTP_READ_REFUSED)
		return HTTP_READ_REFUSED;
	if (!agrees(reading))
		return refuse(reader, 400, "the request can be read in two ways");
	reading->head_announced = true;
	reader->phase = HTTP_READER_BODY;
	return HTTP_READ_HEAD;
}

static enum http_progress begin(struct http_reader *reader)
{
	struct reading *reading = calloc(1, sizeof(*reading));

	if (!reading)
		return refuse(reader, 503, "no memory for the request");
	buf_init(&reading->incoming.block, HTTP_HEAD_MAX + 2);
	llhttp_init(&reading->parser, HTTP_REQUEST, &settings);
	reading->parser.data = reading;
	reader->incoming = &reading->incoming;
	reader->phase = HTTP_READER_HEAD;
	return HTTP_READ_MORE;
}

static enum http_progress feed_head(
    struct http_reader *reader, const char *bytes, size_t len, size_t *used)
{
	struct reading *reading = reading_of(reader);
	struct buf *block = &reading->incoming.block;

	if (http_guard_scan(&reading->scan, bytes, len, used, &reader->refusal)) {
		reader->phase = HTTP_READER_REFUSED;
		return HTTP_READ_REFUSED;
	}
	if (buf_put(block, bytes, *used) < 0)
		return refuse(reader, 503, "no memory for the header");
	if (!reading->scan.whole)
		return HTTP_READ_MORE;
	if (reading->scan.blank) {
		block->len -= 2;
		memmove(block->data, block->data + 2, block->len);
	}
	return judge(reader);
}

/* ---- body ------------------------------------------------------------------------------- */

static enum http_progress begin_body(struct http_reader *reader)
{
	struct reading *reading = reading_of(reader);
	const struct http_head *head = &reader->incoming->head;

	reading->head_announced = false;
	buf_init(&reader->incoming->body, (size_t)reader->body_max);
	if (head->framing == HTTP_FRAMING_LENGTH && head->length > reader->body_max)
		return refuse(reader, 413, "the body is too large");
	reading->left = head->length;
	return HTTP_READ_MORE;
}

static enum http_progress feed_body(
    struct http_reader *reader, const char *bytes, size_t len, size_t *used)
{
	struct reading *reading = reading_of(reader);
	bool chunked = reading->incoming.head.framing == HTTP_FRAMING_CHUNKED;
	bool ended;

	if (chunked) {
		if (http_chunk_scan(&reading->chunk, reader->body_max,
			(struct http_text){bytes, len}, used, &reader->refusal)) {
			reader->phase = HTTP_READER_REFUSED;
			return HTTP_READ_REFUSED;
		}
		ended = reading->chunk.state == HTTP_CHUNK_DONE;
	} else {
		*used = len < reading->left ? len : (size_t)reading->left;
		reading->left -= *used;
		ended = reading->left == 0;
	}
	if (execute(reader, bytes, *used) == HTTP_READ_REFUSED)
		return HTTP_READ_REFUSED;
	if (ended != reading->complete)
		return refuse(reader, 400, "the body can be read in two ways");
	if (!ended)
		return HTTP_READ_MORE;
	reader->phase = HTTP_READER_WHOLE;
	return HTTP_READ_WHOLE;
}

/* ---- the whole -------------------------------------------------------------------------- */

void http_reader_init(struct http_reader *reader, uint64_t body_max)
{
	*reader = (struct http_reader){.body_max = body_max};
}

void http_incoming_free(struct http_incoming *incoming)
{
	if (!incoming)
		return;
	buf_fini(&incoming->block);
	buf_fini(&incoming->body);
	free(incoming);
}

void http_reader_fini(struct http_reader *reader)
{
	http_incoming_free(reader->incoming);
	*reader = (struct http_reader){0};
}

enum http_progress http_reader_feed(
    struct http_reader *reader, const void *bytes, size_t len, size_t *ret_used)
{
	*ret_used = 0;
	if (reader->phase == HTTP_READER_REFUSED)
		return HTTP_READ_REFUSED;
	if (reader->phase == HTTP_READER_WHOLE)
		return HTTP_READ_WHOLE;
	if (reader->phase == HTTP_READER_BODY) {
		if (reading_of(reader)->head_announced && begin_body(reader) == HTTP_READ_REFUSED)
			return HTTP_READ_REFUSED;
		return feed_body(reader, bytes, len, ret_used);
	}
	if (len == 0)
		return HTTP_READ_MORE;
	if (reader->phase == HTTP_READER_IDLE && begin(reader) == HTTP_READ_REFUSED)
		return HTTP_READ_REFUSED;
	return feed_head(reader, bytes, len, ret_used);
}

struct http_incoming *http_reader_take(struct http_reader *reader)
{
	if (reader->phase != HTTP_READER_WHOLE)
		return NULL;
	reader->phase = HTTP_READER_IDLE;
	return take_ptr(reader->incoming);
}

size_t http_incoming_held(const struct http_incoming *incoming)
{
	return incoming ? sizeof(struct reading) + incoming->block.cap + incoming->body.cap : 0;
}

size_t http_reader_held(const struct http_reader *reader)
{
	return http_incoming_held(reader->incoming);
}
