/*
 * Guard, parser, chunks, routes and forwarded headers: whatever the bytes, and however they are
 * cut, the same requests and the same refusal come out of them; and what was let through has a
 * head without one byte that the rules forbid.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/http/forwarded.h"
#include "agent-api/http/reader.h"
#include "agent-api/http/router.h"
#include "supervisor/base/cleanup.h"

#define BODY_MAX 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct http_route ROUTES[] = {
    {HTTP_METHOD_GET, "/", 1},
    {HTTP_METHOD_GET, "/a/{b}", 2},
    {HTTP_METHOD_POST, "/a/{b}/c/{d}", 3},
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_head(const struct http_head *head)
{
	for (size_t i = 0; i < head->len; i++) {
		unsigned char c = (unsigned char)head->block[i];

		if (c == '\n')
			require(i > 0 && head->block[i - 1] == '\r');
		else if (c == '\r')
			require(i + 1 < head->len && head->block[i + 1] == '\n');
		else
			require(c != 0x7f && (c >= 0x20 || c == '\t'));
	}
	require(head->len <= HTTP_HEAD_MAX && head->count <= HTTP_LINES_MAX && head->count > 0);
	require(head->method != HTTP_METHOD_NONE && head->host.len > 0 && head->path.len > 0);
	require(memcmp(head->block + head->len - 4, "\r\n\r\n", 4) == 0);
}

static void use_head(const struct http_head *head)
{
	struct http_network all[2] = {{{.family = 4}, 0}, {{.family = 6}, 0}};
	struct http_trust trust = {.proxies = {all, 2}, .local = true};
	struct http_client peer = {.https = false};
	struct http_client client;
	struct http_refusal why = {0};
	struct http_match match;
	char value[32];

	if (http_route_find(ROUTES, 3, head, &match, &why) == 0) {
		for (size_t i = 0; i < match.count; i++)
			require(!strpbrk(match.parameters[i].value, "/\\\r\n"));
	}
	if (http_forwarded(head, &trust, &peer, &client, &why))
		require(why.status == 400);
	(void)http_query_value(head->query, "a", value, sizeof(value)); /* must not crash */
}

static void note(struct buf *out, struct http_incoming *incoming)
{
	const struct http_head *head = &incoming->head;

	check_head(head);
	use_head(head);
	require(incoming->body.len <= BODY_MAX);
	if (head->framing == HTTP_FRAMING_LENGTH)
		require(incoming->body.len == head->length);
	buf_put(out, head->block, head->len);
	buf_textf(
	    out, "%d %d %d %u\n", (int)head->method, (int)head->framing, head->close, head->count);
	buf_put(out, incoming->body.data, incoming->body.len);
	http_incoming_free(incoming);
}

/* One piece; 0: refused. */
static int feed(struct http_reader *reader, struct buf *out, const uint8_t *bytes, size_t len)
{
	for (;;) {
		size_t used = 0;

		switch (http_reader_feed(reader, bytes, len, &used)) {
		case HTTP_READ_MORE: require(used == len); return 1;
		case HTTP_READ_HEAD: break;
		case HTTP_READ_WHOLE: note(out, http_reader_take(reader)); break;
		case HTTP_READ_REFUSED:
			require(reader->refusal.status >= 400 && reader->refusal.reason);
			buf_textf(out, "%d %s", reader->refusal.status, reader->refusal.reason);
			return 0;
		}
		bytes += used;
		len -= used;
	}
}

/* step: 0 = whole, else pieces of 1..step bytes, from a generator of its own. */
static void run(struct buf *out, const uint8_t *data, size_t size, uint32_t step)
{
	struct http_reader reader;
	uint32_t state = (uint32_t)size * 2654435761u + step;
	size_t at = 0;

	buf_init(out, 64 * 1024 * 1024);
	http_reader_init(&reader, BODY_MAX);
	while (at < size) {
		size_t len = size - at;
		uint8_t cleanup_free *copy = NULL;

		state = state * 1664525u + 1013904223u;
		if (step && len > 1 + (state >> 16) % step)
			len = 1 + (state >> 16) % step;
		copy = malloc(len);
		require(copy != NULL);
		memcpy(copy, data + at, len);
		if (!feed(&reader, out, copy, len))
			break;
		at += len;
	}
	buf_textf(out, " phase %d", (int)reader.phase);
	http_reader_fini(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t STEPS[] = {1, 3, 17, 200};
	struct buf cleanup_with(buf_fini) whole;

	run(&whole, data, size, 0);
	for (size_t i = 0; i < sizeof(STEPS) / sizeof(STEPS[0]); i++) {
		struct buf cleanup_with(buf_fini) cut;

		run(&cut, data, size, STEPS[i]);
		require(cut.len == whole.len && memcmp(cut.data, whole.data, cut.len) == 0);
	}
	return 0;
}
