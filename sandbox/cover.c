#include "sandbox/cover.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "sandbox/elf.h"

/* One directory on the way down. */
struct walk {
	struct cover *cover;
	struct err_note *note;
	enum cover_use use;
	const struct survey_dir *dir;
	char *path; /* PATH_MAX bytes, shared by all levels; this directory's path is in it */
	size_t len; /* of this directory's path */
};

void cover_init(
    struct cover *cover, struct grants *grants, struct libs *libs, struct survey *survey)
{
	*cover = (struct cover){.grants = grants, .libs = libs, .survey = survey};
}

void cover_fini(struct cover *cover)
{
	inodes_fini(&cover->clean);
	inodes_fini(&cover->tainted);
	inodes_fini(&cover->runs);
}

/* Puts an entry's name behind the directory's path. */
static int walk_name(struct walk *walk, const struct survey_entry *entry)
{
	size_t name_len = strlen(entry->name);

	if (walk->len + name_len + 2 > PATH_MAX)
		return -ENAMETOOLONG;
	walk->path[walk->len] = '/';
	memcpy(walk->path + walk->len + 1, entry->name, name_len + 1);
	return 0;
}

static struct walk walk_below(const struct walk *walk, const struct survey_entry *entry)
{
	struct walk below = *walk;

	below.dir = entry->dir;
	below.len = strlen(walk->path);
	return below;
}

/* What shared objects need is part of what loads them. One that is another file by now is not
 * followed: what it needs is not granted. */
static int follow_library(const struct walk *walk, const struct survey_entry *entry)
{
	struct object cleanup_with(object_fini) object = {.fd = -1};
	struct libs *libs = walk->cover->libs;
	int fault;

	if (inodes_has(&libs->seen, entry->dev, entry->ino))
		return 0;
	fault = object_open(&object, walk->path);
	if (fault < 0)
		return object_is_absent(fault) ? 0 : fault;
	if (object.stat.st_dev != entry->dev || object.stat.st_ino != entry->ino)
		return 0;
	return libs_close_over(libs, &object, walk->note);
}

/* 1: this file taints its directory; 0: it does not; or a fault. */
static int judge_file(const struct walk *walk, const struct survey_entry *entry)
{
	struct cover *cover = walk->cover;
	bool runnable = inodes_has(&cover->grants->denied, entry->dev, entry->ino);
	int fault;

	if (!runnable && inodes_has(&cover->grants->granted, entry->dev, entry->ino))
		return 0;
	if (runnable || entry->runnable) {
		fault = inodes_add(&cover->runs, entry->dev, entry->ino);
		return fault < 0 ? fault : 1;
	}
	if (walk->use == COVER_LOADS && strstr(entry->name, ".so") != NULL)
		return follow_library(walk, entry);
	return 0;
}

/* First pass: 1 if anything below could be run, or could be put there by the tool's uid from
 * outside; 0 if not; or a fault. */
static int scan(struct walk *walk)
{
	const struct survey_dir *dir = walk->dir;
	int tainted = dir->weak;
	int fault = 0;

	survey_breathe(walk->cover->survey);
	for (uint32_t i = 0; i < dir->count && fault == 0; i++) {
		const struct survey_entry *entry = &dir->entries[i];

		fault = walk_name(walk, entry);
		if (fault == 0 && entry->dir != NULL) {
			struct walk below = walk_below(walk, entry);

			fault = scan(&below);
		} else if (fault == 0) {
			fault = judge_file(walk, entry);
		}
		tainted |= fault == 1;
		fault = fault < 0 ? fault : 0;
	}
	walk->path[walk->len] = '\0';
	if (fault == 0)
		fault = inodes_add(
		    tainted ? &walk->cover->tainted : &walk->cover->clean, dir->dev, dir->ino);
	return fault < 0 ? fault : tainted;
}

static int grant_entry(const struct walk *walk, const struct survey_entry *entry)
{
	const struct grant_name name = {
	    .path = walk->path,
	    .dev = entry->dev,
	    .ino = entry->ino,
	    .dir = entry->dir != NULL,
	};

	return grants_add_name(walk->cover->grants, &name, name.dir ? GRANT_TREE : GRANT_READ);
}

