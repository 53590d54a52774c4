/* One verdict in words. */
#include <string.h>

#include "policy/verdict.h"
#include "supervisor/base/str.h"

#define WORD_SHOWN_MAX 120

static const char *rule_name(enum rule_kind kind)
{
	switch (kind) {
	case RULE_NONE: return "none";
	case RULE_DENIED_COMMAND: return "denied_commands";
	case RULE_ALLOWED_COMMAND: return "allowed_commands";
	case RULE_DENY_BY_DEFAULT: return "deny_by_default";
	case RULE_REQUIRE_APPROVAL: return "require_approval";
	case RULE_DEFAULT_DECISION: return "defaults.decision";
	case RULE_NOT_ANALYSABLE: return "not_analysable";
	case RULE_SHELL_NOT_ALLOWED: return "shell_not_allowed";
	case RULE_ROW: return "rules";
	case RULE_PACK: return "pack";
	case RULE_FUNCTION: return "function";
	}
	return "none";
}

static void put_place(struct buf *out, const struct policy *policy, const struct verdict *verdict)
{
	const char *file = verdict->file ? verdict->file : policy->file;

	str_escape(out, file, strlen(file));
	/* Line 0: a default that the file does not write. */
	if (verdict->pos.line)
		buf_textf(out, ":%u:%u", verdict->pos.line, verdict->pos.column);
}

const char *verdict_rule_name(const struct verdict *verdict)
{
	return verdict->id[0] ? verdict->id : rule_name(verdict->kind);
}

static void put_rule(struct buf *out, const struct policy *policy, const struct verdict *verdict)
{
	put_place(out, policy, verdict);
	buf_textf(out, " %s", verdict_rule_name(verdict));
}

/* A word may be as long as a command; a sentence need not. */
static void put_word(struct buf *out, const char *word)
{
	const char *end = memchr(word, '\0', WORD_SHOWN_MAX + 1);
	size_t len = end ? (size_t)(end - word) : WORD_SHOWN_MAX;

	while (!end && len && ((unsigned char)word[len] & 0xc0) == 0x80)
		len--;
	buf_text(out, "'");
	str_escape(out, word, len);
	buf_text(out, end ? "'" : "...'");
}

static void put_default(struct buf *out, const struct verdict *verdict)
{
	if (verdict->word[0]) {
		buf_text(out, "no rule names ");
		put_word(out, verdict->word);
	} else {
		buf_text(out, "no rule can name what the command would run");
	}
	buf_textf(out, " and the default is %s", decision_name(verdict->decision));
}

static void put_unreadable(struct buf *out, const struct verdict *verdict)
{
	buf_text(out, "the command string cannot be judged word by word");
	if (verdict->why && verdict->why[0])
		buf_textf(out, " (%s)", verdict->why);
}

/* What the rule says for itself, after the word that it is about. */
static void put_rule_reason(struct buf *out, const struct verdict *verdict)
{
	if (verdict->word[0]) {
		put_word(out, verdict->word);
		buf_text(out, ": ");
	}
	if (verdict->reason[0])
		str_escape(out, verdict->reason, strlen(verdict->reason));
	else
		buf_textf(
		    out, "the rule %s decides %s", verdict->id, decision_name(verdict->decision));
}

void verdict_why(struct buf *out, const struct policy_tool *tool, const struct verdict *verdict)
{
	switch (verdict->kind) {
	case RULE_NONE: buf_text(out, "nothing was decided"); return;
	case RULE_DENIED_COMMAND:
		put_word(out, verdict->word);
		buf_textf(out, " is denied for tool %s", tool->name);
		return;
	case RULE_ALLOWED_COMMAND:
		put_word(out, verdict->word);
		buf_textf(out, " is allowed for tool %s", tool->name);
		return;
	case RULE_DENY_BY_DEFAULT:
		put_word(out, verdict->word);
		buf_textf(out, " is not among the allowed commands of tool %s", tool->name);
		return;
	case RULE_REQUIRE_APPROVAL:
		buf_textf(out, "every call of tool %s needs an approval", tool->name);
		return;
	case RULE_DEFAULT_DECISION: put_default(out, verdict); return;
	case RULE_NOT_ANALYSABLE: put_unreadable(out, verdict); return;
	case RULE_SHELL_NOT_ALLOWED:
		buf_text(out, "the command string needs a shell");
		if (verdict->why && verdict->why[0])
			buf_textf(out, " (%s)", verdict->why);
		buf_textf(out, " and sh is not allowed for tool %s", tool->name);
		return;
	case RULE_ROW:
	case RULE_PACK: put_rule_reason(out, verdict); return;
	case RULE_FUNCTION:
		buf_textf(out, "no rule speaks of this call of the function tool %s", tool->name);
		return;
	}
}

static bool is_relative_path(const char *word)
{
	return word[0] != '/' && strchr(word, '/');
}

const char *verdict_helps(const struct verdict *verdict)
{
	if (verdict->decision == DECISION_ASK)
		return "; a human must approve this exact call";
	if (verdict->decision != DECISION_DENY)
		return "";
	if (verdict->kind == RULE_NOT_ANALYSABLE && verdict->why[0])
		return "; retrying does not help, several smaller calls may";
	if (verdict->kind == RULE_SHELL_NOT_ALLOWED)
		return "; retrying does not help, one simple command without operators may";
	if (verdict->kind == RULE_DENY_BY_DEFAULT && is_relative_path(verdict->word))
		return "; retrying does not help, no list names a relative path: an allowed "
		       "program would have to start it";
	return "; retrying does not help, the policy would have to change";
}

const char *verdict_rule(
    struct buf *out, const struct policy *policy, const struct verdict *verdict)
{
	put_rule(out, policy, verdict);
	return buf_cstr(out);
}

const char *verdict_reason(struct buf *out, const struct policy *policy,
    const struct policy_tool *tool, const struct verdict *verdict)
{
	(void)policy; /* the place is verdict_rule()'s */
	verdict_why(out, tool, verdict);
	buf_text(out, verdict_helps(verdict));
	return buf_cstr(out);
}

const char *identity_word(enum identity_result result)
{
	switch (result) {
	case IDENTITY_NONE: return "not identified";
	case IDENTITY_OK: return "ok";
	case IDENTITY_NO_ROLE: return "no role: no principal row of the policy matches the caller";
	case IDENTITY_UNKNOWN_AGENT: return "the agent is not one this caller may act as";
	case IDENTITY_NAME_AN_AGENT: return "name an agent";
	case IDENTITY_NO_NAMESPACE: return "the namespace is not one this caller may use";
	}
	return "not identified";
}

const char *command_form_name(enum command_form form)
{
	switch (form) {
	case COMMAND_NONE: return "none";
	case COMMAND_SIMPLE: return "simple";
	case COMMAND_SHELL: return "shell";
	case COMMAND_NOT_ANALYSABLE: return "not analysable";
	}
	return "none";
}
