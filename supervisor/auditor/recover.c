#include "supervisor/auditor/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/auditor/journal.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"

#define COPY_STEP   (64 * 1024)
#define BATCH_BYTES (2 * JOURNAL_SEGMENT_BYTES) /* no batch spans two segments */

/* Which seals have their signature verified while following: the last covers all before it, so
 * one is enough, unless that one is false. */
enum signatures {
	SIGNATURES_LAST,
	SIGNATURES_EACH,
};

struct scan {
	int dirfd;
	const uint8_t *public_key;
	enum signatures signatures;
	const struct checkpoint *floor; /* or NULL */
	enum recover_floor floor_state; /* as of the newest good seal */
	struct digest_stream *stream;   /* owned */
	struct segment_list list;
	struct trail trail;
	/* what stands, as of the newest good seal */
	struct trail sealed;
	struct note_key key;
	size_t sealed_segment;
	uint64_t sealed_bytes;
	struct unfinished unfinished;
	struct buf batch; /* lines since that seal: they count only when theirs comes */
	/* where following stopped */
	uint64_t damage; /* number of the line that does not follow */
	int damaged;
};

static void scan_fini(struct scan **scan)
{
	if (*scan) {
		segment_list_fini(&(*scan)->list);
		unfinished_fini(&(*scan)->unfinished);
		buf_fini(&(*scan)->batch);
		digest_stream_free((*scan)->stream);
	}
	free(*scan);
}

/* The first line names the log and its key. 0, -EBADMSG (no genesis), -EKEYREJECTED. */
static int take_genesis(struct scan *scan, const struct line *line)
{
	struct buf cleanup_with(buf_fini) text = {0};
	struct line_member member;
	struct note_key key;

	buf_init(&text, NOTE_MAX);
	if (line_find(line->bytes, line->len, "type", &member) != 1 ||
	    !line_is(&member, record_type_name(RECORD_LOG_GENESIS)) ||
	    line_find(line->bytes, line->len, "vkey", &member) != 1 ||
	    line_text(&text, &member) < 0 || !buf_cstr(&text) ||
	    note_key_parse(&key, buf_cstr(&text)) < 0)
		return -EBADMSG;
	if (memcmp(key.public_key, scan->public_key, KEY_LEN) != 0)
		return -EKEYREJECTED;
	scan->key = key;
	return 0;
}

/* A seal makes the lines before it count. */
static int take_batch(struct scan *scan)
{
	const char *at = (const char *)scan->batch.data;
	const char *end = at + scan->batch.len;
	int r = scan->batch.fault;

	while (r == 0 && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		r = unfinished_line(&scan->unfinished, at, (size_t)(newline - at));
		at = newline + 1;
	}
	buf_reset(&scan->batch);
	return r;
}

/* One line that follows. */
static int take_line(struct scan *scan, size_t segment, const struct line *line, int step)
{
	if (step == TRAIL_LINE) {
		buf_put(&scan->batch, line->bytes, line->len);
		buf_text(&scan->batch, "\n");
		return 0; /* a fault matters when a seal comes */
	}
	scan->sealed = scan->trail;
	scan->sealed_segment = segment;
	scan->sealed_bytes = line->offset + line->len + 1;
	if (scan->floor && scan->floor->size == scan->trail.seal.checkpoint.size &&
	    digest_equal(&scan->floor->root, &scan->trail.seal.checkpoint.root))
		scan->floor_state = RECOVER_FLOOR_MET;
	return take_batch(scan);
}

/* One line. 0: it follows; -EBADMSG: damage here; other faults. */
static int scan_line(struct scan *scan, size_t segment, const struct line *line)
{
	struct digest leaf;
	int step, r = 0;

	if (scan->trail.frontier.size == 0)
		r = take_genesis(scan, line);
	if (r < 0)
		return r;
	step = trail_line(&scan->trail, line->bytes, line->len, &leaf);
	if (step < 0)
		return step;
	if (step == TRAIL_SEAL && scan->signatures == SIGNATURES_EACH &&
	    (r = seal_verify(&scan->trail.seal, &scan->key)) < 0)
		return r == -EIO ? r : -EBADMSG;
	if (step != TRAIL_LINE && step != TRAIL_SEAL)
		return -EBADMSG;
	return take_line(scan, segment, line, step);
}

/* 1 if this is a seal of our key, of a tree larger than what stands: proof that lines which are
 * damaged here were once sealed. */
