#include "supervisor/engine/visitor.h"

#include <errno.h>

#include "supervisor/engine/peer.h"

/* No credential is judged yet, so whoever comes is nobody and has no rights. */
int visitor_arrived(struct engine *engine, struct message *message)
{
	struct peer given = {.id = message->u.visitor.peer, .caller = caller_nobody()};

	if (given.caller && peer_add(engine, &given))
		return 0;
	(void)caller_drop(given.caller);
	return peer_find(engine, given.id) ? -EBADMSG : -ENOMEM;
}
