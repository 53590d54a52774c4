#include "supervisor/courier/reach.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"

/* ---- addresses that are not public --------------------------------------------------------- */

enum kind { KIND_PUBLIC = 0, KIND_LOOPBACK, KIND_OTHER };

struct range {
	const char *network;
	const char *what;
	enum kind kind;
};

/* Sources: IANA's registries of special-purpose addresses, and what clouds put beside them. The
 * first that fits counts. */
static const struct range ranges_4[] = {
    {"127.0.0.0/8", "loopback", KIND_LOOPBACK},
    {"0.0.0.0/8", "unspecified", KIND_OTHER},
    {"10.0.0.0/8", "private", KIND_OTHER},
    {"100.64.0.0/10", "shared (carrier-grade NAT)", KIND_OTHER},
    {"169.254.0.0/16", "link-local (metadata services live there)", KIND_OTHER},
    {"172.16.0.0/12", "private", KIND_OTHER},
    {"192.0.0.0/24", "of the IETF (metadata services live there)", KIND_OTHER},
    {"192.0.2.0/24", "for documentation", KIND_OTHER},
    {"192.31.196.0/24", "of AS112", KIND_OTHER},
    {"192.52.193.0/24", "of AMT", KIND_OTHER},
    {"192.88.99.0/24", "a 6to4 relay", KIND_OTHER},
    {"192.168.0.0/16", "private", KIND_OTHER},
    {"192.175.48.0/24", "of AS112", KIND_OTHER},
    {"198.18.0.0/15", "for benchmarks", KIND_OTHER},
    {"198.51.100.0/24", "for documentation", KIND_OTHER},
    {"203.0.113.0/24", "for documentation", KIND_OTHER},
    {"168.63.129.16/32", "a metadata service", KIND_OTHER},
    {"224.0.0.0/4", "multicast", KIND_OTHER},
    {"240.0.0.0/4", "reserved", KIND_OTHER},
};
static const struct range ranges_6[] = {
    {"::1/128", "loopback", KIND_LOOPBACK},
    {"::/128", "unspecified", KIND_OTHER},
    {"::ffff:0:0/96", "IPv4 inside IPv6", KIND_OTHER},
    {"64:ff9b::/96", "NAT64", KIND_OTHER},
    {"64:ff9b:1::/48", "NAT64", KIND_OTHER},
    {"2001::/23", "of the IETF (Teredo and others)", KIND_OTHER},
    {"2001:db8::/32", "for documentation", KIND_OTHER},
    {"2002::/16", "6to4", KIND_OTHER},
    {"2620:4f:8000::/48", "of AS112", KIND_OTHER},
    {"3fff::/20", "for documentation", KIND_OTHER},
    {"fc00::/7", "private", KIND_OTHER},
    {"fe80::/10", "link-local", KIND_OTHER},
    {"fec0::/10", "site-local", KIND_OTHER},
    {"ff00::/8", "multicast", KIND_OTHER},
};
static const struct range not_global = {"", "not a global unicast address", KIND_OTHER};

/* ---- networks ------------------------------------------------------------------------------ */

static void map_4(uint8_t out[16], const void *four)
{
	memset(out, 0, 10);
	out[10] = out[11] = 0xff;
	memcpy(out + 12, four, 4);
}

static bool covers(const struct reach_network *network, const uint8_t address[16])
{
	unsigned whole = network->bits / 8, rest = network->bits % 8;

	if (memcmp(network->bytes, address, whole) != 0)
		return false;
	return rest == 0 || (network->bytes[whole] ^ address[whole]) >> (8 - rest) == 0;
}

static bool has_host_bits(const struct reach_network *network)
{
	for (unsigned bit = network->bits; bit < 128; bit++)
		if (network->bytes[bit / 8] & (0x80u >> bit % 8))
			return true;
	return false;
}

static int parse_network(const char *text, struct reach_network *ret)
{
	char address[INET6_ADDRSTRLEN + 1];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	uint64_t most = 128, bits;
	struct in_addr four;

	if (len == 0 || len >= sizeof(address))
		return -EINVAL;
	memcpy(address, text, len);
	address[len] = '\0';
	if (inet_pton(AF_INET, address, &four) == 1) {
		map_4(ret->bytes, &four);
		most = 32;
	} else if (inet_pton(AF_INET6, address, ret->bytes) != 1) {
		return -EINVAL;
	}
	bits = most;
	if (slash && str_u64(slash + 1, most, &bits))
		return -EINVAL;
	ret->bits = (uint8_t)(bits + 128 - most);
	return has_host_bits(ret) ? -EINVAL : 0;
}

