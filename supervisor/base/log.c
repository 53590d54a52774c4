#include "supervisor/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define LOG_MESSAGE_MAX 2048
#define LOG_LINE_MAX    (3 * LOG_MESSAGE_MAX)

static const char *log_role = "callgate";
static enum log_level log_max = LOG_LEVEL_INFO;
static enum log_format log_as = LOG_FORMAT_TEXT;

void log_init(const char *role, enum log_level level, enum log_format format)
{
	log_role = role;
	log_max = level;
	log_as = format;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error";
	case LOG_LEVEL_WARN: return "warn";
	case LOG_LEVEL_INFO: return "info";
	case LOG_LEVEL_DEBUG: return "debug";
	}
	return "error";
}

/* message is printable UTF-8 already, so only two characters still mean something to JSON. */
static void put_json(struct buf *line, const char *message)
{
	for (; *message; message++) {
		if (*message == '"' || *message == '\\')
			buf_text(line, "\\");
		buf_put(line, message, 1);
	}
}

static void put_line(struct buf *line, enum log_level level, const char *message)
{
	char stamp[CLOCK_STAMP_MAX];

	clock_stamp(stamp, clock_wall_us());
	if (log_as == LOG_FORMAT_TEXT) {
		buf_textf(line, "%s %-5s %s[%d]: %s\n", stamp, level_name(level), log_role,
		    (int)getpid(), message);
		return;
	}
	buf_textf(line,
	    "{\"time\":\"%s\",\"level\":\"%s\",\"role\":\"%s\",\"pid\":%d,\"message\":\"", stamp,
	    level_name(level), log_role, (int)getpid());
	put_json(line, message);
	buf_text(line, "\"}\n");
}

void log_line(enum log_level level, const char *format, ...)
{
	char raw[LOG_MESSAGE_MAX], message[LOG_MESSAGE_MAX];
	struct buf line;
	va_list args;

	if (level > log_max)
		return;
	va_start(args, format);
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	va_end(args);
	str_printable(message, sizeof(message), raw);
	buf_init(&line, LOG_LINE_MAX);
	put_line(&line, level, message);
	/* One write, so that lines of several roles do not mix; a log that cannot be written must
	 * not stop the gate. */
	if (!line.fault)
		(void)fd_write_all(STDERR_FILENO, line.data, line.len);
	buf_fini(&line);
}
