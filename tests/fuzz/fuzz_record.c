/*
 * record_emit() on any field stream: refused with nothing written, or one line of UTF-8 without
 * control bytes, within RECORD_LINE_MAX. The first byte of the input chooses the type.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/evidence/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Brackets outside strings must balance and end with the line: a reader sees one object. */
static void check_balance(const uint8_t *line, size_t len)
{
	size_t depth = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && line[i] == '\\')
			i++;
		else if (line[i] == '"')
			in_string = !in_string;
		else if (!in_string && (line[i] == '{' || line[i] == '['))
			depth++;
		else if (!in_string && (line[i] == '}' || line[i] == ']') && --depth == 0 &&
			 i + 1 != len)
			abort();
	}
	if (depth != 0 || in_string)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct record_place place = {.n = 1};
	struct buf out;
	int r;

	if (size == 0)
		return 0;
	buf_init(&out, 2 * RECORD_LINE_MAX);
	r = record_emit(&out, &place, (enum record_type)data[0], data + 1, size - 1);
	if (r < 0 && (out.len > 0 || (r != -EBADMSG && r != -EMSGSIZE)))
		abort();
	if (r == 0) {
		if (out.len > RECORD_LINE_MAX || !str_is_utf8(out.data, out.len))
			abort();
		for (size_t i = 0; i < out.len; i++) {
			if (out.data[i] < 0x20)
				abort();
		}
		check_balance(out.data, out.len);
	}
	buf_fini(&out);
	return 0;
}
