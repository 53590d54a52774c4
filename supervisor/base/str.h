/*
 * Checked numbers, escaping for people, encodings, globs. Pure; floor 0: libc only.
 */
#ifndef CALLGATE_BASE_STR_H
#define CALLGATE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/* The whole text must be a decimal number in [0, max]. 0 or -EINVAL, -ERANGE. */
int str_u64(const char *text, uint64_t max, uint64_t *ret_value);

/* "30s", "5m", "2h", "1500ms", "1d" or bare seconds. 0 or -EINVAL, -ERANGE. */
int str_duration_ms(const char *text, uint64_t *ret_ms);

/* "64MiB", "1GiB", "512KiB", "1000kB", "4096"; units B kB MB GB TB KiB MiB GiB TiB. 0 or
 * -EINVAL, -ERANGE. */
int str_size(const char *text, uint64_t *ret_bytes);

/* Decodes one code point (RFC 3629). Returns its length in bytes, or 0 where bytes are not UTF-8.
 * len is at least 1. */
size_t str_utf8_next(const uint8_t *bytes, size_t len, uint32_t *ret_code);
bool str_is_utf8(const void *bytes, size_t len);
/* Whether a reader sees anything of it: some code point that is neither a blank nor one of those
 * that str_escape() writes as numbers. */
bool str_is_seen(const char *text);
/* Would str_escape() write this code point as \xNN or \u{NNNN}? */
bool str_is_hidden(uint32_t code);

/* Appends bytes as one printable line: everything a terminal could act upon or hide (C0, C1,
 * DEL, bidi controls, zero-width and other invisible, overlaying, private or line-breaking code
 * points, invalid UTF-8) becomes \n, \t, \xNN or \u{NNNN}; a backslash becomes \\. More than 16
 * blanks in a row, which push what follows out of sight, become \x20{COUNT}. */
int str_escape(struct buf *out, const void *bytes, size_t len);

/* The same into a fixed field, for notes and log lines: backslashes stay as they are and newline
 * and tab become \xNN. Always NUL-terminated; what does not fit is cut between code points.
 * Returns the length. max is at least 1. */
size_t str_printable(char *out, size_t max, const char *text);

/* Appends text quoted for a shell when it holds more than [A-Za-z0-9_@%+=:,./-]; the result is
 * for people to read: 'a b', and $'a\nb' with the escapes of str_escape() where there are any. */
int str_quote(struct buf *out, const char *text);

/* Lowercase hex; out holds 2 * len + 1 bytes. */
void str_hex(char *out, const void *bytes, size_t len);
/* 0 or -EINVAL; text must hold exactly 2 * len hex digits. */
int str_unhex(void *out, size_t len, const char *text);

/* Standard base64 with padding (RFC 4648 section 4). */
int str_base64(struct buf *out, const void *bytes, size_t len);
/* Canonical input only: padding required, unused bits zero. 0 or -EINVAL, -ENOBUFS. */
int str_unbase64(void *out, size_t max, const char *text, size_t len, size_t *ret_len);

/* Glob over names: '*' any run, '?' one byte, everything else itself. Linear in len * stars. */
bool str_glob(const char *pattern, const char *text);

/* 1..255 of [A-Za-z0-9_-]: the form of a namespace, agent and role name. */
bool str_is_name(const char *text);
/* 1..64 of [A-Za-z0-9_.-]: the form of a tool name (MCP). */
bool str_is_tool_name(const char *text);

#endif
