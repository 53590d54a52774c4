/*
 * The policy in memory: what a file says, after parsing, defaults filled in, positions kept.
 *
 * A policy is immutable. It is made by policy_load() from YAML (policy child, `callgate policy`)
 * or by policy_thaw() from its frozen form (engine, warden); policy_free() releases all of it.
 * All pointers inside point into the policy. Nothing here reads a disk or a clock. Floor 1.
 * Zero means: no right, no decision, not visible.
 */
#ifndef CALLGATE_POLICY_POLICY_H
#define CALLGATE_POLICY_POLICY_H

#include "policy/http.h"
#include "policy/tool.h"
#include "policy/types.h"

#define POLICY_FILE_MAX   (4 * 1024 * 1024) /* bytes of YAML */
#define POLICY_FROZEN_MAX (32 * 1024 * 1024)
#define POLICY_NODES_MAX  400000
#define POLICY_DEPTH_MAX  24
#define POLICY_RULES_MAX  20000 /* rows of rules: in all tools together */

#define POLICY_PERMISSIONS(X)                                                                      \
	X(AUDIT_READ, "audit:read")                                                                \
	X(METRICS_READ, "metrics:read")                                                            \
	X(APPROVALS_READ, "approvals:read")                                                        \
	X(APPROVALS_DECIDE, "approvals:decide")                                                    \
	X(KEYS_MANAGE, "keys:manage")                                                              \
	X(TOKENS_ISSUE, "tokens:issue")                                                            \
	X(POLICY_READ, "policy:read")                                                              \
	X(POLICY_EDIT, "policy:edit")                                                              \
	X(VAULT_USE, "vault:use")                                                                  \
	X(DAEMON_CONTROL, "daemon:control")

enum permission_bit {
#define POLICY_PERMISSION_ENUM_(id, name) PERMISSION_BIT_##id,
	POLICY_PERMISSIONS(POLICY_PERMISSION_ENUM_)
#undef POLICY_PERMISSION_ENUM_
	    PERMISSION_BIT_COUNT,
};
#define PERMISSION(id) (1u << PERMISSION_BIT_##id)

struct policy_role {
	const char *name;
	struct policy_pos pos;
	struct policy_words tools;   /* globs */
	struct policy_words approve; /* globs */
	uint32_t permissions;        /* PERMISSION() bits */
};

struct policy_principal {
	struct policy_pos pos;
	bool has_uid, has_gid;
	uint32_t uid, gid;
	/* Matchers of credentials; all that a row has must be met. "" = none. */
	const char *jwt_claim, *jwt_value;
	const char *cert_san;
	const char *api_key;
	bool anonymous;
	struct policy_words roles;
	bool has_agents, has_namespaces; /* absent: all but private agents; only "default" */
	struct policy_words agents;
	struct policy_words namespaces;
};

struct policy_agent {
	const char *name;
	struct policy_pos pos;
	enum visibility visibility;
	struct policy_words tools;
};

struct policy_namespace {
	const char *name;
	struct policy_pos pos;
	const char *working_directory; /* as written, relative to the policy file's folder */
	struct policy_pos working_directory_pos;
};

/* How a question leaves the house, and how it is signed. */
enum channel_type {
	CHANNEL_NONE = 0,
	CHANNEL_STANDARD, /* Standard Webhooks */
	CHANNEL_GITHUB,   /* X-Hub-Signature-256 */
	CHANNEL_SLACK,
	CHANNEL_NTFY,
	CHANNEL_JSON, /* unsigned; a synchronous answer {"approved": true} counts */
	CHANNEL_TYPE_COUNT,
};

/* A web hook that approvers are asked by; "terminal" is one without a row. */
struct policy_channel {
	const char *name;
	struct policy_pos pos;
	enum channel_type type;
	const char *url;     /* "" with url_env */
	const char *url_env; /* variable that holds the URL, where that is a secret */
	const char *secret_env;
	struct policy_words roles;      /* of answers that come back by it; none: none counts */
	struct policy_words namespaces; /* whose questions it gets; none: all */
};

struct policy_tenant {
	const char *name;
	struct policy_pos pos;
	struct policy_words namespaces; /* each in one tenant at most */
	struct policy_rate rate;
};

struct policy {
	const char *file;        /* name used in messages, as given to the loader */
	const char *socket_path; /* "" = default place */
	struct policy_pos socket_pos;
	uint32_t socket_mode;     /* default 0600 */
	const char *socket_group; /* "" = none */
	struct policy_pos socket_group_pos;
	const char *audit_directory; /* "" = STATE/audit */
	struct policy_pos audit_pos;
	const char *log_level;          /* error warn info debug; default info */
	const char *log_format;         /* text json; default text */
	uint64_t approval_timeout_ms;   /* default 5 min */
	uint64_t approval_hold_ms;      /* default 45 s */
	enum decision default_decision; /* default ASK */
	struct policy_pos default_decision_pos;
	uint64_t default_execution_ms; /* default 60 s */
	struct policy_words path;      /* default /usr/local/bin /usr/bin /bin */
	bool has_agents;               /* the file has an agents: block */
	struct policy_role *roles;
	uint32_t role_count;
	struct policy_principal *principals;
	uint32_t principal_count;
	struct policy_agent *agents;
	uint32_t agent_count;
	struct policy_namespace *namespaces; /* never empty: without any, "default" is "." */
	uint32_t namespace_count;
	struct policy_tenant *tenants;
	uint32_t tenant_count;
	struct policy_tool *tools;
	uint32_t tool_count;
	struct policy_pack *packs; /* those that tools name, by name (policy/pack.h) */
	uint32_t pack_count;
	struct policy_approval approval; /* of tools without one */
	struct policy_channel *channels; /* approvals.channels, by name */
	uint32_t channel_count;
	struct policy_http http;
	void *storage; /* private */
};

void policy_free(struct policy *policy);

const struct policy_tool *policy_find_tool(const struct policy *policy, const char *name);
const struct policy_namespace *policy_find_namespace(const struct policy *policy, const char *name);
const struct policy_agent *policy_find_agent(const struct policy *policy, const char *name);
/* NULL also for "terminal". */
const struct policy_channel *policy_find_channel(const struct policy *policy, const char *name);
const struct policy_role *policy_find_role(const struct policy *policy, const char *name);
const struct policy_pack *policy_find_pack(const struct policy *policy, const char *name);
/* The tenant that has this namespace; NULL: none has. */
const struct policy_tenant *policy_tenant_of(const struct policy *policy, const char *space);
const char *decision_name(enum decision decision); /* "none" "allow" "ask" "deny" */
const char *visibility_name(enum visibility visibility);
/* PERMISSION bit of "audit:read", 0 if unknown. */
uint32_t permission_from_name(const char *name);
/* "audit:read" of one PERMISSION bit; "" for anything else. */
const char *permission_name(uint32_t bit);

#endif
