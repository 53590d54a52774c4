#include "supervisor/auditor/unfinished.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/evidence/line.h"

#define CAUSE        "interrupted"
#define REASON       "The daemon ended before this call did; what was done by then is unknown."
#define TEXT_MAX     4096 /* of a member that is taken over: whatever it holds, the line fits */
#define TYPE_MAX     32
#define OUTCOME_ROWS (sizeof(outcome_rows) / sizeof(outcome_rows[0]))

enum owed {
	OWED_OUTCOME = 1,
	OWED_EXIT = 2,
};

struct unfinished_call {
	char id[CALL_ID_MAX + 1];
	TAILQ_ENTRY(unfinished_call) link;
	LIST_ENTRY(unfinished_call) chain;
	unsigned owed; /* enum owed */
	struct digest plan;
	size_t len;
	char line[]; /* the one that opened the call: the decision, or a start behind its outcome */
};

/* What engine writes (supervisor/engine/records/record.c), as far as the decision tells it: members
 * in order, with a text of ours or taken over. `call` and `plan` come from the header. */
static const struct {
	const char *key;
	const char *text;
} outcome_rows[] = {
    {"agent", NULL},
    {"by", NULL},
    {"cause", CAUSE},
    {"decision", NULL},
    {"method", "tools/call"},
    {"namespace", NULL},
    {"outcome", "failed"},
    {"policy", NULL},
    {"principal", NULL},
    {"reason", REASON},
    {"rule", NULL},
    {"status", "error"},
    {"tool", NULL},
};

void unfinished_init(struct unfinished *unfinished)
{
	TAILQ_INIT(&unfinished->list);
	for (size_t i = 0; i < UNFINISHED_CHAINS; i++)
		LIST_INIT(&unfinished->chains[i]);
}

/* FNV-1a. */
static struct unfinished_chain *chain_of(struct unfinished *unfinished, const char *id)
{
	uint32_t hash = UINT32_C(2166136261);

	for (; *id; id++)
		hash = (hash ^ (uint8_t)*id) * UINT32_C(16777619);
	return &unfinished->chains[hash % UNFINISHED_CHAINS];
}

static struct unfinished_call *find(struct unfinished *unfinished, const char *id)
{
	struct unfinished_call *call = LIST_FIRST(chain_of(unfinished, id));

	while (call && strcmp(call->id, id) != 0)
		call = LIST_NEXT(call, chain);
	return call;
}

static void forget(struct unfinished *unfinished, struct unfinished_call *call)
{
	TAILQ_REMOVE(&unfinished->list, call, link);
	LIST_REMOVE(call, chain);
	free(call);
}

void unfinished_fini(struct unfinished *unfinished)
{
	while (!TAILQ_EMPTY(&unfinished->list))
		forget(unfinished, TAILQ_FIRST(&unfinished->list));
}

/* ---- following ----------------------------------------------------------------------------- */

/* What a line says of a call. */
struct fact {
	enum record_type type;
	char id[CALL_ID_MAX + 1];
	struct digest plan;
};

/* The text of a member, if it fits. 1 or 0. */
static int take_text(char *out, size_t size, const struct line_member *member)
{
	struct buf cleanup_with(buf_fini) text;
	const char *found;

	buf_init(&text, size);
	found = line_text(&text, member) == 0 ? buf_cstr(&text) : NULL;
	if (!found || text.len >= size || strlen(found) != text.len)
		return 0;
	memcpy(out, found, text.len + 1);
	return 1;
}

static int is_key(const struct line_member *member, const char *key)
{
	return member->key_len == strlen(key) && memcmp(member->key, key, member->key_len) == 0;
}

/* A line that cannot be read tells nothing: it is ours by its seal, and every line of ours can. */
static struct fact take_fact(const void *line, size_t len)
{
	struct fact fact = {.type = RECORD_NONE};
	char type[TYPE_MAX] = "", hex[DIGEST_HEX_MAX] = "";
	struct line_head head;
	struct line_cursor cursor;
	struct line_member member;

	if (line_head(&head, line, len) < 0)
		return fact;
	line_members(&cursor, &head, line, len);
	while (line_next(&cursor, &member) > 0) {
		if (is_key(&member, "type"))
			(void)take_text(type, sizeof(type), &member);
		else if (is_key(&member, "call"))
			(void)take_text(fact.id, sizeof(fact.id), &member);
		else if (is_key(&member, "plan") && take_text(hex, sizeof(hex), &member))
			(void)digest_unhex(&fact.plan, hex);
	}
	fact.type = fact.id[0] ? record_type_from_name(type) : RECORD_NONE;
	return fact;
}

