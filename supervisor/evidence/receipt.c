#include "supervisor/evidence/receipt.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/buf.h"

#define RECEIPT_BYTES_MAX 1024

/* A key, plan or call that was never filled in must not make a receipt that counts. */
static bool receipt_is_about_something(
    const uint8_t key[KEY_LEN], const char *call, const struct digest *plan)
{
	struct digest as_digest;

	_Static_assert(KEY_LEN == DIGEST_LEN, "a key is compared as a digest");
	memcpy(as_digest.bytes, key, KEY_LEN);
	return !digest_is_zero(&as_digest) && call && call[0] && !digest_is_zero(plan);
}

static int receipt_mac(const struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *plan, struct digest *ret)
{
	struct buf bytes;
	int r;

	buf_init(&bytes, RECEIPT_BYTES_MAX);
	buf_put_str(&bytes, "callgate-receipt-v1");
	buf_put_u64(&bytes, receipt->n);
	buf_put(&bytes, receipt->leaf.bytes, DIGEST_LEN);
	buf_put_u64(&bytes, receipt->size);
	buf_put(&bytes, receipt->root.bytes, DIGEST_LEN);
	buf_put(&bytes, plan->bytes, DIGEST_LEN);
	buf_put_str(&bytes, call);
	r = bytes.fault ? -EIO : digest_hmac(ret, key, bytes.data, bytes.len);
	buf_fini(&bytes);
	return r;
}

int receipt_seal(struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *plan)
{
	if (!receipt_is_about_something(key, call, plan))
		return -EINVAL;
	return receipt_mac(receipt, key, call, plan, &receipt->mac);
}

int receipt_check(const struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *plan)
{
	struct digest mac;
	int r;

	if (!receipt_is_about_something(key, call, plan) || digest_is_zero(&receipt->mac))
		return -EKEYREJECTED;
	r = receipt_mac(receipt, key, call, plan, &mac);
	if (r < 0)
		return r;
	return digest_equal(&mac, &receipt->mac) ? 0 : -EKEYREJECTED;
}

/* What stands in the place of a plan: no plan has this digest. */
static int stand_in(struct digest *ret, const struct digest *effects)
{
	static const char tag[] = "callgate-effects-receipt-v1\n";
	uint8_t bytes[sizeof(tag) - 1 + DIGEST_LEN];

	if (digest_is_zero(effects))
		return -EINVAL;
	memcpy(bytes, tag, sizeof(tag) - 1);
	memcpy(bytes + sizeof(tag) - 1, effects->bytes, DIGEST_LEN);
	return digest_of(ret, bytes, sizeof(bytes));
}

int receipt_seal_effects(struct receipt *receipt, const uint8_t key[KEY_LEN], const char *call,
    const struct digest *effects)
{
	struct digest as_plan;
	int r = stand_in(&as_plan, effects);

	return r < 0 ? r : receipt_seal(receipt, key, call, &as_plan);
}

int receipt_check_effects(const struct receipt *receipt, const uint8_t key[KEY_LEN],
    const char *call, const struct digest *effects)
{
	struct digest as_plan;
	int r = stand_in(&as_plan, effects);

	if (r < 0)
		return r == -EINVAL ? -EKEYREJECTED : r;
	return receipt_check(receipt, key, call, &as_plan);
}
