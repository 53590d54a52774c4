/*
 * Only in sanitizer builds does this file hold anything: what the runtime of ASan and UBSan does
 * besides the program, mostly while it writes a report.
 */
#include "sandbox/self_sets.h"

#include <errno.h>
#include <seccomp.h>

#ifdef CALLGATE_SANITIZED

static const struct self_row sanitizer_rows[] = {
    {SCMP_SYS(mmap), 0, 0, 0},
    {SCMP_SYS(mprotect), 0, 0, 0},
    {SCMP_SYS(openat), 0, 0, 0}, /* /proc/self/maps, the program for symbols; Landlock holds it */
    {SCMP_SYS(prlimit64), 0, 0, 0},
    {SCMP_SYS(readlink), 0, 0, 0},
    {SCMP_SYS(sched_getaffinity), 0, 0, 0},
};

struct self_set self_sanitizer(void)
{
	return (struct self_set){
	    sanitizer_rows, sizeof(sanitizer_rows) / sizeof(sanitizer_rows[0])};
}

uint32_t self_default_action(void)
{
	return SCMP_ACT_ERRNO(EPERM);
}

/* The leak check stops the process with ptrace from a clone, which no role may and which a
 * process that is not dumpable refuses: it would turn each clean exit into a failure. Unit tests
 * of everything that does not confine itself still look for leaks. */
const char *__asan_default_options(void);

__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

#else

struct self_set self_sanitizer(void)
{
	return (struct self_set){NULL, 0};
}

uint32_t self_default_action(void)
{
	return SCMP_ACT_KILL_PROCESS;
}

#endif
