#include "policy/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order.h"
#include "policy/pack_option.h"
#include "policy/pack_sed.h"

/* One pass over argv, as the program's own getopt would make it. */
struct pass {
	const struct policy_pack *pack;
	const struct pack_table *table;
	const char *const *argv;
	uint32_t argc, at;
	uint32_t options, given_max;
	char *text;       /* room for joined words */
	bool options_end; /* what follows are operands */
	bool in_subcommand;
	struct pack_reading *reading;
};

#define PACK_SCAN_GIVES 4 /* options of scan_sed() */

static const struct pack_table no_options;

static void doubt(struct pack_reading *reading, enum pack_doubt_kind kind, const char *word)
{
	struct pack_doubt *at = &reading->doubts[reading->doubt_count];

	if (kind == PACK_DOUBT_TOO_MUCH)
		at = &reading->doubts[0]; /* whatever else there is, this one is told */
	else if (kind == PACK_DOUBT_OPEN_ENDED && reading->doubt_count == PACK_DOUBTS_MAX)
		at--; /* never allowed, as other doubts may be */
	else if (reading->doubt_count == PACK_DOUBTS_MAX)
		return;
	if (at == &reading->doubts[reading->doubt_count])
		reading->doubt_count++;
	*at = (struct pack_doubt){kind, word};
}

static struct pack_given *give(
    struct pass *pass, const struct pack_option *option, bool negated, const char *word)
{
	struct pack_reading *reading = pass->reading;
	struct pack_given *given;

	if (reading->given_count == pass->given_max) {
		doubt(reading, PACK_DOUBT_TOO_MUCH, word);
		return &reading->given[pass->given_max]; /* a spare one, never looked at */
	}
	given = &reading->given[reading->given_count++];
	*given = (struct pack_given){
	    .name = option->name,
	    .names = option->names.count ? &option->names : NULL,
	    .negated = negated,
	    .word = word,
	};
	return given;
}

/* ---- values ------------------------------------------------------------------------------- */

/* -5, -mtime -7 and a lone - are usual values; -x is more likely an option that was swallowed. */
static bool looks_like_option(const char *word)
{
	return word[0] == '-' && word[1] && !(word[1] >= '0' && word[1] <= '9');
}

static const char *next_word(struct pass *pass, const char *option_word)
{
	const char *word;

	if (pass->at == pass->argc) {
		doubt(pass->reading, PACK_DOUBT_MISSING_VALUE, option_word);
		return NULL;
	}
	word = pass->argv[pass->at++];
	if (looks_like_option(word))
		doubt(pass->reading, PACK_DOUBT_VALUE_LIKE_OPTION, word);
	return word;
}

static void take_line(struct pass *pass, struct pack_given *given, enum pack_value kind)
{
	uint32_t start = pass->at;

	given->line = pass->argv + start;
	for (; pass->at < pass->argc; pass->at++) {
		const char *word = pass->argv[pass->at];
		bool after_braces = pass->at > start && !strcmp(pass->argv[pass->at - 1], "{}");

		if (strcmp(word, ";") &&
		    (kind != PACK_VALUE_LINES || strcmp(word, "+") || !after_braces))
			continue;
		given->line_count = pass->at++ - start;
		given->value = given->line_count ? given->line[0] : NULL;
		break;
	}
	if (!given->line_count)
		doubt(pass->reading, PACK_DOUBT_MISSING_VALUE, given->word);
}

static bool is_truth(const char *word)
{
	return !strcmp(word, "true") || !strcmp(word, "false") || !strcmp(word, "null");
}

static void take_value(
    struct pass *pass, struct pack_given *given, enum pack_value kind, const char *attached)
{
	const char *next = pass->at < pass->argc ? pass->argv[pass->at] : NULL;

