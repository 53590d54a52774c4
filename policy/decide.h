/*
 * The decision, in the order of DESIGN 5.4: reachable, then decision. One pure function each, no
 * I/O, no clock. `policy explain` and the daemon run this same code. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_DECIDE_H
#define CALLGATE_POLICY_DECIDE_H

#include <jansson.h>

#include "supervisor/base/buf.h"
#include "policy/json_schema.h"
#include "policy/lexer.h"
#include "policy/policy.h"
#include "policy/shown.h"

#define IDENTITY_ROLES_MAX 64 /* the loader refuses a file with more roles */

/* Who asks, by what was shown and what the request says. */
struct subject {
	struct shown shown;
	const char *agent;  /* claimed name, "" = none */
	const char *space;  /* namespace asked for, "" = "default" */
	bool inside;        /* asked by a running call, through its own gate */
	const char *caller; /* inside: the agent of that call; "" or NULL = none */
	const char *home;   /* inside: the namespace of that call, the only one there is */
};

enum identity_result {
	IDENTITY_NONE = 0,
	IDENTITY_OK,
	IDENTITY_NO_ROLE,       /* no principal row matches, or it has no role and no right */
	IDENTITY_UNKNOWN_AGENT, /* not in the file, private, or not allowed to this principal */
	IDENTITY_NAME_AN_AGENT, /* several agents, none named */
	IDENTITY_NO_NAMESPACE,  /* not in the principal's list, or not in the file */
};

struct identity {
	enum identity_result result;
	const struct policy_role *roles[IDENTITY_ROLES_MAX];
	uint32_t role_count;
	uint32_t permissions;
	const struct policy_agent *agent; /* NULL: no limit by agent */
	const struct policy_namespace *space;
	bool inside;    /* a running call asks: what is private can be seen */
	bool anonymous; /* nobody in particular asks: only what is public can be seen */
	struct shown_globs own_tools; /* with has_own: no tool but these, to call or to approve */
	bool has_own;
};

/* Fills *ret from all matching principal rows. A row's agents and namespaces are fields as its
 * matchers are: it gives its roles only to a call of an agent and a namespace that it allows.
 * result != IDENTITY_OK: no rights; roles and permissions are then those of all rows that match
 * uid and gid, so that status and approvals work without an agent. */
void policy_identify(
    const struct policy *policy, const struct subject *subject, struct identity *ret);

/* The rights of a subject in one namespace whatever the agent: who may see, and answer, what the
 * calls there leave behind. NO_NAMESPACE: it is not in the file, or no row of the subject allows
 * it, which look the same; NO_ROLE: rows allow it and give nothing. */
void policy_identify_space(const struct policy *policy, const struct subject *subject,
    const char *space, struct identity *ret);

/* Visible and in agent.tools and in a role's tools. Hidden and absent look the same. tool may be
 * NULL: false. */
bool policy_reachable(const struct identity *identity, const struct policy_tool *tool);

/* May this identity decide approvals of this tool: a role's approve glob and approvals:decide. */
bool policy_may_approve(const struct identity *identity, const char *tool);

enum rule_kind {
	RULE_NONE = 0,
	RULE_DENIED_COMMAND,
	RULE_ALLOWED_COMMAND,
	RULE_DENY_BY_DEFAULT,
	RULE_REQUIRE_APPROVAL,
	RULE_DEFAULT_DECISION,
	RULE_NOT_ANALYSABLE,
	RULE_SHELL_NOT_ALLOWED, /* the string needs a shell and `sh` is not allowed */
	RULE_ROW,               /* a row of rules: */
	RULE_PACK,              /* a rule of one of the tool's packs */
	RULE_FUNCTION,          /* a function tool of which nothing else speaks */
};

struct verdict {
	enum decision decision; /* never NONE after policy_judge() */
	enum rule_kind kind;    /* of the deciding rule */
	struct policy_pos pos;
	const char *file;   /* of pos, where it is not the policy's own; else NULL */
	const char *id;     /* of a row or a pack's rule; else "" */
	const char *reason; /* what the rule says for itself; "" if nothing */
	const char *word;   /* the command word it is about; or "" */
	const char *why;    /* what the lexer could not read, literal; or "" */
};

struct rulebook;
struct voices;

/* Everything a decision is made of. Borrowed. */
struct question {
	const struct policy *policy;
	const struct rulebook *book; /* of that policy (policy/rulebook.h) */
	const struct policy_tool *tool;
	const struct identity *identity;
	const struct command *command; /* what would run (policy/prepare.h) */
	const json_t *facts;           /* what rules see of its arguments (policy/facts.h) */
	bool stdin_streams;            /* standard input is still to come: nobody knows it */
	struct json_schema_work
	    spent; /* on the arguments (policy/prepare.h); rules have the rest */
};

struct judgement {
	struct verdict result; /* the strictest; of equals the first that spoke */
	struct voices *voices; /* all that spoke; private */
};

/* 0 or -ENOMEM, and then *ret denies and holds nothing. The result points into the policy, the
 * question and the judgement, which is ended by judgement_fini() (accepts a zeroed one). */
int policy_judge(const struct question *question, struct judgement *ret);
void judgement_fini(struct judgement *judgement);

/* "callgate.yaml:12:23 denied_commands" into out; returns out's text. */
const char *verdict_rule(
    struct buf *out, const struct policy *policy, const struct verdict *verdict);
/* One sentence: why, and whether retrying helps. Text is escaped. */
const char *verdict_reason(struct buf *out, const struct policy *policy,
    const struct policy_tool *tool, const struct verdict *verdict);

/* What explain tells beside the decision. */
struct explanation {
	const char *invalid; /* why the arguments do not meet the schema; NULL: they do */
	const char *grant;   /* the grant that would turn ask into allow; "" none, NULL not known */
	bool as_user;        /* the daemon is an ordinary user's, so tools run as he does */
};

/* The decision told layer by layer (reachable, schema, each speaking rule, grant, walls, limits),
 * as JSON object or as lines for people, with file:line:column. question->tool may be NULL or
 * unreachable: then both say only that it is unknown. 0 or out's fault. */
int policy_tell_json(
    struct buf *out, const struct question *question, const struct explanation *explanation);
int policy_tell_text(
    struct buf *out, const struct question *question, const struct explanation *explanation);

/* Only what is the tool's own: {"walls": {...}, "limits": {...}}. 0 or out's fault. */
int policy_tell_walls(struct buf *out, const struct policy_tool *tool, bool as_user);

#endif
