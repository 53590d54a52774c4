#include "supervisor/warden/launch_own.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/warden/trail.h"
#include "supervisor/warden/witness.h"

#define LAYERS_TEXT 1024

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

void launch_break(struct launcher *launcher, int fault)
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
		launch_break(launch->launcher, fault);
}

static void kill_tree(struct launch *launch)
{
	(void)cgroup_leaf_kill(&launch->cell.leaf); /* where there is one; init's death is enough */
	(void)cell_kill(&launch->cell.cell);        /* dead already: the same */
}

static void drop_overlay(struct launch *launch)
{
	if (launch->overlay)
		overlays_drop(launch->launcher->overlays, launch->overlay);
	launch->overlay = 0;
}

/* EXITED to engine, now or when the overlay was read. */
static int tell_exited(struct launch *launch, struct message *message)
{
	uint32_t overlay = launch->overlay;

	launch->overlay = 0;
	if (!overlay)
		return link_send(launch->launcher->engine, message);
	return overlays_finish(launch->launcher->overlays, overlay, message);
}

void launch_decline(struct launch *launch, enum answer_status status, const char *note)
{
	answer(launch, status, note);
	launch->state = LAUNCH_REPORTED;
	drop_overlay(launch);
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
	    .exited = exited, .plan = &launch->digest, .tool = launch_input(launch)->tool};
	int fault;

	buf_init(&layers, LAYERS_TEXT);
	cgroup_leaf_usage(&launch->cell.leaf, &usage);
	message_init(&message, MESSAGE_EXITED);
	exited->call = launch_input(launch)->call;
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
		fault = tell_exited(launch, &message);
	if (fault)
		launch_break(launch->launcher, fault);
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
	    .call = launch_input(launch)->call,
	    .input = launch_input(launch),
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
	if (launch->overlay) { /* its tmpfs has a size */
		launch->attestation.layers |= LAYER_BIT(DISK);
		launch->attestation.disk_fsize = false;
	}
	if (launch_attest(
		launch->launcher, &launch->cell, launch->required, &launch->attestation, &note)) {
		launch_decline(launch, ANSWER_UNAVAILABLE, note.text);
		return;
	}
	if (plan_recheck(&launch->plan, &note)) {
		launch_decline(launch, ANSWER_VOID, note.text);
		return;
	}
	fault = record_start(launch);
	if (fault) {
		launch_decline(launch, ANSWER_UNAVAILABLE, "the start cannot be recorded");
		launch_break(launch->launcher, fault);
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
		launch_decline(launch, ANSWER_UNAVAILABLE, event->note.text);
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
		launch_decline(
		    launch, ANSWER_UNAVAILABLE, "the sandbox ended while it was being armed");
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
		launch_decline(launch, ANSWER_UNAVAILABLE, "the sandbox was not armed in time");
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
	case LAUNCH_LAYING:
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

/* A cell was taken for this launch; mount: its overlay, or -1 where it works on the workspace. */
static void enter(struct launch *launch, int mount)
{
	struct launcher *launcher = launch->launcher;
	const struct launch_place place = {&launch->cell, mount};
	struct err_note note = {""};
	int fault;

	launch->state = LAUNCH_ARMING;
	/* Before the socket becomes non-blocking: a long request goes in several messages. */
	if (launch->stopped)
		fault = err_note(&note, -ECANCELED, "%s", launch->note.text);
	else
		fault = launch_arm(launcher, &launch->plan, &place,
		    launch->feed.bytes || launch_input(launch)->stdin_kind == STDIN_STREAM,
		    &launch->ends, &note);
	if (watch_cell(launch)) {
		launch_break(launcher, -EIO);
		return;
	}
	if (fault) {
		launch_decline(launch, ANSWER_UNAVAILABLE, note.text);
		return;
	}
	if (start_feed(launch)) {
		launch_decline(launch, ANSWER_UNAVAILABLE, "standard input cannot be given");
		return;
	}
	uv_timer_start(&launch->timer, on_timer, LAUNCH_ARM_MS, 0);
}

/* The first reason counts. No memory is needed for it: a call that was stopped must not run. */
static void stop_laying(struct launch *launch, const char *why)
{
	if (!launch->stopped)
		(void)err_note(&launch->note, 0, "%s", why);
	launch->stopped = true;
}

/* The keeper answers, and launch_overlaid() goes on. */
static void lay(struct launch *launch)
{
	struct err_note note = {""};

	launch->state = LAUNCH_LAYING;
	if (!launch_lay(launch, &note))
		return;
	stop_laying(launch, note.text);
	enter(launch, -1);
}

void launch_overlaid(struct launcher *launcher, uint32_t overlay, int mount, const char *why)
{
	struct launch *launch = launcher->first;

	while (launch && launch->overlay != overlay)
		launch = launch->next;
	if (!launch || launch->state != LAUNCH_LAYING)
		return;
	if (mount < 0)
		stop_laying(launch, why);
	enter(launch, mount);
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
		launch->plan.tool->overlay ? lay(launch) : enter(launch, -1);
	for (launch = launcher->first; launch; launch = launch->next)
		waiting += launch->state == LAUNCH_WAITING;
	if (launcher->closed && !waiting)
		return;
	fault = pool_fill(launcher->pool, waiting);
	if (fault)
		launch_break(launcher, fault);
}

/* ---- from outside ---------------------------------------------------------------------------- */

static void decline_waiting(struct launcher *launcher, enum answer_status status, const char *why)
{
	struct launch *launch;

	while ((launch = oldest_waiting(launcher)))
		launch_decline(launch, status, why);
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
	case LAUNCH_ARMING: launch_decline(launch, ANSWER_UNAVAILABLE, cause); break;
	case LAUNCH_LAYING: /* its cell is not watched yet */ stop_laying(launch, cause); break;
	case LAUNCH_RUNNING: kill_for(launch, EXIT_HOW_KILLED, cause); break;
	case LAUNCH_KILLING:
	case LAUNCH_REPORTED:
	case LAUNCH_NONE: break;
	}
}

void launch_kill(struct launcher *launcher, const char *call, const char *cause)
{
	for (struct launch *launch = launcher->first; launch; launch = launch->next)
		if (!strcmp(launch_input(launch)->call, call)) {
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
	return count + (launcher->overlays ? overlays_reading(launcher->overlays) : 0);
}
