#include "policy/needles.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_MAX   8 /* bytes; a whole literal up to this is its own piece */
#define COUNTS_MAX  (1U << 18)
#define FILTER_MAX  (1U << 14)
#define ENTRIES_MIN 16

/* While they are collected. */
struct entry {
	struct literal literal;
	uint64_t piece;
	uint32_t piece_at;
	uint32_t row;
};

/* Afterwards: one of each, and the rows of equal ones beside each other. */
struct needle {
	const char *text; /* in needles->texts */
	uint32_t len;
	uint32_t piece_at;
	uint32_t rows, row_count;
	bool at_start, at_end;
};

/* The needles of one piece; count 0: empty. */
struct slot {
	uint64_t piece;
	uint32_t first, count;
};

struct needles {
	uint32_t *counts; /* of pieces, by hash; until it is sealed */
	uint32_t counts_mask;
	struct entry *entries; /* until it is sealed */
	uint32_t entry_count, entry_cap;

	char *texts;
	size_t text_bytes;
	struct needle *items; /* sorted; the empty one is the first */
	uint32_t count;
	uint32_t *rows;
	struct slot *slots;
	uint32_t slot_mask;
	uint8_t *filter; /* by hash of two bytes: bit n - 1, a piece of n bytes may begin so */
	uint32_t filter_mask;
	bool anywhere;       /* some may be in the middle; else only ends are looked at: */
	uint32_t from_start; /* bytes where pieces of those at the start may begin */
	uint32_t from_end;   /* the same, counted from the end */
};

/* ---- pieces -------------------------------------------------------------------------------- */

static uint32_t piece_len(uint32_t len)
{
	return len < PIECE_MAX ? len : PIECE_MAX;
}

/* Up to eight bytes as a number, the first lowest. */
static uint64_t piece_of(const char *text, size_t len)
{
	uint64_t piece = 0;

	if (len >= PIECE_MAX)
		memcpy(&piece, text, PIECE_MAX); /* one load */
	else
		memcpy(&piece, text, len);
	return le64toh(piece);
}

static uint32_t hash(uint64_t piece, uint32_t len)
{
	uint64_t mixed = (piece + len) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)((mixed ^ mixed >> 29) >> 16);
}

static uint32_t hash_pair(uint64_t piece)
{
	return (uint32_t)(piece & 0xffff) * 0x9e3779b1U >> 18;
}

static uint32_t power_of_two(uint64_t least, uint32_t max)
{
	uint32_t size = 64;

	while (size < least && size < max)
		size *= 2;
	return size;
}

/* ---- birth --------------------------------------------------------------------------------- */

struct needles *needles_new(uint32_t expected)
{
	struct needles *needles = calloc(1, sizeof(*needles));
	uint32_t size = power_of_two((uint64_t)expected * 16, COUNTS_MAX);

	if (!needles)
		return NULL;
	needles->counts = calloc(size, sizeof(*needles->counts));
	needles->counts_mask = size - 1;
	if (!needles->counts) {
		free(needles);
		return NULL;
	}
	return needles;
}

static void forget_entries(struct needles *needles)
{
	free(needles->counts);
	free(needles->entries);
	needles->counts = NULL;
	needles->entries = NULL;
}

void needles_free(struct needles *needles)
{
	if (!needles)
		return;
	forget_entries(needles);
	free(needles->texts);
	free(needles->items);
	free(needles->rows);
	free(needles->slots);
	free(needles->filter);
	free(needles);
}

/* ---- which piece --------------------------------------------------------------------------- */

static uint32_t *count_of(const struct needles *needles, const struct literal *literal, uint32_t at)
{
	uint32_t len = piece_len(literal->len);

	return &needles
		    ->counts[hash(piece_of(literal->text + at, len), len) & needles->counts_mask];
}

void needles_note(struct needles *needles, const struct literal *literal)
{
	for (uint32_t at = 0; at + piece_len(literal->len) <= literal->len; at++)
		++*count_of(needles, literal, at);
}

static uint32_t rarest_at(const struct needles *needles, const struct literal *literal)
{
	uint32_t best = 0;

	for (uint32_t at = 1; at + piece_len(literal->len) <= literal->len; at++)
		if (*count_of(needles, literal, at) < *count_of(needles, literal, best))
			best = at;
	return best;
}

