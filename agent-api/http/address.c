#include "agent-api/http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"

static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static void set_v4(struct http_address *ret, const void *four)
{
	*ret = (struct http_address){.family = 4};
	memcpy(ret->bytes, four, 4);
}

static void set_v6(struct http_address *ret, const void *sixteen)
{
	if (memcmp(sixteen, mapped, sizeof(mapped)) == 0) {
		set_v4(ret, (const uint8_t *)sixteen + sizeof(mapped));
		return;
	}
	*ret = (struct http_address){.family = 6};
	memcpy(ret->bytes, sixteen, 16);
}

void http_address_of(struct http_address *ret, const struct sockaddr *from)
{
	*ret = (struct http_address){0};
	if (from->sa_family == AF_INET)
		set_v4(ret, &((const struct sockaddr_in *)from)->sin_addr);
	else if (from->sa_family == AF_INET6)
		set_v6(ret, &((const struct sockaddr_in6 *)from)->sin6_addr);
}

int http_address_parse(struct http_text text, struct http_address *ret)
{
	char copy[HTTP_ADDRESS_TEXT_MAX];
	uint8_t bytes[16];

	*ret = (struct http_address){0};
	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.at, '\0', text.len))
		return -EINVAL;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		set_v4(ret, bytes);
	else if (inet_pton(AF_INET6, copy, bytes) == 1)
		set_v6(ret, bytes);
	else
		return -EINVAL;
	return 0;
}

char *http_address_text(char out[HTTP_ADDRESS_TEXT_MAX], const struct http_address *address)
{
	out[0] = '\0';
	if (address->family)
		(void)inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->bytes, out,
		    HTTP_ADDRESS_TEXT_MAX); /* cannot fail: it fits */
	return out;
}

bool http_address_same(const struct http_address *a, const struct http_address *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

/* ---- networks --------------------------------------------------------------------------- */

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits % 8);

	return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

static bool is_prefix(const struct http_network *network)
{
	struct http_address cleared = {.family = network->address.family};
	unsigned bits = network->bits;

	memcpy(cleared.bytes, network->address.bytes, bits / 8);
	if (bits % 8)
		cleared.bytes[bits / 8] =
		    (uint8_t)(network->address.bytes[bits / 8] & 0xff00 >> bits % 8);
	return http_address_same(&cleared, &network->address);
}

int http_network_parse(const char *text, struct http_network *ret)
{
	const char *slash = strchr(text, '/');
	struct http_text address = {text, slash ? (size_t)(slash - text) : strlen(text)};
	uint64_t most;
	uint64_t bits;

	*ret = (struct http_network){0};
	if (http_address_parse(address, &ret->address) < 0)
		return -EINVAL;
	most = ret->address.family == 4 ? 32 : 128;
	bits = most;
	if (slash && str_u64(slash + 1, 128, &bits) < 0)
		return -EINVAL;
	if (slash && most == 32 && memchr(address.at, ':', address.len)) {
		if (bits < 96) /* half of what ::ffff:0:0 stands in is not IPv4 */
			return -EINVAL;
		bits -= 96;
	}
	ret->bits = (uint8_t)bits;
	return bits <= most && is_prefix(ret) ? 0 : -EINVAL;
}

bool http_networks_have(const struct http_networks *networks, const struct http_address *address)
{
	for (size_t i = 0; i < networks->count && address->family; i++) {
		const struct http_network *network = &networks->list[i];

		if (network->address.family == address->family &&
		    same_bits(network->address.bytes, address->bytes, network->bits))
			return true;
	}
	return false;
}
