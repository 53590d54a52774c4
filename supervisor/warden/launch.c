#include "supervisor/warden/launch.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/warden/trail.h"
#include "supervisor/warden/witness.h"

#define LAYERS_TEXT 1024

enum launch_state {
	LAUNCH_NONE = 0,
	LAUNCH_WAITING,
	LAUNCH_ARMING,
	LAUNCH_RUNNING,
	LAUNCH_KILLING,
	LAUNCH_REPORTED,
};

struct launch {
	struct launcher *launcher;
	struct launch *next;
	enum launch_state state;
	struct message message; /* the LAUNCH: input and receipt live in it */
	struct plan plan;       /* until GO */
	struct digest digest;
	uint32_t required; /* layers, copied: a reload must not change them now */
	uint64_t deadline_ms;
	struct pool_cell cell;
	int has_cell;
	struct launch_ends ends;
	struct feed feed;
	struct attestation attestation;
	uint64_t go_us;
	enum exit_how how; /* decided so far; NONE: nothing yet */
	enum cell_reached reached;
	int64_t code;
	bool by_signal; /* code is one */
	uint64_t cpu_us;
	uint64_t memory_peak;
	struct err_note note;
	uv_poll_t event; /* the cell's socket */
	uv_poll_t end;   /* its pidfd */
	uv_timer_t timer;
	int handles;
};

static const struct plan_input *input_of(const struct launch *launch)
{
	return &launch->message.u.launch.input;
}

/* ---- birth and death ------------------------------------------------------------------------- */

static void launch_free(struct launch *launch)
{
	struct launch **at = &launch->launcher->first;

	while (*at && *at != launch)
		at = &(*at)->next;
	if (*at)
		*at = launch->next;
	launch_ends_close(&launch->ends);
	feed_fini(&launch->feed);
	plan_fini(&launch->plan);
	message_fini(&launch->message);
	free(launch);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct launch *launch = handle->data;

	if (--launch->handles == 0)
		launch_free(launch);
}

static void close_handle(struct launch *launch, void *handle)
{
	((uv_handle_t *)handle)->data = launch;
	uv_close(handle, on_handle_closed);
}

/* The last step of every launch: its cell, if it had one, is reaped. */
static void retire(struct launch *launch)
{
	if (!launch->has_cell) {
		launch_free(launch);
		return;
	}
	feed_stop(&launch->feed);
	if (launch->feed.polled)
		close_handle(launch, &launch->feed.poll);
	close_handle(launch, &launch->event);
	close_handle(launch, &launch->end);
	close_handle(launch, &launch->timer);
	/* Closing a poll handle forgets its descriptor at once, so the cell may go now. */
	pool_bury(launch->launcher->pool, &launch->cell);
}

