/*
 * Requests that engine has not answered yet: found by the link's serial for the answer, by
 * connection and JSON-RPC id for a cancel or a duplicate. A late answer finds nothing.
 */
#ifndef CALLGATE_FRONT_PENDING_H
#define CALLGATE_FRONT_PENDING_H

#include <stddef.h>
#include <stdint.h>

#define PENDING_BUCKETS 4096 /* serials count up, so they spread evenly */

struct connection;

enum pending_state {
	PENDING_WAITING = 0,
	PENDING_CANCELLED, /* the client wants to hear nothing more of it */
};

struct pending {
	uint64_t serial;
	char *id;      /* JSON text, owned */
	size_t charge; /* bytes of its body, held against the front's budget */
	enum pending_state state;
	uint16_t method;               /* enum request_method */
	struct connection *connection; /* borrowed; outlives this */
	struct pending *next;          /* in the bucket */
	struct pending *sibling;       /* of the same connection */
};

struct pending_table {
	struct pending *buckets[PENDING_BUCKETS];
	uint32_t count;
};

/* Copies id. NULL when out of memory. Not yet in the table. */
struct pending *pending_new(struct connection *connection, const char *id, size_t charge);
void pending_free(struct pending *pending);

/* Takes ownership. Adds to the table and to the list at *head. */
void pending_add(struct pending_table *table, struct pending **head, struct pending *pending);
/* Takes out of both and frees. */
void pending_remove(struct pending_table *table, struct pending **head, struct pending *pending);

/* NULL if there is none. */
struct pending *pending_by_serial(const struct pending_table *table, uint64_t serial);
struct pending *pending_by_id(struct pending *head, const char *id);

#endif
