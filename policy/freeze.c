#include "policy/freeze.h"

#include <errno.h>
#include <string.h>

#include "policy/arena.h"
#include "policy/order.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

/*
 * One table per struct says which fields travel, in which order and within which bounds. Freezing
 * and thawing walk the same tables, so neither can forget or reorder a field, and every bound the
 * rest of the program relies on is checked here.
 */

#define FROZEN_MAGIC   0x46504743u /* "CGPF" */
#define FROZEN_VERSION 1u

enum field_kind {
	FIELD_STR,  /* const char *, any UTF-8 without control bytes but \n and \t */
	FIELD_NAME, /* const char *, str_is_name() */
	FIELD_TOOL, /* const char *, str_is_tool_name() */
	FIELD_BOOL,
	FIELD_U32, /* enums, too */
	FIELD_U64,
	FIELD_POS,
	FIELD_WORDS,  /* min: enum word_order */
	FIELD_RECORD, /* embedded struct */
	FIELD_ARRAY,  /* pointer, and a uint32_t count at count_offset */
	FIELD_NAMED,  /* FIELD_ARRAY whose elements stand in strict order of their names */
};

struct shape {
	const struct field *fields;
	uint32_t count;
	size_t size;
};

struct field {
	enum field_kind kind;
	size_t offset;
	uint64_t min, max;
	size_t count_offset;
	const struct shape *shape;
};

#define F(kind_, type, member)                                                                     \
	{                                                                                          \
		.kind = FIELD_##kind_, .offset = offsetof(struct type, member)                     \
	}
#define F_RANGE(kind_, type, member, min_, max_)                                                   \
	{                                                                                          \
		.kind = FIELD_##kind_, .offset = offsetof(struct type, member), .min = (min_),     \
		.max = (max_)                                                                      \
	}
#define F_U32(type, member, min_, max_) F_RANGE(U32, type, member, min_, max_)
#define F_U64(type, member, min_, max_) F_RANGE(U64, type, member, min_, max_)
#define F_WORDS(type, member, order)    F_RANGE(WORDS, type, member, WORD_ORDER_##order, 0)
#define F_ARRAY(kind_, type, member, count_, shape_)                                               \
	{                                                                                          \
		.kind = FIELD_##kind_, .offset = offsetof(struct type, member),                    \
		.count_offset = offsetof(struct type, count_), .shape = &(shape_)                  \
	}
#define SHAPE(name, type, fields_)                                                                 \
	static const struct shape name = {                                                         \
	    fields_, sizeof(fields_) / sizeof((fields_)[0]), sizeof(struct type)}

#define DURATION_MAX_MS (366ull * 24 * 3600 * 1000)

static const struct field word_fields[] = {
    F(STR, policy_word, text),
    F(POS, policy_word, pos),
};
SHAPE(word_shape, policy_word, word_fields);

static const struct field sandbox_fields[] = {
    F_U64(policy_sandbox, memory, 0, INT64_MAX),
    F_U64(policy_sandbox, pids, 0, INT64_MAX),
    F_U64(policy_sandbox, cpu_ms, 0, DURATION_MAX_MS),
    F_U64(policy_sandbox, output, 0, INT64_MAX),
    F_U64(policy_sandbox, disk, 0, INT64_MAX),
    F_U64(policy_sandbox, inodes, 0, INT64_MAX),
    F_U64(policy_sandbox, file_size, 0, INT64_MAX),
    F_U64(policy_sandbox, files, 0, INT64_MAX),
    F_U32(policy_sandbox, workspace, WORKSPACE_RW, WORKSPACE_RO),
    F(BOOL, policy_sandbox, exec),
    F_U32(policy_sandbox, run_as, RUN_AS_CELL, RUN_AS_OWNER),
    F(BOOL, policy_sandbox, require_all),
    F(BOOL, policy_sandbox, require_given),
    F_WORDS(policy_sandbox, require, NONE),
    F(POS, policy_sandbox, pos),
};
SHAPE(sandbox_shape, policy_sandbox, sandbox_fields);

