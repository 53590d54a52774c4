/*
 * The API keys of all tenants, durable. What is stored of a key is its SHA-256; the key itself is
 * given out once, by create or rotate.
 *
 * A key is created with what the request says and nothing else: an empty scope grants nothing.
 * Rotating and revoking hold from the moment the call returns; both are on disk then. Floor 2:
 * libcrypto, and SQLite through database.h, whose faults every function here may return, too.
 */
#ifndef CALLGATE_IDENTITY_KEY_STORE_H
#define CALLGATE_IDENTITY_KEY_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/err.h"
#include "supervisor/identity/api_key.h"
#include "supervisor/identity/scope.h"
#include "supervisor/identity/verdict.h"

#define KEY_STORE_FILE       "keys.db"
#define KEY_ID_MAX           21 /* "key_" and 16 hex digits, with NUL */
#define KEY_TEXT_MAX         255
#define KEY_STORE_PER_TENANT 10000 /* keys, revoked ones too */

struct key_store;

/* Times are seconds since 1970; 0: never. Ended by key_record_fini(). */
struct key_record {
	char id[KEY_ID_MAX];
	char tenant[KEY_TEXT_MAX + 1];
	char label[KEY_TEXT_MAX + 1];
	char created_by[KEY_TEXT_MAX + 1];
	uint64_t created_s, expires_s, rotated_s, revoked_s;
	struct scope scope;
};

/* Borrowed for the call. */
struct key_request {
	const char *tenant;        /* a name; "" = the service's own, of no tenant */
	const char *label;         /* for people, UTF-8; may be "" */
	const char *created_by;    /* a principal */
	const struct scope *scope; /* NULL: nothing */
	uint64_t expires_s;
};

/* Opens or makes KEY_STORE_FILE in the folder, as database_open() does. */
int key_store_open(struct key_store **ret, const char *folder, struct err_note *note);
void key_store_close(struct key_store *store);

/* The key's text goes to ret_key, to be wiped by the caller; *ret is ended by key_record_fini().
 * 0; -EINVAL: a text is missing, too long or not UTF-8, or it would be expired at once; -EDQUOT:
 * the tenant has too many; or a fault. */
int key_store_create(struct key_store *store, const struct key_request *request, uint64_t now_s,
    char ret_key[API_KEY_LEN + 1], struct key_record *ret);

/* In each of these a key of another tenant is as unknown as one that does not exist; tenant NULL:
 * of any. -ENOENT: unknown. */

/* A new secret; the old one is worth nothing from now on. -EKEYREVOKED, -EKEYEXPIRED. */
int key_store_rotate(struct key_store *store, const char *tenant, const char *id, uint64_t now_s,
    char ret_key[API_KEY_LEN + 1]);
/* 0 also when it was revoked before; the first time stays. */
int key_store_revoke(struct key_store *store, const char *tenant, const char *id, uint64_t now_s);
int key_store_get(
    struct key_store *store, const char *tenant, const char *id, struct key_record *ret);
/* Up to max records behind `after` ("" = from the first), by id. Each is ended by
 * key_record_fini(). Revoked and expired keys are listed, too. */
int key_store_list(struct key_store *store, const char *tenant, const char *after,
    struct key_record *ret, size_t max, size_t *ret_count);

/* Who shows this key. CREDENTIAL_OK: *ret is filled and ended by key_record_fini(); _FORM,
 * _MISTYPED, _NO_SUCH_KEY; _REVOKED, _EXPIRED (ret->id and ->tenant are filled for the record);
 * _FAULT. */
enum credential_verdict key_store_check(
    struct key_store *store, const char *text, size_t len, uint64_t now_s, struct key_record *ret);

void key_record_fini(struct key_record *record);

#endif
