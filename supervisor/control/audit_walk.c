/*
 * Order of judgement: a line that does not follow ends the walk at once; then the signature and
 * the key of the newest seal; then what anchors say; then what is missing at the end; then age
 * and meaning. So the strongest true word comes first.
 */
#include "supervisor/control/audit_walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"

#define SETTLE_TRIES             3
#define SETTLE_NS                (15 * 1000 * 1000) /* longer than one batch of a running daemon */
#define RECOVERED                "\"type\":\"log.recovered\"}"
#define WALK_ON                  (-1) /* no verdict yet */

#define verdict(walk, exit, ...) err_note(&(walk)->verdict, (exit), __VA_ARGS__)

static int unreadable(struct walk *walk, int fault)
{
	const char *name = walk->segment < walk->list.count ? walk->list.items[walk->segment].name
							    : "the directory";

	return verdict(walk, AUDIT_USAGE, "UNREADABLE %s: %s", name, strerror(-fault));
}

/* ---- a line that does not follow ----------------------------------------------------------- */

/* The line behind the one in question, in the same segment. 1 or 0. */
static int peek(struct walk *walk, struct line *ret)
{
	if (lines_next(&walk->lines, ret) != LINES_LINE)
		return 0;
	walk->seal_met |= seal_is(ret->bytes, ret->len);
	return 1;
}

static int chain_break(struct walk *walk, uint64_t n)
{
	return verdict(walk, AUDIT_TAMPERED, "TAMPERED n=%" PRIu64 " reason=chain-break", n);
}

static int root_mismatch(struct walk *walk)
{
	return verdict(walk, AUDIT_TAMPERED, "TAMPERED seal n=%" PRIu64 " reason=root-mismatch",
	    walk->trail.frontier.size);
}

static int links_to(const struct line *next, const struct digest *leaf)
{
	char hex[DIGEST_HEX_MAX];
	struct line_head head;

	return line_head(&head, next->bytes, next->len) == 0 &&
	       memcmp(head.prev_hex, digest_hex(hex, leaf), DIGEST_HEX_MAX - 1) == 0;
}

/* A number that is not the next: one seen before, a gap, or lines that changed places (then the
 * line behind goes back). */
static int judge_sequence(struct walk *walk)
{
	uint64_t expected = walk->trail.frontier.size, found = walk->trail.found;
	struct line next;
	struct line_head head;

	if (found < expected)
		return verdict(walk, AUDIT_TAMPERED,
		    "TAMPERED n=%" PRIu64 " reason=sequence-duplicate", found);
	if (peek(walk, &next) && line_head(&head, next.bytes, next.len) == 0 && head.n <= found)
		return chain_break(walk, expected);
	return verdict(
	    walk, AUDIT_TAMPERED, "TAMPERED n=%" PRIu64 " reason=sequence-gap", expected);
}

/* Line n does not name the hash of the line before it. If what follows n names n's own hash, n is
 * whole and the line before was changed. The last seal has nothing behind it: it tells by its
 * root. */
static int judge_chain(struct walk *walk, const struct digest *leaf, const struct seal *seal)
{
	uint64_t n = walk->trail.frontier.size;
	struct digest root;
	struct line next;

	if (peek(walk, &next))
		return chain_break(walk, links_to(&next, leaf) && n > 0 ? n - 1 : n);
	if (!seal)
		return chain_break(walk, n);
	if (frontier_root(&walk->trail.frontier, &root) < 0)
		return unreadable(walk, -EIO);
	if (seal->checkpoint.size == n && digest_equal(&seal->checkpoint.root, &root))
		return chain_break(walk, n);
	return root_mismatch(walk);
}

/* A seal that is malformed or of another tree. If the line behind it knows other bytes, it was
 * simply edited. */
static int judge_seal(struct walk *walk, enum trail_step step, const struct digest *leaf)
{
	struct line next;

	if (peek(walk, &next) && !links_to(&next, leaf))
		return chain_break(walk, walk->trail.frontier.size);
	if (step == TRAIL_ROOT)
		return root_mismatch(walk);
	return verdict(walk, AUDIT_TAMPERED, "MALFORMED-NOTE n=%" PRIu64 " why=%s",
	    walk->trail.frontier.size, walk->trail.why);
}

/* 1: some line from here on is a seal. */
static int seal_ahead(struct walk *walk)
{
	struct line line;
	int step;

	for (;;) {
		while ((step = lines_next(&walk->lines, &line)) > 0 && step != LINES_TORN) {
			if (seal_is(line.bytes, line.len))
				return 1;
		}
		lines_close(&walk->lines);
		if (++walk->segment >= walk->list.count ||
		    lines_open(&walk->lines, walk->dirfd, walk->list.items[walk->segment].name) < 0)
			return 0;
	}
}

