#include "supervisor/identity/jwks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/identity/json_text.h"

struct skipped {
	size_t place; /* in the document, from 1 */
	enum jwk_skip why;
	char kid[JWK_KID_MAX + 1];
};

struct jwks {
	size_t count;
	size_t skipped_count;
	struct jwk keys[JWKS_KEYS_MAX];
	struct skipped skipped[JWKS_KEYS_MAX];
};

static const struct json_limits document_limits = {
    .bytes = JWKS_BYTES_MAX, .values = 8192, .depth = 8};

static int take_keys(struct jwks *set, const json_t *keys, struct err_note *note)
{
	for (size_t i = 0; i < json_array_size(keys); i++) {
		struct jwk *key = &set->keys[set->count];
		enum jwk_skip skip = jwk_read(key, json_array_get(keys, i));

		if (skip == JWK_SKIP_NONE) {
			set->count++;
			continue;
		}
		struct skipped *left = &set->skipped[set->skipped_count++];

		left->place = i + 1;
		left->why = skip;
		memcpy(left->kid, key->kid, sizeof(left->kid));
	}
	if (set->count == 0)
		return err_note(note, -ENOKEY,
		    "key set: none of its %zu keys is usable; publish an RSA, EC or Ed25519 public "
		    "key for signatures",
		    json_array_size(keys));
	return 0;
}

static int read_document(struct jwks *set, const json_t *root, struct err_note *note)
{
	const json_t *keys = json_object_get(root, "keys");

	if (!json_is_array(keys))
		return err_note(note, -EBADMSG,
		    "key set: it has no list \"keys\"; check that the address is that of a JWKS "
		    "document");
	if (json_array_size(keys) > JWKS_KEYS_MAX)
		return err_note(note, -EMSGSIZE, "key set: it has %zu keys; publish at most %d",
		    json_array_size(keys), JWKS_KEYS_MAX);
	return take_keys(set, keys, note);
}

int jwks_parse(struct jwks **ret, const char *text, size_t len, struct err_note *note)
{
	struct jwks *set;
	json_t *root = NULL;
	int fault = json_text_object(&root, text, len, &document_limits);

	if (fault == -EMSGSIZE)
		return err_note(note, fault,
		    "key set: it is larger or deeper than %d bytes, %zu values and %zu levels; "
		    "publish less",
		    JWKS_BYTES_MAX, document_limits.values, document_limits.depth);
	if (fault)
		return err_note(note, fault,
		    "key set: it is not one JSON object whose members each stand once; check that "
		    "the address is that of a JWKS document");
	set = calloc(1, sizeof(*set));
	fault =
	    set ? read_document(set, root, note) : err_note(note, -ENOMEM, "key set: no memory");
	json_decref(root);
	if (fault) {
		jwks_free(set);
		return fault;
	}
	*ret = set;
	return 0;
}

void jwks_free(struct jwks *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->count; i++)
		jwk_fini(&set->keys[i]);
	free(set);
}

size_t jwks_count(const struct jwks *set)
{
	return set ? set->count : 0;
}

int jwks_skipped(const struct jwks *set, struct buf *out)
{
	for (size_t i = 0; i < set->skipped_count; i++) {
		const struct skipped *left = &set->skipped[i];

		(void)buf_textf(out, "key %zu", left->place);
		if (left->kid[0]) {
			(void)buf_text(out, " (kid ");
			(void)str_escape(out, left->kid, strlen(left->kid));
			(void)buf_text(out, ")");
		}
		(void)buf_textf(out, ": %s\n", jwk_skip_text(left->why));
	}
	return out->fault;
}

static bool fits(const struct jwk *key, enum jws_alg alg)
{
	const struct algorithm *algorithm = algorithm_of(alg);

	return algorithm && key->type == algorithm->type &&
	       (key->alg == JWS_NO_ALG || key->alg == alg);
}

enum credential_verdict jwks_find(
    const struct jwks *set, const char *kid, enum jws_alg alg, const struct jwk **ret)
{
	const struct jwk *found = NULL;
	bool named = false;

	for (size_t i = 0; i < jwks_count(set); i++) {
		const struct jwk *key = &set->keys[i];

		if (kid[0] && strcmp(kid, key->kid) != 0)
			continue;
		named = named || kid[0];
		if (!fits(key, alg))
			continue;
		if (found)
			return CREDENTIAL_KEY_AMBIGUOUS;
		found = key;
	}
	if (!found)
		return named ? CREDENTIAL_KEY_UNFIT : CREDENTIAL_KEY_UNKNOWN;
	*ret = found;
	return CREDENTIAL_OK;
}
