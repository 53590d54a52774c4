/*
 * The bodies of outgoing web hooks: a question, its end, and "N questions wait", in the form of
 * each type of channel. Everything an approver needs is in them or nothing that could be answered:
 * a question that does not fit whole goes out without its nonce and says so. What a stranger wrote
 * is escaped for people; what means something to the receiver's own markup is escaped for that.
 * Pure. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_HOOK_FORM_H
#define CALLGATE_ENGINE_HOOK_FORM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/base/buf.h"

#define HOOK_BODY_MAX   20000 /* bytes of a body (Standard Webhooks) */
#define HOOK_NTFY_MAX   3800  /* bytes of a message; ntfy takes 4096 */
#define HOOK_BLOCK_MAX  2900  /* bytes of one block's text; Slack takes 3000 */
#define HOOK_BLOCKS_MAX 44    /* blocks of text; Slack takes 50 of all kinds */
#define HOOK_NONCE_LEN  16
#define HOOK_NONCE_MAX  (2 * HOOK_NONCE_LEN + 1)

/* Borrowed. */
struct hook_form {
	enum channel_type type;
	const char *event;      /* "approval.requested", ".decided", ".expired", ".digest" */
	const json_t *data;     /* requested: approval_json(); else what there is to say */
	const char *id;         /* of the message, the same when it is sent again */
	const char *nonce;      /* requested: what an answer must bring */
	const char *answer_url; /* where answers go; "" = server.url is not said */
	const char *page_url;   /* of the approvals page; "" = the same */
	const char *topic;      /* of ntfy */
	uint64_t wall_us;
};

/* Appends the body. *ret_whole: requested: it holds the whole question and its nonce, so that an
 * answer may count; else false. 0, out's fault or -ENOMEM. */
int hook_form_body(struct buf *out, const struct hook_form *form, bool *ret_whole);

/* The question as lines for people. Appends. 0 or out's fault. */
int hook_form_text(struct buf *out, const json_t *question);

/* Of Slack: the text between two rows of three backticks: &, <, > as entities, ` as \u{60}. */
int hook_form_slack(struct buf *out, const char *text, size_t len);

/* "https://ntfy.example/team/topic" into where to post, and the topic. 0; -EINVAL: no topic. */
int hook_form_ntfy(const char *url, struct buf *out, const char **ret_topic);

#endif
