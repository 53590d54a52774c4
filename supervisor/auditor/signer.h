/*
 * The signer: a child of the auditor that alone reads the seed of the log's Ed25519 key.
 *
 * It keeps its own frontier, takes leaf hashes and the size that the tree must then have, builds
 * the checkpoint itself and signs it. It never sees a record and never signs bytes it is given,
 * so that whoever rules the auditor can append to the log but not rewrite it. After a start it
 * goes on only from a checkpoint that bears its own signature and whose root its frontier gives;
 * it begins a tree from nothing only with a seed that never had one ("signer.key.new", renamed
 * to "signer.key" once the first seal is durable). Any request out of order ends it.
 * Blocks the caller until the signer has answered, at most SIGNER_WAIT_S.
 */
#ifndef CALLGATE_AUDITOR_SIGNER_H
#define CALLGATE_AUDITOR_SIGNER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/base/err.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/evidence/merkle.h"
#include "supervisor/evidence/note.h"

#define SIGNER_LEAVES_MAX 4096 /* in one request */
#define SIGNER_WAIT_S     20
#define SIGNER_KEY        "signer.key"
#define SIGNER_KEY_NEW    "signer.key.new"

enum signer_seed {
	SIGNER_SEED_NONE = 0,
	SIGNER_SEED_NEW,         /* has never sealed anything that is durable */
	SIGNER_SEED_ESTABLISHED, /* belongs to a journal that exists */
};

struct signer {
	pid_t pid; /* 0: none */
	int fd;    /* owned */
	int pidfd; /* owned; readable once it has ended (pidfd_open(2)) */
	enum signer_seed seed;
	uint8_t public_key[KEY_LEN];
};

/* Forks the signer; it opens or makes the seed below keydir (0600) and confines itself. 0 or
 * -errno with note. */
int signer_start(struct signer *ret, int keydir, struct err_note *note);
/* Begins a new log of this name. 0, -EPERM (the seed is established), -EPIPE. */
int signer_begin(struct signer *signer, const char *origin);
/* Goes on from the newest sealed tree: its frontier and the note of its seal. 0, -EPIPE (not a
 * checkpoint of this key over this frontier; the signer has ended). */
int signer_resume(
    struct signer *signer, const char *origin, const struct frontier *sealed, const char *note);
/* Appends the leaves and signs the tree, which must then have `size` leaves. *ret_note is the
 * signed checkpoint. 0, -EINVAL (too many leaves), -EPIPE (refused or gone), -ETIMEDOUT. */
int signer_sign(struct signer *signer, uint64_t size, const struct digest *leaves, size_t count,
    char ret_note[NOTE_MAX]);
/* After the first seal is durable: the seed gets its final name. 0 or -errno. */
int signer_establish(struct signer *signer, int keydir);
/* Ends it and waits. Accepts a zeroed struct. */
void signer_stop(struct signer *signer);

#endif
