#include "policy/voices_pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/pack.h"

/* Readings and parsed lines live as long as the verdicts that speak of their words. */
struct voices_held {
	struct voices_held *next;
	struct pack_reading reading;
	struct command command;
};

static struct voices_held *hold(struct voices *voices)
{
	struct voices_held *held = calloc(1, sizeof(*held));

	if (held) {
		held->next = voices->held;
		voices->held = held;
	}
	return held;
}

void voices_pack_free(struct voices *voices)
{
	while (voices->held) {
		struct voices_held *held = voices->held;

		voices->held = held->next;
		pack_reading_fini(&held->reading);
		command_fini(&held->command);
		free(held);
	}
}

/* ---- one budget for all of a decision ------------------------------------------------------- */

#define WORDS_A_STEP 16
#define BYTES_A_STEP 256

static int say_too_much(struct voices *voices, const struct question *question)
{
	return voices_add(voices, &(struct verdict){.decision = DECISION_DENY,
				      .kind = RULE_NOT_ANALYSABLE,
				      .pos = question->tool->pos,
				      .id = "",
				      .reason = "",
				      .word = "",
				      .why = "it holds more commands than are looked at for one "
					     "call; give them in several calls"});
}

/* Options cost most: each is looked up, and rules look at each. */
static size_t cost_of(const struct simple_command *simple)
{
	size_t steps = 1 + simple->argc / WORDS_A_STEP;

	for (uint32_t i = 1; i < simple->argc && steps <= PACK_GIVEN_MAX; i++)
		steps += simple->argv[i][0] == '-';
	return steps;
}

/* Adds to *ret_fault what failed. False: nothing more is looked at, and the denial is said. */
static bool spend(
    struct voices *voices, const struct question *question, size_t steps, int *ret_fault)
{
	if (voices->pack_work > VOICES_PACK_WORK)
		return false;
	voices->pack_work += steps < VOICES_PACK_WORK ? (uint32_t)steps : VOICES_PACK_WORK;
	if (voices->pack_work <= VOICES_PACK_WORK)
		return true;
	*ret_fault = say_too_much(voices, question);
	return false;
}

/* ---- commands within commands --------------------------------------------------------------- */

struct scene {
	struct voices *voices;
	const struct question *question;
	uint32_t depth;
	bool open;   /* the command gets words at its end that nobody knows yet: xargs */
	bool filled; /* {} in it becomes the name of a file: find */
	bool remote; /* it runs on another machine: ssh */
};

static int say_packs(const struct scene *scene, const struct simple_command *simple);

static bool is_remote(const struct scene *scene, const struct pack_inner *inner)
{
	return scene->remote || inner->remote;
}

static int say_line(const struct scene *scene, const struct pack_inner *inner,
    const struct simple_command *simple, const char *word)
{
	uint32_t before = scene->voices->count;
	int fault = 0;
	/* What is not known of a command is not known of those within it. */
	const struct scene within = {scene->voices, scene->question, scene->depth + 1,
	    scene->open || inner->appended, scene->filled || inner->filled,
	    is_remote(scene, inner)};

	if (!spend(scene->voices, scene->question, 1, &fault))
		return fault;
	if (simple)
		fault = say_packs(&within, simple);
	if (fault)
		return fault;
	return voices_word(scene->voices, scene->question, word,
	    is_remote(scene, inner)         ? SILENCE_IS_ELSEWHERE
	    : scene->voices->count > before ? SILENCE_IS_SPOKEN_FOR
					    : SILENCE_IS_DEFAULT);
}

static int say_unreadable(const struct scene *scene, const char *why)
{
	return voices_add(scene->voices, &(struct verdict){.decision = DECISION_ASK,
					     .kind = RULE_NOT_ANALYSABLE,
					     .pos = scene->question->tool->pos,
					     .id = "",
					     .reason = "",
					     .word = "",
					     .why = why ? why : ""});
}

