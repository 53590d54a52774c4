/*
 * A tool of the policy: what it runs, how it is judged, within which walls. Part of struct policy
 * (policy/policy.h), which owns all of it. Floor 1.
 */
#ifndef CALLGATE_POLICY_TOOL_H
#define CALLGATE_POLICY_TOOL_H

#include "policy/types.h"

enum workspace_mode {
	WORKSPACE_NONE = 0,
	WORKSPACE_RW,
	WORKSPACE_RO,
	WORKSPACE_OVERLAY, /* written aside; kept until a human takes it over or not */
};

/* "rw"; "ro" for whatever is neither written nor written aside. */
const char *workspace_name(enum workspace_mode mode);

enum run_as {
	RUN_AS_CELL = 0, /* an own uid; needs an idmapped mount when the daemon is root */
	RUN_AS_OWNER,    /* the workspace's owner; never uid 0 */
};

/* Limits: 0 = the default given beside each. */
struct policy_sandbox {
	uint64_t memory;               /* bytes for the tree; 512 MiB */
	uint64_t pids;                 /* 128 */
	uint64_t cpu_ms;               /* CPU time of one process; none */
	uint64_t output;               /* bytes kept of stdout and of stderr each; 1 MiB */
	uint64_t disk;                 /* bytes of /tmp; 64 MiB */
	uint64_t inodes;               /* of /tmp; 4096 */
	uint64_t file_size;            /* bytes of one file written; 1 GiB */
	uint64_t files;                /* open descriptors of one process; 256 */
	enum workspace_mode workspace; /* WORKSPACE_RW */
	bool exec;                     /* workspace and /tmp may hold programs: "runs code" */
	enum run_as run_as;
	bool require_all;
	bool require_given;          /* false: the default list of DESIGN 3 */
	struct policy_words require; /* layer names */
	bool callgate;               /* the call gets a gate of its own */
	struct policy_pos pos;
};

enum tool_type {
	TOOL_NONE = 0,
	TOOL_COMMAND,
	TOOL_FUNCTION,
};

enum tool_handler { /* policy/handlers.h */
	HANDLER_NONE = 0,
	HANDLER_TEXT_EDITOR,
	HANDLER_GREP_SEARCH,
};

/* What becomes one argument, or several: exec.argv. */
enum element_kind {
	ELEMENT_NONE = 0,
	ELEMENT_TEXT, /* one argument: text with {parameter}s in it */
	ELEMENT_EACH, /* one argument for each item of the array parameter that text names */
};
struct policy_element {
	enum element_kind kind;
	const char *text;
	const char
	    *condition; /* a parameter that must be there, not null, not false; "" = always */
	bool dash;      /* its value may start with - although no -- came before */
	struct policy_pos pos;
};

struct policy_exec {
	const char *program; /* a name or an absolute path; "" = the tool is not typed */
	struct policy_pos pos;
	struct policy_element *elements;
	uint32_t element_count;
};

enum env_source {
	ENV_NONE = 0,
	ENV_LITERAL,  /* text is the value */
	ENV_VARIABLE, /* text names a variable of the daemon, read when a call needs it */
};
struct policy_env {
	const char *name;
	struct policy_pos pos;
	enum env_source source;
	const char *text;
};

/* One argument and the JSON Schema that it must meet. */
struct policy_when {
	const char *name;
	struct policy_pos pos;
	const char *schema; /* JSON */
};
struct policy_rule {
	const char *id;
	struct policy_pos pos;
	enum decision decision;
	const char *reason;        /* "" if absent */
	struct policy_words roles; /* none: whoever asks */
	struct policy_when *when;  /* all must hold; none: always */
	uint32_t when_count;
};

/* A row of tests:. Checked when the file is read, never frozen. */
struct policy_test {
	struct policy_pos pos;
	const char *args;          /* JSON object */
	enum decision expect;      /* DECISION_NONE: expect_invalid */
	bool expect_invalid;       /* the arguments do not meet the schema */
	const char *rule;          /* id of the deciding rule; "" = any */
	struct policy_words roles; /* none given: every role of the file */
	bool has_roles;
};

