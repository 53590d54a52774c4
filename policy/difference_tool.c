/* The facts of one tool: what it runs, what it is asked about, its walls. */
#include <string.h>

#include "policy/difference_facts.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

static const char *own_text(struct facts *facts, struct buf *text)
{
	if (text->fault)
		facts->fault = text->fault;
	return text->fault || !text->len ? "" : facts_text(facts, "%s", buf_cstr(text));
}

static const char *exec_text(struct facts *facts, const struct policy_exec *exec)
{
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, POLICY_FROZEN_MAX);
	buf_text(&text, exec->program);
	for (uint32_t i = 0; i < exec->element_count; i++) {
		const struct policy_element *element = &exec->elements[i];

		buf_text(&text, " [");
		if (element->condition[0])
			buf_textf(&text, "if %s: ", element->condition);
		buf_textf(&text, "%s%s%s]", element->kind == ELEMENT_EACH ? "each " : "",
		    element->text, element->dash ? " dash" : "");
	}
	return own_text(facts, &text);
}

static void add_rule(struct facts *facts, const char *who, const struct policy_rule *rule)
{
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, POLICY_FROZEN_MAX);
	buf_text(&text, decision_name(rule->decision));
	if (rule->roles.count)
		buf_textf(&text, ", roles %s", facts_words(facts, &rule->roles));
	for (uint32_t i = 0; i < rule->when_count; i++)
		buf_textf(&text, "%s%s %s", i ? ", " : ", when ", rule->when[i].name,
		    rule->when[i].schema);
	if (rule->reason[0])
		buf_textf(&text, " (%s)", rule->reason);
	facts_add(facts, rule->decision == DECISION_ALLOW ? FACT_RIGHT : FACT_LIMIT, who,
	    facts_text(facts, "rule %s", rule->id), own_text(facts, &text));
}

static void add_env(struct facts *facts, const char *who, const struct policy_env *env)
{
	facts_add(facts, FACT_SETTING, who, facts_text(facts, "env.%s", env->name),
	    facts_text(facts, env->source == ENV_VARIABLE ? "variable %s" : "'%s'", env->text));
}

static void add_walls(struct facts *facts, const char *who, const struct policy_sandbox *walls)
{
	static const char *const workspace[] = {"none", "rw", "ro", "overlay"};

	facts_add_number(facts, who, "sandbox.memory", walls->memory);
	facts_add_number(facts, who, "sandbox.pids", walls->pids);
	facts_add_number(facts, who, "sandbox.cpu (ms)", walls->cpu_ms);
	facts_add_number(facts, who, "sandbox.output", walls->output);
	facts_add_number(facts, who, "sandbox.disk", walls->disk);
	facts_add_number(facts, who, "sandbox.inodes", walls->inodes);
	facts_add_number(facts, who, "sandbox.file_size", walls->file_size);
	facts_add_number(facts, who, "sandbox.files", walls->files);
	facts_add(facts, FACT_SETTING, who, "sandbox.workspace", workspace[walls->workspace]);
	if (walls->exec)
		facts_add(facts, FACT_RIGHT, who, "runs programs of the workspace", "");
	if (walls->callgate)
		facts_add(facts, FACT_RIGHT, who, "calls tools itself", "");
	facts_add(facts, FACT_SETTING, who, "sandbox.run_as",
	    walls->run_as == RUN_AS_OWNER ? "owner" : "cell");
	facts_add(facts, FACT_SETTING, who, "sandbox.require",
	    walls->require_all     ? "all"
	    : walls->require_given ? facts_words(facts, &walls->require)
				   : "default");
}

static void add_hints(
    struct facts *facts, const char *who, const struct policy_annotations *annotations)
{
	static const char *const hints[] = {"not said", "false", "true"};

	facts_add(facts, FACT_SETTING, who, "annotations.title", annotations->title);
	facts_add(facts, FACT_SETTING, who, "annotations.read_only", hints[annotations->read_only]);
	facts_add(
	    facts, FACT_SETTING, who, "annotations.destructive", hints[annotations->destructive]);
	facts_add(
	    facts, FACT_SETTING, who, "annotations.idempotent", hints[annotations->idempotent]);
	facts_add(
	    facts, FACT_SETTING, who, "annotations.open_world", hints[annotations->open_world]);
}

/* What a call meets before it runs. */
static void add_judgement(struct facts *facts, const char *who, const struct policy_tool *tool)
{
	facts_add_words(facts, FACT_RIGHT, who, "runs", &tool->allowed_commands);
	facts_add_words(facts, FACT_LIMIT, who, "denies", &tool->denied_commands);
	facts_add_words(facts, FACT_RIGHT, who, "lets commands start", &tool->helpers);
	facts_add_words(facts, FACT_LIMIT, who, "judges by pack", &tool->packs);
	if (tool->deny_by_default)
		facts_add(facts, FACT_LIMIT, who, "denies commands that it does not list", "");
	if (tool->require_approval)
		facts_add(facts, FACT_LIMIT, who, "asks a human about every call", "");
	if (tool->asks_effects)
		facts_add(facts, FACT_LIMIT, who, "asks a human about what every call changed", "");
	if (tool->multicall)
		facts_add(facts, FACT_RIGHT, who, "runs programs of many names", "");
	for (uint32_t i = 0; i < tool->rule_count; i++)
		add_rule(facts, who, &tool->rules[i]);
}

static const char *stdin_text(struct facts *facts, const struct policy_tool *tool)
{
	switch (tool->stdin_rule) {
	case STDIN_RULE_DEFAULT: return "default";
	case STDIN_RULE_NO: return "false";
	case STDIN_RULE_YES: return "true";
	case STDIN_RULE_PARAMETER: return facts_text(facts, "{%s}", tool->stdin_parameter);
	}
	return "";
}

void facts_add_tool(
    struct facts *facts, const struct policy *policy, const struct policy_tool *tool)
{
	const char *who = facts_text(facts, "tool %s", tool->name);

	facts_add(facts, FACT_SETTING, who, "type",
	    tool->type == TOOL_FUNCTION ? facts_text(facts, "function %u", (unsigned)tool->handler)
					: "command");
	facts_add_visible(facts, who, tool->visibility);
	facts_add(facts, FACT_SETTING, who, "visibility", visibility_name(tool->visibility));
	facts_add(facts, FACT_SETTING, who, "description", tool->description);
	facts_add(facts, FACT_SETTING, who, "working_directory", tool->working_directory);
	facts_add_number(facts, who, "max_execution_time (ms)", tool->max_execution_ms);
	facts_add(facts, FACT_SETTING, who, "approval_prompt", tool->approval_prompt);
	facts_add(facts, FACT_SETTING, who, "parameters", tool->parameters);
	facts_add(facts, FACT_SETTING, who, "output_schema", tool->output_schema);
	facts_add(facts, FACT_SETTING, who, "exec", exec_text(facts, &tool->exec));
	facts_add(facts, FACT_SETTING, who, "stdin", stdin_text(facts, tool));
	for (uint32_t i = 0; i < tool->env_count; i++)
		add_env(facts, who, &tool->env[i]);
	add_judgement(facts, who, tool);
	add_hints(facts, who, &tool->annotations);
	add_walls(facts, who, &tool->sandbox);
	if (tool->approval.given)
		facts_add_approval(facts, who, &tool->approval);
	else
		facts_add_approval(facts, who, &policy->approval);
}
