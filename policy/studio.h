/*
 * A policy text and its server: section, taken apart and put together for the studio, which may
 * edit all of a policy but that section.
 *
 * What libyaml reads decides, not how the text looks: a key server is found however it is written,
 * and what was put together is read again and must be, node for node, the new text and the file's
 * own section. The section goes to the end, so that messages about the new text name the lines
 * that its author wrote. Pure: nothing is opened, no variable is looked at. Floor 1: libyaml,
 * jansson.
 */
#ifndef CALLGATE_POLICY_STUDIO_H
#define CALLGATE_POLICY_STUDIO_H

#include <stddef.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"

/* What a text with a server: section is answered (DESIGN 5.4). */
#define STUDIO_IMMUTABLE "Security: server configuration is immutable via studio API"

struct studio_text {
	const char *file; /* name for messages */
	const char *text;
	size_t len;
};

/* Fills out, which is empty, with the text without its server: section. 0; -EINVAL with a note: it
 * is no policy text, or the section cannot be cut out by lines; -ENOBUFS, -ENOMEM. */
int studio_show(const struct studio_text *now, struct buf *out, struct err_note *note);

/* Fills out, which is empty, with what the file becomes: the edited text (YAML, or a JSON object),
 * then the server: section of the file as it is now, verbatim. 0; -EPERM with a note: the edited
 * text has a section of its own; -EINVAL (also: ${NAME} in a value that the file has not, under
 * that key, outside of its section), -ENOBUFS, -ENOMEM as above. */
int studio_merge(const struct studio_text *now, const struct studio_text *edited, struct buf *out,
    struct err_note *note);

#endif
