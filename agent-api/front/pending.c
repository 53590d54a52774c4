#include "agent-api/front/pending.h"

#include <stdlib.h>
#include <string.h>

struct pending *pending_new(struct connection *connection, const char *id, size_t charge)
{
	struct pending *pending = calloc(1, sizeof(*pending));

	if (!pending)
		return NULL;
	pending->connection = connection;
	pending->charge = charge;
	pending->id = strdup(id);
	if (!pending->id) {
		free(pending);
		return NULL;
	}
	return pending;
}

void pending_free(struct pending *pending)
{
	if (!pending)
		return;
	free(pending->id);
	free(pending);
}

static struct pending **bucket(struct pending_table *table, uint64_t serial)
{
	return &table->buckets[serial % PENDING_BUCKETS];
}

void pending_add(struct pending_table *table, struct pending **head, struct pending *pending)
{
	struct pending **place = bucket(table, pending->serial);

	pending->next = *place;
	*place = pending;
	pending->sibling = *head;
	*head = pending;
	table->count++;
}

void pending_remove(struct pending_table *table, struct pending **head, struct pending *pending)
{
	struct pending **place = bucket(table, pending->serial);

	while (*place != pending)
		place = &(*place)->next;
	*place = pending->next;
	while (*head != pending)
		head = &(*head)->sibling;
	*head = pending->sibling;
	table->count--;
	pending_free(pending);
}

struct pending *pending_by_serial(const struct pending_table *table, uint64_t serial)
{
	struct pending *pending = table->buckets[serial % PENDING_BUCKETS];

	while (pending && pending->serial != serial)
		pending = pending->next;
	return pending;
}

struct pending *pending_by_id(struct pending *head, const char *id)
{
	while (head && strcmp(head->id, id) != 0)
		head = head->sibling;
	return head;
}
