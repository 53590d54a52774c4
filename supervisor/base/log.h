/*
 * The log: one line per event on stderr, JSON or text, no secrets, hostile bytes escaped; or the
 * journal's own fields, where stderr is the systemd journal.
 *
 * Only process mains and their dispatchers log; library floors return notes. The audit trail is
 * another thing (evidence/, auditor/): a log line proves nothing. Floor 0: libc only.
 */
#ifndef CALLGATE_BASE_LOG_H
#define CALLGATE_BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

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

/* What a machine looks for. X(id, "action" in JSON, MESSAGE_ID in the journal): the ids are fixed
 * for ever, one a kind (journalctl MESSAGE_ID=...). callgated(8) lists them. */
#define LOG_EVENTS(X)                                                                              \
	X(CALL, "call", "7199cdc5fa0729df3758e610be1a1bb9")                                        \
	X(START, "start", "fc6c85e76462ad1080e3e82ed688cc54")                                      \
	X(STOP, "stop", "73999e969c77889658460f25f31325ac")                                        \
	X(RELOAD, "reload", "85935d9698f204215e554b46e267b859")                                    \
	X(RELOAD_REFUSED, "reload-refused", "94e9b724dfa505d316bf60acafdaeb4f")                    \
	X(LOST, "lost", "938b8809764127af6e6adca1949d7ddc")

/* What a line may say besides its words. X(id, name in JSON, name in the journal, kind). */
#define LOG_KEYS(X)                                                                                \
	X(CALL, "call", "CALLGATE_CALL_ID", TEXT)                                                  \
	X(TOOL, "tool", "CALLGATE_TOOL", TEXT)                                                     \
	X(PRINCIPAL, "principal", "CALLGATE_PRINCIPAL", TEXT)                                      \
	X(AGENT, "agent", "CALLGATE_AGENT", TEXT)                                                  \
	X(NAMESPACE, "namespace", "CALLGATE_NAMESPACE", TEXT)                                      \
	X(DECISION, "decision", "CALLGATE_DECISION", TEXT)                                         \
	X(BY, "by", "CALLGATE_BY", TEXT)                                                           \
	X(RULE, "rule", "CALLGATE_RULE", TEXT)                                                     \
	X(OUTCOME, "outcome", "CALLGATE_OUTCOME", TEXT)                                            \
	X(DURATION_US, "duration_us", "CALLGATE_DURATION_US", NUMBER)                              \
	X(POLICY, "policy", "CALLGATE_POLICY", TEXT)                                               \
	X(CAUSE, "cause", "CALLGATE_CAUSE", TEXT)

#define LOG_EVENT_ENUM_(id, action, message_id)   LOG_EVENT_##id,
#define LOG_KEY_ENUM_(id, name, in_journal, kind) LOG_KEY_##id,
enum log_event { LOG_EVENT_NONE = 0, LOG_EVENTS(LOG_EVENT_ENUM_) };
enum log_key { LOG_KEYS(LOG_KEY_ENUM_) };
#undef LOG_EVENT_ENUM_
#undef LOG_KEY_ENUM_

struct log_field {
	enum log_key key;
	const char *text; /* of a TEXT key; NULL or "": the field is left out */
	uint64_t number;  /* of a NUMBER key */
};

struct log_facts {
	enum log_event event;
	const struct log_field *fields; /* borrowed */
	size_t count;
};

#define LOG_JOURNAL_SOCKET "/run/systemd/journal/socket"

/* role: a literal such as "engine", printed on every line. */
void log_init(const char *role, enum log_level level, enum log_format format);
/* The same for one that has its role: a reload changed the policy's logger. */
void log_set(enum log_level level, enum log_format format);
/* The start of a role: level and format of $CALLGATE_LOG ("info,json"), which the daemon sets for
 * it, and the journal. Before the role is confined: it makes a socket. */
void log_init_role(const char *role);
/* Asks once whether stderr is the journal, as $JOURNAL_STREAM says of whom systemd starts. If so,
 * lines go to the datagram socket at path instead, as fields; where that cannot be, they go to
 * stderr behind the <N> that the journal reads as priority. */
void log_journal(const char *path);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A line that is an event of a known kind, with facts beside the words. The words must say alone
 * what a person needs: text lines have nothing else. */
void log_event(enum log_level level, const struct log_facts *facts, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
