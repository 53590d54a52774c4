#include "agent-api/web/names.h"

#include <errno.h>
#include <string.h>

#include "agent-api/web/head_field.h"
#include "supervisor/base/str.h"

static int read_one(char out[NAMES_MAX], const struct http_head *head, const char *header,
    const char *in_body, struct err_note *note)
{
	struct http_text value = head_field(head, header);

	out[0] = '\0';
	if (value.at && value.len < NAMES_MAX) {
		memcpy(out, value.at, value.len);
		out[value.len] = '\0';
	}
	if ((value.at && !str_is_name(out)) || (in_body && *in_body && !str_is_name(in_body)))
		return err_note(
		    note, -EINVAL, "%s: the name must be 1 to 255 of A-Z a-z 0-9 _ -", header);
	if (!in_body || !*in_body)
		return 0;
	if (value.at && strcmp(out, in_body) != 0)
		return err_note(
		    note, -EINVAL, "%s: the header and the body name different ones", header);
	memcpy(out, in_body, strlen(in_body) + 1); /* a name has at most 255 bytes */
	return 0;
}

int names_read(struct names *ret, const struct http_head *head, const char *agent,
    const char *space, struct err_note *note)
{
	int r = read_one(ret->agent, head, "Callgate-Agent", agent, note);

	return r == 0 ? read_one(ret->space, head, "Callgate-Namespace", space, note) : r;
}
