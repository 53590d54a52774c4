#include "supervisor/base/script.h"

#include <stdbool.h>

#include "supervisor/base/str.h"

/* Ranges of letters, ascending. */
static const struct script {
	uint32_t first, last;
	const char *name;
} scripts[] = {
    {0x0041, 0x005a, "Latin"},
    {0x0061, 0x007a, "Latin"},
    {0x00c0, 0x024f, "Latin"},
    {0x0370, 0x03ff, "Greek"},
    {0x0400, 0x052f, "Cyrillic"},
    {0x0531, 0x0588, "Armenian"},
    {0x13a0, 0x13fd, "Cherokee"},
    {0x1c80, 0x1c8a, "Cyrillic"},
    {0x1e00, 0x1eff, "Latin"},
    {0x1f00, 0x1fff, "Greek"},
    {0x2de0, 0x2dff, "Cyrillic"},
    {0xa640, 0xa69f, "Cyrillic"},
    {0xab70, 0xabbf, "Cherokee"},
    {0xff21, 0xff5a, "fullwidth"},
    {0x1d400, 0x1d7ff, "mathematical"},
};

static const char latin[] = "Latin";

/* NULL: no letter of the table. */
static const char *script_of(uint32_t code)
{
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (code <= scripts[i].last)
			return code >= scripts[i].first ? scripts[i].name : NULL;
	return NULL;
}

static bool same(const char *one, const char *other)
{
	while (*one && *one == *other) {
		one++;
		other++;
	}
	return *one == *other;
}

static void keep(struct script_mix *mix, uint32_t code)
{
	uint32_t i = 0;

	mix->count++;
	while (i < mix->kept && mix->codes[i] != code)
		i++;
	if (i == mix->kept && i < SCRIPT_TOLD_MAX)
		mix->codes[mix->kept++] = code;
}

/* One word: letters of the table up to anything else. Its length in bytes; *ret_mixed. */
static size_t word(const uint8_t *text, size_t len, bool *ret_mixed)
{
	const char *first = NULL;
	size_t at = 0;

	*ret_mixed = false;
	while (at < len) {
		uint32_t code = 0;
		size_t step = str_utf8_next(text + at, len - at, &code);
		const char *script = step ? script_of(code) : NULL;

		if (!script)
			break;
		if (first && !same(first, script))
			*ret_mixed = true;
		first = script;
		at += step;
	}
	return at;
}

void script_look(struct script_mix *mix, const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text;

	while (len > 0) {
		bool mixed;
		size_t size = word(at, len, &mixed), step;
		uint32_t code = 0;

		for (size_t i = 0; mixed && i < size; i += step) {
			step = str_utf8_next(at + i, size - i, &code);
			if (!same(script_of(code), latin))
				keep(mix, code);
		}
		if (size == 0) /* no letter, or no UTF-8 */
			size = str_utf8_next(at, len, &code);
		if (size == 0)
			size = 1;
		at += size;
		len -= size;
	}
}

int script_tell(struct buf *out, const struct script_mix *mix)
{
	(void)buf_text(out, "mixed scripts: ");
	for (uint32_t i = 0; i < mix->kept; i++)
		(void)buf_textf(out, "%sU+%04X %s", i ? ", " : "", (unsigned)mix->codes[i],
		    script_of(mix->codes[i]));
	return buf_text(out, mix->count == 1
				 ? " within a word: it is not the letter it looks like"
				 : " within words: they are not the letters they look like");
}
