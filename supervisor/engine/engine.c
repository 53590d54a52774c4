#include "supervisor/engine/engine.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/log.h"
#include "supervisor/engine/sibling.h"

void engine_fail(struct engine *engine, int fault, const char *what)
{
	if (!engine->failed)
		log_error("%s: %s; engine ends, and the daemon with it", what, strerror(-fault));
	engine->failed = fault;
	uv_stop(engine->loop);
}

int engine_send(struct engine *engine, struct link *link, struct message *message)
{
	int fault = link_send(link, message);

	if (fault && link == &engine->front && engine->draining)
		return fault; /* it may leave before us */
	if (fault && fault != -EMSGSIZE && fault != -EINVAL && sibling_is(engine, link))
		link_hang_up(link);
	else if (fault && fault != -EMSGSIZE && fault != -EINVAL)
		engine_fail(engine, fault, link->name ? link->name : "link");
	else if (fault)
		log_error("a message of type %s cannot be sent: %s", message_name(message->type),
		    strerror(-fault));
	return fault;
}

void engine_note_tree(struct engine *engine, uint64_t size, const struct digest *root)
{
	if (size < engine->audit_size)
		return;
	engine->audit_size = size;
	engine->audit_root = *root;
}

void engine_settle(struct engine *engine)
{
	if (engine->draining && !engine->calls && !engine->notes && !engine->controls &&
	    !engine->effects.ops)
		uv_stop(engine->loop);
}
