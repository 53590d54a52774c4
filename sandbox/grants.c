#include "sandbox/grants.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int grow(struct grants *grants)
{
	uint32_t cap = grants->cap == 0 ? 64 : grants->cap * 2;
	struct cell_rule *rules;
	struct inode_key *keys;

	if (grants->count < grants->cap)
		return 0;
	if (grants->count >= CELL_RULES_MAX)
		return -E2BIG;
	rules = realloc(grants->rules, cap * sizeof(*rules));
	if (rules == NULL)
		return -ENOMEM;
	grants->rules = rules;
	keys = realloc(grants->keys, cap * sizeof(*keys));
	if (keys == NULL)
		return -ENOMEM;
	grants->keys = keys;
	grants->cap = cap;
	return 0;
}

/* The cell's root has /usr and /etc; what lies elsewhere is brought in with its folder. */
static int note_outside(struct grants *grants, const struct stat *st, const char *path)
{
	char folder[PATH_MAX];
	size_t len = strlen(path);

	if (strncmp(path, "/usr/", 5) == 0 || strncmp(path, "/etc/", 5) == 0)
		return 0;
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, path, len + 1);
	if (!S_ISDIR(st->st_mode) && strrchr(folder, '/') != folder)
		*strrchr(folder, '/') = '\0';
	return places_add(&grants->outside, folder);
}

static int append(struct grants *grants, const struct stat *st, int fd, uint64_t access)
{
	int own, fault = grow(grants);
	char link[32];

	if (fault < 0)
		return fault;
	/* A second open as O_PATH: what travels to the cell must not be readable by itself. */
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	own = open(link, O_PATH | O_CLOEXEC);
	if (own < 0)
		return -errno;
	fault = inodes_add_stat(&grants->granted, st);
	if (fault < 0) {
		close(own);
		return fault;
	}
	grants->rules[grants->count] = (struct cell_rule){.fd = own, .access = access};
	grants->keys[grants->count++] = (struct inode_key){.dev = st->st_dev, .ino = st->st_ino};
	return 0;
}

static int widen(struct grants *grants, const struct stat *st, uint64_t access)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->keys[i].ino == st->st_ino && grants->keys[i].dev == st->st_dev) {
			grants->rules[i].access |= access;
			return 0;
		}
	return -ENOENT;
}

static int add(
    struct grants *grants, const struct stat *st, int fd, const char *path, uint64_t access)
{
	int fault;

	if (inodes_has_stat(&grants->denied, st))
		return 0;
	if (inodes_has_stat(&grants->granted, st))
		fault = widen(grants, st, access);
	else
		fault = append(grants, st, fd, access);
	if (fault == 0 && (access & GRANT_RUN) == GRANT_RUN)
		fault = inodes_add_stat(&grants->runnable, st);
	return fault < 0 ? fault : note_outside(grants, st, path);
}

int grants_add(struct grants *grants, const struct object *object, uint64_t access)
{
	return add(grants, &object->stat, object->fd, object->path, access);
}

int grants_add_fd(struct grants *grants, int fd, const char *path, uint64_t access)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return add(grants, &st, fd, path, access);
}

int grants_deny(struct grants *grants, const struct stat *st)
{
	return inodes_add_stat(&grants->denied, st);
}

void grants_fini(struct grants *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		close(grants->rules[i].fd);
	free(grants->rules);
	free(grants->keys);
	inodes_fini(&grants->granted);
	inodes_fini(&grants->runnable);
	inodes_fini(&grants->denied);
	places_fini(&grants->outside);
	memset(grants, 0, sizeof(*grants));
}
