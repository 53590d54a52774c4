/* A whole decision as JSON. */
#include <string.h>

#include "policy/limits.h"
#include "policy/text.h"
#include "policy/verdict.h"
#include "policy/voices.h"
#include "supervisor/base/str.h"

#define WORD_TOLD_MAX 256 /* bytes; the reason shows how a longer one begins */

static void json_member(struct buf *out, const char *name, const char *text)
{
	buf_textf(out, ",\"%s\":", name);
	text_quote(out, text);
}

static void json_number(struct buf *out, const char *name, uint64_t value)
{
	buf_textf(out, ",\"%s\":%llu", name, (unsigned long long)value);
}

static void json_words(struct buf *out, const struct policy_words *words)
{
	buf_text(out, "[");
	for (uint32_t i = 0; i < words->count; i++) {
		buf_text(out, i ? "," : "");
		text_quote(out, words->items[i].text);
	}
	buf_text(out, "]");
}

static void json_verdict(
    struct buf *out, const struct question *question, const struct verdict *verdict)
{
	struct buf scratch;

	buf_init(&scratch, out->limit);
	(void)verdict_rule(&scratch, question->policy, verdict);
	buf_textf(out, "{\"decision\":\"%s\",\"rule\":", decision_name(verdict->decision));
	text_quote(out, buf_cstr(&scratch) ? buf_cstr(&scratch) : "");
	buf_reset(&scratch);
	(void)verdict_reason(&scratch, question->policy, question->tool, verdict);
	json_member(out, "reason", buf_cstr(&scratch) ? buf_cstr(&scratch) : "");
	if (verdict->id[0])
		json_member(out, "id", verdict->id);
	if (verdict->word[0] && strlen(verdict->word) <= WORD_TOLD_MAX)
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
		text_quote(out, identity->roles[i]->name);
	}
	buf_text(out, "]");
	json_member(out, "agent", identity->agent ? identity->agent->name : "");
	json_member(out, "namespace", identity->space ? identity->space->name : "");
	json_member(out, "identity", identity_word(identity->result));
	buf_text(out, "}");
}

/* ---- layers ------------------------------------------------------------------------------- */

static void json_schema_layer(struct buf *out, const struct explanation *explanation)
{
	buf_textf(out, ",\"schema\":{\"valid\":%s", explanation->invalid ? "false" : "true");
	if (explanation->invalid)
		json_member(out, "why", explanation->invalid);
	buf_text(out, "}");
}

static void json_rules(struct buf *out, const struct question *question)
{
	struct judgement judgement = {.voices = NULL};
	int fault = policy_judge(question, &judgement);
	uint32_t count;

	count = fault ? 0 : judgement.voices->count;
	buf_text(out, ",\"rules\":[");
	for (uint32_t i = 0; i < count && i < EXPLAIN_VOICES_MAX; i++) {
		buf_text(out, i ? "," : "");
		json_verdict(out, question, &judgement.voices->items[i]);
	}
	buf_text(out, "]");
	if (count > EXPLAIN_VOICES_MAX)
		json_number(out, "rules_left_out", count - EXPLAIN_VOICES_MAX);
	buf_text(out, ",\"result\":");
	json_verdict(out, question, &judgement.result);
	judgement_fini(&judgement);
	if (fault && !out->fault)
		out->fault = fault;
}

static void json_grant(struct buf *out, const struct explanation *explanation)
{
	if (!explanation->grant)
		return;
	buf_textf(out, ",\"grant\":{\"in_force\":%s", explanation->grant[0] ? "true" : "false");
	if (explanation->grant[0])
		json_member(out, "id", explanation->grant);
	buf_text(out, "}");
}

static const char *runner(const struct policy_sandbox *sandbox, bool as_user)
{
	if (as_user)
		return "user";
	return sandbox->run_as == RUN_AS_OWNER ? "owner" : "cell";
}

static void json_walls(struct buf *out, const struct policy_tool *tool, bool as_user)
{
	const struct policy_sandbox *sandbox = &tool->sandbox;

	buf_textf(out, "\"walls\":{\"workspace\":\"%s\",\"exec\":%s,\"network\":\"none\"",
	    workspace_name(sandbox->workspace), sandbox->exec ? "true" : "false");
	if (sandbox->workspace == WORKSPACE_OVERLAY)
		buf_textf(out, ",\"effects\":\"%s\"", tool->asks_effects ? "asked" : "held");
	buf_textf(out, ",\"run_as\":\"%s\",\"callgate\":%s,\"allowlist\":\"%s\",\"require\":",
	    runner(sandbox, as_user), sandbox->callgate ? "true" : "false",
	    tool->deny_by_default || tool_is_typed(tool) || tool->type == TOOL_FUNCTION ? "closed"
											: "open");
	if (sandbox->require_all)
		buf_text(out, "\"all\"");
	else if (!sandbox->require_given)
		buf_text(out, "\"default\"");
	else
		json_words(out, &sandbox->require);
	buf_text(out, "}");
}

static void json_limits(struct buf *out, const struct policy_tool *tool)
{
	const struct policy_sandbox limits = policy_limits(&tool->sandbox);

	buf_textf(out, ",\"limits\":{\"max_execution_ms\":%llu",
	    (unsigned long long)tool->max_execution_ms);
	json_number(out, "memory", limits.memory);
	json_number(out, "pids", limits.pids);
	json_number(out, "cpu_ms", limits.cpu_ms);
	json_number(out, "output", limits.output);
	json_number(out, "disk", limits.disk);
	json_number(out, "inodes", limits.inodes);
	json_number(out, "file_size", limits.file_size);
	json_number(out, "files", limits.files);
	buf_text(out, "}");
}

int policy_tell_json(
    struct buf *out, const struct question *question, const struct explanation *explanation)
{
	const struct command *command = question->command;

	if (!policy_reachable(question->identity, question->tool)) {
		buf_text(out, "{\"reachable\":false");
		json_caller(out, question->identity);
		buf_text(out, "}");
		return out->fault;
	}
	buf_text(out, "{\"reachable\":true,\"tool\":");
	text_quote(out, question->tool->name);
	json_caller(out, question->identity);
	json_schema_layer(out, explanation);
	if (!explanation->invalid) {
		json_member(out, "form", command_form_name(command->form));
		if (command->form == COMMAND_NOT_ANALYSABLE)
			buf_textf(out, ",\"offset\":%zu", command->offset);
		json_rules(out, question);
		json_grant(out, explanation);
	}
	buf_text(out, ",");
	json_walls(out, question->tool, explanation->as_user);
	json_limits(out, question->tool);
	buf_text(out, "}");
	return out->fault;
}

int policy_tell_walls(struct buf *out, const struct policy_tool *tool, bool as_user)
{
	buf_text(out, "{");
	json_walls(out, tool, as_user);
	json_limits(out, tool);
	return buf_text(out, "}");
}
