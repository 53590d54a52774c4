#include "policy/pack.h"

#include <stdio.h>
#include <string.h>

#include "policy/order.h"
#include "policy/pack_option.h"
#include "supervisor/base/str.h"

#define FOLDED_MAX 4096

bool pack_applies(const struct policy_pack *pack, const char *argv0)
{
	const char *name = word_basename(argv0);

	for (uint32_t i = 0; i < pack->programs.count; i++) {
		if (str_glob(pack->programs.items[i].text, name))
			return true;
	}
	return false;
}

/* ---- one condition ------------------------------------------------------------------------ */

static bool given_in(const struct policy_words *names, const struct pack_given *given)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (pack_given_is(given, names->items[i].text))
			return true;
	}
	return false;
}

/* Whichever way the program understands it. */
static bool is_firm(const struct policy_words *names, const struct pack_given *given)
{
	struct pack_given other = *given;

	other.negated = !given->negated;
	return !given->contradicted || given_in(names, &other);
}

/* firm: one that the program may also understand the other way does not count. */
static const struct pack_given *find_given(
    const struct pack_reading *reading, const struct policy_words *names, bool firm)
{
	for (uint32_t i = 0; i < reading->given_count; i++) {
		const struct pack_given *given = &reading->given[i];

		if (given_in(names, given) && (!firm || is_firm(names, given)))
			return given;
	}
	return NULL;
}

/* A value that is too long to fold matches nothing. */
static bool value_matches(
    const struct policy_pack *pack, const struct policy_words *globs, const char *value)
{
	char folded[FOLDED_MAX];
	size_t len;

	if (!value)
		return false;
	if (!pack->fold_values)
		return globs_hold(globs, value);
	len = strlen(value);
	if (len >= sizeof(folded))
		return false;
	for (size_t i = 0; i <= len; i++)
		folded[i] = (char)(value[i] >= 'A' && value[i] <= 'Z' ? value[i] + 32 : value[i]);
	return globs_hold(globs, folded);
}

/* wanted: true for a value that one of the globs matches, false for one that none does. */
static const struct pack_given *find_value(const struct policy_pack *pack,
    const struct pack_reading *reading, const struct pack_match *match, bool wanted, bool firm)
{
	for (uint32_t i = 0; i < reading->given_count; i++) {
		const struct pack_given *given = &reading->given[i];

		if (pack_given_is(given, match->option) && !(firm && given->contradicted) &&
		    value_matches(pack, &match->globs, given->value) == wanted)
			return given;
	}
	return NULL;
}

static const char *find_word(
    const struct pack_operand *words, uint32_t count, const struct policy_words *globs, bool wanted)
{
	for (uint32_t i = 0; i < count; i++) {
		if (globs_hold(globs, words[i].word) == wanted)
			return words[i].word;
	}
	return NULL;
}

static const char *find_program(
    const struct pack_reading *reading, const struct policy_words *globs)
{
	for (uint32_t i = 0; i < reading->inner_count; i++) {
		const struct pack_inner *inner = &reading->inner[i];

		if (inner->argc && globs_hold(globs, inner->argv[0]))
			return inner->argv[0];
	}
	return NULL;
}

static const char *find_program_with(const struct pack_reading *reading, const char *text)
{
	for (uint32_t i = 0; i < reading->inner_count; i++) {
		const struct pack_inner *inner = &reading->inner[i];

		if (inner->argc && strstr(inner->argv[0], text))
			return inner->argv[0];
	}
	return NULL;
}

static const char *find_holding_program(
    const struct pack_reading *reading, const struct policy_words *options)
{
	const char *program = NULL;

	for (uint32_t i = 0; !program && i < reading->given_count; i++) {
		const struct pack_given *given = &reading->given[i];

		if (given_in(options, given))
			program = find_program_with(reading, given->value ? given->value : "{}");
	}
	return program;
}

/* ---- one rule ----------------------------------------------------------------------------- */

/* Each returns false if the rule names something that is not there. */

