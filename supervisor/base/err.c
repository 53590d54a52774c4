#include "supervisor/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/base/str.h"

int err_note(struct err_note *note, int fault, const char *format, ...)
{
	char raw[2 * ERR_NOTE_MAX];
	va_list args;

	if (!note)
		return fault;
	va_start(args, format);
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	va_end(args);
	str_printable(note->text, sizeof(note->text), raw);
	return fault;
}

int err_note_errno(struct err_note *note, int fault)
{
	size_t len;

	if (!note)
		return fault;
	len = strnlen(note->text, sizeof(note->text) - 1);
	snprintf(note->text + len, sizeof(note->text) - len, ": %s", strerror(-fault));
	return fault;
}
