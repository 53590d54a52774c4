/*
 * The test of the test: in a build made with WALLS=1, and in no other, the environment variable
 * CALLGATE_TEST_WALL_OFF names walls (a,b) that the zygote, its cells and, for cgroup, the warden
 * then leave out, so that tests/escape can see their probes fail. Without the define every question
 * below is the constant "no" and nothing of it reaches the binary. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_WALLS_H
#define CALLGATE_SANDBOX_WALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/layer.h"

#ifdef CALLGATE_TEST_WALLS
struct walls {
	uint32_t off; /* LAYER_BIT()s that are left out */
	bool nesting; /* no layer of its own: max_user_namespaces of a cell is left alone */
};

void walls_read(struct walls *ret_walls);

static inline bool wall_is_off(const struct walls *walls, enum layer layer)
{
	return layer < LAYER_COUNT && (walls->off & (1u << layer));
}

static inline bool walls_allow_nesting(const struct walls *walls)
{
	return walls->nesting;
}
#else
struct walls {
	/* nothing: every wall stands */
};

static inline void walls_read(struct walls *ret_walls)
{
	(void)ret_walls;
}

static inline bool wall_is_off(const struct walls *walls, enum layer layer)
{
	(void)walls;
	(void)layer;
	return false;
}

static inline bool walls_allow_nesting(const struct walls *walls)
{
	(void)walls;
	return false;
}
#endif

#endif
