#include "supervisor/control/audit_anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"

#define PROOF_FIRST_LINE "c2sp.org/tlog-proof@v1\n"
#define RECEIPT_DEPTH    8 /* objects around a receipt in a reply */
#define HASH_PREFIX      "sha256:"

static int take_note(struct anchor *anchor, const char *note, size_t len)
{
	const char *blank = strstr(note, "\n\n");
	struct checkpoint checkpoint;

	if (!blank || len >= NOTE_MAX ||
	    checkpoint_parse(&checkpoint, note, (size_t)(blank + 1 - note)) < 0)
		return -EBADMSG;
	anchor->size = checkpoint.size;
	anchor->root = checkpoint.root;
	memcpy(anchor->note, note, len);
	anchor->note[len] = '\0';
	anchor->note_len = len;
	return 0;
}

static int take_digest(struct digest *ret, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return -EBADMSG;
	if (strncmp(text, HASH_PREFIX, sizeof(HASH_PREFIX) - 1) == 0)
		text += sizeof(HASH_PREFIX) - 1;
	return digest_unhex(ret, text) < 0 ? -EBADMSG : 0;
}

/* The first object that holds n, leaf, size and root, at most `depth` levels down. */
static int find_receipt(struct anchor *anchor, const json_t *value, unsigned depth)
{
	const json_t *n = json_object_get(value, "n"), *size = json_object_get(value, "size");
	const json_t *inner;
	const char *key;

	if (json_is_integer(n) && json_is_integer(size) && json_integer_value(n) >= 0 &&
	    json_integer_value(size) > json_integer_value(n) &&
	    take_digest(&anchor->leaf, json_object_get(value, "leaf")) == 0 &&
	    take_digest(&anchor->root, json_object_get(value, "root")) == 0) {
		anchor->n = (uint64_t)json_integer_value(n);
		anchor->size = (uint64_t)json_integer_value(size);
		anchor->has_leaf = 1;
		return 0;
	}
	json_object_foreach((json_t *)value, key, inner)
	{
		if (depth > 0 && json_is_object(inner) &&
		    find_receipt(anchor, inner, depth - 1) == 0)
			return 0;
	}
	return -EBADMSG;
}

static int take_receipt(struct anchor *anchor, const char *text, size_t len)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	int r = json_is_object(root) ? find_receipt(anchor, root, RECEIPT_DEPTH) : -EBADMSG;

	json_decref(root);
	return r;
}

int anchors_load(struct anchors *anchors, const char *path)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *cleanup_free text = NULL;
	struct anchor anchor = {.name = path};
	const char *blank;
	size_t len;
	int r;

	if (fd < 0)
		return -errno;
	if (anchors->count == ANCHORS_MAX)
		return -ENOSPC;
	r = fd_read_all(fd, ANCHOR_FILE_MAX, &text, &len);
	if (r < 0)
		return r;
	blank = strstr(text, "\n\n");
	if (text[0] == '{')
		r = take_receipt(&anchor, text, len);
	else if (strncmp(text, PROOF_FIRST_LINE, sizeof(PROOF_FIRST_LINE) - 1) == 0)
		r = blank ? take_note(&anchor, blank + 2, len - (size_t)(blank + 2 - text))
			  : -EBADMSG;
	else
		r = take_note(&anchor, text, len);
	if (r == 0)
		anchors->items[anchors->count++] = anchor;
	return r;
}

int anchors_line(
    struct anchors *anchors, const struct digest *leaf, const struct frontier *frontier)
{
	for (size_t i = 0; i < anchors->count; i++) {
		struct anchor *anchor = &anchors->items[i];
		struct digest root;

		if (anchor->has_leaf && anchor->n == frontier->size - 1 &&
		    !digest_equal(&anchor->leaf, leaf))
			anchor->state = ANCHOR_DIFFERS;
		if (anchor->size != frontier->size || anchor->state == ANCHOR_DIFFERS)
			continue;
		if (frontier_root(frontier, &root) < 0)
			return -EIO;
		anchor->state = digest_equal(&root, &anchor->root) ? ANCHOR_AGREES : ANCHOR_DIFFERS;
	}
	return 0;
}
