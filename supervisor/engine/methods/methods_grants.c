#include "supervisor/engine/methods/methods_grants.h"

#include <string.h>

#include "agent-api/wire/rpc.h"
#include "agent-api/wire/value.h"
#include "supervisor/base/clock.h"
#include "supervisor/engine/access/viewer.h"
#include "supervisor/engine/approvals/grant.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"

static struct viewer viewer_of(const struct methods_ask *ask)
{
	return (struct viewer){ask->engine, ask->peer->caller};
}

static bool sees(const struct viewer *viewer, const struct grant *grant)
{
	return viewer_sees(viewer, grant->space, grant->principal, grant->tool);
}

static json_t *entry(const struct grant *grant)
{
	char plan[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:";
	char created[CLOCK_STAMP_MAX], expires[CLOCK_STAMP_MAX];

	(void)digest_hex(plan + strlen(plan), &grant->plan);
	(void)clock_stamp(created, grant->created_wall_us);
	(void)clock_stamp(expires, grant->expires_wall_us);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s}", "id",
	    grant->id, "scope", grant_scope_name(grant->scope), "tool", grant->tool, "agent",
	    grant->agent, "namespace", grant->space, "principal", grant->principal, "command",
	    value_text(grant->command, strlen(grant->command)), "plan", plan, "approval",
	    grant->answer.id, "by", grant->answer.principal, "created", created, "expires",
	    expires);
}

void list_grants(const struct methods_ask *ask)
{
	const struct viewer viewer = viewer_of(ask);
	json_t *grants = json_array();

	grant_sweep(ask->engine);
	for (const struct grant *at = ask->engine->grants; at; at = at->next)
		if (sees(&viewer, at))
			(void)json_array_append_new(grants, entry(at));
	result_give(&ask->to, json_pack("{s:o}", "grants", grants));
}

/* Whoever could have given it may take it back, and so may he whose calls it is for. */
void revoke_grant(const struct methods_ask *ask)
{
	const struct viewer viewer = viewer_of(ask);
	const char *id = methods_text(ask, "id");
	const struct grant *grant;
	char gone[APPROVAL_ID_MAX];

	grant_sweep(ask->engine);
	grant = id ? grant_by_id(ask->engine, id) : NULL;
	if (!grant || !sees(&viewer, grant)) {
		result_refuse(&ask->to, RESULT_NOT_FOUND, "no grant of that id is in force");
		return;
	}
	if (!viewer_decides(&viewer, grant->space, grant->tool) &&
	    strcmp(viewer.caller->principal, grant->principal) != 0) {
		result_refuse(&ask->to, RESULT_FORBIDDEN,
		    "%s may not revoke this: no role of it may decide approvals of that tool",
		    viewer.caller->principal);
		return;
	}
	memcpy(gone, grant->id, sizeof(gone));
	grant_revoke(ask->engine, grant, viewer.caller->principal);
	result_give(&ask->to, json_pack("{s:s, s:s}", "id", gone, "state", "revoked"));
}
