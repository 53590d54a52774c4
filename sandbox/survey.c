#include "sandbox/survey.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "sandbox/elf.h"

#define SLOTS_FIRST 256

/* One directory on the way down. */
struct visit {
	struct survey *survey;
	struct err_note *note;
	const char *top; /* where the walk began, for messages */
	DIR *list;
	uint32_t depth;
};

static int read_dir(struct visit *visit, int fd, const struct stat *st, struct survey_dir **ret);

/* ---- directories by inode -------------------------------------------------------------------- */

/* The slot that holds the directory, or the empty one where it belongs. */
static struct survey_dir **slot_of(const struct survey *survey, uint64_t dev, uint64_t ino)
{
	uint64_t at = (ino ^ dev << 32) * 0x9e3779b97f4a7c15u >> 32;

	for (;; at++) {
		struct survey_dir **slot = &survey->slots[at & (survey->cap - 1)];

		if (*slot == NULL || ((*slot)->ino == ino && (*slot)->dev == dev))
			return slot;
	}
}

static struct survey_dir *find(const struct survey *survey, const struct stat *st)
{
	return survey->cap == 0 ? NULL : *slot_of(survey, st->st_dev, st->st_ino);
}

static int make_room(struct survey *survey)
{
	struct survey_dir **before = survey->slots;

	if (survey->count + 1 <= survey->cap / 2)
		return 0;
	survey->slots = calloc(survey->cap == 0 ? SLOTS_FIRST : survey->cap * 2, sizeof(*before));
	if (survey->slots == NULL) {
		survey->slots = before;
		return -ENOMEM;
	}
	survey->cap = survey->cap == 0 ? SLOTS_FIRST : survey->cap * 2;
	for (struct survey_dir *dir = survey->dirs; dir != NULL; dir = dir->next)
		*slot_of(survey, dir->dev, dir->ino) = dir;
	free(before);
	return 0;
}

static void free_dir(struct survey_dir *dir)
{
	for (uint32_t i = 0; i < dir->count; i++)
		free(dir->entries[i].name);
	free(dir->entries);
	free(dir);
}

