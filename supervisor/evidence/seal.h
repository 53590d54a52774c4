/*
 * The line that ends a durable batch: {"@n":S,...,"note":"<signed checkpoint>","type":"log.seal"}
 * with the checkpoint over the S lines before it.
 *
 * Nothing in a seal line escapes the signature: its position is the checkpoint's size, @prev is
 * in the tree, and its @timestamp must repeat that of the line before it, which is in the tree.
 * Floor 1: base, libcrypto; pure.
 */
#ifndef CALLGATE_EVIDENCE_SEAL_H
#define CALLGATE_EVIDENCE_SEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/note.h"
#include "supervisor/evidence/record.h"

#define SEAL_KEY_ID_LEN 4

struct seal {
	struct checkpoint checkpoint; /* as written, its signature not yet verified */
	uint8_t key_id[SEAL_KEY_ID_LEN];
	size_t note_len;
	char note[NOTE_MAX];
};

/* Appends the line without newline. place->wall_us is that of the line before. 0 or a fault. */
int seal_emit(struct buf *out, const struct record_place *place, const char *note);

/* Whether a line that record_emit() made is a seal: by its last member. */
bool seal_is(const void *line, size_t len);

/* Takes the note out of a seal line and checks that everything is in its one canonical form:
 * checkpoint without extensions, exactly one signature line, canonical base64, a line with
 * exactly these members. 0; -EBADMSG with *ret_why a literal of one word; -ENOMEM, -EIO. */
int seal_parse(struct seal *ret, const void *line, size_t len, const char **ret_why);

/* note_open() of a parsed seal: 0, -ENOKEY, -EKEYREJECTED, -EBADMSG, -EIO. */
int seal_verify(const struct seal *seal, const struct note_key *key);

#endif