static void break_down(struct launcher *launcher, int fault)
{
	if (!launcher->broken)
		launcher->broken = fault;
	uv_stop(launcher->loop);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void answer(struct launch *launch, enum answer_status status, const char *note)
{
	struct message message;
	int fault = 0;

	message_init(&message, MESSAGE_LAUNCHED);
	message.serial = launch->message.serial;
	message.u.launched.status = (uint16_t)status;
	message.u.launched.note = note;
	if (status == ANSWER_OK)
		fault = launch_ends_tell(&launch->ends, &message);
	if (!fault)
		fault = link_send(launch->launcher->engine, &message);
	if (fault)
		break_down(launch->launcher, fault);
}

static void kill_tree(struct launch *launch)
{
	(void)cgroup_leaf_kill(&launch->cell.leaf); /* where there is one; init's death is enough */
	(void)cell_kill(&launch->cell.cell);        /* dead already: the same */
}

/* Nothing of the tool has run, and now nothing will. */
static void decline(struct launch *launch, enum answer_status status, const char *note)
{
	answer(launch, status, note);
	launch->state = LAUNCH_REPORTED;
	if (!launch->has_cell) {
		retire(launch);
		return;
	}
	kill_tree(launch);
	uv_timer_stop(&launch->timer);
}

/* EXEC_EXIT to the auditor first, then EXITED to engine: the outcome never lands before it. */
static void report(struct launch *launch, enum cell_proof proof)
{
	const char *items[2 * LAYER_COUNT];
	struct buf cleanup_with(buf_fini) layers;
	struct cgroup_usage usage;
	struct message message;
	struct message_exited *exited = &message.u.exited;
	struct trail_exit record = {
	    .exited = exited, .plan = &launch->digest, .tool = input_of(launch)->tool};
	int fault;

	buf_init(&layers, LAYERS_TEXT);
	cgroup_leaf_usage(&launch->cell.leaf, &usage);
	message_init(&message, MESSAGE_EXITED);
	exited->call = input_of(launch)->call;
	exited->how = (uint16_t)witness_how(launch->how, launch->code, launch->reached, &usage);
	exited->code = launch->code;
	exited->by_signal = launch->by_signal;
	if (exited->how != launch->how && exited->how < EXIT_HOW_CPU)
		witness_remark(&launch->note, launch->how, launch->code, &usage);
	exited->proof = (uint8_t)proof;
	exited->wall_us = clock_monotonic_us() - launch->go_us;
	exited->cpu_us = launch->cpu_us ? launch->cpu_us : usage.cpu_us;
	exited->memory_peak =
	    usage.memory_peak > launch->memory_peak ? usage.memory_peak : launch->memory_peak;
	exited->note = launch->note.text;
	(void)attestation_text(&layers, &launch->attestation); /* what fits is told */
	witness_split(
	    (char *)buf_cstr(&layers), items, sizeof(items) / sizeof(*items), &exited->layers);
	/* While init reports, it is in the leaf itself: then the file says nothing. */
	record.empty = proof == CELL_PROOF_ECHILD ? CGROUP_POPULATED_UNKNOWN : (int)usage.populated;
	launch->state = LAUNCH_REPORTED;
	fault = trail_exec_exit(launch->launcher->auditor, &record);
	if (!fault)
		fault = link_send(launch->launcher->engine, &message);
	if (fault)
		break_down(launch->launcher, fault);
}

/* ---- the running tree ------------------------------------------------------------------------ */

static void on_timer(uv_timer_t *timer);

static void kill_for(struct launch *launch, enum exit_how how, const char *note)
{
	launch->how = how;
	if (note && !launch->note.text[0])
		(void)err_note(&launch->note, 0, "%s", note);
	launch->state = LAUNCH_KILLING;
	kill_tree(launch);
	uv_timer_start(&launch->timer, on_timer, LAUNCH_STUCK_MS, 0);
}

static int record_start(struct launch *launch)
{
	struct trail_start start = {
	    .call = input_of(launch)->call,
	    .input = input_of(launch),
	    .plan = &launch->plan,
	    .attestation = &launch->attestation,
	    .receipt_n = launch->message.u.launch.receipt.n,
	    .pid = launch->cell.cell.pid,
	};

	return trail_exec_start(launch->launcher->auditor, &start);
}

/* ARMED: the walls stand. Compare them with what is required, record, and only then GO. */
static void go(struct launch *launch, const struct attestation *attestation)
{
	struct err_note note = {""};
	int fault;

	launch->attestation = *attestation;
	if (launch->cell.leaf.name[0]) {
		launch->attestation.layers |= LAYER_BIT(CGROUP);
		launch->attestation.cgroup = launch->launcher->pool->cgroup->kind;
	}
	if (attestation_check(&launch->attestation, launch->required, &note)) {
		decline(launch, ANSWER_UNAVAILABLE, note.text);
		return;
	}
	if (plan_recheck(&launch->plan, &note)) {
		decline(launch, ANSWER_VOID, note.text);
		return;
	}
	fault = record_start(launch);
	if (fault) {
		decline(launch, ANSWER_UNAVAILABLE, "the start cannot be recorded");
		break_down(launch->launcher, fault);
		return;
	}
	launch->state = LAUNCH_RUNNING;
	launch->go_us = clock_monotonic_us();
	fault = cell_go(&launch->cell.cell);
	answer(launch, ANSWER_OK, "");
	launch_ends_close(&launch->ends);
	plan_fini(&launch->plan);
	uv_timer_start(&launch->timer, on_timer, launch->deadline_ms, 0);
	if (fault)
		kill_for(launch, EXIT_HOW_FAILED, "the sandbox was gone before it could start");
}

static void take_failed(struct launch *launch, const struct cell_event *event)
{
	if (launch->state == LAUNCH_ARMING)
		decline(launch, ANSWER_UNAVAILABLE, event->note.text);
	else if (launch->state == LAUNCH_RUNNING)
		kill_for(launch, EXIT_HOW_FAILED, event->note.text);
}

static void take_exited(struct launch *launch, const struct cell_event *event)
{
	if (launch->state != LAUNCH_RUNNING && launch->state != LAUNCH_KILLING)
		return;
	if (launch->how == EXIT_HOW_NONE)
		launch->how = witness_event(event);
	launch->reached = event->reached;
	launch->code = event->code;
	launch->by_signal = event->signaled;
	launch->cpu_us = event->cpu_us;
	launch->memory_peak = event->memory_peak;
	report(launch, CELL_PROOF_ECHILD);
	/* Init leaves by itself now; if it does not, it is made to. */
	uv_timer_start(&launch->timer, on_timer, LAUNCH_STUCK_MS, 0);
}

static void take_event(struct launch *launch, const struct cell_event *event)
{
	switch (event->kind) {
	case CELL_EVENT_NONE:
	case CELL_EVENT_STARTED: break;
	case CELL_EVENT_ARMED:
		if (launch->state == LAUNCH_ARMING)
			go(launch, &event->attestation);
		break;
	case CELL_EVENT_FAILED: take_failed(launch, event); break;
	case CELL_EVENT_EXITED: take_exited(launch, event); break;
	}
}

static void read_events(struct launch *launch)
{
	struct cell_event event = {.kind = CELL_EVENT_NONE};
	int fault;

	while (!(fault = cell_event_read(&launch->cell.cell, &event)))
		take_event(launch, &event);
	/* Closed or nonsense: from here on only the pidfd speaks. */
	if (fault != -EAGAIN) {
		uv_poll_stop(&launch->event);
		if (fault != -EPIPE)
			kill_tree(launch);
	}
}

static void on_cell_event(uv_poll_t *poll, int status, int events)
{
	(void)status; /* reading tells the same */
	(void)events;
	read_events(poll->data);
}

/* Init is dead: the kernel emptied its pid namespace before it said so. */
static void on_cell_end(uv_poll_t *poll, int status, int events)
{
	struct launch *launch = poll->data;
	struct launcher *launcher = launch->launcher;
	uint64_t before = witness_children_cpu_us();

	(void)status;
	(void)events;
	read_events(launch); /* its last words may still be in the socket */
	if (cell_reap(&launch->cell.cell) == -EAGAIN)
		return;
	if (!launch->cpu_us)
		launch->cpu_us = witness_children_cpu_us() - before;
	if (launch->state == LAUNCH_ARMING)
		answer(launch, ANSWER_UNAVAILABLE, "the sandbox ended while it was being armed");
	else if (launch->state == LAUNCH_RUNNING || launch->state == LAUNCH_KILLING)
		report(launch, CELL_PROOF_PIDFD);
	retire(launch);
	launch_go_on(launcher);
}

static void on_timer(uv_timer_t *timer)
{
	struct launch *launch = timer->data;

	read_events(launch); /* what already happened goes first */
	if (uv_timer_get_due_in(timer))
		return; /* and gave us another deadline */
	switch (launch->state) {
	case LAUNCH_ARMING:
		decline(launch, ANSWER_UNAVAILABLE, "the sandbox was not armed in time");
		break;
	case LAUNCH_RUNNING: kill_for(launch, EXIT_HOW_DEADLINE, NULL); break;
	case LAUNCH_KILLING:
		launch->how = EXIT_HOW_STUCK;
		(void)err_note(&launch->note, 0,
		    "killed, but a process does not die (it waits in the kernel)");
		report(launch, CELL_PROOF_NONE);
		break;
	case LAUNCH_REPORTED: kill_tree(launch); break;
	case LAUNCH_NONE:
	case LAUNCH_WAITING: break;
	}
}

/* ---- into a cell ----------------------------------------------------------------------------- */

static int watch_cell(struct launch *launch)
{
	uv_loop_t *loop = launch->launcher->loop;
	int fault;

	launch->has_cell = 1;
	launch->handles = 3;
	uv_timer_init(loop, &launch->timer);
	launch->timer.data = launch;
	fault = uv_poll_init(loop, &launch->event, launch->cell.cell.sock);
	if (!fault)
		fault = uv_poll_init(loop, &launch->end, launch->cell.cell.pidfd);
	launch->event.data = launch;
	launch->end.data = launch;
	if (!fault)
		fault = uv_poll_start(&launch->event, UV_READABLE, on_cell_event);
	if (!fault)
		fault = uv_poll_start(&launch->end, UV_READABLE, on_cell_end);
	return fault;
}

static int start_feed(struct launch *launch)
{
	int fault;

	if (!launch->feed.bytes)
		return 0;
	fault =
	    feed_start(&launch->feed, launch->launcher->loop, take_fd(&launch->ends.in), launch);
	launch->handles += launch->feed.polled;
	return fault;
}

/* A cell was taken for this launch. */
static void enter(struct launch *launch)
{
	struct launcher *launcher = launch->launcher;
	struct err_note note = {""};
	int fault;

	launch->state = LAUNCH_ARMING;
	/* Before the socket becomes non-blocking: a long request goes in several messages. */
	fault = launch_arm(launcher, &launch->plan, &launch->cell,
	    launch->feed.bytes || input_of(launch)->stdin_kind == STDIN_STREAM, &launch->ends,
	    &note);
	if (watch_cell(launch)) {
		break_down(launcher, -EIO);
		return;
	}
	if (fault) {
		decline(launch, ANSWER_UNAVAILABLE, note.text);
		return;
	}
	if (start_feed(launch)) {
		decline(launch, ANSWER_UNAVAILABLE, "standard input cannot be given");
		return;
	}
	uv_timer_start(&launch->timer, on_timer, LAUNCH_ARM_MS, 0);
}

static struct launch *oldest_waiting(const struct launcher *launcher)
{
	struct launch *launch = launcher->first;

	while (launch && launch->state != LAUNCH_WAITING)
		launch = launch->next;
	return launch;
}

void launch_go_on(struct launcher *launcher)
{
	struct launch *launch;
	uint32_t waiting = 0;
	int fault;

	while ((launch = oldest_waiting(launcher)) && !pool_take(launcher->pool, &launch->cell))
		enter(launch);
	for (launch = launcher->first; launch; launch = launch->next)
		waiting += launch->state == LAUNCH_WAITING;
	if (launcher->closed && !waiting)
		return;
	fault = pool_fill(launcher->pool, waiting);
	if (fault)
		break_down(launcher, fault);
}

/* ---- arrival --------------------------------------------------------------------------------- */

/* The sealed bytes must be those that were decided. */
static int take_stdin(struct launch *launch, struct err_note *note)
{
	int cleanup_fd fd = message_take_fd(&launch->message, 0);

	if (input_of(launch)->stdin_kind != STDIN_SEALED)
		return 0;
	return feed_take(&launch->feed, fd, &input_of(launch)->stdin_digest, note);
}

static bool is_known(const struct launcher *launcher, const struct launch *self)
{
	for (const struct launch *launch = launcher->first; launch; launch = launch->next)
		if (launch != self && !strcmp(input_of(launch)->call, input_of(self)->call))
			return true;
	return false;
}

/* The receipt rule: only what the auditor has sealed, only once, and only if it is still so. */
static enum answer_status admit(struct launch *launch, struct err_note *note)
{
	struct launcher *launcher = launch->launcher;
	const struct message_launch *ask = &launch->message.u.launch;
	int result;

	if (launcher->closed) {
		(void)err_note(note, 0, "the daemon is shutting down");
		return ANSWER_UNAVAILABLE;
	}
	if (receipt_check(&ask->receipt, launcher->receipt_key, ask->input.call, &ask->plan)) {
		(void)err_note(note, 0, "the receipt is not the auditor's for this call and plan");
		return ANSWER_REFUSED;
	}
	if (receipts_take(&launcher->receipts, ask->receipt.n) || is_known(launcher, launch)) {
		(void)err_note(note, 0, "the receipt was used before");
		return ANSWER_REFUSED;
	}
	result = plan_make(launcher->planner, &ask->input, &launch->plan, note);
	if (result < 0)
		return ANSWER_UNAVAILABLE;
	if (result > 0)
		return ANSWER_VOID; /* it could be planned when it was decided */
	if (!digest_equal(&launch->plan.digest, &ask->plan)) {
		(void)err_note(note, 0, "a program, script or directory changed");
		return ANSWER_VOID;
	}
	return take_stdin(launch, note) ? ANSWER_VOID : ANSWER_OK;
}

void launch_ask(struct launcher *launcher, struct message *message)
{
	struct launch *launch = calloc(1, sizeof(*launch));
	struct launch **last = &launcher->first;
	struct err_note note = {""};
	enum answer_status status;

	if (!launch) {
		break_down(launcher, -ENOMEM);
		return;
	}
	launch->launcher = launcher;
	launch->ends = LAUNCH_NO_ENDS;
	launch->plan.script.fd = -1;
	launch->message = *message;
	message_init(message, MESSAGE_NONE); /* its storage and descriptors moved */
	feed_init(&launch->feed);
	cgroup_leaf_init(&launch->cell.leaf);
	while (*last)
		last = &(*last)->next;
	*last = launch;
	status = admit(launch, &note);
	if (status != ANSWER_OK) {
		decline(launch, status, note.text);
		return;
	}
	launch->digest = launch->plan.digest;
	launch->required = launch->plan.tool->required;
	launch->deadline_ms = launch->plan.tool->policy->max_execution_ms;
	launch->state = LAUNCH_WAITING;
	launch_go_on(launcher);
}

/* ---- from outside ---------------------------------------------------------------------------- */

static void decline_waiting(struct launcher *launcher, enum answer_status status, const char *why)
{
	struct launch *launch;

	while ((launch = oldest_waiting(launcher)))
		decline(launch, status, why);
}

void launch_no_cell(struct launcher *launcher, const char *why)
{
	decline_waiting(launcher, ANSWER_UNAVAILABLE, why);
}

void launch_void_waiting(struct launcher *launcher)
{
	decline_waiting(launcher, ANSWER_VOID, "the policy was reloaded since this was decided");
}

static void kill_one(struct launch *launch, const char *cause)
{
	switch (launch->state) {
	case LAUNCH_WAITING:
	case LAUNCH_ARMING: decline(launch, ANSWER_UNAVAILABLE, cause); break;
	case LAUNCH_RUNNING: kill_for(launch, EXIT_HOW_KILLED, cause); break;
	case LAUNCH_KILLING:
	case LAUNCH_REPORTED:
	case LAUNCH_NONE: break;
	}
}

void launch_kill(struct launcher *launcher, const char *call, const char *cause)
{
	for (struct launch *launch = launcher->first; launch; launch = launch->next)
		if (!strcmp(input_of(launch)->call, call)) {
			kill_one(launch, cause);
			return;
		}
}

void launch_kill_all(struct launcher *launcher, const char *cause)
{
	struct launch *launch = launcher->first;

	while (launch) {
		struct launch *next = launch->next;

		kill_one(launch, cause);
		launch = next;
	}
}

void launch_look_at_clock(struct launcher *launcher)
{
	uv_update_time(launcher->loop);
	for (struct launch *launch = launcher->first; launch; launch = launch->next)
		if (launch->state == LAUNCH_RUNNING && !uv_timer_get_due_in(&launch->timer))
			on_timer(&launch->timer);
}

uint32_t launch_alive(const struct launcher *launcher)
{
	uint32_t count = 0;

	for (const struct launch *launch = launcher->first; launch; launch = launch->next)
		count += launch->state != LAUNCH_REPORTED;
	return count;
}
