#include "supervisor/auditor/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/evidence/seal.h"

/* What a batch would make of the journal; thrown away if it does not become durable. */
struct batch {
	struct buf bytes;
	struct frontier frontier;
	struct record_place place;
	struct digest root; /* of the tree that the seal covers */
	uint64_t size;
	size_t count;
	char note[NOTE_MAX];
	struct digest leaves[SIGNER_LEAVES_MAX]; /* for the signer: the seal before, then ours */
};

static struct batch *batch_new(const struct commit *commit)
{
	struct batch *batch = malloc(sizeof(*batch));

	if (!batch)
		return NULL;
	memset(batch, 0, offsetof(struct batch, leaves)); /* not 128 KiB for one record */
	buf_init(&batch->bytes, COMMIT_BATCH_BYTES + 2 * (RECORD_LINE_MAX + 1));
	batch->frontier = commit->frontier;
	batch->place.n = commit->frontier.size;
	batch->place.prev = commit->prev;
	batch->place.wall_us = clock_wall_us();
	if (commit->frontier.size > 0)
		batch->leaves[batch->count++] = commit->prev;
	return batch;
}

static void batch_free(struct batch **batch)
{
	if (*batch)
		buf_fini(&(*batch)->bytes);
	free(*batch);
}

/* Closes the line that starts at `start`: newline, leaf, next place. */
static int batch_advance(struct batch *batch, size_t start, struct digest *ret_leaf)
{
	int r = batch->bytes.fault;

	if (r == 0)
		r = merkle_leaf(ret_leaf, batch->bytes.data + start, batch->bytes.len - start);
	if (r == 0)
		r = buf_text(&batch->bytes, "\n");
	if (r == 0)
		r = frontier_append(&batch->frontier, ret_leaf);
	if (r < 0)
		return r;
	batch->place.n++;
	batch->place.prev = *ret_leaf;
	return 0;
}

static void answer(struct entry *entry, enum answer_status status, const struct err_note *note)
{
	entry->status = status;
	entry->note = *note;
	entry->receipt = (struct receipt){.n = 0};
}

/* Turns one entry into a line of the batch, or refuses it. 0, or a fault of the whole batch. */
static int batch_add(struct batch *batch, struct entry *entry, const struct commit *commit)
{
	size_t start = batch->bytes.len;
	struct err_note note = {""};
	struct digest leaf;
	int r;

	if (commit->journal.state == JOURNAL_FULL && entry_is_allow(entry)) {
		answer(entry, ANSWER_UNAVAILABLE, &commit->journal.note);
		return 0;
	}
	r = entry_line(&batch->bytes, &batch->place, entry, &note);
	if (r == -EBADMSG || r == -EMSGSIZE) {
		answer(entry, ANSWER_REFUSED, &note);
		return 0;
	}
	if (r < 0)
		return r;
	entry->receipt = (struct receipt){.n = batch->place.n};
	r = batch_advance(batch, start, &leaf);
	if (r < 0)
		return r;
	entry->receipt.leaf = leaf;
	batch->leaves[batch->count++] = leaf;
	return 0;
}

/* The signer must have come to the same tree: a note over any other one is not written. */
static int check_note(const struct batch *batch, const char *origin, const char *note)
{
	struct checkpoint checkpoint = {.size = batch->size, .root = batch->root};
	struct buf cleanup_with(buf_fini) body = {0};
	int r;

	buf_init(&body, NOTE_MAX);
	memcpy(checkpoint.origin, origin, sizeof(checkpoint.origin));
	r = checkpoint_body(&body, &checkpoint);
	if (r < 0)
		return r;
	return strncmp(note, (const char *)body.data, body.len) == 0 ? 0 : -EBADMSG;
}

