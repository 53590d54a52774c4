/*
 * The tables of the policy language. Private to policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_KEYS_H
#define CALLGATE_POLICY_KEYS_H

#include "policy/schema.h"

/* The whole file, into a struct policy. */
extern const struct schema_key policy_keys[];
/* The elements of tools:. */
extern const struct schema_list tool_list;

/* The bits of foreign keys in struct schema. */
enum foreign_key {
	FOREIGN_LLMS,
	FOREIGN_LLM,
	FOREIGN_INSTRUCTION,
	FOREIGN_DOCUMENT_STORES,
};

/* Tools, agents, namespaces, principal rows. Each call walks the rows of its caller. */
#define ENTRIES_MAX 1024

#define DAY_MS      (24ull * 3600 * 1000)

extern const char *const visibility_choices[]; /* enum visibility */

#define KEY_LATER(name_)                                                                           \
	{                                                                                          \
		.name = (name_), .read = read_later                                                \
	}
#define KEY_FOREIGN(name_, id)                                                                     \
	{                                                                                          \
		.name = (name_), .read = read_foreign, .min = FOREIGN_##id                         \
	}
#define KEY_END                                                                                    \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* Judges: NULL or "why; what to do". */
schema_judge judge_name; /* of an agent, role or namespace */
schema_judge judge_tool_glob;

#endif
