/* UNDO, and what the next start does about a commit that a crash cut off. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/jobs.h"
#include "supervisor/warden/keeper/revert.h"
#include "supervisor/warden/keeper/side.h"
#include "supervisor/warden/keeper/write.h"

/* ---- the list turned round ------------------------------------------------------------------- */

static char *read_target(const struct saved *saved, uint32_t i)
{
	char name[32], *text = NULL;
	int cleanup_fd fd = -1;
	size_t len;

	(void)snprintf(name, sizeof(name), "b%u", i);
	fd = side_open(saved->dir, name);
	return fd < 0 || fd_read_all(fd, PATH_MAX, &text, &len) ? NULL : text;
}

static uint8_t turned(uint8_t kind)
{
	return kind == EFFECT_ADDED ? EFFECT_REMOVED : kind == EFFECT_REMOVED ? EFFECT_ADDED : kind;
}

int revert_list(const struct saved *saved, struct effects *ret)
{
	struct effects list = {.items = calloc(saved->list.count + 1, sizeof(*list.items))};

	if (!list.items)
		return -ENOMEM;
	for (; list.count < saved->list.count; list.count++) {
		const struct effect *was = &saved->list.items[list.count];
		char *target =
		    was->before.type == EFFECT_LINK ? read_target(saved, list.count) : strdup("");

		if (!target) {
			revert_free(&list);
			return -EIO;
		}
		list.items[list.count] = (struct effect){.kind = turned(was->kind),
		    .path = was->path,
		    .target = target,
		    .before = was->after,
		    .after = was->before};
	}
	*ret = list;
	return 0;
}

void revert_free(struct effects *effects)
{
	for (uint32_t i = 0; i < effects->count; i++)
		free((char *)effects->items[i].target);
	effects_fini(effects);
}

/* ---- what was cut off ------------------------------------------------------------------------ */

/* The name under which something was being made, in every folder of the list. */
static void remove_temporary(int workspace, const struct effects *list, const char *temporary)
{
	for (uint32_t i = 0; i < list->count; i++) {
		const char *name;
		int cleanup_fd dir = side_parent(workspace, list->items[i].path, &name);

		if (dir >= 0)
			(void)unlinkat(dir, temporary, 0);
	}
}

static void name_temporary(char temporary[NAME_MAX + 1], const char *folder)
{
	(void)snprintf(
	    temporary, NAME_MAX + 1, ".callgate-%.*s", (int)strcspn(folder, "."), folder);
}

int revert_leniently(int workspace, int saved, const char *name, uint32_t *ret_left)
{
	struct saved cleanup_with(saved_close) what = {.dir = -1};
	struct effects cleanup_with(revert_free) list = {.count = 0};
	char temporary[NAME_MAX + 1];
	struct write_spec spec = {.workspace = workspace,
	    .list = &list,
	    .upper = -1,
	    .saved = &what,
	    .temporary = temporary,
	    .lenient = true};
	uint32_t at = 0;
	int fault = saved_open(saved, name, &what);

	*ret_left = 0;
	if (!fault)
		fault = revert_list(&what, &list);
	if (fault)
		return fault;
	name_temporary(temporary, name);
	remove_temporary(workspace, &list, temporary);
	fault = write_all(&spec, NULL, &at, ret_left, NULL);
	return fault ? fault : saved_unmark(&what, SAVED_BEGUN);
}

static void tell(struct job_result *ret, const struct effects *list)
{
	ret->count = list->count;
	if (effects_encode(&ret->out, list))
		buf_reset(&ret->out);
}

