/*
 * The test of the test: in a build made with WALLS=1, and in no other, the environment variable
 * CALLGATE_TEST_WALL_OFF names one wall that the zygote and its cells then leave out, so that
 * tests/escape can see its probe fail. Without the define every question below is the constant
 * "no" and nothing of it reaches the binary. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_WALLS_H
#define CALLGATE_SANDBOX_WALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/layer.h"

#ifdef CALLGATE_TEST_WALLS
struct walls {
	uint32_t off; /* LAYER_BIT()s that are left out */
};

void walls_read(struct walls *ret_walls);

static inline bool wall_is_off(const struct walls *walls, enum layer layer)
{
	return layer < LAYER_COUNT && (walls->off & (1u << layer));
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
#endif

#endif