static int is_later_seal(const struct scan *scan, const struct line *line)
{
	struct note_key key;
	struct seal seal;
	const char *why;

	if (!seal_is(line->bytes, line->len) ||
	    seal_parse(&seal, line->bytes, line->len, &why) < 0 ||
	    note_key_init(&key, seal.checkpoint.origin, scan->public_key) < 0)
		return 0;
	return seal.checkpoint.size >= scan->sealed.frontier.size && seal_verify(&seal, &key) == 0;
}

/* Follows one segment until its end or the damage, then only looks for later seals. 0, 1 (found
 * one) or -errno. */
static int scan_segment(struct scan *scan, size_t segment)
{
	struct lines cleanup_with(lines_close) lines = {.fd = -1};
	struct line line;
	int step, r = lines_open(&lines, scan->dirfd, scan->list.items[segment].name);

	if (r < 0)
		return r;
	while ((step = lines_next(&lines, &line)) > 0) {
		if (!scan->damaged) {
			scan->damage = scan->trail.frontier.size;
			r = step == LINES_LINE ? scan_line(scan, segment, &line) : -EBADMSG;
			if (r < 0 && r != -EBADMSG)
				return r;
			scan->damaged = r < 0;
		}
		/* A seal that lacks only its newline was never acknowledged either. */
		if (step == LINES_TORN)
			return 0;
		if (scan->damaged && is_later_seal(scan, &line))
			return 1;
	}
	return step;
}

static int corrupt(const struct scan *scan, const char *why, struct err_note *note)
{
	return err_note(note, -EBADMSG,
	    "CORRUPT n=%" PRIu64
	    "; refusing to start: %s; keep a copy and see `callgate audit verify`",
	    scan->damage, why);
}

/* Follows everything. 0, or the faults of recover_scan(). */
static int scan_all(struct scan *scan, struct err_note *note)
{
	trail_init(&scan->trail, scan->stream);
	trail_init(&scan->sealed, scan->stream);
	scan->damaged = 0;
	scan->sealed_segment = 0;
	scan->sealed_bytes = 0;
	scan->floor_state = scan->floor ? RECOVER_FLOOR_MISSED : RECOVER_FLOOR_NONE;
	unfinished_fini(&scan->unfinished);
	buf_reset(&scan->batch);
	for (size_t i = 0; i < scan->list.count; i++) {
		const char *name = scan->list.items[i].name;
		int r;

		if (!scan->damaged && scan->list.items[i].first != scan->trail.frontier.size) {
			scan->damaged = 1;
			scan->damage = scan->trail.frontier.size;
		}
		r = scan_segment(scan, i);
		if (r == -EKEYREJECTED)
			return err_note(note, r,
			    "KEY-MISMATCH the journal was begun with another "
			    "key than keys/signer.key; bring back the right one");
		if (r < 0)
			return err_note(note, r, "AUDIT_UNAVAILABLE %s: %s", name, strerror(-r));
		if (r > 0)
			return corrupt(
			    scan, "a line does not follow, yet a later seal is valid", note);
	}
	return 0;
}

