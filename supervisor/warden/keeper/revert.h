/*
 * A commit that is taken back from what STATE/effects kept of it. Used by commit.c and undo.c.
 */
#ifndef CALLGATE_WARDEN_KEEPER_REVERT_H
#define CALLGATE_WARDEN_KEEPER_REVERT_H

#include "supervisor/warden/keeper/saved.h"

/* Puts back what it can in this order; what somebody changed since stays, counted in *ret_left. For
 * what a crash or a fault cut off. 0 or -errno. */
int revert_leniently(int workspace, int saved, const char *name, uint32_t *ret_left);
/* The list that takes this one back: sides turned round, targets of links read from what was saved.
 * 0 and *ret, ended by revert_free(); -errno. */
int revert_list(const struct saved *saved, struct effects *ret);
void revert_free(struct effects *effects);

#endif
