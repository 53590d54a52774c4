#include "supervisor/warden/keeper/diff.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/keeper/side.h"

/* path is that of the folder at hand, "" at the top; names are appended and cut off again. */
struct walk {
	const struct diff_spec *spec;
	struct effects *list;
	uint32_t room;
	uint32_t depth;
	size_t len;
	char path[EFFECTS_PATH_MAX + 1];
	char target[PATH_MAX];
};

/* ---- the list -------------------------------------------------------------------------------- */

bool diff_leads_out(const char *path, const char *target)
{
	bool named = false; /* a name that may be a link itself: ".." behind it leads anywhere */
	long depth = 0;

	if (target[0] == '/')
		return true;
	for (const char *at = path; (at = strchr(at, '/')); at++)
		depth++;
	for (const char *at = target; *at;) {
		size_t len = strcspn(at, "/");

		if (len == 2 && !strncmp(at, "..", 2))
			depth--;
		else if (len && !(len == 1 && at[0] == '.'))
			named = true;
		if (depth < 0 || (named && len == 2 && !strncmp(at, "..", 2)))
			return true;
		at += len + (at[len] == '/');
	}
	return false;
}

static int make_room(struct walk *walk)
{
	uint32_t room = walk->room ? 2 * walk->room : 64;
	struct effect *items;

	if (walk->list->count < walk->room)
		return 0;
	if (walk->list->count >= EFFECTS_MAX)
		return -E2BIG;
	items = realloc(walk->list->items, room * sizeof(*items));
	if (!items)
		return -ENOMEM;
	walk->list->items = items;
	walk->room = room;
	return 0;
}

static bool is_newer(const struct walk *walk, const struct stat *st)
{
	const struct timespec *since = &walk->spec->since;

	return st->st_ctim.tv_sec > since->tv_sec ||
	       (st->st_ctim.tv_sec == since->tv_sec && st->st_ctim.tv_nsec >= since->tv_nsec);
}

static enum effect_kind kind_of(const struct effect *effect)
{
	struct effect_side mode = effect->before;

	if (effect->before.type == EFFECT_TYPE_NONE)
		return EFFECT_ADDED;
	if (effect->after.type == EFFECT_TYPE_NONE)
		return EFFECT_REMOVED;
	mode.mode = effect->after.mode;
	return effect->before.type != EFFECT_LINK && side_equal(&mode, &effect->after)
		   ? EFFECT_MODE
		   : EFFECT_CHANGED;
}

/* marks: what is known besides what path and link say. Nothing where nothing changed. */
static int add(struct walk *walk, const struct effect_side *before, const struct effect_side *after,
    uint8_t marks)
{
	const char *target = after->type == EFFECT_LINK ? walk->target : "";
	struct effect effect = {.before = *before, .after = *after, .marks = marks};
	int fault;

	if (side_equal(before, after) ||
	    (before->type == EFFECT_SPECIAL && after->type == EFFECT_SPECIAL))
		return 0;
	fault = make_room(walk);
	if (fault)
		return fault;
	effect.kind = (uint8_t)kind_of(&effect);
	if (effects_runs_later(walk->path))
		effect.marks |= EFFECT_RUNS_LATER;
	if (after->type == EFFECT_LINK && diff_leads_out(walk->path, target))
		effect.marks |= EFFECT_LEADS_OUT;
	effect.path = strdup(walk->path);
	effect.target = strdup(target);
	walk->list->items[walk->list->count++] = effect;
	return effect.path && effect.target ? 0 : -ENOMEM;
}

/* ---- below: what was there ------------------------------------------------------------------- */

static int enter(struct walk *walk, const char *name, size_t *ret_len)
{
	int more = snprintf(walk->path + walk->len, sizeof(walk->path) - walk->len, "%s%s",
	    walk->len ? "/" : "", name);

	*ret_len = walk->len;
	if (more < 0 || (size_t)more >= sizeof(walk->path) - walk->len)
		return -ENAMETOOLONG;
	walk->len += (size_t)more;
	return 0;
}

static void leave(struct walk *walk, size_t len)
{
	walk->len = len;
	walk->path[len] = '\0';
}

/* The side of the workspace. What cannot be read there can be shown, but not committed. */
static int read_lower(
    struct walk *walk, int dir, const char *name, struct effect_side *ret, uint8_t *ret_marks)
{
	struct stat st;
	int fault;

	*ret_marks = 0;
	*ret = (struct effect_side){.type = EFFECT_TYPE_NONE};
	if (dir < 0)
		return 0;
	fault = side_read(dir, name, ret, &st, NULL);
	if (fault == -EACCES || fault == -EPERM || fault == -ESTALE) {
		*ret_marks = EFFECT_UNDERNEATH;
		ret->size = 0;
		memset(&ret->digest, 0, sizeof(ret->digest));
		return 0;
	}
	if (!fault && ret->type != EFFECT_TYPE_NONE && is_newer(walk, &st))
		*ret_marks = EFFECT_UNDERNEATH;
	return fault;
}

static DIR *list_folder(int dir, const char *name, int *ret_fault)
{
	int fd = side_folder(dir, name);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	*ret_fault = fd < 0 ? fd : list ? 0 : -errno;
	if (fd >= 0 && !list)
		close(fd);
	return list;
}

