#include "supervisor/engine/methods/methods_control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/value.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/watch.h"
#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/calls/judge.h"
#include "supervisor/engine/calls/quota.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/methods/methods_config.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/records/record.h"
#include "supervisor/engine/ruleset.h"

#define VERSION_TEXT_MAX (sizeof("sha256:") + 2 * DIGEST_LEN)

/* A reload, a shutdown or something of the studio on its way to the warden. */
struct control {
	struct control *next;
	uint64_t serial;
	enum control_op op;
	struct result_to to;
	struct caller *caller; /* who asked; held */
};

static void free_control(struct control *control)
{
	(void)caller_drop(control->caller);
	free(control);
}

static const char *version_text(char out[VERSION_TEXT_MAX], const struct digest *version)
{
	char hex[DIGEST_HEX_MAX];

	(void)snprintf(out, VERSION_TEXT_MAX, "sha256:%s", digest_hex(hex, version));
	return out;
}

/* A tool that runs may ask for other tools through its gate, never for this. */
static bool may_control(const struct methods_ask *ask)
{
	return !ask->peer->call[0] &&
	       (methods_is_owner(ask) || (ask->identity.permissions & PERMISSION(DAEMON_CONTROL)));
}

/* Where the daemon is, for who may end it; the tree for who may read it. */
static int add_places(const struct methods_ask *ask, json_t *status)
{
	const struct engine *engine = ask->engine;
	const char *file = engine->rules->policy->file;
	bool controls = may_control(ask);
	char root[DIGEST_HEX_MAX];
	int fault = 0;

	if (controls)
		fault = json_object_set_new(status, "pid", json_integer(engine->daemon_pid));
	if (controls && !fault)
		fault = json_object_set_new(
		    json_object_get(status, "policy"), "file", value_text(file, strlen(file)));
	if (!fault && (controls || (!ask->peer->call[0] &&
				       (ask->identity.permissions & PERMISSION(AUDIT_READ)))))
		fault = json_object_set_new(status, "audit",
		    json_pack("{s:I, s:s}", "size", (json_int_t)engine->audit_size, "root",
			digest_hex(root, &engine->audit_root)));
	return fault;
}

void tell_status(const struct methods_ask *ask)
{
	const struct engine *engine = ask->engine;
	char version[VERSION_TEXT_MAX], sentence[JUDGE_SENTENCE_MAX];
	const struct viewer viewer = {engine, ask->peer->caller};
	json_int_t waiting = 0, seen = 0,
		   uptime_us = (json_int_t)(clock_monotonic_us() - engine->born_us);
	json_t *policy, *calls, *approvals, *status;

	if (ask->identity.role_count == 0 && !methods_is_owner(ask)) {
		quota_refused_login(ask->engine, ask->peer->caller, "no role");
		result_refuse(&ask->to, RESULT_FORBIDDEN, "%s",
		    judge_identity_sentence(sentence, IDENTITY_NO_ROLE, ask->peer->caller));
		return;
	}
	for (const struct call *call = engine->calls; call; call = call->next) {
		const struct policy_namespace *space = call->identity.space;

		if (call->state != CALL_APPROVAL)
			continue;
		waiting++;
		seen += viewer_sees(
		    &viewer, space ? space->name : "", call->caller->principal, call->tool_name);
	}
	policy = json_pack("{s:s}", "version", version_text(version, &engine->rules->version));
	calls = json_pack(
	    "{s:I, s:I}", "running", (json_int_t)engine->call_count - waiting, "waiting", seen);
	approvals = json_pack("{s:I}", "pending", (json_int_t)watch_seen(engine, &viewer));
	status = json_pack("{s:s, s:I, s:I, s:s, s:o, s:o, s:o, s:b}", "version", CALLGATE_VERSION,
	    "uid", (json_int_t)engine->owner_uid, "uptime_s", uptime_us / 1000000, "state",
	    engine->draining ? "stopping" : "running", "policy", policy, "calls", calls,
	    "approvals", approvals, "same_uid",
	    (int)(ask->peer->caller->shown.has_peer &&
		  ask->peer->caller->shown.uid == engine->owner_uid));
	if (status && add_places(ask, status)) {
		json_decref(status);
		status = NULL;
	}
	result_give(&ask->to, status);
}

