/*
 * A sign of life for a person while something takes longer than two seconds: a line on stderr
 * where that is a terminal, again every ten. Uses SIGALRM, so that what works need not know.
 * Nothing with --output json. Floor 4.
 */
#ifndef CALLGATE_CONTROL_PROGRESS_H
#define CALLGATE_CONTROL_PROGRESS_H

#include <stdint.h>

#include "supervisor/control/command.h"

/* what: a literal, such as "running the tests of the policy". count (may be NULL): how many of
 * `things` (a literal) are done; read while it grows, so it stays until progress_end(). */
void progress_begin(
    enum command_output output, const char *what, const uint64_t *count, const char *things);
void progress_end(void);

#endif
