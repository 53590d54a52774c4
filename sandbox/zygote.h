/*
 * Between the two sides of the zygote, inside sandbox/. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_ZYGOTE_H
#define CALLGATE_SANDBOX_ZYGOTE_H

#include "sandbox/cell.h"

/* The zygote's own process, from fork to its end. sock: to the warden. zygote_main.c */
_Noreturn void zygote_run(const struct cell_host *host, int sock);

#endif