	given->value = attached;
	switch (kind) {
	case PACK_VALUE_NONE:
		if (attached)
			doubt(pass->reading, PACK_DOUBT_UNKNOWN_OPTION, given->word);
		return;
	case PACK_VALUE_OPTIONAL: return;
	case PACK_VALUE_ATTACHED:
		if (!attached)
			doubt(pass->reading, PACK_DOUBT_MISSING_VALUE, given->word);
		return;
	case PACK_VALUE_WORD:
		if (!attached)
			given->value = next_word(pass, given->word);
		return;
	case PACK_VALUE_NUMBER:
		if (!attached && next && next[0] >= '0' && next[0] <= '9')
			given->value = pass->argv[pass->at++];
		return;
	case PACK_VALUE_BOOLEAN:
		if (!attached && next && is_truth(next))
			given->value = pass->argv[pass->at++];
		return;
	case PACK_VALUE_TWO:
		given->value = next_word(pass, given->word);
		(void)next_word(pass, given->word);
		return;
	case PACK_VALUE_LINE:
	case PACK_VALUE_LINES: take_line(pass, given, kind); return;
	}
}

/* ---- options ------------------------------------------------------------------------------ */

static bool find(struct pass *pass, const char *word, size_t len, const struct pack_option **ret,
    bool *ret_negated)
{
	enum pack_found found =
	    pack_option_find(pass->pack, pass->table, word, len, ret, ret_negated);

	if (found == PACK_FOUND_SEVERAL)
		doubt(pass->reading, PACK_DOUBT_AMBIGUOUS_OPTION, word);
	else if (found == PACK_FOUND_NONE)
		doubt(pass->reading, PACK_DOUBT_UNKNOWN_OPTION, word);
	return found == PACK_FOUND_ONE;
}

static void take_long(struct pass *pass, const char *word)
{
	const char *equals = strchr(word, '=');
	const struct pack_option *option;
	bool negated;

	if (!find(pass, word, equals ? (size_t)(equals - word) : strlen(word), &option, &negated))
		return;
	if (negated)
		(void)give(pass, option, true, word);
	else
		take_value(pass, give(pass, option, false, word), option->value,
		    equals ? equals + 1 : NULL);
}

/* Letters up to one with a value; letters starts after the dash, if there is one. */
static void take_cluster(struct pass *pass, const char *word, const char *letters, bool dash)
{
	for (; *letters; letters++) {
		const char name[3] = {'-', *letters, '\0'};
		const struct pack_option *option;
		const char *attached = dash && letters[1] ? letters + 1 : NULL;
		bool negated;

		if (pass->options++ > PACK_GIVEN_MAX) {
			doubt(pass->reading, PACK_DOUBT_TOO_MUCH, word);
			return;
		}
		if (pack_option_find(pass->pack, pass->table, name, 2, &option, &negated) !=
		    PACK_FOUND_ONE) {
			/* Whether it takes the rest for its value is not known: nothing is. */
			doubt(pass->reading, PACK_DOUBT_UNKNOWN_OPTION, word);
			return;
		}
		if (option->value == PACK_VALUE_NONE) {
			(void)give(pass, option, false, word);
			continue;
		}
		take_value(pass, give(pass, option, false, word), option->value, attached);
		if (attached)
			return;
	}
}

/* True if the word as it stands is an option: find's -name, npm's -ws, -12. */
static bool take_whole(struct pass *pass, const char *word)
{
	const struct pack_option *option;
	struct pack_given *given;
	bool negated;

	if (pack_option_find(pass->pack, pass->table, word, strlen(word), &option, &negated) !=
	    PACK_FOUND_ONE)
		return false;
	given = give(pass, option, false, word);
	take_value(pass, given, option->value, NULL);
	if (!strcmp(option->names.items[0].text, "-NUM"))
		given->value = word + 1;
	return true;
}

/* One of several letters that stands with a value in the same word: find's -O3. */
static bool take_attached(struct pass *pass, const char *word)
{
	const struct pack_option *option;
	bool negated;

	if (pack_option_find(pass->pack, pass->table, word, 2, &option, &negated) !=
		PACK_FOUND_ONE ||
	    option->value != PACK_VALUE_ATTACHED)
		return false;
	take_value(pass, give(pass, option, false, word), option->value, word + 2);
	return true;
}

static void take_option(struct pass *pass, const char *word)
{
	if (!strncmp(word, "--", 2) && !pass->pack->whole) {
		take_long(pass, word);
		return;
	}
	if (take_whole(pass, word))
		return;
	if (pass->pack->whole ? take_attached(pass, word) : false)
		return;
	if (pass->pack->whole || (pass->pack->single && word[2]))
		doubt(pass->reading, PACK_DOUBT_UNKNOWN_OPTION, word);
	else
		take_cluster(pass, word, word + 1, true);
}

