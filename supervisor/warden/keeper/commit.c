/* COMMIT: what was chosen of a list is looked at, what it replaces is put aside, then written. */
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
#include "supervisor/warden/keeper/put.h"
#include "supervisor/warden/keeper/revert.h"
#include "supervisor/warden/keeper/side.h"
#include "supervisor/warden/keeper/write.h"

#define MODE_KEPT 0777 /* no setuid, no setgid, no sticky bit comes out of a cell */

struct committing {
	const struct commit_places *places;
	struct effects chosen; /* texts are the list's */
	struct write_stood *stood;
	bool *wrong;
	struct saved saved;
	char temporary[CALL_ID_MAX + 16];
};

static void committing_fini(struct committing *work)
{
	cleanup_fd_(&work->saved.dir);
	free(work->saved.owners);
	free(work->chosen.items);
	free(work->stood);
	free(work->wrong);
}

/* ---- choosing -------------------------------------------------------------------------------- */

static bool is_chosen(const struct strv *paths, const char *path)
{
	bool chosen = paths->count == 0;

	for (uint32_t i = 0; !chosen && i < paths->count; i++)
		chosen = !strcmp(paths->items[i], path);
	return chosen;
}

static bool is_listed(const struct effects *list, const char *path)
{
	bool listed = false;

	for (uint32_t i = 0; !listed && i < list->count; i++)
		listed = !strcmp(list->items[i].path, path);
	return listed;
}

/* What would be written of this effect. false: nothing. */
static bool clean(struct effect *effect)
{
	effect->after.mode &= MODE_KEPT;
	return effect->kind != EFFECT_MODE || effect->before.mode != effect->after.mode;
}

static int choose(struct committing *work, const struct commit_ask *ask, struct err_note *note)
{
	uint32_t count = ask->list->count;

	for (uint32_t i = 0; i < ask->paths->count; i++)
		if (!is_listed(ask->list, ask->paths->items[i]))
			return err_note(note, -ENOENT, "%s: not among the changes of this call",
			    ask->paths->items[i]);
	work->chosen.items = calloc(count + 1, sizeof(*work->chosen.items));
	work->stood = calloc(count + 1, sizeof(*work->stood));
	work->wrong = calloc(count + 1, sizeof(*work->wrong));
	work->saved.owners = calloc(count + 1, sizeof(*work->saved.owners));
	if (!work->chosen.items || !work->stood || !work->wrong || !work->saved.owners)
		return err_note(note, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		struct effect *next = &work->chosen.items[work->chosen.count];

		*next = ask->list->items[i];
		if (is_chosen(ask->paths, next->path) && clean(next))
			work->chosen.count++;
	}
	(void)snprintf(work->temporary, sizeof(work->temporary), ".callgate-%s", ask->call);
	return 0;
}

/* ---- telling --------------------------------------------------------------------------------- */

static void list_wrong(const struct committing *work, struct job_result *ret)
{
	struct effects list = {.items = calloc(work->chosen.count + 1, sizeof(*list.items))};

	for (uint32_t i = 0; list.items && i < work->chosen.count; i++)
		if (work->wrong[i])
			list.items[list.count++] = work->chosen.items[i];
	ret->count = list.count;
	if (effects_encode(&ret->out, &list))
		buf_reset(&ret->out);
	free(list.items);
}

static void fail(struct job_result *ret, enum answer_status status, const struct err_note *note)
{
	ret->status = status;
	ret->note = *note;
}

/* ---- putting aside --------------------------------------------------------------------------- */

