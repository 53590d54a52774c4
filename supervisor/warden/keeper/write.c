#include "supervisor/warden/keeper/write.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/keeper/put.h"
#include "supervisor/warden/keeper/side.h"

/* ---- the list -------------------------------------------------------------------------------- */

static int by_path(const void *key, const void *item)
{
	return strcmp(key, ((const struct effect *)item)->path);
}

static const struct effect *find(const struct effects *list, const char *path)
{
	return list->count ? bsearch(path, list->items, list->count, sizeof(*list->items), by_path)
			   : NULL;
}

/* The effect on the folder that this path is in, where there is one. */
static const struct effect *parent_of(const struct effects *list, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[EFFECTS_PATH_MAX + 1];

	if (!slash)
		return NULL;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	return find(list, folder);
}

static bool is_folder(const struct effect_side *side)
{
	return side->type == EFFECT_DIRECTORY;
}

/* A folder makes place for something else, or goes. */
static bool ends_folder(const struct effect *effect)
{
	return is_folder(&effect->before) && !is_folder(&effect->after);
}

/* ---- looking --------------------------------------------------------------------------------- */

/* All that is in a folder that goes must go by this list, too. */
static int check_inside(const struct write_spec *spec, const struct effect *effect, int dir,
    const char *name, struct err_note *note)
{
	int fd = side_folder(dir, name);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int fault = 0;

	if (!list) {
		fault = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		return err_note_errno(note, err_note(note, fault, "%s", effect->path));
	}
	while (!fault && (entry = readdir(list))) {
		char path[EFFECTS_PATH_MAX + 1];
		const struct effect *inner;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", effect->path, entry->d_name);
		inner = find(spec->list, path);
		if (!inner || inner->after.type != EFFECT_TYPE_NONE)
			fault = err_note(note, -ENOTEMPTY,
			    "%s: is in a folder that goes, and is not chosen to go", path);
	}
	closedir(list);
	return fault;
}

static int check_standing(const struct write_spec *spec, const struct effect *effect,
    struct write_stood *stood, struct err_note *note)
{
	const char *name;
	int cleanup_fd dir = side_parent(spec->workspace, effect->path, &name);
	struct effect_side side;
	int fault;

	if (dir == -ENOENT || dir == -ENOTDIR)
		return err_note(note, dir,
		    "%s: its folder is not there; choose that, too, or make it", effect->path);
	if (dir == -ELOOP || dir == -EXDEV)
		return err_note(note, dir, "%s: a link or another file system is on the way there",
		    effect->path);
	if (dir < 0)
		return err_note_errno(note, err_note(note, dir, "%s", effect->path));
	fault = side_read(dir, name, &side, &stood->st, NULL);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s", effect->path));
	if (side.type == EFFECT_TYPE_NONE)
		stood->st.st_ino = 0;
	if (!side_equal(&side, &effect->before))
		return err_note(
		    note, -ESTALE, "%s: the workspace changed there meanwhile", effect->path);
	if (effect->kind == EFFECT_MODE && !is_folder(&side) && stood->st.st_nlink > 1)
		return err_note(note, -EMLINK,
		    "%s: the file has other names, whose mode would change, too", effect->path);
	return ends_folder(effect) ? check_inside(spec, effect, dir, name, note) : 0;
}

static int check_one(const struct write_spec *spec, const struct effect *effect,
    struct write_stood *stood, struct err_note *note)
{
	const struct effect *parent = parent_of(spec->list, effect->path);

	if (effect->before.type == EFFECT_SPECIAL || effect->after.type == EFFECT_SPECIAL)
		return err_note(
		    note, -EPERM, "%s: a pipe, socket or device is never written", effect->path);
	if (effect->marks & EFFECT_UNDERNEATH)
		return err_note(note, -ESTALE, "%s: the workspace changed there while the call ran",
		    effect->path);
	if (parent && effect->after.type != EFFECT_TYPE_NONE && !is_folder(&parent->after))
		return err_note(note, -ENOTDIR, "%s: its folder goes", effect->path);
	if (!parent || is_folder(&parent->before))
		return check_standing(spec, effect, stood, note);
	return effect->before.type == EFFECT_TYPE_NONE
		   ? 0
		   : err_note(note, -ESTALE, "%s: nothing can be there yet", effect->path);
}

