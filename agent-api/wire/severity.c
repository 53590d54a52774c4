#include "agent-api/wire/severity.h"

#include <stddef.h>
#include <string.h>

static const char *const NAMES[SEVERITY_COUNT] = {
    [SEVERITY_NONE] = "",
    [SEVERITY_DEBUG] = "debug",
    [SEVERITY_INFO] = "info",
    [SEVERITY_NOTICE] = "notice",
    [SEVERITY_WARNING] = "warning",
    [SEVERITY_ERROR] = "error",
    [SEVERITY_CRITICAL] = "critical",
    [SEVERITY_ALERT] = "alert",
    [SEVERITY_EMERGENCY] = "emergency",
};

enum severity severity_from_name(const char *name)
{
	int i = SEVERITY_COUNT - 1;

	while (i > SEVERITY_NONE && !(name && strcmp(NAMES[i], name) == 0))
		i--;
	return (enum severity)i;
}

const char *severity_name(enum severity severity)
{
	return (size_t)severity < SEVERITY_COUNT ? NAMES[severity] : "";
}
