#include "sandbox/walls.h"

#ifdef CALLGATE_TEST_WALLS
#include <stdlib.h>
#include <string.h>

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
	const char *value = getenv("CALLGATE_TEST_WALL_OFF");
	char names[64] = "", *rest = names;

	memset(ret_walls, 0, sizeof(*ret_walls));
	if (value && strlen(value) < sizeof(names))
		memcpy(names, value, strlen(value) + 1);
	for (const char *name; (name = strsep(&rest, ",")) != NULL;) {
		enum layer layer = layer_from_name(name);

		if (layer < LAYER_COUNT)
			ret_walls->off |= (1u << layer) | carried_by(layer);
		ret_walls->nesting |= strcmp(name, "nesting") == 0;
	}
}
#endif
