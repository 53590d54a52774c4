/*
 * What the function programs have in common: the arguments come as one JSON object on standard
 * input, the tool's text leaves on standard output, and the exit status says how it went.
 * Used by the two programs of this folder only. Floor 1: base, jansson.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_REQUEST_H
#define CALLGATE_SANDBOX_FUNCTIONS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "supervisor/base/err.h"

struct buf;

#define REQUEST_INPUT_MAX  (1024 * 1024)
#define REQUEST_OUTPUT_MAX (512 * 1024)
/* What is left free for the last words when a long text is cut. */
#define REQUEST_WORDS_MAX 4096

/* The exit status. The text says why in each case. */
enum request_status {
	REQUEST_DONE = 0,
	REQUEST_FAILED = 1,  /* the tool's own: no such file, no match, ... */
	REQUEST_INVALID = 2, /* the arguments are not what the schema says */
};

/* Reads all of fd. *ret is an object, freed by json_decref(). 0, -EINVAL with a note, -errno. */
int request_read(int fd, json_t **ret, struct err_note *note);
/* Writes the text, or in place of an empty one the note. Returns the exit status. */
int request_answer(
    int fd, enum request_status status, struct buf *out, const struct err_note *note);
/* REQUEST_INVALID for -EINVAL, else REQUEST_FAILED. */
enum request_status request_status_of(int fault);
/* Are this many bytes more still within what an answer may hold? */
bool request_has_room(const struct buf *out, size_t more);

/* Each leaves *ret as it is when the argument is absent; -EINVAL with a note for another type or
 * a number outside the bounds. Text is borrowed from the object and holds no NUL. */
int request_text(const json_t *object, const char *name, const char **ret, struct err_note *note);
int request_flag(const json_t *object, const char *name, bool *ret, struct err_note *note);
/* bounds: least and most. A real without a fraction counts as its integer. */
int request_number(const json_t *object, const char *name, const int64_t bounds[2], int64_t *ret,
    struct err_note *note);
/* The same for a value that stands elsewhere, such as in an array. */
int request_integer(const json_t *value, const char *name, const int64_t bounds[2], int64_t *ret,
    struct err_note *note);
/* names: ends with NULL. -EINVAL for an argument that is none of them. */
int request_known(const json_t *object, const char *const *names, struct err_note *note);

#endif
