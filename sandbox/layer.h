/*
 * The walls by name: what an outcome attests and what sandbox.require asks for. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_LAYER_H
#define CALLGATE_SANDBOX_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"

/* X(suffix, name in attestation and in sandbox.require) */
#define LAYERS(X)                                                                                  \
	X(USERNS, "userns")                                                                        \
	X(MNTNS, "mntns")                                                                          \
	X(PIDNS, "pidns")                                                                          \
	X(NETNS, "netns")                                                                          \
	X(IPCNS, "ipcns")                                                                          \
	X(UTSNS, "utsns")                                                                          \
	X(CGROUPNS, "cgroupns")                                                                    \
	X(ROOT, "root")                                                                            \
	X(PROC, "proc")                                                                            \
	X(CAPS, "caps")                                                                            \
	X(NNP, "nnp")                                                                              \
	X(GROUPS, "groups")                                                                        \
	X(LANDLOCK, "landlock")                                                                    \
	X(ALLOWLIST, "allowlist")                                                                  \
	X(SECCOMP, "seccomp")                                                                      \
	X(MEMFD, "memfd")                                                                          \
	X(FDS, "fds")                                                                              \
	X(CGROUP, "cgroup")                                                                        \
	X(LIMITS, "limits")                                                                        \
	X(DISK, "disk")

enum layer {
#define LAYER_ENUM_(id, name) LAYER_##id,
	LAYERS(LAYER_ENUM_)
#undef LAYER_ENUM_
	    LAYER_COUNT,
};
#define LAYER_BIT(id) (1u << LAYER_##id)
#define LAYERS_ALL    ((1u << LAYER_COUNT) - 1)
/* Required where the policy says nothing (DESIGN 3). */
#define LAYERS_DEFAULT                                                                             \
	(LAYERS_ALL &                                                                              \
	    ~(LAYER_BIT(GROUPS) | LAYER_BIT(CGROUPNS) | LAYER_BIT(CGROUP) | LAYER_BIT(DISK)))

enum cgroup_kind {
	CGROUP_NONE = 0,
	CGROUP_V2,
	CGROUP_V1,
	CGROUP_HYBRID, /* v1 controllers and a v2 mount for kill and events */
};

/* What is in force around one tool. Zero: nothing is. */
struct attestation {
	uint32_t layers; /* LAYER_BIT()s truly in force */
	uint32_t landlock_abi;
	enum cgroup_kind cgroup;
	bool limits_by_cgroup; /* else by rlimits */
	bool memory_watched;   /* tree memory summed by init, no kernel limit */
	bool allowlist_open;   /* deny_by_default: false */
	bool disk_fsize;       /* the workspace is bounded by RLIMIT_FSIZE only */
};

const char *layer_name(enum layer layer);
/* LAYER_COUNT if unknown. */
enum layer layer_from_name(const char *name);
/* Names with their values ("landlock:7", "cgroup:v1", "limits:rlimit", "memory:watched",
 * "allowlist:open", "disk:fsize"), space-separated. */
int attestation_text(struct buf *out, const struct attestation *attestation);
/* 0 when all required layers are in force, else -ENOTSUP with a note naming the first missing
 * one, the kernel switch it needs, and the remedy. */
int attestation_check(
    const struct attestation *attestation, uint32_t required, struct err_note *note);

#endif