/* Second pass, in a tainted directory only: rules for its clean parts. */
static int descend(struct walk *walk)
{
	struct cover *cover = walk->cover;
	const struct survey_dir *dir = walk->dir;
	int fault = 0;

	survey_breathe(cover->survey);
	for (uint32_t i = 0; i < dir->count && fault == 0; i++) {
		const struct survey_entry *entry = &dir->entries[i];

		fault = walk_name(walk, entry);
		if (fault < 0)
			break;
		if (entry->dir != NULL && !inodes_has(&cover->clean, entry->dev, entry->ino)) {
			struct walk below = walk_below(walk, entry);

			fault = descend(&below);
		} else if (entry->dir != NULL ||
			   !inodes_has(&cover->runs, entry->dev, entry->ino)) {
			fault = grant_entry(walk, entry);
		}
	}
	walk->path[walk->len] = '\0';
	return fault;
}

/* Names below a tainted directory may be listed (they can be tested one by one anyway); files
 * may be read where they are harmless. */
static int add_dir(
    struct cover *cover, struct object *object, enum cover_use use, struct err_note *note)
{
	char path[PATH_MAX];
	struct walk walk = {.cover = cover, .note = note, .use = use, .path = path};
	int fault = survey_read(cover->survey, object, &walk.dir, note);
	int tainted;

	if (fault < 0)
		return fault == -EACCES ? 0 : fault;
	walk.len = strlen(object->path);
	memcpy(path, object->path, walk.len + 1);
	tainted = scan(&walk);
	if (tainted < 0)
		return tainted;
	fault = grants_add(cover->grants, object, tainted ? GRANT_LIST : GRANT_TREE);
	return fault < 0 || !tainted ? fault : descend(&walk);
}

static int add_file(
    struct cover *cover, const struct object *object, enum cover_use use, struct err_note *note)
{
	int cleanup_fd fd = object_reopen(object);
	bool runnable;
	int fault;

	if (fd < 0)
		return fd == -EACCES ? 0 : fd;
	fault = elf_is_runnable(fd, object_base(object->path), &runnable);
	if (fault < 0 || runnable)
		return fault;
	fault = grants_add(cover->grants, object, GRANT_READ);
	if (fault < 0 || use == COVER_READ)
		return fault;
	return libs_close_over(cover->libs, object, note);
}

int cover_add(struct cover *cover, const char *path, enum cover_use use, struct err_note *note)
{
	struct object cleanup_with(object_fini) object = {.fd = -1};
	int fault = object_open(&object, path);

	if (fault < 0)
		return object_is_absent(fault) ? 0 : fault;
	if (S_ISDIR(object.stat.st_mode))
		return add_dir(cover, &object, use, note);
	return S_ISREG(object.stat.st_mode) ? add_file(cover, &object, use, note) : 0;
}

/* A linker's input: not a program (a library that can also be run says DT_SONAME). */
static int add_link(struct cover *cover, const char *path, struct err_note *note)
{
	struct object cleanup_with(object_fini) object = {.fd = -1};
	struct elf_needs needs = {.soname = false};
	int cleanup_fd fd = -1;
	bool runnable = false;
	struct elf elf;
	int fault = object_open(&object, path);

	if (fault < 0)
		return object_is_absent(fault) ? 0 : fault;
	if (!S_ISREG(object.stat.st_mode))
		return 0;
	fd = object_reopen(&object);
	if (fd < 0)
		return object_is_absent(fd) ? 0 : fd;
	if (elf_is_runnable(fd, object_base(object.path), &runnable) < 0)
		return 0;
	if (elf_read(&elf, fd) == 0 && elf_needs_read(&elf, &needs) == 0)
		elf_needs_fini(&needs);
	if (runnable && !needs.soname)
		return 0;
	fault = grants_add(cover->grants, &object, GRANT_READ);
	return fault < 0 ? fault : libs_close_over(cover->libs, &object, note);
}

int cover_links(struct cover *cover, const char *path, struct err_note *note)
{
	DIR *dir = opendir(path);
	struct dirent *found;
	int fault = 0;

	if (dir == NULL)
		return object_is_absent(-errno) ? 0 : -errno;
	while (fault == 0 && (errno = 0, found = readdir(dir)) != NULL) {
		char file[PATH_MAX];
		int len = snprintf(file, sizeof(file), "%s/%s", path, found->d_name);

		if (len < 0 || len >= (int)sizeof(file))
			continue;
		if (str_glob("*.o", found->d_name) || str_glob("*.a", found->d_name) ||
		    str_glob("*.so", found->d_name))
			fault = add_link(cover, file, note);
	}
	closedir(dir);
	return fault;
}
