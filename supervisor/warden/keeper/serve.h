/*
 * The keeper's own process, between the two sides of its fork. Used by keeper.c.
 */
#ifndef CALLGATE_WARDEN_KEEPER_SERVE_H
#define CALLGATE_WARDEN_KEEPER_SERVE_H

#include <stdbool.h>
#include <sys/types.h>

/* From fork to its end. saved: STATE/effects. */
_Noreturn void keeper_run(int sock, int saved, bool root, pid_t parent);

#endif