static int batch_seal(struct batch *batch, struct commit *commit)
{
	size_t start = batch->bytes.len;
	struct digest leaf;
	int r = frontier_root(&batch->frontier, &batch->root);

	batch->size = batch->frontier.size;
	if (r == 0)
		r = signer_sign(
		    &commit->signer, batch->size, batch->leaves, batch->count, batch->note);
	if (r == 0)
		r = check_note(batch, commit->origin, batch->note);
	commit->signer_fault = r;
	if (r < 0)
		return journal_fail(&commit->journal, "signer", r);
	r = seal_emit(&batch->bytes, &batch->place, batch->note);
	if (r == 0)
		r = batch_advance(batch, start, &leaf);
	return r < 0 ? journal_fail(&commit->journal, "seal", r) : 0;
}

/* Fills the batch from the list. *ret_rest: the first entry left over. */
static int batch_fill(
    struct batch *batch, const struct commit *commit, struct entry *list, struct entry **ret_rest)
{
	for (; list; list = list->next) {
		int r;

		if (batch->bytes.len >= COMMIT_BATCH_BYTES || batch->count > COMMIT_BATCH_LINES)
			break;
		r = batch_add(batch, list, commit);
		if (r < 0)
			return r;
	}
	*ret_rest = list;
	return 0;
}

static int batch_store(struct batch *batch, struct commit *commit)
{
	int r = 0;

	if (commit->journal.fd < 0 || journal_is_due(&commit->journal))
		r = journal_begin(&commit->journal, commit->frontier.size);
	if (r == 0)
		r = batch_seal(batch, commit);
	return r < 0 ? r : journal_append(&commit->journal, batch->bytes.data, batch->bytes.len);
}

/* The batch is durable. */
static void answer_stored(
    struct entry *entry, const struct batch *batch, const struct commit *commit)
{
	static const struct err_note nothing;
	int r = 0;

	if (entry->status != ANSWER_NONE)
		return;
	/* The disk filled up under this very batch: the decision is on disk, but nothing new
	 * starts on the ballast. */
	if (commit->journal.state == JOURNAL_FULL && entry_is_allow(entry)) {
		answer(entry, ANSWER_UNAVAILABLE, &commit->journal.note);
		return;
	}
	entry->receipt.size = batch->size;
	entry->receipt.root = batch->root;
	if (entry_is_allow(entry) && entry->call[0] && !digest_is_zero(&entry->plan))
		r = entry->type == RECORD_EFFECTS_DECISION
			? receipt_seal_effects(
			      &entry->receipt, commit->receipt_key, entry->call, &entry->plan)
			: receipt_seal(
			      &entry->receipt, commit->receipt_key, entry->call, &entry->plan);
	if (r < 0) {
		answer(entry, ANSWER_UNAVAILABLE, &nothing);
		err_note(&entry->note, r, "AUDIT_UNAVAILABLE receipt: %s", strerror(-r));
		return;
	}
	entry->status = ANSWER_OK;
}

static struct entry *answer_failed(struct entry *list, const struct commit *commit)
{
	for (; list; list = list->next)
		answer(list, ANSWER_UNAVAILABLE, &commit->journal.note);
	return NULL;
}

struct entry *commit_batch(struct commit *commit, struct entry *list)
{
	struct batch *cleanup_with(batch_free) batch = NULL;
	struct entry *rest = NULL;
	size_t before;
	int r;

	if (commit->journal.state != JOURNAL_OPEN && commit->journal.state != JOURNAL_FULL)
		return answer_failed(list, commit);
	batch = batch_new(commit);
	before = batch ? batch->count : 0;
	r = batch ? batch_fill(batch, commit, list, &rest) : -ENOMEM;
	if (r < 0) {
		journal_fail(&commit->journal, "batch", r);
		return answer_failed(list, commit);
	}
	if (batch->count == before)
		return rest; /* every record of it was refused */
	if (batch_store(batch, commit) < 0)
		return answer_failed(list, commit);
	commit->frontier = batch->frontier;
	commit->prev = batch->place.prev;
	commit->sealed = batch->size;
	memcpy(commit->note, batch->note, sizeof(commit->note));
	for (; list != rest; list = list->next)
		answer_stored(list, batch, commit);
	return rest;
}
