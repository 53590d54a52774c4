#include "supervisor/engine/effects/effect_book.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"
#include "supervisor/engine/approvals/approval_text.h"
#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/engine.h"

const char *holding_state_name(enum holding_state state)
{
	switch (state) {
#define HOLDING_NAME_(id, name)                                                                    \
	case HOLDING_##id: return name;
		HOLDING_STATES(HOLDING_NAME_)
#undef HOLDING_NAME_
	case HOLDING_NONE: break;
	}
	return "none";
}

/* ---- birth and death ---------------------------------------------------------------------- */

static void free_holding(struct holding *holding)
{
	if (holding->account) {
		quota_return(holding->account, QUOTA_HOLD, 1);
		quota_return(holding->account, QUOTA_BYTE, holding->charged_bytes);
		(void)quota_drop(holding->account);
	}
	(void)caller_drop(holding->caller);
	free(holding->agent);
	free(holding->space);
	free(holding->tool);
	free(holding->command);
	free(holding->written);
	effects_fini(&holding->effects);
	free(holding);
}

static int fill(struct holding *holding, const struct call *call)
{
	memcpy(holding->call, call->id, sizeof(holding->call));
	holding->caller = caller_hold(call->caller);
	holding->agent = strdup(call->identity.agent ? call->identity.agent->name : "");
	holding->space = strdup(call->identity.space->name);
	holding->tool = strdup(call->tool->name);
	holding->command = approval_command(call);
	holding->plan = call->plan;
	holding->created_wall_us = clock_wall_us();
	holding->written = calloc(holding->effects.count, sizeof(*holding->written));
	return holding->agent && holding->space && holding->tool && holding->command &&
		       holding->written
		   ? 0
		   : -1;
}

/* The bytes are charged only where there is room for them: what is held is held already. */
static void charge(struct holding *holding, struct call *call, size_t len)
{
	holding->account = quota_hold(call->engine, call->caller);
	if (!holding->account)
		return;
	call->holds = false; /* from now on the charge is the holding's */
	if (quota_charge(holding->account, QUOTA_BYTE, 2 * len) == 0)
		holding->charged_bytes = 2 * len;
}

struct holding *effect_book_add(
    struct call *call, struct effects *effects, const void *bytes, size_t len)
{
	struct holding *holding = calloc(1, sizeof(*holding));

	if (!holding) {
		effects_fini(effects);
		return NULL;
	}
	holding->effects = *effects;
	*effects = (struct effects){.count = 0};
	effects_digest(&holding->digest, bytes, len);
	if (fill(holding, call)) {
		free_holding(holding);
		return NULL;
	}
	charge(holding, call, len);
	holding->state = HOLDING_HELD;
	holding->next = call->engine->effects.first;
	call->engine->effects.first = holding;
	return holding;
}

void effect_book_drop(struct engine *engine, struct holding *holding)
{
	struct holding **at = &engine->effects.first;

	while (*at != holding)
		at = &(*at)->next;
	*at = holding->next;
	free_holding(holding);
}

void effect_book_free_all(struct engine *engine)
{
	effect_op_free_all(engine);
	while (engine->effects.first)
		effect_book_drop(engine, engine->effects.first);
}

/* ---- finding ------------------------------------------------------------------------------ */

struct holding *effect_book_find(const struct engine *engine, const char *call)
{
	struct holding *at = engine->effects.first;

	while (at && strcmp(at->call, call) != 0)
		at = at->next;
	return at;
}

struct holding *effect_book_twin(const struct call *call)
{
	const char *agent = call->identity.agent ? call->identity.agent->name : "";
	struct holding *at = call->engine->effects.first;

	while (at && !(at->approval[0] && digest_equal(&at->plan, &call->plan) &&
			 strcmp(at->caller->principal, call->caller->principal) == 0 &&
			 strcmp(at->agent, agent) == 0 &&
			 strcmp(at->space, call->identity.space->name) == 0 &&
			 strcmp(at->tool, call->tool->name) == 0))
		at = at->next;
	return at;
}

bool effect_book_make_room(struct engine *engine, struct account *account)
{
	struct holding *oldest = NULL;

	for (struct holding *at = engine->effects.first; at; at = at->next)
		if (at->account == account && !at->busy && at->state != HOLDING_HELD)
			oldest = at;
	if (!oldest)
		return false;
	effect_op_forget(engine, oldest);
	effect_book_drop(engine, oldest);
	return true;
}
