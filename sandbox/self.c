#include "sandbox/self.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "sandbox/landlock.h"
#include "sandbox/self_sets.h"

/* Landlock of ABI 7, in our own words: Debian 12's header ends at ABI 2. */
struct domain {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* Rights that came with each ABI, cumulative. Source: Documentation/userspace-api/landlock. */
static const struct domain everything[] = {
    {0, 0, 0}, {0x1fff, 0, 0}, /* 1: files */
    {0x3fff, 0, 0},            /* 2: refer */
    {0x7fff, 0, 0},            /* 3: truncate */
    {0x7fff, 0x3, 0},          /* 4: TCP bind and connect */
    {0xffff, 0x3, 0},          /* 5: device ioctl */
    {0xffff, 0x3, 0x3},        /* 6: abstract sockets and signals */
};
#define NET_CONNECT 0x2ull
#define ABI_KNOWN   ((long)(sizeof(everything) / sizeof(everything[0])) - 1)

/* The auditor makes, fills, cuts and renames files; it links nothing and makes nothing special. */
#define ALLOWED_DIR_ACCESS                                                                         \
	(LANDLOCK_FS_READ | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_REMOVE_FILE |                     \
	    LANDLOCK_FS_MAKE_REG | LANDLOCK_FS_MAKE_DIR | LANDLOCK_FS_REFER |                      \
	    LANDLOCK_FS_TRUNCATE)

/* Of a file only the rights that a file has may be given. */
static uint64_t courier_access(int place)
{
	struct stat info;

	return fstat(place, &info) == 0 && S_ISDIR(info.st_mode) ? LANDLOCK_FS_READ
								 : LANDLOCK_FS_READ_FILE;
}

static int allow_dirs(
    int ruleset, enum self_role role, const int *dirs, uint64_t handled, struct err_note *note)
{
	for (; dirs != NULL && *dirs >= 0; dirs++) {
		struct landlock_path_beneath_attr rule = {
		    .allowed_access = handled & (role == SELF_COURIER ? courier_access(*dirs)
								      : ALLOWED_DIR_ACCESS),
		    .parent_fd = *dirs,
		};

		if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) <
		    0)
			return err_note_errno(note, err_note(note, -errno, "landlock: rule"));
	}
	return 0;
}

/* Files, TCP and scopes: everything the kernel can forbid, less allowed_dirs, and the connections
 * that are courier's job. */
static int restrict_files(enum self_role role, const int *allowed_dirs, struct err_note *note)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	int cleanup_fd ruleset = -1;
	struct domain domain;
	int fault;

	/* Then the filter alone holds, and the warden says so. Tools are another matter: none runs
	 * without Landlock unless its policy leaves it out of sandbox.require. */
	if (abi < 1)
		return 0;
	domain = everything[abi < ABI_KNOWN ? abi : ABI_KNOWN];
	if (role == SELF_COURIER)
		domain.net &= ~NET_CONNECT;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &domain,
	    abi >= 6   ? sizeof(domain)
	    : abi >= 4 ? 2 * sizeof(uint64_t)
		       : sizeof(uint64_t),
	    0);
	if (ruleset < 0)
		return err_note_errno(note, err_note(note, -errno, "landlock: ruleset"));
	fault = allow_dirs(ruleset, role, allowed_dirs, domain.fs, note);
	if (fault < 0)
		return fault;
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_note_errno(note, err_note(note, -errno, "landlock: restrict"));
	return 0;
}

/* Root's powers go; what is needed was opened before. */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

static int add_set(scmp_filter_ctx filter, struct self_set set, uint32_t action)
{
	for (size_t i = 0; i < set.count; i++) {
		const struct self_row *row = &set.rows[i];
		int fault;

		if (row->mask == 0)
			fault = seccomp_rule_add(filter, action, row->call, 0);
		else
			fault = seccomp_rule_add(filter, action, row->call, 1,
			    SCMP_CMP(row->argument, SCMP_CMP_MASKED_EQ, row->mask, row->value));
		/* A negative number is a call that this machine has not. */
		if (fault < 0 && row->call >= 0)
			return fault;
	}
	return 0;
}

/* abort() signals itself, and only itself. */
static int add_abort(scmp_filter_ctx filter)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
	    SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
}

static int has_call(struct self_set set, int call)
{
	for (size_t i = 0; i < set.count; i++)
		if (set.rows[i].call == call)
			return 1;
	return 0;
}

