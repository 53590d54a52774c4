/*
 * A gate that is spoken to over HTTP: where it is, whom we trust there, what we show. Taken from
 * the global options and the environment by main.c; the credential is looked for when it is needed.
 * Floor 4: touches the disk, and the network where a login must be refreshed.
 */
#ifndef CALLGATE_CONTROL_REMOTE_H
#define CALLGATE_CONTROL_REMOTE_H

#include "supervisor/base/err.h"
#include "supervisor/control/url.h"

#define CREDENTIAL_MAX (32 * 1024) /* bytes of a token or key, with the NUL */

/* Texts are borrowed; NULL = not given. */
struct remote {
	struct url at;
	char url[URL_MAX]; /* "https://gate.example:8700" */
	int given;         /* by --url, not by the environment */
	const char *cert;  /* PEM of the client's certificate, with the key where key is NULL */
	const char *key;   /* PEM */
	const char *ca;    /* PEM of those trusted instead of the system's */
	const char *token_file; /* a token or an API key */
};

/* What is shown to the gate: --token-file, else $CALLGATE_TOKEN, else what `callgate login` stored
 * for this address, refreshed where it has expired. out is "" where there is nothing of these; it
 * is the caller's to wipe (OPENSSL_cleanse). 0, or an exit status with the complaint in note. */
int remote_credential(const struct remote *remote, char out[CREDENTIAL_MAX], struct err_note *note);

/* One credential out of a text: blanks at its ends cut off, then visible ASCII only. 0, -ENODATA
 * (nothing), -EINVAL (another byte), -EMSGSIZE. */
int remote_trim(char out[CREDENTIAL_MAX], const char *text, size_t len);

#endif
