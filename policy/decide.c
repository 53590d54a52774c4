#include "policy/decide.h"

#include <string.h>

#include "policy/order.h"
#include "policy/voices.h"
#include "supervisor/base/str.h"

/* ---- who asks ----------------------------------------------------------------------------- */

static bool words_hold(const struct policy_words *words, const char *text)
{
	for (uint32_t i = 0; i < words->count; i++) {
		if (!strcmp(words->items[i].text, text))
			return true;
	}
	return false;
}

static bool globs_hold(const struct policy_words *globs, const char *text)
{
	for (uint32_t i = 0; i < globs->count; i++) {
		if (str_glob(globs->items[i].text, text))
			return true;
	}
	return false;
}

static bool row_matches(const struct policy_principal *row, const struct subject *subject)
{
	if (!row->has_uid && !row->has_gid)
		return false;
	return (!row->has_uid || row->uid == subject->uid) &&
	       (!row->has_gid || row->gid == subject->gid);
}

static bool row_allows_agent(const struct policy_principal *row, const struct policy_agent *agent)
{
	if (!agent)
		return true;
	if (agent->visibility != VISIBILITY_PUBLIC && agent->visibility != VISIBILITY_INTERNAL)
		return false;
	return !row->has_agents || words_hold(&row->agents, agent->name);
}

static bool row_allows_space(const struct policy_principal *row, const char *space)
{
	return row->has_namespaces ? words_hold(&row->namespaces, space)
				   : !strcmp(space, "default");
}

/* A row that gives rights to a call of this agent and namespace; NULL for either: any. */
static bool row_gives(const struct policy_principal *row, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space)
{
	return row_matches(row, subject) && row_allows_agent(row, agent) &&
	       (!space || row_allows_space(row, space->name));
}

static bool any_row_gives(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space)
{
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		if (row_gives(&policy->principals[i], subject, agent, space))
			return true;
	}
	return false;
}

static void add_role(struct identity *identity, const struct policy_role *role)
{
	if (!role || identity->role_count == IDENTITY_ROLES_MAX)
		return;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (identity->roles[i] == role)
			return;
	}
	identity->roles[identity->role_count++] = role;
	identity->permissions |= role->permissions;
}

static void add_roles(const struct policy *policy, const struct subject *subject,
    const struct policy_agent *agent, const struct policy_namespace *space,
    struct identity *identity)
{
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		const struct policy_principal *row = &policy->principals[i];

		if (!row_gives(row, subject, agent, space))
			continue;
		for (uint32_t j = 0; j < row->roles.count; j++)
			add_role(identity, policy_find_role(policy, row->roles.items[j].text));
	}
}

/* The one agent that the matching rows leave to someone who named none. */
static enum identity_result only_agent(const struct policy *policy, const struct subject *subject,
    const struct policy_agent **ret_agent)
{
	const struct policy_agent *only = NULL;

	for (uint32_t i = 0; i < policy->agent_count; i++) {
		if (!any_row_gives(policy, subject, &policy->agents[i], NULL))
			continue;
		if (only)
			return IDENTITY_NAME_AN_AGENT;
		only = &policy->agents[i];
	}
	if (!only)
		return IDENTITY_NAME_AN_AGENT;
	*ret_agent = only;
	return IDENTITY_OK;
}

static enum identity_result find_agent(const struct policy *policy, const struct subject *subject,
    const struct policy_agent **ret_agent)
{
	const struct policy_agent *agent;

	if (!subject->agent[0]) {
		*ret_agent = NULL;
		return policy->has_agents ? only_agent(policy, subject, ret_agent) : IDENTITY_OK;
	}
	agent = policy_find_agent(policy, subject->agent);
	if (!agent || !any_row_gives(policy, subject, agent, NULL))
		return IDENTITY_UNKNOWN_AGENT;
	*ret_agent = agent;
	return IDENTITY_OK;
}

