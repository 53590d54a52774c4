#include "supervisor/engine/approvals/approval_past.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/engine/engine.h"

struct past_ring {
	struct approval_past items[APPROVAL_PAST_MAX];
	uint32_t next;
};

static void fini(struct approval_past *past)
{
	free(past->space);
	free(past->tool);
	free(past->agent);
	free(past->principal);
	free(past->by);
	free(past->how);
	*past = (struct approval_past){.id = ""};
}

static bool fill(
    struct approval_past *past, const struct approval *approval, enum approval_state state)
{
	memcpy(past->id, approval->answer.id, sizeof(past->id));
	past->state = state;
	past->plan = approval->plan;
	past->ended_wall_us = clock_wall_us();
	past->space = strdup(approval->space);
	past->tool = strdup(approval->tool);
	past->agent = strdup(approval->agent);
	past->principal = strdup(approval->principal);
	past->by = strdup(approval->answer.principal);
	past->how = strdup(approval_answer_how(&approval->answer));
	return past->space && past->tool && past->agent && past->principal && past->by && past->how;
}

void approval_past_add(
    struct engine *engine, const struct approval *approval, enum approval_state state)
{
	struct past_ring *ring = engine->approvals.past;
	struct approval_past *past;

	if (!ring)
		ring = engine->approvals.past = calloc(1, sizeof(*ring));
	if (!ring)
		return;
	past = &ring->items[ring->next++ % APPROVAL_PAST_MAX];
	fini(past);
	if (!fill(past, approval, state))
		fini(past);
}

const struct approval_past *approval_past_find(const struct engine *engine, const char *id)
{
	const struct past_ring *ring = engine->approvals.past;

	for (size_t i = 0; *id && ring && i < APPROVAL_PAST_MAX; i++)
		if (strcmp(ring->items[i].id, id) == 0)
			return &ring->items[i];
	return NULL;
}

void approval_past_free_all(struct engine *engine)
{
	struct past_ring *ring = engine->approvals.past;

	for (size_t i = 0; ring && i < APPROVAL_PAST_MAX; i++)
		fini(&ring->items[i]);
	free(ring);
	engine->approvals.past = NULL;
}

struct approval_earlier approval_past_count(
    const struct engine *engine, const struct approval *approval)
{
	const struct past_ring *ring = engine->approvals.past;
	struct approval_earlier earlier = {0};

	for (size_t i = 0; ring && i < APPROVAL_PAST_MAX; i++) {
		const struct approval_past *past = &ring->items[i];
		bool same;

		if (!past->id[0] || !past->by[0] || strcmp(past->tool, approval->tool) != 0 ||
		    strcmp(past->principal, approval->principal) != 0 ||
		    strcmp(past->space, approval->space) != 0)
			continue;
		same = digest_equal(&past->plan, &approval->plan);
		if (past->state == APPROVAL_USED) {
			earlier.approved++;
			earlier.same_approved += same;
		} else if (past->state == APPROVAL_DENIED) {
			earlier.denied++;
			earlier.same_denied += same;
		}
	}
	return earlier;
}