static int save_file(struct committing *work, const struct effect *effect, const char *as)
{
	const char *name;
	int cleanup_fd dir = side_parent(work->places->workspace, effect->path, &name);
	int cleanup_fd from = dir < 0 ? dir : side_open(dir, name);
	int cleanup_fd to = -1;
	int fault;

	if (from < 0)
		return from;
	to =
	    openat(work->saved.dir, as, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	fault = put_copy(from, to, &effect->before);
	return !fault && fsync(to) < 0 ? -errno : fault;
}

static int save_link(struct committing *work, const struct effect *effect, const char *as)
{
	const char *name;
	int cleanup_fd dir = side_parent(work->places->workspace, effect->path, &name);
	struct effect_side side;
	char target[PATH_MAX];
	int fault = dir < 0 ? dir : side_read(dir, name, &side, NULL, target);

	if (!fault && !side_equal(&side, &effect->before))
		fault = -ESTALE;
	return fault ? fault : fd_write_file_at(work->saved.dir, as, 0600, target, strlen(target));
}

static int save_one(struct committing *work, uint32_t i)
{
	const struct effect *effect = &work->chosen.items[i];
	char as[32];

	work->saved.owners[i][0] = work->stood[i].st.st_uid;
	work->saved.owners[i][1] = work->stood[i].st.st_gid;
	(void)snprintf(as, sizeof(as), "b%u", i);
	if (effect->kind == EFFECT_MODE)
		return 0;
	if (effect->before.type == EFFECT_FILE)
		return save_file(work, effect, as);
	return effect->before.type == EFFECT_LINK ? save_link(work, effect, as) : 0;
}

static int save_all(struct committing *work, const struct commit_ask *ask, struct err_note *note)
{
	uint64_t bytes = 0;
	struct stat st;
	int fault = 0;

	for (uint32_t i = 0; i < work->chosen.count; i++)
		bytes += work->chosen.items[i].before.size;
	if (bytes > KEEPER_SAVED)
		return err_note(note, -EFBIG,
		    "what would be replaced is more than %u MiB; commit fewer paths at once",
		    KEEPER_SAVED >> 20);
	for (uint32_t i = 0; !fault && i < work->chosen.count; i++)
		fault = save_one(work, i);
	if (!fault && fstat(work->places->workspace, &st) < 0)
		fault = -errno;
	if (fault)
		return err_note_errno(note, err_note(note, fault, "what is replaced"));
	work->saved.list = work->chosen;
	work->saved.place.dev = st.st_dev;
	work->saved.place.ino = st.st_ino;
	work->saved.place.effects = *ask->shown;
	fault = saved_write(&work->saved);
	if (!fault)
		fault = saved_mark(&work->saved, SAVED_BEGUN);
	return fault ? err_note_errno(note, err_note(note, fault, "the state directory")) : 0;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static bool is_meanwhile(int fault)
{
	return fault == -ESTALE || fault == -EEXIST || fault == -ENOTEMPTY || fault == -ELOOP ||
	       fault == -EXDEV;
}

/* All or nothing: what was written until the fault is taken back. What somebody wrote over
 * meanwhile stays as it is, and what had stood there before is kept, too. Where it cannot be taken
 * back, the answer says so, and UNAVAILABLE has the warden try again. */
static void take_back(
    struct committing *work, const struct err_note *why, bool meanwhile, struct job_result *ret)
{
	const char *name = work->saved.place.name;
	struct revert cleanup_with(revert_close) revert = {.count = 0};
	struct err_note note = *why;
	int fault = revert_open(work->places->saved, name, &revert);

	if (!fault)
		fault = revert_leniently(work->places->workspace, &revert);
	if (!fault && revert.left_count)
		fault = saved_unmark(&work->saved, SAVED_BEGUN);
	/* The long part last: a note has an end. */
	if (fault)
		(void)err_note(&note, fault,
		    "written in part, and not to be taken back now; what it replaced is in the "
		    "state directory, effects/%s: %s",
		    name, why->text);
	else if (revert.left_count)
		(void)err_note(&note, 0, "taken back but for %u paths that were changed since: %s",
		    revert.left_count, why->text);
	else
		saved_remove(work->places->saved, name);
	fail(ret, meanwhile && !fault ? ANSWER_REFUSED : ANSWER_UNAVAILABLE, &note);
}

static void write_chosen(struct committing *work, struct job_result *ret)
{
	const struct write_spec spec = {.workspace = work->places->workspace,
	    .list = &work->chosen,
	    .upper = work->places->upper,
	    .temporary = work->temporary};
	struct err_note note = {""};
	uint32_t at = 0;
	int fault = write_all(&spec, work->stood, &at, &note);

	if (!fault) {
		ret->status = ANSWER_OK;
		ret->count = work->chosen.count;
		/* Begun it stays until that is recorded: see saved_settle(). */
		if (saved_mark(&work->saved, SAVED_DONE))
			(void)err_note(&ret->note, 0, "written, but it cannot be undone");
		if (effects_encode(&ret->out, &work->chosen))
			buf_reset(&ret->out);
		return;
	}
	work->wrong[at] = true;
	list_wrong(work, ret);
	take_back(work, &note, is_meanwhile(fault), ret);
}

static void check_and_write(
    struct committing *work, const struct commit_ask *ask, struct job_result *ret)
{
	const struct write_spec spec = {
	    .workspace = work->places->workspace, .list = &work->chosen, .upper = -1};
	struct err_note note = {""};
	int wrong = write_check(&spec, work->stood, work->wrong, &note);
	int fault;

	if (wrong) {
		list_wrong(work, ret);
		fail(ret, ANSWER_REFUSED, &note);
		return;
	}
	fault = saved_new(work->places->saved, ask->call, &work->saved) ? -EIO : 0;
	if (fault)
		(void)err_note(&note, fault, "the state directory cannot be written to");
	else
		fault = save_all(work, ask, &note);
	if (fault) {
		if (work->saved.dir >= 0)
			saved_remove(work->places->saved, work->saved.place.name);
		fail(ret, fault == -ESTALE ? ANSWER_REFUSED : ANSWER_UNAVAILABLE, &note);
		return;
	}
	write_chosen(work, ret);
}

void commit_make(
    const struct commit_places *places, const struct commit_ask *ask, struct job_result *ret)
{
	struct committing cleanup_with(committing_fini)
	    work = {.places = places, .saved = {.dir = -1}};
	struct err_note note = {""};
	int fault = saved_is_name(ask->call) ? choose(&work, ask, &note)
					     : err_note(&note, -EINVAL, "no such call");

	if (fault) {
		fail(ret, fault == -ENOMEM ? ANSWER_UNAVAILABLE : ANSWER_REFUSED, &note);
		return;
	}
	if (work.chosen.count == 0) {
		(void)err_note(&note, 0, "nothing of this may be written");
		fail(ret, ANSWER_REFUSED, &note);
		return;
	}
	check_and_write(&work, ask, ret);
	saved_trim(places->saved);
}
