/*
 * One web hook as a request for courier: where to, signed how, with which body. Secrets stand in
 * it only until it is sent. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_HOOK_SEND_H
#define CALLGATE_ENGINE_HOOK_SEND_H

#include "supervisor/base/err.h"
#include "supervisor/engine/hooks/hook_form.h"
#include "supervisor/link/message.h"

struct engine;

#define HOOK_HEADERS_MAX 8

struct hook_request {
	const char *url;                 /* borrowed, from the policy or the secrets; or url_text */
	struct buf url_text;             /* of ntfy */
	char *headers[HOOK_HEADERS_MAX]; /* owned */
	uint32_t header_count;
	struct buf body;
	bool whole;      /* hook_form_body() */
	bool by_https;   /* the one who answers is who the URL names */
	const char *why; /* with a fault: a literal without secrets */
};

/* Fills form's urls and topic, builds and signs. form->type, event, data, id, nonce and wall_us are
 * given. 0, or -errno with ret->why: it cannot be sent to this channel now. Ended by
 * hook_request_fini() in every case. */
int hook_request_build(struct hook_request *ret, const struct engine *engine,
    const struct policy_channel *channel, struct hook_form *form);
/* Wipes what was signed. Accepts a zeroed one. */
void hook_request_fini(struct hook_request *request);

#endif
