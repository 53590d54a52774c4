#include "supervisor/warden/overlays_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/link/effects.h"
#include "supervisor/warden/launch_own.h"
#include "supervisor/warden/trail.h"

/* ---- the book -------------------------------------------------------------------------------- */

struct overlay *overlay_find(const struct overlays *overlays, uint32_t id)
{
	struct overlay *overlay = overlays->first;

	while (overlay && overlay->id != id)
		overlay = overlay->next;
	return overlay;
}

void overlays_break(struct overlays *overlays, int fault)
{
	launch_break(overlays->launcher, fault);
}

static void unlink_and_free(struct overlays *overlays, struct overlay *overlay)
{
	struct overlay **at = &overlays->first;

	while (*at && *at != overlay)
		at = &(*at)->next;
	if (*at)
		*at = overlay->next;
	message_fini(&overlay->exited);
	cleanup_fd_(&overlay->list);
	free(overlay->principal);
	free(overlay);
}

static void tell_dropped(struct overlays *overlays, const struct overlay *overlay,
    const char *cause, const char *by, uint64_t *ret_serial)
{
	const struct trail_effects record = {.call = overlay->call,
	    .effects = &overlay->effects,
	    .by = by,
	    .what = cause,
	    .paths = overlay->count};
	int fault = trail_effects_dropped(overlays->launcher->auditor, &record, ret_serial);

	if (fault)
		overlays_break(overlays, fault);
}

void overlay_forget(struct overlays *overlays, struct overlay *overlay, const char *cause,
    const char *by, uint64_t *ret_serial)
{
	const struct keeper_ask ask = {.op = KEEPER_DROP, .id = overlay->id};

	if (overlay->state == OVERLAY_HELD && cause)
		tell_dropped(overlays, overlay, cause, by, ret_serial);
	if (keeper_ask(&overlays->keeper, &ask, NULL, 0))
		overlays_break(overlays, -EPIPE);
	unlink_and_free(overlays, overlay);
}

/* How much is held of one principal's, or of all (NULL). */
struct share {
	uint32_t count;
	uint64_t bytes;
};

static struct share share_of(const struct overlays *overlays, const char *principal)
{
	struct share share = {.count = 0};

	for (const struct overlay *at = overlays->first; at; at = at->next)
		if (at->state == OVERLAY_HELD &&
		    (!principal || !strcmp(at->principal, principal))) {
			share.count++;
			share.bytes += at->used;
		}
	return share;
}

/* Who fills pays: the oldest, not being written from, of the principal who holds the most. */
static struct overlay *first_to_go(const struct overlays *overlays, bool by_bytes)
{
	struct overlay *first = NULL;
	uint64_t most = 0;

	for (struct overlay *at = overlays->first; at; at = at->next) {
		struct share share = share_of(overlays, at->principal);
		uint64_t held = by_bytes ? share.bytes : share.count;

		if (at->state != OVERLAY_HELD || at->busy || (first && held < most))
			continue;
		if (!first || held > most || at->held_us < first->held_us)
			first = at;
		most = held;
	}
	return first;
}

static void make_room(struct overlays *overlays)
{
	for (;;) {
		const struct share all = share_of(overlays, NULL);
		const bool bytes = all.bytes > OVERLAYS_BYTES;
		struct overlay *first =
		    bytes || all.count > OVERLAYS_HELD ? first_to_go(overlays, bytes) : NULL;

		if (!first)
			return;
		overlay_forget(overlays, first, "room for newer ones", "", NULL);
	}
}

void overlays_expire(struct overlays *overlays, uint64_t now)
{
	struct overlay *next;

	for (struct overlay *at = overlays->first; at; at = next) {
		next = at->next;
		if (at->state == OVERLAY_HELD && !at->busy &&
		    now - at->held_us > OVERLAYS_KEPT_MS * UINT64_C(1000))
			overlay_forget(overlays, at, "nobody took it in time", "", NULL);
	}
}

static void on_clock(uv_timer_t *timer)
{
	overlays_expire(timer->data, clock_monotonic_us());
}

/* ---- making ---------------------------------------------------------------------------------- */

