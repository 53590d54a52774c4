/*
 * Text as lines: line ends, numbers, and what people and agents are shown. Pure. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_EDITOR_TEXT_H
#define CALLGATE_SANDBOX_FUNCTIONS_EDITOR_TEXT_H

#include <stddef.h>

struct buf;

enum line_ends {
	LINE_ENDS_LF = 0, /* also of a text without any */
	LINE_ENDS_CRLF,   /* every one; taken away here and put back by editor_text_bytes() */
	LINE_ENDS_MIXED,  /* left as they are */
};

struct editor_text {
	char *bytes; /* owned, NUL-terminated */
	size_t len;
	enum line_ends ends;
};

/* 0, -EILSEQ (not UTF-8, or holds NUL) or -ENOMEM. */
int editor_text_read(struct editor_text *ret, const char *bytes, size_t len);
void editor_text_fini(struct editor_text *text);
/* The bytes for the disk, freed by the caller. 0 or -ENOMEM. */
int editor_text_bytes(const struct editor_text *text, char **ret_bytes, size_t *ret_len);
/* What an agent gave, in the form that text has: CRLF becomes LF where the file's is taken away.
 * Freed by the caller; NULL without memory. */
char *editor_text_given(const struct editor_text *text, const char *given);
/* Replaces `cut` bytes at offset by more. 0 or -ENOMEM. */
int editor_text_splice(struct editor_text *text, size_t offset, size_t cut, const char *more);

size_t editor_text_lines(const struct editor_text *text);
/* Where line (from 1) begins; the length of the text for a line behind the last. */
size_t editor_text_offset(const struct editor_text *text, size_t line);
/* The line (from 1) that holds this offset. */
size_t editor_text_line_of(const struct editor_text *text, size_t offset);
/* Appends lines first to last with their numbers, as long as there is room in an answer. Returns
 * the last one shown, first - 1 for none. */
size_t editor_text_show(const struct editor_text *text, size_t first, size_t last, struct buf *out);

#endif
