/*
 * The studio's errands (CONTROL_CONFIG_*): the policy is read without its server: section, an
 * edited one is judged as a load would, and, if that was asked for, written in the file's place and
 * loaded. One at a time; a reload that the write asks for decides whether the file stays. Nothing
 * here waits but for the disk. Used by main.c, reload.c and stop.c.
 */
#ifndef CALLGATE_WARDEN_STUDIO_H
#define CALLGATE_WARDEN_STUDIO_H

#include "supervisor/link/message.h"

struct warden;

/* Begins it; the CONTROLLED follows, at once or later. */
void studio_begin(struct warden *warden, const struct message *message);
/* The answer to the reload that a write began: true when it was that, and the studio answers. */
bool studio_reloaded(
    struct warden *warden, uint64_t serial, enum answer_status status, const char *note);
/* The daemon ends: nobody is answered any more, and a file that is not in force goes. */
void studio_abort(struct warden *warden);

#endif
