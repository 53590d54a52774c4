/* What a pack reads in an argv, for real.sh: reader PACK|FILE.yaml WORDS... prints one line each
 * for the verdict, the options, the operands and the inner command lines. `reader PACK --test`
 * runs the pack's tests. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

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
	else if (!pack_read(&pack, (const char *const *)argv + 2, (uint32_t)argc - 2, &reading)) {
		show(&pack, &reading);
		pack_reading_fini(&reading);
		status = 0;
	}
	arena_fini(&arena);
	return status;
}