int overlays_make(struct overlays *overlays, const struct overlay_spec *spec, uint32_t *ret,
    struct err_note *note)
{
	struct overlay *overlay;
	struct keeper_ask ask = {.op = KEEPER_MAKE,
	    .serial = ++overlays->last_serial,
	    .disk = spec->disk,
	    .inodes = spec->inodes,
	    .uid = spec->uid,
	    .gid = spec->gid,
	    .exec = spec->exec};
	const int fds[] = {spec->lower, spec->workspace};
	struct overlay **last = &overlays->first;

	if (!overlays->keeper.able)
		return err_note(note, -ENOTSUP, "%s", overlays->keeper.why.text);
	overlay = calloc(1, sizeof(*overlay));
	if (overlay)
		overlay->principal = strdup(spec->principal);
	if (!overlay || !overlay->principal) {
		free(overlay);
		return err_note(note, -ENOMEM, "out of memory");
	}
	do
		overlay->id = ++overlays->last_id;
	while (!overlay->id || overlay_find(overlays, overlay->id));
	ask.id = overlay->id;
	snprintf(ask.call, sizeof(ask.call), "%s", spec->call);
	snprintf(overlay->call, sizeof(overlay->call), "%s", spec->call);
	overlay->state = OVERLAY_MAKING;
	overlay->list = -1;
	message_init(&overlay->exited, MESSAGE_NONE);
	while (*last)
		last = &(*last)->next;
	*last = overlay;
	if (keeper_ask(&overlays->keeper, &ask, fds, 2)) {
		unlink_and_free(overlays, overlay);
		overlays_break(overlays, -EPIPE);
		return err_note(note, -EPIPE, "overlay: the keeper is gone");
	}
	*ret = overlay->id;
	return 0;
}

static void made(struct overlays *overlays, const struct keeper_told *told, int mount)
{
	struct overlay *overlay = overlay_find(overlays, told->id);

	if (!overlay || overlay->state != OVERLAY_MAKING)
		return;
	overlay->state = OVERLAY_RUNNING;
	if (overlay->gone)
		overlay_forget(overlays, overlay, NULL, "", NULL);
	else
		launch_overlaid(overlays->launcher, told->id,
		    told->status == ANSWER_OK ? mount : -1, told->note.text);
}

void overlays_drop(struct overlays *overlays, uint32_t id)
{
	struct overlay *overlay = overlay_find(overlays, id);

	if (overlay && overlay->state == OVERLAY_MAKING)
		overlay->gone = true;
	else if (overlay)
		overlay_forget(overlays, overlay, NULL, "", NULL);
}

/* ---- reading --------------------------------------------------------------------------------- */

static int copy_message(const struct message *message, struct message *ret)
{
	struct buf cleanup_with(buf_fini) bytes;
	int cleanup_fd body = -1;
	int fault;

	buf_init(&bytes, MESSAGE_MAX);
	fault = message_encode(&bytes, message, &body);
	return fault ? fault : message_decode(ret, bytes.data, bytes.len, &body, body >= 0);
}

static void lose(struct overlays *overlays, struct overlay *overlay, const char *why)
{
	struct message_exited *exited = &overlay->exited.u.exited;
	struct err_note note = {""};
	int fault;

	(void)err_note(&note, 0, "%s%soverlay: %s", exited->note, exited->note[0] ? "; " : "", why);
	exited->note = note.text;
	exited->effects = EFFECTS_LOST;
	fault = link_send(overlays->launcher->engine, &overlay->exited);
	tell_dropped(overlays, overlay, note.text, "", NULL);
	overlay_forget(overlays, overlay, NULL, "", NULL);
	if (fault)
		overlays_break(overlays, fault);
}

int overlays_finish(struct overlays *overlays, uint32_t id, const struct message *exited)
{
	struct overlay *overlay = overlay_find(overlays, id);
	struct keeper_ask ask = {.op = KEEPER_DIFF, .id = id, .serial = ++overlays->last_serial};
	int fault = overlay ? copy_message(exited, &overlay->exited) : -ENOENT;

	if (fault)
		return fault;
	overlay->state = OVERLAY_READING;
	if (exited->u.exited.proof == CELL_PROOF_NONE) {
		lose(overlays, overlay, "a process of the call may still be writing");
		return 0;
	}
	return keeper_ask(&overlays->keeper, &ask, NULL, 0);
}

