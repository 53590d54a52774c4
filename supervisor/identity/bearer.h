/*
 * Which credential a request shows, out of its Authorization and X-API-Key headers. One at most:
 * with two, what is checked and what is meant could differ. Floor 2; pure.
 */
#ifndef CALLGATE_IDENTITY_BEARER_H
#define CALLGATE_IDENTITY_BEARER_H

#include <stddef.h>

#include "supervisor/identity/verdict.h"

enum bearer_kind {
	BEARER_NONE = 0,
	BEARER_API_KEY, /* begins like one of ours */
	BEARER_JWT,     /* three parts between dots */
	BEARER_OTHER,
};

/* What its form suggests. A key that an administrator made up may have any form, so those are
 * compared first, whatever the kind. */
struct bearer {
	enum bearer_kind kind;
	const char *text; /* borrowed, visible ASCII, not NUL-terminated */
	size_t len;
};

/* Header values without surrounding blanks; NULL: there is no such header. CREDENTIAL_OK;
 * _ABSENT: neither; _SEVERAL: both, and they differ; _FORM: another scheme than Bearer, or bytes
 * that belong in no credential; _TOO_LARGE. */
enum credential_verdict bearer_read(
    struct bearer *ret, const char *authorization, const char *x_api_key);

#endif
