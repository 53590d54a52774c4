#include "supervisor/evidence/note.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "supervisor/base/str.h"

#define ED25519_TYPE   0x01
#define KEY_ID_LEN     4
#define DASH           "\xe2\x80\x94 " /* em dash and a space begin a signature line */
#define SIGNATURES_MAX 16
#define PIN_HEAD       "callgate-pin v1\nvkey "

/* A borrowed piece of text, not terminated. */
struct span {
	const char *at;
	size_t len;
};

/* Cuts *rest at the first `stop`, which is left out of both. -EBADMSG where there is none. */
static int span_cut(struct span *rest, char stop, struct span *ret_piece)
{
	const char *end = memchr(rest->at, stop, rest->len);

	if (!end)
		return -EBADMSG;
	*ret_piece = (struct span){rest->at, (size_t)(end - rest->at)};
	rest->len -= ret_piece->len + 1;
	rest->at = end + 1;
	return 0;
}

/* A key name, or an origin: printable ASCII without space and '+'. */
static int name_copy(char out[NOTE_ORIGIN_MAX], struct span name)
{
	if (name.len == 0 || name.len >= NOTE_ORIGIN_MAX)
		return -EINVAL;
	for (size_t i = 0; i < name.len; i++) {
		if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '+')
			return -EINVAL;
	}
	memcpy(out, name.at, name.len);
	out[name.len] = '\0';
	return 0;
}

static int decode_exactly(void *out, size_t len, struct span text)
{
	size_t have;

	if (str_unbase64(out, len, text.at, text.len, &have) < 0 || have != len)
		return -EBADMSG;
	return 0;
}

/* ---- keys ---------------------------------------------------------------------------------- */

int note_key_init(struct note_key *key, const char *name, const uint8_t public_key[KEY_LEN])
{
	struct note_key made = {.name = ""};
	struct digest id;
	struct buf bytes;
	int r = name_copy(made.name, (struct span){name, strlen(name)});

	if (r < 0)
		return r;
	memcpy(made.public_key, public_key, KEY_LEN);
	buf_init(&bytes, NOTE_MAX);
	buf_text(&bytes, name);
	buf_text(&bytes, "\n");
	buf_put_u8(&bytes, ED25519_TYPE);
	buf_put(&bytes, public_key, KEY_LEN);
	r = bytes.fault ? bytes.fault : digest_of(&id, bytes.data, bytes.len);
	buf_fini(&bytes);
	if (r < 0)
		return r;
	memcpy(made.id, id.bytes, KEY_ID_LEN);
	*key = made;
	return 0;
}

int note_key_text(struct buf *out, const struct note_key *key)
{
	uint8_t typed[1 + KEY_LEN] = {ED25519_TYPE};
	char id[2 * KEY_ID_LEN + 1];

	memcpy(typed + 1, key->public_key, KEY_LEN);
	str_hex(id, key->id, KEY_ID_LEN);
	buf_textf(out, "%s+%s+", key->name, id);
	return str_base64(out, typed, sizeof(typed));
}

/* name+id+key, with the id that belongs to name and key. */
static int key_parse(struct note_key *ret, struct span text)
{
	uint8_t typed[1 + KEY_LEN];
	char origin[NOTE_ORIGIN_MAX], said[2 * KEY_ID_LEN + 1];
	struct span name, id;
	struct note_key key;
	int r;

	if (span_cut(&text, '+', &name) < 0 || span_cut(&text, '+', &id) < 0 ||
	    name_copy(origin, name) < 0 || decode_exactly(typed, sizeof(typed), text) < 0 ||
	    typed[0] != ED25519_TYPE)
		return -EBADMSG;
	r = note_key_init(&key, origin, typed + 1);
	if (r < 0)
		return r;
	str_hex(said, key.id, KEY_ID_LEN);
	if (id.len != 2 * KEY_ID_LEN || memcmp(id.at, said, id.len) != 0)
		return -EBADMSG;
	*ret = key;
	return 0;
}

int note_key_parse(struct note_key *ret, const char *text)
{
	return key_parse(ret, (struct span){text, strlen(text)});
}

/* ---- checkpoints --------------------------------------------------------------------------- */

int checkpoint_body(struct buf *out, const struct checkpoint *checkpoint)
{
	buf_textf(out, "%s\n%" PRIu64 "\n", checkpoint->origin, checkpoint->size);
	str_base64(out, checkpoint->root.bytes, DIGEST_LEN);
	return buf_text(out, "\n");
}

/* A decimal number without leading zeros. */
static int size_parse(struct span text, uint64_t *ret_size)
{
	char digits[24];

	if (text.len == 0 || text.len >= sizeof(digits) || (text.at[0] == '0' && text.len > 1))
		return -EBADMSG;
	memcpy(digits, text.at, text.len);
	digits[text.len] = '\0';
	if (strlen(digits) != text.len || str_u64(digits, UINT64_MAX, ret_size) < 0)
		return -EBADMSG;
	return 0;
}

