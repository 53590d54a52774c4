#include "supervisor/auditor/opening.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/auditor/recover.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"

/* The seed and the journal must belong together: a used key without its journal means that the
 * journal was taken away, and a second one under the same key would be a forked history. */
static int match(const struct recovery *recovery, const struct signer *signer, const char *path,
    struct err_note *note)
{
	if (recovery->trail.seals > 0 || signer->seed == SIGNER_SEED_NEW)
		return 0;
	return err_note(note, -EPERM,
	    "%s; refusing to start: keys/" SIGNER_KEY
	    " has sealed a journal that is not in %s; bring "
	    "it back, or remove the key to begin a new log",
	    recovery->segment.name[0] ? "UNSEALED" : "MISSING genesis", path);
}

/* The same key has once sealed more than, or something else than, what is here. */
static int rolled_back(
    const struct recovery *recovery, const struct checkpoint *floor, struct err_note *note)
{
	return err_note(note, -EPERM,
	    "ROLLBACK size=%" PRIu64 " floor=%" PRIu64
	    "; refusing to start: the journal lacks lines that were durable, or is another one; "
	    "bring it back, or remove keys/" NEWEST_NAME " to accept the loss",
	    recovery->trail.seals > 0 ? recovery->trail.seal.checkpoint.size : 0, floor->size);
}

static int signer_place(
    struct commit *commit, const struct recovery *recovery, struct err_note *note)
{
	int r;

	if (recovery->trail.seals == 0)
		r = signer_begin(&commit->signer, commit->origin);
	else
		r = signer_resume(&commit->signer, commit->origin, &recovery->trail.sealed,
		    recovery->trail.seal.note);
	if (r < 0)
		return err_note(
		    note, r, "AUDIT_UNAVAILABLE signer: does not go on: %s", strerror(-r));
	return 0;
}

/* ---- the first batch ----------------------------------------------------------------------- */

static struct entry *genesis_entry(const struct note_key *key)
{
	struct buf cleanup_with(buf_fini) fields, vkey;
	char stamp[CLOCK_STAMP_MAX];

	buf_init(&fields, RECORD_FIELDS_MAX);
	buf_init(&vkey, NOTE_MAX);
	note_key_text(&vkey, key);
	record_put_str(&fields, "created", clock_stamp(stamp, clock_wall_us()));
	record_put_str(&fields, "origin", key->name);
	record_put_str(&fields, "version", CALLGATE_VERSION);
	record_put_str(&fields, "vkey", buf_cstr(&vkey));
	return vkey.fault ? NULL : entry_new(RECORD_LOG_GENESIS, &fields);
}

static struct entry *recovered_entry(const struct recovery *recovery)
{
	struct buf cleanup_with(buf_fini) fields = {0};

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_int(&fields, "bytes", (int64_t)recovery->tail_bytes);
	record_put_str(&fields, "file", recovery->tail_name);
	record_put_int(&fields, "lines", (int64_t)recovery->tail_lines);
	record_put_digest(&fields, "sha256", &recovery->tail_digest);
	return entry_new(RECORD_LOG_RECOVERED, &fields);
}

static struct entry *open_entry(void)
{
	struct buf cleanup_with(buf_fini) fields = {0};

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_int(&fields, "pid", getpid());
	record_put_int(&fields, "uid", geteuid());
	record_put_str(&fields, "version", CALLGATE_VERSION);
	return entry_new(RECORD_LOG_OPEN, &fields);
}

static struct entry **append(struct entry **at, struct entry *entry)
{
	*at = entry;
	return entry ? &entry->next : at;
}

/* All of the list, in as many batches as it needs. */
static int write_all(struct commit *commit, struct entry *list, struct err_note *note)
{
	for (struct entry *rest = list; rest;)
		rest = commit_batch(commit, rest);
	for (const struct entry *entry = list; entry; entry = entry->next) {
		if (entry->status != ANSWER_OK)
			return err_note(note, -EIO, "%s", entry->note.text);
	}
	return 0;
}

/* The ends that are owed come behind log.open. Those of a second batch may be lost in another
 * crash: then the next start finds them owing still. */
static int first_batch(struct commit *commit, struct recovery *recovery, const struct note_key *key,
    struct err_note *note)
{
	struct entry *cleanup_with(entries_free) list = NULL;
	struct entry **at = &list, *open = open_entry();

