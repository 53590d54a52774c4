/*
 * The parameters of a tool as the loader needs them: their names and types, and whether a call
 * may leave one out. Private to policy/. Floor 1: jansson.
 */
#ifndef CALLGATE_POLICY_PARAMETERS_H
#define CALLGATE_POLICY_PARAMETERS_H

#include <jansson.h>

#include "policy/tool.h"

#define PARAMETER_ADVICE_MAX 160

struct parameters {
	json_t *schema;   /* owned; NULL: those of an untyped command */
	json_t *required; /* owned; the same names as members, to find one in one look */
};

/* Of a tool whose keys have been read. 0, -EINVAL when its schema is not JSON, -ENOMEM. */
int parameters_init(struct parameters *parameters, const struct policy_tool *tool);
void parameters_fini(struct parameters *parameters);

bool parameters_have(const struct parameters *parameters, const char *name);
/* A call that meets the schema always has it: required, or with a default. */
bool parameters_always(const struct parameters *parameters, const char *name);
/* Its type says that it may be one: "array", "object", "null", "string". */
bool parameters_may_be(const struct parameters *parameters, const char *name, const char *type);
/* Is a format: workspace-path said only where the daemon looks for paths: of a parameter itself, or
 * of the items of one? Elsewhere (in $ref, anyOf, an object inside) it would hold nobody. */
bool parameters_paths_seen(const struct parameters *parameters);
/* "did you mean X?" or "the tool has A, B, C" or "the tool has none"; into out, returned. */
const char *parameters_advice(
    const struct parameters *parameters, const char *name, char out[PARAMETER_ADVICE_MAX]);

#endif
