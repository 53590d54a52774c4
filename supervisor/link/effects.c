#include "supervisor/link/effects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"

#define DIGEST_TAG "callgate-effects-v1\n"
#define MODE_MAX   07777

/* ---- what a list may hold -------------------------------------------------------------------- */

/* Names between single slashes, none of them "." or "..". */
static bool is_path(const char *path)
{
	if (strlen(path) > EFFECTS_PATH_MAX)
		return false;
	for (;;) {
		size_t len = strcspn(path, "/");

		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
		path += len + 1;
	}
}

static bool is_side(const struct effect_side *side)
{
	bool plain = side->size == 0 && digest_is_zero(&side->digest);

	if (side->mode > MODE_MAX)
		return false;
	switch (side->type) {
	case EFFECT_TYPE_NONE: return plain && side->mode == 0;
	case EFFECT_FILE: return true;
	case EFFECT_LINK: return side->mode == 0 && side->size == 0;
	case EFFECT_DIRECTORY:
	case EFFECT_SPECIAL: return plain;
	default: return false;
	}
}

static bool is_mode_only(const struct effect_side *before, const struct effect_side *after)
{
	return before->type == after->type && before->type != EFFECT_LINK &&
	       before->mode != after->mode && before->size == after->size &&
	       digest_equal(&before->digest, &after->digest);
}

static bool sides_fit(const struct effect *effect)
{
	bool was = effect->before.type != EFFECT_TYPE_NONE;
	bool is = effect->after.type != EFFECT_TYPE_NONE;

	switch (effect->kind) {
	case EFFECT_ADDED: return !was && is;
	case EFFECT_CHANGED: return was && is;
	case EFFECT_REMOVED: return was && !is;
	case EFFECT_MODE: return was && is && is_mode_only(&effect->before, &effect->after);
	default: return false;
	}
}

static bool is_effect(const struct effect *effect)
{
	return is_path(effect->path) && effect->marks <= EFFECT_MARKS_ALL &&
	       is_side(&effect->before) && is_side(&effect->after) && sides_fit(effect) &&
	       (effect->after.type == EFFECT_LINK) == (effect->target[0] != '\0') &&
	       strlen(effect->target) <= EFFECTS_PATH_MAX;
}

/* Bytes as unsigned, so a folder stands before what is in it. */
static bool is_sorted(const struct effects *effects, uint32_t i)
{
	return i == 0 || strcmp(effects->items[i - 1].path, effects->items[i].path) < 0;
}

/* ---- the codec ------------------------------------------------------------------------------- */

static void encode_side(struct buf *out, const struct effect_side *side)
{
	buf_put_u8(out, side->type);
	buf_put_u16(out, side->mode);
	buf_put_u64(out, side->size);
	buf_put(out, side->digest.bytes, DIGEST_LEN);
}

int effects_encode(struct buf *out, const struct effects *effects)
{
	if (effects->count > EFFECTS_MAX)
		return -EMSGSIZE;
	buf_put_u32(out, effects->count);
	for (uint32_t i = 0; i < effects->count; i++) {
		const struct effect *effect = &effects->items[i];

		if (!is_effect(effect) || !is_sorted(effects, i))
			return -EINVAL;
		buf_put_u8(out, effect->kind);
		buf_put_u8(out, effect->marks);
		buf_put_str(out, effect->path);
		buf_put_str(out, effect->target);
		encode_side(out, &effect->before);
		encode_side(out, &effect->after);
	}
	return out->fault == -ENOBUFS ? -EMSGSIZE : out->fault;
}

static void decode_side(struct reader *in, struct effect_side *side)
{
	const void *digest;

	side->type = reader_u8(in);
	side->mode = reader_u16(in);
	side->size = reader_u64(in);
	digest = reader_raw(in, DIGEST_LEN);
	if (digest)
		memcpy(side->digest.bytes, digest, DIGEST_LEN);
}

static int decode_all(struct effects *effects, struct reader *in)
{
	for (uint32_t i = 0; i < effects->count; i++) {
		struct effect *effect = &effects->items[i];

		effect->kind = reader_u8(in);
		effect->marks = reader_u8(in);
		effect->path = reader_str(in);
		effect->target = reader_str(in);
		decode_side(in, &effect->before);
		decode_side(in, &effect->after);
		if (in->fault || !is_effect(effect) || !is_sorted(effects, i))
			return -EBADMSG;
	}
	return reader_end(in);
}

int effects_decode(struct effects *ret, const void *bytes, size_t len)
{
	struct effects cleanup_with(effects_fini) effects = {.storage = malloc(len ? len : 1)};
	struct reader in;
	int fault;

	*ret = (struct effects){.count = 0};
	if (!effects.storage)
		return -ENOMEM;
	if (len)
		memcpy(effects.storage, bytes, len);
	reader_init(&in, effects.storage, len);
	effects.count = reader_u32(&in);
	if (in.fault || effects.count > EFFECTS_MAX)
		return -EBADMSG;
	effects.items = calloc(effects.count ? effects.count : 1, sizeof(*effects.items));
	if (!effects.items)
		return -ENOMEM;
	fault = decode_all(&effects, &in);
	if (fault)
		return fault;
	*ret = effects;
	effects = (struct effects){.count = 0};
	return 0;
}

void effects_fini(struct effects *effects)
{
	free(effects->items);
	free(effects->storage);
	*effects = (struct effects){.count = 0};
}

void effects_digest(struct digest *ret, const void *bytes, size_t len)
{
	struct digest_stream *stream = digest_stream_new();

	/* Without libcrypto there is no digest, and zero is nobody's. */
	memset(ret, 0, sizeof(*ret));
	if (!stream || digest_stream_add(stream, DIGEST_TAG, strlen(DIGEST_TAG)) ||
	    digest_stream_add(stream, bytes, len) || digest_stream_end(stream, ret))
		memset(ret, 0, sizeof(*ret));
	digest_stream_free(stream);
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *effect_kind_name(unsigned kind)
{
	static const char *const names[] = {
	    [EFFECT_NONE] = "?",
	    [EFFECT_ADDED] = "added",
	    [EFFECT_CHANGED] = "changed",
	    [EFFECT_REMOVED] = "removed",
	    [EFFECT_MODE] = "mode",
	};

	return kind < sizeof(names) / sizeof(*names) ? names[kind] : "?";
}

const char *effect_type_name(unsigned type)
{
	static const char *const names[] = {
	    [EFFECT_TYPE_NONE] = "none",
	    [EFFECT_FILE] = "file",
	    [EFFECT_DIRECTORY] = "directory",
	    [EFFECT_LINK] = "link",
	    [EFFECT_SPECIAL] = "special",
	};

	return type < sizeof(names) / sizeof(*names) ? names[type] : "?";
}
