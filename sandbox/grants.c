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
	struct held **held;

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
	held = realloc(grants->held, cap * sizeof(*held));
	if (held == NULL)
		return -ENOMEM;
	grants->held = held;
	grants->cap = cap;
	return 0;
}

/* The cell's root has /usr and /etc; what lies elsewhere is brought in with its folder. */
static int note_outside(struct grants *grants, const struct grant_name *name)
{
	char folder[PATH_MAX];
	size_t len = strlen(name->path);

	if (strncmp(name->path, "/usr/", 5) == 0 || strncmp(name->path, "/etc/", 5) == 0)
		return 0;
	if (len >= sizeof(folder))
		return -ENAMETOOLONG;
	memcpy(folder, name->path, len + 1);
	if (!name->dir && strrchr(folder, '/') != folder)
		*strrchr(folder, '/') = '\0';
	return places_add(&grants->outside, folder);
}

/* A descriptor of what fd opens, or, without fd, of what the name leads to. What travels to the
 * cell must not be readable by itself, so it is a second open as O_PATH. */
static int open_own(const struct grant_name *name, int fd)
{
	struct stat st;
	char link[32];
	int own;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	own = open(fd >= 0 ? link : name->path, O_PATH | O_CLOEXEC | (fd >= 0 ? 0 : O_NOFOLLOW));
	if (own < 0)
		return -errno;
	if (fstat(own, &st) == 0 && st.st_dev == name->dev && st.st_ino == name->ino)
		return own;
	close(own);
	return -ESTALE;
}

static int append(struct grants *grants, const struct grant_name *name, int fd, uint64_t access)
{
	const struct held_key key = {.dev = name->dev, .ino = name->ino};
	struct held *held;
	int own, fault = grow(grants);

	if (fault < 0)
		return fault;
	held = held_find(grants->holdings, &key);
	if (held == NULL) {
		own = open_own(name, fd);
		if (own < 0)
			return own;
		fault = held_put(grants->holdings, &key, own, &held);
		if (fault < 0)
			return fault;
	}
	fault = inodes_add(&grants->granted, name->dev, name->ino);
	if (fault < 0) {
		held_drop(held);
		return fault;
	}
	grants->rules[grants->count] = (struct cell_rule){.fd = held_fd(held), .access = access};
	grants->keys[grants->count] = (struct inode_key){.dev = name->dev, .ino = name->ino};
	grants->held[grants->count++] = held;
	return 0;
}

static int widen(struct grants *grants, const struct grant_name *name, uint64_t access)
{
	for (uint32_t i = 0; i < grants->count; i++)
		if (grants->keys[i].ino == name->ino && grants->keys[i].dev == name->dev) {
			grants->rules[i].access |= access;
			return 0;
		}
	return -ENOENT;
}

static int add(struct grants *grants, const struct grant_name *name, int fd, uint64_t access)
{
	int fault;

	if (inodes_has(&grants->denied, name->dev, name->ino))
		return 0;
	if (inodes_has(&grants->granted, name->dev, name->ino))
		fault = widen(grants, name, access);
	else
		fault = append(grants, name, fd, access);
	if (fault == 0 && (access & GRANT_RUN) == GRANT_RUN)
		fault = inodes_add(&grants->runnable, name->dev, name->ino);
	return fault < 0 ? fault : note_outside(grants, name);
}

int grants_add(struct grants *grants, const struct object *object, uint64_t access)
{
	const struct grant_name name = {
	    .path = object->path,
	    .dev = object->stat.st_dev,
	    .ino = object->stat.st_ino,
	    .dir = S_ISDIR(object->stat.st_mode),
	};

	return add(grants, &name, object->fd, access);
}

int grants_add_name(struct grants *grants, const struct grant_name *name, uint64_t access)
{
	int fault = add(grants, name, -1, access);

	return fault == -ESTALE || object_is_absent(fault) ? 0 : fault;
}

int grants_deny(struct grants *grants, const struct stat *st)
{
	return inodes_add_stat(&grants->denied, st);
}

void grants_fini(struct grants *grants)
{
	for (uint32_t i = 0; i < grants->count; i++)
		held_drop(grants->held[i]);
	free(grants->held);
	free(grants->rules);
	free(grants->keys);
	inodes_fini(&grants->granted);
	inodes_fini(&grants->runnable);
	inodes_fini(&grants->denied);
	places_fini(&grants->outside);
	memset(grants, 0, sizeof(*grants));
}
