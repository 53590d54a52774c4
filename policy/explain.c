#include <string.h>

#include "policy/decide.h"
#include "policy/voices.h"
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
	}
	return "none";
}

static const char *identity_word(enum identity_result result)
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

/* ---- one verdict in words ----------------------------------------------------------------- */

static void put_place(struct buf *out, const struct policy *policy, const struct verdict *verdict)
{
	str_escape(out, policy->file, strlen(policy->file));
	/* Line 0: a default that the file does not write. */
	if (verdict->pos.line)
		buf_textf(out, ":%u:%u", verdict->pos.line, verdict->pos.column);
}

static void put_rule(struct buf *out, const struct policy *policy, const struct verdict *verdict)
{
	put_place(out, policy, verdict);
	buf_textf(out, " %s", rule_name(verdict->kind));
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

static void put_why(struct buf *out, const struct policy_tool *tool, const struct verdict *verdict)
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
	}
}

static const char *what_helps(const struct verdict *verdict)
{
	if (verdict->decision == DECISION_ASK)
		return "; a human must approve this exact call";
	if (verdict->decision != DECISION_DENY)
		return "";
	if (verdict->kind == RULE_SHELL_NOT_ALLOWED)
		return "; retrying does not help, one simple command without operators may";
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
	put_why(out, tool, verdict);
	buf_text(out, what_helps(verdict));
	return buf_cstr(out);
}

/* ---- the whole decision as JSON ----------------------------------------------------------- */

/* RFC 8259 string of UTF-8 text. */
static void json_text(struct buf *out, const char *text)
{
	const char *plain = text;

	buf_text(out, "\"");
	for (; *text; text++) {
		unsigned char byte = (unsigned char)*text;

		if (byte >= 0x20 && byte != '"' && byte != '\\' && byte != 0x7f)
			continue;
		buf_put(out, plain, (size_t)(text - plain));
		buf_textf(out, "\\u%04x", byte);
		plain = text + 1;
	}
	buf_put(out, plain, (size_t)(text - plain));
	buf_text(out, "\"");
}

static void json_member(struct buf *out, const char *name, const char *text)
{
	buf_textf(out, ",\"%s\":", name);
	json_text(out, text);
}

/* member: what fills the scratch buffer; the text is JSON-escaped into out. */
static void json_verdict(struct buf *out, const struct policy *policy,
    const struct policy_tool *tool, const struct verdict *verdict)
{
	struct buf scratch;

	buf_init(&scratch, out->limit);
	put_rule(&scratch, policy, verdict);
	buf_textf(out, "{\"decision\":\"%s\",\"rule\":", decision_name(verdict->decision));
	json_text(out, buf_cstr(&scratch) ? buf_cstr(&scratch) : "");
	buf_reset(&scratch);
	put_why(&scratch, tool, verdict);
	buf_text(&scratch, what_helps(verdict));
	json_member(out, "reason", buf_cstr(&scratch) ? buf_cstr(&scratch) : "");
	if (verdict->word[0])
		json_member(out, "word", verdict->word);
	buf_text(out, "}");
	if (scratch.fault && !out->fault)
		out->fault = scratch.fault;
	buf_fini(&scratch);
}

static void json_caller(struct buf *out, const struct identity *identity)
{
	buf_text(out, ",\"caller\":{\"roles\":[");
	for (uint32_t i = 0; i < identity->role_count; i++) {
		buf_text(out, i ? "," : "");
		json_text(out, identity->roles[i]->name);
	}
	buf_text(out, "]");
	json_member(out, "agent", identity->agent ? identity->agent->name : "");
	json_member(out, "namespace", identity->space ? identity->space->name : "");
	json_member(out, "identity", identity_word(identity->result));
	buf_text(out, "}");
}

