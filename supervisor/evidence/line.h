/*
 * Reading a line of the journal without a JSON library: its head, and its top-level members.
 *
 * Every line was made by record_emit(), so what is read here is the RFC 8785 subset: one object,
 * no white space, sorted ASCII keys. Whatever else is met is -EBADMSG; bytes are hostile.
 * Used by the auditor (recovery) and the offline commands. Floor 1: base; pure.
 */
#ifndef CALLGATE_EVIDENCE_LINE_H
#define CALLGATE_EVIDENCE_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"

/* {"@n":N,"@prev":"<64 hex>","@timestamp":"<stamp>" ; pointers into the line. */
struct line_head {
	uint64_t n;
	const char *prev_hex; /* DIGEST_HEX_MAX - 1 characters, not NUL-terminated, unchecked */
	const char *stamp;    /* not NUL-terminated */
	size_t stamp_len;     /* below CLOCK_STAMP_MAX */
	size_t len;           /* bytes of the line up to here */
};

/* 0 or -EBADMSG. */
int line_head(struct line_head *ret, const void *line, size_t len);

/* One member; pointers into the line. value is the raw JSON text. */
struct line_member {
	const char *key; /* without quotes */
	size_t key_len;
	const char *value;
	size_t value_len;
};

struct line_cursor { /* private */
	const char *next;
	const char *end;
};

/* Starts behind the head. */
void line_members(
    struct line_cursor *cursor, const struct line_head *head, const void *line, size_t len);
/* 1: *ret is the next member; 0: the line ended as it should; -EBADMSG. */
int line_next(struct line_cursor *cursor, struct line_member *ret);
/* The same over the members of an object, for instance the value of another member. */
int line_members_of(struct line_cursor *cursor, const struct line_member *object);

/* Finds a member behind the head. 1, 0 (no such member) or -EBADMSG. */
int line_find(const void *line, size_t len, const char *key, struct line_member *ret);

/* Appends the bytes of a string value, or of {"b64":"..."}. 0, -EBADMSG, or the buf's fault. */
int line_text(struct buf *out, const struct line_member *member);
/* 1: the value is exactly the JSON string for this text, which needs no escapes; else 0. */
int line_is(const struct line_member *member, const char *text);

#endif
