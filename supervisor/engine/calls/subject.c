#include "supervisor/engine/calls/subject.h"

#include <errno.h>

#include "supervisor/engine/calls/calls.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/peer.h"

/* The nearest agent outwards that is not private: the one that a row of the policy can name. */
static const char *outer_agent(const struct engine *engine, const struct call *call)
{
	while (
	    call && call->identity.agent && call->identity.agent->visibility == VISIBILITY_PRIVATE)
		call = calls_find((struct engine *)engine, call->parent);
	return call && call->identity.agent ? call->identity.agent->name : "";
}

/* A running call acts as its own agent unless it names another, and never leaves its namespace:
 * the other one is asked for by name and found unknown where the policy says so. */
static int take_parent(const struct engine *engine, const char *id, struct subject *subject)
{
	const struct call *parent = calls_find((struct engine *)engine, id);

	if (!parent || parent->identity.result != IDENTITY_OK || parent->state != CALL_RUNNING)
		return -ENOENT;
	subject->inside = true;
	subject->caller = outer_agent(engine, parent);
	subject->home = parent->identity.space->name;
	if (!subject->agent[0] && parent->identity.agent)
		subject->agent = parent->identity.agent->name;
	if (!subject->space[0])
		subject->space = subject->home;
	return 0;
}

int subject_of_peer(const struct engine *engine, const struct peer *peer, const char *agent,
    const char *space, struct subject *ret)
{
	*ret = (struct subject){.shown = peer->caller->shown, .agent = agent, .space = space};
	return peer->call[0] ? take_parent(engine, peer->call, ret) : 0;
}

int subject_of_call(const struct call *call, struct subject *ret)
{
	*ret = (struct subject){
	    .shown = call->caller->shown, .agent = call->agent, .space = call->space};
	return call->parent[0] ? take_parent(call->engine, call->parent, ret) : 0;
}
