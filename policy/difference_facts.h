/*
 * A policy as a list of facts, each a line that two policies can be compared by. Private to
 * policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_DIFFERENCE_FACTS_H
#define CALLGATE_POLICY_DIFFERENCE_FACTS_H

#include "policy/arena.h"
#include "policy/policy.h"

#define FACTS_MAX 200000

enum fact_kind {
	FACT_RIGHT,   /* somebody may do something */
	FACT_LIMIT,   /* something is denied, or asked about */
	FACT_SETTING, /* neither can be said */
};

/* who and what together name a fact; value is what may differ. */
struct fact {
	const char *who;
	const char *what;
	const char *value;   /* "" of what is either there or not */
	const char *broader; /* the what of a right that includes this one; NULL: none */
	enum fact_kind kind;
};

struct facts {
	struct arena arena; /* texts */
	struct fact *items; /* owned, in order of who and what, each once */
	size_t count, room;
	int fault; /* 0, -ENOMEM or -E2BIG; sticky */
};

/* Zeroed before; ended by facts_fini() also on a fault. 0 or facts->fault. */
int facts_collect(struct facts *facts, const struct policy *policy);
void facts_fini(struct facts *facts);
/* The fact of that name; NULL: there is none. */
const struct fact *facts_find(const struct facts *facts, const char *who, const char *what);
/* Collects those of one tool; called by facts_collect(). */
void facts_add_tool(
    struct facts *facts, const struct policy *policy, const struct policy_tool *tool);

/* For facts_add_*(): copies of texts; on a fault "" and facts->fault. */
const char *facts_text(struct facts *facts, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "a, b", or "none". */
const char *facts_words(struct facts *facts, const struct policy_words *words);
void facts_add(
    struct facts *facts, enum fact_kind kind, const char *who, const char *what, const char *value);
void facts_add_words(struct facts *facts, enum fact_kind kind, const char *who,
    const char *what /* "runs" */, const struct policy_words *words);
void facts_add_number(struct facts *facts, const char *who, const char *what, uint64_t value);
void facts_add_flag(struct facts *facts, const char *who, const char *what, bool value);
/* Who sees it. thing: "tool bash". */
void facts_add_visible(struct facts *facts, const char *thing, enum visibility visibility);
void facts_add_approval(
    struct facts *facts, const char *who, const struct policy_approval *approval);

#endif
