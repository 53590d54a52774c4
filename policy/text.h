/*
 * Small questions about texts that the loader and the thaw both ask. Private to policy/. Pure.
 */
#ifndef CALLGATE_POLICY_TEXT_H
#define CALLGATE_POLICY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* UTF-8 without control bytes other than newline and tab. */
bool text_is_clean(const char *text, size_t len);
/* Changes of one byte (insert, drop, replace) between two names; at least `most` where it would
 * be more, or where a name is longer than 64 bytes. */
size_t text_distance(const char *a, const char *b, size_t most);
/* An absolute path without empty, "." or ".." parts and without a slash at its end. */
bool text_is_plain_path(const char *text);
/* True if one of the parts between slashes is "..". */
bool text_climbs(const char *text);

/* The name of an environment variable. */
bool text_is_variable(const char *text);
/* One that a tool may be given: not one of those that callgate sets itself (PATH, HOME, TMPDIR,
 * USER), none that the loader of programs obeys (LD_*), none of callgate's own (CALLGATE_*). */
bool text_is_tool_variable(const char *text);
/* Appends clean text as a string of RFC 8259. */
void text_quote(struct buf *out, const char *text);

#endif
