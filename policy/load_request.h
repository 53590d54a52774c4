/*
 * What callgated asks of callgate-policy beside reading the file: one JSON text in one variable of
 * the child's environment, so that the file's name stays the only argument. The child takes the
 * variable away before it reads anything, so no ${NAME} can see it. Pure. Floor 1: base, jansson.
 */
#ifndef CALLGATE_POLICY_LOAD_REQUEST_H
#define CALLGATE_POLICY_LOAD_REQUEST_H

#include <jansson.h>

#include "policy/overrides.h"
#include "supervisor/base/buf.h"

#define LOAD_REQUEST_VARIABLE "CALLGATE_POLICY_REQUEST"
#define LOAD_REQUEST_MAX      (16 * 1024) /* bytes of JSON */

enum load_mode {
	LOAD_NONE = 0,
	LOAD_FILE, /* the file as it is */
	LOAD_EDIT, /* a new text in place of all but its server: */
	LOAD_SHOW, /* nothing is judged: the text without server: is handed out */
	LOAD_MODE_COUNT,
};

struct load_request {
	enum load_mode mode;
	struct policy_overrides overrides;
	json_t *root; /* what the texts above point into; NULL: the caller's */
};

/* Appends the JSON text. 0, -EINVAL (a text is not UTF-8), -ENOBUFS, -ENOMEM. */
int load_request_put(struct buf *out, const struct load_request *request);
/* NULL is a plain LOAD_FILE. 0 and *ret (ended by load_request_fini), or -EBADMSG: the warden did
 * not write this. */
int load_request_read(const char *text, struct load_request *ret);
void load_request_fini(struct load_request *request);

#endif