static const struct field tool_fields[] = {
    F(TOOL, policy_tool, name),
    F(POS, policy_tool, pos),
    F_U32(policy_tool, type, TOOL_COMMAND, TOOL_COMMAND),
    F_U32(policy_tool, visibility, VISIBILITY_PUBLIC, VISIBILITY_PRIVATE),
    F(STR, policy_tool, description),
    F(STR, policy_tool, working_directory),
    F(POS, policy_tool, working_directory_pos),
    F_U64(policy_tool, max_execution_ms, 1, DURATION_MAX_MS),
    F(BOOL, policy_tool, deny_by_default),
    F(POS, policy_tool, deny_by_default_pos),
    F(BOOL, policy_tool, require_approval),
    F(POS, policy_tool, require_approval_pos),
    F(STR, policy_tool, approval_prompt),
    F_WORDS(policy_tool, allowed_commands, TEXT),
    F_WORDS(policy_tool, denied_commands, BASENAME),
    F_WORDS(policy_tool, helpers, NONE),
    {.kind = FIELD_RECORD,
	.offset = offsetof(struct policy_tool, sandbox),
	.shape = &sandbox_shape},
};
SHAPE(tool_shape, policy_tool, tool_fields);

static const struct field role_fields[] = {
    F(NAME, policy_role, name),
    F(POS, policy_role, pos),
    F_WORDS(policy_role, tools, NONE),
    F_WORDS(policy_role, approve, NONE),
    F_U32(policy_role, permissions, 0, (1u << PERMISSION_BIT_COUNT) - 1),
};
SHAPE(role_shape, policy_role, role_fields);

static const struct field principal_fields[] = {
    F(POS, policy_principal, pos),
    F(BOOL, policy_principal, has_uid),
    F(BOOL, policy_principal, has_gid),
    F_U32(policy_principal, uid, 0, UINT32_MAX - 1),
    F_U32(policy_principal, gid, 0, UINT32_MAX - 1),
    F_WORDS(policy_principal, roles, NONE),
    F(BOOL, policy_principal, has_agents),
    F(BOOL, policy_principal, has_namespaces),
    F_WORDS(policy_principal, agents, NONE),
    F_WORDS(policy_principal, namespaces, NONE),
};
SHAPE(principal_shape, policy_principal, principal_fields);

static const struct field agent_fields[] = {
    F(NAME, policy_agent, name),
    F(POS, policy_agent, pos),
    F_U32(policy_agent, visibility, VISIBILITY_PUBLIC, VISIBILITY_PRIVATE),
    F_WORDS(policy_agent, tools, NONE),
};
SHAPE(agent_shape, policy_agent, agent_fields);

static const struct field namespace_fields[] = {
    F(NAME, policy_namespace, name),
    F(POS, policy_namespace, pos),
    F(STR, policy_namespace, working_directory),
    F(POS, policy_namespace, working_directory_pos),
};
SHAPE(namespace_shape, policy_namespace, namespace_fields);

static const struct field policy_fields[] = {
    F(STR, policy, file),
    F(STR, policy, socket_path),
    F(POS, policy, socket_pos),
    F_U32(policy, socket_mode, 0, 0777),
    F(STR, policy, socket_group),
    F(STR, policy, audit_directory),
    F(POS, policy, audit_pos),
    F(NAME, policy, log_level),
    F(NAME, policy, log_format),
    F_U64(policy, approval_timeout_ms, 1, DURATION_MAX_MS),
    F_U64(policy, approval_hold_ms, 0, DURATION_MAX_MS),
    F_U32(policy, default_decision, DECISION_ALLOW, DECISION_DENY),
    F(POS, policy, default_decision_pos),
    F_U64(policy, default_execution_ms, 1, DURATION_MAX_MS),
    F_WORDS(policy, path, NONE),
    F(BOOL, policy, has_agents),
    F_ARRAY(NAMED, policy, roles, role_count, role_shape),
    F_ARRAY(ARRAY, policy, principals, principal_count, principal_shape),
    F_ARRAY(NAMED, policy, agents, agent_count, agent_shape),
    F_ARRAY(NAMED, policy, namespaces, namespace_count, namespace_shape),
    F_ARRAY(NAMED, policy, tools, tool_count, tool_shape),
};
SHAPE(policy_shape, policy, policy_fields);

