/*
 * The warden as a whole: what its main.c owns, and the three stories told elsewhere: start
 * (start.c), reload (reload.c), shutdown (stop.c). There is one warden in a process, a static of
 * main.c; everybody else gets a pointer.
 */
#ifndef CALLGATE_WARDEN_WARDEN_H
#define CALLGATE_WARDEN_WARDEN_H

#include <stdint.h>
#include <uv.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/note.h"
#include "supervisor/warden/alive.h"
#include "supervisor/warden/cgroup.h"
#include "supervisor/warden/check.h"
#include "supervisor/warden/children.h"
#include "supervisor/warden/launch.h"
#include "supervisor/warden/listen.h"
#include "supervisor/warden/nursery.h"
#include "supervisor/warden/options.h"
#include "supervisor/warden/siblings.h"
#include "supervisor/warden/state.h"
#include "supervisor/warden/studio.h"

enum warden_phase {
	WARDEN_STARTING = 0,
	WARDEN_READY,
	WARDEN_DRAINING, /* no new calls; engine finishes what it has */
	WARDEN_ENDING,   /* roles may go */
};

/* One answer that the story under way waits for. */
struct awaited {
	uint64_t serial; /* 0: none */
	int done;
	enum answer_status status;
	struct err_note note;
};

/* A role or the zygote: its end is seen by its pidfd. */
struct watched {
	uv_poll_t poll;
	struct child *child; /* NULL: the zygote, or the keeper */
	int active;
};

#define WATCHED_ZYGOTE 3
#define WATCHED_KEEPER 5
#define WATCHED_COUNT  6

struct reload;
struct studio;

struct warden {
	struct options options;
	enum warden_phase phase;
	int status;           /* exit status */
	struct err_note lost; /* what ended us, if anything did */
	uv_loop_t loop;
	uv_timer_t patience; /* for the one wait of start or stop under way */
	int impatient;       /* it ran out */
	char user_name[64];
	struct child_user user;
	struct state state;
	char socket[PATHS_MAX];
	struct config *config; /* at start, until tools own it */
	struct buf warnings;
	struct listener listener;
	struct listener http_listener; /* fd -1: the policy serves no HTTP */
	struct nursery nursery;
	struct children children;
	struct link engine;
	struct link auditor;
	struct site *site; /* in force; points into the config of tools, or at start into config */
	struct siblings siblings;
	struct watched watched[WATCHED_COUNT];
	struct cell_host host;
	struct cgroup cgroup;
	struct pool pool;
	uv_poll_t zygote_answers;
	uv_poll_t attacher_answers;
	int signals; /* signalfd */
	uv_poll_t signal_poll;
	int notify;
	struct alive alive; /* for the service manager's watchdog */
	struct hashes hashes;
	struct holdings holdings; /* what the tables of tools hold open */
	struct tools *tools;      /* in force */
	struct planner planner;
	struct launcher launcher;
	struct overlays overlays;
	struct awaited awaited;
	char vkey[NOTE_MAX];
	uint64_t audit_size; /* newest sealed tree that the auditor told us of */
	struct digest audit_root;
	struct reload *reload; /* NULL: none under way */
	struct studio *studio; /* the same */
};

/* start.c: everything up to READY; on a fault what was done stays to be ended by stop. */
int warden_start(struct warden *warden, struct err_note *note);
/* start.c: --check. */
int warden_check(struct warden *warden, struct err_note *note);
/* Reads the policy file by its child, waiting for it; for start and --check. */
int warden_read_policy(struct warden *warden, struct err_note *note);
/* A POLICY for engine; awaited gets its serial. 0, or -errno with note: nothing was sent. */
int warden_send_policy(struct warden *warden, const struct config *config, struct err_note *note);
/* From now on impatient becomes 1 after ms. */
void warden_be_patient(struct warden *warden, uint64_t ms);

/* start.c: runs the loop until the awaited answer is there; only the start waits like this. what:
 * in front of the answer's note. 0; -EPERM: refused; -ETIMEDOUT; -EPIPE; note says. */
int warden_await(struct warden *warden, const char *what, struct err_note *note);

/* start.c: the loop is told when this child ends. 0 or a fault of libuv. */
int start_watch(struct warden *warden, int i, struct child *child, int pidfd);
/* start_cells.c: steps of the start. Each 0 or -errno with note. */
int start_find_cgroups(struct warden *warden, struct err_note *note);
int start_set_up_cells(struct warden *warden, struct err_note *note);
int start_zygote(struct warden *warden, struct err_note *note);
int start_keeper(struct warden *warden, struct err_note *note);
int start_prepare_first_cell(struct warden *warden, struct err_note *note);
/* start_http.c: steps of the start. Each 0 or -errno with note. */
int start_find_port(struct warden *warden, struct err_note *note);
int start_read_site(struct warden *warden, struct err_note *note);
int start_find_secrets(struct warden *warden, struct err_note *note);
int start_siblings(struct warden *warden, struct err_note *note);
int start_introduce(struct warden *warden, struct err_note *note);

/* reload.c. control: serial of the CONTROL to answer, 0 for a signal. */
void reload_begin(struct warden *warden, uint64_t control);
/* The awaited answer is there. */
void reload_answered(struct warden *warden);
/* The HTTP front is lost, and may have been asked. */
void reload_lost_http(struct warden *warden, const char *what);
void reload_abort(struct warden *warden);
/* What a load judges beside the text, without building its tools: that no socket moves, files,
 * secrets, places. 0 and *ret_site (freed by site_free()), or -errno with note. */
int reload_judge(struct warden *warden, const struct config *config, struct site **ret_site,
    struct err_note *note);
/* How tables are built beside those in force. */
struct tools_spec reload_tools_spec(struct warden *warden);
/* CONTROLLED; where the studio began a reload, it hears of the end instead. */
void warden_answer_control(
    struct warden *warden, uint64_t serial, enum answer_status status, const char *note);

/* stop.c: no more word of this child's end (NULL: zygote and keeper); before its pidfd is
 * closed. */
void warden_unwatch(struct warden *warden, const struct child *child);
/* stop.c: DRAIN, deadlines; the loop ends when engine has left. */
void stop_begin(struct warden *warden, const char *cause);
/* Something we cannot do without is gone: says so once, and the loop ends. */
void stop_lost(struct warden *warden, const char *what, int fault);
/* After the loop: all trees dead and recorded, roles ended, everything removed. */
void stop_finish(struct warden *warden);

/* main.c: the answer that start or reload waits for; any other one is late or nobody's. */
void warden_take_answer(struct warden *warden, uint64_t serial, uint16_t status, const char *note);
/* main.c: the dispatch tables, and the ends of others. */
void on_engine(struct link *link, struct message *message, int fault);
void on_auditor(struct link *link, struct message *message, int fault);
void on_child_end(uv_poll_t *poll, int status, int events);
void on_zygote_answer(uv_poll_t *poll, int status, int events);
void on_attacher_answer(uv_poll_t *poll, int status, int events);
void on_signal(uv_poll_t *poll, int status, int events);
/* Each line a warning of the log; empties the buffer. */
void warden_log_warnings(struct buf *warnings);

#endif