int checkpoint_parse(struct checkpoint *ret, const char *body, size_t len)
{
	struct span rest = {body, len}, origin, size, root;
	struct checkpoint checkpoint;

	if (span_cut(&rest, '\n', &origin) < 0 || span_cut(&rest, '\n', &size) < 0 ||
	    span_cut(&rest, '\n', &root) < 0 || rest.len > 0 ||
	    name_copy(checkpoint.origin, origin) < 0 || size_parse(size, &checkpoint.size) < 0 ||
	    decode_exactly(checkpoint.root.bytes, DIGEST_LEN, root) < 0)
		return -EBADMSG;
	*ret = checkpoint;
	return 0;
}

/* ---- notes ---------------------------------------------------------------------------------- */

int note_assemble(struct buf *out, const struct checkpoint *checkpoint, const struct note_key *key,
    const uint8_t signature[SIGNATURE_LEN])
{
	uint8_t tagged[KEY_ID_LEN + SIGNATURE_LEN];

	memcpy(tagged, key->id, KEY_ID_LEN);
	memcpy(tagged + KEY_ID_LEN, signature, SIGNATURE_LEN);
	checkpoint_body(out, checkpoint);
	buf_textf(out, "\n" DASH "%s ", key->name);
	str_base64(out, tagged, sizeof(tagged));
	return buf_text(out, "\n");
}

/* One signature line, its newline cut off. Sets *ret_ours where it is of this key, and copies
 * the signature then. Other keys' lines must be well formed, but may hold any signature type. */
static int line_parse(struct span line, const struct note_key *key, bool *ret_ours,
    uint8_t ret_signature[SIGNATURE_LEN])
{
	uint8_t tagged[NOTE_MAX];
	char name[NOTE_ORIGIN_MAX];
	struct span name_span;
	size_t len;

	if (line.len < sizeof(DASH) - 1 || memcmp(line.at, DASH, sizeof(DASH) - 1) != 0)
		return -EBADMSG;
	line.at += sizeof(DASH) - 1;
	line.len -= sizeof(DASH) - 1;
	if (span_cut(&line, ' ', &name_span) < 0 || name_copy(name, name_span) < 0 ||
	    str_unbase64(tagged, sizeof(tagged), line.at, line.len, &len) < 0 || len <= KEY_ID_LEN)
		return -EBADMSG;
	*ret_ours = strcmp(name, key->name) == 0 && memcmp(tagged, key->id, KEY_ID_LEN) == 0;
	if (!*ret_ours)
		return 0;
	if (len != KEY_ID_LEN + SIGNATURE_LEN)
		return -EBADMSG;
	memcpy(ret_signature, tagged + KEY_ID_LEN, SIGNATURE_LEN);
	return 0;
}

/* Every line must be well formed and only one of them ours. 0, -EBADMSG or -ENOKEY. */
static int find_signature(
    struct span lines, const struct note_key *key, uint8_t ret_signature[SIGNATURE_LEN])
{
	bool found = false;
	struct span line;

	for (unsigned count = 0; lines.len > 0; count++) {
		bool ours = false;

		if (count == SIGNATURES_MAX || span_cut(&lines, '\n', &line) < 0 ||
		    line_parse(line, key, &ours, ret_signature) < 0 || (ours && found))
			return -EBADMSG;
		found |= ours;
	}
	return found ? 0 : -ENOKEY;
}

int note_open(struct checkpoint *ret, const struct note_key *key, const char *note, size_t len)
{
	uint8_t signature[SIGNATURE_LEN];
	struct checkpoint checkpoint;
	const char *blank;
	size_t body_len;
	int r;

	if (len > NOTE_MAX)
		return -EBADMSG;
	blank = memmem(note, len, "\n\n", 2);
	if (!blank)
		return -EBADMSG;
	body_len = (size_t)(blank - note) + 1; /* the signed text keeps its last newline */
	r = checkpoint_parse(&checkpoint, note, body_len);
	if (r < 0)
		return r;
	r = find_signature((struct span){blank + 2, len - body_len - 1}, key, signature);
	if (r < 0)
		return r;
	r = key_verify(key->public_key, signature, note, body_len);
	if (r < 0)
		return r;
	/* A log signs for itself only: its key's name is its origin. */
	if (strcmp(checkpoint.origin, key->name) != 0)
		return -EBADMSG;
	*ret = checkpoint;
	return 0;
}

/* ---- the pin -------------------------------------------------------------------------------- */

int pin_text(struct buf *out, const struct note_key *key)
{
	buf_text(out, PIN_HEAD);
	note_key_text(out, key);
	return buf_text(out, "\n");
}

int pin_parse(struct note_key *ret, const char *text, size_t len)
{
	struct span rest = {text, len}, vkey;

	if (len < sizeof(PIN_HEAD) - 1 || memcmp(text, PIN_HEAD, sizeof(PIN_HEAD) - 1) != 0)
		return -EBADMSG;
	rest.at += sizeof(PIN_HEAD) - 1;
	rest.len -= sizeof(PIN_HEAD) - 1;
	if (span_cut(&rest, '\n', &vkey) < 0 || rest.len > 0)
		return -EBADMSG;
	return key_parse(ret, vkey);
}