/* No seal in all of it: nothing was ever promised about these lines. */
static int unsealed_instead(struct walk *walk, int exit)
{
	if (exit == AUDIT_USAGE || walk->seal_met || seal_ahead(walk))
		return exit;
	return verdict(walk, AUDIT_INCOMPLETE, "UNSEALED");
}

static int judge_bad(
    struct walk *walk, enum trail_step step, const struct line *line, const struct digest *leaf)
{
	int is_seal = seal_is(line->bytes, line->len);
	struct seal seal;
	const char *why;
	int exit;

	walk->seal_met |= is_seal;
	if (step == TRAIL_SEQUENCE)
		exit = judge_sequence(walk);
	else if (step == TRAIL_CHAIN)
		exit = judge_chain(walk, leaf,
		    is_seal && seal_parse(&seal, line->bytes, line->len, &why) == 0 ? &seal : NULL);
	else if (step == TRAIL_NOTE || step == TRAIL_ROOT)
		exit = judge_seal(walk, step, leaf);
	else
		exit = chain_break(walk, walk->trail.frontier.size);
	return unsealed_instead(walk, exit);
}

/* ---- a line that follows ------------------------------------------------------------------- */

static void take_genesis(struct walk *walk, const struct line *line)
{
	struct buf cleanup_with(buf_fini) text;
	struct line_member member;

	buf_init(&text, NOTE_MAX);
	walk->has_genesis = line_find(line->bytes, line->len, "type", &member) == 1 &&
			    line_is(&member, record_type_name(RECORD_LOG_GENESIS)) &&
			    line_find(line->bytes, line->len, "vkey", &member) == 1 &&
			    line_text(&text, &member) == 0 && buf_cstr(&text) &&
			    note_key_parse(&walk->genesis, buf_cstr(&text)) == 0;
	if (walk->has_genesis && !walk->pinned)
		walk->key = walk->genesis;
}

static int key_mismatch(struct walk *walk, const uint8_t id[SEAL_KEY_ID_LEN])
{
	return verdict(walk, AUDIT_KEY, "KEY-MISMATCH id=%02x%02x%02x%02x not pinned", id[0], id[1],
	    id[2], id[3]);
}

static int judge_signature(struct walk *walk, const struct seal *seal, uint64_t n)
{
	int r = seal_verify(seal, &walk->key);

	if (r == 0)
		return WALK_ON;
	if (r == -ENOKEY)
		return key_mismatch(walk, seal->key_id);
	if (r == -EIO || r == -ENOMEM)
		return unreadable(walk, r);
	return verdict(walk, AUDIT_TAMPERED, "TAMPERED seal n=%" PRIu64 " reason=bad-signature", n);
}

static int take_seal(struct walk *walk, uint64_t n)
{
	walk->seal_met = 1;
	walk->seal_n = n;
	walk->unsealed = 0;
	walk->tail_bytes = 0;
	return walk->flags & WALK_ALL_SEALS ? judge_signature(walk, &walk->trail.seal, n) : WALK_ON;
}

static int keep(struct walk *walk, const struct line *line, const struct digest *leaf)
{
	if (walk->trail.frontier.size - 1 == walk->keep_line)
		buf_put(&walk->kept_line, line->bytes, line->len);
	buf_put(&walk->kept_leaves, leaf, sizeof(*leaf));
	return walk->kept_leaves.fault ? walk->kept_leaves.fault : walk->kept_line.fault;
}

/* Everything besides the chain itself. */
static int take_line(struct walk *walk, const struct line *line, const struct digest *leaf)
{
	size_t tail = sizeof(RECOVERED) - 1;
	const char *rule = NULL;
	int r = 0;

	if (walk->trail.frontier.size == 1)
		take_genesis(walk, line);
	if (line->len > tail && memcmp(line->bytes + line->len - tail, RECOVERED, tail) == 0)
		walk->recovered++;
	if (walk->anchors.count > 0)
		r = anchors_line(&walk->anchors, leaf, &walk->trail.frontier);
	if (r == 0 && (walk->flags & WALK_KEEP_LEAVES))
		r = keep(walk, line, leaf);
	if (r == 0 && (walk->flags & WALK_SEMANTIC))
		r = semantic_line(&walk->semantic, line->bytes, line->len, &rule);
	if (r < 0 && r != -EBADMSG)
		return unreadable(walk, r);
	if (r != 0)
		return verdict(walk, AUDIT_SEMANTIC, "SEMANTIC n=%" PRIu64 " rule=%s",
		    walk->trail.frontier.size - 1, rule ? rule : "not-a-record");
	return WALK_ON;
}

