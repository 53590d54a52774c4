/*
 * What is in one folder, by name, in the order of bytes, so that two walks over the same tree say
 * the same. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_LISTING_H
#define CALLGATE_SANDBOX_FUNCTIONS_LISTING_H

#include <stdbool.h>
#include <stddef.h>

enum listing_kind {
	LISTING_OTHER = 0, /* FIFO, socket, device, or gone meanwhile */
	LISTING_FILE,
	LISTING_FOLDER,
	LISTING_LINK, /* never followed */
};

struct listing_entry {
	char *name;
	enum listing_kind kind;
};

struct listing {
	struct listing_entry *entries; /* sorted by name */
	size_t count;
	bool cut; /* the folder holds more than was allowed; which ones are here is chance */
};

/* folder: open for listing. Without "." and "..". At most max entries. 0, -ENOMEM, -errno; *ret is
 * released by listing_fini(), also after a fault. */
int listing_read(struct listing *ret, int folder, size_t max);
void listing_fini(struct listing *listing);

#endif
