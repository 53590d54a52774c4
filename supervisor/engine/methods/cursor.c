#include "supervisor/engine/methods/cursor.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/engine/asking/waiting.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/methods.h"
#include "supervisor/engine/peer.h"
#include "supervisor/engine/ruleset.h"

#define CURSOR_LEN (sizeof(uint32_t) + DIGEST_LEN)

/* What the cursor is good for. A page number alone would let one identity read on in the list of
 * another, and let an old list be mixed with a new one. */
static int seal(const struct methods_ask *ask, uint32_t index, struct digest *ret)
{
	const struct waiting *waiting = waiting_of(ask->engine);
	struct buf cleanup_with(buf_fini) facts = {0};

	buf_init(&facts, 4096);
	buf_put_str(&facts, "tools/list cursor");
	buf_put_u32(&facts, index);
	buf_put(&facts, ask->engine->rules->version.bytes, DIGEST_LEN);
	buf_put_str(&facts, ask->peer->caller->principal);
	buf_put_str(&facts, ask->peer->call);
	buf_put_str(&facts, ask->request->agent);
	buf_put_str(&facts, ask->request->space);
	if (!waiting || facts.fault)
		return -ENOMEM;
	return digest_hmac(ret, waiting->key, facts.data, facts.len);
}

int cursor_write(struct buf *out, const struct methods_ask *ask, uint32_t index)
{
	struct buf cleanup_with(buf_fini) cursor = {0};
	struct digest mac;
	int fault = seal(ask, index, &mac);

	if (fault)
		return fault;
	buf_init(&cursor, CURSOR_LEN);
	buf_put_u32(&cursor, index);
	if (buf_put(&cursor, mac.bytes, DIGEST_LEN))
		return cursor.fault;
	return str_base64(out, cursor.data, cursor.len);
}

int cursor_read(const struct methods_ask *ask, const json_t *cursor, uint32_t *ret_index)
{
	uint8_t bytes[CURSOR_LEN];
	struct digest expected, given;
	struct reader reader;
	uint32_t index;
	size_t len = 0;
	int fault;

	if (!cursor) {
		*ret_index = 0;
		return 0;
	}
	if (!json_is_string(cursor) ||
	    str_unbase64(bytes, sizeof(bytes), json_string_value(cursor),
		json_string_length(cursor), &len) ||
	    len != sizeof(bytes))
		return -EINVAL;
	reader_init(&reader, bytes, len);
	index = reader_u32(&reader);
	memcpy(given.bytes, bytes + sizeof(uint32_t), DIGEST_LEN);
	fault = seal(ask, index, &expected);
	if (fault)
		return fault;
	if (!digest_equal(&given, &expected))
		return -EINVAL;
	*ret_index = index;
	return 0;
}