/* ---- operands ----------------------------------------------------------------------------- */

static bool is_assignment(const struct pass *pass, const char *word)
{
	switch (pass->pack->assignments) {
	case PACK_ASSIGNMENTS_NONE: return false;
	case PACK_ASSIGNMENTS_ANYWHERE: return strchr(word, '=');
	case PACK_ASSIGNMENTS_LEADING: break;
	}
	if (pass->reading->operand_count)
		return false;
	return strchr(word, '=') || (!strcmp(word, "-") && !pass->reading->assignment_count);
}

static void enter_subcommand(struct pass *pass, const char *word, uint32_t at)
{
	pass->reading->subcommand = word;
	pass->reading->subcommand_at = at;
	pass->in_subcommand = true;
	pass->options_end = false;
	pass->table = pack_subcommand(pass->pack, word);
	if (pass->table)
		return;
	pass->table = &no_options;
	doubt(pass->reading, PACK_DOUBT_UNKNOWN_SUBCOMMAND, word);
}

static void take_operand(struct pass *pass, const char *word, uint32_t at)
{
	struct pack_reading *reading = pass->reading;
	enum pack_permute permute = pass->in_subcommand ? PACK_PERMUTE_ALL : pass->pack->permute;

	if (pass->pack->subcommand_style == PACK_SUBCOMMANDS_SPLIT && !pass->in_subcommand) {
		enter_subcommand(pass, word, at);
		return;
	}
	if (is_assignment(pass, word))
		reading->assignments[reading->assignment_count++] = (struct pack_operand){word, at};
	else
		reading->operands[reading->operand_count++] = (struct pack_operand){word, at};
	if (permute == PACK_PERMUTE_NONE ||
	    (permute == PACK_PERMUTE_ONCE && reading->operand_count > 1))
		pass->options_end = true;
}

static bool is_option(const struct pass *pass, const char *word)
{
	const struct pack_option *option;
	bool negated;

	if (pass->options_end)
		return false;
	if (word[0] == '-')
		return word[1] != '\0';
	/* find's ( ) ! and , are words of its expression. */
	return pass->pack->whole && pack_option_find(pass->pack, pass->table, word, strlen(word),
					&option, &negated) == PACK_FOUND_ONE;
}

static void end_options(struct pass *pass, uint32_t at)
{
	pass->options_end = true;
	if (!pass->reading->dashes_at)
		pass->reading->dashes_at = at;
}

static void take_all(struct pass *pass)
{
	while (pass->at < pass->argc) {
		uint32_t at = pass->at++;
		const char *word = pass->argv[at];

		if (!pass->options_end && !strcmp(word, "--") && !pass->pack->whole)
			end_options(pass, at);
		else if (!is_option(pass, word))
			take_operand(pass, word, at);
		else if (pass->options++ < PACK_GIVEN_MAX)
			take_option(pass, word);
		else
			doubt(pass->reading, PACK_DOUBT_TOO_MUCH, word);
	}
}

/* ---- inner command lines ------------------------------------------------------------------ */

static void add_inner(struct pass *pass, const struct pack_run *run, struct pack_inner inner)
{
	struct pack_reading *reading = pass->reading;

	if (reading->inner_count == PACK_INNER_MAX) {
		doubt(reading, PACK_DOUBT_TOO_MUCH, reading->program);
		return;
	}
	inner.form = run->form == PACK_FORM_JOINED ? PACK_FORM_SHELL : run->form;
	inner.appended = run->appended;
	inner.filled = run->filled;
	inner.remote = run->remote;
	reading->inner[reading->inner_count++] = inner;
}

static void run_option(struct pass *pass, const struct pack_run *run, struct pack_given *given)
{
	bool named = false;

	for (uint32_t i = 0; i < run->options.count; i++)
		named = named || pack_given_is(given, run->options.items[i].text);
	if (!named || !given->value)
		return;
	if (run->form == PACK_FORM_SHELL)
		add_inner(pass, run, (struct pack_inner){.text = given->value});
	else if (given->line_count)
		add_inner(
		    pass, run, (struct pack_inner){.argv = given->line, .argc = given->line_count});
	else
		add_inner(pass, run, (struct pack_inner){.argv = &given->value, .argc = 1});
}

