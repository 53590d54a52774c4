/* Bytes that claim to be a frozen policy: refused, or a policy that can be used and frozen to
 * the same bytes again. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/freeze.h"
#include "policy/pack.h"
#include "policy/rulebook.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tool(const struct question *question)
{
	const struct explanation nothing = {.grant = NULL};
	struct judgement judgement;
	struct buf out;

	buf_init(&out, 1 << 20);
	assert(policy_judge(question, &judgement) == 0);
	assert(judgement.result.decision >= DECISION_ALLOW);
	assert(judgement.result.decision <= DECISION_DENY);
	judgement_fini(&judgement);
	assert(policy_find_tool(question->policy, question->tool->name) == question->tool);
	(void)policy_tell_json(&out, question, &nothing);
	buf_reset(&out);
	(void)policy_tell_text(&out, question, &nothing);
	buf_fini(&out);
}

static void check_pack(const struct policy_pack *pack)
{
	const char *const argv[] = {pack->name, "-abc", "--long=x", "--", "log", "-x", ";", NULL};
	struct pack_reading reading;
	struct pack_verdict verdict;

	if (pack_read(pack, argv, 7, &reading))
		return;
	pack_decide(pack, &reading, &verdict);
	assert(verdict.decision >= DECISION_ALLOW && verdict.decision <= DECISION_DENY);
	pack_reading_fini(&reading);
}

/* The schemas are texts to the frozen form, so they may be anything: then there is no rulebook. */
static void check_use(const struct policy *policy)
{
	static const char text[] = "ls -l; find / -delete; /bin/rm x | cat";
	const struct subject subject = {.shown = {.has_peer = true, .uid = 1000, .gid = 1000},
	    .agent = "coder",
	    .space = "default"};
	struct rulebook *book = NULL;
	struct identity identity;
	struct command command;
	struct err_note note;

	assert(command_parse(&command, text, sizeof(text) - 1) == 0);
	policy_identify(policy, &subject, &identity);
	if (rulebook_new(policy, &book, &note))
		book = NULL;
	for (uint32_t i = 0; i < policy->tool_count; i++) {
		const struct question question = {.policy = policy,
		    .book = book,
		    .tool = &policy->tools[i],
		    .identity = &identity,
		    .command = &command};

		check_tool(&question);
	}
	for (uint32_t i = 0; i < policy->pack_count; i++)
		check_pack(&policy->packs[i]);
	rulebook_free(book);
	command_fini(&command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy *policy = NULL;
	struct buf again;
	int fault = policy_thaw(data, size, &policy);

	if (fault) {
		assert(fault == -EBADMSG && !policy);
		return 0;
	}
	check_use(policy);
	buf_init(&again, POLICY_FROZEN_MAX);
	assert(policy_freeze(&again, policy) == 0);
	assert(again.len == size && !memcmp(again.data, data, size));
	buf_fini(&again);
	policy_free(policy);
	return 0;
}