static bool options_match(
    const struct pack_rule *rule, const struct pack_reading *reading, const char **subject)
{
	const bool allows = rule->decision == DECISION_ALLOW;
	const struct pack_given *given;

	if (rule->missing.count && find_given(reading, &rule->missing, !allows))
		return false;
	if (!rule->options.count)
		return true;
	given = find_given(reading, &rule->options, allows);
	if (given)
		*subject = given->word;
	return given;
}

static bool values_match(const struct policy_pack *pack, const struct pack_rule *rule,
    const struct pack_reading *reading, const char **subject)
{
	const bool allows = rule->decision == DECISION_ALLOW;
	const struct pack_given *given = NULL;

	if (!rule->value_count && !rule->value_not_count)
		return true;
	for (uint32_t i = 0; !given && i < rule->value_count; i++)
		given = find_value(pack, reading, &rule->values[i], true, allows);
	for (uint32_t i = 0; !given && i < rule->value_not_count; i++)
		given = find_value(pack, reading, &rule->values_not[i], false, allows);
	if (given)
		*subject = given->value ? given->value : given->word;
	return given;
}

static bool count_matches(const struct pack_rule *rule, uint32_t count)
{
	if (rule->no_operand && count)
		return false;
	return count >= rule->least_operands &&
	       (!rule->most_operands || count <= rule->most_operands);
}

/* `git stash -- list` and `git stash -k list` stash the file list. */
static bool first_is_firm(const struct policy_pack *pack, const struct pack_reading *reading)
{
	uint32_t at = reading->operand_count ? reading->operands[0].at : 0;

	if (pack->subcommand_style == PACK_SUBCOMMANDS_SPLIT)
		return reading->subcommand_at && at == reading->subcommand_at + 1;
	return !reading->dashes_at || at < reading->dashes_at;
}

static bool words_match(const struct policy_pack *pack, const struct pack_rule *rule,
    const struct pack_reading *reading, const char **subject)
{
	const struct {
		const struct policy_words *globs;
		const struct pack_operand *words;
		uint32_t count;
		bool wanted;
	} lists[] = {
	    {&rule->operands, reading->operands, reading->operand_count, true},
	    {&rule->operands_not, reading->operands, reading->operand_count, false},
	    {&rule->first, reading->operands, reading->operand_count ? 1 : 0, true},
	    {&rule->first_not, reading->operands, reading->operand_count ? 1 : 0, false},
	    {&rule->assignments, reading->assignments, reading->assignment_count, true},
	    {&rule->assignments_not, reading->assignments, reading->assignment_count, false},
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const char *word;

		if (!lists[i].globs->count)
			continue;
		word = find_word(lists[i].words, lists[i].count, lists[i].globs, lists[i].wanted);
		if (!word)
			return false;
		*subject = word;
	}
	if (rule->decision == DECISION_ALLOW && (rule->first.count || rule->first_not.count) &&
	    !first_is_firm(pack, reading))
		return false;
	return count_matches(rule, reading->operand_count);
}

static bool programs_match(
    const struct pack_rule *rule, const struct pack_reading *reading, const char **subject)
{
	const char *program;

	if (rule->programs.count) {
		program = find_program(reading, &rule->programs);
		if (!program)
			return false;
		*subject = program;
	}
	if (rule->program_holds.count) {
		program = find_holding_program(reading, &rule->program_holds);
		if (!program)
			return false;
		*subject = program;
	}
	return true;
}

static bool rule_speaks(const struct policy_pack *pack, const struct pack_rule *rule,
    const struct pack_reading *reading, struct pack_verdict *ret)
{
	const char *subject = reading->subcommand ? reading->subcommand : reading->program;

	if (rule->subcommands.count &&
	    (!reading->subcommand || !words_hold(&rule->subcommands, reading->subcommand)))
		return false;
	if (!words_match(pack, rule, reading, &subject) ||
	    !options_match(rule, reading, &subject) ||
	    !values_match(pack, rule, reading, &subject) ||
	    !programs_match(rule, reading, &subject))
		return false;
	*ret = (struct pack_verdict){
	    .decision = rule->decision,
	    .id = rule->id,
	    .reason = rule->reason,
	    .pos = rule->pos,
	    .subject = subject,
	};
	return true;
}

