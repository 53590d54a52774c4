#include "supervisor/evidence/approval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "supervisor/base/str.h"

#define APPROVER_HEAD     "callgate-approver v1 "
#define APPROVER_ID_BYTES (APPROVER_ID_LEN / 2)

static bool name_is_good(const char *name, size_t len)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.@-";

	return len >= 1 && len <= APPROVER_NAME_MAX && strspn(name, letters) >= len;
}

static int approver_make(
    struct approver *ret, const char *name, size_t name_len, const uint8_t public_key[KEY_LEN])
{
	struct approver approver = {.id = ""};
	struct digest digest;

	if (!name_is_good(name, name_len))
		return -EINVAL;
	if (digest_of(&digest, public_key, KEY_LEN) < 0)
		return -EIO;
	str_hex(approver.id, digest.bytes, APPROVER_ID_BYTES);
	memcpy(approver.name, name, name_len);
	memcpy(approver.public_key, public_key, KEY_LEN);
	*ret = approver;
	return 0;
}

int approver_init(struct approver *ret, const char *name, const uint8_t public_key[KEY_LEN])
{
	return approver_make(ret, name, strlen(name), public_key);
}

int approver_text(struct buf *out, const struct approver *approver)
{
	buf_textf(out, APPROVER_HEAD "%s %s ", approver->id, approver->name);
	str_base64(out, approver->public_key, KEY_LEN);
	return buf_text(out, "\n");
}

int approver_parse(struct approver *ret, const char *line)
{
	uint8_t public_key[KEY_LEN];
	struct approver approver;
	const char *id = line + strlen(APPROVER_HEAD), *name, *key;
	size_t key_len, have;
	int r;

	if (strncmp(line, APPROVER_HEAD, strlen(APPROVER_HEAD)) != 0 ||
	    strcspn(id, " ") != APPROVER_ID_LEN || id[APPROVER_ID_LEN] != ' ')
		return -EBADMSG;
	name = id + APPROVER_ID_LEN + 1;
	key = strchr(name, ' ');
	if (!key++)
		return -EBADMSG;
	/* A line out of a file may have lost its newline; nothing else may follow. */
	key_len = strcspn(key, "\n");
	if ((key[key_len] && key[key_len + 1]) ||
	    str_unbase64(public_key, KEY_LEN, key, key_len, &have) < 0 || have != KEY_LEN)
		return -EBADMSG;
	r = approver_make(&approver, name, (size_t)(key - 1 - name), public_key);
	if (r == -EINVAL || (r == 0 && memcmp(approver.id, id, APPROVER_ID_LEN) != 0))
		return -EBADMSG;
	if (r == 0)
		*ret = approver;
	return r;
}

static bool is_decision(const char *decision)
{
	return !strcmp(decision, "approve") || !strcmp(decision, "approve:session") ||
	       !strcmp(decision, "approve:always") || !strcmp(decision, "deny");
}

int approval_signed_bytes(struct buf *out, const char *approval_id, const struct digest *plan,
    const char *decision, uint64_t wall_us, const char *reason)
{
	char hex[DIGEST_HEX_MAX];

	/* Only the last field may hold a newline, so that no two answers share their bytes. */
	if (!approval_id[0] || strchr(approval_id, '\n') || !is_decision(decision))
		return -EINVAL;
	return buf_textf(out, "callgate-approval-v1\n%s\n%s\n%s\n%" PRIu64 "\n%s", approval_id,
	    digest_hex(hex, plan), decision, wall_us, reason ? reason : "");
}

int approval_effects_digest(struct digest *ret, const char *op, const char *call,
    const struct digest *effects, const char *const *paths, size_t count)
{
	static const char head[] = "callgate-effects-decision-v1\n";
	struct digest_stream *stream = digest_stream_new();
	char hex[DIGEST_HEX_MAX];
	int fault = stream ? 0 : -EIO;

	if (!fault)
		fault = digest_stream_add(stream, head, strlen(head));
	if (!fault)
		fault = digest_stream_add(stream, op, strlen(op) + 1);
	if (!fault)
		fault = digest_stream_add(stream, call, strlen(call) + 1);
	if (!fault)
		fault = digest_stream_add(stream, digest_hex(hex, effects), DIGEST_HEX_MAX);
	for (size_t i = 0; !fault && i < count; i++)
		fault = digest_stream_add(stream, paths[i], strlen(paths[i]) + 1);
	if (!fault)
		fault = digest_stream_peek(stream, ret);
	if (stream)
		digest_stream_free(stream);
	return fault;
}