/* The next name that is one; NULL at the end. */
static const char *next_name(DIR *list)
{
	struct dirent *entry;

	while ((entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return entry->d_name;
	return NULL;
}

static int remove_all(struct walk *walk, int dir, const char *name);

/* Everything in a folder of the workspace is gone. */
static int remove_inside(struct walk *walk, int dir, const char *name)
{
	int fault;
	DIR *list = list_folder(dir, name, &fault);
	const char *inner;

	if (!list)
		return fault;
	if (++walk->depth > DIFF_DEPTH_MAX)
		fault = -ELOOP;
	while (!fault && (inner = next_name(list)))
		fault = remove_all(walk, dirfd(list), inner);
	walk->depth--;
	closedir(list);
	return fault;
}

static int remove_all(struct walk *walk, int dir, const char *name)
{
	const struct effect_side none = {.type = EFFECT_TYPE_NONE};
	struct effect_side before;
	uint8_t marks;
	size_t len;
	int fault = enter(walk, name, &len);

	if (fault)
		return fault;
	fault = read_lower(walk, dir, name, &before, &marks);
	if (!fault)
		fault = add(walk, &before, &none, marks);
	if (!fault && before.type == EFFECT_DIRECTORY)
		fault = remove_inside(walk, dir, name);
	if (!fault)
		leave(walk, len);
	return fault;
}

/* ---- above: what was written ----------------------------------------------------------------- */

static int walk_folder(struct walk *walk, int upper, const char *name, int lower);

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* A folder above: made anew, or copied up to hold something. */
static int take_folder(
    struct walk *walk, int upper, const char *name, int lower, const struct effect_side *before)
{
	int cleanup_fd below = -1;

	if (before->type == EFFECT_DIRECTORY) {
		below = side_folder(lower, name);
		if (below < 0)
			return below;
	}
	return walk_folder(walk, upper, name, below);
}

static int take_written(struct walk *walk, int upper, const char *name, int lower)
{
	struct effect_side before, after;
	uint8_t marks;
	int fault = read_lower(walk, lower, name, &before, &marks);

	if (!fault)
		fault = side_read(upper, name, &after, NULL, walk->target);
	if (!fault)
		fault = add(walk, &before, &after, marks);
	if (!fault && after.type == EFFECT_DIRECTORY)
		fault = take_folder(walk, upper, name, lower, &before);
	else if (!fault && before.type == EFFECT_DIRECTORY)
		fault = remove_inside(walk, lower, name);
	return fault;
}

/* On a fault the path stays where it happened, for the note. */
static int take_entry(struct walk *walk, int upper, const char *name, int lower)
{
	struct stat st;
	size_t len;
	int fault;

	if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (is_whiteout(&st))
		return lower < 0 ? 0 : remove_all(walk, lower, name);
	fault = enter(walk, name, &len);
	if (!fault)
		fault = take_written(walk, upper, name, lower);
	if (!fault)
		leave(walk, len);
	return fault;
}

/* Set on a folder that hides the one below it: of that only what is above, too, is still there. */
static bool is_opaque(const struct walk *walk, int folder)
{
	char value;

	return fgetxattr(folder, walk->spec->opaque, &value, 1) == 1 && value == 'y';
}

static int take_hidden(struct walk *walk, int upper, int lower)
{
	int fault;
	DIR *list = list_folder(lower, ".", &fault);
	const char *name;

	if (!list)
		return fault;
	while (!fault && (name = next_name(list))) {
		struct stat st;

		if (fstatat(upper, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			fault = errno == ENOENT ? remove_all(walk, lower, name) : -errno;
	}
	closedir(list);
	return fault;
}

/* lower: the same folder of the workspace, or -1. */
static int walk_folder(struct walk *walk, int upper, const char *name, int lower)
{
	int fault;
	DIR *list = list_folder(upper, name, &fault);
	const char *inner;

	if (!list)
		return fault;
	if (++walk->depth > DIFF_DEPTH_MAX)
		fault = -ELOOP;
	while (!fault && (inner = next_name(list)))
		fault = take_entry(walk, dirfd(list), inner, lower);
	if (!fault && lower >= 0 && is_opaque(walk, dirfd(list)))
		fault = take_hidden(walk, dirfd(list), lower);
	walk->depth--;
	closedir(list);
	return fault;
}

/* ---- all of it ------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct effect *)a)->path, ((const struct effect *)b)->path);
}

static int explain(const struct walk *walk, int fault, struct err_note *note)
{
	if (fault == -E2BIG)
		return err_note(note, fault, "more than %d paths were changed", EFFECTS_MAX);
	if (fault == -ELOOP)
		return err_note(note, fault, "%s: too many folders in folders", walk->path);
	if (fault == -EXDEV)
		return err_note(
		    note, fault, "%s: another file system is mounted there", walk->path);
	return err_note_errno(note, err_note(note, fault, "%s", walk->path));
}

int diff_make(const struct diff_spec *spec, struct effects *ret, struct err_note *note)
{
	struct effects list = {.count = 0};
	struct walk *cleanup_free walk = calloc(1, sizeof(*walk));
	int fault;

	if (!walk)
		return err_note_errno(note, err_note(note, -ENOMEM, "the changes"));
	walk->spec = spec;
	walk->list = &list;
	fault = walk_folder(walk, spec->upper, ".", spec->lower);
	if (fault) {
		diff_free(&list);
		return explain(walk, fault, note);
	}
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_path);
	*ret = list;
	return 0;
}

void diff_free(struct effects *effects)
{
	for (uint32_t i = 0; i < effects->count; i++) {
		free((char *)effects->items[i].path);
		free((char *)effects->items[i].target);
	}
	effects_fini(effects);
}
