#include "supervisor/engine/access/viewer.h"

#include <string.h>

#include "policy/decide.h"
#include "supervisor/engine/caller.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/ruleset.h"

static struct identity rights_in(const struct viewer *viewer, const char *space)
{
	const struct subject subject = {.shown = viewer->caller->shown, .agent = "", .space = ""};
	struct identity identity;

	policy_identify_space(viewer->engine->rules->policy, &subject, space, &identity);
	return identity;
}

bool viewer_enters(const struct viewer *viewer, const char *space)
{
	return rights_in(viewer, space).result != IDENTITY_NO_NAMESPACE;
}

bool viewer_decides(const struct viewer *viewer, const char *space, const char *tool)
{
	const struct identity rights = rights_in(viewer, space);

	return policy_may_approve(&rights, tool);
}

bool viewer_sees(
    const struct viewer *viewer, const char *space, const char *principal, const char *tool)
{
	const struct identity rights = rights_in(viewer, space);

	return rights.result != IDENTITY_NO_NAMESPACE &&
	       ((rights.permissions & PERMISSION(APPROVALS_READ)) ||
		   policy_may_approve(&rights, tool) ||
		   !strcmp(viewer->caller->principal, principal));
}
