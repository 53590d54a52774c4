/*
 * base64url without padding (RFC 4648 section 5, as RFC 7515 uses it), canonical form only: one
 * text for each sequence of bytes. Floor 2: base; pure.
 */
#ifndef CALLGATE_IDENTITY_BASE64URL_H
#define CALLGATE_IDENTITY_BASE64URL_H

#include <stddef.h>

#include "supervisor/base/buf.h"

/* Bytes that a text of this length stands for. */
#define BASE64URL_BYTES(len) ((len) / 4 * 3 + (len) % 4 * 3 / 4)
/* Characters that so many bytes take. */
#define BASE64URL_CHARS(len) ((len) / 3 * 4 + ((len) % 3 * 4 + 2) / 3)

/* 0; -EINVAL: padding, a foreign character, an impossible length or unused bits that are not
 * zero; -ENOBUFS: more than max bytes. out is written only as far as was good. */
int base64url_decode(void *out, size_t max, const char *text, size_t len, size_t *ret_len);
/* Appends. 0 or the buf's fault. */
int base64url_encode(struct buf *out, const void *bytes, size_t len);
/* The value of a digit, 0 to 63, or -1. */
int base64url_value(char c);
/* The digit of the low six bits. */
char base64url_digit(unsigned value);

#endif
