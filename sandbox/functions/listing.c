#include "sandbox/functions/listing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/base/cleanup.h"

#define FIRST_ENTRIES 64

static enum listing_kind kind_of(int folder, const struct dirent *entry)
{
	struct stat st;

	switch (entry->d_type) {
	case DT_REG: return LISTING_FILE;
	case DT_DIR: return LISTING_FOLDER;
	case DT_LNK: return LISTING_LINK;
	case DT_UNKNOWN: break;
	default: return LISTING_OTHER;
	}
	if (fstatat(folder, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return LISTING_OTHER;
	return S_ISREG(st.st_mode)   ? LISTING_FILE
	       : S_ISDIR(st.st_mode) ? LISTING_FOLDER
	       : S_ISLNK(st.st_mode) ? LISTING_LINK
				     : LISTING_OTHER;
}

static int add(struct listing *listing, size_t *cap, const char *name, enum listing_kind kind)
{
	struct listing_entry *entries = listing->entries;

	if (listing->count == *cap) {
		size_t more = *cap ? 2 * *cap : FIRST_ENTRIES;

		entries = reallocarray(entries, more, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
		listing->entries = entries;
		*cap = more;
	}
	entries[listing->count].name = strdup(name);
	if (!entries[listing->count].name)
		return -ENOMEM;
	entries[listing->count++].kind = kind;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(
	    ((const struct listing_entry *)a)->name, ((const struct listing_entry *)b)->name);
}

static int read_all(struct listing *listing, DIR *stream, size_t max)
{
	size_t cap = 0;

	for (;;) {
		struct dirent *entry;
		int r;

		errno = 0;
		entry = readdir(stream);
		if (!entry)
			return -errno;
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (listing->count == max) {
			listing->cut = true;
			return 0;
		}
		r = add(listing, &cap, entry->d_name, kind_of(dirfd(stream), entry));
		if (r < 0)
			return r;
	}
}

int listing_read(struct listing *ret, int folder, size_t max)
{
	int cleanup_fd copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream;
	int r;

	*ret = (struct listing){.entries = NULL};
	if (copy < 0)
		return -errno;
	stream = fdopendir(copy);
	if (!stream)
		return -errno;
	(void)take_fd(&copy);
	r = read_all(ret, stream, max);
	closedir(stream);
	if (ret->count > 1)
		qsort(ret->entries, ret->count, sizeof(ret->entries[0]), by_name);
	return r;
}

void listing_fini(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		free(listing->entries[i].name);
	free(take_ptr(listing->entries));
	listing->count = 0;
}
