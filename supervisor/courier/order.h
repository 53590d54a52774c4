/*
 * What one FETCH asks for, judged before anything of it reaches libcurl. Floor 3, courier only.
 */
#ifndef CALLGATE_COURIER_ORDER_H
#define CALLGATE_COURIER_ORDER_H

#include "supervisor/base/err.h"
#include "supervisor/courier/reach.h"
#include "supervisor/link/message.h"

#define ORDER_URL_MAX     4096
#define ORDER_HOST_MAX    256
#define ORDER_HEADERS_MAX 64
#define ORDER_HEADER_MAX  8192
#define ORDER_TIMEOUT_MAX 120000 /* ms; 0 and longer ones count as this */

struct order {
	struct reach_target target;
	char host[ORDER_HOST_MAX]; /* for notes: the only part of the URL that is no secret */
};

/* 0 and *ret; -EINVAL with note, which holds nothing of path, query or headers. */
int order_judge(struct order *ret, const struct message_fetch *fetch, struct err_note *note);

#endif
