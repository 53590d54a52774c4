/*
 * One call of the editor between its own files: the arguments, read and checked, and where the
 * answer goes. editor.c reads them and chooses; editor_view.c shows; editor_change.c writes.
 * Floor 1: base, jansson.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_EDITOR_CALL_H
#define CALLGATE_SANDBOX_FUNCTIONS_EDITOR_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/err.h"

struct buf;

#define EDITOR_TO_END (-1) /* as the second number of a range */

struct editor_call {
	int top; /* borrowed: the working directory */
	const char *path;
	const char *file_text;
	const char *old_str;
	const char *new_str; /* "" if absent */
	const char *insert_text;
	int64_t insert_line;
	bool has_range;
	int64_t range[2]; /* from 1; the second EDITOR_TO_END or not below the first */
	struct buf *out;
	struct err_note *note;
};

/* Each: 0 with the answer in out, or a fault with its note. -EINVAL: the arguments are at fault. */
int editor_view(const struct editor_call *call);
int editor_create(const struct editor_call *call);
int editor_replace(const struct editor_call *call);
int editor_insert(const struct editor_call *call);
int editor_undo(const struct editor_call *call);

#endif
