/* The words of an argv, each ended by a NUL, through the pack that the first byte chooses. A text
 * that begins with "pack:" is a pack of its own, which may be refused. What a reading says must
 * stand in the argv, and its verdict must be one. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/pack.h"
#include "policy/pack_keys.h"
#include "supervisor/base/buf.h"

#define WORDS_MAX 4096
#define PACKS_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct line {
	const char *text; /* the words, one NUL behind each */
	size_t len;
	const char *argv[WORDS_MAX];
	uint32_t argc;
};

static bool is_within(const struct line *line, const char *text)
{
	return !text || text == line->argv[0] ||
	       (text >= line->text && text <= line->text + line->len);
}

static void check_reading(const struct line *line, const struct pack_reading *reading)
{
	assert(reading->operand_count + reading->assignment_count < line->argc + 1);
	assert(reading->given_count <= PACK_GIVEN_MAX && reading->inner_count <= PACK_INNER_MAX);
	assert(reading->doubt_count <= PACK_DOUBTS_MAX);
	assert(is_within(line, reading->subcommand));
	for (uint32_t i = 0; i < reading->given_count; i++) {
		const struct pack_given *given = &reading->given[i];

		assert(
		    given->name && is_within(line, given->word) && is_within(line, given->value));
		assert(!given->line_count ||
		       given->line + given->line_count <= line->argv + line->argc);
	}
	for (uint32_t i = 0; i < reading->operand_count; i++)
		assert(reading->operands[i].word == line->argv[reading->operands[i].at]);
	for (uint32_t i = 0; i < reading->inner_count; i++) {
		const struct pack_inner *inner = &reading->inner[i];

		assert(inner->form != PACK_FORM_NONE && inner->form != PACK_FORM_JOINED);
		assert(inner->form == PACK_FORM_SHELL
			   ? inner->text && strlen(inner->text) <= line->len
			   : inner->argc > 0);
	}
}

static void check_pack(const struct policy_pack *pack, const struct line *line)
{
	struct pack_reading reading;
	struct pack_verdict verdict;
	uint32_t step = 0, spoken = 0;

	assert(pack_read(pack, line->argv, line->argc, &reading) == 0);
	check_reading(line, &reading);
	pack_decide(pack, &reading, &verdict);
	assert(verdict.decision >= DECISION_ALLOW && verdict.decision <= DECISION_DENY);
	while (pack_judge(pack, &reading, &step, &(struct pack_verdict){.id = NULL}))
		spoken++;
	assert(spoken > 0);
	/* Words that nobody knows yet never make it milder, and are never allowed. */
	pack_reading_fill(pack, &reading);
	pack_reading_open(&reading);
	{
		struct pack_verdict open;

		pack_decide(pack, &reading, &open);
		assert(open.decision >= verdict.decision && open.decision > DECISION_ALLOW);
	}
	pack_reading_fini(&reading);
}

static void split(struct line *line, const char *program)
{
	line->argc = 0;
	line->argv[line->argc++] = program;
	for (size_t at = 0; at < line->len && line->argc < WORDS_MAX;
	     at += strlen(line->text + at) + 1)
		line->argv[line->argc++] = line->text + at;
}

static void check_line(uint8_t choice, const char *text, size_t len)
{
	static struct policy_pack packs[PACKS_MAX];
	static struct arena arena;
	static struct line line;
	static uint32_t count;

	for (; !count || pack_names()[count]; count++) {
		struct err_note note = {""};

		assert(count < PACKS_MAX);
		assert(pack_load(&packs[count], &arena, pack_names()[count], &note) == 0);
	}
	line.text = text;
	line.len = len;
	split(&line, pack_names()[choice % count]);
	check_pack(&packs[choice % count], &line);
}

static void check_file(const char *text)
{
	static const char words[] = "-a\0--all\0x\0-bc\0--\0y=1\0-d\0";
	static struct line line = {.text = words, .len = sizeof(words) - 1};
	struct arena arena = {.chunks = NULL};
	struct policy_pack pack;
	struct err_note note = {""};
	struct buf failures;
	int fault = pack_load_text(&pack, &arena, "fuzz.yaml", text, &note);

	assert(fault == 0 || fault == -EINVAL);
	if (fault) {
		assert(!strncmp(note.text, "fuzz.yaml:", 10));
	} else {
		buf_init(&failures, 1 << 20);
		fault = pack_test(&pack, &failures);
		assert(fault == 0 || fault == -EINVAL);
		buf_fini(&failures);
		split(&line, "x");
		check_pack(&pack, &line);
	}
	arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size + 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	if (!strncmp(text, "pack:", 5))
		check_file(text);
	else
		check_line(data[0], text + 1, size - 1);
	free(text);
	return 0;
}