enum hint {
	HINT_NONE = 0, /* not said: told as the careful value */
	HINT_NO,
	HINT_YES,
};
struct policy_annotations {
	const char *title; /* "" if absent */
	enum hint read_only, destructive, idempotent, open_world;
};

/* How approvals of a tool work, or of all tools that say nothing. Zero: the default. A tool's is
 * whole: what its own block does not say is that of approvals:. */
struct policy_approval {
	bool given;
	bool editable_given, by_client_given, reason_given; /* while the file is read */
	bool escalate_given;
	struct policy_pos escalate_pos;
	uint64_t quorum;              /* distinct people who must agree; 1 */
	uint32_t grants;              /* GRANT_*: what an answer may stand for; ONCE */
	uint64_t max_grant_ttl_ms;    /* 8 h */
	struct policy_words editable; /* parameters that the approver may change */
	struct policy_words channels; /* in this order; none: the terminal only */
	uint64_t escalate_after_ms; /* each channel so much after the one before; 0: all at once */
	bool by_client;             /* the client may ask its own user (elicitation) */
	bool reason_required;       /* of an approval, too */
};
enum grant_bit {
	GRANT_ONCE = 1,
	GRANT_SESSION = 2, /* until the connection that asked ends, or as ALWAYS */
	GRANT_ALWAYS = 4,  /* until max_grant_ttl, another policy or the end of the daemon */
};

/* What standard output of a tool is. */
enum tool_output {
	TOOL_OUTPUT_TEXT = 0,
	TOOL_OUTPUT_CONTENT, /* one JSON object: an MCP result's content (wire/content.h) */
};

enum stdin_rule {
	STDIN_RULE_DEFAULT = 0, /* typed tools: no, others: yes */
	STDIN_RULE_NO,
	STDIN_RULE_YES,
	STDIN_RULE_PARAMETER, /* the text of stdin_parameter */
};

struct policy_tool {
	const char *name;
	struct policy_pos pos;
	enum tool_type type;
	enum visibility visibility;    /* default public */
	const char *description;       /* never NULL; a default sentence if absent */
	const char *working_directory; /* as written; "" = the namespace's */
	struct policy_pos working_directory_pos;
	uint64_t max_execution_ms; /* resolved with defaults; never 0 */
	bool deny_by_default;
	struct policy_pos deny_by_default_pos;
	bool require_approval; /* before it runs */
	bool asks_effects;     /* require_approval: effects; about what it changed, after it ran */
	struct policy_pos require_approval_pos;
	const char *approval_prompt; /* "" if absent; {command} stands for the escaped argv */
	struct policy_words allowed_commands;
	struct policy_words denied_commands;
	struct policy_words helpers; /* globs of absolute paths; programs that commands start */
	bool multicall;              /* busybox and its like may stand in the list */
	enum tool_handler handler;   /* of a function tool */
	struct policy_annotations annotations;
	const char *parameters; /* JSON Schema; "" = that of its type (command, handler) */
	struct policy_pos parameters_pos;
	const char *output_schema; /* JSON Schema of what it prints; "" = none */
	enum tool_output output;
	bool elicit; /* while it runs it may ask the caller's user by a form, through its gate */
	struct policy_exec exec;
	enum stdin_rule stdin_rule;
	const char *stdin_parameter; /* "" unless STDIN_RULE_PARAMETER */
	struct policy_env *env;      /* by name */
	uint32_t env_count;
	struct policy_words packs;
	struct policy_rule *rules; /* as written */
	uint32_t rule_count;
	struct policy_approval approval;
	struct policy_sandbox sandbox;
	struct policy_test *tests; /* only in a policy that was read, not thawed */
	uint32_t test_count;
};

/* Does the policy write its command line, so that a call gives parameters only? */
static inline bool tool_is_typed(const struct policy_tool *tool)
{
	return tool->exec.program && tool->exec.program[0];
}

#endif
