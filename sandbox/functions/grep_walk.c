#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sandbox/functions/grep.h"
#include "sandbox/functions/grep_search.h"
#include "sandbox/functions/listing.h"
#include "sandbox/functions/place.h"
#include "supervisor/base/cleanup.h"

/* Where the walk is: one path for all levels, cut back on the way up. */
struct grep_way {
	struct grep *grep;
	char path[PATH_MAX]; /* from the working directory */
	unsigned depth;
};

static bool is_never_searched(const char *name)
{
	return strcmp(name, ".git") == 0 || place_is_private(name);
}

/* A name that is too long for a path cannot be opened by that path either. */
static bool way_append(struct grep_way *way, const char *name)
{
	size_t len = strlen(way->path), more = strlen(name);

	if (len + 1 + more >= sizeof(way->path))
		return false;
	if (len > 0)
		way->path[len++] = '/';
	memcpy(way->path + len, name, more + 1);
	return true;
}

static int walk_folder(struct grep_way *way, int folder);

static int visit_file(struct grep_way *way, int folder, const char *name)
{
	struct grep *grep = way->grep;

	if (!grep_glob_takes(&grep->glob, way->path))
		return 0;
	if (grep->files == GREP_FILES_MAX) {
		grep->stop = GREP_STOP_FILES;
		return 0;
	}
	grep->files++;
	return grep_file(grep, folder, name, way->path);
}

static int visit_folder(struct grep_way *way, int folder, const char *name)
{
	int cleanup_fd inner = -1;
	int r;

	if (way->depth == GREP_DEPTH_MAX) {
		way->grep->skipped.deep++;
		return 0;
	}
	inner = place_open_folder(folder, name);
	if (inner < 0) {
		way->grep->skipped.unreadable++;
		return 0;
	}
	way->depth++;
	r = walk_folder(way, inner);
	way->depth--;
	return r;
}

static int visit(struct grep_way *way, int folder, const struct listing_entry *entry)
{
	size_t len = strlen(way->path);
	int r = 0;

	if (is_never_searched(entry->name) ||
	    (entry->name[0] == '.' && !grep_glob_names(&way->grep->glob, entry->name)))
		return 0;
	if (!way_append(way, entry->name)) {
		way->grep->skipped.deep++;
		return 0;
	}
	if (entry->kind == LISTING_FILE)
		r = visit_file(way, folder, entry->name);
	else if (entry->kind == LISTING_FOLDER)
		r = visit_folder(way, folder, entry->name);
	way->path[len] = '\0';
	return r;
}

/* Files and folders in the order of their names. */
static int walk_folder(struct grep_way *way, int folder)
{
	struct listing cleanup_with(listing_fini) listing = {.count = 0};
	struct grep *grep = way->grep;
	int r = listing_read(&listing, folder, GREP_ENTRIES_MAX - grep->entries);

	if (r == -ENOMEM)
		return r;
	if (r < 0)
		grep->skipped.unreadable++;
	grep->entries += listing.count;
	if (listing.cut)
		grep->stop = GREP_STOP_FILES;
	for (size_t i = 0; i < listing.count && grep->stop == GREP_GO_ON; i++) {
		r = visit(way, folder, &listing.entries[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int grep_walk(struct grep *grep, const struct place *place)
{
	struct grep_way way = {.grep = grep};
	int cleanup_fd folder = -1;

	snprintf(way.path, sizeof(way.path), "%s", place->path);
	if (!S_ISDIR(place->st.st_mode)) {
		grep->files++;
		return grep_file(grep, place->dir, place->name, way.path);
	}
	folder = place_open_folder(place->dir, place->name);
	if (folder < 0) {
		grep->skipped.unreadable++;
		return 0;
	}
	return walk_folder(&way, folder);
}
