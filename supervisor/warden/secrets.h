/*
 * The secrets that a policy names and engine needs: of API keys only their SHA-256, of channels the
 * value itself, since answers are signed with it. Found by config_variable(), carried by POLICY,
 * overwritten when it is sent. Used by start.c and reload.c. Pure but for the environment.
 */
#ifndef CALLGATE_WARDEN_SECRETS_H
#define CALLGATE_WARDEN_SECRETS_H

#include "supervisor/link/message.h"
#include "supervisor/warden/config.h"

#define SECRET_KEY_MIN   32   /* characters of an API key: fewer can be guessed */
#define SECRET_VALUE_MAX 4096 /* bytes of any */

struct secrets {
	char **items; /* "NAME=<64 hex>" of keys, then "NAME=VALUE" of channels; each once */
	uint32_t key_count;
	uint32_t count;
	char service_key[DIGEST_HEX_MAX]; /* "" = none */
};

/* 0 and *ret, ended by secrets_fini(); or -ENOENT (no such variable), -EINVAL (too short or too
 * long), -ENOMEM, -EIO with a note "file:line:column: ..." that gives names, never a value. */
int secrets_find(const struct config *config, struct secrets *ret, struct err_note *note);
/* Points the message's lists into secrets. */
void secrets_into(const struct secrets *secrets, struct message_policy *policy);
/* Overwrites and frees. Accepts a zeroed one. */
void secrets_fini(struct secrets *secrets);

#endif
