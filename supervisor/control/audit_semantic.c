#include "supervisor/control/audit_semantic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/evidence/line.h"
#include "supervisor/evidence/merkle.h"
#include "supervisor/evidence/record.h"

#define ROOM_FIRST 1024

enum {
	CALL_ALLOWED = 1,
	CALL_DENIED = 2,
	CALL_STARTED = 4,
	CALL_EXITED = 8,
	CALL_FINISHED = 16,
	CALL_EFFECTS = 32,        /* something was allowed to be written */
	CALL_EFFECTS_UNUSED = 64, /* and the newest such decision was not carried out yet */
};

/* Of effects.written: what takes back what a crash cut off, and needs no decision of its own. */
#define OP_RECOVERY "taken back after a crash"

struct semantic_call {
	struct digest id; /* hash of the call's name; zero: free */
	struct digest plan;
	uint64_t n; /* of its decision, or of the first record that we saw instead */
	uint64_t era;
	unsigned flags;
	struct digest effects; /* what may be written, by: */
	uint64_t effects_n;    /* the newest decision that allows it */
};

/* What the rules look at. */
struct facts {
	enum record_type type;
	int has_call, has_plan, allow;
	struct digest id;
	struct digest plan;
	struct digest effects; /* zero: none, or no digest */
	uint64_t receipt;      /* UINT64_MAX: none, or no number */
	int is_recovery;
};

static int take_type(struct facts *facts, const struct line_member *member)
{
	struct buf cleanup_with(buf_fini) name;

	buf_init(&name, 64);
	if (line_text(&name, member) < 0 || !buf_cstr(&name))
		return -EBADMSG;
	facts->type = record_type_from_name(buf_cstr(&name));
	return 0;
}

static int take_plan(struct facts *facts, const struct line_member *member)
{
	char hex[DIGEST_HEX_MAX];

	if (member->value_len != DIGEST_HEX_MAX + 1)
		return -EBADMSG;
	memcpy(hex, member->value + 1, DIGEST_HEX_MAX - 1);
	hex[DIGEST_HEX_MAX - 1] = '\0';
	facts->has_plan = 1;
	return digest_unhex(&facts->plan, hex) < 0 ? -EBADMSG : 0;
}

/* A digest, where it is one: other records have other things of this name. */
static void take_effects(struct facts *facts, const struct line_member *member)
{
	char hex[DIGEST_HEX_MAX] = "";

	if (member->value_len != DIGEST_HEX_MAX + 1)
		return;
	memcpy(hex, member->value + 1, DIGEST_HEX_MAX - 1);
	if (digest_unhex(&facts->effects, hex) < 0)
		memset(&facts->effects, 0, sizeof(facts->effects));
}

static void take_receipt(struct facts *facts, const struct line_member *member)
{
	char text[24] = "";

	if (member->value_len >= sizeof(text))
		return;
	memcpy(text, member->value, member->value_len);
	if (str_u64(text, INT64_MAX, &facts->receipt))
		facts->receipt = UINT64_MAX;
}

static int is_key(const struct line_member *member, const char *key)
{
	return member->key_len == strlen(key) && memcmp(member->key, key, member->key_len) == 0;
}

static int take_facts(
    struct facts *facts, struct digest_stream *stream, const void *line, size_t len)
{
	struct line_head head;
	struct line_cursor cursor;
	struct line_member member;
	int r = line_head(&head, line, len);

	if (r < 0)
		return r;
	line_members(&cursor, &head, line, len);
	while ((r = line_next(&cursor, &member)) > 0) {
		int taken = 0;

		if (is_key(&member, "type"))
			taken = take_type(facts, &member);
		else if (is_key(&member, "plan"))
			taken = take_plan(facts, &member);
		else if (is_key(&member, "allow"))
			facts->allow = member.value_len == 4 && member.value[0] == 't';
		else if (is_key(&member, "effects"))
			take_effects(facts, &member);
		else if (is_key(&member, "receipt"))
			take_receipt(facts, &member);
		else if (is_key(&member, "op"))
			facts->is_recovery = line_is(&member, OP_RECOVERY);
		else if (is_key(&member, "call"))
			facts->has_call = (taken = merkle_leaf_by(stream, &facts->id, member.value,
					       member.value_len)) == 0;
		if (taken < 0)
			return taken;
	}
	return r;
}

/* The place of a call, or the free one where it belongs. */
static struct semantic_call *find(const struct semantic *semantic, const struct digest *id)
{
	uint64_t at;

	memcpy(&at, id->bytes, sizeof(at));
	for (;; at++) {
		struct semantic_call *call = &semantic->calls[at & (semantic->room - 1)];

		if (digest_is_zero(&call->id) || memcmp(&call->id, id, sizeof(*id)) == 0)
			return call;
	}
}

/* Keeps a quarter free. */
static int grow(struct semantic *semantic)
{
	struct semantic old = *semantic;

	if (semantic->room > 0 && semantic->count < semantic->room / 4 * 3)
		return 0;
	semantic->room = old.room ? old.room * 2 : ROOM_FIRST;
	semantic->calls = calloc(semantic->room, sizeof(*semantic->calls));
	if (!semantic->calls) {
		*semantic = old;
		return -ENOMEM;
	}
	for (size_t i = 0; i < old.room; i++) {
		if (!digest_is_zero(&old.calls[i].id))
			*find(semantic, &old.calls[i].id) = old.calls[i];
	}
	free(old.calls);
	return 0;
}

