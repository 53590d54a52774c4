/*
 * Time. Monotonic for deadlines, wall clock only for records. Floor 0: libc only.
 * Tests replace this module at link time.
 */
#ifndef CALLGATE_BASE_CLOCK_H
#define CALLGATE_BASE_CLOCK_H

#include <stdint.h>

#define CLOCK_STAMP_MAX 32

uint64_t clock_monotonic_us(void);
uint64_t clock_wall_us(void); /* since 1970-01-01 UTC */
/* RFC 3339 with microseconds and Z: "2026-11-23T05:50:00.000000Z". Returns out. */
char *clock_stamp(char out[CLOCK_STAMP_MAX], uint64_t wall_us);
/* Inverse of clock_stamp (fraction optional). 0 or -EINVAL. */
int clock_unstamp(const char *text, uint64_t *ret_wall_us);

#endif
