/*
 * A value of the file that is not ours to type: YAML to JSON text. JSON Schemas (parameters,
 * output_schema, when) and the arguments of tests. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_JSON_VALUE_H
#define CALLGATE_POLICY_JSON_VALUE_H

#include "policy/schema.h"

#define JSON_VALUE_MAX 65536 /* bytes of JSON text */

/* The text of node as JSON, without blanks, in the order of the file, in the policy's arena. Plain
 * scalars are typed by YAML 1.2's core schema; what readers of YAML disagree about (012, 0x1f,
 * .inf) is refused; ${VAR} is expanded before. 0, -EINVAL with a note, -ENOMEM. */
int yaml_json_text(struct schema *schema, const struct yaml_node *node, const char **ret_text);

/* A JSON Schema, compiled once to see that it can be: an error is said where in the file it is.
 * 0, -EINVAL with a note, -ENOMEM. */
int yaml_json_schema(struct schema *schema, const struct yaml_node *node, const char **ret_text);

/* Each default of the properties of node, a JSON Schema whose text is given, against the schema
 * that it stands in. 0, -EINVAL with a note at the default, -ENOMEM. */
int yaml_json_defaults(struct schema *schema, const struct yaml_node *node, const char *text);

#endif
