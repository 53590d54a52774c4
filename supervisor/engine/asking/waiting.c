#include "supervisor/engine/asking/waiting.h"

#include <stdlib.h>

#include "supervisor/engine/asking/elicit.h"
#include "supervisor/engine/asking/logging.h"
#include "supervisor/engine/asking/progress.h"
#include "supervisor/engine/asking/question.h"
#include "supervisor/engine/asking/subscribe.h"
#include "supervisor/engine/engine.h"

struct waiting *waiting_find(const struct engine *engine)
{
	return engine->waiting;
}

struct waiting *waiting_of(struct engine *engine)
{
	struct waiting *waiting = engine->waiting;

	if (waiting)
		return waiting;
	waiting = calloc(1, sizeof(*waiting));
	if (!waiting || key_random(waiting->key, sizeof(waiting->key))) {
		free(waiting);
		return NULL;
	}
	engine->waiting = waiting;
	return waiting;
}

void waiting_free(struct engine *engine)
{
	struct waiting *waiting = engine->waiting;

	if (!waiting)
		return;
	engine->waiting = NULL;
	subscribe_free_all(waiting);
	progress_free_all(waiting);
	elicit_free_all(waiting);
	question_free_all(waiting);
	logging_free_all(waiting);
	key_wipe(waiting->key, sizeof(waiting->key));
	free(waiting);
}
