#include "supervisor/evidence/trail.h"

#include <errno.h>
#include <string.h>

void trail_init(struct trail *trail, struct digest_stream *stream)
{
	*trail = (struct trail){.frontier = {.stream = stream}};
	memset(trail->prev_hex, '0', sizeof(trail->prev_hex) - 1);
}

/* The seal at the next place: canonical, and of the tree as it stands. */
static int judge_seal(
    struct trail *trail, const struct line_head *head, const void *line, size_t len)
{
	struct digest root;
	int r = seal_parse(&trail->seal, line, len, &trail->why);

	if (r == -EBADMSG)
		return TRAIL_NOTE;
	if (r < 0)
		return r;
	if (head->stamp_len != strlen(trail->stamp) ||
	    memcmp(head->stamp, trail->stamp, head->stamp_len) != 0) {
		trail->why = "timestamp";
		return TRAIL_NOTE;
	}
	r = frontier_root(&trail->frontier, &root);
	if (r < 0)
		return r;
	if (trail->seal.checkpoint.size != trail->frontier.size ||
	    !digest_equal(&trail->seal.checkpoint.root, &root))
		return TRAIL_ROOT;
	return TRAIL_SEAL;
}

static int judge(struct trail *trail, const struct line_head *head, const void *line, size_t len)
{
	if (head->n != trail->frontier.size) {
		trail->found = head->n;
		return TRAIL_SEQUENCE;
	}
	if (memcmp(head->prev_hex, trail->prev_hex, DIGEST_HEX_MAX - 1) != 0)
		return TRAIL_CHAIN;
	return seal_is(line, len) ? judge_seal(trail, head, line, len) : TRAIL_LINE;
}

int trail_line(struct trail *trail, const void *line, size_t len, struct digest *ret_leaf)
{
	struct line_head head;
	int step, r = merkle_leaf_by(trail->frontier.stream, ret_leaf, line, len);

	if (r < 0)
		return r;
	if (line_head(&head, line, len) < 0)
		return TRAIL_FRAMING;
	step = judge(trail, &head, line, len);
	if (step != TRAIL_LINE && step != TRAIL_SEAL)
		return step;
	if (step == TRAIL_SEAL) {
		trail->sealed = trail->frontier;
		trail->seals++;
	}
	r = frontier_append(&trail->frontier, ret_leaf);
	if (r < 0)
		return r;
	digest_hex(trail->prev_hex, ret_leaf);
	memcpy(trail->stamp, head.stamp, head.stamp_len);
	trail->stamp[head.stamp_len] = '\0';
	return step;
}
