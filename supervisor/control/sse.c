#include "supervisor/control/sse.h"

#include <errno.h>
#include <string.h>

#define FIELD_MAX 64 /* more than "data: " and its like */

void sse_init(struct sse *sse, size_t event_max)
{
	*sse = (struct sse){.has_data = false};
	buf_init(&sse->line, event_max + FIELD_MAX);
	buf_init(&sse->data, event_max + 1); /* and the newline at its end */
}

void sse_fini(struct sse *sse)
{
	buf_fini(&sse->line);
	buf_fini(&sse->data);
}

/* An empty line: what was collected is an event. */
static int dispatch(struct sse *sse, sse_event *event, void *owner)
{
	size_t len = sse->data.len;
	int result = 0;

	if (sse->has_data && len > 1)
		result = event(owner, (char *)sse->data.data, len - 1);
	buf_reset(&sse->data);
	sse->has_data = false;
	return result;
}

static int take_line(struct sse *sse, sse_event *event, void *owner)
{
	static const char mark[] = "\xEF\xBB\xBF";
	const char *line = (const char *)sse->line.data;
	size_t len = sse->line.len;
	int result = 0;

	if (!sse->begun && len >= 3 && memcmp(line, mark, 3) == 0) {
		line += 3;
		len -= 3;
	}
	sse->begun = true;
	if (len == 0) {
		result = dispatch(sse, event, owner);
	} else if (len >= 4 && memcmp(line, "data", 4) == 0 && (len == 4 || line[4] == ':')) {
		size_t skip = len == 4 ? 4 : 5;

		skip += len > skip && line[skip] == ' ';
		sse->has_data = true;
		(void)buf_put(&sse->data, line + skip, len - skip);
		if (buf_put(&sse->data, "\n", 1) != 0)
			result = -EMSGSIZE;
	}
	buf_reset(&sse->line);
	return result;
}

int sse_feed(struct sse *sse, const void *bytes, size_t len, sse_event *event, void *owner)
{
	const char *next = bytes, *end = next + len;
	int result = 0;

	while (result == 0 && next < end) {
		const char *stop = next;

		if (sse->after_return && *next == '\n')
			stop = ++next; /* the other half of CRLF */
		sse->after_return = false;
		while (stop < end && *stop != '\n' && *stop != '\r')
			stop++;
		if (buf_put(&sse->line, next, (size_t)(stop - next)) != 0)
			return -EMSGSIZE;
		if (stop == end)
			break;
		sse->after_return = *stop == '\r';
		next = stop + 1;
		result = take_line(sse, event, owner);
	}
	return result;
}
