#include "sandbox/refusal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define OWN_FILTERS 1 /* self_refuse_rings(), before anything here is tried */

#define UNCONFINED                                                                                 \
	"in Docker start the container with --security-opt seccomp=unconfined or a profile that "  \
	"allows "

/* ---- the switches ---------------------------------------------------------------------------- */

static int read_text(const char *proc, const char *name, char *out, size_t max)
{
	char path[PATH_MAX];
	int cleanup_fd fd = -1;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "%s/%s", proc, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, out, max - 1);
	if (len < 0)
		return -errno;
	out[len] = '\0';
	return 0;
}

static int64_t read_switch(const char *proc, const char *name)
{
	char text[32], *end;
	long long value;

	if (read_text(proc, name, text, sizeof(text)) < 0)
		return -1;
	value = strtoll(text, &end, 10);
	return end == text || value < 0 ? -1 : value;
}

/* The number behind `key` of a status file; 0 where it is missing. */
static uint64_t status_number(const char *text, const char *key, int base)
{
	const char *at = strstr(text, key);

	return at ? strtoull(at + strlen(key), NULL, base) : 0;
}

void refusal_read(const char *proc, struct refusal *ret)
{
	char status[8192] = "";

	(void)read_text(proc, "self/status", status, sizeof(status)); /* else as without a filter */
	*ret = (struct refusal){
	    .namespaces = read_switch(proc, "sys/user/max_user_namespaces"),
	    .clone = read_switch(proc, "sys/kernel/unprivileged_userns_clone"),
	    .apparmor = read_switch(proc, "sys/kernel/apparmor_restrict_unprivileged_userns"),
	    .filtered = status_number(status, "\nSeccomp_filters:\t", 10) > OWN_FILTERS,
	    .admin = status_number(status, "\nCapEff:\t", 16) >> CAP_SYS_ADMIN & 1,
	};
}

/* ---- in words -------------------------------------------------------------------------------- */

int refusal_userns(const struct refusal *why, int fault, struct err_note *note)
{
	const char *error = strerror(-fault);

	if (fault == -ENOSPC || why->namespaces == 0)
		return err_note(note, fault,
		    "sandbox: no user namespace: %s: user.max_user_namespaces is %lld; sysctl -w "
		    "user.max_user_namespaces=15000",
		    error, (long long)why->namespaces);
	if (why->clone == 0)
		return err_note(note, fault,
		    "sandbox: no user namespace: %s: kernel.unprivileged_userns_clone is 0; sysctl "
		    "-w kernel.unprivileged_userns_clone=1, or run the daemon as root",
		    error);
	if (fault == -ENOSYS || fault == -EINVAL)
		return err_note(note, fault,
		    "sandbox: no user namespace: %s: the kernel has none; boot one with "
		    "CONFIG_USER_NS",
		    error);
	if (why->filtered)
		return err_note(note, fault,
		    "sandbox: no user namespace: %s: a seccomp filter is in force, as containers "
		    "have one; " UNCONFINED "unshare, clone, mount and pivot_root",
		    error);
	if (why->apparmor == 1)
		return refusal_rights(why, fault, note);
	return err_note(note, fault,
	    "sandbox: no user namespace: %s: none of the known switches says why; look for "
	    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns and "
	    "the rules of SELinux, or run the daemon as root",
	    error);
}

int refusal_rights(const struct refusal *why, int fault, struct err_note *note)
{
	const char *error = strerror(-fault);

	if (why->apparmor == 1)
		return err_note(note, fault,
		    "sandbox: a user namespace without rights in it: %s: "
		    "kernel.apparmor_restrict_unprivileged_userns is 1; sysctl -w "
		    "kernel.apparmor_restrict_unprivileged_userns=0, or give callgated an AppArmor "
		    "profile with userns, or run the daemon as root",
		    error);
	if (why->filtered)
		return err_note(note, fault,
		    "sandbox: a user namespace without rights in it: %s: a seccomp filter is in "
		    "force, as containers have one; " UNCONFINED
		    "mount, open_tree, move_mount, mount_setattr and pivot_root",
		    error);
	return err_note(note, fault,
	    "sandbox: a user namespace without rights in it: %s: none of the known switches says "
	    "why; look for kernel.apparmor_restrict_unprivileged_userns and the rules of SELinux, "
	    "or run the daemon as root",
	    error);
}

int refusal_root(const struct refusal *why, int fault, struct err_note *note)
{
	const char *error = strerror(-fault);

	if (!why->admin)
		return err_note(note, fault,
		    "sandbox: no mount namespace: %s: root without CAP_SYS_ADMIN, as in a "
		    "container; start it with --cap-add SYS_ADMIN, or run the daemon as an "
		    "ordinary user",
		    error);
	if (why->filtered)
		return err_note(note, fault,
		    "sandbox: no mount namespace: %s: a seccomp filter is in force, as containers "
		    "have one; " UNCONFINED "unshare, mount and pivot_root",
		    error);
	return err_note(note, fault,
	    "sandbox: no mount namespace: %s: use a kernel of 5.14 or newer with namespaces",
	    error);
}

int refusal_landlock(const struct refusal *why, int fault, struct err_note *note)
{
	const char *reason = "the kernel has none; boot one with CONFIG_SECURITY_LANDLOCK";

	if (fault == -EOPNOTSUPP)
		reason = "it is switched off at boot; add landlock to the lsm= boot option";
	else if (why->filtered)
		reason = "the kernel has none, or a seccomp filter hides it, as containers have "
			 "one; " UNCONFINED "landlock_create_ruleset, landlock_add_rule and "
			 "landlock_restrict_self";
	return err_note(note, fault,
	    "landlock: the wall is missing, and the allowlist with it: %s: %s, or leave landlock "
	    "and allowlist out of sandbox.require",
	    strerror(-fault), reason);
}

int refusal_walls(const struct cell_host *host, const struct attestation *have, uint32_t required,
    struct err_note *note)
{
	const uint32_t landlock = LAYER_BIT(LANDLOCK) | LAYER_BIT(ALLOWLIST);
	const struct refusal why = {.filtered = host->filtered};
	int fault = attestation_check(have, required, note);

	if (!fault || !host->landlock_fault || !(required & ~have->layers & landlock))
		return fault;
	(void)refusal_landlock(&why, host->landlock_fault, note);
	return fault;
}
