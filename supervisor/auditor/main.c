/*
 * callgate-auditor: writes the trail and nothing else.
 *
 *   fd 3  link to the warden: AUDIT_OPEN once, RECORD, DRAIN
 *   fd 4  link to the engine: RECORD
 *
 * Two witnesses write by two links, and each may write its own record types only. What arrives is
 * queued; when the loop has read what was there, all of it becomes one batch. The warden's link
 * is read to its end after the engine's and its records go first, so that an outcome of the
 * engine never precedes the exit that the warden sent before it.
 *
 * The warden's loss, DRAIN or a sibling's nonsense end the process, after what has arrived is
 * durable and log.close is written. So does the signer's end, but then nothing can be durable any
 * more: what a running call still leaves is written by the next start. When only the engine is
 * lost, the warden is still served: it is about to kill and record what runs.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/self.h"
#include "supervisor/auditor/commit.h"
#include "supervisor/auditor/opening.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/link/link.h"

#define WARDEN_FD 3
#define ENGINE_FD 4
#define NEWEST_MS 1000 /* between writes of the newest checkpoint */

struct queue {
	struct entry *first;
	struct entry **end;
};

static struct auditor {
	uv_loop_t loop;
	uv_check_t check;
	uv_poll_t signer; /* its pidfd */
	struct link warden;
	struct link engine;
	struct queue from_warden;
	struct queue from_engine;
	struct commit commit;
	struct newest newest;
	uv_timer_t newest_due;
	int opened;
	const char *stopping; /* cause; NULL while running */
	int finished;         /* log.close is written: nothing is taken any more */
	int status;
} auditor;

static void stop(const char *cause, int status)
{
	if (!auditor.stopping)
		auditor.stopping = cause;
	if (status != 0)
		auditor.status = status;
}

static void on_signer_end(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	uv_poll_stop(poll);
	log_error("signer lost: nothing can be sealed any more; restart callgated");
	stop("signer lost", 1);
}

/* ---- the newest checkpoint, beside the key --------------------------------------------------- */

static void newest_keep(void)
{
	if (auditor.newest.size == auditor.commit.sealed || auditor.newest.fault < 0)
		return;
	if (newest_write(&auditor.newest, auditor.commit.sealed, auditor.commit.note) < 0)
		log_warn("keys/" NEWEST_NAME ": %s; a journal cut short may not be noticed",
		    strerror(-auditor.newest.fault));
}

static void on_newest_due(uv_timer_t *timer)
{
	(void)timer;
	newest_keep();
}

/* ---- opening ------------------------------------------------------------------------------- */

static enum answer_status status_of(int fault)
{
	if (fault == 0)
		return ANSWER_OK;
	return fault == -EBADMSG || fault == -EKEYREJECTED || fault == -EPERM ? ANSWER_REFUSED
									      : ANSWER_UNAVAILABLE;
}

static int open_trail(const struct message_audit_open *ask, int journal_dir, int key_dir,
    struct opened *ret, struct err_note *note)
{
	struct opening opening = {
	    .journal_dir = journal_dir,
	    .key_dir = key_dir,
	    .origin = ask->origin,
	    .path = ask->journal,
	};
	int dirs[2] = {-1, -1};
	int r = opening_run(&auditor.commit, &opening, ret, note);

	if (r < 0)
		return r;
	if (uv_poll_init(&auditor.loop, &auditor.signer, auditor.commit.signer.pidfd) < 0 ||
	    uv_poll_start(&auditor.signer, UV_READABLE, on_signer_end) < 0)
		return err_note(note, -EIO, "AUDIT_UNAVAILABLE the signer cannot be watched");
	dirs[0] = auditor.commit.journal.dirfd;
	memcpy(auditor.commit.receipt_key, ask->receipt_key, KEY_LEN);
	return self_confine(SELF_AUDITOR, dirs, note);
}

