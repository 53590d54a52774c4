#include "sandbox/walls.h"

#ifdef CALLGATE_TEST_WALLS
#include <stdlib.h>

/* Walls that cannot stand without another one: the kernel asks for no_new_privs before it takes
 * a filter or a domain, and private mounts need a mount namespace of one's own. */
static uint32_t carried_by(enum layer layer)
{
	if (layer == LAYER_NNP)
		return LAYER_BIT(LANDLOCK) | LAYER_BIT(ALLOWLIST) | LAYER_BIT(SECCOMP) |
		       LAYER_BIT(MEMFD);
	if (layer == LAYER_MNTNS)
		return LAYER_BIT(ROOT) | LAYER_BIT(PROC) | LAYER_BIT(DISK);
	if (layer == LAYER_PIDNS)
		return LAYER_BIT(PROC);
	if (layer == LAYER_LANDLOCK)
		return LAYER_BIT(ALLOWLIST);
	if (layer == LAYER_SECCOMP)
		return LAYER_BIT(MEMFD);
	return 0;
}

void walls_read(struct walls *ret_walls)
{
	const char *name = getenv("CALLGATE_TEST_WALL_OFF");
	enum layer layer = name ? layer_from_name(name) : LAYER_COUNT;

	ret_walls->off = layer < LAYER_COUNT ? (1u << layer) | carried_by(layer) : 0;
}
#endif
