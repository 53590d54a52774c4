/*
 * The frozen form as tables: one per struct says which fields travel, in which order and within
 * which bounds. Freezing and thawing walk the same tables, so neither can forget or reorder a
 * field, and every bound the rest of the program relies on is checked when thawing. Private to
 * policy/. Floor 1.
 */
#ifndef CALLGATE_POLICY_FROZEN_H
#define CALLGATE_POLICY_FROZEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FROZEN_MAGIC   0x46504743u /* "CGPF" */
#define FROZEN_VERSION 4u

enum field_kind {
	FIELD_STR,      /* const char *, any UTF-8 without control bytes but \n and \t */
	FIELD_NAME,     /* const char *, str_is_name() */
	FIELD_TOOL,     /* const char *, str_is_tool_name() */
	FIELD_VARIABLE, /* const char *, a variable that a tool may have */
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
	bool (*judge)(const void *record); /* what no single field can say; may be NULL */
};

struct field {
	enum field_kind kind;
	size_t offset;
	uint64_t min, max;
	size_t count_offset;
	const struct shape *shape;
};

extern const struct shape policy_shape; /* struct policy */
extern const struct shape word_shape;   /* struct policy_word */
extern const struct shape pack_shape;   /* struct policy_pack; frozen_pack.c */
extern const struct shape http_shape;   /* struct policy_http; frozen_http.c */
extern const struct shape rate_shape;   /* struct policy_rate */

#define DURATION_MAX_MS (366ull * 24 * 3600 * 1000)

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
#define F_RECORD(type, member, shape_)                                                             \
	{                                                                                          \
		.kind = FIELD_RECORD, .offset = offsetof(struct type, member), .shape = &(shape_)  \
	}
#define SHAPE_JUDGED(name, type, fields_, judge_)                                                  \
	const struct shape name = {                                                                \
	    fields_, sizeof(fields_) / sizeof((fields_)[0]), sizeof(struct type), judge_}
#define SHAPE(name, type, fields_) SHAPE_JUDGED(name, type, fields_, NULL)

#endif