static const char *judge_decision(struct semantic_call *call, const struct facts *facts)
{
	if (call->flags & (CALL_ALLOWED | CALL_DENIED))
		return "decision-twice";
	if (facts->allow && !facts->has_plan)
		return "allow-without-plan";
	call->flags |= facts->allow ? CALL_ALLOWED : CALL_DENIED;
	call->plan = facts->plan;
	return NULL;
}

static const char *judge_start(struct semantic_call *call, const struct facts *facts)
{
	if (call->flags & CALL_FINISHED)
		return "exec-after-outcome";
	if (call->flags & CALL_STARTED)
		return "exec-twice";
	if (call->flags & CALL_DENIED)
		return "exec-after-deny";
	if (!(call->flags & CALL_ALLOWED))
		return "exec-without-decision";
	if (!facts->has_plan || !digest_equal(&call->plan, &facts->plan))
		return "exec-of-another-plan";
	call->flags |= CALL_STARTED;
	return NULL;
}

static const char *judge_exit(struct semantic_call *call)
{
	if (!(call->flags & CALL_STARTED))
		return "exit-without-start";
	if (call->flags & CALL_EXITED)
		return "exit-twice";
	call->flags |= CALL_EXITED;
	return NULL;
}

static const char *judge_outcome(struct semantic_call *call)
{
	if (call->flags & CALL_FINISHED)
		return "outcome-twice";
	call->flags |= CALL_FINISHED;
	return NULL;
}

static const char *judge_effects_decision(
    struct semantic_call *call, const struct facts *facts, uint64_t n)
{
	if (!facts->allow)
		return NULL;
	if (!facts->has_plan)
		return "allow-without-plan";
	call->flags |= CALL_EFFECTS | CALL_EFFECTS_UNUSED;
	call->effects = facts->plan;
	call->effects_n = n;
	return NULL;
}

static const char *judge_written(struct semantic_call *call, const struct facts *facts)
{
	if (!(call->flags & CALL_EFFECTS))
		return "written-without-decision";
	if (!digest_equal(&call->effects, &facts->effects))
		return "written-of-other-changes";
	if (facts->is_recovery)
		return NULL;
	if (facts->receipt != call->effects_n)
		return "written-without-decision";
	if (!(call->flags & CALL_EFFECTS_UNUSED))
		return "written-twice";
	call->flags &= ~(unsigned)CALL_EFFECTS_UNUSED;
	return NULL;
}

static int is_of_a_call(enum record_type type)
{
	return type == RECORD_EFFECTS_DECISION || type == RECORD_EFFECTS_WRITTEN ||
	       type == RECORD_CALL_DECISION || type == RECORD_EXEC_START ||
	       type == RECORD_EXEC_EXIT || type == RECORD_CALL_OUTCOME;
}

/* The entry of a call, made if it is new. NULL: out of memory. */
static struct semantic_call *take_call(struct semantic *semantic, const struct digest *id)
{
	struct semantic_call *call;

	if (grow(semantic) < 0)
		return NULL;
	call = find(semantic, id);
	if (digest_is_zero(&call->id)) {
		call->id = *id;
		call->n = semantic->lines - 1;
		call->era = semantic->era;
		semantic->count++;
	}
	return call;
}

static const char *judge(struct semantic_call *call, const struct facts *facts, uint64_t n)
{
	if (facts->type == RECORD_CALL_DECISION)
		return judge_decision(call, facts);
	if (facts->type == RECORD_EXEC_START)
		return judge_start(call, facts);
	if (facts->type == RECORD_EXEC_EXIT)
		return judge_exit(call);
	if (facts->type == RECORD_EFFECTS_DECISION)
		return judge_effects_decision(call, facts, n);
	if (facts->type == RECORD_EFFECTS_WRITTEN)
		return judge_written(call, facts);
	return judge_outcome(call);
}

int semantic_line(struct semantic *semantic, const void *line, size_t len, const char **ret_rule)
{
	struct facts facts = {.type = RECORD_NONE, .receipt = UINT64_MAX};
	struct semantic_call *call;
	const char *rule;
	int r = take_facts(&facts, semantic->stream, line, len);

	semantic->lines++;
	semantic->era += facts.type == RECORD_LOG_OPEN;
	if (r < 0 || !is_of_a_call(facts.type))
		return r;
	if (!facts.has_call) {
		*ret_rule = "no-call";
		return 1;
	}
	call = take_call(semantic, &facts.id);
	if (!call)
		return -ENOMEM;
	rule = judge(call, &facts, semantic->lines - 1);
	if (rule)
		*ret_rule = rule;
	return rule ? 1 : 0;
}

static int is_over(const struct semantic_call *call)
{
	int started = call->flags & CALL_STARTED,
	    decided = call->flags & (CALL_ALLOWED | CALL_DENIED);

	return (!decided || (call->flags & CALL_FINISHED)) &&
	       (!started || (call->flags & CALL_EXITED));
}

bool semantic_left_open(const struct semantic *semantic, uint64_t *ret_n)
{
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < semantic->room; i++) {
		const struct semantic_call *call = &semantic->calls[i];

		if (call->n < first && call->era < semantic->era && !is_over(call))
			first = call->n;
	}
	if (first < UINT64_MAX)
		*ret_n = first;
	return first < UINT64_MAX;
}

uint64_t semantic_unfinished(const struct semantic *semantic)
{
	uint64_t count = 0;

	for (size_t i = 0; i < semantic->room; i++) {
		unsigned flags = semantic->calls[i].flags;

		count += (flags & CALL_STARTED) && !(flags & CALL_FINISHED);
	}
	return count;
}

void semantic_fini(struct semantic *semantic)
{
	free(semantic->calls);
	*semantic = (struct semantic){.calls = NULL};
}
