/*
 * What a policy cannot know about itself: that its working directories exist, and that nothing
 * the gate stands on lies where a tool could write. Used by main.c at start and at each reload;
 * reads the disk.
 */
#ifndef CALLGATE_WARDEN_CHECK_H
#define CALLGATE_WARDEN_CHECK_H

#include <stdbool.h>

#include "supervisor/base/err.h"
#include "supervisor/warden/config.h"
#include "supervisor/warden/site.h"
#include "supervisor/warden/tools.h"

/* Resolved absolute paths; NULL: none. */
struct check_places {
	const char *state;
	const char *journal;
	const char *socket;
	const struct site *site; /* NULL: none */
	bool root;               /* the daemon is root */
};

/* 0, or -EINVAL or -errno with a note "file:line:column: what: why; what to do". */
int check_policy(
    const struct config *config, const struct check_places *places, struct err_note *note);
/* Warns of tools that can never run here: a wall that they require is not to be had. missing:
 * LAYER_BIT()s that are known to be, besides what host says. */
void check_walls(const struct tools *tools, const struct cell_host *host, uint32_t missing,
    struct buf *warnings);
/* The process itself: a setuid start, or descriptors 0 to 2 missing. 0 or -EPERM with note. */
int check_process(struct err_note *note);

#endif
