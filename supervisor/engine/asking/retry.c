#include "supervisor/engine/asking/retry.h"

#include <errno.h>
#include <stdlib.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/engine.h"

int retry_seal(const struct engine *engine, const char *kind, const uint8_t nonce[RETRY_NONCE_LEN],
    const char *const *facts, size_t fact_count, struct digest *ret)
{
	const struct waiting *waiting = waiting_find(engine);
	struct buf cleanup_with(buf_fini) text = {0};

	buf_init(&text, 8192);
	buf_put_str(&text, kind);
	buf_put(&text, nonce, RETRY_NONCE_LEN);
	for (size_t i = 0; i < fact_count; i++)
		buf_put_str(&text, facts[i]);
	if (!waiting || text.fault)
		return -ENOMEM;
	return digest_hmac(ret, waiting->key, text.data, text.len);
}

int retry_write(struct buf *out, const uint8_t nonce[RETRY_NONCE_LEN], const struct digest *mac)
{
	struct buf cleanup_with(buf_fini) state = {0};

	buf_init(&state, RETRY_STATE_LEN);
	buf_put(&state, nonce, RETRY_NONCE_LEN);
	buf_put(&state, mac->bytes, DIGEST_LEN);
	return state.fault || str_base64(out, state.data, state.len) ? -ENOMEM : 0;
}

int retry_read(const char *retry, uint8_t state[RETRY_STATE_LEN], json_t **ret_object)
{
	json_t *object = json_loads(retry, 0, NULL);
	const json_t *text = json_object_get(object, "requestState");
	size_t len = 0;

	if (json_is_string(text) &&
	    str_unbase64(state, RETRY_STATE_LEN, json_string_value(text), json_string_length(text),
		&len) == 0 &&
	    len == RETRY_STATE_LEN) {
		*ret_object = object;
		return 0;
	}
	json_decref(object);
	return -EINVAL;
}

bool retry_has_state(const char *retry)
{
	json_t *object = retry && retry[0] ? json_loads(retry, 0, NULL) : NULL;
	bool has = json_object_get(object, "requestState") != NULL;

	json_decref(object);
	return has;
}

json_t *retry_take(char **retry, const char *key)
{
	json_t *object = (*retry)[0] ? json_loads(*retry, 0, NULL) : NULL;
	json_t *responses = json_object_get(object, "inputResponses");
	json_t *found = json_incref(json_object_get(responses, key));
	char *rest =
	    found && json_object_del(responses, key) == 0 ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	if (rest) {
		free(*retry);
		*retry = rest;
		return found;
	}
	json_decref(found);
	return NULL;
}
