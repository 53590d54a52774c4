#include "policy/freeze.h"

#include "policy/frozen.h"

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
	case FIELD_TOOL:
	case FIELD_VARIABLE: buf_put_str(out, load_pointer(at)); return;
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
