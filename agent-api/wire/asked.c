#include "agent-api/wire/asked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int asked_note(struct asked **asked, const void *body, size_t len)
{
	static const char head[] = NOTICE_REQUEST_HEAD;
	const char *id = (const char *)body + sizeof(head) - 1;
	const char *end;
	char *slot;

	if (len < sizeof(head) || memcmp(body, head, sizeof(head) - 1) != 0)
		return 0; /* a notification */
	end = memchr(id, '"', len - (sizeof(head) - 1));
	if (!end || end == id || (size_t)(end - id) >= NOTICE_ID_MAX)
		return 0;
	if (!*asked)
		*asked = calloc(1, sizeof(**asked));
	if (!*asked)
		return -ENOMEM;
	slot = (*asked)->ids[(*asked)->next++ % ASKED_MAX];
	memset(slot, 0, NOTICE_ID_MAX);
	memcpy(slot, id, (size_t)(end - id));
	return 0;
}

int asked_take(struct asked *asked, const json_t *id)
{
	const char *text = json_string_value(id);

	for (size_t i = 0; asked && text && *text && i < ASKED_MAX; i++) {
		if (strcmp(asked->ids[i], text) == 0) {
			asked->ids[i][0] = '\0';
			return 1;
		}
	}
	return 0;
}