/* ---- doubts ------------------------------------------------------------------------------- */

static const struct {
	const char *id, *reason;
} doubts[] = {
    [PACK_DOUBT_NONE] = {"unknown_option", "not understood"},
    [PACK_DOUBT_UNKNOWN_OPTION] = {"unknown_option", "an option the pack does not know"},
    [PACK_DOUBT_AMBIGUOUS_OPTION] = {"unknown_option", "the beginning of several options"},
    [PACK_DOUBT_MISSING_VALUE] = {"unknown_option", "an option without its value"},
    [PACK_DOUBT_VALUE_LIKE_OPTION] = {"unknown_option",
	"a value that looks like an option; write it behind = or without the dash"},
    [PACK_DOUBT_UNKNOWN_SUBCOMMAND] = {"unknown_subcommand", "a subcommand the pack does not know"},
    [PACK_DOUBT_OPEN_ENDED] = {"open_ended", "words that nobody knows yet will be added"},
    [PACK_DOUBT_TOO_MUCH] = {"too_much", "more options than any use needs"},
};
static const char otherwise[] = "otherwise";

bool pack_has_rule(const struct policy_pack *pack, const char *id)
{
	for (uint32_t i = 0; i < pack->rule_count; i++)
		if (!strcmp(pack->rules[i].id, id))
			return true;
	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++)
		if (!strcmp(doubts[i].id, id))
			return true;
	return !strcmp(otherwise, id);
}

static void speak_doubt(
    const struct policy_pack *pack, const struct pack_doubt *doubt, struct pack_verdict *ret)
{
	*ret = (struct pack_verdict){
	    .decision = doubt->kind == PACK_DOUBT_TOO_MUCH ? DECISION_DENY : pack->unknown_option,
	    .id = doubts[doubt->kind].id,
	    .reason = doubts[doubt->kind].reason,
	    .pos = pack->unknown_pos,
	    .subject = doubt->word,
	};
	if (doubt->kind == PACK_DOUBT_OPEN_ENDED && ret->decision == DECISION_ALLOW)
		ret->decision = DECISION_ASK;
}

static bool any_rule_speaks(const struct policy_pack *pack, const struct pack_reading *reading)
{
	struct pack_verdict unused;

	for (uint32_t i = 0; i < pack->rule_count; i++) {
		if (rule_speaks(pack, &pack->rules[i], reading, &unused))
			return true;
	}
	return false;
}

/* ---- all that speak ----------------------------------------------------------------------- */

bool pack_judge(const struct policy_pack *pack, const struct pack_reading *reading, uint32_t *step,
    struct pack_verdict *ret)
{
	const uint32_t rules = pack->rule_count, end = rules + reading->doubt_count;

	while (*step < rules) {
		if (rule_speaks(pack, &pack->rules[(*step)++], reading, ret))
			return true;
	}
	if (*step < end) {
		speak_doubt(pack, &reading->doubts[(*step)++ - rules], ret);
		return true;
	}
	if (*step > end)
		return false;
	++*step;
	if (any_rule_speaks(pack, reading))
		return false;
	*ret = (struct pack_verdict){
	    .decision = pack->otherwise,
	    .id = otherwise,
	    .reason = "no rule of the pack speaks of this",
	    .pos = pack->otherwise_pos,
	    .subject = reading->subcommand ? reading->subcommand : reading->program,
	};
	return true;
}

void pack_decide(
    const struct policy_pack *pack, const struct pack_reading *reading, struct pack_verdict *ret)
{
	struct pack_verdict next;
	uint32_t step = 0;

	/* A pack without a word is no permission. */
	*ret = (struct pack_verdict){
	    .decision = DECISION_NONE, .id = "", .reason = "", .subject = reading->program};
	while (pack_judge(pack, reading, &step, &next)) {
		if (next.decision > ret->decision)
			*ret = next;
	}
	if (ret->decision == DECISION_NONE)
		ret->decision = DECISION_DENY;
}
