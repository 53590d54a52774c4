/*
 * The fields of every record that engine writes, in sorted key order, and the way to send one
 * that no call waits for. evidence/record.h has the encoding. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RECORD_H
#define CALLGATE_ENGINE_RECORD_H

#include <stdbool.h>

#include "supervisor/base/buf.h"
#include "supervisor/engine/approvals/approval.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/message.h"

struct call;
struct engine;
struct grant;

#define RECORD_TEXT_MAX  512         /* bytes of a stranger's text in one field */
#define RECORD_ARGV_MAX  (24 * 1024) /* bytes of an argv as JSON; a longer one is hashed */
#define RECORD_NOTES_MAX 4096        /* records under way that nobody waits for */

/* Appends the fields. The buf's fault tells of failure. */
void record_decision(struct buf *out, const struct call *call, bool allow);
void record_outcome(struct buf *out, const struct call *call);

/* The line of the log about a call that is over. */
void record_tell(const struct call *call);

/* Records without a waiting call: sent in order before anything that relies on them, so that the
 * decision's receipt covers them too. Failures are logged. */
void record_approval_request(
    struct engine *engine, const struct approval *approval, const struct call *call);
/* type: APPROVAL_GRANT or APPROVAL_DENY. */
void record_approval_answer(
    struct engine *engine, enum record_type type, const struct approval *approval);
void record_approval_end(struct engine *engine, const struct approval *approval, const char *cause);
/* A grant is over. by: who ended it, or "". */
void record_grant_end(
    struct engine *engine, const struct grant *grant, const char *by, const char *cause);
void record_approval_refused(
    struct engine *engine, const struct approval *approval, const char *principal, const char *why);
/* What became of telling a channel. */
struct record_sent {
	const char *approval, *channel;
	const char *result; /* hook_result_name() */
	const char *why;    /* courier's note; "" */
	uint32_t attempts;
	uint16_t http; /* 0: no answer came */
};
void record_approval_sent(struct engine *engine, const struct record_sent *sent);
/* Answers by a channel that were not authentic: one record may stand for several. */
void record_callback_refused(
    struct engine *engine, const char *channel, uint64_t count, const char *why);
void record_auth_fail(
    struct engine *engine, const char *principal, uint32_t count, const char *why);
/* change: "added" or "removed". */
void record_admin_key(struct engine *engine, const struct approver *approver, const char *change);
void record_admin_control(struct engine *engine, const char *principal, const char *action);

/* One of them, of any type, with the fields appended by the caller. plan may be NULL. */
void record_note(struct engine *engine, enum record_type type, const struct digest *plan,
    const struct buf *fields);
/* The same for one that somebody waits for: done is called once, from the loop, when it is on disk
 * or is known not to be. 0; -ENOBUFS, -ENOMEM, -errno: not sent, and done is never called. */
typedef void record_done(void *context, bool is_written);
int record_note_then(struct engine *engine, enum record_type type, const struct buf *fields,
    record_done *done, void *context);
/* A stranger's text, cut to its first bytes between two characters; left out when empty. */
void record_put_text(struct buf *out, const char *key, const char *text);

/* The answer to one of those. True if it was one. */
bool record_noted(struct engine *engine, const struct message *message);
void record_free_all(struct engine *engine);

#endif