static void on_audit_open(struct message *message)
{
	int cleanup_fd journal_dir = message_take_fd(message, 0);
	int cleanup_fd key_dir = message_take_fd(message, 1);
	struct buf cleanup_with(buf_fini) vkey = {0};
	struct opened opened = {.newest = {.fd = -1}};
	struct err_note note = {""};
	struct message answer;
	int r;

	buf_init(&vkey, NOTE_MAX);
	message_init(&answer, MESSAGE_AUDIT_OPENED);
	answer.serial = message->serial;
	if (auditor.opened) {
		stop("second AUDIT_OPEN", 1);
		return;
	}
	r = open_trail(&message->u.audit_open, journal_dir, key_dir, &opened, &note);
	if (r == 0)
		r = frontier_root(&auditor.commit.frontier, &answer.u.audit_opened.root);
	if (r == 0)
		r = note_key_text(&vkey, &opened.key);
	if (r < 0) {
		log_error("%s", note.text);
		stop("not opened", 1);
	} else if (opened.recovered_bytes > 0) {
		log_warn("RECOVERED bytes=%llu lines=%llu set aside in quarantine/",
		    (unsigned long long)opened.recovered_bytes,
		    (unsigned long long)opened.recovered_lines);
	}
	auditor.newest = opened.newest;
	auditor.opened = r == 0;
	answer.u.audit_opened.status = status_of(r);
	answer.u.audit_opened.size = auditor.commit.frontier.size;
	answer.u.audit_opened.recovered_bytes = opened.recovered_bytes;
	answer.u.audit_opened.vkey = r == 0 ? buf_cstr(&vkey) : "";
	answer.u.audit_opened.note = note.text;
	if (link_send(&auditor.warden, &answer) < 0)
		stop("warden lost", 1);
}

/* ---- records ------------------------------------------------------------------------------- */

static void queue_add(struct queue *queue, struct entry *entry)
{
	*queue->end = entry;
	queue->end = &entry->next;
}

static struct entry *queue_take(struct queue *queue)
{
	struct entry *first = queue->first;

	*queue = (struct queue){NULL, &queue->first};
	return first;
}

static void on_record(struct message *message, enum record_writer writer, struct queue *queue)
{
	enum record_type type = (enum record_type)message->u.record.record;
	struct entry *entry;

	if (auditor.finished)
		return;
	if (!record_may_write(writer, type)) {
		log_error("a sibling sent a record that is not its to write: %s",
		    record_type_name(type) ? record_type_name(type) : "unknown type");
		stop("foreign record type", 1);
		return;
	}
	entry = entry_from_message(message, writer);
	if (!entry) {
		log_error("out of memory");
		stop("out of memory", 1);
		return;
	}
	queue_add(queue, entry);
}

static void send_answer(const struct entry *entry)
{
	struct link *link =
	    entry->writer == RECORD_WRITER_WARDEN ? &auditor.warden : &auditor.engine;
	struct message answer;
	int r;

	message_init(&answer, MESSAGE_RECORDED);
	answer.serial = entry->serial;
	answer.u.recorded.status = entry->status;
	answer.u.recorded.receipt = entry->receipt;
	answer.u.recorded.note = entry->note.text;
	r = link_send(link, &answer);
	if (r < 0 && r != -EPIPE) /* a peer that is gone is told by its own link */
		stop("link full", 1);
}

/* Commits a list batch by batch and answers each. Ends the list. */
static void commit_all(struct entry *list)
{
	enum journal_state before = auditor.commit.journal.state;

	while (list) {
		struct entry *rest = commit_batch(&auditor.commit, list);

		while (list != rest) {
			struct entry *next = list->next;

			if (list->writer != RECORD_WRITER_AUDITOR)
				send_answer(list);
			entry_free(list);
			list = next;
		}
	}
	if (auditor.commit.journal.state != before)
		log_error("%s", auditor.commit.journal.note.text);
	if (auditor.commit.signer_fault < 0)
		stop("signer lost", 1);
	if (!uv_is_active((uv_handle_t *)&auditor.newest_due))
		(void)uv_timer_start(&auditor.newest_due, on_newest_due, NEWEST_MS, 0);
}

static void take_batches(void)
{
	struct entry *list;

	if (!auditor.from_warden.first && !auditor.from_engine.first)
		return;
	(void)link_drain(&auditor.engine); /* a loss is told to the handler */
	(void)link_drain(&auditor.warden);
	list = queue_take(&auditor.from_engine);
	*auditor.from_warden.end = list;
	commit_all(queue_take(&auditor.from_warden));
}