static const char *form_name(enum command_form form)
{
	switch (form) {
	case COMMAND_NONE: return "none";
	case COMMAND_SIMPLE: return "simple";
	case COMMAND_SHELL: return "shell";
	case COMMAND_NOT_ANALYSABLE: return "not analysable";
	}
	return "none";
}

static void json_voices(struct buf *out, const struct policy *policy,
    const struct policy_tool *tool, const struct command *command)
{
	struct verdict verdict;
	struct voices voices;
	const char *comma = "";

	buf_text(out, ",\"rules\":[");
	voices_init(&voices, policy, tool, command);
	while (!out->fault && voices_next(&voices, &verdict)) {
		buf_text(out, comma);
		json_verdict(out, policy, tool, &verdict);
		comma = ",";
	}
	buf_text(out, "],\"result\":");
	policy_decide(policy, tool, command, &verdict);
	json_verdict(out, policy, tool, &verdict);
}

int policy_explain_json(struct buf *out, const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	if (!policy_reachable(identity, tool)) {
		buf_text(out, "{\"reachable\":false");
		json_caller(out, identity);
		buf_text(out, "}");
		return out->fault;
	}
	buf_text(out, "{\"reachable\":true,\"tool\":");
	json_text(out, tool->name);
	json_caller(out, identity);
	json_member(out, "form", form_name(command->form));
	if (command->form == COMMAND_NOT_ANALYSABLE)
		buf_textf(out, ",\"offset\":%zu", command->offset);
	json_voices(out, policy, tool, command);
	buf_text(out, "}");
	return out->fault;
}

/* ---- the whole decision as lines ---------------------------------------------------------- */

static void text_caller(struct buf *out, const struct identity *identity)
{
	buf_textf(out, "caller     %s; roles", identity_word(identity->result));
	for (uint32_t i = 0; i < identity->role_count; i++)
		buf_textf(out, " %s", identity->roles[i]->name);
	if (!identity->role_count)
		buf_text(out, " none");
	buf_textf(out, "; agent %s; namespace %s\n",
	    identity->agent ? identity->agent->name : "any",
	    identity->space ? identity->space->name : "none");
}

static void text_verdict(struct buf *out, const struct policy *policy,
    const struct policy_tool *tool, const struct verdict *verdict)
{
	buf_textf(out, "%-10s ", decision_name(verdict->decision));
	put_rule(out, policy, verdict);
	buf_text(out, ": ");
	put_why(out, tool, verdict);
	buf_text(out, "\n");
}

static void text_form(struct buf *out, const struct command *command)
{
	buf_textf(out, "command    %s", form_name(command->form));
	if (command->form == COMMAND_NOT_ANALYSABLE)
		buf_textf(out, ": %s at byte %zu", command->why, command->offset);
	buf_text(out, "; words");
	for (uint32_t i = 0; i < command->word_count; i++) {
		buf_text(out, " ");
		str_quote(out, command->words[i]);
	}
	buf_text(out, "\n");
}

int policy_explain_text(struct buf *out, const struct policy *policy,
    const struct identity *identity, const struct policy_tool *tool, const struct command *command)
{
	struct verdict verdict;
	struct voices voices;

	text_caller(out, identity);
	if (!policy_reachable(identity, tool)) {
		buf_text(out, "tool       unknown: absent, hidden, or not among the caller's\n");
		return out->fault;
	}
	buf_textf(out, "tool       %s: reachable (", tool->name);
	str_escape(out, policy->file, strlen(policy->file));
	buf_textf(out, ":%u:%u)\n", tool->pos.line, tool->pos.column);
	text_form(out, command);
	voices_init(&voices, policy, tool, command);
	while (!out->fault && voices_next(&voices, &verdict))
		text_verdict(out, policy, tool, &verdict);
	policy_decide(policy, tool, command, &verdict);
	buf_textf(out, "result     %s", decision_name(verdict.decision));
	buf_text(out, what_helps(&verdict));
	buf_text(out, "\n");
	return out->fault;
}
