/*
 * What callgated asks of callgate-policy beside reading the file: lines NAME=VALUE in one variable
 * of the child's environment, so that the file's name stays the only argument and the warden needs
 * no reader of JSON. The child takes the variable away before it reads anything, so no ${NAME} can
 * see it. Pure. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_LOAD_REQUEST_H
#define CALLGATE_POLICY_LOAD_REQUEST_H

#include "policy/overrides.h"
#include "supervisor/base/buf.h"

#define LOAD_REQUEST_VARIABLE "CALLGATE_POLICY_REQUEST"
#define LOAD_REQUEST_MAX      (16 * 1024) /* bytes of text */

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
	char *text; /* what the texts above point into, owned; NULL: they are the caller's */
};

/* Appends the text. 0, -EINVAL (a value with a control character), -ENOBUFS, -ENOMEM. */
int load_request_put(struct buf *out, const struct load_request *request);
/* NULL is a plain LOAD_FILE. 0 and *ret (ended by load_request_fini); -EBADMSG: the warden did not
 * write this; -ENOMEM. */
int load_request_read(const char *text, struct load_request *ret);
void load_request_fini(struct load_request *request);

#endif
