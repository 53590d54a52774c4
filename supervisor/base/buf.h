/*
 * A bounded growing byte buffer, and a reader over bytes; both with a sticky fault.
 *
 * Codecs write and read field after field without looking at each result and ask once at the
 * end: after the first fault every further step does nothing. Numbers are little-endian. A
 * string is u32 length, bytes, one NUL (not counted); an embedded NUL is a fault on both sides.
 * A zeroed struct buf is valid with limit 0, which accepts nothing. Floor 0: libc only.
 */
#ifndef CALLGATE_BASE_BUF_H
#define CALLGATE_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len;    /* bytes used */
	size_t cap;    /* bytes allocated */
	size_t limit;  /* bytes at most */
	int fault;     /* 0, -ENOBUFS (limit), -ENOMEM or -EINVAL (NUL in a string) */
};

/* limit: the most bytes it will ever hold. Allocates nothing yet. */
void buf_init(struct buf *buf, size_t limit);
/* Frees; accepts a zeroed or finished buf. */
void buf_fini(struct buf *buf);
/* Forgets content and fault, keeps the memory. */
void buf_reset(struct buf *buf);

/* Each returns buf->fault: 0, or the first fault so far. */
int buf_put(struct buf *buf, const void *bytes, size_t len);
int buf_put_u8(struct buf *buf, uint8_t value);
int buf_put_u16(struct buf *buf, uint16_t value);
int buf_put_u32(struct buf *buf, uint32_t value);
int buf_put_u64(struct buf *buf, uint64_t value);
int buf_put_i64(struct buf *buf, int64_t value);
/* NULL is written as the empty string. */
int buf_put_str(struct buf *buf, const char *text);
/* u32 length, then the bytes; any byte may occur. */
int buf_put_bytes(struct buf *buf, const void *bytes, size_t len);
/* Text without length or NUL, for building lines. */
int buf_text(struct buf *buf, const char *text);
int buf_textf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Returns the content as a NUL-terminated string, valid until the next put or fini; NULL on
 * fault. The NUL is not counted in len. */
const char *buf_cstr(struct buf *buf);

struct reader {
	const uint8_t *next; /* borrowed */
	size_t left;         /* bytes not yet read */
	int fault;           /* 0 or -EBADMSG */
};

void reader_init(struct reader *reader, const void *bytes, size_t len);
/* Each gives 0, NULL or "" after a fault. Pointers point into the bytes given to reader_init and
 * live as long as those. */
uint8_t reader_u8(struct reader *reader);
uint16_t reader_u16(struct reader *reader);
uint32_t reader_u32(struct reader *reader);
uint64_t reader_u64(struct reader *reader);
int64_t reader_i64(struct reader *reader);
const char *reader_str(struct reader *reader);
const void *reader_bytes(struct reader *reader, size_t *ret_len);
/* Exactly len raw bytes without a length in front; NULL on fault. */
const void *reader_raw(struct reader *reader, size_t len);
/* 0 when everything was read and nothing went wrong, else -EBADMSG. */
int reader_end(const struct reader *reader);

#endif
