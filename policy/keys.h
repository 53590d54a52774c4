/*
 * The tables of the policy language. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_KEYS_H
#define CALLGATE_POLICY_KEYS_H

#include "policy/schema.h"

/* The whole file, into a struct policy. */
extern const struct schema_key policy_keys[];
/* Its parts, each in a file of its own. */
extern const struct schema_key server_keys[];  /* keys_server.c, into struct policy */
extern const struct schema_key sandbox_keys[]; /* keys_sandbox.c, into struct policy_sandbox */
extern const struct schema_key exec_keys[];    /* keys_exec.c, into struct policy_exec */
extern const struct schema_key env_keys[];     /* of one variable */
extern const struct schema_list role_list;     /* keys_who.c */
extern const struct schema_list principal_list;
extern const struct schema_list agent_list;
extern const struct schema_list namespace_list;
extern const struct schema_list tenant_list;
extern const struct schema_list channel_list;   /* keys_channel.c */
extern const struct schema_list tool_list;      /* keys_tool.c */
extern const struct schema_list tool_rule_list; /* keys_rules.c */
extern const struct schema_list tool_test_list;

/* The bits of foreign keys in struct schema. */
enum foreign_key {
	FOREIGN_LLMS,
	FOREIGN_LLM,
	FOREIGN_INSTRUCTION,
	FOREIGN_DOCUMENT_STORES,
};

/* Tools, agents, namespaces, principal rows. Each call walks the rows of its caller. */
#define ENTRIES_MAX    1024
#define CHANNELS_MAX   32
#define PATH_BYTES_MAX 4095

#define DAY_MS         (24ull * 3600 * 1000)
#define KIB            1024ull
#define MIB            (1024 * KIB)
#define GIB            (1024 * MIB)
#define TIB            (1024 * GIB)

extern const char *const visibility_choices[]; /* enum visibility */
extern const char *const verdict_choices[];    /* enum decision */

#define KEY_LATER(name_)                                                                           \
	{                                                                                          \
		.name = (name_), .read = read_later, .about = "Not built yet in this version"      \
	}
#define KEY_FOREIGN(name_, id)                                                                     \
	{                                                                                          \
		.name = (name_), .read = read_foreign, .min = FOREIGN_##id,                        \
		.about = "Another program's key, ignored with a warning"                           \
	}
#define KEY_END                                                                                    \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* How approvals work; for a struct that has a struct policy_approval at member. */
#define APPROVAL_KEYS(type, member)                                                                \
	{.name = "quorum",                                                                         \
	    .read = read_count,                                                                    \
	    .about = "Distinct people who must agree, 1 to 16 (1)",                                \
	    .place = PLACE(type, member.quorum),                                                   \
	    .min = 1,                                                                              \
	    .max = 16,                                                                             \
	    .range = "1 to 16"},                                                                   \
	    {.name = "grants",                                                                     \
		.read = read_grants,                                                               \
		.about = "What an answer may stand for: once, session, always (once)",             \
		.place = PLACE(type, member.grants),                                               \
		.choices = grant_choices,                                                          \
		.like = read_words},                                                               \
	    {.name = "max_grant_ttl",                                                              \
		.read = read_duration,                                                             \
		.about = "Longest life of a grant, 1s to 90d (8h)",                                \
		.place = PLACE(type, member.max_grant_ttl_ms),                                     \
		.min = 1000,                                                                       \
		.max = 90 * DAY_MS,                                                                \
		.range = "1s to 90d"},                                                             \
	    {.name = "editable",                                                                   \
		.read = read_words,                                                                \
		.about = "Parameters that the approver may change",                                \
		.place = PLACE(type, member.editable),                                             \
		.given_place = PLACE(type, member.editable_given),                                 \
		.judge = judge_parameter,                                                          \
		.max = 64},                                                                        \
	    {.name = "by_client",                                                                  \
		.read = read_bool,                                                                 \
		.about = "The client may ask its own user (false)",                                \
		.place = PLACE(type, member.by_client),                                            \
		.given_place = PLACE(type, member.by_client_given)},                               \
	    {.name = "reason_required",                                                            \
		.read = read_bool,                                                                 \
		.about = "An approval needs a reason, too (false)",                                \
		.place = PLACE(type, member.reason_required),                                      \
		.given_place = PLACE(type, member.reason_given)},                                  \
	{                                                                                          \
		.name = "escalate_after", .read = read_duration,                                   \
		.about = "Each channel is asked so long after the one before, 0s to 7d (0s)",      \
		.place = PLACE(type, member.escalate_after_ms),                                    \
		.pos_place = PLACE(type, member.escalate_pos),                                     \
		.given_place = PLACE(type, member.escalate_given), .max = 7 * DAY_MS,              \
		.range = "0s to 7d"                                                                \
	}

extern const char *const grant_choices[]; /* a value's bit is its index */
schema_read read_grants;                  /* uint32_t of GRANT_* bits */
schema_read read_env;                     /* into struct policy_tool */

/* Patterns for `policy schema`; the judges decide. */
#define NAME_PATTERN     "^[A-Za-z0-9_-]{1,255}$"
#define TOOL_PATTERN     "^[A-Za-z0-9_.-]{1,64}$"
#define VARIABLE_PATTERN "^[A-Za-z_][A-Za-z0-9_]*$"

/* Judges: NULL or "why; what to do". */
schema_judge judge_name; /* of an agent, role, namespace or rule */
schema_judge judge_tool_name;
schema_judge judge_tool_glob;
schema_judge judge_command;
schema_judge judge_variable;
schema_judge judge_parameter;
schema_judge judge_listen; /* judge_http.c */
schema_judge judge_network;
schema_judge judge_proxy; /* a network, or the word for the peers of a Unix path */
schema_judge judge_url;
schema_judge judge_site_url;
schema_judge judge_host;
schema_judge judge_endpoint;
schema_judge judge_origin;
schema_judge judge_method;
schema_judge judge_header;
schema_judge judge_url_path;
schema_judge judge_algorithm;

#endif
