/*
 * One thing of a list that the daemon sent, as people see and name it: approvals and grants.
 * Floor 4.
 */
#ifndef CALLGATE_CONTROL_LISTED_H
#define CALLGATE_CONTROL_LISTED_H

#include <stdio.h>

#include <jansson.h>

#include "supervisor/base/clock.h"

/* "  name       value" on a line of its own; nothing for an empty value. The value was rendered by
 * the daemon (command_print_rendered). */
void listed_print_field(const char *name, const char *value);
void listed_write_field(FILE *out, const char *name, const char *value);

/* A time of an object as text: as it came, or made of seconds since 1970; "" for none. Borrowed
 * from the object or out. */
const char *listed_time(const json_t *object, const char *member, char out[CLOCK_STAMP_MAX]);

/* The entry with this id or unique beginning of one (at least 4 characters); borrowed. what: "call
 * that waits"; where: the command that lists them. NULL after complaining. */
const json_t *listed_find(
    const json_t *entries, const char *id, const char *what, const char *where);

#endif
