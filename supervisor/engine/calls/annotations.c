/* See annotations.h. */
#include "supervisor/engine/calls/annotations.h"

#include "policy/handlers.h"

/* What neither the policy nor the function's author says is told as the careful value. */
static bool hint(enum hint said, bool otherwise)
{
	return said == HINT_NONE ? otherwise : said == HINT_YES;
}

struct result_annotations annotations_of(const struct policy_tool *tool)
{
	const struct policy_annotations *said = &tool->annotations;
	const struct handler *handler =
	    tool->type == TOOL_FUNCTION ? handler_by_id(tool->handler) : NULL;

	return (struct result_annotations){
	    .read_only = hint(said->read_only, handler && handler->read_only),
	    /* What only reads destroys nothing, whatever is the careful value otherwise. */
	    .destructive = hint(
		said->destructive, handler ? handler->destructive : said->read_only != HINT_YES),
	    .idempotent = hint(said->idempotent, handler && handler->idempotent),
	    .open_world = hint(said->open_world, !handler || handler->open_world),
	};
}
