#include "sandbox/layer.h"

#include <errno.h>
#include <string.h>

static const char *const names[LAYER_COUNT] = {
#define LAYER_NAME_(id, name) [LAYER_##id] = name,
    LAYERS(LAYER_NAME_)
#undef LAYER_NAME_
};

struct layer_row {
	const char *needs;  /* the kernel's part */
	const char *remedy; /* the reader's part */
};

#define USERNS_NEEDS  "user namespaces"
#define USERNS_REMEDY "set user.max_user_namespaces above 0"
#define NS_NEEDS(ns)  "CONFIG_" ns " in the kernel"
#define NS_REMEDY     "boot a distribution kernel, 5.14 or newer"

static const struct layer_row rows[LAYER_COUNT] = {
    [LAYER_USERNS] = {USERNS_NEEDS, USERNS_REMEDY},
    [LAYER_MNTNS] = {"mount namespaces", NS_REMEDY},
    [LAYER_PIDNS] = {NS_NEEDS("PID_NS"), NS_REMEDY},
    [LAYER_NETNS] = {NS_NEEDS("NET_NS"), NS_REMEDY},
    [LAYER_IPCNS] = {NS_NEEDS("IPC_NS"), NS_REMEDY},
    [LAYER_UTSNS] = {NS_NEEDS("UTS_NS"), NS_REMEDY},
    [LAYER_CGROUPNS] = {NS_NEEDS("CGROUPS"), NS_REMEDY},
    [LAYER_ROOT] = {"mounts in a user namespace", USERNS_REMEDY},
    [LAYER_PROC] = {"a /proc of the daemon that nothing covers",
	"run the daemon outside a container that masks parts of /proc, or start that with "
	"--security-opt systempaths=unconfined"},
    [LAYER_CAPS] = {"capabilities that can be dropped", NS_REMEDY},
    [LAYER_NNP] = {"no_new_privs", NS_REMEDY},
    [LAYER_GROUPS] = {"a daemon that may call setgroups(2)",
	"run the daemon as a service, or as a user without supplementary groups"},
    [LAYER_LANDLOCK] = {"CONFIG_SECURITY_LANDLOCK and lsm=...,landlock",
	"add landlock to the lsm= boot option"},
    [LAYER_ALLOWLIST] = {"Landlock (CONFIG_SECURITY_LANDLOCK)",
	"add landlock to the lsm= boot option"},
    [LAYER_SECCOMP] = {"CONFIG_SECCOMP_FILTER", NS_REMEDY},
    [LAYER_MEMFD] = {"CONFIG_SECCOMP_FILTER", NS_REMEDY},
    [LAYER_FDS] = {"close_range(2), Linux 5.9", NS_REMEDY},
    [LAYER_CGROUP] = {"a cgroup that the daemon may write",
	"start the daemon with systemd's Delegate=yes, or as root"},
    [LAYER_LIMITS] = {"resource limits", "raise the daemon's own hard limits"},
    [LAYER_DISK] = {"a sized tmpfs and a file size limit",
	"give the tool sandbox.disk, and CONFIG_TMPFS to the kernel"},
};

const char *layer_name(enum layer layer)
{
	return (unsigned)layer < LAYER_COUNT ? names[layer] : "unknown";
}

enum layer layer_from_name(const char *name)
{
	unsigned i;

	for (i = 0; i < LAYER_COUNT; i++)
		if (strcmp(names[i], name) == 0)
			break;
	return (enum layer)i;
}

static const char *cgroup_text(enum cgroup_kind kind)
{
	switch (kind) {
	case CGROUP_NONE: return "none";
	case CGROUP_V2: return "v2";
	case CGROUP_V1: return "v1";
	case CGROUP_HYBRID: return "hybrid";
	}
	return "none";
}

/* What stands behind the name of a layer, if anything does. NULL: the bare name says it all. */
static const char *layer_value(const struct attestation *attestation, unsigned layer)
{
	if (layer == LAYER_ALLOWLIST && attestation->allowlist_open)
		return "open";
	if (layer == LAYER_CGROUP)
		return cgroup_text(attestation->cgroup);
	if (layer == LAYER_LIMITS)
		return attestation->limits_by_cgroup ? "cgroup" : "rlimit";
	if (layer == LAYER_DISK && attestation->disk_fsize)
		return "fsize";
	return NULL;
}

int attestation_text(struct buf *out, const struct attestation *attestation)
{
	const char *space = "";

	for (unsigned i = 0; i < LAYER_COUNT; i++) {
		const char *value = layer_value(attestation, i);

		if (!(attestation->layers & (1u << i)))
			continue;
		(void)buf_textf(out, "%s%s", space, names[i]); /* the fault is sticky */
		if (i == LAYER_LANDLOCK)
			(void)buf_textf(out, ":%u", attestation->landlock_abi);
		else if (value)
			(void)buf_textf(out, ":%s", value);
		space = " ";
	}
	/* Without a cgroup that is said too: its absence is a fact about the run, not a gap. */
	if (!(attestation->layers & LAYER_BIT(CGROUP)))
		(void)buf_textf(out, "%scgroup:none", space);
	if (attestation->memory_watched)
		(void)buf_text(out, " memory:watched");
	return out->fault;
}

int attestation_check(
    const struct attestation *attestation, uint32_t required, struct err_note *note)
{
	uint32_t missing = required & LAYERS_ALL & ~attestation->layers;
	unsigned first;

	if (required & ~LAYERS_ALL)
		return err_note(note, -EINVAL,
		    "sandbox.require: a layer this version does not know; use names of the list");
	if (missing == 0)
		return 0;
	first = (unsigned)__builtin_ctz(missing);
	return err_note(note, -ENOTSUP, "%s: the wall is missing, it needs %s; %s", names[first],
	    rows[first].needs, rows[first].remedy);
}
