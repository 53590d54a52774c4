/* Bytes that claim to be a frozen policy: refused, or a policy that can be used and frozen to
 * the same bytes again. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/decide.h"
#include "policy/freeze.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_tool(const struct policy *policy, const struct identity *identity,
    const struct policy_tool *tool, const struct command *command)
{
	struct verdict verdict;
	struct buf out;

	buf_init(&out, 1 << 20);
	policy_decide(policy, tool, command, &verdict);
	assert(verdict.decision >= DECISION_ALLOW && verdict.decision <= DECISION_DENY);
	assert(policy_find_tool(policy, tool->name) == tool);
	(void)policy_explain_json(&out, policy, identity, tool, command);
	buf_reset(&out);
	(void)policy_explain_text(&out, policy, identity, tool, command);
	buf_fini(&out);
}

static void check_use(const struct policy *policy)
{
	static const char text[] = "ls -l; /bin/rm x | cat";
	const struct subject subject = {1000, 1000, "coder", "default"};
	struct identity identity;
	struct command command;

	assert(command_parse(&command, text, sizeof(text) - 1) == 0);
	policy_identify(policy, &subject, &identity);
	for (uint32_t i = 0; i < policy->tool_count; i++)
		check_tool(policy, &identity, &policy->tools[i], &command);
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
