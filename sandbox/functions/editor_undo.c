#include "sandbox/functions/editor_undo.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include <jansson.h>
#include <openssl/sha.h>

#include "sandbox/functions/editor.h"
#include "sandbox/functions/editor_file.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define FOLDER        "undo"
#define NAME_DIGITS   16
#define NUMBER_MAX    9999999999999999ULL
#define LISTED_MAX    4096        /* files looked at; there are UNDO_ENTRIES_MAX of our own */
#define HEAD_MAX      (32 * 1024) /* a path of PATH_MAX bytes, each escaped as \u00xx, and more */
#define LOCK_TRIES    40
#define LOCK_PAUSE_NS (50 * 1000 * 1000L)

struct item {
	uint64_t number;
	uint64_t size;
};

struct list {
	struct item items[LISTED_MAX];
	size_t count;
};

/* ---- the folder ----------------------------------------------------------------------------- */

static int make_ignored(int dir)
{
	int cleanup_fd fd =
	    openat(dir, ".gitignore", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? 0 : -errno;
	return fd_write_all(fd, "*\n", 2);
}

static int open_or_make(int dir, const char *name, enum undo_mode mode)
{
	if (mode == UNDO_MAKE && mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return -errno;
	return place_open_folder(dir, name);
}

/* Waits a little and not for ever: anybody in the workspace could hold the lock. */
static int lock(int dir)
{
	const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};

	for (int i = 0; i < LOCK_TRIES; i++) {
		if (flock(dir, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return -errno;
		(void)nanosleep(&pause, NULL);
	}
	return -EWOULDBLOCK;
}

static int open_locked(struct undo *undo, int top, enum undo_mode mode)
{
	int cleanup_fd private = open_or_make(top, PLACE_PRIVATE, mode);
	int cleanup_fd dir = -1;
	int r;

	if (private < 0)
		return private;
	r = mode == UNDO_MAKE ? make_ignored(private) : 0;
	if (r < 0)
		return r;
	dir = open_or_make(private, FOLDER, mode);
	if (dir < 0)
		return dir;
	r = lock(dir);
	if (r < 0)
		return r;
	undo->dir = take_fd(&dir);
	return 0;
}

static int refuse(int fault, struct err_note *note)
{
	if (fault == -ENOTDIR || fault == -ELOOP)
		return err_note(note, fault,
		    PLACE_PRIVATE "/" FOLDER ": is not a folder, so that no undo could be kept; "
				  "remove what is there");
	if (fault == -EWOULDBLOCK)
		return err_note(
		    note, fault, PLACE_PRIVATE "/" FOLDER ": another edit is under way; try again");
	if (fault == -E2BIG || fault == -ERANGE)
		return err_note(note, fault,
		    PLACE_PRIVATE "/" FOLDER ": holds files that are not the editor's, so that no "
				  "undo could be kept; remove that folder");
	if (fault == -EROFS)
		return err_note(note, fault,
		    "this working directory is read-only; nothing can be changed in it");
	(void)err_note(
	    note, fault, "the undo history (" PLACE_PRIVATE "/" FOLDER ") cannot be kept");
	return err_note_errno(note, fault);
}

int undo_open(struct undo *ret, int top, enum undo_mode mode, struct err_note *note)
{
	int r;

	*ret = (struct undo){.dir = -1};
	r = open_locked(ret, top, mode);
	if (r == -ENOENT && mode == UNDO_AS_IS)
		return UNDO_NONE;
	return r < 0 ? refuse(r, note) : 0;
}

void undo_fini(struct undo *undo)
{
	cleanup_fd_(&undo->dir);
}

/* ---- the list of entries --------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const struct item *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

static void entry_name(char out[NAME_DIGITS + 1], uint64_t number)
{
	snprintf(out, NAME_DIGITS + 1, "%016llu", (unsigned long long)(number % (NUMBER_MAX + 1)));
}

static void close_listing(DIR **listing)
{
	if (*listing)
		closedir(*listing);
}

/* Other names than ours are passed over. Sorted, oldest first. */
static int list_entries(int dir, struct list *list)
{
	DIR cleanup_with(close_listing) *listing = NULL;
	int cleanup_fd fd = place_open_folder(dir, ".");
	struct dirent *entry;
	size_t seen = 0;

	if (fd < 0)
		return fd;
	listing = fdopendir(fd);
	if (!listing)
		return -errno;
	(void)take_fd(&fd);
	list->count = 0;
	while ((entry = readdir(listing))) {
		struct item *item = &list->items[list->count];
		struct stat st;

		if (++seen > LISTED_MAX)
			return -E2BIG;
		if (strlen(entry->d_name) != NAME_DIGITS ||
		    str_u64(entry->d_name, NUMBER_MAX, &item->number) < 0)
			continue;
		if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		item->size = st.st_size > 0 ? (uint64_t)st.st_size : 0;
		list->count++;
	}
	qsort(list->items, list->count, sizeof(list->items[0]), by_number);
	return 0;
}

static int list_new(int dir, struct list **ret)
{
	struct list *cleanup_free list = malloc(sizeof(*list));
	int r = list ? list_entries(dir, list) : -ENOMEM;

	if (r == 0)
		*ret = take_ptr(list);
	return r;
}

void undo_drop(const struct undo *undo, uint64_t number)
{
	char name[NAME_DIGITS + 1];

	entry_name(name, number);
	(void)unlinkat(undo->dir, name, 0); /* gone already, or a folder that is none of ours */
}

void undo_trim(const struct undo *undo)
{
	struct list *cleanup_free list = NULL;
	uint64_t bytes = 0;
	size_t count;

	if (list_new(undo->dir, &list) < 0)
		return; /* the next edit says so */
	for (size_t i = 0; i < list->count; i++)
		bytes += list->items[i].size;
	count = list->count;
	for (size_t i = 0; i < list->count; i++) {
		if (count <= UNDO_ENTRIES_MAX && bytes <= UNDO_BYTES_MAX)
			return;
		undo_drop(undo, list->items[i].number);
		bytes -= list->items[i].size;
		count--;
	}
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The line in front of the bytes; freed by the caller. NULL where the path is not UTF-8. */
static char *head_line(const struct editor_file *file, const char *after, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char hex[2 * SHA256_DIGEST_LENGTH + 1];
	json_t *head;
	char *text;

	SHA256((const unsigned char *)after, len, digest);
	str_hex(hex, digest, sizeof(digest));
	head = json_pack("{s:s,s:b,s:s}", "after", hex, "before", file->exists ? 1 : 0, "path",
	    file->place.path);
	if (!head)
		return NULL;
	text = json_dumps(head, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(head);
	return text;
}

static int write_entry(int fd, const struct editor_file *file, const char *head)
{
	int r = fd_write_all(fd, head, strlen(head));

	if (r == 0)
		r = fd_write_all(fd, "\n", 1);
	if (r == 0)
		r = fd_write_all(fd, file->bytes, file->len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r;
}

static int keep(struct undo *undo, const struct editor_file *file, const char *head)
{
	struct list *cleanup_free list = NULL;
	char name[NAME_DIGITS + 1];
	int cleanup_fd fd = -1;
	uint64_t number;
	int r = list_new(undo->dir, &list);

	if (r < 0)
		return r;
	number = list->count > 0 ? list->items[list->count - 1].number + 1 : 1;
	if (number > NUMBER_MAX)
		return -ERANGE;
	entry_name(name, number);
	fd = openat(undo->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	undo->number = number;
	r = write_entry(fd, file, head);
	if (r < 0)
		undo_drop(undo, number);
	return r;
}

int undo_keep(struct undo *undo, const struct editor_file *file, const char *after, size_t len,
    struct err_note *note)
{
	char *cleanup_free head = head_line(file, after, len);
	int r;

	if (!head)
		return err_note(note, -EILSEQ,
		    PLACE_SHOWN ": the name is not UTF-8; rename it first", file->place.path);
	r = keep(undo, file, head);
	return r < 0 ? refuse(r, note) : 0;
}

/* ---- reading -------------------------------------------------------------------------------- */

static bool head_holds(const json_t *head, const char *path, struct undo_entry *entry)
{
	const json_t *before = json_object_get(head, "before");
	const char *after = json_string_value(json_object_get(head, "after"));
	const char *of = json_string_value(json_object_get(head, "path"));

	if (!json_is_boolean(before) || !after || !of || strcmp(of, path) != 0)
		return false;
	entry->existed = json_is_true(before);
	return str_unhex(entry->after, sizeof(entry->after), after) == 0;
}

/* The length of the first line with its end, if it is a head of this path; else 0. */
static size_t read_head(int fd, const char *path, struct undo_entry *entry)
{
	char *cleanup_free bytes = malloc(HEAD_MAX);
	ssize_t len = bytes ? pread(fd, bytes, HEAD_MAX, 0) : -1;
	const char *feed = len > 0 ? memchr(bytes, '\n', (size_t)len) : NULL;
	json_t *head;
	bool holds;

	if (!feed)
		return 0;
	head = json_loadb(bytes, (size_t)(feed - bytes), JSON_REJECT_DUPLICATES, NULL);
	holds = head && head_holds(head, path, entry);
	json_decref(head);
	return holds ? (size_t)(feed - bytes) + 1 : 0;
}

/* 0, UNDO_NONE for what is no entry of this path, -ENOMEM. */
static int read_entry(int dir, uint64_t number, const char *path, struct undo_entry *entry)
{
	char *cleanup_free bytes = NULL;
	char name[NAME_DIGITS + 1];
	int cleanup_fd fd = -1;
	size_t len, head;
	struct stat st;
	int r;

	entry_name(name, number);
	fd = place_open_file(dir, name, &st);
	if (fd < 0)
		return UNDO_NONE;
	head = read_head(fd, path, entry);
	if (head == 0)
		return UNDO_NONE;
	r = fd_read_all(fd, EDITOR_FILE_MAX + HEAD_MAX, &bytes, &len);
	if (r < 0)
		return r == -ENOMEM ? r : UNDO_NONE;
	if (len < head || len - head > EDITOR_FILE_MAX || (!entry->existed && len != head))
		return UNDO_NONE;
	memmove(bytes, bytes + head, len - head + 1);
	entry->number = number;
	entry->bytes = take_ptr(bytes);
	entry->len = len - head;
	return 0;
}

int undo_last(const struct undo *undo, const char *path, struct undo_entry *ret)
{
	struct list *cleanup_free list = NULL;
	int r = list_new(undo->dir, &list);

	if (r < 0)
		return r;
	for (size_t i = list->count; i > 0; i--) {
		*ret = (struct undo_entry){.bytes = NULL};
		r = read_entry(undo->dir, list->items[i - 1].number, path, ret);
		if (r != UNDO_NONE)
			return r;
	}
	return UNDO_NONE;
}

void undo_entry_fini(struct undo_entry *entry)
{
	free(take_ptr(entry->bytes));
}

bool undo_entry_left(const struct undo_entry *entry, const char *bytes, size_t len)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const unsigned char *)bytes, len, digest);
	return memcmp(digest, entry->after, sizeof(digest)) == 0;
}
