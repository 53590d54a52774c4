/* What a pack reads in an argv, for real.sh and real.py: reader PACK|FILE.yaml WORDS... prints one
 * line each for the verdict, the options, the operands and the inner command lines.
 *   reader PACK --test    runs the pack's tests
 *   reader PACK --lines   reads an argv a line from standard input, its words parted by tabs, and
 *                         prints each reading on one line: fields parted by tabs, of a letter and a
 *                         text, the words of an inner command line parted by \001
 *   reader PACK --never   reads command lines, as people write them, that it must not allow */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "policy/lexer.h"
#include "policy/pack.h"
#include "policy/pack_keys.h"
#include "supervisor/base/buf.h"

static char text[512 * 1024];

static int load(struct policy_pack *pack, struct arena *arena, const char *name)
{
	struct err_note note = {""};
	FILE *file = strchr(name, '/') ? fopen(name, "r") : NULL;
	int fault;

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		fault = pack_load_text(pack, arena, name, text, &note);
	} else {
		fault = pack_load(pack, arena, name, &note);
	}
	if (fault)
		fprintf(stderr, "%s\n", note.text);
	return fault;
}

static int test(const struct policy_pack *pack)
{
	struct buf failures;
	int fault;

	buf_init(&failures, 1024 * 1024);
	fault = pack_test(pack, &failures);
	if (fault)
		fputs(buf_cstr(&failures), stdout);
	printf("%s: %u tests, %s\n", pack->name, pack->test_count, fault ? "FAILED" : "ok");
	buf_fini(&failures);
	return fault ? 1 : 0;
}

static void show(const struct policy_pack *pack, const struct pack_reading *reading)
{
	struct pack_verdict verdict;

	pack_decide(pack, reading, &verdict);
	printf("%s %s %s\n", decision_name(verdict.decision), verdict.id, verdict.subject);
	printf("subcommand %s\n", reading->subcommand ? reading->subcommand : "");
	for (uint32_t i = 0; i < reading->given_count; i++)
		printf("option %s%s %s\n", reading->given[i].negated ? "not " : "",
		    reading->given[i].name, reading->given[i].value ? reading->given[i].value : "");
	for (uint32_t i = 0; i < reading->operand_count; i++)
		printf("operand %s\n", reading->operands[i].word);
	for (uint32_t i = 0; i < reading->doubt_count; i++)
		printf("doubt %d %s\n", (int)reading->doubts[i].kind, reading->doubts[i].word);
	for (uint32_t i = 0; i < reading->inner_count; i++) {
		printf("inner");
		for (uint32_t j = 0; j < reading->inner[i].argc; j++)
			printf(" %s", reading->inner[i].argv[j]);
		printf(" %s\n", reading->inner[i].text ? reading->inner[i].text : "");
	}
}

/* ---- many at once -------------------------------------------------------------------------- */

static void print_line(const struct policy_pack *pack, const struct pack_reading *reading)
{
	struct pack_verdict verdict;

	pack_decide(pack, reading, &verdict);
	printf("V%s\tR%s", decision_name(verdict.decision), verdict.id);
	if (reading->subcommand)
		printf("\tS%s", reading->subcommand);
	for (uint32_t i = 0; i < reading->given_count; i++)
		printf("\tO%s%s=%s", reading->given[i].negated ? "!" : "", reading->given[i].name,
		    reading->given[i].value ? reading->given[i].value : "\001");
	for (uint32_t i = 0; i < reading->operand_count; i++)
		printf("\tW%s", reading->operands[i].word);
	for (uint32_t i = 0; i < reading->assignment_count; i++)
		printf("\tA%s", reading->assignments[i].word);
	for (uint32_t i = 0; i < reading->doubt_count; i++)
		printf("\tD%d", (int)reading->doubts[i].kind);
	for (uint32_t i = 0; i < reading->inner_count; i++) {
		printf("\tI%s", reading->inner[i].text ? reading->inner[i].text : "");
		for (uint32_t j = 0; j < reading->inner[i].argc; j++)
			printf("%s%s", j ? "\001" : "", reading->inner[i].argv[j]);
	}
	putchar('\n');
}

static int read_line(const struct policy_pack *pack, char *line)
{
	const char *argv[256];
	struct pack_reading reading;
	uint32_t argc = 0;

	for (char *word = line; word && argc < 256; argc++)
		argv[argc] = strsep(&word, "\t");
	if (pack_read(pack, argv, argc, &reading))
		return 1;
	print_line(pack, &reading);
	pack_reading_fini(&reading);
	return 0;
}

/* An inner command line that is judged for itself is as good as a refusal. */
static int must_not_allow(const struct policy_pack *pack, const char *line)
{
	struct command command;
	struct pack_reading reading;
	struct pack_verdict verdict;
	int wrong;

	if (*line == '#' || !*line)
		return 0;
	if (command_parse(&command, line, strlen(line)) || command.form != COMMAND_SIMPLE ||
	    pack_read(pack, command.argv, command.argc, &reading)) {
		printf("FAILED %s: %s: not one simple command\n", pack->name, line);
		return 1;
	}
	pack_decide(pack, &reading, &verdict);
	wrong = verdict.decision == DECISION_ALLOW && !reading.inner_count;
	if (wrong)
		printf("FAILED %s: %s: allowed by %s\n", pack->name, line, verdict.id);
	pack_reading_fini(&reading);
	command_fini(&command);
	return wrong;
}

static int each_line(const struct policy_pack *pack, bool never)
{
	static char line[64 * 1024];
	unsigned count = 0, wrong = 0;

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		count++;
		wrong += never ? must_not_allow(pack, line) : read_line(pack, line);
	}
	if (never)
		printf("%s: %u command lines, %u allowed\n", pack->name, count, wrong);
	return wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct arena arena = {NULL};
	struct policy_pack pack;
	struct pack_reading reading;
	int status = 1;

	if (argc < 3 || load(&pack, &arena, argv[1]))
		status = 2;
	else if (!strcmp(argv[2], "--test"))
		status = test(&pack);
	else if (!strcmp(argv[2], "--lines") || !strcmp(argv[2], "--never"))
		status = each_line(&pack, !strcmp(argv[2], "--never"));
	else if (!pack_read(&pack, (const char *const *)argv + 2, (uint32_t)argc - 2, &reading)) {
		show(&pack, &reading);
		pack_reading_fini(&reading);
		status = 0;
	}
	arena_fini(&arena);
	return status;
}
