/*
 * How HTTP is served and where courier may go, made of a policy: the files it names are opened and
 * judged here and kept as sealed memory, since neither role opens anything itself. Read anew at
 * each load: a renewed certificate is another file under the same policy.
 *
 * A certificate chain and the certificates of authorities must be regular files of root or the
 * daemon's user that nobody else may write; a private key, moreover, nobody else may read (its
 * group may, where it is root's, as Debian's ssl-cert does it). What is in them is judged by who
 * uses them. Used by start.c, reload.c and siblings.c; reads the disk.
 */
#ifndef CALLGATE_WARDEN_SITE_H
#define CALLGATE_WARDEN_SITE_H

#include "supervisor/link/message.h"
#include "supervisor/warden/config.h"
#include "supervisor/warden/nursery.h"

#define SITE_CERTIFICATE_MAX (1024 * 1024) /* bytes of each file */
#define SITE_KEY_MAX         (64 * 1024)

enum site_file {
	SITE_CERTIFICATE = 0,
	SITE_KEY,
	SITE_CLIENT_CA,
	SITE_OUTGOING_CA,
	SITE_FILE_COUNT,
};

struct site {
	const struct config *config;  /* whose lists the messages point into: outlives the site */
	char *paths[SITE_FILE_COUNT]; /* resolved; NULL: the policy names none */
	int files[SITE_FILE_COUNT];   /* sealed memory; -1: none */
};

/* nursery: says whom files belong to; NULL where this process is in no user namespace of its own.
 * 0 and *ret, freed by site_free(); -EINVAL, -EPERM, -EFBIG or -errno with a note
 * "file:line:column: server.tls.key: PATH: why; what to do". */
int site_read(
    const struct config *config, struct nursery *nursery, struct site **ret, struct err_note *note);
void site_free(struct site *site);
/* "the private key of server.tls"; for notes. */
const char *site_file_what(enum site_file file);

/* Lists of a message; freed by site_lists_free(). */
struct site_lists {
	const char **items[8];
};
/* A SITE message; address: where the HTTP front listens. Strings and descriptors are borrowed from
 * site, address and lists. 0 or -ENOMEM. */
int site_message(
    const struct site *site, const char *address, struct site_lists *lists, struct message *ret);
/* The same for OUTGOING. */
int site_outgoing(const struct site *site, struct site_lists *lists, struct message *ret);
void site_lists_free(struct site_lists *lists);

#endif