/* Refused politely, unless one of the sets allows it. */
static int add_refusals(scmp_filter_ctx filter, enum self_role role)
{
	size_t count;
	const struct self_refusal *refusals = self_refusals(&count);
	int fault = 0;

	for (size_t i = 0; i < count && fault == 0; i++) {
		int call = refusals[i].call;

		if (call < 0 || has_call(self_role_set(role), call) ||
		    has_call(self_sanitizer(), call) || has_call(self_common(), call))
			continue;
		fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(refusals[i].error), call, 0);
		/* libseccomp: the same answer as the default, as in sanitizer builds. */
		if (fault == -EACCES)
			fault = 0;
	}
	return fault;
}

static int restrict_calls(enum self_role role, struct err_note *note)
{
	scmp_filter_ctx filter = seccomp_init(self_default_action());
	int fault;

	if (filter == NULL)
		return -ENOMEM;
	fault = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (fault == 0)
		fault = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (fault == 0)
		fault = add_set(filter, self_common(), SCMP_ACT_ALLOW);
	if (fault == 0)
		fault = add_set(filter, self_role_set(role), SCMP_ACT_ALLOW);
	if (fault == 0)
		fault = add_set(filter, self_sanitizer(), SCMP_ACT_ALLOW);
	if (fault == 0)
		fault = add_set(filter, self_role_refused(role), SCMP_ACT_ERRNO(EACCES));
	if (fault == 0)
		fault = add_abort(filter);
	if (fault == 0)
		fault = add_refusals(filter, role);
	if (fault == 0)
		fault = seccomp_load(filter);
	seccomp_release(filter);
	if (fault < 0)
		return err_note_errno(note, err_note(note, fault, "seccomp: filter of this role"));
	return 0;
}

int self_confine(enum self_role role, const int *allowed_dirs, struct err_note *note)
{
	int fault = 0;

	if (self_role_set(role).count == 0)
		return err_note(note, -EINVAL, "self: no such role");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_note_errno(note, err_note(note, -errno, "no_new_privs"));
	if (role != SELF_WARDEN) {
		fault = drop_capabilities();
		if (fault < 0)
			return err_note_errno(note, err_note(note, fault, "capabilities"));
		fault = restrict_files(role, allowed_dirs, note);
	}
	return fault < 0 ? fault : restrict_calls(role, note);
}

int self_no_core(void)
{
	const struct rlimit none = {1, 1}, found = {0, 0};

	if (setrlimit(RLIMIT_CORE, &none) == 0)
		return 0;
	return errno != EPERM || setrlimit(RLIMIT_CORE, &found) < 0 ? -errno : 0;
}

int self_seal(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? -errno : self_no_core();
}

/* Everything stays but these. */
static int refuse_calls(const int *calls, size_t count, uint32_t error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int fault = 0;

	if (filter == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count && fault == 0; i++)
		if (calls[i] >= 0) /* a negative number is a call that this machine has not */
			fault = seccomp_rule_add(filter, SCMP_ACT_ERRNO(error), calls[i], 0);
	if (fault == 0)
		fault = seccomp_load(filter);
	seccomp_release(filter);
	return fault;
}

int self_refuse_rings(void)
{
	static const int calls[] = {
	    SCMP_SYS(io_uring_setup),
	    SCMP_SYS(io_uring_enter),
	    SCMP_SYS(io_uring_register),
	};

	return refuse_calls(calls, sizeof(calls) / sizeof(calls[0]), ENOSYS);
}

int self_refuse_powers(void)
{
	size_t count;
	const int *calls = self_powers(&count);

	return refuse_calls(calls, count, EPERM);
}

int self_refuse_programs(void)
{
	static const int calls[] = {
	    SCMP_SYS(add_key),
	    SCMP_SYS(bpf),
	    SCMP_SYS(clock_settime),
	    SCMP_SYS(connect),
	    SCMP_SYS(delete_module),
	    SCMP_SYS(execve),
	    SCMP_SYS(execveat),
	    SCMP_SYS(finit_module),
	    SCMP_SYS(init_module),
	    SCMP_SYS(kexec_file_load),
	    SCMP_SYS(kexec_load),
	    SCMP_SYS(keyctl),
	    SCMP_SYS(open_by_handle_at),
	    SCMP_SYS(perf_event_open),
	    SCMP_SYS(pidfd_getfd),
	    SCMP_SYS(process_vm_readv),
	    SCMP_SYS(process_vm_writev),
	    SCMP_SYS(ptrace),
	    SCMP_SYS(request_key),
	    SCMP_SYS(setns),
	    SCMP_SYS(socket),
	    SCMP_SYS(unshare),
	    SCMP_SYS(userfaultfd),
	};

	return refuse_calls(calls, sizeof(calls) / sizeof(calls[0]), EPERM);
}

int self_start(void)
{
	int fault;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	fault = self_seal();
	return fault < 0 ? fault : self_refuse_rings();
}
