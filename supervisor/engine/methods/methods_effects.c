#include "supervisor/engine/methods/methods_effects.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/limits.h"
#include "agent-api/wire/rpc.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/approver.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_op.h"
#include "supervisor/engine/effects/effect_told.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/methods_approvals.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"
#include "supervisor/evidence/approval.h"

#define LIST_MAX 1000 /* held lists in one answer */

static bool may_see(const struct methods_ask *ask, const struct holding *holding)
{
	const struct viewer viewer = {ask->engine, ask->peer->caller};

	return viewer_sees(&viewer, holding->space, holding->caller->principal, holding->tool);
}

/* HTTP puts what stands in the path into "id". Answers where there is no such call. */
static struct holding *find(const struct methods_ask *ask)
{
	const char *id = methods_text(ask, "call");
	struct holding *holding;

	if (!id)
		id = methods_text(ask, "id");
	if (!id) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "call: the id of a call is needed");
		return NULL;
	}
	holding = effect_book_find(ask->engine, id);
	if (holding && may_see(ask, holding))
		return holding;
	result_refuse(&ask->to, RESULT_NOT_FOUND,
	    "no changes of a call of that id are held; those of a daemon of before are gone");
	return NULL;
}

void list_effects(const struct methods_ask *ask)
{
	json_t *list = json_array();

	for (const struct holding *at = ask->engine->effects.first; at; at = at->next)
		if (may_see(ask, at) && json_array_size(list) < LIST_MAX)
			(void)json_array_append_new(list, effect_told_line(at));
	result_give(&ask->to, json_pack("{s:o}", "effects", list));
}

void get_effects(const struct methods_ask *ask)
{
	const struct holding *holding = find(ask);
	json_t *told = holding ? effect_told_json(holding, EFFECT_TOLD_ALL) : NULL;
	json_t *line = holding ? effect_told_line(holding) : NULL;

	if (told && line)
		(void)json_object_update_missing(told, line);
	json_decref(line);
	if (holding)
		result_give(&ask->to, told);
}

/* ---- paths ---------------------------------------------------------------------------------- */

/* By its escaped form, in which each path is told. False: no such path. */
static bool find_path(const struct holding *holding, const char *told, uint32_t *ret)
{
	for (uint32_t i = 0; i < holding->effects.count; i++) {
		struct buf cleanup_with(buf_fini) form = {0};
		const char *path = holding->effects.items[i].path;

		buf_init(&form, 8 * (EFFECTS_PATH_MAX + 1));
		(void)str_escape(&form, path, strlen(path));
		if (buf_cstr(&form) && strcmp(buf_cstr(&form), told) == 0) {
			*ret = i;
			return true;
		}
	}
	return false;
}

static int by_number(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

struct chosen {
	uint32_t *items; /* owned; NULL: all */
	uint32_t count;
};

static void chosen_fini(struct chosen *chosen)
{
	free(chosen->items);
}

static bool take_path(const struct methods_ask *ask, const struct holding *holding,
    const json_t *path, struct chosen *chosen)
{
	uint32_t at = 0;

	if (!json_is_string(path) || !find_path(holding, json_string_value(path), &at)) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "paths: %.200s is not among the changes of this call",
		    json_is_string(path) ? json_string_value(path) : "what is no text");
		return false;
	}
	for (uint32_t i = 0; i < chosen->count; i++)
		if (chosen->items[i] == at)
			return true;
	chosen->items[chosen->count++] = at;
	return true;
}

/* False: answered. */
static bool read_paths(
    const struct methods_ask *ask, const struct holding *holding, struct chosen *chosen)
{
	const json_t *paths = json_object_get(ask->params, "paths");
	json_t *path;
	size_t i;

	if (!paths)
		return true;
	if (!json_is_array(paths) || json_array_size(paths) == 0 ||
	    json_array_size(paths) > EFFECTS_MAX) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "paths: a list of paths is needed; leave it out to mean all");
		return false;
	}
	chosen->items = calloc(json_array_size(paths), sizeof(*chosen->items));
	if (!chosen->items) {
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "out of memory");
		return false;
	}
	json_array_foreach(paths, i, path)
	{
		if (!take_path(ask, holding, path, chosen))
			return false;
	}
	qsort(chosen->items, chosen->count, sizeof(*chosen->items), by_number);
	return true;
}

