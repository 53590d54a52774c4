/*
 * Logins of one person, a file for each gate: $XDG_STATE_HOME/callgate/login/HOST_PORT.json, 0600
 * in a folder 0700. What is read back is judged like anything else. Floor 4: touches the disk.
 */
#ifndef CALLGATE_CONTROL_LOGIN_STORE_H
#define CALLGATE_CONTROL_LOGIN_STORE_H

#include <jansson.h>
#include <stdint.h>

#include "supervisor/base/paths.h"
#include "supervisor/control/remote.h"

/* A login; texts are borrowed from whoever made it or, when read, from document. */
struct login {
	const char *url;
	const char *issuer;
	const char *token_endpoint;
	const char *client_id;
	const char *resource;
	const char *scope; /* "" = not said */
	const char *access_token;
	const char *refresh_token; /* "" = none */
	uint64_t expires;          /* unix seconds; 0 = not said */
	json_t *document;          /* owned where login_read() made it; else NULL */
};

void login_fini(struct login *login);

/* The folder, which need not exist. 0, or -ENOENT (no HOME), -ENAMETOOLONG. */
int login_folder(char out[PATHS_MAX]);
/* Reads the login for a gate. 0; -ENOENT: there is none; else another fault and note says what is
 * wrong with the file. */
int login_read(const struct remote *remote, struct login *ret, struct err_note *note);
/* The same by the name of a file in the folder, for a list. */
int login_read_file(const char *name, struct login *ret, struct err_note *note);
/* Writes it, whole or not at all. 0, or a fault with note. */
int login_write(const struct remote *remote, const struct login *login, struct err_note *note);
/* 0; -ENOENT: there was none; -errno. */
int login_remove(const struct remote *remote);
/* Held while a login is refreshed, so that two commands do not use up one refresh token. A
 * descriptor that is the caller's to close, or -errno. */
int login_lock(const struct remote *remote);

#endif