/* A text that the program gives to a shell of its own: that shell is a program, too. */
static int say_shell(const struct scene *scene, const struct pack_inner *inner)
{
	const size_t len = strlen(inner->text);
	const struct command *command;
	struct voices_held *held;
	int fault = 0;

	if (!spend(scene->voices, scene->question, 1 + len / BYTES_A_STEP, &fault))
		return fault;
	held = hold(scene->voices);
	if (!held)
		return -ENOMEM;
	command = &held->command;
	fault = command_parse(&held->command, inner->text, len);
	if (fault == -EINVAL || fault == -E2BIG)
		return say_unreadable(scene, held->command.why);
	if (!fault && !is_remote(scene, inner))
		fault = voices_word(scene->voices, scene->question, "sh", SILENCE_IS_DEFAULT);
	for (uint32_t i = 0; !fault && i < command->word_count; i++)
		fault = say_line(scene, inner,
		    i < command->simple_count ? &command->simples[i] : NULL, command->words[i]);
	if (!fault && command->form == COMMAND_NOT_ANALYSABLE)
		fault = say_unreadable(scene, command->why);
	return fault;
}

static int say_inner(const struct scene *scene, const struct pack_inner *inner)
{
	const struct simple_command simple = {
	    .argv = (const char **)inner->argv, .argc = inner->argc};

	if (scene->depth >= VOICES_PACK_DEPTH)
		return say_unreadable(scene, "commands within commands, too deep");
	switch (inner->form) {
	case PACK_FORM_SHELL: return say_shell(scene, inner);
	case PACK_FORM_WORDS:
	case PACK_FORM_PROGRAM:
		return inner->argc ? say_line(scene, inner, &simple, inner->argv[0])
				   : say_unreadable(scene, "an empty command");
	case PACK_FORM_NONE:
	case PACK_FORM_JOINED: break;
	}
	return say_unreadable(scene, "a command that cannot be read");
}

/* ---- one pack -------------------------------------------------------------------------------- */

static int say_rules(
    const struct scene *scene, const struct policy_pack *pack, const struct pack_reading *reading)
{
	struct pack_verdict spoken;
	uint32_t step = 0;
	int fault = 0;

	while (!fault && pack_judge(pack, reading, &step, &spoken))
		fault = voices_add(scene->voices, &(struct verdict){.decision = spoken.decision,
						      .kind = RULE_PACK,
						      .pos = spoken.pos,
						      .file = pack->file,
						      .id = spoken.id,
						      .reason = spoken.reason ? spoken.reason : "",
						      .word = spoken.subject ? spoken.subject : "",
						      .why = ""});
	for (uint32_t i = 0; !fault && i < reading->inner_count; i++)
		fault = say_inner(scene, &reading->inner[i]);
	return fault;
}

static int say_packs(const struct scene *scene, const struct simple_command *simple)
{
	const struct policy_words *names = &scene->question->tool->packs;
	int fault = 0;

	for (uint32_t i = 0; !fault && i < names->count; i++) {
		const struct policy_pack *pack =
		    policy_find_pack(scene->question->policy, names->items[i].text);
		struct voices_held *held;

		/* The loader refuses a pack that is not there. */
		if (!pack || !pack_applies(pack, simple->argv[0]))
			continue;
		if (!spend(scene->voices, scene->question, cost_of(simple), &fault))
			return fault;
		held = hold(scene->voices);
		fault =
		    held ? pack_read(pack, simple->argv, simple->argc, &held->reading) : -ENOMEM;
		if (!fault && scene->open)
			pack_reading_open(&held->reading);
		if (!fault && scene->filled)
			pack_reading_fill(pack, &held->reading);
		if (!fault)
			fault = say_rules(scene, pack, &held->reading);
	}
	return fault;
}

int voices_pack(
    struct voices *voices, const struct question *question, const struct simple_command *simple)
{
	const struct scene scene = {.voices = voices, .question = question};

	return say_packs(&scene, simple);
}
