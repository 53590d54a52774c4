#include "supervisor/engine/access/rows.h"

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define MARK_BYTES 6 /* of it, so that a JSON integer holds the whole */

static void put_words(struct buf *out, const struct policy_words *words)
{
	buf_put_u32(out, words->count);
	for (uint32_t i = 0; i < words->count; i++)
		buf_put_str(out, words->items[i].text);
}

static void put_row(struct buf *out, const struct policy_principal *row)
{
	buf_put_u8(out, (uint8_t)(row->has_uid | row->has_gid << 1 | row->anonymous << 2 |
				  row->has_agents << 3 | row->has_namespaces << 4));
	buf_put_u32(out, row->uid);
	buf_put_u32(out, row->gid);
	buf_put_str(out, row->jwt_claim);
	buf_put_str(out, row->jwt_value);
	buf_put_str(out, row->cert_san);
	buf_put_str(out, row->api_key);
	put_words(out, &row->roles);
	put_words(out, &row->agents);
	put_words(out, &row->namespaces);
}

int rows_mark_of(const struct digest *digest, const uint8_t key[KEY_LEN], uint64_t *ret)
{
	struct digest mark;
	int fault = digest_hmac(&mark, key, digest->bytes, sizeof(digest->bytes));

	*ret = 1;
	for (size_t i = 0; i < MARK_BYTES && !fault; i++)
		*ret = *ret << 8 | mark.bytes[i];
	return fault;
}

int rows_mark(const struct policy *policy, const uint8_t key[KEY_LEN], uint64_t *ret)
{
	struct buf cleanup_with(buf_fini) rows = {0};
	struct digest digest;
	int fault;

	buf_init(&rows, POLICY_FROZEN_MAX);
	for (uint32_t i = 0; i < policy->principal_count; i++)
		put_row(&rows, &policy->principals[i]);
	fault = rows.fault;
	if (!fault)
		fault = digest_of(&digest, rows.data, rows.len);
	return fault ? fault : rows_mark_of(&digest, key, ret);
}
