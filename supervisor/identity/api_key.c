#include "supervisor/identity/api_key.h"

#include <errno.h>
#include <string.h>

#include "supervisor/base/buf.h"
#include "supervisor/identity/base64url.h"

#define PREFIX_LEN (sizeof(API_KEY_PREFIX) - 1)
#define BODY_LEN   (API_KEY_LEN - PREFIX_LEN)

/* Two bits that hang on all of the secret. They stand where base64url leaves zeros. */
static int checksum(const uint8_t secret[API_KEY_SECRET_LEN], unsigned *ret)
{
	struct digest digest;
	int fault = digest_of(&digest, secret, API_KEY_SECRET_LEN);

	if (!fault)
		*ret = digest.bytes[0] & 3;
	return fault;
}

int api_key_text(char out[API_KEY_LEN + 1], const uint8_t secret[API_KEY_SECRET_LEN])
{
	unsigned sum = 0;
	struct buf text;
	int fault = checksum(secret, &sum);

	buf_init(&text, API_KEY_LEN);
	(void)buf_text(&text, API_KEY_PREFIX);
	(void)base64url_encode(&text, secret, API_KEY_SECRET_LEN);
	if (!fault)
		fault = text.fault;
	if (!fault) {
		memcpy(out, text.data, API_KEY_LEN);
		out[API_KEY_LEN - 1] =
		    base64url_digit((unsigned)base64url_value(out[API_KEY_LEN - 1]) | sum);
		out[API_KEY_LEN] = '\0';
	}
	if (text.data)
		key_wipe(text.data, text.cap);
	buf_fini(&text);
	return fault;
}

enum credential_verdict api_key_form(const char *text, size_t len)
{
	uint8_t secret[API_KEY_SECRET_LEN];
	char body[BODY_LEN];
	unsigned sum, shown;
	size_t n;
	int last, fault;

	if (len < PREFIX_LEN || memcmp(text, API_KEY_PREFIX, PREFIX_LEN) != 0)
		return CREDENTIAL_FORM;
	if (len != API_KEY_LEN)
		return CREDENTIAL_MISTYPED;
	memcpy(body, text + PREFIX_LEN, BODY_LEN);
	last = base64url_value(body[BODY_LEN - 1]);
	if (last < 0)
		return CREDENTIAL_MISTYPED;
	shown = (unsigned)last & 3;
	body[BODY_LEN - 1] = base64url_digit((unsigned)last & ~3u);
	if (base64url_decode(secret, sizeof(secret), body, BODY_LEN, &n) < 0 || n != sizeof(secret))
		return CREDENTIAL_MISTYPED;
	fault = checksum(secret, &sum);
	key_wipe(secret, sizeof(secret));
	key_wipe(body, sizeof(body));
	if (fault)
		return CREDENTIAL_FAULT;
	return sum == shown ? CREDENTIAL_OK : CREDENTIAL_MISTYPED;
}

int api_key_digest(struct digest *ret, const char *text, size_t len)
{
	return digest_of(ret, text, len);
}

size_t api_key_find(const struct digest *known, size_t count, const struct digest *shown)
{
	size_t found = count;

	for (size_t i = 0; i < count; i++) {
		if (digest_equal(&known[i], shown))
			found = i;
	}
	return found;
}
