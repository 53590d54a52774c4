#include "sandbox/cover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "sandbox/elf.h"

/* One directory on the way down. */
struct walk {
	struct cover *cover;
	struct err_note *note;
	enum cover_use use;
	DIR *dir;
	char *path; /* PATH_MAX bytes, shared by all levels; this directory's path is in it */
	size_t len; /* of this directory's path */
	uint32_t depth;
};

/* What is found at one name; fd is closed by the walker. */
struct entry {
	int fd; /* directories O_RDONLY; files O_RDONLY */
	struct stat stat;
	const char *name;
};

void cover_init(struct cover *cover, struct grants *grants, struct libs *libs)
{
	*cover = (struct cover){.grants = grants, .libs = libs};
}

void cover_fini(struct cover *cover)
{
	inodes_fini(&cover->clean);
	inodes_fini(&cover->tainted);
	inodes_fini(&cover->runs);
}

/* Takes fd in every case. */
static int walk_open(struct walk *walk, int fd)
{
	walk->dir = fdopendir(fd);
	if (walk->dir == NULL) {
		int fault = -errno;

		close(fd);
		return fault;
	}
	if (walk->depth > COVER_DEPTH_MAX)
		return err_note(
		    walk->note, -E2BIG, "%s: nested deeper than %d", walk->path, COVER_DEPTH_MAX);
	return 0;
}

static void walk_close(struct walk *walk)
{
	if (walk->dir != NULL)
		closedir(walk->dir);
	walk->path[walk->len] = '\0';
}

/* What we may not read, the loader will not read for the tool; what is gone or special is no
 * program. Any other error must not make a directory look harmless. */
static bool is_closed_to_us(int error)
{
	return error == EACCES || error == EPERM || error == ENOENT || error == ELOOP ||
	       error == ENXIO || error == ENODEV;
}

/* The next directory or regular file that we can open. Symbolic links are left out: their
 * targets are judged where they lie. 1, 0 at the end, or a fault. */
static int walk_next(struct walk *walk, struct entry *ret)
{
	struct dirent *found;

	while (errno = 0, (found = readdir(walk->dir)) != NULL) {
		size_t name_len = strlen(found->d_name);

		if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0 ||
		    found->d_type == DT_LNK)
			continue;
		if (walk->len + name_len + 2 > PATH_MAX)
			return -ENAMETOOLONG;
		if (++walk->cover->entries > COVER_ENTRIES_MAX)
			return err_note(walk->note, -E2BIG,
			    "%s: more than %d files to look through", walk->path,
			    COVER_ENTRIES_MAX);
		ret->fd = openat(dirfd(walk->dir), found->d_name,
		    O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		if (ret->fd < 0 && is_closed_to_us(errno))
			continue;
		if (ret->fd < 0)
			return -errno;
		if (fstat(ret->fd, &ret->stat) == 0 &&
		    (S_ISDIR(ret->stat.st_mode) || S_ISREG(ret->stat.st_mode))) {
			ret->name = found->d_name;
			walk->path[walk->len] = '/';
			memcpy(walk->path + walk->len + 1, found->d_name, name_len + 1);
			return 1;
		}
		close(ret->fd);
	}
	return -errno;
}

static struct walk walk_below(const struct walk *walk)
{
	struct walk below = *walk;

	below.dir = NULL;
	below.len = strlen(walk->path);
	below.depth++;
	return below;
}

/* 1: this file taints its directory; 0: it does not; or a fault. */
static int judge_file(const struct walk *walk, const struct entry *entry)
{
	struct cover *cover = walk->cover;
	bool runnable = false;
	int fault;

	if (inodes_has_stat(&cover->grants->denied, &entry->stat))
		runnable = true;
	else if (inodes_has_stat(&cover->grants->granted, &entry->stat))
		return 0;
	else if (elf_is_runnable(entry->fd, entry->name, &runnable) < 0)
		runnable = true;
	if (runnable) {
		fault = inodes_add_stat(&cover->runs, &entry->stat);
		return fault < 0 ? fault : 1;
	}
	if (walk->use == COVER_LOADS && strstr(entry->name, ".so") != NULL) {
		struct object object = {.fd = entry->fd, .stat = entry->stat};

		memcpy(object.path, walk->path, strlen(walk->path) + 1);
		return libs_close_over(cover->libs, &object, walk->note);
	}
	return 0;
}

/* First pass: takes fd; 1 if anything below could be run, or could be put there by the tool's
 * uid from outside; 0 if not; or a fault. */
static int scan(struct walk *walk, int fd, const struct stat *st)
{
	int tainted = object_may_write(fd, st, walk->cover->libs->tool_uid);
	int fault = walk_open(walk, fd);
	struct entry entry;

	while (fault == 0 && (fault = walk_next(walk, &entry)) == 1) {
		struct walk below = walk_below(walk);

		if (S_ISDIR(entry.stat.st_mode)) {
			fault = scan(&below, entry.fd, &entry.stat);
		} else {
			fault = judge_file(walk, &entry);
			close(entry.fd);
		}
		tainted |= fault == 1;
		fault = fault < 0 ? fault : 0;
	}
	walk_close(walk);
	if (fault == 0)
		fault = inodes_add_stat(tainted ? &walk->cover->tainted : &walk->cover->clean, st);
	return fault < 0 ? fault : tainted;
}

/* Second pass, in a tainted directory only: rules for its clean parts. Takes fd. */
static int descend(struct walk *walk, int fd)
{
	struct cover *cover = walk->cover;
	struct entry entry;
	int fault = walk_open(walk, fd);

	while (fault == 0 && (fault = walk_next(walk, &entry)) == 1) {
		struct walk below = walk_below(walk);
		bool dir = S_ISDIR(entry.stat.st_mode);

		fault = 0;
		if (dir && !inodes_has_stat(&cover->clean, &entry.stat)) {
			fault = descend(&below, entry.fd);
			continue;
		}
		if (dir || !inodes_has_stat(&cover->runs, &entry.stat))
			fault = grants_add_fd(
			    cover->grants, entry.fd, walk->path, dir ? GRANT_TREE : GRANT_READ);
		close(entry.fd);
	}
	walk_close(walk);
	return fault;
}

/* Names below a tainted directory may be listed (they can be tested one by one anyway); files
 * may be read where they are harmless. */
static int add_dir(
    struct cover *cover, struct object *object, enum cover_use use, struct err_note *note)
{
	char path[PATH_MAX];
	struct walk walk = {.cover = cover, .note = note, .use = use, .path = path};
	int fd = object_reopen(object);
	int tainted, fault;

	if (fd < 0)
		return fd == -EACCES ? 0 : fd;
	walk.len = strlen(object->path);
	memcpy(path, object->path, walk.len + 1);
	tainted = scan(&walk, fd, &object->stat);
	if (tainted < 0)
		return tainted;
	fault = grants_add(cover->grants, object, tainted ? GRANT_LIST : GRANT_TREE);
	if (fault < 0 || !tainted)
		return fault;
	fd = object_reopen(object);
	return fd < 0 ? fd : descend(&walk, fd);
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
