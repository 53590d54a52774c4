/*
 * audit tail [-n N] [-f] [DIR]: the newest records, for people (hostile bytes escaped) or, with
 * --output json, as they are stored. Shows, does not judge: `verify` judges.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"
#include "supervisor/base/str.h"
#include "supervisor/control/audit.h"
#include "supervisor/evidence/line.h"
#include "supervisor/evidence/record.h"
#include "supervisor/evidence/segment.h"

#define TAIL_DEFAULT 10
#define FOLLOW_NS    (100 * 1000 * 1000)
#define SHOWN_MAX    (16 * RECORD_LINE_MAX) /* an escaped byte takes up to ten */
#define HASH_SHOWN   12                     /* hex digits of a hash that people see */

struct tail {
	int dirfd;
	enum command_output output;
	uint64_t count; /* records to show */
	int follow;
	struct segment_list list;
	struct lines lines;
};

static void tail_fini(struct tail *tail)
{
	lines_close(&tail->lines);
	segment_list_fini(&tail->list);
	if (tail->dirfd >= 0)
		close(tail->dirfd);
}

/* ---- one record ---------------------------------------------------------------------------- */

static int is_key(const struct line_member *member, const char *key)
{
	return member->key_len == strlen(key) && memcmp(member->key, key, member->key_len) == 0;
}

static int is_hash(const struct line_member *member)
{
	char text[DIGEST_HEX_MAX];
	struct digest digest;

	if (member->value_len != DIGEST_HEX_MAX + 1)
		return 0;
	memcpy(text, member->value + 1, DIGEST_HEX_MAX - 1);
	text[DIGEST_HEX_MAX - 1] = '\0';
	return digest_unhex(&digest, text) == 0;
}

/* " key=value": strings decoded and then escaped, hashes short, the rest as stored. */
static void show_member(struct buf *out, const struct line_member *member)
{
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, RECORD_LINE_MAX);
	buf_text(out, " ");
	str_escape(out, member->key, member->key_len);
	buf_text(out, "=");
	if (is_hash(member)) {
		str_escape(out, member->value + 1, HASH_SHOWN);
		buf_text(out, "…");
	} else if (member->value[0] == '"' && line_text(&text, member) == 0) {
		buf_text(out, "\"");
		str_escape(out, text.data, text.len);
		buf_text(out, "\"");
	} else {
		str_escape(out, member->value, member->value_len);
	}
}

/* A seal's note is for programs: people see what it covers. */
static int is_shown(const struct line_member *member, int is_seal)
{
	return !is_key(member, "type") && !(is_seal && is_key(member, "note"));
}

/* What does not read as a record is shown escaped as it is. */
static void show_line(struct buf *out, const struct line *line)
{
	struct buf cleanup_with(buf_fini) type;
	struct line_head head;
	struct line_cursor cursor;
	struct line_member member;
	int is_seal;

	buf_init(&type, RECORD_LINE_MAX);
	if (line_head(&head, line->bytes, line->len) < 0 ||
	    line_find(line->bytes, line->len, "type", &member) != 1 ||
	    line_text(&type, &member) < 0) {
		buf_text(out, "? ");
		str_escape(out, line->bytes, line->len);
		return;
	}
	is_seal = line_is(&member, record_type_name(RECORD_LOG_SEAL));
	buf_textf(out, "%" PRIu64 " ", head.n);
	str_escape(out, head.stamp, head.stamp_len);
	buf_text(out, " ");
	str_escape(out, type.data, type.len);
	if (is_seal)
		buf_textf(out, " size=%" PRIu64, head.n);
	line_members(&cursor, &head, line->bytes, line->len);
	while (line_next(&cursor, &member) > 0) {
		if (is_shown(&member, is_seal))
			show_member(out, &member);
	}
}

static int print_line(const struct tail *tail, const struct line *line)
{
	struct buf cleanup_with(buf_fini) out;

	buf_init(&out, SHOWN_MAX);
	if (tail->output == COMMAND_OUTPUT_JSON) {
		command_put_json((const char *)line->bytes, line->len);
		return ferror(stdout) ? -EIO : 0;
	}
	show_line(&out, line);
	buf_text(&out, "\n");
	if (out.fault)
		return out.fault;
	return fwrite(out.data, 1, out.len, stdout) == out.len ? 0 : -EIO;
}

