/*
 * A long text on a terminal, a screen at a time, and questions to whoever sits there. Writes to the
 * terminal itself, so that what is asked about cannot have been sent elsewhere.
 */
#ifndef CALLGATE_CONTROL_PAGER_H
#define CALLGATE_CONTROL_PAGER_H

#include <stddef.h>

#define PAGER_LEFT 1 /* whoever reads it did not want to see the rest */

/* Shows text, which is printable but for its newlines, whole: as it is up to two screens, which a
 * glance back covers, else by screens, and on with Enter. 0: its end was shown; PAGER_LEFT;
 * -ENODATA: the terminal ended; -errno. */
int pager_show(int tty, const char *text);

/* Where the screen that begins with text ends on a terminal of that size, in bytes. Pure. */
size_t pager_screen(const char *text, unsigned columns, unsigned rows);

/* One line typed after the question; what was typed before it is thrown away. 0 or -ENODATA. */
int pager_ask(int tty, const char *question, char *out, size_t max);

#endif