static int walk_line(struct walk *walk, const struct line *line)
{
	struct digest leaf;
	uint64_t n = walk->trail.frontier.size;
	int exit = WALK_ON, step = trail_line(&walk->trail, line->bytes, line->len, &leaf);

	if (step < 0)
		return unreadable(walk, step);
	if (step != TRAIL_LINE && step != TRAIL_SEAL)
		return judge_bad(walk, (enum trail_step)step, line, &leaf);
	walk->unsealed++;
	walk->tail_bytes += line->len + 1;
	if (step == TRAIL_SEAL)
		exit = take_seal(walk, n);
	return exit == WALK_ON ? take_line(walk, line, &leaf) : exit;
}

/* ---- segments ------------------------------------------------------------------------------ */

static int judge_segment(struct walk *walk)
{
	uint64_t n = walk->trail.frontier.size, first = walk->list.items[walk->segment].first;

	if (first == n)
		return WALK_ON;
	if (n == 0)
		return verdict(walk, AUDIT_INCOMPLETE, "MISSING genesis");
	if (first < n)
		return verdict(walk, AUDIT_TAMPERED,
		    "TAMPERED n=%" PRIu64 " reason=sequence-duplicate", first);
	/* A segment ends with a seal: where it does not, lines were cut off this one. */
	if (walk->unsealed > 0)
		return unsealed_instead(walk,
		    verdict(walk, AUDIT_TAMPERED, "TAMPERED n=%" PRIu64 " reason=sequence-gap", n));
	return verdict(
	    walk, AUDIT_INCOMPLETE, "MISSING segment n=%" PRIu64 "..%" PRIu64, n, first - 1);
}

/* The end of the last segment. A running daemon may be in the middle of a batch: what is not
 * sealed now may be in a moment. 1: look again. */
static int settle(const struct walk *walk, int step, unsigned *tries)
{
	struct timespec pause = {.tv_nsec = SETTLE_NS};

	if (walk->segment + 1 < walk->list.count || (step == LINES_END && walk->unsealed == 0) ||
	    ++*tries > SETTLE_TRIES)
		return 0;
	nanosleep(&pause, NULL);
	return 1;
}

static int walk_segment(struct walk *walk)
{
	struct line line = {NULL, 0, 0};
	unsigned tries = 0;
	int exit = WALK_ON;

	while (exit == WALK_ON) {
		int step = lines_next(&walk->lines, &line);

		if (step < 0)
			return unreadable(walk, step);
		if (step == LINES_LINE) {
			tries = 0;
			exit = walk_line(walk, &line);
		} else if (step == LINES_LONG) {
			exit = unsealed_instead(walk, chain_break(walk, walk->trail.frontier.size));
		} else if (!settle(walk, step, &tries)) {
			walk->torn_bytes = step == LINES_TORN ? line.len : 0;
			walk->tail_bytes += walk->torn_bytes;
			break;
		}
	}
	if (exit == WALK_ON && walk->torn_bytes > 0 && walk->segment + 1 < walk->list.count)
		exit = unsealed_instead(walk,
		    verdict(walk, AUDIT_TAMPERED, "TAMPERED n=%" PRIu64 " reason=sequence-gap",
			walk->trail.frontier.size));
	return exit;
}