static enum identity_result find_identity(
    const struct policy *policy, const struct subject *subject, struct identity *identity)
{
	const struct policy_agent *agent = NULL;
	const struct policy_namespace *space;
	enum identity_result result;

	if (!identity->role_count)
		return IDENTITY_NO_ROLE;
	result = find_agent(policy, subject, &agent);
	if (result != IDENTITY_OK)
		return result;
	space = policy_find_namespace(policy, subject->space[0] ? subject->space : "default");
	if (!space || !any_row_gives(policy, subject, agent, space))
		return IDENTITY_NO_NAMESPACE;
	*identity = (struct identity){.agent = agent, .space = space};
	add_roles(policy, subject, agent, space, identity);
	return identity->role_count ? IDENTITY_OK : IDENTITY_NO_ROLE;
}

void policy_identify(
    const struct policy *policy, const struct subject *subject, struct identity *ret)
{
	*ret = (struct identity){.result = IDENTITY_NONE};
	add_roles(policy, subject, NULL, NULL, ret);
	ret->result = find_identity(policy, subject, ret);
}

/* ---- what may be seen --------------------------------------------------------------------- */

bool policy_reachable(const struct identity *identity, const struct policy_tool *tool)
{
	if (!tool || identity->result != IDENTITY_OK)
		return false;
	/* Kernel credentials are authentication, so internal is visible here; private never is. */
	if (tool->visibility != VISIBILITY_PUBLIC && tool->visibility != VISIBILITY_INTERNAL)
		return false;
	if (identity->agent && !words_hold(&identity->agent->tools, tool->name))
		return false;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (globs_hold(&identity->roles[i]->tools, tool->name))
			return true;
	}
	return false;
}

bool policy_may_approve(const struct identity *identity, const char *tool)
{
	if (!(identity->permissions & PERMISSION(APPROVALS_DECIDE)))
		return false;
	for (uint32_t i = 0; i < identity->role_count; i++) {
		if (globs_hold(&identity->roles[i]->approve, tool))
			return true;
	}
	return false;
}

/* ---- what is decided ---------------------------------------------------------------------- */

/* An absolute word stands for a name when it lies directly in one of the fixed directories. */
static bool is_in_path(const struct policy *policy, const char *word)
{
	size_t dir_len = (size_t)(word_basename(word) - word) - 1;

	for (uint32_t i = 0; i < policy->path.count; i++) {
		const char *dir = policy->path.items[i].text;

		if (strlen(dir) == dir_len && !memcmp(dir, word, dir_len))
			return true;
	}
	return false;
}

static const struct policy_word *find_allowed(
    const struct policy *policy, const struct policy_tool *tool, const char *word)
{
	const struct policy_words *allowed = &tool->allowed_commands;
	const struct policy_word *found;

	if (!strchr(word, '/'))
		return word_find(allowed, WORD_ORDER_TEXT, word);
	if (word[0] != '/')
		return NULL;
	found = word_find(allowed, WORD_ORDER_TEXT, word);
	if (!found && is_in_path(policy, word))
		found = word_find(allowed, WORD_ORDER_TEXT, word_basename(word));
	return found;
}

static bool speak(struct verdict *ret, enum decision decision, enum rule_kind kind,
    const struct policy_pos *pos, const char *word)
{
	*ret = (struct verdict){
	    .decision = decision, .kind = kind, .pos = *pos, .word = word, .why = ""};
	return true;
}

/* What the lists say of one command word; false: nothing. */
static bool judge_word(const struct voices *voices, const char *word, struct verdict *ret)
{
	const struct policy_tool *tool = voices->tool;
	const struct policy_word *found;

	found = word_find(&tool->denied_commands, WORD_ORDER_BASENAME, word);
	if (found)
		return speak(ret, DECISION_DENY, RULE_DENIED_COMMAND, &found->pos, word);
	found = find_allowed(voices->policy, tool, word);
	if (found)
		return speak(ret, DECISION_ALLOW, RULE_ALLOWED_COMMAND, &found->pos, word);
	if (tool->deny_by_default)
		return speak(
		    ret, DECISION_DENY, RULE_DENY_BY_DEFAULT, &tool->deny_by_default_pos, word);
	return false;
}

static bool judge_default(const struct voices *voices, const char *word, struct verdict *ret)
{
	const struct policy *policy = voices->policy;

	return speak(ret, policy->default_decision, RULE_DEFAULT_DECISION,
	    &policy->default_decision_pos, word);
}

