/*
 * What the kernel's counters say about a tree that ended, besides its exit status. Used by
 * launch.c. Pure but for getrusage(2).
 */
#ifndef CALLGATE_WARDEN_WITNESS_H
#define CALLGATE_WARDEN_WITNESS_H

#include <stdint.h>

#include "supervisor/link/message.h"
#include "supervisor/warden/cgroup.h"

/* What init says of an end: OOM, CPU, SIGNALED or EXITED. */
enum exit_how witness_event(const struct cell_event *event);

/* how as known so far (NONE: init died without a word), the exit status or signal, and what init
 * saw: a limit where the tree ended badly and the kernel counted a refusal, sent its signal or has
 * no room left; never NONE. */
enum exit_how witness_how(
    enum exit_how how, int64_t code, enum cell_reached reached, const struct cgroup_usage *usage);

/* Where witness_how() said something else than how: what was counted and what the program made of
 * it, written into an empty note. */
void witness_remark(
    struct err_note *note, enum exit_how how, int64_t code, const struct cgroup_usage *usage);

/* CPU time of all children reaped so far: its growth over reaping one init is what that init and
 * everything it reaped (or the kernel for it) used. */
uint64_t witness_children_cpu_us(void);

/* Cuts a text at its spaces, in place; items point into it. */
void witness_split(char *text, const char **items, uint32_t max, struct strv *ret);

#endif
