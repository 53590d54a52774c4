#include "agent-api/http/chunk.h"

static int refuse(struct http_refusal *why, int status, const char *reason)
{
	*why = (struct http_refusal){status, reason};
	return status;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int scan_size(struct http_chunk *chunk, char c, struct http_refusal *why)
{
	int digit = hex_value(c);

	if (digit >= 0 && chunk->digits < 16) {
		chunk->size = chunk->size << 4 | (uint64_t)digit;
		chunk->digits++;
		return 0;
	}
	if (c != '\r' || chunk->digits == 0)
		return refuse(why, 400, "a chunk size that is no hex number alone on its line");
	chunk->state = HTTP_CHUNK_SIZE_LF;
	return 0;
}

static int end_size(struct http_chunk *chunk, uint64_t max, char c, struct http_refusal *why)
{
	if (c != '\n')
		return refuse(why, 400, "a chunk size without CRLF");
	if (chunk->size > max || chunk->total > max - chunk->size)
		return refuse(why, 413, "the body is too large");
	chunk->total += chunk->size;
	chunk->digits = 0;
	chunk->state = chunk->size ? HTTP_CHUNK_DATA : HTTP_CHUNK_LAST_CR;
	return 0;
}

static int expect(
    struct http_chunk *chunk, char c, enum http_chunk_state next, struct http_refusal *why)
{
	bool wants_cr = chunk->state == HTTP_CHUNK_DATA_CR || chunk->state == HTTP_CHUNK_LAST_CR;

	if (c != (wants_cr ? '\r' : '\n'))
		return refuse(why, 400,
		    chunk->state >= HTTP_CHUNK_LAST_CR ? "trailers are not taken"
						       : "a chunk without CRLF at its end");
	chunk->state = next;
	return 0;
}

static int scan_byte(struct http_chunk *chunk, uint64_t max, char c, struct http_refusal *why)
{
	switch (chunk->state) {
	case HTTP_CHUNK_SIZE: return scan_size(chunk, c, why);
	case HTTP_CHUNK_SIZE_LF: return end_size(chunk, max, c, why);
	case HTTP_CHUNK_DATA_CR: return expect(chunk, c, HTTP_CHUNK_DATA_LF, why);
	case HTTP_CHUNK_DATA_LF: return expect(chunk, c, HTTP_CHUNK_SIZE, why);
	case HTTP_CHUNK_LAST_CR: return expect(chunk, c, HTTP_CHUNK_LAST_LF, why);
	case HTTP_CHUNK_LAST_LF: return expect(chunk, c, HTTP_CHUNK_DONE, why);
	case HTTP_CHUNK_DATA:
	case HTTP_CHUNK_DONE: break;
	}
	return refuse(why, 400, "bytes behind the body");
}

int http_chunk_scan(struct http_chunk *chunk, uint64_t max, struct http_text bytes,
    size_t *ret_used, struct http_refusal *ret_why)
{
	size_t at = 0;
	int r = 0;

	while (at < bytes.len && r == 0 && chunk->state != HTTP_CHUNK_DONE) {
		uint64_t left = bytes.len - at;

		if (chunk->state != HTTP_CHUNK_DATA) {
			r = scan_byte(chunk, max, bytes.at[at++], ret_why);
			continue;
		}
		if (left > chunk->size)
			left = chunk->size;
		at += (size_t)left;
		chunk->size -= left;
		if (chunk->size == 0)
			chunk->state = HTTP_CHUNK_DATA_CR;
	}
	*ret_used = at;
	return r;
}
