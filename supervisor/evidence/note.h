/*
 * C2SP signed notes and checkpoints (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), and the
 * pin file that a verifier holds. Ed25519 only (signature type 0x01).
 *
 * A checkpoint body is "origin\nsize\nbase64(root)\n"; a note is the body, an empty line and one
 * signature line "— name base64(4-byte key id || signature)\n". Floor 1: base, libcrypto.
 */
#ifndef CALLGATE_EVIDENCE_NOTE_H
#define CALLGATE_EVIDENCE_NOTE_H

#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

#define NOTE_ORIGIN_MAX 128
#define NOTE_MAX        1024

struct note_key {
	char name[NOTE_ORIGIN_MAX]; /* the origin: printable, no space, no '+' */
	uint8_t public_key[KEY_LEN];
	uint8_t id[4]; /* first bytes of SHA-256(name || LF || 0x01 || public key) */
};

struct checkpoint {
	char origin[NOTE_ORIGIN_MAX];
	uint64_t size;
	struct digest root;
};

/* Fills id. 0 or -EINVAL (bad name), -EIO. */
int note_key_init(struct note_key *key, const char *name, const uint8_t public_key[KEY_LEN]);
/* "name+hexid+base64(0x01||key)", the vkey form of signed-note. */
int note_key_text(struct buf *out, const struct note_key *key);
int note_key_parse(struct note_key *ret, const char *text);

int checkpoint_body(struct buf *out, const struct checkpoint *checkpoint);
/* Canonical form only: no leading zeros, no CR, no extension lines. 0 or -EBADMSG. */
int checkpoint_parse(struct checkpoint *ret, const char *body, size_t len);

/* Body plus signature line. */
int note_assemble(struct buf *out, const struct checkpoint *checkpoint, const struct note_key *key,
    const uint8_t signature[SIGNATURE_LEN]);
/* Parses a note and verifies the line of this key. 0: good, *ret filled; -EBADMSG: malformed, or
 * of another origin than the key's name; -ENOKEY: no line of this key; -EKEYREJECTED: its
 * signature is wrong. */
int note_open(struct checkpoint *ret, const struct note_key *key, const char *note, size_t len);

/* The pin file: "callgate-pin v1\nvkey <vkey>\n". 0 or -EBADMSG, -errno. */
int pin_text(struct buf *out, const struct note_key *key);
int pin_parse(struct note_key *ret, const char *text, size_t len);

#endif
