/*
 * A reader of event streams (text/event-stream): bytes in as they come, the data of whole events
 * out. Only `data` matters to us; comments, names, ids and retry are passed over. Pure; floor 4:
 * base.
 */
#ifndef CALLGATE_CONTROL_SSE_H
#define CALLGATE_CONTROL_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/base/buf.h"

/* data is borrowed for the call and may be written to; len > 0. Not 0 ends the reading. */
typedef int sse_event(void *owner, char *data, size_t len);

struct sse {
	struct buf line; /* not yet ended */
	struct buf data; /* of the event so far */
	bool has_data;
	bool after_return; /* the last byte was a CR that ended a line */
	bool begun;        /* the first line was seen: no byte order mark any more */
};

/* event_max: bytes of one event and of one line. */
void sse_init(struct sse *sse, size_t event_max);
void sse_fini(struct sse *sse);
/* 0; -EMSGSIZE: an event is too long; or what event() returned. An event that the end of the
 * stream cuts off is none. */
int sse_feed(struct sse *sse, const void *bytes, size_t len, sse_event *event, void *owner);

#endif