/* Only a directory that was read to its end is remembered. */
static int remember(struct survey *survey, struct survey_dir *dir)
{
	int fault = make_room(survey);

	if (fault < 0)
		return fault;
	dir->next = survey->dirs;
	survey->dirs = dir;
	*slot_of(survey, dir->dev, dir->ino) = dir;
	survey->count++;
	return 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* What we may not read, the loader will not read for the tool; what is gone or special is no
 * program. Any other error must not make a directory look harmless. */
static bool is_closed_to_us(int error)
{
	return error == EACCES || error == EPERM || error == ENOENT || error == ELOOP ||
	       error == ENXIO || error == ENODEV;
}

static struct survey_entry *append(struct survey_dir *dir, const char *name, const struct stat *st)
{
	struct survey_entry *entry;

	if ((dir->count & (dir->count - 1)) == 0) { /* full: 0, 1, 2, 4, ... */
		size_t cap = dir->count == 0 ? 1 : (size_t)dir->count * 2;

		entry = realloc(dir->entries, cap * sizeof(*entry));
		if (entry == NULL)
			return NULL;
		dir->entries = entry;
	}
	entry = &dir->entries[dir->count];
	*entry = (struct survey_entry){.name = strdup(name), .dev = st->st_dev, .ino = st->st_ino};
	if (entry->name == NULL)
		return NULL;
	dir->count++;
	return entry;
}

static int add_file(struct survey_dir *dir, const char *name, int fd, const struct stat *st)
{
	struct survey_entry *entry = append(dir, name, st);

	if (entry == NULL)
		return -ENOMEM;
	if (elf_is_runnable(fd, name, &entry->runnable) < 0)
		entry->runnable = true;
	return 0;
}

static int add_below(const struct visit *visit, struct survey_dir *dir, const char *name, int fd,
    const struct stat *st)
{
	struct visit below = *visit;
	struct survey_dir *found;
	struct survey_entry *entry;
	int fault;

	below.list = NULL;
	below.depth++;
	fault = read_dir(&below, fd, st, &found);
	if (fault < 0)
		return fault;
	entry = append(dir, name, st);
	if (entry == NULL)
		return -ENOMEM;
	entry->dir = found;
	if (dir->depth <= found->depth)
		dir->depth = found->depth + 1;
	return 0;
}

static int add_entry(struct visit *visit, struct survey_dir *dir, const struct dirent *found)
{
	struct survey *survey = visit->survey;
	int cleanup_fd fd = -1;
	struct stat st;

	if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
	    found->d_type == DT_LNK)
		return 0;
	if (++survey->looked_at > SURVEY_ENTRIES_MAX)
		return err_note(visit->note, -E2BIG, "%s: more than %d files to look through",
		    visit->top, SURVEY_ENTRIES_MAX);
	survey_breathe(survey);
	fd = openat(dirfd(visit->list), found->d_name,
	    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return is_closed_to_us(errno) ? 0 : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return add_file(dir, found->d_name, fd, &st);
	return S_ISDIR(st.st_mode) ? add_below(visit, dir, found->d_name, take_fd(&fd), &st) : 0;
}

static int read_entries(struct visit *visit, struct survey_dir *dir)
{
	struct dirent *found;
	int fault = 0;

	while (fault == 0 && (errno = 0, found = readdir(visit->list)) != NULL)
		fault = add_entry(visit, dir, found);
	return fault == 0 ? -errno : fault;
}

static int too_deep(const struct visit *visit)
{
	return err_note(
	    visit->note, -E2BIG, "%s: nested deeper than %d", visit->top, SURVEY_DEPTH_MAX);
}

/* Takes fd. */
static int read_dir(struct visit *visit, int fd, const struct stat *st, struct survey_dir **ret)
{
	struct survey_dir *dir = find(visit->survey, st);
	int fault;

	if (dir != NULL) {
		close(fd);
		*ret = dir;
		return visit->depth + dir->depth > SURVEY_DEPTH_MAX ? too_deep(visit) : 0;
	}
	visit->list = fdopendir(fd);
	if (visit->list == NULL) {
		fault = -errno;
		close(fd);
		return fault;
	}
	dir = calloc(1, sizeof(*dir));
	fault = dir == NULL ? -ENOMEM : visit->depth > SURVEY_DEPTH_MAX ? too_deep(visit) : 0;
	if (fault == 0) {
		dir->dev = st->st_dev;
		dir->ino = st->st_ino;
		dir->weak = object_may_write(fd, st, visit->survey->tool_uid);
		fault = read_entries(visit, dir);
	}
	closedir(visit->list);
	if (fault == 0)
		fault = remember(visit->survey, dir);
	if (fault < 0 && dir != NULL)
		free_dir(dir);
	*ret = fault < 0 ? NULL : dir;
	return fault;
}

int survey_read(struct survey *survey, const struct object *object, const struct survey_dir **ret,
    struct err_note *note)
{
	struct visit visit = {.survey = survey, .note = note, .top = object->path};
	struct survey_dir *dir = find(survey, &object->stat);
	int fd, fault = 0;

	if (dir == NULL) {
		fd = object_reopen(object);
		if (fd < 0)
			return fd;
		fault = read_dir(&visit, fd, &object->stat, &dir);
	}
	*ret = dir;
	return fault;
}

void survey_breathe(const struct survey *survey)
{
	if (survey->breathe != NULL)
		survey->breathe(survey->arg);
}

void survey_fini(struct survey *survey)
{
	struct survey_dir *next;

	for (struct survey_dir *dir = survey->dirs; dir != NULL; dir = next) {
		next = dir->next;
		free_dir(dir);
	}
	free(survey->slots);
	survey->dirs = NULL;
	survey->slots = NULL;
	survey->cap = survey->count = 0;
}
