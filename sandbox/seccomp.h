/*
 * The tool's system call filters: built once by libseccomp from the tables in seccomp_sets.c,
 * kept as BPF, loaded by one system call. Floor 1: base, libseccomp.
 *
 * Four programs, of which the kernel takes the strictest answer:
 *   KNOWN    an allowlist; what is not on it does not exist (ENOSYS)
 *   REFUSED  arguments that are refused of calls that are known; compared in 32 bits where the
 *            kernel looks at 32 bits only
 *   NO_WX    memory that may be written never becomes code; for kernels before 6.3, which have
 *            no MDWE to say it better
 *   LAST     what a cell itself needed to get in, taken away before the tool runs
 */
#ifndef CALLGATE_SANDBOX_SECCOMP_H
#define CALLGATE_SANDBOX_SECCOMP_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/err.h"

enum seccomp_set {
	SECCOMP_SET_KNOWN,
	SECCOMP_SET_REFUSED,
	SECCOMP_SET_NO_WX,
	SECCOMP_SET_LAST,
};

enum seccomp_answer {
	SECCOMP_END = 0, /* a zeroed row ends a table */
	SECCOMP_ALLOW,
	SECCOMP_EPERM,
	SECCOMP_EACCES,
	SECCOMP_ENOSYS,
	SECCOMP_NO_FAMILY, /* EAFNOSUPPORT */
	SECCOMP_PRETEND,   /* 0, and nothing is done */
};

enum seccomp_compare {
	SECCOMP_NO_MORE = 0,
	SECCOMP_EQ, /* all 64 bits */
	SECCOMP_NE,
	SECCOMP_LT,
	SECCOMP_GT,
	SECCOMP_BITS, /* (argument & mask) == value */
};

struct seccomp_argument {
	enum seccomp_compare compare;
	unsigned index;
	uint64_t value;
	uint64_t mask;
};

/* One call, one answer; all arguments of a row must match. */
struct seccomp_rule {
	const char *call;
	enum seccomp_answer answer;
	struct seccomp_argument arguments[3];
};

extern const char *const seccomp_known_plain[];         /* NULL-terminated */
extern const struct seccomp_rule seccomp_known_rules[]; /* ended by SECCOMP_END */
extern const struct seccomp_rule seccomp_refused_rules[];
extern const struct seccomp_rule seccomp_no_wx_rules[];
extern const struct seccomp_rule seccomp_last_rules[];

struct seccomp_program {
	struct sock_filter *code; /* owned; NULL: none */
	unsigned short length;    /* instructions */
};

/* extra: one more call for the allowlist, or NULL. 0 or -errno; freed by seccomp_program_fini(). */
int seccomp_build(enum seccomp_set set, const char *extra, struct seccomp_program *ret_program);
void seccomp_program_fini(struct seccomp_program *program);
/* For this process and all its children, for ever; no_new_privs must be set. 0 or -errno. */
int seccomp_load_program(const struct seccomp_program *program);

#endif