/* ---- reload and shutdown ----------------------------------------------------------------- */

/* true: the warden will answer. */
static bool send_control(const struct methods_ask *ask, const struct message_control *asked)
{
	struct engine *engine = ask->engine;
	struct control *control;
	struct message message;

	message_init(&message, MESSAGE_CONTROL);
	message.u.control = *asked;
	message.u.control.by = ask->peer->caller->principal;
	control = calloc(1, sizeof(*control));
	if (!control || engine_send(engine, &engine->warden, &message)) {
		free(control);
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "the daemon cannot be told");
		return false;
	}
	control->serial = message.serial;
	control->op = (enum control_op)asked->op;
	control->to = ask->to;
	control->caller = caller_hold(ask->peer->caller);
	control->next = engine->controls;
	engine->controls = control;
	return true;
}

static void order(const struct methods_ask *ask, enum control_op op)
{
	const struct message_control asked = {.op = (uint16_t)op, .expected = ""};

	if (!may_control(ask))
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not do that: it takes root, the daemon's own user or the permission "
		    "daemon:control",
		    ask->peer->caller->principal);
	else if (send_control(ask, &asked))
		record_admin_control(ask->engine, ask->peer->caller->principal,
		    op == CONTROL_RELOAD ? "reload" : "shutdown");
}

static bool is_about_config(enum control_op op)
{
	return op == CONTROL_CONFIG_READ || op == CONTROL_CONFIG_CHECK ||
	       op == CONTROL_CONFIG_WRITE;
}

/* One at a time: each is a child of the warden with the file open. Whoever comes meanwhile may edit
 * the policy himself, so he may know who does. */
void control_config(const struct methods_ask *ask, const struct message_control *asked)
{
	const struct control *control = ask->engine->controls;

	while (control && !is_about_config(control->op))
		control = control->next;
	if (control)
		result_refuse(&ask->to, RESULT_CONFLICT,
		    "the policy is being %s by %s; try again in a moment, and read it again before "
		    "you write",
		    control->op == CONTROL_CONFIG_WRITE   ? "written"
		    : control->op == CONTROL_CONFIG_CHECK ? "checked"
							  : "read",
		    control->caller->principal);
	else
		(void)send_control(ask, asked);
}

void reload(const struct methods_ask *ask)
{
	order(ask, CONTROL_RELOAD);
}

void shut_down(const struct methods_ask *ask)
{
	order(ask, CONTROL_SHUTDOWN);
}

/* NULL: nobody waits for this answer. */
static struct control *take_control(struct engine *engine, uint64_t serial)
{
	struct control **at = &engine->controls;
	struct control *control;

	while (*at && (*at)->serial != serial)
		at = &(*at)->next;
	control = *at;
	if (control)
		*at = control->next;
	return control;
}

int methods_controlled(struct engine *engine, struct message *message)
{
	const struct message_controlled *told = &message->u.controlled;
	struct control *control = take_control(engine, message->serial);
	char version[VERSION_TEXT_MAX];

	if (!control) {
		engine->stale_answers++;
		return 0;
	}
	if (is_about_config(control->op))
		config_controlled(&control->to, control->caller, control->op, told);
	else if (told->status != ANSWER_OK)
		result_refuse(&control->to,
		    told->status == ANSWER_REFUSED ? RESULT_CONFLICT : RESULT_UNAVAILABLE, "%s",
		    told->note);
	else if (control->op == CONTROL_RELOAD)
		result_give(&control->to,
		    json_pack("{s:s}", "version", version_text(version, &told->version)));
	else
		result_give(&control->to, json_object());
	free_control(control);
	engine_settle(engine);
	return 0;
}

void controls_free(struct engine *engine)
{
	while (engine->controls) {
		struct control *control = engine->controls;

		engine->controls = control->next;
		free_control(control);
	}
}