static int walk_segments(struct walk *walk)
{
	int exit = WALK_ON;

	for (walk->segment = 0; walk->segment < walk->list.count && exit == WALK_ON;
	     walk->segment++) {
		int r;

		exit = judge_segment(walk);
		if (exit != WALK_ON)
			break;
		r = lines_open(&walk->lines, walk->dirfd, walk->list.items[walk->segment].name);
		if (r < 0)
			return unreadable(walk, r);
		exit = walk_segment(walk);
		lines_close(&walk->lines);
	}
	return exit;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int judge_anchors(struct walk *walk)
{
	for (size_t i = 0; i < walk->anchors.count; i++) {
		const struct anchor *anchor = &walk->anchors.items[i];
		struct checkpoint checkpoint;

		if (anchor->note_len > 0 &&
		    note_open(&checkpoint, &walk->key, anchor->note, anchor->note_len) < 0)
			return verdict(walk, AUDIT_USAGE, "ANCHOR-INVALID name=%s", anchor->name);
		if (anchor->state == ANCHOR_DIFFERS)
			return verdict(walk, AUDIT_TAMPERED,
			    "EQUIVOCATION size=%" PRIu64 " roots differ", anchor->size);
		if (anchor->state == ANCHOR_OPEN)
			return verdict(walk, AUDIT_INCOMPLETE,
			    "TRUNCATED size=%" PRIu64 " anchored=%" PRIu64 " by=%s",
			    walk->trail.frontier.size, anchor->size, anchor->name);
		if (anchor->size > walk->anchored)
			walk->anchored = anchor->size;
	}
	return WALK_ON;
}

static int judge_key(struct walk *walk)
{
	int exit;

	if (!walk->has_genesis)
		return verdict(walk, AUDIT_INCOMPLETE, "MISSING genesis");
	exit = judge_signature(walk, &walk->trail.seal, walk->seal_n);
	if (exit != WALK_ON)
		return exit;
	if (memcmp(walk->genesis.public_key, walk->key.public_key, KEY_LEN) != 0 ||
	    strcmp(walk->genesis.name, walk->key.name) != 0)
		return key_mismatch(walk, walk->genesis.id);
	return WALK_ON;
}

static int judge_end(struct walk *walk)
{
	if (walk->torn_bytes > 0)
		return verdict(walk, AUDIT_INCOMPLETE,
		    "INCOMPLETE torn-tail bytes=%" PRIu64 " last-seal n=%" PRIu64, walk->tail_bytes,
		    walk->seal_n);
	if (walk->unsealed > 0)
		return verdict(
		    walk, AUDIT_INCOMPLETE, "INCOMPLETE unsealed lines=%" PRIu64, walk->unsealed);
	return WALK_ON;
}

static int judge_age(struct walk *walk)
{
	if (clock_unstamp(walk->trail.stamp, &walk->seal_us) < 0)
		return verdict(walk, AUDIT_TAMPERED, "MALFORMED-NOTE n=%" PRIu64 " why=timestamp",
		    walk->seal_n);
	if (walk->max_age_us > 0 && walk->now_us > walk->seal_us &&
	    walk->now_us - walk->seal_us > walk->max_age_us)
		return verdict(walk, AUDIT_INCOMPLETE, "STALE last=%s", walk->trail.stamp);
	return WALK_ON;
}

static int judge_meaning(struct walk *walk)
{
	uint64_t n;

	if (!(walk->flags & WALK_SEMANTIC) || !semantic_left_open(&walk->semantic, &n))
		return WALK_ON;
	return verdict(walk, AUDIT_SEMANTIC, "SEMANTIC n=%" PRIu64 " rule=unfinished", n);
}

static int say_ok(struct walk *walk)
{
	struct buf cleanup_with(buf_fini) line;
	const char *text;

	buf_init(&line, ERR_NOTE_MAX);
	buf_textf(&line, "OK size=%" PRIu64 " seals=%" PRIu64, walk->trail.frontier.size,
	    walk->trail.seals);
	if (walk->recovered > 0)
		buf_textf(&line, " recovered=%" PRIu64, walk->recovered);
	if (walk->anchored > 0)
		buf_textf(&line, " anchored=%" PRIu64, walk->anchored);
	buf_textf(&line, " key=%s", walk->pinned ? "pinned" : "UNPINNED");
	if (walk->max_age_us > 0)
		buf_textf(&line, " freshness=%" PRIu64 "s",
		    walk->now_us > walk->seal_us ? (walk->now_us - walk->seal_us) / 1000000 : 0);
	else
		buf_text(&line, " freshness=UNPROVEN");
	text = buf_cstr(&line);
	return verdict(walk, AUDIT_OK, "%s", text ? text : "");
}

int walk_run(struct walk *walk)
{
	int exit, r;

	walk->lines.fd = -1;
	r = segment_list(&walk->list, walk->dirfd);
	if (r < 0)
		return unreadable(walk, r);
	walk->stream = digest_stream_new();
	if (!walk->stream)
		return unreadable(walk, -EIO);
	trail_init(&walk->trail, walk->stream);
	walk->semantic.stream = walk->stream;
	exit = walk_segments(walk);
	if (exit != WALK_ON)
		return exit;
	if (walk->trail.frontier.size == 0 && walk->torn_bytes == 0)
		return verdict(walk, AUDIT_INCOMPLETE, "EMPTY");
	if (walk->trail.seals == 0)
		return verdict(walk, AUDIT_INCOMPLETE, "UNSEALED");
	exit = judge_key(walk);
	if (exit == WALK_ON)
		exit = judge_anchors(walk);
	if (exit == WALK_ON)
		exit = judge_end(walk);
	if (exit == WALK_ON)
		exit = judge_age(walk);
	if (exit == WALK_ON)
		exit = judge_meaning(walk);
	return exit == WALK_ON ? say_ok(walk) : exit;
}

void walk_fini(struct walk *walk)
{
	lines_close(&walk->lines);
	segment_list_fini(&walk->list);
	semantic_fini(&walk->semantic);
	digest_stream_free(walk->stream);
	buf_fini(&walk->kept_leaves);
	buf_fini(&walk->kept_line);
}
