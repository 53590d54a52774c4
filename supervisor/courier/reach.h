/*
 * Where courier may connect to. Judged is the address that a name led to, at the moment of the
 * connection, never the name: public addresses may be reached, and of all others only those in the
 * networks that the policy lists, and loopback where the URL itself says so. Pure; floor 3, courier
 * only.
 */
#ifndef CALLGATE_COURIER_REACH_H
#define CALLGATE_COURIER_REACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "supervisor/base/err.h"
#include "supervisor/link/message.h"

#define REACH_NETWORKS_MAX 256
#define REACH_TEXT_MAX     64 /* of an address */

struct reach_network {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	uint8_t bits;      /* of these 128 */
};

struct reach {
	struct reach_network *list; /* owned */
	uint32_t count;
};

/* What the URL says. */
struct reach_target {
	bool plain;    /* http, without TLS */
	bool loopback; /* its host is written localhost, 127.0.0.1 or [::1] */
};

enum reach_verdict {
	REACH_REFUSED = 0,
	REACH_ALLOWED,
};

/* Reads CIDR ("10.0.0.0/8", "fd00::/8") or single addresses. 0 and *ret is the caller's to finish;
 * -EINVAL, -ENOMEM with note, *ret untouched. */
int reach_parse(struct reach *ret, const struct strv *networks, struct err_note *note);
/* Accepts a zeroed one. */
void reach_fini(struct reach *reach);

/* A refusal has a note for people: the address, what it is, what to do. */
enum reach_verdict reach_judge(const struct reach *reach, const struct reach_target *target,
    const struct sockaddr *to, struct err_note *note);
/* The same for an address as text. */
enum reach_verdict reach_judge_text(const struct reach *reach, const struct reach_target *target,
    const char *to, struct err_note *note);

#endif
