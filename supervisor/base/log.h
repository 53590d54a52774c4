/*
 * The log: one line per event on stderr, JSON or text, no secrets, hostile bytes escaped.
 *
 * Only process mains and their dispatchers log; library floors return notes. The audit trail is
 * another thing (evidence/, auditor/): a log line proves nothing. Floor 0: libc only.
 */
#ifndef CALLGATE_BASE_LOG_H
#define CALLGATE_BASE_LOG_H

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};

enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON,
};

/* role: a literal such as "engine", printed on every line. */
void log_init(const char *role, enum log_level level, enum log_format format);
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
