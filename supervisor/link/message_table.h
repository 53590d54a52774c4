/*
 * What may be said between processes, as one table that encoder and decoder walk. Private to
 * supervisor/link.
 */
#ifndef CALLGATE_LINK_MESSAGE_TABLE_H
#define CALLGATE_LINK_MESSAGE_TABLE_H

#include <stdbool.h>

#include "supervisor/link/message.h"

#define MESSAGE_ANY 0 /* no upper bound besides the field's own width */

enum field_kind {
	FIELD_END = 0,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_I64,
	FIELD_RAW32, /* a digest or a key */
	FIELD_STR,
	FIELD_STRV,
	FIELD_BODY,  /* struct bytes; inline, or a sealed memfd */
	FIELD_GROUP, /* an embedded struct with a table of its own */
};

struct field {
	enum field_kind kind;
	uint32_t max;  /* U8 and U16: the largest value that means anything, or MESSAGE_ANY */
	size_t offset; /* from the start of the struct that the table describes */
	const struct field *group; /* FIELD_GROUP */
};

struct shape {
	enum message_type type;
	const char *name;
	const struct field *fields; /* of the type's member of message.u */
	uint32_t fd_counts;         /* bit n: n descriptors besides the body's are right */
	/* Do the fields speak of as many descriptors as there are? NULL: they speak of none. */
	bool (*agrees)(const struct message *message, size_t fd_count);
};

/* NULL: there is no such message. */
const struct shape *message_shape(unsigned type);

#endif
