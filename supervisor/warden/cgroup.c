#include "supervisor/warden/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/cgroup_base.h"
#include "supervisor/warden/cgroup_v1.h"
#include "supervisor/warden/cgroup_v2.h"

#define PROC_MAX   (1024 * 1024)
#define NUMBER_MAX 1024 /* bytes of a file that holds numbers */
#define DIRECTORY  (O_RDONLY | O_DIRECTORY | O_CLOEXEC)

/* Names of the v1 controllers as /proc writes them. */
static const char *const controllers[CGROUP_TREE_COUNT] = {
    [CGROUP_TREE_MEMORY] = "memory",
    [CGROUP_TREE_PIDS] = "pids",
    [CGROUP_TREE_CPUACCT] = "cpuacct",
};

/* ---- finding ------------------------------------------------------------------------------- */

/* Is word one of the comma-separated words in [text, end)? */
static bool in_list(const char *text, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - text) == len && !memcmp(text, word, len))
			return true;
		text = stop + 1;
	}
	return false;
}

/* "N:controllers:/path": our path in the hierarchy of this tree; false: not in the text. */
static bool own_path(const char *self, enum cgroup_tree tree, char ret[PATHS_MAX])
{
	for (const char *line = self; *line; line += line[0] == '\n') {
		const char *end = line + strcspn(line, "\n");
		const char *names = memchr(line, ':', (size_t)(end - line));
		const char *path = names ? memchr(names + 1, ':', (size_t)(end - names - 1)) : NULL;
		bool hit;

		if (path) {
			hit = tree == CGROUP_TREE_V2 ? path == names + 1
						     : in_list(names + 1, path, controllers[tree]);
			/* "/.." is outside the namespace we see: not ours to use. */
			if (hit && path[1] == '/' && strncmp(path + 1, "/..", 3) &&
			    end - path - 1 < PATHS_MAX) {
				memcpy(ret, path + 1, (size_t)(end - path - 1));
				ret[end - path - 1] = '\0';
				return true;
			}
		}
		line = end;
	}
	return false;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

struct mount_line {
	char *root;
	char *place;
	char *type;
	char *options; /* of the file system */
};

/* "id parent maj:min root place options [tags] - type source super-options". Cuts the line. */
static bool split_mount(char *line, struct mount_line *ret)
{
	char *word = strsep(&line, " ");
	struct mount_line mount = {0};

	for (int field = 0; word && strcmp(word, "-"); field++) {
		if (field == 3)
			mount.root = word;
		if (field == 4)
			mount.place = word;
		word = strsep(&line, " ");
	}
	mount.type = strsep(&line, " ");
	(void)strsep(&line, " "); /* the source says nothing */
	mount.options = strsep(&line, " ");
	if (!word || !mount.place || !mount.type || !mount.options)
		return false;
	unescape(mount.root);
	unescape(mount.place);
	*ret = mount;
	return true;
}

/* The daemon's folder in this mount: place + (path less root). */
static void join_place(char out[PATHS_MAX], const struct mount_line *mount, const char *path)
{
	size_t root = strlen(mount->root), place = strlen(mount->place), len;

	if (root > 1) {
		if (strncmp(path, mount->root, root) || (path[root] && path[root] != '/'))
			return; /* our group is not visible in this mount */
		path += root;
	}
	len = strlen(path);
	if (place + len >= PATHS_MAX)
		return;
	memcpy(out, mount->place, place);
	memcpy(out + place, path, len + 1);
}

void cgroup_find(struct cgroup_found *ret, const char *mountinfo, const char *self)
{
	char *cleanup_free text = strdup(mountinfo);
	char *rest = text, *line;
	struct mount_line mount;

	memset(ret, 0, sizeof(*ret));
	while ((line = strsep(&rest, "\n"))) {
		if (!split_mount(line, &mount))
			continue;
		for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++) {
			char path[PATHS_MAX];
			bool hit =
			    tree == CGROUP_TREE_V2
				? !strcmp(mount.type, "cgroup2")
				: !strcmp(mount.type, "cgroup") &&
				      in_list(mount.options, mount.options + strlen(mount.options),
					  controllers[tree]);

			if (hit && !ret->path[tree][0] &&
			    own_path(self, (enum cgroup_tree)tree, path))
				join_place(ret->path[tree], &mount, path);
		}
	}
}