/* 1: this one was taken back; 0: it is none that needs it here. */
static int recover_one(const struct commit_places *places, const char *name,
    const struct stat *here, struct job_result *ret)
{
	struct saved cleanup_with(saved_close) what = {.dir = -1};
	uint32_t left = 0;
	int fault = saved_open(places->saved, name, &what);

	if (fault || !saved_has(&what, SAVED_BEGUN) || what.place.dev != here->st_dev ||
	    what.place.ino != here->st_ino)
		return 0;
	(void)snprintf(ret->call, sizeof(ret->call), "%.*s", (int)strcspn(name, "."), name);
	ret->effects = what.place.effects;
	tell(ret, &what.list);
	fault = revert_leniently(places->workspace, places->saved, name, &left);
	ret->status = fault ? ANSWER_UNAVAILABLE : ANSWER_OK;
	if (fault)
		(void)err_note_errno(
		    &ret->note, err_note(&ret->note, fault, "state effects/%s", name));
	else if (left)
		(void)err_note(&ret->note, 0, "%u paths were changed since and left alone", left);
	if (!fault)
		saved_remove(places->saved, name);
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
	struct saved saved;
	struct effects list;
	struct write_stood *stood;
	bool *wrong;
};

static void undoing_fini(struct undoing *work)
{
	saved_close(&work->saved);
	revert_free(&work->list);
	free(work->stood);
	free(work->wrong);
}

static int prepare(const struct commit_places *places, const struct commit_ask *ask,
    struct undoing *work, struct err_note *note)
{
	struct saved_place place;
	struct stat here;
	int fault = saved_find(places->saved, ask->call, &place);

	if (!fault)
		fault = saved_open(places->saved, place.name, &work->saved);
	if (!fault)
		fault = revert_list(&work->saved, &work->list);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "what was replaced"));
	if (fstat(places->workspace, &here) < 0 || here.st_dev != place.dev ||
	    here.st_ino != place.ino || !digest_equal(&place.effects, ask->shown))
		return err_note(note, -ESTALE, "it was committed elsewhere");
	work->stood = calloc(work->list.count + 1, sizeof(*work->stood));
	work->wrong = calloc(work->list.count + 1, sizeof(*work->wrong));
	return work->stood && work->wrong ? 0 : err_note(note, -ENOMEM, "out of memory");
}

/* Its folder is the journal of its own undoing: a crash from here on ends in what was before. */
static void take_back(const struct commit_places *places, const struct write_spec *spec,
    struct undoing *work, struct job_result *ret)
{
	const char *name = work->saved.place.name;
	uint32_t at = 0, left = 0;
	int fault = saved_mark(&work->saved, SAVED_BEGUN);

	if (!fault)
		fault = write_all(spec, work->stood, &at, &left, &ret->note);
	/* Somebody was in between, or the disk is full: as much as can be is put back. */
	if (fault && !revert_leniently(places->workspace, places->saved, name, &left) && !left)
		fault = 0;
	if (fault) {
		ret->status = ANSWER_UNAVAILABLE;
		return;
	}
	ret->note.text[0] = '\0';
	ret->status = ANSWER_OK;
	tell(ret, &work->list);
	saved_remove(places->saved, name);
}

void undo_make(
    const struct commit_places *places, const struct commit_ask *ask, struct job_result *ret)
{
	struct undoing cleanup_with(undoing_fini) work = {.saved = {.dir = -1}};
	char temporary[NAME_MAX + 1];
	struct write_spec spec = {.workspace = places->workspace,
	    .list = &work.list,
	    .upper = -1,
	    .saved = &work.saved,
	    .temporary = temporary};
	struct effects wrong = {.count = 0};

	ret->status = ANSWER_REFUSED;
	if (ask->paths->count) {
		(void)err_note(&ret->note, 0, "a commit is undone as a whole; name no paths");
		return;
	}
	if (prepare(places, ask, &work, &ret->note))
		return;
	name_temporary(temporary, work.saved.place.name);
	if (write_check(&spec, work.stood, work.wrong, &ret->note) == 0) {
		take_back(places, &spec, &work, ret);
		return;
	}
	wrong.items = calloc(work.list.count + 1, sizeof(*wrong.items));
	for (uint32_t i = 0; wrong.items && i < work.list.count; i++)
		if (work.wrong[i])
			wrong.items[wrong.count++] = work.list.items[i];
	tell(ret, &wrong);
	free(wrong.items);
}
