/*
 * A system-call filter for bubblewrap in the benchmark, of the size and kind that callgate's tools
 * have: an allowlist with ENOSYS for the rest. Writes BPF to standard output.
 */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <unistd.h>

#define NUMBERS 335 /* the x86-64 calls that have been there since Linux 4.18 */

int main(void)
{
	static const int refused[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
	    SCMP_SYS(process_vm_writev), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
	    SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(memfd_create),
	    SCMP_SYS(kexec_load), SCMP_SYS(init_module), SCMP_SYS(finit_module)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));

	if (!filter)
		return 1;
	for (int number = 0; number < NUMBERS; number++) {
		int allow = 1;

		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
			allow &= refused[i] != number;
		if (allow)
			(void)seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	/* What the Landlock step behind the filter needs. */
	for (int number = 444; number <= 446; number++)
		(void)seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	if (seccomp_export_bpf(filter, STDOUT_FILENO) != 0)
		return 1;
	seccomp_release(filter);
	return 0;
}