uint32_t needles_crowd(const struct needles *needles, const struct literal *literal)
{
	return *count_of(needles, literal, rarest_at(needles, literal));
}

int needles_add(struct needles *needles, const struct literal *literal, uint32_t row)
{
	uint32_t at = rarest_at(needles, literal);

	if (needles->entry_count == needles->entry_cap) {
		uint32_t cap = needles->entry_cap ? needles->entry_cap * 2 : ENTRIES_MIN;
		struct entry *larger = realloc(needles->entries, cap * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		needles->entries = larger;
		needles->entry_cap = cap;
	}
	needles->entries[needles->entry_count++] = (struct entry){.literal = *literal,
	    .piece = piece_of(literal->text + at, piece_len(literal->len)),
	    .piece_at = at,
	    .row = row};
	return 0;
}

/* ---- sealing ------------------------------------------------------------------------------- */

static int order(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_literals(const struct literal *a, const struct literal *b)
{
	int result = order(a->len, b->len);

	if (!result)
		result = memcmp(a->text, b->text, a->len);
	if (!result)
		result = order(a->at_start * 2U + a->at_end, b->at_start * 2U + b->at_end);
	return result;
}

/* Needles of one piece together, equal ones beside each other. */
static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int result = order(piece_len(a->literal.len), piece_len(b->literal.len));

	if (!result)
		result = order(a->piece, b->piece);
	if (!result)
		result = compare_literals(&a->literal, &b->literal);
	return result ? result : order(a->row, b->row);
}

static void put_slot(struct needles *needles, uint64_t piece, uint32_t index)
{
	uint32_t len = piece_len(needles->items[index].len);
	uint32_t at = hash(piece, len) & needles->slot_mask;
	struct slot *slot = &needles->slots[at];

	while (slot->count &&
	       (slot->piece != piece || piece_len(needles->items[slot->first].len) != len))
		slot = &needles->slots[++at & needles->slot_mask];
	if (!slot->count)
		*slot = (struct slot){.piece = piece, .first = index};
	slot->count++;
}

/* A piece of one byte may be followed by any. */
static void put_filter(struct needles *needles, uint64_t piece, uint32_t len)
{
	if (len > 1) {
		needles->filter[hash_pair(piece) & needles->filter_mask] |=
		    (uint8_t)(1U << (len - 1));
		return;
	}
	for (uint64_t second = 0; second < 256; second++)
		needles->filter[hash_pair(piece | second << 8) & needles->filter_mask] |= 1;
}

static void put_reach(struct needles *needles, const struct needle *needle)
{
	uint32_t start = needle->piece_at + 1, end = needle->len - needle->piece_at;

	if (!needle->at_start && !needle->at_end)
		needles->anywhere = true;
	else if (needle->at_start && start > needles->from_start)
		needles->from_start = start;
	else if (!needle->at_start && end > needles->from_end)
		needles->from_end = end;
}

static int make_room(struct needles *needles)
{
	uint32_t slots = power_of_two((uint64_t)needles->entry_count * 2, UINT32_C(1) << 31);
	uint32_t filter = power_of_two((uint64_t)needles->entry_count * 8, FILTER_MAX);
	size_t bytes = 0;

	for (uint32_t i = 0; i < needles->entry_count; i++)
		bytes += needles->entries[i].literal.len;
	needles->texts = malloc(bytes + 1);
	needles->items = calloc(needles->entry_count + 1u, sizeof(*needles->items));
	needles->rows = calloc(needles->entry_count + 1u, sizeof(*needles->rows));
	needles->slots = calloc(slots, sizeof(*needles->slots));
	needles->filter = calloc(filter, 1);
	needles->slot_mask = slots - 1;
	needles->filter_mask = filter - 1;
	if (!needles->texts || !needles->items || !needles->rows || !needles->slots ||
	    !needles->filter)
		return -ENOMEM;
	return 0;
}

static void put_needle(struct needles *needles, const struct entry *entry, uint32_t row)
{
	const struct literal *literal = &entry->literal;
	struct needle *needle = &needles->items[needles->count];

	*needle = (struct needle){.text = needles->texts + needles->text_bytes,
	    .len = literal->len,
	    .piece_at = entry->piece_at,
	    .rows = row,
	    .at_start = literal->at_start,
	    .at_end = literal->at_end};
	memcpy(needles->texts + needles->text_bytes, literal->text, literal->len);
	needles->text_bytes += literal->len;
	if (literal->len) {
		put_slot(needles, entry->piece, needles->count);
		put_filter(needles, entry->piece, piece_len(literal->len));
		put_reach(needles, needle);
	}
	needles->count++;
}

int needles_seal(struct needles *needles)
{
	const struct entry *entries = needles->entries;

	if (make_room(needles))
		return -ENOMEM;
	if (needles->entry_count)
		qsort(needles->entries, needles->entry_count, sizeof(*entries), compare_entries);
	for (uint32_t i = 0; i < needles->entry_count; i++) {
		if (!i || compare_literals(&entries[i - 1].literal, &entries[i].literal))
			put_needle(needles, &entries[i], i);
		needles->items[needles->count - 1].row_count++;
		needles->rows[i] = entries[i].row;
	}
	forget_entries(needles);
	return 0;
}

/* ---- looking ------------------------------------------------------------------------------- */

struct search {
	const struct needles *needles;
	const char *text;
	size_t len;
	uint64_t *seen; /* owned; needles that were found, once there are any */
	uint64_t *rows;
	bool failed;
};

static bool is_at(const struct search *search, const struct needle *needle, size_t position)
{
	size_t start = position - needle->piece_at;

	if (position < needle->piece_at || search->len - start < needle->len)
		return false;
	if ((needle->at_start && start) || (needle->at_end && search->len - start != needle->len))
		return false;
	return !memcmp(search->text + start, needle->text, needle->len);
}

static void find_needle(struct search *search, uint32_t index, size_t position)
{
	const struct needle *needle = &search->needles->items[index];
	uint64_t bit = UINT64_C(1) << (index % 64);

	if ((search->seen && (search->seen[index / 64] & bit)) || !is_at(search, needle, position))
		return;
	if (!search->seen)
		search->seen = calloc(search->needles->count / 64 + 1, sizeof(*search->seen));
	if (!search->seen) {
		search->failed = true;
		return;
	}
	search->seen[index / 64] |= bit;
	for (uint32_t i = 0; i < needle->row_count; i++) {
		uint32_t row = search->needles->rows[needle->rows + i];

		search->rows[row / 64] |= UINT64_C(1) << (row % 64);
	}
}

static void find_piece(struct search *search, uint64_t piece, uint32_t len, size_t position)
{
	const struct needles *needles = search->needles;
	uint32_t at = hash(piece, len) & needles->slot_mask;
	const struct slot *slot = &needles->slots[at];

	for (; slot->count; slot = &needles->slots[++at & needles->slot_mask]) {
		if (slot->piece != piece || piece_len(needles->items[slot->first].len) != len)
			continue;
		for (uint32_t i = 0; i < slot->count; i++)
			find_needle(search, slot->first + i, position);
		return;
	}
}

/* Pieces that begin in [from, to). */
static void scan(struct search *search, size_t from, size_t to)
{
	const struct needles *needles = search->needles;

	for (size_t at = from; at < to; at++) {
		uint64_t here = piece_of(search->text + at, search->len - at);
		unsigned sizes = needles->filter[hash_pair(here) & needles->filter_mask];

		for (; sizes; sizes &= sizes - 1) {
			uint32_t len = (uint32_t)__builtin_ctz(sizes) + 1;

			if (len <= search->len - at)
				find_piece(search, here & UINT64_MAX >> (64 - 8 * len), len, at);
		}
	}
}

int needles_find(const struct needles *needles, const char *text, size_t len, uint64_t *rows)
{
	struct search search = {.needles = needles, .text = text, .len = len, .rows = rows};
	size_t start = needles->anywhere || needles->from_start > len ? len : needles->from_start;
	size_t end = needles->from_end < len ? len - needles->from_end : 0;

	if (!needles->count)
		return 0;
	if (!len && !needles->items[0].len)
		find_needle(&search, 0, 0);
	scan(&search, 0, start);
	scan(&search, end > start ? end : start, len);
	free(search.seen);
	return search.failed ? -ENOMEM : 0;
}

size_t needles_size(const struct needles *needles)
{
	return sizeof(*needles) + needles->text_bytes +
	       needles->count * (sizeof(struct needle) + sizeof(uint32_t)) +
	       (needles->slot_mask + 1u) * sizeof(struct slot) + needles->filter_mask + 1u;
}
