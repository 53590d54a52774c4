/*
 * A person's approver key: Ed25519, kept as PKCS#8 PEM under a passphrase (scrypt, AES-256).
 * libcrypto does the file format; this module asks for the passphrase and signs. Floor 4.
 */
#ifndef CALLGATE_CONTROL_APPROVER_KEY_H
#define CALLGATE_CONTROL_APPROVER_KEY_H

#include <openssl/evp.h>

#include "supervisor/base/paths.h"
#include "supervisor/evidence/approval.h"

#define PASSPHRASE_MAX 1024
#define PASSPHRASE_MIN 8

/* Where the key is when nobody said: CONFIG/approver.pem. 0 or COMMAND_USAGE. */
int approver_key_path(const char *given, char out[PATHS_MAX]);

/* Asks on the controlling terminal without echo; where there is none, reads one line of standard
 * input, or the descriptor that $CALLGATE_PASSPHRASE_FD names. 0 or COMMAND_USAGE. Wipe it. */
int passphrase_ask(const char *prompt, char out[PASSPHRASE_MAX]);

/* Makes a key, writes it to path (0600, must not exist). 0 or COMMAND_USAGE after complaining. */
int approver_key_create(
    const char *path, const char *name, const char *passphrase, struct approver *ret_public);

/* Opens the key (asking for its passphrase) and returns it, or NULL after complaining. The id is
 * filled from its public half. Freed by EVP_PKEY_free(). */
EVP_PKEY *approver_key_open(const char *path, struct approver *ret_public);

/* 0 or COMMAND_USAGE. */
int approver_key_sign(
    EVP_PKEY *key, const void *bytes, size_t len, uint8_t ret_signature[SIGNATURE_LEN]);

#endif