static int hold(struct overlays *overlays, struct overlay *overlay, int list)
{
	struct message_exited *exited = &overlay->exited.u.exited;
	const void *bytes;
	size_t len;
	int fault = fd_map_sealed(list, MESSAGE_BODY_MAX, &bytes, &len);

	if (fault)
		return fault;
	effects_digest(&overlay->effects, bytes, len);
	exited->effects = EFFECTS_HELD;
	exited->body = (struct bytes){bytes, len};
	fault = link_send(overlays->launcher->engine, &overlay->exited);
	exited->body = (struct bytes){NULL, 0};
	fd_unmap(bytes, len);
	overlay->state = OVERLAY_HELD;
	overlay->held_us = clock_monotonic_us();
	message_fini(&overlay->exited);
	return fault;
}

static void read_through(struct overlays *overlays, const struct keeper_told *told, int list)
{
	struct overlay *overlay = overlay_find(overlays, told->id);
	int fault;

	if (!overlay || overlay->state != OVERLAY_READING)
		return;
	if (told->status != ANSWER_OK || (told->count > 0) != (list >= 0)) {
		lose(overlays, overlay, told->note.text);
		return;
	}
	if (!told->count) {
		overlay->exited.u.exited.effects = EFFECTS_CLEAN;
		fault = link_send(overlays->launcher->engine, &overlay->exited);
		overlay_forget(overlays, overlay, NULL, "", NULL);
	} else {
		overlay->count = told->count;
		overlay->used = told->used;
		overlay->list = fcntl(list, F_DUPFD_CLOEXEC, 3);
		fault = overlay->list < 0 ? -errno : hold(overlays, overlay, list);
	}
	if (fault)
		overlays_break(overlays, fault);
	else
		make_room(overlays);
}

uint32_t overlays_reading(const struct overlays *overlays)
{
	uint32_t count = 0;

	for (const struct overlay *at = overlays->first; at; at = at->next)
		count += at->state == OVERLAY_READING;
	return count;
}

/* ---- the keeper's answers -------------------------------------------------------------------- */

static void take(struct overlays *overlays, const struct keeper_told *told, int *fd)
{
	if (told->op == KEEPER_MAKE)
		made(overlays, told, *fd);
	else if (told->op == KEEPER_DIFF)
		read_through(overlays, told, *fd);
	else
		overlays_answered(overlays, told, take_fd(fd));
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	struct overlays *overlays = poll->data;
	struct keeper_told told;
	int fault;

	(void)status;
	(void)events;
	for (;;) {
		int cleanup_fd fd = -1;

		fault = keeper_take(&overlays->keeper, &told, &fd);
		if (fault)
			break;
		take(overlays, &told, &fd);
	}
	if (fault == -EAGAIN)
		return;
	uv_poll_stop(poll); /* it is gone; its pidfd says so, and who */
}

int overlays_start(struct overlays *overlays, struct launcher *launcher)
{
	int fault = uv_poll_init(launcher->loop, &overlays->answers, overlays->keeper.sock);

	overlays->launcher = launcher;
	overlays->answers.data = overlays->clock.data = overlays;
	if (!fault)
		fault = uv_timer_init(launcher->loop, &overlays->clock);
	if (fault)
		return fault;
	overlays->running = true;
	overlays->answers.data = overlays->clock.data = overlays;
	uv_unref((uv_handle_t *)&overlays->clock);
	launcher->overlays = overlays;
	fault = uv_poll_start(&overlays->answers, UV_READABLE, on_answer);
	return fault ? fault
		     : uv_timer_start(
			   &overlays->clock, on_clock, OVERLAYS_CLOCK_MS, OVERLAYS_CLOCK_MS);
}

void overlays_end(struct overlays *overlays)
{
	struct overlay *next;

	for (struct overlay *at = overlays->first; at; at = next) {
		next = at->next;
		if (at->state == OVERLAY_HELD)
			overlay_forget(overlays, at, "the daemon ends", "", NULL);
	}
}

void overlays_close(struct overlays *overlays)
{
	if (overlays->running) {
		uv_poll_stop(&overlays->answers);
		uv_timer_stop(&overlays->clock);
	}
	overlays_forget_requests(overlays);
	while (overlays->first)
		unlink_and_free(overlays, overlays->first);
	keeper_stop(&overlays->keeper);
}
