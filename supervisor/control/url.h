/*
 * The addresses that the command talks to, judged before anything is sent there: https, or http to
 * this very machine; a host, perhaps a port and a path, and nothing else. Pure; floor 4: base.
 */
#ifndef CALLGATE_CONTROL_URL_H
#define CALLGATE_CONTROL_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/err.h"

#define URL_MAX      1024 /* bytes, with the NUL */
#define URL_HOST_MAX 256

struct url {
	bool https;
	bool loopback;           /* 127.0.0.0/8, [::1] or localhost */
	char host[URL_HOST_MAX]; /* lower case; IPv6 in its brackets */
	uint16_t port;           /* said or not */
	bool port_said;
	const char *path; /* borrowed from the text; "" or begins with a slash */
};

/* 0; -EINVAL, and note says what is wrong. text stays the caller's and is pointed into. */
int url_read(struct url *url, const char *text, struct err_note *note);
/* The same for the address of a gate: without a path, and out holds it without a slash at its end
 * ("https://gate.example:8700"). */
int url_read_gate(struct url *url, char out[URL_MAX], const char *text, struct err_note *note);
/* "https://host:port" of it, with the port only where it was said. Returns out. */
const char *url_origin(const struct url *url, char out[URL_MAX]);
/* Its host and port as the name of a file: [a-z0-9._-]. Returns out. */
const char *url_file_name(const struct url *url, char out[URL_MAX]);

#endif
