#include "supervisor/warden/keeper/saved.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"
#include "supervisor/warden/keeper/keeper.h"

#define FOLDER     (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LIST_MAX   MESSAGE_BODY_MAX
#define NUMBER_MAX 999999
#define FOLDER_COST                                                                                \
	(UINT64_C(1) << 20) /* what each counts at least: KEEPER_SAVED bounds them, too */

bool saved_is_name(const char *call)
{
	return strlen(call) <= CALL_ID_MAX && str_is_name(call);
}

/* The N of CALL.N; 0: it is none of this call. call: NULL, any. */
static unsigned number_of(const char *name, const char *call)
{
	size_t len = call ? strlen(call) : strcspn(name, ".");
	uint64_t number;

	if ((call && strncmp(name, call, len) != 0) || name[len] != '.' ||
	    str_u64(name + len + 1, NUMBER_MAX, &number))
		return 0;
	return (unsigned)number;
}

/* ---- all of them ----------------------------------------------------------------------------- */

struct named {
	char name[NAME_MAX + 1];
	struct timespec when;
};

static int by_age(const void *a, const void *b)
{
	const struct timespec *x = &((const struct named *)a)->when;
	const struct timespec *y = &((const struct named *)b)->when;

	if (x->tv_sec != y->tv_sec)
		return x->tv_sec < y->tv_sec ? 1 : -1;
	return x->tv_nsec == y->tv_nsec ? 0 : x->tv_nsec < y->tv_nsec ? 1 : -1;
}

static struct named *list_all(int saved, uint32_t *ret_count)
{
	int fd = openat(saved, ".", FOLDER);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct named *all = NULL, *more;
	struct dirent *entry;
	struct stat st;

	*ret_count = 0;
	if (!list)
		return NULL;
	while ((entry = readdir(list))) {
		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISDIR(st.st_mode))
			continue;
		more = realloc(all, (*ret_count + 1) * sizeof(*all));
		if (!more)
			break;
		all = more;
		snprintf(all[*ret_count].name, sizeof(all->name), "%s", entry->d_name);
		all[(*ret_count)++].when = st.st_mtim;
	}
	closedir(list);
	if (*ret_count)
		qsort(all, *ret_count, sizeof(*all), by_age);
	return all;
}

char (*saved_names(int saved, uint32_t *ret_count))[NAME_MAX + 1]
{
	struct named *cleanup_free all = list_all(saved, ret_count);
	char(*names)[NAME_MAX + 1] = *ret_count ? calloc(*ret_count, sizeof(*names)) : NULL;

	if (!names)
		*ret_count = 0;
	for (uint32_t i = 0; i < *ret_count; i++)
		memcpy(names[i], all[i].name, sizeof(names[i]));
	return names;
}

