/* A whole decision as lines for people. */
#include <string.h>

#include "policy/limits.h"
#include "policy/verdict.h"
#include "policy/voices.h"
#include "supervisor/base/str.h"

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

static void text_verdict(
    struct buf *out, const struct question *question, const struct verdict *verdict)
{
	buf_textf(out, "%-10s ", decision_name(verdict->decision));
	(void)verdict_rule(out, question->policy, verdict);
	buf_text(out, ": ");
	verdict_why(out, question->tool, verdict);
	buf_text(out, "\n");
}

static void text_form(struct buf *out, const struct command *command)
{
	buf_textf(out, "command    %s", command_form_name(command->form));
	if (command->form == COMMAND_NOT_ANALYSABLE)
		buf_textf(out, ": %s at byte %zu", command->why, command->offset);
	buf_text(out, "; words");
	for (uint32_t i = 0; i < command->word_count; i++) {
		buf_text(out, " ");
		str_quote(out, command->words[i]);
	}
	buf_text(out, "\n");
}

static void text_rules(
    struct buf *out, const struct question *question, const struct explanation *explanation)
{
	struct judgement judgement = {.voices = NULL};
	int fault = policy_judge(question, &judgement);
	uint32_t count;

	count = fault ? 0 : judgement.voices->count;
	for (uint32_t i = 0; i < count && i < EXPLAIN_VOICES_MAX; i++)
		text_verdict(out, question, &judgement.voices->items[i]);
	if (count > EXPLAIN_VOICES_MAX)
		buf_textf(out, "...        %u more rules speak\n",
		    (unsigned)(count - EXPLAIN_VOICES_MAX));
	if (explanation->grant)
		buf_textf(out, "grant      %s%s\n",
		    explanation->grant[0] ? "in force: " : "none in force", explanation->grant);
	if (judgement.result.decision == DECISION_ASK && explanation->grant &&
	    explanation->grant[0])
		buf_textf(out, "result     ask, answered by grant %s: allow\n", explanation->grant);
	else
		buf_textf(out, "result     %s%s\n", decision_name(judgement.result.decision),
		    verdict_helps(&judgement.result));
	judgement_fini(&judgement);
	if (fault && !out->fault)
		out->fault = fault;
}

static void text_size(struct buf *out, const char *name, uint64_t bytes)
{
	if (bytes % (1024 * 1024) == 0)
		buf_textf(out, "; %s %llu MiB", name, (unsigned long long)(bytes / (1024 * 1024)));
	else
		buf_textf(out, "; %s %llu bytes", name, (unsigned long long)bytes);
}

static const char *runner(const struct policy_sandbox *sandbox, bool as_user)
{
	if (as_user)
		return "the daemon's user";
	return sandbox->run_as == RUN_AS_OWNER ? "the owner" : "a uid of its own";
}

const char *workspace_name(enum workspace_mode mode)
{
	switch (mode) {
	case WORKSPACE_RW: return "rw";
	case WORKSPACE_OVERLAY: return "overlay";
	case WORKSPACE_RO:
	case WORKSPACE_NONE: break;
	}
	return "ro";
}

static void text_walls(struct buf *out, const struct policy_tool *tool, bool as_user)
{
	const struct policy_sandbox limits = policy_limits(&tool->sandbox);

	buf_textf(out, "walls      workspace %s%s%s; network none; runs as %s; %s; requires",
	    workspace_name(limits.workspace),
	    tool->asks_effects ? ", and a human is asked about what it changed" : "",
	    limits.exec ? ", may hold programs" : "", runner(&limits, as_user),
	    limits.callgate ? "has a gate of its own" : "no gate");
	if (limits.require_all)
		buf_text(out, " all");
	else if (!limits.require_given)
		buf_text(out, " the default");
	for (uint32_t i = 0; limits.require_given && i < limits.require.count; i++)
		buf_textf(out, " %s", limits.require.items[i].text);
	buf_textf(out, "\nlimits     time %llu ms", (unsigned long long)tool->max_execution_ms);
	text_size(out, "memory", limits.memory);
	buf_textf(out, "; pids %llu", (unsigned long long)limits.pids);
	if (limits.cpu_ms)
		buf_textf(out, "; cpu %llu ms", (unsigned long long)limits.cpu_ms);
	text_size(out, "output", limits.output);
	text_size(out, "disk", limits.disk);
	buf_textf(out, "; inodes %llu", (unsigned long long)limits.inodes);
	text_size(out, "file size", limits.file_size);
	buf_textf(out, "; files %llu\n", (unsigned long long)limits.files);
}

int policy_tell_text(
    struct buf *out, const struct question *question, const struct explanation *explanation)
{
	const struct policy_tool *tool = question->tool;

	text_caller(out, question->identity);
	if (!policy_reachable(question->identity, tool)) {
		buf_text(out, "tool       unknown: absent, hidden, or not among the caller's\n");
		return out->fault;
	}
	buf_textf(out, "tool       %s: reachable (", tool->name);
	str_escape(out, question->policy->file, strlen(question->policy->file));
	buf_textf(out, ":%u:%u)\n", tool->pos.line, tool->pos.column);
	if (explanation->invalid) {
		buf_text(out, "schema     not met: ");
		str_escape(out, explanation->invalid, strlen(explanation->invalid));
		buf_text(out, "\n");
	} else {
		buf_text(out, "schema     met\n");
		text_form(out, question->command);
		text_rules(out, question, explanation);
	}
	text_walls(out, tool, explanation->as_user);
	return out->fault;
}
