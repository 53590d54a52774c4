#include <errno.h>

#include "policy/arena.h"
#include "policy/freeze.h"
#include "policy/frozen.h"
#include "policy/order.h"
#include "policy/text.h"
#include "supervisor/base/str.h"

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
		case FIELD_TOOL:
		case FIELD_VARIABLE: bytes += 5; break;
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

static bool text_fits(enum field_kind kind, const char *text)
{
	if (!text || !text_is_clean(text, strlen(text)))
		return false;
	if (kind == FIELD_NAME)
		return str_is_name(text);
	if (kind == FIELD_TOOL)
		return str_is_tool_name(text);
	return kind != FIELD_VARIABLE || text_is_tool_variable(text);
}

static void get_text(struct thaw *thaw, enum field_kind kind, void *at)
{
	const char *text = reader_str(&thaw->reader);

	if (thaw->reader.fault || !text_fits(kind, text)) {
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
	case FIELD_TOOL:
	case FIELD_VARIABLE: get_text(thaw, field->kind, at); return;
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
	if (!thaw->fault && shape->judge && !shape->judge(record))
		thaw_refuse(thaw);
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
	return reader_end(&thaw->reader) ? -EBADMSG : 0;
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