bool saved_name_has(int saved, const char *name, const char *mark)
{
	int cleanup_fd dir = openat(saved, name, FOLDER);

	return dir >= 0 && faccessat(dir, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool is_open(int saved, const char *name)
{
	return saved_name_has(saved, name, SAVED_BEGUN) ||
	       saved_name_has(saved, name, SAVED_UNDOING);
}

bool saved_any_begun(int saved)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_names(saved, &count);
	bool any = false;

	for (uint32_t i = 0; i < count; i++)
		any = any || is_open(saved, names[i]);
	return any;
}

static uint64_t bytes_in(int saved, const char *name)
{
	int fd = openat(saved, name, FOLDER);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;
	uint64_t bytes = 0;

	if (!list)
		return 0;
	while ((entry = readdir(list)))
		if (fstatat(dirfd(list), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode))
			bytes += (uint64_t)st.st_size;
	closedir(list);
	return bytes;
}

/* The marks first: what is cut off here is never taken for a commit. */
void saved_remove(int saved, const char *name)
{
	static const char *const marks[] = {SAVED_BEGUN, SAVED_DONE, SAVED_UNDOING};
	int fd = openat(saved, name, FOLDER);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!list)
		return;
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		(void)unlinkat(dirfd(list), marks[i], 0);
	while ((entry = readdir(list)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(list), entry->d_name, 0);
	closedir(list);
	(void)unlinkat(saved, name, AT_REMOVEDIR);
}

/* ---- all of a call --------------------------------------------------------------------------- */

static bool is_same_call(const char *a, const char *b)
{
	size_t len = strcspn(a, ".");

	return len == strcspn(b, ".") && strncmp(a, b, len) == 0;
}

/* What the commits of the call of names[at] take up, or 0 where an earlier name is of it, too. */
static uint64_t bytes_of_call(
    int saved, char (*names)[NAME_MAX + 1], uint32_t count, uint32_t at, bool *ret_open)
{
	uint64_t bytes = 0;

	*ret_open = false;
	for (uint32_t i = 0; i < at; i++)
		if (is_same_call(names[i], names[at]))
			return 0;
	for (uint32_t i = at; i < count; i++)
		if (is_same_call(names[i], names[at])) {
			uint64_t own = bytes_in(saved, names[i]);

			bytes += own > FOLDER_COST ? own : FOLDER_COST;
			*ret_open = *ret_open || is_open(saved, names[i]);
		}
	return bytes;
}

static void remove_call(int saved, char (*names)[NAME_MAX + 1], uint32_t count, uint32_t at)
{
	for (uint32_t i = count; i-- > at;)
		if (is_same_call(names[i], names[at]))
			saved_remove(saved, names[i]);
}

void saved_trim(int saved)
{
	uint32_t count, calls = 0;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_names(saved, &count);
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < count; i++) {
		bool open;
		uint64_t own = bytes_of_call(saved, names, count, i, &open);

		if (!own)
			continue;
		bytes += own;
		if ((++calls > KEEPER_UNDO || bytes > KEEPER_SAVED) && !open)
			remove_call(saved, names, count, i);
	}
}

static int by_number_down(const void *a, const void *b)
{
	unsigned x = number_of(a, NULL), y = number_of(b, NULL);

	return x < y ? 1 : -(x > y);
}

char (*saved_whole(int saved, const char *call, uint32_t *ret_count))[NAME_MAX + 1]
{
	uint32_t count;
	char(*names)[NAME_MAX + 1] = saved_names(saved, &count);

	*ret_count = 0;
	for (uint32_t i = 0; i < count; i++)
		if (number_of(names[i], call) && saved_name_has(saved, names[i], SAVED_DONE))
			memmove(names[(*ret_count)++], names[i], sizeof(*names));
	if (*ret_count)
		qsort(names, *ret_count, sizeof(*names), by_number_down);
	return names;
}

/* Its newest folder last: that has the mark, and as long as there is one a start goes on. */
static void remove_undone(int saved, const char *call)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_whole(saved, call, &count);

	while (count-- > 0)
		saved_remove(saved, names[count]);
}

void saved_settle(int saved, const char *call, bool taken_back)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_names(saved, &count);

	for (uint32_t i = 0; i < count; i++) {
		int cleanup_fd dir = -1;

		if (!number_of(names[i], call) || !is_open(saved, names[i]))
			continue;
		if (taken_back && saved_name_has(saved, names[i], SAVED_UNDOING)) {
			remove_undone(saved, call);
		} else if (taken_back) {
			saved_remove(saved, names[i]);
		} else if ((dir = openat(saved, names[i], FOLDER)) >= 0) {
			(void)unlinkat(dir, SAVED_BEGUN, 0);
			(void)fsync(dir);
		}
	}
}

/* ---- one of them ----------------------------------------------------------------------------- */

int saved_new(int saved, const char *call, struct saved *ret)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_names(saved, &count);
	unsigned last = 0;

	ret->dir = -1;
	for (uint32_t i = 0; i < count; i++)
		if (number_of(names[i], call) > last)
			last = number_of(names[i], call);
	snprintf(ret->place.name, sizeof(ret->place.name), "%s.%u", call, last + 1);
	if (!saved_is_name(call) || last >= NUMBER_MAX)
		return -EINVAL;
	if (mkdirat(saved, ret->place.name, 0700) < 0)
		return -errno;
	ret->dir = openat(saved, ret->place.name, FOLDER);
	return ret->dir < 0 ? -errno : 0;
}

