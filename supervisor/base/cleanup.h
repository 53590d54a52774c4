/*
 * Scope-exit ownership for locals, and hand-over by "take".
 *
 * A local that owns something is declared with one of these attributes and is given up by
 * take_fd()/take_ptr(), which leave -1 or NULL behind. Floor 0: libc only, never blocks.
 */
#ifndef CALLGATE_BASE_CLEANUP_H
#define CALLGATE_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_fd_(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static inline void cleanup_free_(void *pointer)
{
	free(*(void **)pointer);
	*(void **)pointer = NULL;
}

/* int cleanup_fd fd = -1; */
#define cleanup_fd __attribute__((cleanup(cleanup_fd_)))
/* char *cleanup_free text = NULL; */
#define cleanup_free __attribute__((cleanup(cleanup_free_)))
/* struct buf cleanup_with(buf_fini) b; */
#define cleanup_with(function) __attribute__((cleanup(function)))

/* Gives the descriptor to the caller and leaves -1. */
static inline int take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Gives the pointer to the caller and leaves NULL. */
#define take_ptr(pointer)                                                                          \
	({                                                                                         \
		__typeof__(pointer) *take_from_ = &(pointer);                                      \
		__typeof__(pointer) taken_ = *take_from_;                                          \
		*take_from_ = NULL;                                                                \
		taken_;                                                                            \
	})

#endif
