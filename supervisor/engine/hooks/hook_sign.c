#include "supervisor/engine/hooks/hook_sign.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/digest.h"

#define SECRET_PREFIX "whsec_"
#define SECRET_MAX    256 /* bytes of a decoded secret */
#define V1_LEN        44  /* base64 of 32 bytes */

bool hook_is_near(uint64_t told_s, uint64_t now_s)
{
	return told_s > now_s ? told_s - now_s <= HOOK_SKEW_S : now_s - told_s <= HOOK_SKEW_S;
}

bool hook_is_id(const char *id)
{
	return strlen(id) < HOOK_ID_MAX && str_is_name(id);
}

static int hmac_plain(struct digest *ret, const char *secret, const struct buf *content)
{
	return digest_hmac_with(ret, secret, strlen(secret), content->data, content->len);
}

/* HMAC over content with the secret's bytes, whichever way they are written. */
static int hmac(struct digest *ret, const char *secret, const struct buf *content)
{
	const char *base64 = secret + strlen(SECRET_PREFIX);
	uint8_t bytes[SECRET_MAX];
	size_t len = 0;
	int fault;

	if (content->fault)
		return content->fault;
	if (strncmp(secret, SECRET_PREFIX, strlen(SECRET_PREFIX)) != 0)
		return hmac_plain(ret, secret, content);
	fault = str_unbase64(bytes, sizeof(bytes), base64, strlen(base64), &len);
	if (!fault)
		fault = digest_hmac_with(ret, bytes, len, content->data, content->len);
	key_wipe(bytes, sizeof(bytes));
	return fault == -ENOBUFS ? -EINVAL : fault;
}

static int standard_mac(struct digest *ret, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) content = {0};

	buf_init(&content, message->body_len + 256);
	buf_textf(&content, "%s.%" PRIu64 ".", message->id, message->time_s);
	buf_put(&content, message->body, message->body_len);
	return hmac(ret, message->secret, &content);
}

static int github_mac(struct digest *ret, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) content = {0};

	buf_init(&content, message->body_len + 1);
	buf_put(&content, message->body, message->body_len);
	return hmac(ret, message->secret, &content);
}

static int slack_mac(struct digest *ret, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) content = {0};

	buf_init(&content, message->body_len + 64);
	buf_textf(&content, "v0:%" PRIu64 ":", message->time_s);
	buf_put(&content, message->body, message->body_len);
	return hmac(ret, message->secret, &content);
}

int hook_sign_standard(struct buf *out, const struct hook_message *message)
{
	struct digest mac;
	int fault = standard_mac(&mac, message);

	if (fault)
		return fault;
	buf_text(out, "v1,");
	return str_base64(out, mac.bytes, sizeof(mac.bytes));
}

static int put_hex(struct buf *out, const char *prefix, const struct digest *mac)
{
	char hex[DIGEST_HEX_MAX];

	buf_text(out, prefix);
	return buf_text(out, digest_hex(hex, mac));
}

int hook_sign_github(struct buf *out, const struct hook_message *message)
{
	struct digest mac;
	int fault = github_mac(&mac, message);

	return fault ? fault : put_hex(out, "sha256=", &mac);
}

int hook_sign_slack(struct buf *out, const struct hook_message *message)
{
	struct digest mac;
	int fault = slack_mac(&mac, message);

	return fault ? fault : put_hex(out, "v0=", &mac);
}

/* One signature of a list: "v1," and the base64 of exactly this MAC. Others' versions are passed
 * over, as the scheme has it. */
static bool is_v1(const char *text, size_t len, const struct digest *mac)
{
	struct digest told;
	size_t got = 0;

	if (len != 3 + V1_LEN || memcmp(text, "v1,", 3) != 0)
		return false;
	if (str_unbase64(told.bytes, sizeof(told.bytes), text + 3, V1_LEN, &got) ||
	    got != sizeof(told.bytes))
		return false;
	return digest_equal(&told, mac);
}

static enum hook_verdict by_time(uint64_t told_s, uint64_t now_s)
{
	return hook_is_near(told_s, now_s) ? HOOK_GENUINE : HOOK_STALE;
}

/* Decimal digits only, as they were signed: 0017 and 17 are two texts. */
static bool read_time(const char *text, uint64_t *ret)
{
	return text[0] >= '1' && text[0] <= '9' && str_u64(text, INT64_MAX, ret) == 0;
}

enum hook_verdict hook_verify_standard(
    struct hook_message *message, const char *time, const char *signatures, uint64_t now_s)
{
	struct digest mac;
	bool good = false;

	if (!hook_is_id(message->id) || !read_time(time, &message->time_s) ||
	    standard_mac(&mac, message))
		return HOOK_FORGED;
	for (int i = 0; i < HOOK_SIGNATURE_S && *signatures; i++) {
		size_t len = strcspn(signatures, " ");

		good |= is_v1(signatures, len, &mac);
		signatures += len;
		signatures += *signatures == ' ';
	}
	return good ? by_time(message->time_s, now_s) : HOOK_FORGED;
}

/* prefix and exactly 64 lowercase hex digits of this MAC. */
static bool is_hex(const char *text, const char *prefix, const struct digest *mac)
{
	size_t len = strlen(prefix);
	struct digest told;

	return strncmp(text, prefix, len) == 0 && digest_unhex(&told, text + len) == 0 &&
	       digest_equal(&told, mac);
}

enum hook_verdict hook_verify_slack(
    struct hook_message *message, const char *time, const char *signature, uint64_t now_s)
{
	struct digest mac;

	if (!read_time(time, &message->time_s) || slack_mac(&mac, message) ||
	    !is_hex(signature, "v0=", &mac))
		return HOOK_FORGED;
	return by_time(message->time_s, now_s);
}

enum hook_verdict hook_verify_github(const struct hook_message *message, const char *signature)
{
	struct digest mac;

	if (github_mac(&mac, message) || !is_hex(signature, "sha256=", &mac))
		return HOOK_FORGED;
	return HOOK_GENUINE;
}