/* The words from that operand on, one blank between them; no run has more than the room of all. */
static const char *join(struct pass *pass, uint32_t at)
{
	char *text = pass->text;

	for (uint32_t i = at; i < pass->argc; i++) {
		size_t len = strlen(pass->argv[i]);

		memcpy(pass->text, pass->argv[i], len);
		pass->text += len;
		*pass->text++ = i + 1 < pass->argc ? ' ' : '\0';
	}
	return text;
}

static void find_inner(struct pass *pass, const struct pack_run *run)
{
	struct pack_reading *reading = pass->reading;
	uint32_t at;

	if (run->subcommands.count &&
	    (!reading->subcommand || !words_hold(&run->subcommands, reading->subcommand)))
		return;
	for (uint32_t i = 0; i < reading->given_count; i++)
		run_option(pass, run, &reading->given[i]);
	if (!run->operand || run->operand > reading->operand_count)
		return;
	at = reading->operands[run->operand - 1].at;
	if (run->form == PACK_FORM_SHELL)
		add_inner(pass, run, (struct pack_inner){.text = pass->argv[at]});
	else if (run->form == PACK_FORM_JOINED)
		add_inner(pass, run, (struct pack_inner){.text = join(pass, at)});
	else
		add_inner(pass, run,
		    (struct pack_inner){.argv = pass->argv + at, .argc = pass->argc - at});
}

/* ---- sed ---------------------------------------------------------------------------------- */

static void give_effect(struct pass *pass, const char *name, const char *script)
{
	const struct pack_option option = {.name = name};

	(void)give(pass, &option, false, script);
}

/* The first operand, where there is no -e and no -f. */
static const char *script_operand(const struct pack_reading *reading)
{
	for (uint32_t i = 0; i < reading->given_count; i++) {
		if (pack_given_is(&reading->given[i], "-e") ||
		    pack_given_is(&reading->given[i], "-f"))
			return NULL;
	}
	return reading->operand_count ? reading->operands[0].word : NULL;
}

/* What the -e texts say together, or the first operand where there is no -e and no -f. */
static int scan_sed(struct pass *pass)
{
	struct pack_reading *reading = pass->reading;
	unsigned effects;
	int fault = pack_sed_scan(reading, script_operand(reading), &effects);

	if (fault)
		return fault;
	if (effects & PACK_SED_EXEC)
		give_effect(pass, "script:exec", pass->argv[0]);
	if (effects & PACK_SED_WRITE)
		give_effect(pass, "script:write", pass->argv[0]);
	if (effects & PACK_SED_READ)
		give_effect(pass, "script:read", pass->argv[0]);
	if (effects & PACK_SED_UNKNOWN)
		give_effect(pass, "script:unknown", pass->argv[0]);
	return 0;
}

/* ---- the whole ---------------------------------------------------------------------------- */

/* What the pack's joined command lines may need at most. */
static size_t joined_bytes(const struct policy_pack *pack, const char *const *argv, uint32_t argc)
{
	size_t all = 0, lines = 0;

	for (uint32_t i = 0; i < pack->run_count; i++)
		lines += pack->runs[i].form == PACK_FORM_JOINED;
	for (uint32_t i = 0; lines && i < argc; i++)
		all += strlen(argv[i]) + 1;
	return lines * all;
}

/* Options that the words hold at most, letters of clusters one by one, and what a scan gives. */
static uint32_t most_given(const struct pass *pass)
{
	size_t most = PACK_SCAN_GIVES;

	for (uint32_t i = 1; i < pass->argc && most < PACK_GIVEN_MAX; i++) {
		const char *word = pass->argv[i];
		bool cluster = word[0] == '-' ? word[1] != '-' : i == 1 && pass->pack->old_style;

		most += cluster ? strlen(word) : 1;
	}
	return most < PACK_GIVEN_MAX ? (uint32_t)most : PACK_GIVEN_MAX;
}

/* Each run finds one command at an operand and one at each option. */
static size_t most_inner(const struct pass *pass)
{
	size_t most = (size_t)pass->pack->run_count * (pass->given_max + 1);

	return most < PACK_INNER_MAX ? most : PACK_INNER_MAX;
}

