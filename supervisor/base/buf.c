#include "supervisor/base/buf.h"

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 256 /* bytes of the first allocation */

void buf_init(struct buf *buf, size_t limit)
{
	*buf = (struct buf){.limit = limit};
}

void buf_fini(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf){0};
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->fault = 0;
}

/* Makes cap at least `need`. The limit is the caller's business: buf_cstr() goes one above it. */
static int buf_grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap ? buf->cap : BUF_FIRST;
	uint8_t *data;

	if (need <= buf->cap)
		return 0;
	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	data = realloc(buf->data, cap);
	if (!data)
		return buf->fault = -ENOMEM;
	buf->data = data;
	buf->cap = cap;
	return 0;
}

/* Room for len more bytes below the limit, counted as used; NULL on fault. */
static uint8_t *buf_claim(struct buf *buf, size_t len)
{
	uint8_t *room;

	if (buf->fault)
		return NULL;
	if (len > buf->limit || buf->len > buf->limit - len) {
		buf->fault = -ENOBUFS;
		return NULL;
	}
	if (buf_grow(buf, buf->len + len))
		return NULL;
	room = buf->data + buf->len;
	buf->len += len;
	return room;
}

int buf_put(struct buf *buf, const void *bytes, size_t len)
{
	uint8_t *room;

	if (len == 0)
		return buf->fault;
	room = buf_claim(buf, len);
	if (room)
		memcpy(room, bytes, len);
	return buf->fault;
}

int buf_put_u8(struct buf *buf, uint8_t value)
{
	return buf_put(buf, &value, sizeof(value));
}

int buf_put_u16(struct buf *buf, uint16_t value)
{
	value = htole16(value);
	return buf_put(buf, &value, sizeof(value));
}

int buf_put_u32(struct buf *buf, uint32_t value)
{
	value = htole32(value);
	return buf_put(buf, &value, sizeof(value));
}

int buf_put_u64(struct buf *buf, uint64_t value)
{
	value = htole64(value);
	return buf_put(buf, &value, sizeof(value));
}

int buf_put_i64(struct buf *buf, int64_t value)
{
	return buf_put_u64(buf, (uint64_t)value);
}

int buf_put_str(struct buf *buf, const char *text)
{
	buf_put_bytes(buf, text, text ? strlen(text) : 0);
	return buf_put_u8(buf, 0);
}

int buf_put_bytes(struct buf *buf, const void *bytes, size_t len)
{
	if (len > UINT32_MAX && !buf->fault)
		buf->fault = -ENOBUFS;
	buf_put_u32(buf, (uint32_t)len);
	return buf_put(buf, bytes, len);
}

int buf_text(struct buf *buf, const char *text)
{
	return buf_put(buf, text, strlen(text));
}

int buf_textf(struct buf *buf, const char *format, ...)
{
	va_list args;
	int len;

	if (buf->fault)
		return buf->fault;
	va_start(args, format);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len < 0)
		return buf->fault = -EINVAL;
	/* vsnprintf ends with a NUL, which may lie above the limit but never above cap. */
	if (!buf_claim(buf, (size_t)len) || buf_grow(buf, buf->len + 1))
		return buf->fault;
	va_start(args, format);
	vsnprintf((char *)buf->data + buf->len - len, (size_t)len + 1, format, args);
	va_end(args);
	return 0;
}

const char *buf_cstr(struct buf *buf)
{
	if (buf->fault || buf_grow(buf, buf->len + 1))
		return NULL;
	buf->data[buf->len] = '\0';
	return (const char *)buf->data;
}

void reader_init(struct reader *reader, const void *bytes, size_t len)
{
	*reader = (struct reader){.next = bytes, .left = len};
}

const void *reader_raw(struct reader *reader, size_t len)
{
	const uint8_t *bytes = reader->next;

	if (reader->fault || len > reader->left) {
		reader->fault = -EBADMSG;
		return NULL;
	}
	if (len == 0)
		return "";
	reader->next += len;
	reader->left -= len;
	return bytes;
}

uint8_t reader_u8(struct reader *reader)
{
	const uint8_t *bytes = reader_raw(reader, 1);

	return bytes ? bytes[0] : 0;
}

uint16_t reader_u16(struct reader *reader)
{
	uint16_t value = 0;
	const void *bytes = reader_raw(reader, sizeof(value));

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return le16toh(value);
}

uint32_t reader_u32(struct reader *reader)
{
	uint32_t value = 0;
	const void *bytes = reader_raw(reader, sizeof(value));

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return le32toh(value);
}

uint64_t reader_u64(struct reader *reader)
{
	uint64_t value = 0;
	const void *bytes = reader_raw(reader, sizeof(value));

	if (bytes)
		memcpy(&value, bytes, sizeof(value));
	return le64toh(value);
}

int64_t reader_i64(struct reader *reader)
{
	return (int64_t)reader_u64(reader);
}

const char *reader_str(struct reader *reader)
{
	uint32_t len = reader_u32(reader);
	const char *text = reader_raw(reader, (size_t)len + 1);

	if (!text)
		return "";
	if (text[len] != '\0' || memchr(text, '\0', len)) {
		reader->fault = -EBADMSG;
		return "";
	}
	return text;
}

const void *reader_bytes(struct reader *reader, size_t *ret_len)
{
	uint32_t len = reader_u32(reader);
	const void *bytes = reader_raw(reader, len);

	*ret_len = bytes ? len : 0;
	return bytes;
}

int reader_end(const struct reader *reader)
{
	return reader->fault || reader->left ? -EBADMSG : 0;
}
