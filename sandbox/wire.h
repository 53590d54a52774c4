/*
 * The words between warden, zygote and cell: one SOCK_SEQPACKET message each, flat, of fixed
 * limits, descriptors riding with the message that names them. Both ends are our own code, yet
 * every length is checked on arrival. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_WIRE_H
#define CALLGATE_SANDBOX_WIRE_H

#include <stdint.h>

#include "supervisor/base/buf.h"
#include "sandbox/cell.h"

#define WIRE_MAX       (32 * 1024)
#define WIRE_FDS       200         /* at most in one message; the kernel takes 253 */
#define WIRE_WORDS_MAX (64 * 1024) /* argv and environment entries together */
#define WIRE_CHUNK     (24 * 1024) /* bytes of words in one message */

enum wire_kind {
	WIRE_NONE = 0,
	WIRE_READY,    /* zygote: it stands */
	WIRE_ASK,      /* to the zygote: one more cell. u32 slot */
	WIRE_MAPPED,   /* zygote to cell: your ids are mapped */
	WIRE_PREPARED, /* cell to zygote, zygote to warden (with cell socket and pidfd) */
	WIRE_FAILED,   /* u8 step, i32 errno, note; from a zygote also slot, pid and the pidfd */
	WIRE_ARM,      /* the call, then WORDS, BIND and RULES until the counts are reached */
	WIRE_WORDS,
	WIRE_BIND,
	WIRE_RULES,
	WIRE_ARMED,
	WIRE_GO,
	WIRE_STARTED,
	WIRE_EXITED,
};

/* A message that came in. Its descriptors belong to it until taken with wire_take_fd(). */
struct wire_message {
	enum wire_kind kind;
	struct reader body;
	int fds[WIRE_FDS];
	size_t fd_count;
	size_t fd_next;
	uint8_t bytes[WIRE_MAX];
};

/* Waits for one message. 0; -EPIPE: the peer is gone; -EBADMSG; -errno. */
int wire_receive(int sock, struct wire_message *ret_message);
/* The same, and it must be of this kind: else -EBADMSG. */
int wire_expect(int sock, enum wire_kind kind, struct wire_message *ret_message);
/* 0 if a message (or the peer's end) is there, else -EAGAIN. */
int wire_poll(int sock);
/* Closes what nobody took; accepts a zeroed message. */
void wire_fini(struct wire_message *message);
/* The next descriptor, now the caller's; -1 when there is none left. */
int wire_take_fd(struct wire_message *message);

/* Starts a message in out (limit WIRE_MAX); wire_send() ends and frees it. */
void wire_begin(struct buf *out, enum wire_kind kind);
int wire_send(int sock, struct buf *out, const int *fds, size_t fd_count);

/* ---- FAILED and ATTESTATION bodies ----------------------------------------------------------- */

struct wire_failure {
	uint8_t step; /* index for enter_step_name() */
	int error;    /* errno, positive */
	struct err_note note;
};

void wire_put_failure(struct buf *out, const struct wire_failure *failure);
void wire_get_failure(struct reader *in, struct wire_failure *ret_failure);
void wire_put_attestation(struct buf *out, const struct attestation *attestation);
void wire_get_attestation(struct reader *in, struct attestation *ret_attestation);

/* ---- ARM ------------------------------------------------------------------------------------- */

/* What a cell keeps of struct cell_arm. Rules and binds are used as they arrive, not kept. */
struct arm_request {
	enum cell_workspace mode;
	bool allowlist_open;
	bool allow_jit;
	struct cell_limits limits;
	uint64_t landlock_workspace;
	char *workspace; /* owned, as is all below */
	char *cwd;
	char *words; /* the bytes of all words */
	char **argv; /* into words */
	char **envp; /* into words, the same allocation as argv */
	uint32_t rule_count;
	uint32_t bind_count;
	int exec_fd;
	int mount_fd; /* -1: no workspace */
	int stdio[3]; /* [0] may be -1 */
	int gate_fd;  /* -1: the tool has no gate */
};

/* Warden: sends the whole request in as many messages as it takes. 0, -E2BIG or -errno. */
int wire_send_arm(int sock, const struct cell_arm *arm);
/* Cell: receives ARM and all WORDS. 0, -EPIPE, -EBADMSG, -ENOMEM. *ret is written in any case and
 * may be freed. */
int wire_receive_arm(int sock, struct arm_request *ret);
void arm_request_fini(struct arm_request *request);

#endif
