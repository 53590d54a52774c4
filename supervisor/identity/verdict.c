#include "supervisor/identity/verdict.h"

#include <stddef.h>

static const struct {
	const char *name;
	const char *reason;
} verdicts[] = {
#define CREDENTIAL_ROW_(id, name, reason) [CREDENTIAL_##id] = {name, reason},
    CREDENTIAL_VERDICTS(CREDENTIAL_ROW_)
#undef CREDENTIAL_ROW_
};

static size_t place_of(enum credential_verdict verdict)
{
	return (size_t)verdict < sizeof(verdicts) / sizeof(verdicts[0]) ? (size_t)verdict
									: CREDENTIAL_UNCHECKED;
}

const char *credential_name(enum credential_verdict verdict)
{
	return verdicts[place_of(verdict)].name;
}

const char *credential_reason(enum credential_verdict verdict)
{
	return verdicts[place_of(verdict)].reason;
}

bool credential_wants_keys(enum credential_verdict verdict)
{
	return verdict == CREDENTIAL_KEY_UNKNOWN;
}