/* Length of a segment, or -errno. */
static int64_t segment_bytes(const struct scan *scan, size_t segment)
{
	struct stat st;

	if (fstatat(scan->dirfd, scan->list.items[segment].name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return st.st_size;
}

/* Where the journal goes on. The tail must lie in the newest segment alone: a segment is begun
 * only after the one before ended with a durable seal. */
static int take_place(struct recovery *ret, struct scan *scan, struct err_note *note)
{
	size_t last = scan->list.count - 1;
	uint64_t lines = scan->sealed.frontier.size;
	int64_t length;

	if (scan->list.count == 0)
		return 0;
	length = segment_bytes(scan, last);
	if (length < 0)
		return err_note(note, (int)length, "AUDIT_UNAVAILABLE %s: %s",
		    scan->list.items[last].name, strerror((int)-length));
	ret->segment = scan->list.items[last];
	ret->bytes = lines > 0 && scan->sealed_segment == last ? scan->sealed_bytes : 0;
	if (ret->bytes == 0 && ret->segment.first != lines)
		return corrupt(scan, "lines are missing", note);
	if (ret->bytes == 0 && last > 0 &&
	    (scan->sealed_segment != last - 1 ||
		segment_bytes(scan, last - 1) != (int64_t)scan->sealed_bytes))
		return corrupt(scan, "lines without a seal before the newest segment", note);
	ret->tail_bytes = (uint64_t)length - ret->bytes;
	return 0;
}

int recover_scan(struct recovery *ret, int dirfd, const uint8_t public_key[KEY_LEN],
    const struct checkpoint *floor, struct err_note *note)
{
	struct scan *cleanup_with(scan_fini) scan = calloc(1, sizeof(*scan));
	struct recovery recovery = {.bytes = 0};
	int r;

	if (scan)
		scan->stream = digest_stream_new();
	if (!scan || !scan->stream)
		return err_note(note, -ENOMEM, "AUDIT_UNAVAILABLE out of memory");
	scan->dirfd = dirfd;
	scan->public_key = public_key;
	scan->floor = floor;
	unfinished_init(&scan->unfinished);
	buf_init(&scan->batch, BATCH_BYTES);
	r = segment_list(&scan->list, dirfd);
	if (r < 0)
		return err_note(note, r, "AUDIT_UNAVAILABLE journal directory: %s", strerror(-r));
	r = scan_all(scan, note);
	if (r == 0 && scan->sealed.seals > 0 && seal_verify(&scan->sealed.seal, &scan->key) < 0) {
		scan->signatures = SIGNATURES_EACH;
		r = scan_all(scan, note);
	}
	if (r == 0)
		r = take_place(&recovery, scan, note);
	if (r < 0)
		return r;
	if (unfinished_entries(&scan->unfinished, &recovery.owed) < 0)
		return err_note(note, -ENOMEM, "AUDIT_UNAVAILABLE out of memory");
	recovery.trail = scan->sealed;
	recovery.trail.frontier.stream = recovery.trail.sealed.stream = NULL;
	recovery.key = scan->key;
	recovery.floor = scan->floor_state;
	*ret = recovery;
	return 0;
}

/* ---- setting aside ------------------------------------------------------------------------- */

static void free_stream(struct digest_stream **stream)
{
	digest_stream_free(*stream);
}

/* Copies from `from` at its offset to its end; hashes and counts. */
static int copy_tail(struct recovery *recovery, int from, int to)
{
	struct digest_stream *cleanup_with(free_stream) stream = NULL;
	char *cleanup_free step = malloc(COPY_STEP);
	uint64_t at = recovery->bytes;
	int r = 0;

	stream = digest_stream_new();
	if (!stream || !step)
		return -ENOMEM;
	for (;;) {
		ssize_t n = pread(from, step, COPY_STEP, (off_t)at);

		if (n <= 0) {
			r = n < 0 ? -errno : 0;
			break;
		}
		for (ssize_t i = 0; i < n; i++)
			recovery->tail_lines += step[i] == '\n';
		at += (uint64_t)n;
		r = digest_stream_add(stream, step, (size_t)n);
		if (r == 0)
			r = fd_write_all(to, step, (size_t)n);
		if (r < 0)
			break;
	}
	recovery->tail_bytes = at - recovery->bytes;
	return r < 0 ? r : digest_stream_peek(stream, &recovery->tail_digest);
}

/* Opens dirfd/quarantine, made if missing. Returns the descriptor or -errno. */
static int quarantine_open(int dirfd)
{
	int fd;

	if (mkdirat(dirfd, RECOVER_QUARANTINE, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(dirfd, RECOVER_QUARANTINE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int set_aside(struct recovery *recovery, int dirfd)
{
	int cleanup_fd from =
	    openat(dirfd, recovery->segment.name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	int cleanup_fd dir = quarantine_open(dirfd);
	int cleanup_fd to = -1;
	int r;

	if (from < 0)
		return -errno;
	if (dir < 0)
		return dir;
	snprintf(recovery->tail_name, sizeof(recovery->tail_name), "%016" PRIu64 "-%016" PRIu64,
	    recovery->trail.frontier.size, clock_wall_us());
	to = openat(
	    dir, recovery->tail_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = copy_tail(recovery, from, to);
	if (r < 0)
		return r;
	/* The copy, its name and the folder's name are on disk before a byte is cut. */
	if (fsync(to) < 0 || fsync(dir) < 0 || fsync(dirfd) < 0)
		return -errno;
	if (ftruncate(from, (off_t)recovery->bytes) < 0 || fsync(from) < 0)
		return -errno;
	return 0;
}

int recover_tail(struct recovery *recovery, int dirfd, struct err_note *note)
{
	int r = recovery->tail_bytes > 0 ? set_aside(recovery, dirfd) : 0;

	if (r < 0)
		return err_note(note, r,
		    "AUDIT_UNAVAILABLE the torn tail of %s cannot be set aside: %s",
		    recovery->segment.name, strerror(-r));
	return 0;
}

void recover_fini(struct recovery *recovery)
{
	entries_free(&recovery->owed);
}
