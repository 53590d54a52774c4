#include "supervisor/warden/keeper/revert.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/warden/keeper/side.h"

/* ---- several commits, one list --------------------------------------------------------------- */

/* One path of one commit. */
struct piece {
	const struct effect *was;
	uint32_t commit, number;
};

static int by_path(const void *a, const void *b)
{
	const struct piece *x = a, *y = b;
	int order = strcmp(x->was->path, y->was->path);

	return order ? order : x->commit < y->commit ? -1 : x->commit > y->commit;
}

/* All pieces, a path's newest first. NULL: out of memory. */
static struct piece *take_pieces(const struct revert *revert, size_t *ret_count)
{
	struct piece *pieces;
	size_t at = 0;

	*ret_count = 0;
	for (uint32_t c = 0; c < revert->count; c++)
		*ret_count += revert->commits[c].list.count;
	pieces = calloc(*ret_count + 1, sizeof(*pieces));
	if (!pieces)
		return NULL;
	for (uint32_t c = 0; c < revert->count; c++)
		for (uint32_t i = 0; i < revert->commits[c].list.count; i++)
			pieces[at++] = (struct piece){&revert->commits[c].list.items[i], c, i};
	qsort(pieces, at, sizeof(*pieces), by_path);
	return pieces;
}

/* Commits of one call choose from one list: of a path all of them say the same. */
static bool is_same(const struct effect *a, const struct effect *b)
{
	return a->kind == b->kind && side_equal(&a->before, &b->before) &&
	       side_equal(&a->after, &b->after);
}

static char *read_target(int dir, uint32_t number)
{
	char name[32], *text = NULL;
	int cleanup_fd fd = -1;
	size_t len;

	(void)snprintf(name, sizeof(name), "b%u", number);
	fd = side_open(dir, name);
	return fd < 0 || fd_read_all(fd, PATH_MAX, &text, &len) ? NULL : text;
}

static uint8_t turned(uint8_t kind)
{
	return kind == EFFECT_ADDED ? EFFECT_REMOVED : kind == EFFECT_REMOVED ? EFFECT_ADDED : kind;
}

static int turn(struct revert *revert, const struct piece *piece)
{
	const struct saved *commit = &revert->commits[piece->commit];
	const struct effect *was = piece->was;
	char *target =
	    was->before.type == EFFECT_LINK ? read_target(commit->dir, piece->number) : strdup("");
	uint32_t at = revert->list.count;

	if (!target)
		return -EIO;
	revert->list.items[at] = (struct effect){.kind = turned(was->kind),
	    .path = was->path,
	    .target = target,
	    .before = was->after,
	    .after = was->before};
	revert->kept[at] = (struct write_kept){.dir = commit->dir,
	    .number = piece->number,
	    .uid = commit->owners[piece->number][0],
	    .gid = commit->owners[piece->number][1]};
	revert->list.count++;
	return 0;
}

static int merge(struct revert *revert)
{
	size_t count;
	struct piece *cleanup_free pieces = take_pieces(revert, &count);
	int fault = 0;

	revert->list.items = calloc(count + 1, sizeof(*revert->list.items));
	revert->kept = calloc(count + 1, sizeof(*revert->kept));
	revert->left = calloc(count + 1, sizeof(*revert->left));
	if (!pieces || !revert->list.items || !revert->kept || !revert->left)
		return -ENOMEM;
	for (size_t i = 0; !fault && i < count; i++) {
		if (i == 0 || strcmp(pieces[i].was->path, pieces[i - 1].was->path) != 0)
			fault = turn(revert, &pieces[i]);
		else if (!is_same(pieces[i].was, pieces[i - 1].was))
			fault = -ESTALE;
	}
	return fault;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int add(int saved, const char *name, struct revert *revert)
{
	struct saved *first = revert->commits, *next;
	struct saved *more = realloc(first, (revert->count + 1) * sizeof(*more));
	int fault;

	if (!more)
		return -ENOMEM;
	revert->commits = more;
	next = &more[revert->count];
	fault = saved_open(saved, name, next);
	if (fault)
		return fault;
	revert->count++;
	return next->place.dev == more->place.dev && next->place.ino == more->place.ino &&
		       digest_equal(&next->place.effects, &more->place.effects)
		   ? 0
		   : -ESTALE;
}

static int finish(struct revert *revert, const char *name, int fault)
{
	(void)snprintf(revert->temporary, sizeof(revert->temporary), ".callgate-%.*s",
	    (int)strcspn(name, "."), name);
	if (!fault)
		fault = merge(revert);
	if (fault)
		revert_close(revert);
	return fault;
}

int revert_open_call(int saved, const char *call, struct revert *ret)
{
	uint32_t count;
	char(*cleanup_free names)[NAME_MAX + 1] = saved_whole(saved, call, &count);
	int fault = count ? 0 : -ENOENT;

	*ret = (struct revert){.count = 0};
	for (uint32_t i = 0; !fault && i < count; i++)
		fault = add(saved, names[i], ret);
	return finish(ret, call, fault);
}

int revert_open(int saved, const char *name, struct revert *ret)
{
	char call[NAME_MAX + 1];

	if (saved_name_has(saved, name, SAVED_UNDOING)) {
		(void)snprintf(call, sizeof(call), "%.*s", (int)strcspn(name, "."), name);
		return revert_open_call(saved, call, ret);
	}
	*ret = (struct revert){.count = 0};
	return finish(ret, name, add(saved, name, ret));
}

void revert_close(struct revert *revert)
{
	for (uint32_t i = 0; i < revert->list.count; i++)
		free((char *)revert->list.items[i].target);
	effects_fini(&revert->list);
	for (uint32_t i = 0; i < revert->count; i++)
		saved_close(&revert->commits[i]);
	free(revert->commits);
	free(revert->kept);
	free(revert->left);
	*revert = (struct revert){.count = 0};
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* What was being made is in one of the folders of the list. */
static void remove_temporary(int workspace, const struct revert *revert)
{
	for (uint32_t i = 0; i < revert->list.count; i++) {
		const char *name;
		int cleanup_fd dir = side_parent(workspace, revert->list.items[i].path, &name);

		if (dir >= 0)
			(void)unlinkat(dir, revert->temporary, 0);
	}
}

int revert_leniently(int workspace, struct revert *revert)
{
	const struct write_spec spec = {.workspace = workspace,
	    .list = &revert->list,
	    .upper = -1,
	    .kept = revert->kept,
	    .temporary = revert->temporary,
	    .left = revert->left};
	uint32_t at = 0;
	int fault;

	remove_temporary(workspace, revert);
	fault = write_all(&spec, NULL, &at, NULL);
	revert->left_count = 0;
	for (uint32_t i = 0; i < revert->list.count; i++)
		revert->left_count += revert->left[i];
	return fault;
}

int revert_tell(const struct revert *revert, struct buf *out, uint32_t *ret_count)
{
	struct effects told = {.items = calloc(revert->list.count + 1, sizeof(*told.items))};
	int fault = told.items ? 0 : -ENOMEM;

	for (uint32_t i = 0; !fault && i < revert->list.count; i++)
		if (!revert->left[i])
			told.items[told.count++] = revert->list.items[i];
	*ret_count = told.count;
	if (!fault)
		fault = effects_encode(out, &told);
	free(told.items);
	return fault;
}