/* Opens a call, or adds to what an open one owes. */
static int owe(struct unfinished *unfinished, const struct fact *fact, enum owed owed,
    const void *line, size_t len)
{
	struct unfinished_call *call = find(unfinished, fact->id);

	if (call) {
		call->owed |= owed;
		return 0;
	}
	call = calloc(1, sizeof(*call) + len);
	if (!call)
		return -ENOMEM;
	memcpy(call->id, fact->id, sizeof(call->id));
	memcpy(call->line, line, len);
	call->plan = fact->plan;
	call->owed = owed;
	call->len = len;
	TAILQ_INSERT_TAIL(&unfinished->list, call, link);
	LIST_INSERT_HEAD(chain_of(unfinished, call->id), call, chain);
	return 0;
}

static void settle(struct unfinished *unfinished, const struct fact *fact, enum owed owed)
{
	struct unfinished_call *call = find(unfinished, fact->id);

	if (!call)
		return;
	call->owed &= ~(unsigned)owed;
	if (!call->owed)
		forget(unfinished, call);
}

/* A start owes no outcome: the decision before it does, and may have had it already, when a late
 * tree was given up. */
int unfinished_line(struct unfinished *unfinished, const void *line, size_t len)
{
	struct fact fact = take_fact(line, len);

	if (fact.type == RECORD_CALL_DECISION)
		return owe(unfinished, &fact, OWED_OUTCOME, line, len);
	if (fact.type == RECORD_EXEC_START)
		return owe(unfinished, &fact, OWED_EXIT, line, len);
	if (fact.type == RECORD_CALL_OUTCOME)
		settle(unfinished, &fact, OWED_OUTCOME);
	else if (fact.type == RECORD_EXEC_EXIT)
		settle(unfinished, &fact, OWED_EXIT);
	return 0;
}

/* ---- what is owed -------------------------------------------------------------------------- */

static void put_member(struct buf *fields, const char *key, const struct unfinished_call *call)
{
	struct buf cleanup_with(buf_fini) text;
	struct line_member member;

	buf_init(&text, TEXT_MAX);
	if (line_find(call->line, call->len, key, &member) == 1 && line_text(&text, &member) == 0)
		record_put_bytes(fields, key, text.data, text.len);
}

static struct entry *entry_of(
    const struct unfinished_call *call, enum record_type type, const struct buf *fields)
{
	struct entry *entry = entry_new(type, fields);

	if (!entry)
		return NULL;
	memcpy(entry->call, call->id, sizeof(entry->call));
	entry->plan = call->plan;
	return entry;
}

static struct entry *outcome_entry(const struct unfinished_call *call)
{
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	for (size_t i = 0; i < OUTCOME_ROWS; i++) {
		if (outcome_rows[i].text)
			record_put_str(&fields, outcome_rows[i].key, outcome_rows[i].text);
		else
			put_member(&fields, outcome_rows[i].key, call);
	}
	return entry_of(call, RECORD_CALL_OUTCOME, &fields);
}

/* The fields of supervisor/warden/trail.c: no code, no usage, nothing proven. */
static struct entry *exit_entry(const struct unfinished_call *call)
{
	struct buf cleanup_with(buf_fini) fields;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "how", "unknown");
	record_put_str(&fields, "note", CAUSE);
	record_put_str(&fields, "proof", "none");
	put_member(&fields, "tool", call);
	return entry_of(call, RECORD_EXEC_EXIT, &fields);
}

static struct entry **append(struct entry **at, struct entry *entry)
{
	if (!at || !entry)
		return NULL;
	*at = entry;
	return &entry->next;
}

int unfinished_entries(const struct unfinished *unfinished, struct entry **ret_list)
{
	struct entry *cleanup_with(entries_free) list = NULL;
	struct entry **at = &list;
	const struct unfinished_call *call = TAILQ_FIRST(&unfinished->list);

	for (; call; call = TAILQ_NEXT(call, link)) {
		if (call->owed & OWED_EXIT)
			at = append(at, exit_entry(call));
		if (call->owed & OWED_OUTCOME)
			at = append(at, outcome_entry(call));
		if (!at)
			return -ENOMEM;
	}
	*ret_list = take_ptr(list);
	return 0;
}
