#include "supervisor/engine/methods/admin.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent-api/wire/rpc.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/engine/access/auth.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"

struct waiting_answer {
	struct result_to to;
	json_t *answer;        /* owned */
	const char *secret;    /* a literal */
	char made[KEY_ID_MAX]; /* key to be revoked if this is not recorded; "" = none */
};

static void wipe_secret(json_t *answer, const char *name)
{
	const char *text = name ? json_string_value(json_object_get(answer, name)) : NULL;

	if (text)
		key_wipe((char *)text, strlen(text)); /* jansson's own copy, about to be freed */
}

static void unmake(struct engine *engine, const char *id)
{
	int fault = key_store_revoke(engine->auth->store, NULL, id, clock_wall_us() / 1000000);

	if (fault)
		log_error("key %s was made, not recorded, and cannot be revoked: %s; revoke it by "
			  "hand",
		    id, strerror(-fault));
}

static void on_recorded(void *context, bool is_written)
{
	struct waiting_answer *waiting = context;

	if (is_written) {
		json_incref(waiting->answer);
		result_give_secret(&waiting->to, waiting->answer);
	} else {
		if (waiting->made[0])
			unmake(waiting->to.engine, waiting->made);
		result_refuse(&waiting->to, RESULT_UNAVAILABLE,
		    "this cannot be recorded, so it is not answered; a new key is revoked again. "
		    "See to the audit log and ask again");
	}
	wipe_secret(waiting->answer, waiting->secret);
	json_decref(waiting->answer);
	free(waiting);
}

void admin_answer(
    const struct methods_ask *ask, const struct admin_act *act, json_t *answer, const char *secret)
{
	struct waiting_answer *waiting = calloc(1, sizeof(*waiting));
	int fault = waiting && answer ? 0 : -ENOMEM;

	if (!waiting) {
		wipe_secret(answer, secret);
		json_decref(answer);
		result_refuse(&ask->to, RESULT_UNAVAILABLE, "out of memory");
		return;
	}
	waiting->to = ask->to;
	waiting->answer = answer;
	waiting->secret = secret;
	if (act->type == RECORD_ADMIN_KEY && strcmp(act->action, "create") == 0)
		(void)snprintf(waiting->made, sizeof(waiting->made), "%s", act->id);
	if (!fault)
		fault = record_admin(ask->engine, ask->peer->caller, act, on_recorded, waiting);
	if (fault)
		on_recorded(waiting, false);
}

bool admin_refuses_unknown(const struct methods_ask *ask, const char *const *known, size_t count)
{
	const char *key;
	json_t *value;
	void *at;

	json_object_foreach_safe(ask->params, at, key, value)
	{
		size_t i = 0;

		while (i < count && strcmp(known[i], key) != 0)
			i++;
		if (i < count)
			continue;
		result_refuse(&ask->to, RPC_INVALID_PARAMS, "%.64s: no such member", key);
		return true;
	}
	return false;
}
