/*
 * JSON from strangers, and text from anywhere into JSON. Pure; floor 1: base, jansson.
 */
#ifndef CALLGATE_WIRE_VALUE_H
#define CALLGATE_WIRE_VALUE_H

#include <jansson.h>
#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"

/* Seeds the hash of objects from the kernel. Once per process, before self_confine(): jansson
 * opens a file for it. */
void value_start(void);

/* One JSON value and nothing after it: no duplicate keys, valid UTF-8, no lone surrogates, no
 * NUL, at most WIRE_DEPTH_MAX deep with WIRE_ELEMENTS_MAX elements (counted before anything is
 * allocated). *ret is the caller's. 0, -EINVAL with note, -ENOMEM. */
int value_read(const char *text, size_t len, json_t **ret, struct err_note *note);

/* Appends value as compact JSON without a newline. 0, buf's fault, -EINVAL. */
int value_write(struct buf *out, const json_t *value);

/* Appends bytes as UTF-8 text: each byte that is no part of it, and NUL, becomes U+FFFD.
 * 0 or buf's fault. */
int value_clean(struct buf *out, const void *bytes, size_t len);
/* A new JSON string of such text; NULL when out of memory. */
json_t *value_text(const void *bytes, size_t len);

#endif
