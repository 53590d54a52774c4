#include "sandbox/libs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/elf.h"

#define LIBS_DEPTH_MAX 32
#define CACHE_MAX      (64 * 1024 * 1024)
#define CACHE_MAGIC    "glibc-ld.so.cache1.1"

/* sysdeps/generic/dl-cache.h; offsets count from the start of the header. */
struct cache_header {
	char magic[20];
	uint32_t entry_count;
	uint32_t strings_len;
	uint32_t unused[5];
};

struct cache_entry {
	int32_t flags;
	uint32_t key;
	uint32_t value;
	uint32_t unused;
	uint64_t hwcap;
};

/* One object on the way down, and the name that is looked for on its behalf. */
struct level {
	struct libs *libs;
	struct err_note *note;
	const struct level *parent; /* NULL: the program; DT_RPATH is inherited from above */
	const struct object *object;
	struct elf_needs needs;
	uint32_t depth;
};

static const char *const default_dirs[] = {"/lib64", "/usr/lib64", "/lib", "/usr/lib"};

static int visit(const struct level *parent, const struct object *object);

int libs_init(struct libs *libs, struct grants *grants, uid_t tool_uid, const char *cache_path)
{
	int cleanup_fd fd = open(cache_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int fault;

	*libs = (struct libs){.grants = grants, .tool_uid = tool_uid};
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	fault = fd_read_all(fd, CACHE_MAX, &libs->cache, &libs->cache_len);
	if (fault < 0)
		return fault;
	if (libs->cache_len < sizeof(struct cache_header) ||
	    memcmp(libs->cache, CACHE_MAGIC, sizeof(CACHE_MAGIC) - 1) != 0)
		libs->cache_len = 0;
	return 0;
}

void libs_fini(struct libs *libs)
{
	free(libs->cache);
	inodes_fini(&libs->seen);
	names_fini(&libs->lacking);
	memset(libs, 0, sizeof(*libs));
}

void libs_see_loader(struct libs *libs, const char *loader_path)
{
	size_t len = (size_t)(object_base(loader_path) - loader_path);

	if (libs->loader_dir[0] != '\0' || len < 2 || len >= sizeof(libs->loader_dir))
		return;
	memcpy(libs->loader_dir, loader_path, len - 1);
	libs->loader_dir[len - 1] = '\0';
}

/* A string of the cache, or NULL if its offset or its end lies outside. */
static const char *cache_string(const struct libs *libs, uint32_t offset)
{
	if (offset >= libs->cache_len ||
	    memchr(libs->cache + offset, '\0', libs->cache_len - offset) == NULL)
		return NULL;
	return libs->cache + offset;
}

/* The path of the cache's entry for this name at or after *at, which moves behind it. */
static const char *cache_next(const struct libs *libs, const char *name, uint32_t *at)
{
	struct cache_header header;
	struct cache_entry entry;

	if (libs->cache_len == 0)
		return NULL;
	memcpy(&header, libs->cache, sizeof(header));
	while (*at < header.entry_count) {
		uint64_t offset = sizeof(header) + (uint64_t)(*at)++ * sizeof(entry);
		const char *key;

		if (offset + sizeof(entry) > libs->cache_len)
			return NULL;
		memcpy(&entry, libs->cache + offset, sizeof(entry));
		key = cache_string(libs, entry.key);
		if (key != NULL && strcmp(key, name) == 0)
			return cache_string(libs, entry.value);
	}
	return NULL;
}

/* Opens a candidate. 1: it is a library, granted with all it needs; 0: it is none; or a fault. */
static int try_path(const struct level *level, const char *path)
{
	struct libs *libs = level->libs;
	struct object cleanup_with(object_fini) object = {.fd = -1};
	int cleanup_fd fd = -1;
	struct elf elf;
	int fault = object_open(&object, path);

	if (fault < 0)
		return object_is_absent(fault) ? 0 : fault;
	if (!S_ISREG(object.stat.st_mode))
		return 0;
	if (inodes_has_stat(&libs->seen, &object.stat))
		return 1;
	fd = object_reopen(&object);
	if (fd < 0)
		return object_is_absent(fd) ? 0 : fd;
	if (elf_read(&elf, fd) < 0)
		return 0;
	fault = object_guard(&object, libs->tool_uid, level->note);
	if (fault == 0)
		fault = grants_add(libs->grants, &object, GRANT_READ);
	if (fault == 0)
		fault = visit(level, &object);
	return fault < 0 ? fault : 1;
}

/* DIR/NAME, where a leading $ORIGIN of DIR is the directory of the object that says so. */
static int try_dir(const struct level *level, const char *dir, size_t len, const char *name,
    const struct object *origin)
{
	static const char *const signs[] = {"$ORIGIN", "${ORIGIN}"};
	char path[2 * PATH_MAX + NAME_MAX + 2];
	size_t origin_len = 0;

	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]) && origin_len == 0; i++) {
		size_t sign_len = strlen(signs[i]);

		if (len < sign_len || memcmp(dir, signs[i], sign_len) != 0)
			continue;
		origin_len = (size_t)(object_base(origin->path) - origin->path);
		memcpy(path, origin->path, origin_len);
		dir += sign_len;
		len -= sign_len;
	}
	if (origin_len == 0 && (len == 0 || *dir != '/'))
		return 0;
	if (len > PATH_MAX || strlen(name) > NAME_MAX)
		return 0;
	memcpy(path + origin_len, dir, len);
	path[origin_len + len] = '/';
	memcpy(path + origin_len + len + 1, name, strlen(name) + 1);
	return try_path(level, path);
}