void look_at_effects(const struct methods_ask *ask)
{
	struct holding *holding = find(ask);
	const char *path = methods_text(ask, "path");
	uint32_t at = 0;
	const struct effect_order order = {.op = EFFECTS_LOOK,
	    .cause = "",
	    .by = ask->peer->caller->principal,
	    .paths = &at,
	    .path_count = 1,
	    .to = &ask->to};

	if (!holding)
		return;
	if (!path || !find_path(holding, path, &at))
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "path: one of the changes of this call is needed");
	else if (effect_op_start(ask->engine, holding, &order))
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "the contents cannot be asked for");
}

/* ---- who may -------------------------------------------------------------------------------- */

/* What is decided, in one digest; a signature is over it. 0 or -errno. */
static int decided(struct digest *ret, const struct methods_ask *ask, const char *op,
    const struct holding *holding)
{
	const json_t *list = json_object_get(ask->params, "paths");
	const size_t count = json_array_size(list);
	const char **paths = calloc(count ? count : 1, sizeof(*paths));
	int fault = paths ? 0 : -ENOMEM;

	for (size_t i = 0; !fault && i < count; i++)
		paths[i] = json_string_value(json_array_get(list, i)); /* texts: read_paths() */
	if (!fault)
		fault =
		    approval_effects_digest(ret, op, holding->call, &holding->digest, paths, count);
	free(paths);
	return fault;
}

/* As an approver of the question "may this be done?", which was never put. False: answered. */
static bool judge(const struct methods_ask *ask, const struct holding *holding, const char *op,
    struct approval_answer *ret_answer)
{
	struct approver_vote vote = {.approve = 1, .scope = GRANT_ONCE};
	struct approval question = {.caller = holding->caller,
	    .agent = holding->agent,
	    .space = holding->space,
	    .tool = holding->tool};
	struct err_note note = {"out of memory"};
	const char *wrong = methods_read_proof(ask, &vote);
	enum approver_verdict verdict;

	if (wrong) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%s", wrong);
		return false;
	}
	memcpy(question.effects, holding->call, sizeof(question.effects));
	memcpy(question.principal, holding->caller->principal, sizeof(question.principal));
	(void)snprintf(question.answer.id, sizeof(question.answer.id), "%.15s", EFFECTS_SIGNED_ID);
	if (decided(&question.plan, ask, op, holding)) {
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "%s", note.text);
		return false;
	}
	vote.plan = question.plan;
	verdict = approver_judge(ask->engine, &question, &vote, ret_answer, &note);
	if (verdict == APPROVER_COUNTS) {
		ret_answer->id[0] = '\0'; /* of no question */
		return true;
	}
	result_refuse(&ask->to, verdict == APPROVER_STALE ? RESULT_CONFLICT : RESULT_FORBIDDEN,
	    "%s", note.text);
	return false;
}

/* The list that was looked at is the one that is meant. */
static bool digest_fits(const struct methods_ask *ask, const struct holding *holding)
{
	const char *text = methods_text(ask, "digest");
	struct digest digest;

	if (!text || strncmp(text, "sha256:", 7) != 0 || digest_unhex(&digest, text + 7)) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "digest: \"sha256:<64 hex digits>\" of the changes that were looked at is "
		    "needed");
		return false;
	}
	if (digest_equal(&digest, &holding->digest))
		return true;
	result_refuse(
	    &ask->to, RESULT_CONFLICT, "digest: the changes of this call are others; look again");
	return false;
}

static bool is_free(const struct methods_ask *ask, const struct holding *holding)
{
	if (holding->approval[0])
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "approval %s asks about these changes; approve or deny that",
		    holding->approval);
	else if (holding->busy)
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "another order about these changes is under way; look again when it is done");
	else
		return true;
	return false;
}

static bool is_in(const struct methods_ask *ask, const struct holding *holding,
    enum holding_state state, bool is_partly)
{
	if (holding->state == state || is_partly)
		return true;
	result_refuse(&ask->to, RESULT_CONFLICT, "the changes of this call are %s already",
	    holding_state_name(holding->state));
	return false;
}