int reach_parse(struct reach *ret, const struct strv *networks, struct err_note *note)
{
	struct reach made = {NULL, networks->count};

	if (networks->count > REACH_NETWORKS_MAX)
		return err_note(note, -EINVAL, "networks: more than %d", REACH_NETWORKS_MAX);
	made.list = calloc(made.count ? made.count : 1, sizeof(*made.list));
	if (!made.list)
		return err_note(note, -ENOMEM, "networks: out of memory");
	for (uint32_t i = 0; i < made.count; i++) {
		if (parse_network(networks->items[i], &made.list[i]) == 0)
			continue;
		reach_fini(&made);
		return err_note(note, -EINVAL,
		    "networks: %s is no network; write it as 10.0.0.0/8 or fd00::/8",
		    networks->items[i]);
	}
	*ret = made;
	return 0;
}

void reach_fini(struct reach *reach)
{
	free(reach->list);
	*reach = (struct reach){0};
}

/* ---- judging ------------------------------------------------------------------------------- */

static const struct range *find(const struct range *ranges, size_t count, const uint8_t address[16])
{
	for (size_t i = 0; i < count; i++) {
		struct reach_network network;

		if (parse_network(ranges[i].network, &network) || covers(&network, address))
			return &ranges[i]; /* a row that cannot be read refuses all */
	}
	return NULL;
}

#define FIND(ranges, address) find(ranges, sizeof(ranges) / sizeof((ranges)[0]), address)

/* NULL: public. */
static const struct range *find_special(int family, const uint8_t address[16])
{
	const struct range *found;

	if (family == AF_INET)
		return FIND(ranges_4, address);
	found = FIND(ranges_6, address);
	return found || (address[0] & 0xe0) == 0x20 ? found : &not_global;
}

static bool is_listed(const struct reach *reach, const uint8_t address[16])
{
	for (uint32_t i = 0; i < reach->count; i++)
		if (covers(&reach->list[i], address))
			return true;
	return false;
}

static enum reach_verdict refuse(struct err_note *note, int family, const uint8_t address[16],
    const char *what, const char *advice)
{
	char text[REACH_TEXT_MAX];

	if (!inet_ntop(family, family == AF_INET ? address + 12 : address, text, sizeof(text)))
		text[0] = '\0';
	(void)err_note(note, -EACCES, "its address %s is %s; %s", text, what, advice);
	return REACH_REFUSED;
}

static enum reach_verdict judge(const struct reach *reach, const struct reach_target *target,
    int family, const uint8_t address[16], struct err_note *note)
{
	const struct range *special = find_special(family, address);
	bool loopback = special && special->kind == KIND_LOOPBACK;

	if (target->plain && !loopback)
		return refuse(note, family, address, special ? special->what : "public",
		    "http without TLS is for loopback only: use https");
	if (!special || (loopback && target->loopback) || is_listed(reach, address))
		return REACH_ALLOWED;
	return refuse(note, family, address, special->what,
	    "if it is meant, list its network under server.outgoing.networks");
}

enum reach_verdict reach_judge(const struct reach *reach, const struct reach_target *target,
    const struct sockaddr *to, struct err_note *note)
{
	uint8_t address[16];

	if (to->sa_family == AF_INET)
		map_4(address, &((const struct sockaddr_in *)(const void *)to)->sin_addr);
	else if (to->sa_family == AF_INET6)
		memcpy(address, &((const struct sockaddr_in6 *)(const void *)to)->sin6_addr, 16);
	else {
		(void)err_note(note, -EACCES, "its address is neither IPv4 nor IPv6");
		return REACH_REFUSED;
	}
	return judge(reach, target, to->sa_family, address, note);
}

enum reach_verdict reach_judge_text(const struct reach *reach, const struct reach_target *target,
    const char *to, struct err_note *note)
{
	uint8_t address[16];
	struct in_addr four;

	if (to && inet_pton(AF_INET, to, &four) == 1) {
		map_4(address, &four);
		return judge(reach, target, AF_INET, address, note);
	}
	if (to && inet_pton(AF_INET6, to, address) == 1)
		return judge(reach, target, AF_INET6, address, note);
	(void)err_note(note, -EACCES, "its address cannot be read");
	return REACH_REFUSED;
}
