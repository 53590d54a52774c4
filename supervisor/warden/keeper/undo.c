/* UNDO, and what the next start does about a commit that a crash cut off. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/keeper/jobs.h"
#include "supervisor/warden/keeper/revert.h"
#include "supervisor/warden/keeper/write.h"

static void tell(struct job_result *ret, const struct revert *revert)
{
	ret->commits = revert->count;
	if (revert_tell(revert, &ret->out, &ret->count))
		buf_reset(&ret->out);
	if (revert->left_count)
		(void)err_note(&ret->note, 0, "%u paths were changed since and left alone",
		    revert->left_count);
}

/* ---- what was cut off ------------------------------------------------------------------------ */

/* 1: this one was taken back, or cannot be; 0: it is none that needs it here. */
static int recover_one(const struct commit_places *places, const char *name,
    const struct stat *here, struct job_result *ret)
{
	struct revert cleanup_with(revert_close) revert = {.count = 0};
	int fault;

	if (!saved_name_has(places->saved, name, SAVED_BEGUN) &&
	    !saved_name_has(places->saved, name, SAVED_UNDOING))
		return 0;
	fault = revert_open(places->saved, name, &revert);
	if (fault == -ENOENT) /* nothing is left of it but its folder */
		saved_remove(places->saved, name);
	if (fault || revert.commits->place.dev != here->st_dev ||
	    revert.commits->place.ino != here->st_ino)
		return 0;
	(void)snprintf(ret->call, sizeof(ret->call), "%.*s", (int)strcspn(name, "."), name);
	ret->effects = revert.commits->place.effects;
	fault = revert_leniently(places->workspace, &revert);
	ret->status = fault ? ANSWER_UNAVAILABLE : ANSWER_OK;
	if (fault)
		(void)err_note_errno(
		    &ret->note, err_note(&ret->note, fault, "state effects/%s", name));
	else
		tell(ret, &revert);
	return 1;
}

void undo_recover(const struct commit_places *places, struct job_result *ret)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_names(places->saved, &count);
	struct stat here;

	ret->status = ANSWER_NONE;
	if (fstat(places->workspace, &here) < 0)
		return;
	for (uint32_t i = 0; i < count; i++)
		if (recover_one(places, names[i], &here, ret))
			return;
}

/* ---- UNDO ------------------------------------------------------------------------------------ */

struct undoing {
	struct revert revert;
	struct write_stood *stood;
	bool *wrong;
};

static void undoing_fini(struct undoing *work)
{
	revert_close(&work->revert);
	free(work->stood);
	free(work->wrong);
}

static int prepare(const struct commit_places *places, const struct commit_ask *ask,
    struct undoing *work, struct err_note *note)
{
	const struct saved_place *place;
	struct stat here;
	int fault = revert_open_call(places->saved, ask->call, &work->revert);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "what was replaced"));
	place = &work->revert.commits->place;
	if (fstat(places->workspace, &here) < 0 || here.st_dev != place->dev ||
	    here.st_ino != place->ino || !digest_equal(&place->effects, ask->shown))
		return err_note(note, -ESTALE, "it was committed elsewhere");
	if (work->revert.list.count != ask->written)
		return err_note(note, -ENOENT,
		    "%u paths of this call are written, and what they replaced is kept of %u only",
		    ask->written, work->revert.list.count);
	work->stood = calloc(work->revert.list.count + 1, sizeof(*work->stood));
	work->wrong = calloc(work->revert.list.count + 1, sizeof(*work->wrong));
	return work->stood && work->wrong ? 0 : err_note(note, -ENOMEM, "out of memory");
}

/* The newest folder has the mark of all of it: a crash from here on ends in what was before. */
static void take_back(const struct commit_places *places, const struct write_spec *spec,
    struct undoing *work, struct job_result *ret)
{
	uint32_t at = 0;
	int fault = saved_mark(work->revert.commits, SAVED_UNDOING);

	if (!fault)
		fault = write_all(spec, work->stood, &at, &ret->note);
	/* Somebody was in between, or the disk is full: as much as can be is put back. */
	if (fault && !revert_leniently(places->workspace, &work->revert))
		fault = 0;
	if (fault) {
		ret->status = ANSWER_UNAVAILABLE;
		return;
	}
	ret->note.text[0] = '\0';
	ret->status = ANSWER_OK;
	tell(ret, &work->revert);
}

static void list_wrong(const struct undoing *work, struct job_result *ret)
{
	const struct effects *list = &work->revert.list;
	struct effects wrong = {.items = calloc(list->count + 1, sizeof(*wrong.items))};

	for (uint32_t i = 0; wrong.items && i < list->count; i++)
		if (work->wrong[i])
			wrong.items[wrong.count++] = list->items[i];
	ret->count = wrong.count;
	if (effects_encode(&ret->out, &wrong))
		buf_reset(&ret->out);
	free(wrong.items);
}

void undo_make(
    const struct commit_places *places, const struct commit_ask *ask, struct job_result *ret)
{
	struct undoing cleanup_with(undoing_fini) work = {.revert = {.count = 0}};
	struct write_spec spec = {.workspace = places->workspace,
	    .list = &work.revert.list,
	    .upper = -1,
	    .temporary = work.revert.temporary};

	ret->status = ANSWER_REFUSED;
	if (ask->paths->count) {
		(void)err_note(&ret->note, 0, "all of a call is undone at once; name no paths");
		return;
	}
	if (prepare(places, ask, &work, &ret->note))
		return;
	spec.kept = work.revert.kept;
	if (write_check(&spec, work.stood, work.wrong, &ret->note) == 0)
		take_back(places, &spec, &work, ret);
	else
		list_wrong(&work, ret);
}