/* A DT_RPATH or DT_RUNPATH: the first directory that holds the name. */
static int try_list(
    const struct level *level, const char *list, const char *name, const struct object *origin)
{
	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		int found = try_dir(level, list, len, name, origin);

		if (found != 0)
			return found;
		list += len + (list[len] == ':');
	}
	return 0;
}

static int try_default(const struct level *level, const char *name)
{
	const char *dir = level->libs->loader_dir;
	int found = try_dir(level, dir, strlen(dir), name, level->object);

	for (size_t i = 0; found == 0 && i < sizeof(default_dirs) / sizeof(default_dirs[0]); i++)
		found =
		    try_dir(level, default_dirs[i], strlen(default_dirs[i]), name, level->object);
	return found;
}

/* Every entry of the cache: it lists one library per processor level, and ld.so picks. */
static int try_cache(const struct level *level, const char *name)
{
	const char *path;
	uint32_t at = 0;
	int any = 0;

	while ((path = cache_next(level->libs, name, &at)) != NULL) {
		int found = try_path(level, path);

		if (found < 0)
			return found;
		any |= found;
	}
	return any;
}

/* The order of ld.so(8): own and inherited DT_RPATH unless there is a DT_RUNPATH, DT_RUNPATH,
 * cache, default directories. */
static int find_library(const struct level *level, const char *name)
{
	int found = 0;

	if (strchr(name, '/') != NULL)
		return *name == '/' ? try_path(level, name) : 0;
	if (level->needs.runpath[0] == '\0')
		for (const struct level *up = level; up != NULL && found == 0; up = up->parent)
			found = try_list(level, up->needs.rpath, name, up->object);
	if (found == 0)
		found = try_list(level, level->needs.runpath, name, level->object);
	if (found == 0)
		found = try_cache(level, name);
	return found == 0 ? try_default(level, name) : found;
}

static int lack(struct libs *libs, const struct object *object, const char *name)
{
	struct err_note text;

	(void)err_note(&text, 0, "%s: library %s is not found", object->path, name);
	return names_add_once(&libs->lacking, text.text);
}

static int visit_needs(const struct level *level)
{
	for (uint32_t i = 0; i < level->needs.needed.count; i++) {
		const char *name = level->needs.needed.items[i];
		int found = find_library(level, name);

		if (found == 0)
			found = lack(level->libs, level->object, name);
		if (found < 0)
			return found;
	}
	return 0;
}

/* parent: at least libs and note. */
static int visit(const struct level *parent, const struct object *object)
{
	struct level level = {.libs = parent->libs, .note = parent->note, .object = object};
	int cleanup_fd fd = -1;
	struct elf elf;
	int fault;

	if (inodes_has_stat(&level.libs->seen, &object->stat))
		return 0;
	fault = inodes_add_stat(&level.libs->seen, &object->stat);
	if (fault < 0)
		return fault;
	level.parent = parent->object == NULL ? NULL : parent;
	level.depth = parent->depth + 1;
	if (level.depth > LIBS_DEPTH_MAX)
		return err_note(
		    level.note, -ELOOP, "%s: libraries are nested too deep", object->path);
	fd = object_reopen(object);
	if (fd < 0)
		return fd;
	if (elf_read(&elf, fd) < 0)
		return 0;
	fault = elf_needs_read(&elf, &level.needs);
	if (fault < 0)
		return fault == -EBADMSG ? 0 : fault;
	fault = visit_needs(&level);
	elf_needs_fini(&level.needs);
	return fault;
}

int libs_close_over(struct libs *libs, const struct object *object, struct err_note *note)
{
	struct level top = {.libs = libs, .note = note};

	return visit(&top, object);
}
