/*
 * What of a policy must be compiled before it can judge: the schemas of parameters and output, the
 * conditions of rules:, and an index, so that a decision looks at the rows that can match and not
 * at all of them. Immutable; borrows the policy, which must outlive it. Made where calls are judged
 * (engine, policy child, `callgate policy`), never in the warden. Floor 1: base, jansson, PCRE2.
 */
#ifndef CALLGATE_POLICY_RULEBOOK_H
#define CALLGATE_POLICY_RULEBOOK_H

#include <jansson.h>

#include "policy/decide.h"
#include "policy/json_schema.h"
#include "supervisor/base/err.h"

struct rulebook;

/* 0 and *ret (freed by rulebook_free), -EINVAL with note "tools.NAME...: why" (the loader refuses
 * such a file, with its place), -ENOMEM. */
int rulebook_new(const struct policy *policy, struct rulebook **ret, struct err_note *note);
void rulebook_free(struct rulebook *book);

/* A parameter of format workspace-path; list: an array of such. */
struct path_parameter {
	const char *name;
	bool list;
};

/* One tool's part. */
struct tool_book {
	const struct policy_tool *tool;
	json_t *schema;                 /* of the arguments; NULL: an untyped command */
	struct json_schema *parameters; /* the same, compiled */
	struct json_schema *output;     /* NULL: none */
	struct path_parameter *paths;
	uint32_t path_count;
	struct rule_book *rules; /* private */
};

/* NULL: not a tool of this policy. */
const struct tool_book *rulebook_tool(const struct rulebook *book, const struct policy_tool *tool);

/* The rows of rules: of question->tool that match, in the order of the file; an identity of NULL
 * has every role. 0 and an array of *ret_count pointers that the caller frees (NULL for none), or
 * -ENOMEM. A condition that takes more work than allowed counts as met where the row asks or
 * denies, as not met where it allows; without the literals that its pattern needs it is known not
 * to be met, and takes no work. */
int rulebook_match(const struct rulebook *book, const struct question *question,
    const struct policy_rule ***ret, uint32_t *ret_count);

#endif