int write_check(
    const struct write_spec *spec, struct write_stood *stood, bool *wrong, struct err_note *note)
{
	int count = 0;

	for (uint32_t i = 0; i < spec->list->count; i++) {
		struct err_note why = {""};

		memset(&stood[i], 0, sizeof(stood[i]));
		wrong[i] = check_one(spec, &spec->list->items[i], &stood[i], &why) != 0;
		if (wrong[i] && !count++)
			*note = why;
	}
	return count;
}

/* ---- writing --------------------------------------------------------------------------------- */

struct writing {
	const struct write_spec *spec;
	const struct write_stood *stood;
	uint32_t done; /* paths where something was done */
	uint32_t at;   /* the first path that failed */
};

/* Whatever stands there is still what was looked at. A folder may have got our own entries. */
static int check_again(const struct writing *writing, uint32_t i, int dir, const char *name)
{
	const struct stat *then = &writing->stood[i].st;
	struct stat now;

	if (fstatat(dir, name, &now, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT && then->st_ino == 0 ? 0 : -ESTALE;
	if (then->st_ino != now.st_ino || then->st_dev != now.st_dev)
		return -ESTALE;
	if (S_ISDIR(now.st_mode))
		return 0;
	return now.st_ctim.tv_sec == then->st_ctim.tv_sec &&
		       now.st_ctim.tv_nsec == then->st_ctim.tv_nsec
		   ? 0
		   : -ESTALE;
}

/* 1: there is nothing to do for this path any more. */
static int look_leniently(const struct writing *writing, uint32_t i, int dir, const char *name)
{
	const struct effect *effect = &writing->spec->list->items[i];
	struct effect_side side;
	int fault = side_read(dir, name, &side, NULL, NULL);

	if (fault)
		return fault;
	if (side_equal(&side, &effect->after))
		return 1;
	/* A folder whose mode was to be set last. */
	if (side_equal(&side, &effect->before) || (is_folder(&side) && is_folder(&effect->before)))
		return 0;
	/* Between two steps: what stood there is gone and what comes is not there yet. */
	if (side.type == EFFECT_TYPE_NONE && effect->after.type != EFFECT_TYPE_NONE)
		return 0;
	writing->spec->left[i] = true;
	return 1;
}

static int open_source(const struct writing *writing, uint32_t i)
{
	const struct write_spec *spec = writing->spec;
	char own[32];
	const char *name = own;
	int cleanup_fd dir = -1;

	if (spec->upper >= 0) {
		dir = side_parent(spec->upper, spec->list->items[i].path, &name);
		return dir < 0 ? dir : side_open(dir, name);
	}
	(void)snprintf(own, sizeof(own), "b%u", spec->kept[i].number);
	return side_open(spec->kept[i].dir, own);
}

static int put_new(const struct writing *writing, uint32_t i, int dir, const char *name)
{
	const struct write_spec *spec = writing->spec;
	const struct effect *effect = &spec->list->items[i];
	int cleanup_fd source = effect->after.type == EFFECT_FILE ? open_source(writing, i) : -1;
	struct put put = {.side = &effect->after,
	    .source = source,
	    .target = effect->target,
	    .temporary = spec->temporary,
	    .over = effect->before.type != EFFECT_TYPE_NONE && !is_folder(&effect->before) &&
		    !is_folder(&effect->after)};
	struct stat st;

	if (effect->after.type == EFFECT_FILE && source < 0)
		return source;
	if (fstat(dir, &st) < 0)
		return -errno;
	put.uid = spec->kept ? spec->kept[i].uid : st.st_uid;
	put.gid = spec->kept ? spec->kept[i].gid : st.st_gid;
	/* A folder for a file or a file for a folder: the one that was goes first. */
	if (is_folder(&effect->before) != is_folder(&effect->after) &&
	    unlinkat(dir, name, is_folder(&effect->before) ? AT_REMOVEDIR : 0) < 0 &&
	    errno != ENOENT)
		return -errno;
	return put_object(dir, name, &put);
}

/* 1: a folder that somebody has put something into meanwhile is left to them. */
static int take_away(const struct writing *writing, uint32_t i, int dir, const char *name)
{
	const struct write_spec *spec = writing->spec;

	if (unlinkat(dir, name, is_folder(&spec->list->items[i].before) ? AT_REMOVEDIR : 0) == 0)
		return 0;
	if (errno != ENOTEMPTY || !spec->left)
		return -errno;
	spec->left[i] = true;
	return 1;
}

static int write_one(struct writing *writing, uint32_t i)
{
	const struct write_spec *spec = writing->spec;
	const struct effect *effect = &spec->list->items[i];
	const char *name;
	int cleanup_fd dir = side_parent(spec->workspace, effect->path, &name);
	int result;

	if (dir < 0 && spec->left && effect->after.type == EFFECT_TYPE_NONE)
		return 0; /* gone with its folder */
	if (dir < 0)
		return dir;
	result =
	    spec->left ? look_leniently(writing, i, dir, name) : check_again(writing, i, dir, name);
	if (result)
		return result < 0 ? result : 0;
	if (effect->kind == EFFECT_MODE)
		result = put_mode(dir, name, &effect->after);
	else if (effect->after.type == EFFECT_TYPE_NONE)
		result = take_away(writing, i, dir, name);
	else
		result = put_new(writing, i, dir, name);
	if (result)
		return result < 0 ? result : 0;
	writing->done++;
	return put_sync(dir);
}

/* Something else comes where the folder above is: that must be empty by then. */
static bool makes_place(const struct effects *list, const struct effect *effect)
{
	const char *slash = effect->path;

	while (effect->after.type == EFFECT_TYPE_NONE && (slash = strchr(slash, '/'))) {
		char folder[EFFECTS_PATH_MAX + 1];
		const struct effect *above;

		memcpy(folder, effect->path, (size_t)(slash - effect->path));
		folder[slash++ - effect->path] = '\0';
		above = find(list, folder);
		if (above && ends_folder(above) && above->after.type != EFFECT_TYPE_NONE)
			return true;
	}
	return false;
}

enum pass {
	PASS_PLACE,   /* removals where something else comes, from the end */
	PASS_WRITE,   /* folders before what is in them */
	PASS_REMOVE,  /* the other removals, from the end */
	PASS_FOLDERS, /* modes of folders, from the end: they may forbid to write */
	PASS_COUNT,
};

static enum pass pass_of(const struct effects *list, const struct effect *effect)
{
	if (makes_place(list, effect))
		return PASS_PLACE;
	if (effect->after.type == EFFECT_TYPE_NONE)
		return PASS_REMOVE;
	return effect->kind == EFFECT_MODE && is_folder(&effect->after) ? PASS_FOLDERS : PASS_WRITE;
}

/* Where as much as can be is to be done, a path that fails holds up no other. */
static int write_pass(struct writing *writing, enum pass pass)
{
	const struct effects *list = writing->spec->list;
	int first = 0;

	for (uint32_t n = 0; n < list->count && (!first || writing->spec->left); n++) {
		uint32_t i = pass == PASS_WRITE ? n : list->count - 1 - n;
		int fault = pass_of(list, &list->items[i]) == pass ? write_one(writing, i) : 0;

		if (!fault || first)
			continue;
		first = fault;
		writing->at = i;
	}
	return first;
}

/* What is taken back from a full disk needs the room of what is removed: that goes first. */
static int write_passes(struct writing *writing)
{
	static const enum pass order[2][PASS_COUNT] = {
	    {PASS_PLACE, PASS_WRITE, PASS_REMOVE, PASS_FOLDERS},
	    {PASS_PLACE, PASS_REMOVE, PASS_WRITE, PASS_FOLDERS},
	};
	const bool lenient = writing->spec->left;
	int first = 0;

	for (int n = 0; n < PASS_COUNT && (!first || lenient); n++) {
		const uint32_t at = writing->at;
		int fault = write_pass(writing, order[lenient][n]);

		if (first)
			writing->at = at;
		else
			first = fault;
	}
	return first;
}

int write_all(const struct write_spec *spec, const struct write_stood *stood, uint32_t *ret_at,
    struct err_note *note)
{
	struct writing writing = {.spec = spec, .stood = stood};
	uint32_t done;
	int fault;

	/* What is put back smaller than it was makes room for what did not fit before. */
	do {
		done = writing.done;
		for (uint32_t i = 0; spec->left && i < spec->list->count; i++)
			spec->left[i] = false;
		fault = write_passes(&writing);
	} while (fault && spec->left && writing.done > done);
	*ret_at = writing.at;
	if (!fault)
		return 0;
	return err_note_errno(note, err_note(note, fault, "%s", spec->list->items[*ret_at].path));
}