static void start(
    const struct methods_ask *ask, struct holding *holding, const struct effect_order *order)
{
	if (effect_op_start(ask->engine, holding, order))
		result_refuse(&ask->to, RESULT_UNAVAILABLE,
		    "the decision cannot be recorded now, so nothing was done; try again");
}

/* ---- the three orders ------------------------------------------------------------------------ */

/* One answer is one person's; a question counts several. */
static bool needs_others(const struct methods_ask *ask, const struct holding *holding)
{
	const struct policy_approval *rules =
	    approval_rules(ask->engine->rules->policy, holding->tool);

	if (rules->quorum <= 1)
		return false;
	result_refuse(&ask->to, RESULT_FORBIDDEN,
	    "the policy wants %llu people to agree about tool %s; only a question counts them: "
	    "write require_approval: effects",
	    (unsigned long long)rules->quorum, holding->tool);
	return true;
}

void commit_effects(const struct methods_ask *ask)
{
	struct chosen cleanup_with(chosen_fini) chosen = {.count = 0};
	struct holding *holding = find(ask);
	struct approval_answer answer = {.id = ""};
	struct effect_order order = {.op = EFFECTS_COMMIT,
	    .answer = &answer,
	    .cause = "",
	    .by = ask->peer->caller->principal,
	    .to = &ask->to};

	if (!holding || !digest_fits(ask, holding) || !read_paths(ask, holding, &chosen) ||
	    !judge(ask, holding, "commit", &answer) || needs_others(ask, holding) ||
	    !is_free(ask, holding) || !is_in(ask, holding, HOLDING_HELD, false))
		return;
	order.paths = chosen.items;
	order.path_count = chosen.count;
	start(ask, holding, &order);
}

/* What is written; none named where that is all. False: answered. */
static bool take_written(
    const struct methods_ask *ask, const struct holding *holding, struct chosen *chosen)
{
	if (holding->written_count == holding->effects.count)
		return true;
	chosen->items = calloc(holding->written_count + 1, sizeof(*chosen->items));
	for (uint32_t i = 0; chosen->items && i < holding->effects.count; i++)
		if (holding->written[i])
			chosen->items[chosen->count++] = i;
	if (!chosen->items)
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "out of memory");
	return chosen->items != NULL;
}

void undo_effects(const struct methods_ask *ask)
{
	struct chosen cleanup_with(chosen_fini) chosen = {.count = 0};
	struct holding *holding = find(ask);
	struct approval_answer answer = {.id = ""};
	struct effect_order order = {.op = EFFECTS_UNDO,
	    .answer = &answer,
	    .cause = "",
	    .by = ask->peer->caller->principal,
	    .to = &ask->to};

	if (holding && json_object_get(ask->params, "paths")) {
		result_refuse(&ask->to, RPC_INVALID_PARAMS,
		    "paths: all that was committed is undone at once; leave them out");
		return;
	}
	if (!holding || !digest_fits(ask, holding) || !judge(ask, holding, "undo", &answer) ||
	    !is_free(ask, holding) ||
	    !is_in(ask, holding, HOLDING_COMMITTED, holding->written_count > 0) ||
	    !take_written(ask, holding, &chosen))
		return;
	order.paths = chosen.items;
	order.path_count = chosen.count;
	start(ask, holding, &order);
}

void discard_effects(const struct methods_ask *ask)
{
	struct holding *holding = find(ask);
	const struct caller *caller = ask->peer->caller;
	const struct viewer viewer = {ask->engine, caller};
	const struct effect_order order = {
	    .op = EFFECTS_DISCARD, .cause = "asked for", .by = caller->principal, .to = &ask->to};

	if (!holding)
		return;
	if (!caller_same(caller, holding->caller) &&
	    !viewer_decides(&viewer, holding->space, holding->tool)) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not discard these changes: they are another's, and no role of it may "
		    "approve tool %s",
		    caller->principal, holding->tool);
		return;
	}
	if (is_free(ask, holding) && is_in(ask, holding, HOLDING_HELD, false))
		start(ask, holding, &order);
}
