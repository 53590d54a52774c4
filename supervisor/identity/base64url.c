#include "supervisor/identity/base64url.h"

#include <errno.h>
#include <stdint.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int base64url_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

char base64url_digit(unsigned value)
{
	return digits[value & 63];
}

int base64url_decode(void *out, size_t max, const char *text, size_t len, size_t *ret_len)
{
	uint8_t *bytes = out;
	uint32_t bits = 0;
	unsigned have = 0;
	size_t n = 0;

	if (len % 4 == 1)
		return -EINVAL;
	if (BASE64URL_BYTES(len) > max)
		return -ENOBUFS;
	for (size_t i = 0; i < len; i++) {
		int value = base64url_value(text[i]);

		if (value < 0)
			return -EINVAL;
		bits = (bits << 6 | (uint32_t)value) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			bytes[n++] = (uint8_t)(bits >> have);
		}
	}
	if (bits & ((1u << have) - 1))
		return -EINVAL;
	*ret_len = n;
	return 0;
}

int base64url_encode(struct buf *out, const void *bytes, size_t len)
{
	const uint8_t *in = bytes;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)in[i] << 16;
		char group[4];

		if (have > 1)
			bits |= (uint32_t)in[i + 1] << 8;
		if (have > 2)
			bits |= in[i + 2];
		for (unsigned j = 0; j < 4; j++)
			group[j] = base64url_digit(bits >> (18 - 6 * j));
		(void)buf_put(out, group, have + 1);
	}
	return out->fault;
}
