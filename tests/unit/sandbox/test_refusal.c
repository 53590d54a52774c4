/* Each switch that refuses sandboxes is named with its remedy, whatever this machine has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/refusal.h"

static const struct refusal nothing = {
    .namespaces = -1, .clone = -1, .apparmor = -1, .admin = true};
static struct err_note note;

static void assert_says(const char *what, const char *remedy)
{
	const char *colon = strchr(note.text, ':');

	if (!strstr(note.text, what) || !strstr(note.text, remedy))
		fail_msg("'%s' does not say '%s' and '%s'", note.text, what, remedy);
	assert_non_null(colon);
	assert_true(strlen(note.text) < ERR_NOTE_MAX - 1); /* nothing was cut off */
}

static void namespaces_are_refused_by_name(void **state)
{
	struct refusal why = nothing;

	(void)state;
	why.namespaces = 0;
	assert_int_equal(refusal_userns(&why, -ENOSPC, &note), -ENOSPC);
	assert_says("user.max_user_namespaces is 0", "sysctl -w user.max_user_namespaces=");
	why = nothing;
	why.clone = 0;
	assert_int_equal(refusal_userns(&why, -EPERM, &note), -EPERM);
	assert_says("kernel.unprivileged_userns_clone is 0",
	    "sysctl -w kernel.unprivileged_userns_clone=1");
	why = nothing;
	why.filtered = true;
	why.apparmor = 1; /* of the host: in a container the filter is what refuses */
	assert_int_equal(refusal_userns(&why, -EPERM, &note), -EPERM);
	assert_says("seccomp filter", "--security-opt seccomp=unconfined");
	why.filtered = false;
	assert_int_equal(refusal_userns(&why, -EACCES, &note), -EACCES);
	assert_says("kernel.apparmor_restrict_unprivileged_userns is 1",
	    "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0");
	assert_int_equal(refusal_userns(&nothing, -ENOSYS, &note), -ENOSYS);
	assert_says("the kernel has none", "CONFIG_USER_NS");
	assert_int_equal(refusal_userns(&nothing, -EPERM, &note), -EPERM);
	assert_says("none of the known switches", "run the daemon as root");
}

static void missing_rights_are_refused_by_name(void **state)
{
	struct refusal why = nothing;

	(void)state;
	why.apparmor = 1;
	assert_int_equal(refusal_rights(&why, -EPERM, &note), -EPERM);
	assert_says("kernel.apparmor_restrict_unprivileged_userns is 1", "AppArmor profile");
	why.apparmor = 0;
	why.filtered = true;
	assert_int_equal(refusal_rights(&why, -EPERM, &note), -EPERM);
	assert_says("seccomp filter", "--security-opt seccomp=unconfined");
	assert_int_equal(refusal_rights(&nothing, -EPERM, &note), -EPERM);
	assert_says("none of the known switches", "SELinux");
	why = nothing;
	why.admin = false;
	assert_int_equal(refusal_root(&why, -EPERM, &note), -EPERM);
	assert_says("CAP_SYS_ADMIN", "--cap-add SYS_ADMIN");
	why = nothing;
	why.filtered = true;
	assert_int_equal(refusal_root(&why, -EPERM, &note), -EPERM);
	assert_says("seccomp filter", "--security-opt seccomp=unconfined");
	assert_int_equal(refusal_root(&nothing, -EINVAL, &note), -EINVAL);
	assert_says("no mount namespace", "5.14");
}

static void landlock_is_missed_by_reason(void **state)
{
	const uint32_t landlock = LAYER_BIT(LANDLOCK) | LAYER_BIT(ALLOWLIST);
	struct attestation have = {.layers = LAYERS_ALL & ~landlock};
	struct cell_host host = {.landlock_fault = -EOPNOTSUPP};

	(void)state;
	assert_int_equal(refusal_walls(&host, &have, LAYERS_ALL & ~landlock, &note), 0);
	assert_int_equal(refusal_walls(&host, &have, LAYER_BIT(ALLOWLIST), &note), -ENOTSUP);
	assert_says("landlock", "lsm= boot option");
	host.landlock_fault = -ENOSYS;
	assert_int_equal(refusal_walls(&host, &have, LAYERS_DEFAULT, &note), -ENOTSUP);
	assert_says("landlock", "CONFIG_SECURITY_LANDLOCK");
	host.filtered = true;
	host.landlock_fault = -EPERM;
	assert_int_equal(refusal_walls(&host, &have, LAYERS_DEFAULT, &note), -ENOTSUP);
	assert_says("seccomp filter", "landlock_restrict_self");
	have.layers = LAYERS_ALL & ~LAYER_BIT(CGROUP);
	assert_int_equal(refusal_walls(&host, &have, LAYERS_ALL, &note), -ENOTSUP);
	assert_says("cgroup", "Delegate=yes");
}

static void put(const char *folder, const char *file, const char *text)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void switches_are_read(void **state)
{
	char folder[] = "/tmp/callgate-refusal-XXXXXX", name[128];
	const char *const folders[] = {"self", "sys", "sys/user", "sys/kernel"};
	struct refusal why;

	(void)state;
	assert_non_null(mkdtemp(folder));
	refusal_read(folder, &why);
	assert_true(why.namespaces == -1 && why.clone == -1 && why.apparmor == -1);
	assert_true(!why.filtered && !why.admin);
	for (int i = 0; i < 4; i++) {
		char path[128];

		(void)snprintf(path, sizeof(path), "%s/%s", folder, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(folder, "sys/user/max_user_namespaces", "0\n");
	put(folder, "sys/kernel/unprivileged_userns_clone", "1\n");
	put(folder, "sys/kernel/apparmor_restrict_unprivileged_userns", "nonsense\n");
	put(folder, "self/status",
	    "Name:\tx\nCapEff:\t0000000000200000\nSeccomp:\t2\nSeccomp_filters:\t2\n");
	refusal_read(folder, &why);
	assert_true(why.namespaces == 0 && why.clone == 1 && why.apparmor == -1);
	assert_true(why.filtered && why.admin);
	put(folder, "self/status",
	    "Name:\tx\nCapEff:\t0000000000000001\nSeccomp:\t2\nSeccomp_filters:\t1\n");
	refusal_read(folder, &why);
	assert_true(!why.filtered && !why.admin);
	for (int i = 3; i >= 0; i--) {
		const char *const files[] = {"self/status", "sys/user/max_user_namespaces",
		    "sys/kernel/unprivileged_userns_clone",
		    "sys/kernel/apparmor_restrict_unprivileged_userns"};

		(void)snprintf(name, sizeof(name), "%s/%s", folder, files[i]);
		assert_int_equal(unlink(name), 0);
	}
	for (int i = 3; i >= 0; i--) {
		(void)snprintf(name, sizeof(name), "%s/%s", folder, folders[i]);
		assert_int_equal(rmdir(name), 0);
	}
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(namespaces_are_refused_by_name),
	    cmocka_unit_test(missing_rights_are_refused_by_name),
	    cmocka_unit_test(landlock_is_missed_by_reason),
	    cmocka_unit_test(switches_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