/* ---- the end ------------------------------------------------------------------------------- */

static void write_close(void)
{
	struct buf cleanup_with(buf_fini) fields = {0};
	struct entry *entry;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "cause", auditor.stopping);
	entry = entry_new(RECORD_LOG_CLOSE, &fields);
	if (entry)
		commit_all(entry);
}

/* What has arrived becomes durable and is answered; then the last line; then the answers leave. */
static void on_check(uv_check_t *check)
{
	(void)check;
	if (!auditor.finished)
		take_batches();
	if (!auditor.stopping)
		return;
	if (!auditor.finished && auditor.opened)
		write_close();
	if (!auditor.finished && auditor.opened)
		newest_keep();
	auditor.finished = 1;
	if ((!auditor.warden.open || link_backlog(&auditor.warden) == 0) &&
	    (!auditor.engine.open || link_backlog(&auditor.engine) == 0))
		uv_stop(&auditor.loop);
}

/* ---- dispatch ------------------------------------------------------------------------------ */

static void on_ping(uint64_t serial)
{
	struct message answer;

	message_init(&answer, MESSAGE_PONG);
	answer.serial = serial;
	if (link_send(&auditor.warden, &answer) < 0)
		stop("warden lost", 1);
}

static void on_warden(struct link *link, struct message *message, int fault)
{
	(void)link;
	if (!message) {
		log_error("link to warden lost: %s", strerror(-fault));
		stop("warden lost", 1);
	} else if (message->type == MESSAGE_AUDIT_OPEN) {
		on_audit_open(message);
	} else if (message->type == MESSAGE_RECORD) {
		on_record(message, RECORD_WRITER_WARDEN, &auditor.from_warden);
	} else if (message->type == MESSAGE_PING) {
		on_ping(message->serial);
	} else if (message->type == MESSAGE_LOGGER) {
		log_set((enum log_level)message->u.logger.level,
		    (enum log_format)message->u.logger.format);
	} else if (message->type == MESSAGE_DRAIN) {
		stop("drain", 0);
	} else {
		log_error("the warden sent %s", message_name(message->type));
		stop("unexpected message", 1);
	}
}

static void on_engine(struct link *link, struct message *message, int fault)
{
	if (!message) {
		log_info("engine is gone (%s); the warden is still served", strerror(-fault));
		auditor.status = 1;
		link_close(link);
	} else if (message->type == MESSAGE_RECORD) {
		on_record(message, RECORD_WRITER_ENGINE, &auditor.from_engine);
	} else {
		log_error("the engine sent %s", message_name(message->type));
		stop("unexpected message", 1);
	}
}

int main(void)
{
	log_init_role("auditor");
	/* A gone sibling and a file size limit are results here, not deaths. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	auditor.from_warden.end = &auditor.from_warden.first;
	auditor.from_engine.end = &auditor.from_engine.first;
	auditor.newest.fd = -1;
	auditor.commit.journal = (struct journal){.dirfd = -1, .fd = -1, .ballast = -1};
	err_note(&auditor.commit.journal.note, 0, "AUDIT_UNAVAILABLE the journal is not open");
	if (self_start() < 0 || uv_loop_init(&auditor.loop) < 0 ||
	    uv_timer_init(&auditor.loop, &auditor.newest_due) < 0 ||
	    uv_check_init(&auditor.loop, &auditor.check) < 0 ||
	    uv_check_start(&auditor.check, on_check) < 0 ||
	    link_open(&auditor.warden, &auditor.loop, WARDEN_FD, "warden", on_warden, NULL) < 0 ||
	    link_open(&auditor.engine, &auditor.loop, ENGINE_FD, "engine", on_engine, NULL) < 0) {
		log_error("cannot start: this program is started by callgated");
		return 1;
	}
	uv_run(&auditor.loop, UV_RUN_DEFAULT);
	newest_close(&auditor.newest);
	journal_close(&auditor.commit.journal);
	key_wipe(auditor.commit.receipt_key, KEY_LEN);
	return auditor.status;
}
