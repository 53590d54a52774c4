/* A policy file through parser, schema and checks; what is accepted must freeze and thaw. The
 * same bytes as .env. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/freeze.h"
#include "policy/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frozen(const struct policy *policy)
{
	struct policy *thawed = NULL;
	struct buf first, second;

	buf_init(&first, POLICY_FROZEN_MAX);
	buf_init(&second, POLICY_FROZEN_MAX);
	if (policy_freeze(&first, policy) == 0) {
		assert(policy_thaw(first.data, first.len, &thawed) == 0);
		assert(policy_freeze(&second, thawed) == 0);
		assert(first.len == second.len && !memcmp(first.data, second.data, first.len));
		policy_free(thawed);
	}
	buf_fini(&first);
	buf_fini(&second);
}

static void check_policy(const char *text, size_t len, char *const *dotenv)
{
	const struct policy_source source = {
	    .file = "fuzz.yaml", .text = text, .len = len, .dotenv = dotenv};
	struct policy *policy = NULL;
	struct err_note note = {""};
	struct buf warnings;
	int fault;

	buf_init(&warnings, 1 << 20);
	fault = policy_load(&source, &policy, &warnings, &note);
	assert(fault == 0 || fault == -EINVAL);
	if (fault) {
		/* Cut notes may have lost their advice, never their place. */
		assert(!strncmp(note.text, "fuzz.yaml:", 10));
		assert(!policy);
	} else {
		check_frozen(policy);
		policy_free(policy);
	}
	buf_fini(&warnings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err_note note = {""};
	char **dotenv = NULL;
	char *variables[] = {"A=1", "B=text", "API_KEY_1=0123456789abcdef0123456789abcdef", NULL};

	check_policy((const char *)data, size, variables);
	if (dotenv_parse(".env", (const char *)data, size, &dotenv, &note) == 0) {
		for (char **at = dotenv; *at; at++)
			assert(strchr(*at, '='));
		free(dotenv);
	} else {
		assert(!strncmp(note.text, ".env:", 5));
	}
	return 0;
}
