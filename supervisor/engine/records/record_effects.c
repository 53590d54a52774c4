#include "supervisor/engine/records/record_effects.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/calls/call.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/effects/effect_told.h"
#include "supervisor/engine/records/record.h"

#define PATHS_BYTES_MAX (24 * 1024) /* of the paths that one record names */

static const char *op_name(enum effects_op op)
{
	switch (op) {
	case EFFECTS_COMMIT: return "commit";
	case EFFECTS_UNDO: return "undo";
	case EFFECTS_DISCARD: return "discard";
	case EFFECTS_LOOK:
	case EFFECTS_OP_NONE: break;
	}
	return "none";
}

static void put_counts(struct buf *out, const struct effects *effects)
{
	const struct effect_counts counts = effect_told_count(effects);

	record_open(out, "counts");
	record_put_int(out, "added", counts.added);
	record_put_int(out, "changed", counts.changed);
	record_put_int(out, "leads_out", counts.leads_out);
	record_put_int(out, "mode", counts.mode);
	record_put_int(out, "removed", counts.removed);
	record_put_int(out, "runs_later", counts.runs_later);
	record_put_int(out, "special", counts.special);
	record_close(out);
}

/* The paths that were chosen: bytes of the tool's choosing, which the auditor escapes. Too many to
 * be named are counted; the digest of the list and the warden's own record say the rest. */
static void put_paths(
    struct buf *out, const struct holding *holding, const struct effect_order *order)
{
	const char **paths;
	size_t bytes = 0;

	if (!order->paths)
		return;
	record_put_int(out, "path_count", order->path_count);
	paths = calloc(order->path_count ? order->path_count : 1, sizeof(*paths));
	for (uint32_t i = 0; paths && i < order->path_count; i++) {
		paths[i] = holding->effects.items[order->paths[i]].path;
		bytes += strlen(paths[i]) * 6 + 3;
	}
	if (paths && bytes <= PATHS_BYTES_MAX)
		record_put_list(out, "paths", paths, order->path_count);
	free(paths);
}

void record_effects_decision(
    struct buf *out, const struct holding *holding, const struct effect_order *order)
{
	const struct approval_answer *answer = order->answer;

	record_put_text(out, "agent", holding->agent);
	record_put_bool(out, "allow", order->op != EFFECTS_DISCARD);
	record_put_text(out, "approval", answer ? answer->id : "");
	record_put_str(out, "by", order->by);
	record_put_str(out, "call", holding->call);
	record_put_text(out, "cause", order->cause);
	record_put_text(out, "claimed", answer ? answer->claimed : "");
	put_counts(out, &holding->effects);
	record_put_text(out, "credential", answer ? answer->credential : "");
	record_put_text(out, "key", answer ? answer->key : "");
	record_put_text(out, "method", answer ? approval_answer_how(answer) : "");
	record_put_text(out, "namespace", holding->space);
	record_put_str(out, "op", op_name(order->op));
	put_paths(out, holding, order);
	record_put_digest(out, "plan", &holding->digest);
	record_put_str(out, "principal", holding->caller->principal);
	record_put_text(out, "reason", answer ? answer->reason : "");
	record_put_text(out, "tool", holding->tool);
}

static const char *state_of(const struct call *call, const struct holding *holding)
{
	switch (call->effects) {
	case EFFECTS_CLEAN: return "clean";
	case EFFECTS_LOST: return "lost";
	case EFFECTS_HELD:
	case EFFECTS_NONE: break;
	}
	return holding ? holding_state_name(holding->state) : "lost";
}

void record_effects_outcome(struct buf *out, const struct call *call)
{
	const struct holding *holding = effect_book_find(call->engine, call->id);

	if (call->effects == EFFECTS_NONE)
		return;
	record_open(out, "effects");
	record_put_text(out, "approval", call->review.id);
	if (holding) {
		put_counts(out, &holding->effects);
		record_put_digest(out, "digest", &holding->digest);
	}
	record_put_str(out, "state", state_of(call, holding));
	record_close(out);
}
