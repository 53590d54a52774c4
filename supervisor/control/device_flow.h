/*
 * OAuth 2.0 device authorization (RFC 8628): a code that a person enters in a browser, and asking
 * for the token until it was. Also the refreshing of a token. The judging is pure; floor 4:
 * jansson, the network where it says so.
 */
#ifndef CALLGATE_CONTROL_DEVICE_FLOW_H
#define CALLGATE_CONTROL_DEVICE_FLOW_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/control/discovery.h"

#define DEVICE_CODE_MAX 4096
#define USER_CODE_MAX   64

/* What the provider gave for a person to do. */
struct device {
	char device_code[DEVICE_CODE_MAX];
	char user_code[USER_CODE_MAX];
	char page[URL_MAX]; /* verification_uri */
	unsigned expires_s;
	unsigned interval_s;
};

/* The answer of the device authorization endpoint. 0; -EINVAL with note. */
int device_judge(const json_t *document, bool local, struct device *ret, struct err_note *note);

/* What a token endpoint said. */
enum token_verdict {
	TOKEN_REFUSED = 0, /* or nothing that can be understood; note says it */
	TOKEN_GRANTED,
	TOKEN_PENDING,
	TOKEN_SLOW_DOWN,
	TOKEN_DENIED,  /* access_denied */
	TOKEN_EXPIRED, /* expired_token */
	TOKEN_INVALID, /* invalid_grant: a refresh token that is no good any more */
};

/* A token as it was given; texts are borrowed from the document. */
struct granted {
	const char *access_token;
	const char *refresh_token; /* "" = none */
	const char *scope;         /* "" = as asked */
	uint64_t expires_s;        /* from now; 0 = not said */
};

enum token_verdict token_judge(
    long status, const json_t *document, struct granted *ret, struct err_note *note);

/* Asks for a code. scope: "" = none. 0, or an exit status with note. */
int device_begin(const struct remote *remote, const struct discovered *where, const char *client_id,
    const char *scope, struct device *ret, struct err_note *note);
/* Asks for the token until there is an answer; blocks as long as the code counts. 0 and
 * *ret_document, the answer (owned by the caller; token_judge() reads it again); or an exit status
 * with note. */
int device_wait(const struct remote *remote, const struct discovered *where, const char *client_id,
    struct device *device, json_t **ret_document, struct err_note *note);

/* One POST to a token endpoint. What it says, with *ret_document owned by the caller (NULL unless
 * granted); a network that fails is TOKEN_REFUSED with *ret_status COMMAND_UNREACHABLE. */
enum token_verdict token_ask(const struct remote *remote, const char *endpoint, const char *form,
    json_t **ret_document, int *ret_status, struct err_note *note);

#endif