/* ---- small files --------------------------------------------------------------------------- */

int cgroup_write(int dir, const char *name, const char *value)
{
	int cleanup_fd fd = dir < 0 ? -1 : openat(dir, name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	ssize_t len = (ssize_t)strlen(value);

	if (dir < 0)
		return -EBADF;
	if (fd < 0)
		return -errno;
	return write(fd, value, (size_t)len) == len ? 0 : -errno;
}

int cgroup_write_u64(int dir, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return cgroup_write(dir, name, text);
}

int cgroup_read(int dir, const char *name, char *ret_text, size_t max)
{
	int cleanup_fd fd = dir < 0 ? -1 : openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t got;

	if (fd < 0)
		return dir < 0 ? -EBADF : -errno;
	while ((got = read(fd, ret_text + have, max - have)) > 0) {
		have += (size_t)got;
		if (have == max)
			return -EFBIG;
	}
	if (got < 0)
		return -errno;
	ret_text[have] = '\0';
	return 0;
}

int cgroup_read_u64(int dir, const char *name, const char *key, uint64_t *ret_value)
{
	char text[NUMBER_MAX];
	const char *at = text;
	size_t len;
	char *end;
	uint64_t value;
	int fault = cgroup_read(dir, name, text, sizeof(text));

	if (fault)
		return fault;
	if (key) {
		len = strlen(key);
		while (*at && (strncmp(at, key, len) || at[len] != ' ')) {
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
		if (!*at)
			return -ENOENT;
		at += len + 1;
	}
	if (*at < '0' || *at > '9')
		return -EINVAL; /* "max" */
	errno = 0;
	value = strtoull(at, &end, 10);
	if (errno || (*end && *end != '\n'))
		return -EINVAL;
	*ret_value = value;
	return 0;
}

/* ---- opening ------------------------------------------------------------------------------- */

static int open_base(struct cgroup *cgroup, enum cgroup_tree tree, const char *path)
{
	int parent = open(path, DIRECTORY);

	if (parent < 0)
		return -errno;
	cgroup->parent[tree] = parent;
	if (!cgroup->own_base) {
		cgroup->base[tree] = openat(parent, ".", DIRECTORY);
		return cgroup->base[tree] < 0 ? -errno : cgroup_base_lock(cgroup->base[tree]);
	}
	cgroup_base_sweep(parent);
	return cgroup_base_make(parent, cgroup->name, &cgroup->base[tree]);
}

/* Can a leaf be made, limited and removed here? */
static int try_leaf(struct cgroup *cgroup)
{
	const struct cell_limits limits = {.memory = 64 << 20, .pids = 8};
	struct cgroup_leaf leaf;
	int fault = cgroup_leaf_make(cgroup, &leaf);

	if (fault)
		return fault;
	fault = cgroup_leaf_limit(&leaf, &limits);
	(void)cgroup_leaf_remove(cgroup, &leaf);
	return fault;
}

static int open_v2(struct cgroup *cgroup, const struct cgroup_found *found, bool root)
{
	const char *path = found->path[CGROUP_TREE_V2];
	int cleanup_fd dir = path[0] ? open(path, DIRECTORY) : -1;
	int fault;

	if (dir < 0 || !cgroup_v2_has_controllers(dir))
		return -ENOTSUP;
	cgroup->kind = CGROUP_V2;
	cgroup->own_base = cgroup_v2_is_root(dir);
	if (cgroup->own_base && !root)
		return -EPERM;
	fault = cgroup->own_base ? cgroup_base_name(cgroup->name) : cgroup_v2_move_aside(dir);
	if (!fault)
		fault = cgroup_v2_enable(dir);
	if (!fault)
		fault = open_base(cgroup, CGROUP_TREE_V2, path);
	if (!fault && cgroup->own_base)
		fault = cgroup_v2_enable(cgroup->base[CGROUP_TREE_V2]);
	if (!fault && !cgroup->own_base)
		cgroup_base_sweep_leaves(cgroup->base[CGROUP_TREE_V2]);
	return fault ? fault : try_leaf(cgroup);
}

static int open_v1(struct cgroup *cgroup, const struct cgroup_found *found, bool root)
{
	int fault;

	if (!found->path[CGROUP_TREE_MEMORY][0] || !found->path[CGROUP_TREE_PIDS][0])
		return -ENOTSUP;
	if (!root)
		return -EPERM;
	cgroup->kind = CGROUP_V1;
	cgroup->own_base = true;
	fault = cgroup_base_name(cgroup->name);
	if (!fault)
		fault = open_base(cgroup, CGROUP_TREE_MEMORY, found->path[CGROUP_TREE_MEMORY]);
	if (!fault)
		fault = open_base(cgroup, CGROUP_TREE_PIDS, found->path[CGROUP_TREE_PIDS]);
	if (!fault)
		fault = try_leaf(cgroup);
	if (fault)
		return fault;
	/* Welcome and not needed: CPU time, and kill and events of a bare v2 mount. */
	if (found->path[CGROUP_TREE_CPUACCT][0])
		(void)open_base(cgroup, CGROUP_TREE_CPUACCT, found->path[CGROUP_TREE_CPUACCT]);
	if (found->path[CGROUP_TREE_V2][0] &&
	    !open_base(cgroup, CGROUP_TREE_V2, found->path[CGROUP_TREE_V2]))
		cgroup->kind = CGROUP_HYBRID;
	return 0;
}

static void clear(struct cgroup *cgroup)
{
	memset(cgroup, 0, sizeof(*cgroup));
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++)
		cgroup->parent[tree] = cgroup->base[tree] = -1;
}

static char *read_proc(const char *path)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = malloc(PROC_MAX);
	size_t have = 0;
	ssize_t got = -1;

	while (fd >= 0 && text && have < PROC_MAX - 1 &&
	       (got = read(fd, text + have, PROC_MAX - 1 - have)) > 0)
		have += (size_t)got;
	if (got != 0) {
		free(text);
		return NULL;
	}
	text[have] = '\0';
	return text;
}

