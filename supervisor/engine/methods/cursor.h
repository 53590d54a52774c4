/*
 * Cursors of lists: where the next page begins, as a text that only this start of the engine can
 * make, good for one policy version and one identity. Nothing is kept for them.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CURSOR_H
#define CALLGATE_ENGINE_CURSOR_H

#include <jansson.h>
#include <stdint.h>

#include "supervisor/base/buf.h"

struct methods_ask;

/* Appends the cursor of the page that begins at this index. 0, -ENOMEM, -EIO, out's fault. */
int cursor_write(struct buf *out, const struct methods_ask *ask, uint32_t index);
/* cursor: of params; NULL is the beginning. 0; -EINVAL: not one of ours, or of another policy,
 * principal, agent or namespace; -ENOMEM, -EIO. */
int cursor_read(const struct methods_ask *ask, const json_t *cursor, uint32_t *ret_index);

#endif
