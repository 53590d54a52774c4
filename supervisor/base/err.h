/*
 * Faults, and the one-line explanations that people read.
 *
 * Three channels never mix (doc/architecture.md, "Errors"):
 *   verdict   an enum; a result, not an error
 *   outcome   a positive, documented result of one function, handled by its direct caller
 *   fault     a negative errno value, passed upwards unchanged
 *
 * Words are built only where a human will meet them: policy load, sandbox entry, reply, command
 * line. They travel in a struct err_note, by value, never allocated. Floor 0: libc only, never
 * blocks.
 */
#ifndef CALLGATE_BASE_ERR_H
#define CALLGATE_BASE_ERR_H

#include <stddef.h>

#define ERR_NOTE_MAX 480

/* "what: why; what to do", at most ERR_NOTE_MAX - 1 bytes; longer text is cut at the end. The
 * text is always NUL-terminated and never holds a newline or another control byte: untrusted
 * bytes are escaped by err_note(). */
struct err_note {
	char text[ERR_NOTE_MAX];
};

/* Writes a note from a printf format. Control bytes in the result become \xNN.
 * Returns fault, so that `return err_note(note, -EINVAL, "...")` reads as one step.
 * note may be NULL: then only the fault is passed on. */
int err_note(struct err_note *note, int fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Appends ": " and strerror(-fault) to a note already written. Returns fault. */
int err_note_errno(struct err_note *note, int fault);

#endif
