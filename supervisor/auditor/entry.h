/*
 * A record on its way into the journal, from the message that brought it to the answer.
 *
 * The line on disk always says what the message's header says: `allow` (of decisions only),
 * `call` and `plan` are put into the line by the auditor, at their place in the order of keys. A
 * body that holds one of them itself must say exactly the same, or the record is refused: there
 * is no second account of what a receipt covers. Auditor only; pure.
 */
#ifndef CALLGATE_AUDITOR_ENTRY_H
#define CALLGATE_AUDITOR_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/message.h"

struct entry {
	struct entry *next; /* owned by the queue it is in */
	enum record_type type;
	enum record_writer writer;
	uint64_t serial;
	char call[CALL_ID_MAX + 1];
	struct digest plan;
	uint8_t allow;

	/* the answer; ANSWER_NONE until the batch is through */
	enum answer_status status;
	struct receipt receipt;
	struct err_note note;

	size_t len;
	uint8_t fields[]; /* encoded (evidence/record.h) */
};

/* Copies a RECORD message; NULL: out of memory. Nothing is judged yet. */
struct entry *entry_from_message(const struct message *message, enum record_writer writer);
/* A record of the auditor's own; fields may have faulted: NULL then. */
struct entry *entry_new(enum record_type type, const struct buf *fields);
void entry_free(struct entry *entry);
/* Frees a list; leaves NULL. */
void entries_free(struct entry **list);

/* Whether the record asks that a tool may start, or its changes be written. */
int entry_is_allow(const struct entry *entry);
/* Appends its line without newline. 0; -EBADMSG, -EMSGSIZE with note: this record cannot be
 * written; -ENOMEM. */
int entry_line(struct buf *out, const struct record_place *place, const struct entry *entry,
    struct err_note *note);

#endif