void cgroup_open(struct cgroup *ret, bool root, struct err_note *note)
{
	char *cleanup_free mounts = read_proc("/proc/self/mountinfo");
	char *cleanup_free self = read_proc("/proc/self/cgroup");
	struct cgroup_found *cleanup_free found = calloc(1, sizeof(*found));
	int second, first;

	clear(ret);
	if (!mounts || !self || !found) {
		(void)err_note(note, 0, "/proc does not say which control groups there are");
		return;
	}
	cgroup_find(found, mounts, self);
	first = open_v2(ret, found, root);
	if (!first)
		return;
	cgroup_close(ret);
	second = open_v1(ret, found, root);
	if (!second)
		return;
	cgroup_close(ret);
	if (first == -ENOTSUP)
		first = second;
	(void)err_note(note, first,
	    "no control group of our own (%s), so rlimits hold instead; start the daemon in a "
	    "delegated v2 subtree (systemd: Delegate=yes) for kernel limits on the whole tree",
	    strerror(-first));
}

int cgroup_restore(struct cgroup *cgroup)
{
	if (!cgroup->own_base)
		return -ENOTSUP;
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++) {
		int fault, dir;

		if (cgroup->base[tree] < 0 ||
		    cgroup_base_stands(cgroup->parent[tree], cgroup->name, cgroup->base[tree]))
			continue;
		fault = cgroup_base_make(cgroup->parent[tree], cgroup->name, &dir);
		if (fault)
			return fault;
		close(cgroup->base[tree]);
		cgroup->base[tree] = dir;
		fault = cgroup->kind == CGROUP_V2 ? cgroup_v2_enable(dir) : 0;
		if (fault)
			return fault;
	}
	return 0;
}

