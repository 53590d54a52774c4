/*
 * API keys: "cg_live_" and 43 characters that hold 256 random bits and two bits of checksum. The
 * length is fixed for users, so there is room for no more: three typos of four, and every lost or
 * foreign character, are told from a key that is merely wrong.
 *
 * At rest a key is the SHA-256 of its text. With 256 random bits a slow hash would protect
 * nothing. Floor 2: libcrypto; pure.
 */
#ifndef CALLGATE_IDENTITY_API_KEY_H
#define CALLGATE_IDENTITY_API_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/evidence/digest.h"
#include "supervisor/identity/verdict.h"

#define API_KEY_PREFIX     "cg_live_"
#define API_KEY_SECRET_LEN 32
#define API_KEY_LEN        51 /* characters of the whole */
#define API_KEY_STATIC_MIN 32 /* characters of a key that an administrator made up */

/* 0 or -EIO. The caller wipes both. */
int api_key_text(char out[API_KEY_LEN + 1], const uint8_t secret[API_KEY_SECRET_LEN]);
/* CREDENTIAL_OK: it has the form of a key (nothing is known of whether there is such a key);
 * _MISTYPED: it begins like one; _FORM: it does not; _FAULT. */
enum credential_verdict api_key_form(const char *text, size_t len);
/* What is kept of any key, ours or an administrator's. 0 or -EIO. */
int api_key_digest(struct digest *ret, const char *text, size_t len);
/* The place of a digest in a list, or count. Takes the same time wherever it stands. */
size_t api_key_find(const struct digest *known, size_t count, const struct digest *shown);

#endif
