#include "supervisor/engine/calls/changes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/effects/effect_book.h"
#include "supervisor/engine/effects/effect_told.h"
#include "supervisor/engine/engine.h"

#define NOTE_MAX 512

enum call_event changes_make_room(struct call *call)
{
	if (call->tool->asks_effects && (call->options & REQUEST_STREAM_OUTPUT)) {
		judge_say(call,
		    "Refused by callgate: what tool %s prints is not released before a human has "
		    "seen what it changed (require_approval: effects), so it cannot be read while "
		    "it runs. Call it without streaming (`callgate call`).",
		    call->tool->name);
		return CALL_ON_DENIED;
	}
	if (call->tool->sandbox.workspace != WORKSPACE_OVERLAY || call->holds)
		return CALL_ON_NOTHING;
	while (quota_charge(call->account, QUOTA_HOLD, 1)) {
		if (effect_book_make_room(call->engine, call->account))
			continue;
		judge_say(call,
		    "The changes of too many calls of this user are held (at most %d); retry when "
		    "some are committed or discarded (`callgate diff` lists them).",
		    QUOTA_HELD);
		return CALL_ON_BUSY;
	}
	call->holds = true;
	return CALL_ON_NOTHING;
}

bool changes_wait(struct call *call)
{
	const struct holding *twin = call->tool->asks_effects ? effect_book_twin(call) : NULL;

	if (!twin)
		return false;
	memcpy(call->answer.id, twin->approval, sizeof(call->answer.id));
	judge_say(call,
	    "Not run again: the identical call %s has run, and approval %s about what it changed "
	    "waits for a human. `callgate diff %s` tells what comes of it; call again when that is "
	    "answered.",
	    twin->call, twin->approval, twin->call);
	return true;
}

int changes_take(struct call *call, const struct message_exited *exited)
{
	struct effects effects = {.count = 0};
	int fault = 0;

	call->effects = (enum effects_state)exited->effects;
	if (call->effects == EFFECTS_HELD)
		fault = effects_decode(&effects, exited->body.data, exited->body.len);
	if (call->effects != EFFECTS_HELD || fault == -ENOMEM)
		return 0; /* SETTLED finds no list, and that is a fault of ours */
	if (fault || effects.count == 0 || call->tool->sandbox.workspace != WORKSPACE_OVERLAY) {
		effects_fini(&effects);
		return -EBADMSG;
	}
	(void)effect_book_add(call, &effects, exited->body.data, exited->body.len);
	return 0;
}

/* ---- words --------------------------------------------------------------------------------- */

void changes_say_unwritten(struct call *call, const char *note)
{
	struct buf cleanup_with(buf_fini) clean = {0};

	buf_init(&clean, 8 * NOTE_MAX);
	(void)str_escape(&clean, note, strnlen(note, NOTE_MAX));
	judge_say(call,
	    "It ran and a human approved what it changed, but it was not committed: %s. The "
	    "changes are still held: `callgate diff %s`.",
	    buf_cstr(&clean) ? buf_cstr(&clean) : "", call->id);
}

bool changes_explain(struct call *call)
{
	const struct approval_answer *review = &call->review;
	struct buf cleanup_with(buf_fini) reason = {0};

	if (!review->id[0])
		return false;
	buf_init(&reason, 8 * APPROVAL_REASON_MAX);
	(void)str_escape(&reason, review->reason, strlen(review->reason));
	if (call->outcome == OUTCOME_REFUSED)
		judge_say(call,
		    "It ran, and nothing of what it changed was kept: %s%s%s denied approval "
		    "%s%s%s. Its output is withheld. Do not retry unless a human asks for it.",
		    review->principal, review->name[0] ? " with the key of " : "", review->name,
		    review->id, review->reason[0] ? ", saying: " : "",
		    buf_cstr(&reason) ? buf_cstr(&reason) : "");
	else if (call->outcome == OUTCOME_PENDING)
		judge_say(call,
		    "It ran, and approval %s about what it changed waits for a human; until then "
		    "nothing is in the workspace and its output is withheld. Do not repeat the "
		    "call: `callgate diff %s` tells what comes of it.",
		    review->id, call->id);
	else if (call->outcome == OUTCOME_EXPIRED)
		judge_say(call,
		    "It ran, and nothing of what it changed was kept: approval %s expired, no "
		    "human answered in time. Repeating the call runs it and asks anew.",
		    review->id);
	else if (call->outcome == OUTCOME_UNAVAILABLE)
		judge_say(call,
		    "It ran, and nothing of what it changed was kept: the policy or the daemon "
		    "changed while approval %s waited for a human. Repeating the call runs it and "
		    "asks anew.",
		    review->id);
	return call->sentence[0] != '\0';
}

static void append(struct call *call, const char *text)
{
	const size_t len = strlen(call->sentence);

	if (len + strlen(text) + 2 < sizeof(call->sentence))
		(void)snprintf(call->sentence + len, sizeof(call->sentence) - len, "%s%s",
		    len ? "\n" : "", text);
}

void changes_tell(struct call *call)
{
	const struct holding *holding = effect_book_find(call->engine, call->id);
	struct effect_counts counts;
	char text[CALL_SENTENCE_MAX / 2], later[64] = "";

	if (call->effects != EFFECTS_HELD || !holding)
		return;
	counts = effect_told_count(&holding->effects);
	if (counts.runs_later)
		(void)snprintf(later, sizeof(later), ", %u of which may run later on the host",
		    counts.runs_later);
	if (call->kept)
		(void)snprintf(text, sizeof(text),
		    "[callgate: %u changes%s, approved by %s and written to the workspace]",
		    holding->effects.count, later, call->review.principal);
	else
		(void)snprintf(text, sizeof(text),
		    "[callgate: %u changes%s, held aside: nothing is in the workspace until a "
		    "human commits it; callgate diff %s]",
		    holding->effects.count, later, call->id);
	append(call, text);
}

bool changes_withhold(const struct call *call)
{
	return call->tool && call->tool->asks_effects && call->effects == EFFECTS_HELD &&
	       !call->kept;
}

json_t *changes_json(const struct call *call)
{
	const struct holding *holding = effect_book_find(call->engine, call->id);

	if (call->effects == EFFECTS_NONE)
		return NULL;
	if (call->effects == EFFECTS_HELD && holding)
		return effect_told_json(holding, EFFECT_TOLD_RESULT);
	return json_pack("{s:s, s:s, s:i, s:[]}", "call", call->id, "state",
	    call->effects == EFFECTS_CLEAN ? "clean" : "lost", "count", 0, "changes");
}