static uint32_t load_u32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static uint64_t load_u64(const void *from)
{
	uint64_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static void *load_pointer(const void *from)
{
	void *value;

	memcpy(&value, from, sizeof(value));
	return value;
}

/* ---- freeze ------------------------------------------------------------------------------- */

static void put_record(struct buf *out, const struct shape *shape, const void *record);

static void put_array(struct buf *out, const struct shape *shape, const void *items, uint32_t count)
{
	buf_put_u32(out, count);
	for (uint32_t i = 0; i < count; i++)
		put_record(out, shape, (const char *)items + i * shape->size);
}

static void put_pos(struct buf *out, const struct policy_pos *pos)
{
	buf_put_u32(out, pos->line);
	buf_put_u32(out, pos->column);
}

static void put_field(struct buf *out, const struct field *field, const char *record)
{
	const void *at = record + field->offset;
	const struct policy_words *words;

	switch (field->kind) {
	case FIELD_STR:
	case FIELD_NAME:
	case FIELD_TOOL: buf_put_str(out, load_pointer(at)); return;
	case FIELD_BOOL: buf_put_u8(out, *(const bool *)at); return;
	case FIELD_U32: buf_put_u32(out, load_u32(at)); return;
	case FIELD_U64: buf_put_u64(out, load_u64(at)); return;
	case FIELD_POS: put_pos(out, at); return;
	case FIELD_WORDS:
		words = at;
		put_array(out, &word_shape, words->items, words->count);
		return;
	case FIELD_RECORD: put_record(out, field->shape, at); return;
	case FIELD_ARRAY:
	case FIELD_NAMED:
		put_array(
		    out, field->shape, load_pointer(at), load_u32(record + field->count_offset));
		return;
	}
}

static void put_record(struct buf *out, const struct shape *shape, const void *record)
{
	for (uint32_t i = 0; i < shape->count; i++)
		put_field(out, &shape->fields[i], record);
}

int policy_freeze(struct buf *out, const struct policy *policy)
{
	buf_put_u32(out, FROZEN_MAGIC);
	buf_put_u32(out, FROZEN_VERSION);
	put_record(out, &policy_shape, policy);
	return out->fault;
}

/* ---- thaw --------------------------------------------------------------------------------- */

struct thaw {
	struct reader reader;
	struct arena *arena;
	int fault; /* 0, -EBADMSG or -ENOMEM; sticky */
};

static void get_record(struct thaw *thaw, const struct shape *shape, void *record);

static void thaw_refuse(struct thaw *thaw)
{
	if (!thaw->fault)
		thaw->fault = -EBADMSG;
}

/* Bytes the smallest record of this shape takes: bounds what a count may make us allocate. */
static size_t shape_min(const struct shape *shape)
{
	size_t bytes = 0;

	for (uint32_t i = 0; i < shape->count; i++) {
		switch (shape->fields[i].kind) {
		case FIELD_STR:
		case FIELD_NAME:
		case FIELD_TOOL: bytes += 5; break;
		case FIELD_BOOL: bytes += 1; break;
		case FIELD_U32:
		case FIELD_WORDS:
		case FIELD_ARRAY:
		case FIELD_NAMED: bytes += 4; break;
		case FIELD_U64:
		case FIELD_POS: bytes += 8; break;
		case FIELD_RECORD: bytes += shape_min(shape->fields[i].shape); break;
		}
	}
	return bytes;
}

static void *get_array(struct thaw *thaw, const struct shape *shape, uint32_t *ret_count)
{
	uint32_t count = reader_u32(&thaw->reader);
	char *items;

	*ret_count = 0;
	if (count > thaw->reader.left / shape_min(shape)) {
		thaw_refuse(thaw);
		return NULL;
	}
	items = arena_array(thaw->arena, count, shape->size);
	if (!items) {
		thaw->fault = -ENOMEM;
		return NULL;
	}
	for (uint32_t i = 0; i < count && !thaw->fault; i++)
		get_record(thaw, shape, items + i * shape->size);
	*ret_count = count;
	return items;
}

static void get_words(struct thaw *thaw, enum word_order order, struct policy_words *words)
{
	words->items = get_array(thaw, &word_shape, &words->count);
	if (thaw->fault || order == WORD_ORDER_NONE)
		return;
	for (uint32_t i = 1; i < words->count; i++) {
		if (word_compare(order, words->items[i - 1].text, words->items[i].text) > 0)
			thaw_refuse(thaw);
	}
}

static void get_named(struct thaw *thaw, const struct field *field, void *at, void *count_at)
{
	uint32_t count;
	char *items = get_array(thaw, field->shape, &count);

	for (uint32_t i = 1; field->kind == FIELD_NAMED && !thaw->fault && i < count; i++) {
		const char *item = items + i * field->shape->size;

		if (named_compare(item - field->shape->size, item) >= 0)
			thaw_refuse(thaw);
	}
	memcpy(at, &items, sizeof(items));
	memcpy(count_at, &count, sizeof(count));
}

static void get_text(struct thaw *thaw, enum field_kind kind, void *at)
{
	const char *text = reader_str(&thaw->reader);

	if (thaw->reader.fault || !text || !text_is_clean(text, strlen(text)) ||
	    (kind == FIELD_NAME && !str_is_name(text)) ||
	    (kind == FIELD_TOOL && !str_is_tool_name(text))) {
		thaw_refuse(thaw);
		text = "";
	}
	memcpy(at, &text, sizeof(text));
}

static void get_number(struct thaw *thaw, const struct field *field, void *at)
{
	uint64_t value =
	    field->kind == FIELD_U64 ? reader_u64(&thaw->reader) : reader_u32(&thaw->reader);
	uint32_t narrow = (uint32_t)value;

	if (value < field->min || value > field->max) {
		thaw_refuse(thaw);
		return;
	}
	if (field->kind == FIELD_U64)
		memcpy(at, &value, sizeof(value));
	else
		memcpy(at, &narrow, sizeof(narrow));
}

static void get_bool(struct thaw *thaw, bool *at)
{
	uint8_t value = reader_u8(&thaw->reader);

	if (value > 1)
		thaw_refuse(thaw);
	*at = value == 1;
}

static void get_field(struct thaw *thaw, const struct field *field, char *record)
{
	void *at = record + field->offset;
	struct policy_pos *pos;

	switch (field->kind) {
	case FIELD_STR:
	case FIELD_NAME:
	case FIELD_TOOL: get_text(thaw, field->kind, at); return;
	case FIELD_BOOL: get_bool(thaw, at); return;
	case FIELD_U32:
	case FIELD_U64: get_number(thaw, field, at); return;
	case FIELD_POS:
		pos = at;
		pos->line = reader_u32(&thaw->reader);
		pos->column = reader_u32(&thaw->reader);
		return;
	case FIELD_WORDS: get_words(thaw, (enum word_order)field->min, at); return;
	case FIELD_RECORD: get_record(thaw, field->shape, at); return;
	case FIELD_ARRAY:
	case FIELD_NAMED: get_named(thaw, field, at, record + field->count_offset); return;
	}
}

static void get_record(struct thaw *thaw, const struct shape *shape, void *record)
{
	for (uint32_t i = 0; i < shape->count && !thaw->fault; i++)
		get_field(thaw, &shape->fields[i], record);
	if (thaw->reader.fault)
		thaw_refuse(thaw);
}

/* What no single field can say. */
static bool policy_is_whole(const struct policy *policy)
{
	if (!policy->namespace_count || !policy->path.count)
		return false;
	for (uint32_t i = 0; i < policy->path.count; i++) {
		if (policy->path.items[i].text[0] != '/')
			return false;
	}
	for (uint32_t i = 0; i < policy->principal_count; i++) {
		if (!policy->principals[i].has_uid && !policy->principals[i].has_gid)
			return false;
	}
	return policy->has_agents || !policy->agent_count;
}

static int thaw_policy(struct thaw *thaw, struct policy *policy)
{
	uint32_t magic = reader_u32(&thaw->reader);
	uint32_t version = reader_u32(&thaw->reader);

	if (magic != FROZEN_MAGIC || version != FROZEN_VERSION)
		return -EBADMSG;
	get_record(thaw, &policy_shape, policy);
	if (thaw->fault)
		return thaw->fault;
	if (reader_end(&thaw->reader) || !policy_is_whole(policy))
		return -EBADMSG;
	return 0;
}

int policy_thaw(const void *bytes, size_t len, struct policy **ret_policy)
{
	struct arena arena = {NULL};
	struct arena *kept = arena_alloc(&arena, sizeof(*kept));
	struct policy *policy = kept ? arena_alloc(&arena, sizeof(*policy)) : NULL;
	struct thaw thaw = {.arena = &arena};
	const char *copy;
	int fault;

	if (len > POLICY_FROZEN_MAX) {
		arena_fini(&arena);
		return -EBADMSG;
	}
	/* Strings of the policy point into this copy. */
	copy = policy ? arena_text(&arena, bytes, len) : NULL;
	if (!copy) {
		arena_fini(&arena);
		return -ENOMEM;
	}
	reader_init(&thaw.reader, copy, len);
	fault = thaw_policy(&thaw, policy);
	if (fault) {
		arena_fini(&arena);
		return fault;
	}
	*kept = arena;
	policy->storage = kept;
	*ret_policy = policy;
	return 0;
}