	if (recovery->trail.seals == 0)
		at = append(at, genesis_entry(key));
	if (recovery->tail_bytes > 0)
		at = append(at, recovered_entry(recovery));
	at = append(at, open);
	append(at, take_ptr(recovery->owed));
	if (!open || (recovery->trail.seals == 0 && list->type != RECORD_LOG_GENESIS))
		return err_note(note, -ENOMEM, "AUDIT_UNAVAILABLE out of memory");
	return write_all(commit, list, note);
}

/* ---- all of it ----------------------------------------------------------------------------- */

static int take_up(struct commit *commit, const struct recovery *recovery, struct err_note *note)
{
	int r = 0;

	commit->frontier = recovery->trail.frontier;
	if (commit->frontier.size > 0)
		r = digest_unhex(&commit->prev, recovery->trail.prev_hex);
	if (r == 0 && recovery->segment.name[0])
		r = journal_resume(&commit->journal, &recovery->segment, recovery->bytes);
	if (r < 0)
		return err_note(
		    note, r, "AUDIT_UNAVAILABLE %s: %s", recovery->segment.name, strerror(-r));
	return signer_place(commit, recovery, note);
}

/* The word kept beside the key. One that cannot be had is told and done without. */
static int take_floor(struct newest *newest, const struct opening *opening,
    const uint8_t public_key[KEY_LEN], struct checkpoint *ret)
{
	int r = newest_open(newest, opening->key_dir);

	if (r == 0)
		r = newest_read(newest, public_key, ret);
	if (r < 0)
		log_warn("keys/" NEWEST_NAME ": %s; a journal cut short would not be noticed",
		    strerror(-r));
	return r > 0;
}

static int recover(struct recovery *ret, const struct commit *commit, const struct opening *opening,
    struct newest *newest, struct err_note *note)
{
	struct checkpoint floor;
	int has_floor = take_floor(newest, opening, commit->signer.public_key, &floor);
	int r = recover_scan(
	    ret, commit->journal.dirfd, commit->signer.public_key, has_floor ? &floor : NULL, note);

	if (r == 0)
		r = match(ret, &commit->signer, opening->path, note);
	if (r == 0 && ret->floor == RECOVER_FLOOR_MISSED)
		r = rolled_back(ret, &floor, note);
	return r;
}

static int settle(
    struct commit *commit, const struct opening *opening, struct opened *ret, struct err_note *note)
{
	struct recovery cleanup_with(recover_fini) recovery = {.bytes = 0};
	struct newest cleanup_with(newest_close) newest = {.fd = -1};
	struct opened opened = {.recovered_bytes = 0};
	int r = recover(&recovery, commit, opening, &newest, note);

	if (r < 0)
		return r;
	opened.key = recovery.key;
	if (recovery.trail.seals == 0 &&
	    note_key_init(&opened.key, opening->origin, commit->signer.public_key) < 0)
		return err_note(note, -EINVAL, "AUDIT_UNAVAILABLE the origin %s is not a key name",
		    opening->origin);
	memcpy(commit->origin, opened.key.name, sizeof(commit->origin));
	r = recover_tail(&recovery, commit->journal.dirfd, note);
	if (r == 0)
		r = take_up(commit, &recovery, note);
	if (r == 0)
		r = first_batch(commit, &recovery, &opened.key, note);
	if (r < 0)
		return r;
	opened.recovered_bytes = recovery.tail_bytes;
	opened.recovered_lines = recovery.tail_lines;
	opened.newest = newest;
	newest.fd = -1;
	*ret = opened;
	return 0;
}

int opening_run(
    struct commit *commit, const struct opening *opening, struct opened *ret, struct err_note *note)
{
	int r = journal_open(&commit->journal, opening->journal_dir, opening->path, note);

	if (r == 0)
		r = signer_start(&commit->signer, opening->key_dir, note);
	if (r == 0)
		r = settle(commit, opening, ret, note);
	if (r < 0)
		return r;
	if (commit->signer.seed == SIGNER_SEED_NEW)
		r = signer_establish(&commit->signer, opening->key_dir);
	if (r < 0)
		return err_note(note, r, "AUDIT_UNAVAILABLE keys/" SIGNER_KEY ": %s", strerror(-r));
	return 0;
}

void opening_undo(struct commit *commit)
{
	signer_stop(&commit->signer);
	journal_close(&commit->journal);
}
