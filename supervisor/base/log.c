#include "supervisor/base/log.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define LOG_MESSAGE_MAX 2048
#define LOG_FACT_MAX    512
#define LOG_LINE_MAX    (32 * 1024) /* every key at its longest fits, each byte escaped */
#define LOG_LOW_FD      64          /* above the fixed numbers of every role */

enum log_kind { LOG_KIND_TEXT, LOG_KIND_NUMBER };

struct key_name {
	const char *json;
	const char *journal;
	enum log_kind kind;
};

struct event_name {
	const char *action;
	const char *message_id;
};

#define KEY_ROW_(id, name, in_journal, kind) {name, in_journal, LOG_KIND_##kind},
#define EVENT_ROW_(id, name, id_in_journal)  {name, id_in_journal},
static const struct key_name keys[] = {LOG_KEYS(KEY_ROW_)};
static const struct event_name events[] = {{NULL, NULL}, LOG_EVENTS(EVENT_ROW_)};
#undef KEY_ROW_
#undef EVENT_ROW_

struct level_name {
	const char *name;
	int priority; /* of syslog(3) */
};

static const struct level_name levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARN] = {"warn", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

static struct {
	const char *role;
	enum log_level level;
	enum log_format format;
	int journal_reads; /* stderr is the journal */
	int journal;       /* its datagram socket, or -1 */
} log_to = {"callgate", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, 0, -1};

/* ---- where to ---------------------------------------------------------------------------- */

void log_init(const char *role, enum log_level level, enum log_format format)
{
	log_to.role = role;
	log_set(level, format);
}

void log_set(enum log_level level, enum log_format format)
{
	log_to.level = level;
	log_to.format = format;
}

void log_init_role(const char *role)
{
	const char *wish = getenv("CALLGATE_LOG");
	enum log_level level = LOG_LEVEL_INFO;

	for (size_t i = 0; wish && i < sizeof(levels) / sizeof(levels[0]); i++)
		if (strncmp(wish, levels[i].name, strlen(levels[i].name)) == 0)
			level = (enum log_level)i;
	log_init(role, level, wish && strstr(wish, ",json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
	log_journal(LOG_JOURNAL_SOCKET);
}

/* $JOURNAL_STREAM is inherited by whoever is started later with another stderr, so it counts only
 * for the very same stream. */
static int stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return 0;
	snprintf(here, sizeof(here), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, here) == 0;
}

/* Connected, so that later a plain write(2) is enough, which every role may do. */
static int connect_journal(const char *path)
{
	int cleanup_fd fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return fcntl(fd, F_DUPFD_CLOEXEC, LOG_LOW_FD);
}

void log_journal(const char *path)
{
	cleanup_fd_(&log_to.journal);
	log_to.journal_reads = stderr_is_journal();
	if (log_to.journal_reads)
		log_to.journal = connect_journal(path);
}

/* ---- a line for stderr ------------------------------------------------------------------- */

/* text is printable UTF-8 already, so only two characters still mean something to JSON. */
static void put_json_text(struct buf *line, const char *text)
{
	buf_text(line, "\"");
	while (*text) {
		size_t plain = strcspn(text, "\"\\");

		buf_put(line, text, plain);
		text += plain;
		if (*text) {
			buf_text(line, "\\");
			buf_put(line, text++, 1);
		}
	}
	buf_text(line, "\"");
}

static void put_json_fact(struct buf *line, const struct log_field *field)
{
	const struct key_name *key = &keys[field->key];
	char text[LOG_FACT_MAX];

	if (key->kind == LOG_KIND_NUMBER) {
		buf_textf(line, ",\"%s\":%" PRIu64, key->json, field->number);
	} else if (field->text && field->text[0]) {
		str_printable(text, sizeof(text), field->text);
		buf_textf(line, ",\"%s\":", key->json);
		put_json_text(line, text);
	}
}

static void put_line(
    struct buf *line, enum log_level level, const struct log_facts *facts, const char *message)
{
	char stamp[CLOCK_STAMP_MAX];

	clock_stamp(stamp, clock_wall_us());
	if (log_to.journal_reads)
		buf_textf(line, "<%d>", levels[level].priority);
	if (log_to.format == LOG_FORMAT_TEXT) {
		buf_textf(line, "%s %-5s %s[%d]: %s\n", stamp, levels[level].name, log_to.role,
		    (int)getpid(), message);
		return;
	}
	buf_textf(line, "{\"timestamp\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"pid\":%d",
	    stamp, levels[level].name, log_to.role, (int)getpid());
	if (facts->event != LOG_EVENT_NONE)
		buf_textf(line, ",\"action\":\"%s\"", events[facts->event].action);
	for (size_t i = 0; i < facts->count; i++)
		put_json_fact(line, &facts->fields[i]);
	buf_text(line, ",\"message\":");
	put_json_text(line, message);
	buf_text(line, "}\n");
}

/* ---- a datagram for the journal ---------------------------------------------------------- */

/* The form with a length, which no byte of the value can end early. */
static void put_journal(struct buf *datagram, const char *name, const char *value)
{
	size_t len = strlen(value);

	buf_textf(datagram, "%s\n", name);
	buf_put_u64(datagram, len);
	buf_put(datagram, value, len);
	buf_text(datagram, "\n");
}

static void put_journal_fact(struct buf *datagram, const struct log_field *field)
{
	const struct key_name *key = &keys[field->key];
	char text[LOG_FACT_MAX];

	if (key->kind == LOG_KIND_NUMBER)
		snprintf(text, sizeof(text), "%" PRIu64, field->number);
	else
		str_printable(text, sizeof(text), field->text ? field->text : "");
	if (text[0])
		put_journal(datagram, key->journal, text);
}

static void put_datagram(
    struct buf *datagram, enum log_level level, const struct log_facts *facts, const char *message)
{
	const char priority[] = {(char)('0' + levels[level].priority), '\0'};

	put_journal(datagram, "MESSAGE", message);
	put_journal(datagram, "PRIORITY", priority);
	put_journal(datagram, "SYSLOG_IDENTIFIER", "callgated");
	put_journal(datagram, "CALLGATE_COMPONENT", log_to.role);
	if (facts->event != LOG_EVENT_NONE) {
		put_journal(datagram, "MESSAGE_ID", events[facts->event].message_id);
		put_journal(datagram, "CALLGATE_ACTION", events[facts->event].action);
	}
	for (size_t i = 0; i < facts->count; i++)
		put_journal_fact(datagram, &facts->fields[i]);
}

static int send_journal(enum log_level level, const struct log_facts *facts, const char *message)
{
	struct buf cleanup_with(buf_fini) datagram = {0};

	if (log_to.journal < 0)
		return -1;
	buf_init(&datagram, LOG_LINE_MAX);
	put_datagram(&datagram, level, facts, message);
	/* A datagram goes whole or not at all. */
	return datagram.fault || write(log_to.journal, datagram.data, datagram.len) < 0 ? -1 : 0;
}

/* ---- one event --------------------------------------------------------------------------- */

static void emit(
    enum log_level level, const struct log_facts *facts, const char *format, va_list args)
{
	struct buf cleanup_with(buf_fini) line = {0};
	char raw[LOG_MESSAGE_MAX], message[LOG_MESSAGE_MAX];

	if (level > log_to.level)
		return;
	if (vsnprintf(raw, sizeof(raw), format, args) < 0)
		raw[0] = '\0';
	str_printable(message, sizeof(message), raw);
	if (send_journal(level, facts, message) == 0)
		return;
	buf_init(&line, LOG_LINE_MAX);
	put_line(&line, level, facts, message);
	/* One write, so that lines of several roles do not mix; a log that cannot be written must
	 * not stop the gate. */
	if (!line.fault)
		(void)fd_write_all(STDERR_FILENO, line.data, line.len);
}

void log_line(enum log_level level, const char *format, ...)
{
	const struct log_facts none = {LOG_EVENT_NONE, NULL, 0};
	va_list args;

	va_start(args, format);
	emit(level, &none, format, args);
	va_end(args);
}

void log_event(enum log_level level, const struct log_facts *facts, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	emit(level, facts, format, args);
	va_end(args);
}