/* A string that must run as `sh -c`: sh has to be allowed as any other program, and where the
 * tool lists programs without it, it is not. */
static bool judge_shell(const struct voices *voices, struct verdict *ret)
{
	const struct policy_tool *tool = voices->tool;

	if (voices->command->form != COMMAND_SHELL &&
	    voices->command->form != COMMAND_NOT_ANALYSABLE)
		return false;
	if (judge_word(voices, "sh", ret) && ret->kind != RULE_DENY_BY_DEFAULT)
		return true;
	if (!tool->deny_by_default && !tool->allowed_commands.count)
		return false;
	speak(ret, DECISION_DENY, RULE_SHELL_NOT_ALLOWED,
	    tool->deny_by_default ? &tool->deny_by_default_pos : &tool->pos, "sh");
	if (voices->command->form == COMMAND_NOT_ANALYSABLE)
		ret->why = voices->command->why;
	return true;
}

/* A word of which the lists say nothing falls to defaults.decision, unless the tool asks for
 * every call anyway. So `known; unknown` is never decided more mildly than `unknown`. */
static bool judge_each(const struct voices *voices, uint32_t index, struct verdict *ret)
{
	const char *word = voices->command->words[index];

	if (judge_word(voices, word, ret))
		return true;
	return !voices->tool->require_approval && judge_default(voices, word, ret);
}

static bool judge_reading(const struct voices *voices, struct verdict *ret)
{
	const struct policy_tool *tool = voices->tool;

	switch (voices->command->form) {
	case COMMAND_SIMPLE:
	case COMMAND_SHELL: return false;
	case COMMAND_NOT_ANALYSABLE:
		/* Its unknown words may be such as nothing speaks of: not milder than those. */
		if (!tool->deny_by_default && !tool->require_approval &&
		    voices->policy->default_decision == DECISION_DENY)
			return judge_default(voices, "", ret);
		speak(ret, DECISION_ASK, RULE_NOT_ANALYSABLE, &tool->pos, "");
		ret->why = voices->command->why;
		return true;
	case COMMAND_NONE: break;
	}
	/* Nothing was analysed at all: that is no permission. */
	return speak(ret, DECISION_DENY, RULE_NOT_ANALYSABLE, &tool->pos, "");
}

static bool judge_approval(const struct voices *voices, struct verdict *ret)
{
	const struct policy_tool *tool = voices->tool;

	return tool->require_approval &&
	       speak(ret, DECISION_ASK, RULE_REQUIRE_APPROVAL, &tool->require_approval_pos, "");
}

void voices_init(struct voices *voices, const struct policy *policy, const struct policy_tool *tool,
    const struct command *command)
{
	*voices = (struct voices){.policy = policy, .tool = tool, .command = command};
}

bool voices_next(struct voices *voices, struct verdict *ret)
{
	const uint32_t words = voices->command->word_count;

	while (voices->step < words + 3) {
		uint32_t step = voices->step++;
		bool spoke;

		if (step == 0)
			spoke = judge_shell(voices, ret);
		else if (step <= words)
			spoke = judge_each(voices, step - 1, ret);
		else if (step == words + 1)
			spoke = judge_reading(voices, ret);
		else
			spoke = judge_approval(voices, ret);
		if (spoke)
			return true;
	}
	return false;
}

void policy_decide(const struct policy *policy, const struct policy_tool *tool,
    const struct command *command, struct verdict *ret)
{
	struct verdict strictest, next;
	struct voices voices;

	/* Replaced by the first rule that speaks; a command without one is refused. */
	speak(&strictest, DECISION_NONE, RULE_NONE, &tool->pos, "");
	voices_init(&voices, policy, tool, command);
	while (voices_next(&voices, &next)) {
		if (next.decision > strictest.decision)
			strictest = next;
	}
	if (strictest.decision == DECISION_NONE)
		speak(&strictest, DECISION_DENY, RULE_NOT_ANALYSABLE, &tool->pos, "");
	*ret = strictest;
}
