#include "sandbox/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/enter.h"

#ifndef PR_SET_MDWE /* Linux 6.3 */
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

#define PROGRAM_MAX (BPF_MAXINSNS * sizeof(struct sock_filter))

static uint32_t answer_action(enum seccomp_answer answer)
{
	switch (answer) {
	case SECCOMP_ALLOW: return SCMP_ACT_ALLOW;
	case SECCOMP_EPERM: return SCMP_ACT_ERRNO(EPERM);
	case SECCOMP_EACCES: return SCMP_ACT_ERRNO(EACCES);
	case SECCOMP_NO_FAMILY: return SCMP_ACT_ERRNO(EAFNOSUPPORT);
	case SECCOMP_PRETEND: return SCMP_ACT_ERRNO(0);
	case SECCOMP_ENOSYS:
	case SECCOMP_END: break;
	}
	return SCMP_ACT_ERRNO(ENOSYS);
}

static struct scmp_arg_cmp comparison(const struct seccomp_argument *argument)
{
	switch (argument->compare) {
	case SECCOMP_EQ: return SCMP_CMP64(argument->index, SCMP_CMP_EQ, argument->value);
	case SECCOMP_NE: return SCMP_CMP64(argument->index, SCMP_CMP_NE, argument->value);
	case SECCOMP_LT: return SCMP_CMP64(argument->index, SCMP_CMP_LT, argument->value);
	case SECCOMP_GT: return SCMP_CMP64(argument->index, SCMP_CMP_GT, argument->value);
	case SECCOMP_BITS:
	case SECCOMP_NO_MORE: break;
	}
	return SCMP_CMP64(argument->index, SCMP_CMP_MASKED_EQ, argument->mask, argument->value);
}

/* A call that this machine does not have cannot be made either: nothing to add. */
static int add_rule(scmp_filter_ctx filter, const struct seccomp_rule *rule)
{
	struct scmp_arg_cmp compare[3];
	int call = seccomp_syscall_resolve_name(rule->call);
	unsigned count = 0;

	if (call < 0)
		return 0;
	for (; count < 3 && rule->arguments[count].compare != SECCOMP_NO_MORE; count++)
		compare[count] = comparison(&rule->arguments[count]);
	return seccomp_rule_add_array(filter, answer_action(rule->answer), call, count, compare);
}

static int add_rules(scmp_filter_ctx filter, const struct seccomp_rule *rule)
{
	int r = 0;

	for (; r == 0 && rule->answer != SECCOMP_END; rule++)
		r = add_rule(filter, rule);
	return r;
}

static int add_known(scmp_filter_ctx filter, const char *extra)
{
	struct seccomp_rule rule = {.answer = SECCOMP_ALLOW};
	int r = 0;

	for (unsigned i = 0; r == 0 && seccomp_known_plain[i]; i++) {
		rule.call = seccomp_known_plain[i];
		r = add_rule(filter, &rule);
	}
	rule.call = extra;
	if (r == 0 && extra)
		r = add_rule(filter, &rule);
	return r == 0 ? add_rules(filter, seccomp_known_rules) : r;
}

static int add_set(scmp_filter_ctx filter, enum seccomp_set set, const char *extra)
{
	switch (set) {
	case SECCOMP_SET_KNOWN: return add_known(filter, extra);
	case SECCOMP_SET_REFUSED: return add_rules(filter, seccomp_refused_rules);
	case SECCOMP_SET_NO_WX: return add_rules(filter, seccomp_no_wx_rules);
	case SECCOMP_SET_LAST: return add_rules(filter, seccomp_last_rules);
	}
	return -EINVAL;
}

/* libseccomp gives the program to a file only. */
static int export_program(scmp_filter_ctx filter, struct seccomp_program *ret_program)
{
	int cleanup_fd fd = memfd_create("filter", MFD_CLOEXEC);
	char *bytes = NULL;
	size_t len = 0;
	int r;

	if (fd < 0)
		return -errno;
	r = seccomp_export_bpf(filter, fd);
	if (r == 0)
		r = fd_read_all(fd, PROGRAM_MAX, &bytes, &len);
	if (r < 0)
		return r;
	if (len == 0 || len % sizeof(struct sock_filter) != 0) {
		free(bytes);
		return -EINVAL;
	}
	ret_program->code = (struct sock_filter *)(void *)bytes;
	ret_program->length = (unsigned short)(len / sizeof(struct sock_filter));
	return 0;
}

int seccomp_build(enum seccomp_set set, const char *extra, struct seccomp_program *ret_program)
{
	uint32_t otherwise = set == SECCOMP_SET_KNOWN ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_ALLOW;
	scmp_filter_ctx filter = seccomp_init(otherwise);
	int r;

	if (!filter)
		return -ENOMEM;
	/* Another architecture (i386 by int 0x80, x32) numbers its calls differently: no answer
	 * could be right. A binary tree is three times faster to load than a list. */
	r = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r == 0)
		r = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_set(filter, set, extra);
	if (r == 0)
		r = export_program(filter, ret_program);
	seccomp_release(filter);
	return r;
}

void seccomp_program_fini(struct seccomp_program *program)
{
	free(program->code);
	*program = (struct seccomp_program){.code = NULL};
}

int seccomp_load_program(const struct seccomp_program *program)
{
	struct sock_fprog filter = {.len = program->length, .filter = program->code};

	if (!program->code)
		return -EINVAL;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) < 0 ? -errno : 0;
}

/* A second wall behind noexec and the allowlist, and no layer of its own. */
int seccomp_no_writable_code(struct entry *entry)
{
	if (entry->arm.allow_jit)
		return 0;
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == 0)
		return 0;
	if (errno != EINVAL)
		return -errno;
	return entry->filtered ? seccomp_load_program(&entry->no_wx) : ENTER_ABSENT;
}

int seccomp_last(struct entry *entry)
{
	/* The last one alone would let everything else through. */
	if (!entry->filtered)
		return -EPERM;
	return seccomp_load_program(&entry->last);
}

/* By trying: Landlock and noexec know nothing of a memfd, so this refusal is the wall. */
int seccomp_attest_memfd(struct entry *entry)
{
	int fd;

	(void)entry;
	fd = memfd_create("", MFD_CLOEXEC);
	if (fd < 0)
		return errno == ENOSYS ? 0 : -errno;
	close(fd);
	return -EPERM;
}