void cgroup_close(struct cgroup *cgroup)
{
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++) {
		if (cgroup->own_base && cgroup->base[tree] >= 0)
			(void)unlinkat(
			    cgroup->parent[tree], cgroup->name, AT_REMOVEDIR); /* in use: stays */
		cleanup_fd_(&cgroup->base[tree]);
		cleanup_fd_(&cgroup->parent[tree]);
	}
	clear(cgroup);
}

/* ---- leaves -------------------------------------------------------------------------------- */

void cgroup_leaf_init(struct cgroup_leaf *leaf)
{
	leaf->name[0] = '\0';
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++)
		leaf->dir[tree] = -1;
}

int cgroup_leaf_make(struct cgroup *cgroup, struct cgroup_leaf *ret)
{
	struct cgroup_leaf leaf;

	cgroup_leaf_init(&leaf);
	if (cgroup->kind == CGROUP_NONE) {
		*ret = leaf;
		return 0;
	}
	snprintf(leaf.name, sizeof(leaf.name), CGROUP_LEAF_PREFIX "%llu",
	    (unsigned long long)cgroup->leaf_count++);
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++) {
		int fault = 0;

		if (cgroup->base[tree] < 0)
			continue;
		if (mkdirat(cgroup->base[tree], leaf.name, 0755) < 0)
			fault = -errno;
		if (!fault)
			leaf.dir[tree] = openat(cgroup->base[tree], leaf.name, DIRECTORY);
		if (!fault && leaf.dir[tree] < 0)
			fault = -errno;
		if (fault) {
			(void)cgroup_leaf_remove(cgroup, &leaf);
			return fault;
		}
	}
	*ret = leaf;
	return 0;
}

int cgroup_leaf_procs(
    const struct cgroup_leaf *leaf, int ret_fds[CGROUP_TREE_COUNT], size_t *ret_count)
{
	*ret_count = 0;
	for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++) {
		int fd;

		if (leaf->dir[tree] < 0)
			continue;
		fd = openat(leaf->dir[tree], "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		ret_fds[(*ret_count)++] = fd;
	}
	return 0;
}

int cgroup_leaf_limit(const struct cgroup_leaf *leaf, const struct cell_limits *limits)
{
	if (leaf->dir[CGROUP_TREE_MEMORY] >= 0)
		return cgroup_v1_limit(leaf, limits);
	return cgroup_v2_limit(leaf, limits);
}

int cgroup_leaf_kill(const struct cgroup_leaf *leaf)
{
	int fault = cgroup_write(leaf->dir[CGROUP_TREE_V2], "cgroup.kill", "1");

	return fault == -EBADF || fault == -ENOENT ? -ENOTSUP : fault;
}

void cgroup_leaf_usage(const struct cgroup_leaf *leaf, struct cgroup_usage *ret)
{
	struct cgroup_usage usage = {0};

	if (leaf->dir[CGROUP_TREE_V2] >= 0)
		cgroup_v2_usage(leaf, &usage);
	if (leaf->dir[CGROUP_TREE_MEMORY] >= 0)
		cgroup_v1_usage(leaf, &usage);
	*ret = usage;
}

int cgroup_leaf_remove(struct cgroup *cgroup, struct cgroup_leaf *leaf)
{
	int fault = 0;

	for (int tree = 0; leaf->name[0] && tree < CGROUP_TREE_COUNT; tree++) {
		if (cgroup->base[tree] < 0 ||
		    unlinkat(cgroup->base[tree], leaf->name, AT_REMOVEDIR) == 0 ||
		    errno == ENOENT) {
			cleanup_fd_(&leaf->dir[tree]);
			continue;
		}
		fault = -errno;
	}
	if (!fault)
		cgroup_leaf_init(leaf);
	return fault;
}
