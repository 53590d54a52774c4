/*
 * A file as the editor found it, and the ways to put another in its place. Files here are bytes;
 * lines are the business of editor_text.h. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_EDITOR_FILE_H
#define CALLGATE_SANDBOX_FUNCTIONS_EDITOR_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/functions/place.h"

struct editor_file {
	struct place place; /* place.st is that of the file when it was read */
	bool exists;
	char *bytes; /* owned, NUL-terminated; NULL if it does not exist */
	size_t len;
};

/* PLACE_FOUND, PLACE_ABSENT or a fault with its note: those of place_find(), -EISDIR, -EFBIG,
 * -EMEDIUMTYPE (neither file nor folder). *ret is released by editor_file_fini(), also after a
 * fault; after -EISDIR its place is that of the folder. */
int editor_file_read(struct editor_file *ret, int top, const char *path, enum place_parents parents,
    struct err_note *note);
void editor_file_fini(struct editor_file *file);

/* Puts these bytes in the file's place, if what is there is still what was read: else -EBUSY.
 * 0 or a fault with its note; then the file is as it was. */
int editor_file_write(
    const struct editor_file *file, const void *bytes, size_t len, struct err_note *note);
/* Removes the file under the same condition. */
int editor_file_remove(const struct editor_file *file, struct err_note *note);

#endif
