/*
 * Capabilities, securebits, and the two things a cell inherits from its zygote.
 */
#include "sandbox/enter.h"

#include <errno.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

/* uid 0 is nobody, changes of ids move nothing, ambient stays empty; and so for ever. */
#define LOCKED                                                                                     \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	    SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |                              \
	    SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

#define CAPS_MAX 64 /* two words of 32: capset(2), version 3 */

int caps_fix_ids(struct entry *entry)
{
	(void)entry;
	return prctl(PR_SET_SECUREBITS, LOCKED) < 0 ? -errno : 0;
}

int caps_bound(struct entry *entry)
{
	(void)entry;
	for (int cap = 0; cap < CAPS_MAX; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* EINVAL ends the list: a number this kernel does not know. */
		return errno == EINVAL && cap > CAP_SETPCAP ? 0 : -errno;
	}
	return 0;
}

/* Asks the kernel, set by set: a wall is what it says, not what was asked for. */
static int verify_empty(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (capget(&header, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++)
		if (data[i].effective || data[i].permitted || data[i].inheritable)
			return -EPERM;
	for (int cap = 0; cap < CAPS_MAX; cap++) {
		int bounding = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);

		if (bounding < 0)
			break; /* a number this kernel does not know */
		if (bounding || prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) != 0)
			return -EPERM;
	}
	return prctl(PR_GET_SECUREBITS) == LOCKED ? 0 : -EPERM;
}

int caps_drop(struct entry *entry)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2];

	(void)entry;
	memset(none, 0, sizeof(none));
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 ||
	    capset(&header, none) < 0)
		return -errno;
	return verify_empty();
}

int caps_verify_nnp(struct entry *entry)
{
	(void)entry;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : -EPERM;
}

/* Only a zygote of root may drop them; an ordinary user's group memberships are kept by the
 * kernel on purpose (a group may be what a file is closed to). */
int caps_verify_groups(struct entry *entry)
{
	int count = getgroups(0, NULL);

	(void)entry;
	if (count < 0)
		return -errno;
	return count == 0 ? 0 : ENTER_ABSENT;
}