/* ---- which records ------------------------------------------------------------------------- */

static int count_lines(const struct tail *tail, size_t segment, uint64_t *ret_count)
{
	struct lines cleanup_with(lines_close) lines = {.fd = -1};
	struct line line;
	uint64_t count = 0;
	int step = lines_open(&lines, tail->dirfd, tail->list.items[segment].name);

	if (step < 0)
		return step;
	while ((step = lines_next(&lines, &line)) > 0 && step != LINES_TORN)
		count++;
	if (step < 0)
		return step;
	*ret_count = count;
	return 0;
}

/* The segment to begin with and the lines of it to pass over. 0 or -errno. */
static int find_start(const struct tail *tail, size_t *ret_segment, uint64_t *ret_skip)
{
	uint64_t have = 0, lines;
	size_t segment = tail->list.count;

	while (segment > 0 && have < tail->count) {
		int r = count_lines(tail, --segment, &lines);

		if (r < 0)
			return r;
		have += lines;
	}
	*ret_segment = segment;
	*ret_skip = have > tail->count ? have - tail->count : 0;
	return 0;
}

static int show_segment(struct tail *tail, uint64_t *skip)
{
	struct line line;
	int r = 0, step;

	while (r == 0 && (step = lines_next(&tail->lines, &line)) != LINES_END) {
		if (step < 0)
			return step;
		if (step == LINES_TORN)
			break;
		if (*skip > 0)
			--*skip;
		else
			r = print_line(tail, &line);
	}
	return r == 0 && fflush(stdout) != 0 ? -EIO : r;
}

/* Looks for a segment behind this one. 1: the list is new and has one. */
static int has_next(struct tail *tail, size_t segment)
{
	struct segment_list list;

	if (segment_list(&list, tail->dirfd) < 0)
		return 0;
	segment_list_fini(&tail->list);
	tail->list = list;
	return segment + 1 < list.count;
}

static int show_all(struct tail *tail)
{
	struct timespec pause = {.tv_nsec = FOLLOW_NS};
	size_t segment;
	uint64_t skip;
	int r = segment_list(&tail->list, tail->dirfd);

	if (r == 0)
		r = find_start(tail, &segment, &skip);
	for (; r == 0 && segment < tail->list.count; segment++) {
		lines_close(&tail->lines);
		r = lines_open(&tail->lines, tail->dirfd, tail->list.items[segment].name);
		if (r == 0)
			r = show_segment(tail, &skip);
		while (r == 0 && tail->follow && !has_next(tail, segment)) {
			nanosleep(&pause, NULL);
			r = show_segment(tail, &skip);
		}
		if (r == 0 && tail->follow) /* what came before the next segment was begun */
			r = show_segment(tail, &skip);
	}
	return r;
}

int audit_tail_main(int argc, char **argv)
{
	struct tail cleanup_with(tail_fini) tail = {.dirfd = -1, .lines = {.fd = -1}};
	char dir[PATHS_MAX];
	const char *count = command_take_option(&argc, argv, "-n");
	int r;

	tail.count = TAIL_DEFAULT;
	tail.follow = command_take_flag(&argc, argv, "-f");
	if (count && str_u64(count, INT64_MAX, &tail.count) < 0)
		return command_fail(
		    AUDIT_USAGE, "audit tail: -n %s: not a number; how many records?", count);
	if (audit_take_output(&argc, argv, &tail.output) != 0 ||
	    command_no_options(argc, argv) != 0)
		return AUDIT_USAGE;
	if (argc > 2)
		return command_fail(
		    AUDIT_USAGE, "audit tail: one directory at most; see `callgate help audit`");
	tail.dirfd = audit_open_dir(argc == 2 ? argv[1] : NULL, dir);
	if (tail.dirfd < 0)
		return AUDIT_USAGE;
	r = show_all(&tail);
	if (r < 0 && r != -EPIPE)
		return command_fail(AUDIT_USAGE, "audit tail: %s: %s", dir, strerror(-r));
	return AUDIT_OK;
}
