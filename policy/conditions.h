/*
 * The conditions of a tool's rows, compiled: one that many rows write alike is compiled once and
 * judged once a decision. Private to policy/. Floor 1: base, jansson, PCRE2.
 */
#ifndef CALLGATE_POLICY_CONDITIONS_H
#define CALLGATE_POLICY_CONDITIONS_H

#include <jansson.h>

#include "policy/json_schema.h"
#include "policy/tool.h"

struct conditions;
struct err_note;

/* NULL: no memory. */
struct conditions *conditions_new(void);
/* Accepts NULL. */
void conditions_free(struct conditions *conditions);
/* Copies what it needs; *ret is the condition's number. 0, -EINVAL with a note, -ENOMEM. */
int conditions_add(struct conditions *conditions, const struct policy_when *when, uint32_t *ret,
    struct err_note *note);
/* After the last one: gives back what only adding needs. */
void conditions_seal(struct conditions *conditions);
uint32_t conditions_count(const struct conditions *conditions);

/* One decision, during which the arguments must not change. */
struct conditions_answers {
	const struct conditions *conditions;
	const json_t *arguments; /* NULL: none */
	const char *name;        /* the parameter that was looked at last, and its value */
	const json_t *value;
	int8_t *known; /* owned; by condition; NULL: answers are not kept */
	struct json_schema_room *room;
	struct json_schema_work work; /* of the decision so far */
};

/* spent: on the arguments before. rows: how many will be asked about; for a few, keeping answers
 * costs more than it saves. 0 or -ENOMEM. */
int conditions_ask(struct conditions_answers *ret, const struct conditions *conditions,
    const json_t *arguments, const struct json_schema_work *spent, uint32_t rows);
void conditions_answers_fini(struct conditions_answers *answers);
/* An enum json_schema_result, -ENOMEM; an argument that is not given meets nothing. */
int conditions_answer(struct conditions_answers *answers, uint32_t condition);

#endif
