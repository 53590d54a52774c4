/*
 * What comes with a request to write or to look: a list and paths, in sealed memory. Used by
 * serve.c in a child, and by whoever asks.
 */
#ifndef CALLGATE_WARDEN_KEEPER_ORDER_H
#define CALLGATE_WARDEN_KEEPER_ORDER_H

#include "supervisor/warden/keeper/jobs.h"

struct order {
	struct commit_ask commit; /* points into this struct, which stays where it is */
	struct effects list;      /* COMMIT */
	struct strv paths;        /* all but RECOVER */
};

/* Sealed memory with these paths; -errno. */
int order_paths(const struct strv *paths);
/* 0 or -errno; what it holds lives as long as the process. ask is kept. */
int order_read(struct order *ret, const struct keeper_ask *ask, const int *fds, size_t fd_count);

#endif
