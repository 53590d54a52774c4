/*
 * Who gives out tokens for a gate: its protected resource metadata (RFC 9728) names an issuer,
 * whose own metadata (RFC 8414, or OpenID Connect discovery) names where to ask. Every field is
 * judged before anything is sent there. Floor 4: jansson; discover() blocks on the network.
 */
#ifndef CALLGATE_CONTROL_DISCOVERY_H
#define CALLGATE_CONTROL_DISCOVERY_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/control/remote.h"

struct discovered {
	char resource[URL_MAX]; /* what tokens are asked for (RFC 8707) */
	char issuer[URL_MAX];
	char device_endpoint[URL_MAX]; /* RFC 8628 */
	char token_endpoint[URL_MAX];
};

/* Finds all of it. 0, or an exit status with the complaint in note. */
int discover(const struct remote *remote, struct discovered *ret, struct err_note *note);

/* The two documents, as they came. 0; -EINVAL, and note says which field is not as it must be.
 * local: the gate is on this machine, so that its issuer may be, too (http, loopback). */
int discovery_judge_resource(
    const json_t *document, const char *url, struct discovered *ret, struct err_note *note);
int discovery_judge_server(
    const json_t *document, bool local, struct discovered *ret, struct err_note *note);
/* An address that somebody named and that we are to talk to: https, or http to this machine where
 * the gate is on it. Copied to out. 0; -EINVAL with note ("FIELD: why"). */
int discovery_judge_url(
    const char *text, const char *field, bool local, char out[URL_MAX], struct err_note *note);

#endif
