/*
 * The way into a cell: two straight lists. Each row says what is done and why just there; a row
 * that fails is the end of the cell, and the rows after it never run. There is no way back.
 */
#include "sandbox/enter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/fd.h"

struct step {
	const char *name;
	enum layer layer; /* whose bit is set when it is done; LAYER_COUNT: none of its own */
	int (*run)(struct entry *entry);
	const char *remedy;
};

#define REMEDY_USERNS                                                                              \
	"check user.max_user_namespaces, kernel.unprivileged_userns_clone and "                    \
	"kernel.apparmor_restrict_unprivileged_userns"
#define REMEDY_PROC                                                                                \
	"/proc of the daemon is partly covered, as in a container; in Docker start it with "       \
	"--security-opt systempaths=unconfined, or run the daemon where /proc is whole"
#define REMEDY_KERNEL "use a kernel of 5.14 or newer with namespaces, seccomp and tmpfs"
#define REMEDY_PATH   "the path must be absolute, without links, below no system directory"
#define REMEDY_BUG    "this is a fault of callgate or of the kernel; report it"

static int die_with_warden(struct entry *entry)
{
	(void)entry;
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

static int hide_memory(struct entry *entry)
{
	(void)entry;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

static int receive_request(struct entry *entry)
{
	int r = wire_receive_arm(entry->sock, &entry->arm);

	/* No request and a closed socket: this cell was never needed. */
	if (r == -EPIPE)
		_exit(0);
	return r;
}

static const struct step steps[] = {
    /* ---- PREPARE: nothing of the call is known yet ------------------------------------------- */

    /* The zygote set it before its own filter; a cell without it must not go on. */
    {"no_new_privs", LAYER_NNP, caps_verify_nnp, REMEDY_KERNEL},
    /* Before the ids change: from here on a change of ids neither gives nor takes capabilities. */
    {"securebits", LAYER_CAPS, caps_fix_ids, REMEDY_BUG},
    /* Before the first file is made: an id without a mapping owns nothing (EOVERFLOW). */
    {"identity", LAYER_COUNT, namespaces_identity, REMEDY_USERNS},
    /* After the last change of ids, which clears it. */
    {"parent death", LAYER_COUNT, die_with_warden, REMEDY_BUG},
    {"supplementary groups", LAYER_GROUPS, caps_verify_groups, "start the daemon as a service"},
    /* While the old /proc is there to compare with. */
    {"namespaces", LAYER_COUNT, namespaces_verify, REMEDY_USERNS},
    {"private root", LAYER_ROOT, rootfs_enter, REMEDY_USERNS},
    /* The kernel allows a new proc only while a whole old one is in sight, */
    {"proc", LAYER_PROC, rootfs_proc, REMEDY_PROC},
    /* and then everything of the host goes at once. */
    {"leave host", LAYER_ROOT, rootfs_detach, REMEDY_BUG},
    /* /tmp comes before the workspace, which may lie below it. */
    {"private tmp", LAYER_MNTNS, rootfs_scratch, REMEDY_KERNEL},
    {"hostname", LAYER_UTSNS, namespaces_hostname, REMEDY_KERNEL},
    /* Needs a writable /proc of one's own and the capabilities that go further below. */
    {"no nested namespaces", LAYER_USERNS, namespaces_no_more, REMEDY_KERNEL},
    /* The last use of the whole one was just made. */
    {"processes only", LAYER_PROC, rootfs_proc_subset, REMEDY_PROC},
    {"bounding set", LAYER_CAPS, caps_bound, REMEDY_BUG},
    /* Opening what every tool may read costs most of the ruleset: it is done ahead. */
    {"ruleset", LAYER_LANDLOCK, landlock_prepare, REMEDY_KERNEL},
    {"not dumpable", LAYER_COUNT, hide_memory, REMEDY_BUG},

    /* ---- ARM: the plan is known, its decision perhaps not yet -------------------------------- */

    {"request", LAYER_COUNT, receive_request, REMEDY_BUG},
    /* Only now: the warden has put this process into its cgroup, which becomes the visible root. */
    {"cgroup namespace", LAYER_CGROUPNS, namespaces_cgroup, REMEDY_KERNEL},
    {"tmp budget", LAYER_DISK, rootfs_budget, "give sandbox.disk and sandbox.inodes sane sizes"},
    /* The places of programs, the workspace over them, a hashed script over its path in that. */
    {"workspace", LAYER_MNTNS, mount_all, REMEDY_PATH},
    {"working directory", LAYER_COUNT, stdio_cwd,
	"it must exist below the workspace, without links"},
    /* The last directory is made: nothing of the root can be written any more. */
    {"read-only root", LAYER_ROOT, rootfs_seal, REMEDY_BUG},
    {"rules", LAYER_COUNT, landlock_rules, REMEDY_BUG},
    {"writable code", LAYER_COUNT, seccomp_no_writable_code, REMEDY_BUG},
    /* After the last mount, and before the walls that must hold without any capability. */
    {"capabilities", LAYER_CAPS, caps_drop, REMEDY_BUG},
    {"parent death", LAYER_COUNT, die_with_warden, REMEDY_BUG},
    /* Would refuse every mount above; init itself stays in the tool's domain. */
    {"landlock", LAYER_LANDLOCK, landlock_bind, REMEDY_KERNEL},
    {"allowlist", LAYER_ALLOWLIST, landlock_attest_allowlist, REMEDY_KERNEL},
    /* After everything that needed a descriptor of its own. */
    {"descriptors", LAYER_COUNT, stdio_place, REMEDY_BUG},
    {"other descriptors", LAYER_FDS, stdio_close, REMEDY_BUG},
    /* As late as may be: they bind this process too, which soon is the tool's init. */
    {"limits", LAYER_LIMITS, limits_set, "raise the daemon's own hard limits"},
    /* Takes away what all of the above needed. */
    {"last filter", LAYER_SECCOMP, seccomp_last, REMEDY_KERNEL},
    {"memfd", LAYER_MEMFD, seccomp_attest_memfd, REMEDY_BUG},

    /* ---- GO: reported under these names, done by cell_init.c --------------------------------- */

    {"exec", LAYER_COUNT, NULL, "check that the program and its loader are allowed"},
};

#define STEP_COUNT (sizeof(steps) / sizeof(steps[0]))
#define STEP_EXEC  (STEP_COUNT - 1)

static unsigned first_of_arm(void)
{
	unsigned i = 0;

	while (steps[i].run != receive_request)
		i++;
	return i;
}

const char *enter_step_name(uint8_t step)
{
	return step < STEP_COUNT ? steps[step].name : "unknown";
}

/* Says why and ends. What the warden makes of it is its own matter; nothing runs here again. */
static _Noreturn void fail(struct entry *entry, unsigned step, int error)
{
	struct wire_failure failure = {.step = (uint8_t)step, .error = error};
	struct buf out;

	if (entry->note.text[0])
		(void)err_note(&failure.note, 0, "%s: %s", steps[step].name, entry->note.text);
	else
		(void)err_note(&failure.note, 0, "%s: %s; %s", steps[step].name, strerror(error),
		    steps[step].remedy);
	wire_begin(&out, WIRE_FAILED);
	wire_put_failure(&out, &failure);
	(void)wire_send(entry->sock, &out, NULL, 0); /* without a listener the pidfd tells */
	_exit(1);
}

_Noreturn void enter_fail_exec(struct entry *entry, int error)
{
	fail(entry, STEP_EXEC, error);
}

static void run_steps(struct entry *entry, unsigned from, unsigned to)
{
	for (unsigned i = from; i < to; i++) {
		const struct step *step = &steps[i];
		int r;

		if (wall_is_off(&entry->walls, step->layer))
			continue;
		r = step->run(entry);
		if (r < 0)
			fail(entry, i, -r);
		if (step->layer == LAYER_COUNT)
			continue;
		/* A wall of several steps stands only if all of them are done. */
		if (r == ENTER_ABSENT)
			entry->absent |= 1u << step->layer;
		else
			entry->have.layers |= 1u << step->layer;
	}
	entry->have.layers &= ~entry->absent;
}

static void report(struct entry *entry, enum wire_kind kind)
{
	struct buf out;

	wire_begin(&out, kind);
	wire_put_attestation(&out, &entry->have);
	if (wire_send(entry->sock, &out, NULL, 0) < 0)
		_exit(1);
}

_Noreturn void enter_cell(struct entry *entry)
{
	struct wire_message go = {.fd_count = 0};
	unsigned arm = first_of_arm();

	umask(0); /* the modes of the private root are meant as they are written */
	run_steps(entry, 0, arm);
	report(entry, WIRE_PREPARED);
	run_steps(entry, arm, STEP_EXEC);
	report(entry, WIRE_ARMED);
	/* Only this word starts the tool; anything else, or silence for ever, does not. */
	if (wire_expect(entry->sock, WIRE_GO, &go) < 0)
		_exit(1);
	umask(022);
	cell_init_run(entry);
}
