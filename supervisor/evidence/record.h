/*
 * A record of the journal: its types, who may write each, its fields in typed binary form
 * between processes, and its one canonical JSON line on disk (RFC 8785 subset).
 *
 * Writers (engine, warden) build fields with record_put_*; the auditor checks them and emits the
 * line. Keys are ASCII [a-z0-9_] and must come in ascending byte order within their object, so
 * that the emitter never sorts and a duplicate is a fault. Integers lie within +-(2^53 - 1); no
 * floats. A string that is not UTF-8 is emitted as {"b64":"..."}; so that this means one thing
 * only, no key may be "b64". Floor 1: base, libcrypto.
 */
#ifndef CALLGATE_EVIDENCE_RECORD_H
#define CALLGATE_EVIDENCE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

#define RECORD_LINE_MAX   65535       /* bytes of a line without its newline (tlog-tiles) */
#define RECORD_FIELDS_MAX (48 * 1024) /* bytes of encoded fields in one message */
#define RECORD_DEPTH_MAX  4

/* Who wrote a record: the auditor knows it from the link the fields came by. */
enum record_writer {
	RECORD_WRITER_NONE,
	RECORD_WRITER_AUDITOR,
	RECORD_WRITER_ENGINE,
	RECORD_WRITER_WARDEN,
};

/* X(enum suffix, name on disk, writer that may write it, writer that may write it in its stead) */
#define RECORD_TYPES(X)                                                                            \
	X(LOG_GENESIS, "log.genesis", AUDITOR, NONE)                                               \
	X(LOG_OPEN, "log.open", AUDITOR, NONE)                                                     \
	X(LOG_CLOSE, "log.close", AUDITOR, NONE)                                                   \
	X(LOG_SEAL, "log.seal", AUDITOR, NONE)                                                     \
	X(LOG_RECOVERED, "log.recovered", AUDITOR, NONE)                                           \
	X(POLICY_LOAD, "policy.load", WARDEN, NONE)                                                \
	X(POLICY_REFUSED, "policy.refused", WARDEN, NONE)                                          \
	X(ROLE_START, "role.start", WARDEN, NONE)                                                  \
	X(ROLE_LOST, "role.lost", WARDEN, NONE)                                                    \
	X(EXEC_START, "exec.start", WARDEN, NONE)                                                  \
	X(EXEC_EXIT, "exec.exit", WARDEN, AUDITOR)                                                 \
	X(CALL_DECISION, "call.decision", ENGINE, NONE)                                            \
	X(CALL_OUTCOME, "call.outcome", ENGINE, AUDITOR)                                           \
	X(EFFECTS_DECISION, "effects.decision", ENGINE, NONE)                                      \
	X(EFFECTS_WRITTEN, "effects.written", WARDEN, NONE)                                        \
	X(EFFECTS_DROPPED, "effects.dropped", WARDEN, NONE)                                        \
	X(APPROVAL_REQUEST, "approval.request", ENGINE, NONE)                                      \
	X(APPROVAL_GRANT, "approval.grant", ENGINE, NONE)                                          \
	X(APPROVAL_DENY, "approval.deny", ENGINE, NONE)                                            \
	X(APPROVAL_EXPIRE, "approval.expire", ENGINE, NONE)                                        \
	X(APPROVAL_REFUSED, "approval.refused", ENGINE, NONE)                                      \
	X(APPROVAL_SENT, "approval.sent", ENGINE, NONE)                                            \
	X(AUTH_OK, "auth.ok", ENGINE, NONE)                                                        \
	X(AUTH_FAIL, "auth.fail", ENGINE, NONE)                                                    \
	X(HTTP_REQUEST, "http.request", ENGINE, NONE)                                              \
	X(HTTP_SUMMARY, "http.summary", ENGINE, NONE)                                              \
	X(ADMIN_KEY, "admin.key", ENGINE, NONE)                                                    \
	X(ADMIN_TOKEN, "admin.token", ENGINE, NONE)                                                \
	X(ADMIN_CONFIG, "admin.config", ENGINE, NONE)                                              \
	X(ADMIN_CONTROL, "admin.control", ENGINE, NONE)                                            \
	X(FORM_ASKED, "form.asked", ENGINE, NONE)                                                  \
	X(FORM_ANSWERED, "form.answered", ENGINE, NONE)

enum record_type {
	RECORD_NONE,
#define RECORD_ENUM_(id, name, writer, heir) RECORD_##id,
	RECORD_TYPES(RECORD_ENUM_)
#undef RECORD_ENUM_
	    RECORD_TYPE_COUNT,
};

/* "call.decision"; NULL for a number out of range. */
const char *record_type_name(enum record_type type);
enum record_type record_type_from_name(const char *name); /* RECORD_NONE if unknown */
enum record_writer record_type_writer(enum record_type type);
/* Whether this writer may write this type: it is its own, or the ends of calls that a crash cut
 * off, which the auditor writes at the next start. */
bool record_may_write(enum record_writer writer, enum record_type type);

/* Field builders, into a buf with limit RECORD_FIELDS_MAX. Faults are sticky in the buf. */
void record_put_str(struct buf *out, const char *key, const char *text); /* NULL: field left out */
void record_put_bytes(struct buf *out, const char *key, const void *bytes, size_t len);
void record_put_int(struct buf *out, const char *key, int64_t value);
void record_put_bool(struct buf *out, const char *key, bool value);
void record_put_digest(struct buf *out, const char *key, const struct digest *digest);
void record_put_list(struct buf *out, const char *key, const char *const *texts, size_t count);
void record_open(struct buf *out, const char *key); /* begins a nested object */
void record_close(struct buf *out);

/* Position of a line in the journal. */
struct record_place {
	uint64_t n;
	struct digest prev; /* leaf of line n - 1; zero for n = 0 */
	uint64_t wall_us;
};

/* Appends the line {"@n":N,"@prev":"..","@timestamp":"..",<fields>,...} without newline. "type"
 * is merged into the fields at its place in the order; the fields may not hold it, nor a key
 * beginning with '@'. 0; -EBADMSG: fields malformed, out of order, too deep or with a forbidden
 * key; -EMSGSIZE: the line would exceed RECORD_LINE_MAX; -ENOMEM. On these out is untouched; a
 * fault of out itself is passed on. */
int record_emit(struct buf *out, const struct record_place *place, enum record_type type,
    const void *fields, size_t len);

/* Appends text as a JSON string with the minimal escapes of RFC 8785; not UTF-8: {"b64":..}. */
int record_emit_string(struct buf *out, const void *text, size_t len);

#endif
