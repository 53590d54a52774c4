#include "policy/decide.h"

#include <errno.h>
#include <stdlib.h>

#include "policy/voices.h"

int policy_judge(const struct question *question, struct judgement *ret)
{
	struct voices none = {.count = 0};
	int fault = -ENOMEM;

	ret->voices = calloc(1, sizeof(*ret->voices));
	if (ret->voices)
		fault = voices_collect(question, ret->voices);
	ret->result = voices_strictest(question, fault ? &none : ret->voices);
	if (fault) {
		free(ret->voices);
		ret->voices = NULL;
	}
	return fault;
}

void judgement_fini(struct judgement *judgement)
{
	if (judgement->voices)
		voices_fini(judgement->voices);
	free(judgement->voices);
	judgement->voices = NULL;
}
