/*
 * The authorities whose certificates are believed, read once for all transfers: the system's bundle
 * alone costs a tenth of a second to read, which libcurl would spend on each connection. Floor 3,
 * courier only: libssl, and a libcurl that stands on it.
 */
#ifndef CALLGATE_COURIER_AUTHORITIES_H
#define CALLGATE_COURIER_AUTHORITIES_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/err.h"

struct authorities; /* private */

/* Does this libcurl use OpenSSL? 0, or -ENOTSUP with note. */
int authorities_check(struct err_note *note);
/* system: PEM of which the readable part is taken; more: PEM that must be readable as a whole and
 * hold a certificate, where more_len > 0. 0 and *ret is the caller's to drop; -EBADMSG, -ENOMEM
 * with note. */
int authorities_read(struct authorities **ret, const void *system, size_t system_len,
    const void *more, size_t more_len, struct err_note *note);
/* How many there are. */
uint32_t authorities_count(const struct authorities *authorities);
/* The handle believes those that *now points to when it connects, and no others. */
CURLcode authorities_use(struct authorities *const *now, CURL *easy);
/* Accepts NULL. */
void authorities_free(struct authorities *authorities);

#endif
