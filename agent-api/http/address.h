/*
 * Addresses of clients: IPv4 and IPv6 in one form, and lists of networks. An IPv4 address that
 * comes as ::ffff:a.b.c.d (as a socket that listens for both gives it) is the IPv4 address, so
 * that one list holds for both. Pure; floor 1.
 */
#ifndef CALLGATE_HTTP_ADDRESS_H
#define CALLGATE_HTTP_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent-api/http/head.h"

#define HTTP_ADDRESS_TEXT_MAX 46

/* Zero: no address (a Unix socket); it is in no network. */
struct http_address {
	uint8_t family; /* 4 or 6 */
	uint8_t bytes[16];
};

struct http_network {
	struct http_address address;
	uint8_t bits;
};

struct http_networks {
	const struct http_network *list; /* borrowed */
	size_t count;
};

/* Of a socket. Anything but IPv4 and IPv6 gives zero. */
void http_address_of(struct http_address *ret, const struct sockaddr *from);
/* "192.0.2.1", "2001:db8::1"; no port, no brackets, no zone. 0 or -EINVAL. */
int http_address_parse(struct http_text text, struct http_address *ret);
/* "" for none. Returns out. */
char *http_address_text(char out[HTTP_ADDRESS_TEXT_MAX], const struct http_address *address);
bool http_address_same(const struct http_address *a, const struct http_address *b);

/* "10.0.0.0/8", "::1/128", or an address alone. Bits behind the prefix must be zero: who writes
 * 10.1.2.3/8 means something else. 0 or -EINVAL. */
int http_network_parse(const char *text, struct http_network *ret);
bool http_networks_have(const struct http_networks *networks, const struct http_address *address);

#endif
