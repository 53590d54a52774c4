/*
 * effects_decode() on any bytes: refused and empty, or a list that is encoded to the same bytes.
 * The hint for each path may be asked, too.
 */
#include <stdlib.h>
#include <string.h>

#include "supervisor/link/effects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct effects list;
	struct buf out;

	if (effects_decode(&list, data, size)) {
		if (list.count || list.items || list.storage)
			abort();
		return 0;
	}
	buf_init(&out, size);
	if (effects_encode(&out, &list) || out.len != size || memcmp(out.data, data, size) != 0)
		abort();
	for (uint32_t i = 0; i < list.count; i++)
		(void)effects_runs_later(list.items[i].path);
	buf_fini(&out);
	effects_fini(&list);
	return 0;
}
