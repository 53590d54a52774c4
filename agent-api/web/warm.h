/*
 * What TLS reads of the system when it is used for the first time (its configuration, the time
 * zone), done once before the process gives up opening files. Floor 3: OpenSSL.
 */
#ifndef CALLGATE_WEB_WARM_H
#define CALLGATE_WEB_WARM_H

#include "supervisor/base/err.h"

/* Makes a TLS context of a key and certificate that live for the call. 0; -EIO (OpenSSL cannot),
 * or what http_tls_new() says, with note. */
int warm_tls(struct err_note *note);

#endif
