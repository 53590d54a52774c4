#include "policy/voices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order.h"
#include "policy/rulebook.h"
#include "policy/voices_pack.h"
#include "supervisor/base/str.h"

/* ---- the list ----------------------------------------------------------------------------- */

int voices_add(struct voices *voices, const struct verdict *verdict)
{
	if (voices->count == voices->cap) {
		uint32_t cap = voices->cap ? voices->cap * 2 : 16;
		struct verdict *larger = realloc(voices->items, cap * sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		voices->items = larger;
		voices->cap = cap;
	}
	voices->items[voices->count++] = *verdict;
	return 0;
}

static int speak(struct voices *voices, enum decision decision, enum rule_kind kind,
    const struct policy_pos *pos, const char *word)
{
	return voices_add(voices, &(struct verdict){.decision = decision,
				      .kind = kind,
				      .pos = *pos,
				      .id = "",
				      .reason = "",
				      .word = word,
				      .why = ""});
}

/* ---- command words ------------------------------------------------------------------------ */

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

/* What the lists say of one command word; NONE: nothing. */
static struct verdict judge_word(const struct question *question, const char *word)
{
	const struct policy_tool *tool = question->tool;
	struct verdict verdict = {.id = "", .reason = "", .word = word, .why = ""};
	const struct policy_word *found;

	found = word_find(&tool->denied_commands, WORD_ORDER_BASENAME, word);
	if (found) {
		verdict.decision = DECISION_DENY;
		verdict.kind = RULE_DENIED_COMMAND;
		verdict.pos = found->pos;
		return verdict;
	}
	found = find_allowed(question->policy, tool, word);
	if (found) {
		verdict.decision = DECISION_ALLOW;
		verdict.kind = RULE_ALLOWED_COMMAND;
		verdict.pos = found->pos;
	} else if (tool->deny_by_default) {
		verdict.decision = DECISION_DENY;
		verdict.kind = RULE_DENY_BY_DEFAULT;
		verdict.pos = tool->deny_by_default_pos;
	}
	return verdict;
}

static int say_default(struct voices *voices, const struct question *question, const char *word)
{
	const struct policy *policy = question->policy;

	return speak(voices, policy->default_decision, RULE_DEFAULT_DECISION,
	    &policy->default_decision_pos, word);
}

int voices_word(struct voices *voices, const struct question *question, const char *word,
    enum word_silence silence)
{
	struct verdict verdict = judge_word(question, word);

	if (silence == SILENCE_IS_ELSEWHERE && verdict.kind != RULE_DENIED_COMMAND)
		return 0;
	if (verdict.decision != DECISION_NONE)
		return voices_add(voices, &verdict);
	if (silence != SILENCE_IS_DEFAULT || question->tool->require_approval)
		return 0;
	return say_default(voices, question, word);
}

/* A string that must run as `sh -c`: sh has to be allowed as any other program, and where the
 * tool lists programs without it, it is not. */
static int say_shell(struct voices *voices, const struct question *question)
{
	const struct policy_tool *tool = question->tool;
	const struct command *command = question->command;
	struct verdict verdict;

	if (command->form != COMMAND_SHELL && command->form != COMMAND_NOT_ANALYSABLE)
		return 0;
	verdict = judge_word(question, "sh");
	if (verdict.decision != DECISION_NONE && verdict.kind != RULE_DENY_BY_DEFAULT)
		return voices_add(voices, &verdict);
	if (!tool->deny_by_default && !tool->allowed_commands.count)
		return 0;
	verdict.decision = DECISION_DENY;
	verdict.kind = RULE_SHELL_NOT_ALLOWED;
	verdict.pos = tool->deny_by_default ? tool->deny_by_default_pos : tool->pos;
	if (command->form == COMMAND_NOT_ANALYSABLE)
		verdict.why = command->why;
	return voices_add(voices, &verdict);
}

/* Each simple command: what the packs say of it, and the lists of its first word. A word of which
 * nothing speaks falls to defaults.decision, unless a row of rules: speaks of the whole call or the
 * tool asks for every call anyway. So `known; unknown` is never milder than `unknown`. */
static int say_words(struct voices *voices, const struct question *question, bool row_spoke)
{
	const struct command *command = question->command;
	int fault = 0;

	for (uint32_t i = 0; !fault && i < command->word_count; i++) {
		uint32_t before = voices->count;
		enum word_silence silence;

		if (i < command->simple_count)
			fault = voices_pack(voices, question, &command->simples[i]);
		silence = row_spoke || voices->count > before ? SILENCE_IS_SPOKEN_FOR
							      : SILENCE_IS_DEFAULT;
		if (!fault)
			fault = voices_word(voices, question, command->words[i], silence);
	}
	return fault;
}

static int say_reading(struct voices *voices, const struct question *question)
{
	const struct policy_tool *tool = question->tool;
	int fault;

	switch (question->command->form) {
	case COMMAND_SIMPLE:
	case COMMAND_SHELL: return 0;
	case COMMAND_NOT_ANALYSABLE:
		/* Its unknown words may be such as nothing speaks of: not milder than those. */
		if (!tool->deny_by_default && !tool->require_approval &&
		    question->policy->default_decision == DECISION_DENY)
			return say_default(voices, question, "");
		fault = speak(voices, DECISION_ASK, RULE_NOT_ANALYSABLE, &tool->pos, "");
		if (!fault)
			voices->items[voices->count - 1].why = question->command->why;
		return fault;
	case COMMAND_NONE: break;
	}
	/* Nothing was analysed at all: that is no permission. */
	return speak(voices, DECISION_DENY, RULE_NOT_ANALYSABLE, &tool->pos, "");
}

/* ---- the whole call ------------------------------------------------------------------------- */

static int say_rows(struct voices *voices, const struct question *question)
{
	const struct policy_rule **rows = NULL;
	uint32_t count = 0;
	int fault = 0;

	if (!question->book)
		return 0;
	fault = rulebook_match(question->book, question, &rows, &count);
	for (uint32_t i = 0; !fault && i < count; i++)
		fault = voices_add(voices, &(struct verdict){.decision = rows[i]->decision,
					       .kind = RULE_ROW,
					       .pos = rows[i]->pos,
					       .id = rows[i]->id,
					       .reason = rows[i]->reason,
					       .word = "",
					       .why = ""});
	free(rows);
	return fault;
}

static int say_approval(struct voices *voices, const struct question *question)
{
	const struct policy_tool *tool = question->tool;

	return tool->require_approval ? speak(voices, DECISION_ASK, RULE_REQUIRE_APPROVAL,
					    &tool->require_approval_pos, "")
				      : 0;
}

static int say_typed(struct voices *voices, const struct question *question)
{
	const struct command *command = question->command;
	int fault = 0;

	for (uint32_t i = 0; !fault && i < command->simple_count; i++)
		fault = voices_pack(voices, question, &command->simples[i]);
	if (!fault)
		fault = say_approval(voices, question);
	if (!fault && !voices->count)
		fault = say_default(voices, question, "");
	return fault;
}

static int say_function(struct voices *voices, const struct question *question)
{
	int fault = say_approval(voices, question);

	if (!fault && !voices->count)
		fault = speak(voices, DECISION_ALLOW, RULE_FUNCTION, &question->tool->pos, "");
	return fault;
}

static int say_command(struct voices *voices, const struct question *question)
{
	bool row_spoke = voices->count > 0;
	int fault = say_shell(voices, question);

	if (!fault)
		fault = say_words(voices, question, row_spoke);
	if (!fault)
		fault = say_reading(voices, question);
	return fault ? fault : say_approval(voices, question);
}

int voices_collect(const struct question *question, struct voices *ret)
{
	const struct policy_tool *tool = question->tool;
	struct voices voices = {.count = 0};
	int fault = say_rows(&voices, question);

	if (!fault && tool->type == TOOL_FUNCTION)
		fault = say_function(&voices, question);
	else if (!fault && tool_is_typed(tool))
		fault = say_typed(&voices, question);
	else if (!fault)
		fault = say_command(&voices, question);
	if (fault) {
		voices_fini(&voices);
		return fault;
	}
	*ret = voices;
	return 0;
}

void voices_fini(struct voices *voices)
{
	voices_pack_free(voices);
	free(voices->items);
	memset(voices, 0, sizeof(*voices));
}

struct verdict voices_strictest(const struct question *question, const struct voices *voices)
{
	struct verdict strictest = {.decision = DECISION_DENY,
	    .kind = RULE_NOT_ANALYSABLE,
	    .pos = question->tool->pos,
	    .id = "",
	    .reason = "",
	    .word = "",
	    .why = ""};
	enum decision so_far = DECISION_NONE;

	for (uint32_t i = 0; i < voices->count; i++) {
		if (voices->items[i].decision <= so_far)
			continue;
		strictest = voices->items[i];
		so_far = strictest.decision;
	}
	return strictest;
}
