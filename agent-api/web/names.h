/*
 * Which agent and namespace a request speaks for: by the headers Callgate-Agent and
 * Callgate-Namespace, which are the HTTP form of _meta, or in its body. Pure; floor 3.
 */
#ifndef CALLGATE_WEB_NAMES_H
#define CALLGATE_WEB_NAMES_H

#include "agent-api/http/head.h"
#include "supervisor/base/err.h"

#define NAMES_MAX 256

struct names {
	char agent[NAMES_MAX]; /* "" = not said */
	char space[NAMES_MAX];
};

/* agent, space: as the body has them; NULL or "": not said. 0; -EINVAL with note: no such name,
 * or header and body differ. */
int names_read(struct names *ret, const struct http_head *head, const char *agent,
    const char *space, struct err_note *note);

#endif
