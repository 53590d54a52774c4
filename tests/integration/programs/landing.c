/*
 * Another machine, as far as system calls tell: starts a program behind a seccomp filter that
 * answers as that machine's kernel would. What the filter does not touch stays as it is here.
 *
 * usage: landing MACHINE PROGRAM ARG...
 *   docker      its default profile, without CAP_SYS_ADMIN: no namespaces, no mounts (EPERM)
 *   nouserns    user.max_user_namespaces=0: ENOSPC where a user namespace is asked for
 *   debian      kernel.unprivileged_userns_clone=0: EPERM for that
 *   norights    AppArmor of Ubuntu 24.04: the namespace comes, and mounts in it are EPERM
 *   nolandlock  a kernel without Landlock: ENOSYS
 *   off         Landlock switched off at boot: EOPNOTSUPP
 *   abi:N       Landlock of an older kernel: 2 as 6.1 has it
 *   old         a kernel before 5.12: no mount_setattr
 *   nooverlay   a kernel without overlays: EINVAL for an option that only they have
 * For abi:N this process stays as the supervisor of the filter: it passes on SIGTERM, and its end
 * is the end of the program.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/fd.h"

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#endif
#define ASKS_VERSION 1

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "landing: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void refuse(scmp_filter_ctx filter, int call, int error)
{
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), call, 0) < 0)
		die("rule");
}

/* unshare(2) and clone(2) with CLONE_NEWUSER; clone3(2) hides its flags: ENOSYS, as Docker. */
static void refuse_userns(scmp_filter_ctx filter, int error)
{
	const struct scmp_arg_cmp asked = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);

	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), SCMP_SYS(unshare), 1, asked) <
		0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)error), SCMP_SYS(clone), 1, asked) <
		0)
		die("rule");
	refuse(filter, SCMP_SYS(clone3), ENOSYS);
}

static void refuse_mounts(scmp_filter_ctx filter)
{
	const int calls[] = {SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
	    SCMP_SYS(open_tree), SCMP_SYS(move_mount), SCMP_SYS(mount_setattr), SCMP_SYS(fsopen)};

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		refuse(filter, calls[i], EPERM);
}

static void refuse_landlock(scmp_filter_ctx filter, int error)
{
	refuse(filter, __NR_landlock_create_ruleset, error);
}

/* "volatile" and "userxattr": nothing else that we mount has an option without a value. */
static void refuse_overlays(scmp_filter_ctx filter)
{
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(fsconfig), 1,
		SCMP_A1(SCMP_CMP_EQ, FSCONFIG_SET_FLAG)) < 0)
		die("rule");
}

static void be_docker(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp others = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWNS, CLONE_NEWNS);

	refuse_userns(filter, EPERM);
	refuse_mounts(filter);
	if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1, others) < 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, others) < 0)
		die("rule");
	refuse(filter, SCMP_SYS(setns), EPERM);
}

static int be(scmp_filter_ctx filter, const char *machine)
{
	if (!strcmp(machine, "docker"))
		be_docker(filter);
	else if (!strcmp(machine, "nouserns"))
		refuse_userns(filter, ENOSPC);
	else if (!strcmp(machine, "debian"))
		refuse_userns(filter, EPERM);
	else if (!strcmp(machine, "norights"))
		refuse_mounts(filter);
	else if (!strcmp(machine, "nolandlock"))
		refuse_landlock(filter, ENOSYS);
	else if (!strcmp(machine, "off"))
		refuse_landlock(filter, EOPNOTSUPP);
	else if (!strcmp(machine, "old"))
		refuse(filter, SCMP_SYS(mount_setattr), ENOSYS);
	else if (!strcmp(machine, "nooverlay"))
		refuse_overlays(filter);
	else if (strncmp(machine, "abi:", 4) != 0)
		return -1;
	else if (seccomp_rule_add(filter, SCMP_ACT_NOTIFY, __NR_landlock_create_ruleset, 1,
		     SCMP_A2(SCMP_CMP_EQ, ASKS_VERSION)) < 0)
		die("rule");
	return 0;
}

/* ---- an older Landlock ----------------------------------------------------------------------- */

static pid_t program;

static void pass_on(int number)
{
	kill(program, number);
}

static void answer(int listener, int abi)
{
	struct seccomp_notif *asked;
	struct seccomp_notif_resp *said;

	if (seccomp_notify_alloc(&asked, &said) < 0)
		die("notify");
	for (;;) {
		memset(asked, 0, sizeof(*asked)); /* or the kernel takes it for another version */
		if (seccomp_notify_receive(listener, asked) < 0) {
			if (errno == EINTR || errno == ENOENT)
				continue; /* or whoever asked is gone */
			break;
		}
		said->id = asked->id;
		said->val = abi;
		said->error = 0;
		said->flags = 0;
		(void)seccomp_notify_respond(listener, said);
	}
	_exit(0);
}

/* The filter's owner starts the program; the parent answers for the kernel. */
static int supervise(const int pair[2], const char *machine)
{
	int listener = -1, status;
	size_t count = 0;
	pid_t kernel;
	char byte;

	close(pair[1]);
	(void)signal(SIGTERM, pass_on);
	(void)signal(SIGINT, pass_on);
	if (fd_receive(pair[0], &byte, 1, &listener, 1, &count) != 1 || count != 1)
		return 2;
	kernel = fork();
	if (kernel == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer(listener, atoi(machine + 4));
	}
	close(listener); /* so that nobody waits for an answer that does not come */
	while (waitpid(program, &status, 0) < 0 && errno == EINTR)
		;
	kill(kernel, SIGKILL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void hand_over(int sock, scmp_filter_ctx filter)
{
	int listener = seccomp_notify_fd(filter);

	if (listener < 0 || fd_send(sock, "", 1, &listener, 1) < 0)
		die("listener");
	close(listener);
	close(sock);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int pair[2], supervised;

	if (argc < 3 || !filter || be(filter, argv[1]) < 0) {
		fputs("usage: landing MACHINE PROGRAM ARG...\n", stderr);
		return 2;
	}
	supervised = strncmp(argv[1], "abi:", 4) == 0;
	if (fd_pair(pair) < 0)
		die("socketpair");
	program = supervised ? fork() : 0;
	if (program > 0)
		return supervise(pair, argv[1]);
	if (program < 0 || seccomp_load(filter) < 0)
		die("seccomp");
	if (supervised)
		hand_over(pair[1], filter);
	else
		close(pair[1]);
	close(pair[0]);
	seccomp_release(filter);
	execv(argv[2], argv + 2);
	die(argv[2]);
}