static int write_file(int dir, const char *name, const struct buf *bytes)
{
	return bytes->fault ? bytes->fault
			    : fd_write_file_at(dir, name, 0600, bytes->data, bytes->len);
}

int saved_write(const struct saved *saved)
{
	struct buf cleanup_with(buf_fini) meta, cleanup_with(buf_fini) list;
	int fault;

	buf_init(&meta, LIST_MAX);
	buf_init(&list, LIST_MAX);
	buf_put_u64(&meta, saved->place.dev);
	buf_put_u64(&meta, saved->place.ino);
	buf_put(&meta, saved->place.effects.bytes, DIGEST_LEN);
	for (uint32_t i = 0; i < saved->list.count; i++) {
		buf_put_u32(&meta, saved->owners[i][0]);
		buf_put_u32(&meta, saved->owners[i][1]);
	}
	fault = effects_encode(&list, &saved->list);
	if (!fault)
		fault = write_file(saved->dir, "list", &list);
	return fault ? fault : write_file(saved->dir, "meta", &meta);
}

static int read_file(int dir, const char *name, char **ret, size_t *ret_len)
{
	int cleanup_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd_read_all(fd, LIST_MAX, ret, ret_len);
}

static int read_meta(struct saved *saved)
{
	char *cleanup_free bytes = NULL;
	struct reader in;
	const void *digest;
	size_t len;
	int fault = read_file(saved->dir, "meta", &bytes, &len);

	if (fault)
		return fault;
	reader_init(&in, bytes, len);
	saved->place.dev = reader_u64(&in);
	saved->place.ino = reader_u64(&in);
	digest = reader_raw(&in, DIGEST_LEN);
	if (!digest)
		return -EBADMSG;
	memcpy(saved->place.effects.bytes, digest, DIGEST_LEN);
	saved->owners = calloc(saved->list.count + 1, sizeof(*saved->owners));
	if (!saved->owners)
		return -ENOMEM;
	for (uint32_t i = 0; i < saved->list.count; i++) {
		saved->owners[i][0] = reader_u32(&in);
		saved->owners[i][1] = reader_u32(&in);
	}
	return reader_end(&in);
}

int saved_open(int saved, const char *name, struct saved *ret)
{
	char *cleanup_free bytes = NULL;
	size_t len;
	int fault;

	*ret = (struct saved){.dir = openat(saved, name, FOLDER)};
	if (ret->dir < 0)
		return -errno;
	snprintf(ret->place.name, sizeof(ret->place.name), "%s", name);
	fault = read_file(ret->dir, "list", &bytes, &len);
	if (!fault)
		fault = effects_decode(&ret->list, bytes, len);
	if (!fault)
		fault = read_meta(ret);
	if (fault)
		saved_close(ret);
	return fault;
}

void saved_close(struct saved *saved)
{
	cleanup_fd_(&saved->dir);
	effects_fini(&saved->list);
	cleanup_free_(&saved->owners);
}

int saved_mark(const struct saved *saved, const char *mark)
{
	int fault = fd_write_file_at(saved->dir, mark, 0600, "", 0);

	return !fault && fsync(saved->dir) < 0 ? -errno : fault;
}

int saved_unmark(const struct saved *saved, const char *mark)
{
	if (unlinkat(saved->dir, mark, 0) < 0 && errno != ENOENT)
		return -errno;
	return fsync(saved->dir) < 0 ? -errno : 0;
}

int saved_find(int saved, const char *call, struct saved_place *ret)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_whole(saved, call, &count);
	struct saved found;
	int fault = count ? saved_open(saved, names[0], &found) : -ENOENT;

	if (!fault) {
		*ret = found.place;
		saved_close(&found);
	}
	return fault;
}