static int allocate(struct pass *pass)
{
	struct pack_reading *reading = pass->reading;
	size_t given = (pass->given_max + 1) * sizeof(*reading->given);
	size_t words = pass->argc * sizeof(*reading->operands);
	size_t inner = most_inner(pass) * sizeof(*reading->inner);
	size_t text = joined_bytes(pass->pack, pass->argv, pass->argc);
	char *block = calloc(1, given + 2 * words + inner + text);

	if (!block)
		return -ENOMEM;
	reading->storage = block;
	reading->given = (struct pack_given *)block;
	reading->inner = (struct pack_inner *)(block + given);
	reading->operands = (struct pack_operand *)(block + given + inner);
	reading->assignments = (struct pack_operand *)(block + given + inner + words);
	pass->text = block + given + inner + 2 * words;
	return 0;
}

/* --x and --no-x: which of them the program follows depends on its order and on the option. */
static void find_contradictions(struct pack_reading *reading)
{
	for (uint32_t i = 0; i < reading->given_count; i++) {
		struct pack_given *negated = &reading->given[i];

		for (uint32_t j = 0; negated->negated && j < reading->given_count; j++) {
			struct pack_given *given = &reading->given[j];

			if (given->negated || strcmp(given->name, negated->name))
				continue;
			given->contradicted = true;
			negated->contradicted = true;
		}
	}
}

static void split_subcommand(struct pass *pass)
{
	struct pack_reading *reading = pass->reading;

	if (pass->pack->subcommand_style != PACK_SUBCOMMANDS_ANYWHERE || !reading->operand_count)
		return;
	reading->subcommand = reading->operands[0].word;
	reading->subcommand_at = reading->operands[0].at;
	reading->operands++;
	reading->operand_count--;
	if (!pack_subcommand(pass->pack, reading->subcommand))
		doubt(reading, PACK_DOUBT_UNKNOWN_SUBCOMMAND, reading->subcommand);
}

int pack_read(const struct policy_pack *pack, const char *const *argv, uint32_t argc,
    struct pack_reading *ret)
{
	struct pass pass = {.pack = pack,
	    .table = &pack->main,
	    .argv = argv,
	    .argc = argc,
	    .at = 1,
	    .reading = ret};
	int fault;

	*ret = (struct pack_reading){.program = argc ? argv[0] : NULL};
	if (!argc)
		return -EINVAL;
	pass.given_max = most_given(&pass);
	fault = allocate(&pass);
	if (fault)
		return fault;
	if (pack->old_style && argc > 1 && argv[1][0] && argv[1][0] != '-') {
		pass.at = 2;
		take_cluster(&pass, argv[1], argv[1], false);
	}
	take_all(&pass);
	find_contradictions(ret);
	split_subcommand(&pass);
	if (pack->scan == PACK_SCAN_SED)
		fault = scan_sed(&pass);
	for (uint32_t i = 0; i < pack->run_count; i++)
		find_inner(&pass, &pack->runs[i]);
	if (fault)
		pack_reading_fini(ret);
	return fault;
}

void pack_reading_fini(struct pack_reading *reading)
{
	free(reading->storage);
	*reading = (struct pack_reading){.program = NULL};
}

/* ---- words that are not known yet ----------------------------------------------------------- */

void pack_reading_open(struct pack_reading *reading)
{
	doubt(reading, PACK_DOUBT_OPEN_ENDED, reading->program);
}

static bool has_hole(const char *word)
{
	return word && strstr(word, "{}");
}

void pack_reading_fill(const struct policy_pack *pack, struct pack_reading *reading)
{
	const char *hole = NULL;

	for (uint32_t i = 0; !hole && i < reading->given_count; i++)
		if (has_hole(reading->given[i].word) || has_hole(reading->given[i].value))
			hole = reading->given[i].word;
	for (uint32_t i = 0; !hole && i < reading->assignment_count; i++)
		if (has_hole(reading->assignments[i].word))
			hole = reading->assignments[i].word;
	if (!hole && pack->scan == PACK_SCAN_SED && has_hole(script_operand(reading)))
		hole = script_operand(reading);
	if (hole)
		doubt(reading, PACK_DOUBT_OPEN_ENDED, hole);
}
