/* EFFECTS: what engine wants of an overlay, judged here and done by the keeper. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"
#include "supervisor/warden/keeper/order.h"
#include "supervisor/warden/keeper/saved.h"
#include "supervisor/warden/launch_own.h"
#include "supervisor/warden/overlays_own.h"
#include "supervisor/warden/trail.h"

static const struct message_effects *ask_of(const struct overlay_request *request)
{
	return &request->message.u.effects;
}

/* ---- answers --------------------------------------------------------------------------------- */

static void request_free(struct overlays *overlays, struct overlay_request *request)
{
	struct overlay_request **at = &overlays->asked;
	struct overlay *overlay =
	    request->overlay ? overlay_find(overlays, request->overlay) : NULL;

	while (*at && *at != request)
		at = &(*at)->next;
	if (*at)
		*at = request->next;
	if (overlay && overlay->busy)
		overlay->busy--;
	message_fini(&request->message);
	cleanup_fd_(&request->body);
	cleanup_fd_(&request->workspace);
	free(request);
}

/* The last step of each. */
static void answer(struct overlays *overlays, struct overlay_request *request,
    enum answer_status status, const char *note)
{
	struct message message;
	const void *bytes = NULL;
	size_t len = 0;
	int fault = 0;

	message_init(&message, MESSAGE_EFFECTED);
	message.serial = request->message.serial;
	message.u.effected.status = (uint16_t)status;
	message.u.effected.note = note;
	if (request->body >= 0)
		fault = fd_map_sealed(request->body, MESSAGE_BODY_MAX, &bytes, &len);
	message.u.effected.body = (struct bytes){bytes, len};
	if (!fault && !request->recovery)
		fault = link_send(overlays->launcher->engine, &message);
	fd_unmap(bytes, len);
	request_free(overlays, request);
	if (fault)
		overlays_break(overlays, fault);
}

static void refuse(struct overlays *overlays, struct overlay_request *request,
    enum answer_status status, const char *note)
{
	cleanup_fd_(&request->body);
	answer(overlays, request, status, note);
}

void overlays_forget_requests(struct overlays *overlays)
{
	while (overlays->asked)
		request_free(overlays, overlays->asked);
}

/* ---- questions to the keeper ----------------------------------------------------------------- */

static bool is_receipt_good(
    struct overlays *overlays, const struct message_effects *ask, struct err_note *note)
{
	struct launcher *launcher = overlays->launcher;

	if (receipt_check_effects(&ask->receipt, launcher->receipt_key, ask->call, &ask->effects)) {
		(void)err_note(note, 0, "the receipt is not the auditor's for this decision");
		return false;
	}
	if (receipts_take(&launcher->receipts, ask->receipt.n)) {
		(void)err_note(note, 0, "the receipt was used before");
		return false;
	}
	return true;
}

/* list and place: -1 where the operation has none. */
static void ask_keeper(
    struct overlays *overlays, struct overlay_request *request, enum keeper_op op, int first)
{
	const struct message_effects *ask = ask_of(request);
	struct keeper_ask question = {.op = op,
	    .id = request->overlay,
	    .serial = ++overlays->last_serial,
	    .written = ask->written,
	    .effects = ask->effects};
	int cleanup_fd paths = order_paths(&ask->paths);
	int fds[KEEPER_FDS_MAX];
	size_t count = 0;

	if (paths < 0) {
		refuse(overlays, request, ANSWER_UNAVAILABLE, "out of memory for the paths");
		return;
	}
	snprintf(question.call, sizeof(question.call), "%s", ask->call);
	if (first >= 0)
		fds[count++] = first;
	fds[count++] = paths;
	request->serial = question.serial;
	if (keeper_ask(&overlays->keeper, &question, fds, count))
		overlays_break(overlays, -EPIPE);
}

static void discard(
    struct overlays *overlays, struct overlay_request *request, struct overlay *overlay)
{
	request->overlay = 0;
	request->told.status = ANSWER_OK;
	overlay_forget(overlays, overlay, "discarded", ask_of(request)->by, &request->record);
	if (!request->record)
		answer(overlays, request, ANSWER_UNAVAILABLE, "the end of it cannot be recorded");
}

static struct overlay *find_held(const struct overlays *overlays, const char *call)
{
	struct overlay *overlay = overlays->first;

	while (overlay && (overlay->state != OVERLAY_HELD || strcmp(overlay->call, call) != 0))
		overlay = overlay->next;
	return overlay;
}

static void ask_held(struct overlays *overlays, struct overlay_request *request)
{
	const struct message_effects *ask = ask_of(request);
	struct overlay *overlay = find_held(overlays, ask->call);
	struct err_note note = {""};

	if (!overlay) {
		refuse(overlays, request, ANSWER_REFUSED,
		    "nothing of this call is held; changes are kept for an hour and not over the "
		    "daemon's end");
	} else if (!digest_equal(&overlay->effects, &ask->effects)) {
		refuse(overlays, request, ANSWER_VOID, "these are not the changes that are held");
	} else if (overlay->busy) {
		refuse(overlays, request, ANSWER_REFUSED, "somebody is at these changes just now");
	} else if (ask->op == EFFECTS_DISCARD) {
		discard(overlays, request, overlay);
	} else if (ask->op == EFFECTS_COMMIT && !is_receipt_good(overlays, ask, &note)) {
		refuse(overlays, request, ANSWER_VOID, note.text);
	} else {
		request->overlay = overlay->id;
		overlay->busy++;
		ask_keeper(overlays, request,
		    ask->op == EFFECTS_COMMIT ? KEEPER_COMMIT : KEEPER_LOOK,
		    ask->op == EFFECTS_COMMIT ? overlay->list : -1);
	}
}

/* Only what the policy still names may be written to. Returns a descriptor of the tools, or -1. */
static int find_workspace(const struct tools *tools, const struct saved_place *place)
{
	for (uint32_t i = 0; tools && i < tools->count; i++)
		for (uint32_t k = 0; k < tools->spaces; k++) {
			const struct workspace *workspace = &tools->items[i].workspaces[k];

			if (workspace->dev == place->dev && workspace->ino == place->ino &&
			    tools->items[i].overlay)
				return workspace->fd;
		}
	return -1;
}

static void undo(struct overlays *overlays, struct overlay_request *request)
{
	const struct message_effects *ask = ask_of(request);
	const struct tools *tools = overlays->launcher->planner->tools;
	struct saved_place place;
	struct err_note note = {""};
	int workspace;

	if (saved_find(overlays->saved, ask->call, &place)) {
		refuse(overlays, request, ANSWER_REFUSED,
		    "nothing was committed of this call that could still be undone");
		return;
	}
	if (!digest_equal(&place.effects, &ask->effects)) {
		refuse(overlays, request, ANSWER_VOID,
		    "these are not the changes that were committed");
		return;
	}
	workspace = find_workspace(tools, &place);
	if (workspace < 0) {
		refuse(overlays, request, ANSWER_REFUSED,
		    "its workspace is none of a tool with an overlay any more");
		return;
	}
	if (!is_receipt_good(overlays, ask, &note)) {
		refuse(overlays, request, ANSWER_VOID, note.text);
		return;
	}
	ask_keeper(overlays, request, KEEPER_UNDO_ALL, workspace);
}

/* Until that is recorded, too: what is not, a start takes back. */
static bool is_writing(const struct overlays *overlays)
{
	for (const struct overlay_request *at = overlays->asked; at; at = at->next)
		if ((at->serial || at->record) &&
		    (at->recovery || ask_of(at)->op == EFFECTS_COMMIT ||
			ask_of(at)->op == EFFECTS_UNDO))
			return true;
	return false;
}

static struct overlay_request *new_request(struct overlays *overlays)
{
	struct overlay_request *request = calloc(1, sizeof(*request));

	if (!request) {
		overlays_break(overlays, -ENOMEM);
		return NULL;
	}
	request->body = request->workspace = -1;
	message_init(&request->message, MESSAGE_NONE);
	request->next = overlays->asked;
	overlays->asked = request;
	return request;
}

void overlays_ask(struct overlays *overlays, struct message *message)
{
	struct overlay_request *request = new_request(overlays);
	const struct message_effects *ask;
	bool writing = is_writing(overlays);

	if (!request)
		return;
	request->message = *message;
	message_init(message, MESSAGE_NONE); /* its storage moved */
	ask = ask_of(request);
	if (!saved_is_name(ask->call))
		refuse(overlays, request, ANSWER_REFUSED, "no such call");
	else if (writing && (ask->op == EFFECTS_COMMIT || ask->op == EFFECTS_UNDO))
		refuse(overlays, request, ANSWER_REFUSED,
		    "other changes are being written just now; try again");
	else if (ask->op == EFFECTS_UNDO)
		undo(overlays, request);
	else if (ask->op == EFFECTS_COMMIT || ask->op == EFFECTS_DISCARD || ask->op == EFFECTS_LOOK)
		ask_held(overlays, request);
	else
		refuse(overlays, request, ANSWER_REFUSED, "no such request");
}

/* ---- what the keeper says -------------------------------------------------------------------- */

static const char *op_name(const struct overlay_request *request)
{
	if (request->recovery)
		return "taken back after a crash";
	return ask_of(request)->op == EFFECTS_COMMIT ? "commit" : "undo";
}

/* Written: on disk first, then told. */
static int record_written(struct overlays *overlays, struct overlay_request *request)
{
	const struct message_effects *ask = ask_of(request);
	struct effects cleanup_with(effects_fini) list = {.count = 0};
	const struct trail_effects record = {
	    .call = request->recovery ? request->told.call : ask->call,
	    .effects = request->recovery ? &request->told.effects : &ask->effects,
	    .by = request->recovery ? "" : ask->by,
	    .what = op_name(request),
	    .paths = request->told.count,
	    .commits = request->told.commits,
	    .list = &list,
	    .receipt_n = request->recovery ? 0 : ask->receipt.n};
	const void *bytes;
	size_t len;

	if (request->body >= 0 && !fd_map_sealed(request->body, MESSAGE_BODY_MAX, &bytes, &len)) {
		(void)effects_decode(&list, bytes, len); /* unread, they are counted only */
		fd_unmap(bytes, len);
	}
	return trail_effects_written(overlays->launcher->auditor, &record, &request->record);
}

static void ask_recovery(struct overlays *overlays, struct overlay_request *request)
{
	struct keeper_ask question = {.op = KEEPER_RECOVER, .serial = ++overlays->last_serial};

	request->recovery = true;
	request->serial = question.serial;
	if (keeper_ask(&overlays->keeper, &question, &request->workspace, 1))
		overlays_break(overlays, -EPIPE);
}

/* What was half written is taken back, one commit after the other. */
static void recovered(struct overlays *overlays, struct overlay_request *request)
{
	const struct keeper_told *told = &request->told;

	if (told->status == ANSWER_NONE) {
		request_free(overlays, request);
		return;
	}
	log_warn("changes of call %s were half written and left so: %s", told->call,
	    told->status == ANSWER_OK ? "taken back" : told->note.text);
	if (told->status != ANSWER_OK || record_written(overlays, request))
		request_free(overlays, request);
}

/* Each directory once. */
static bool is_first(const struct tools *tools, uint32_t i, uint32_t k)
{
	const struct workspace *own = &tools->items[i].workspaces[k];

	for (uint32_t a = 0; a <= i; a++)
		for (uint32_t b = 0; b < tools->spaces && (a < i || b < k); b++) {
			const struct workspace *other = &tools->items[a].workspaces[b];

			if (tools->items[a].overlay && other->dev == own->dev &&
			    other->ino == own->ino)
				return false;
		}
	return true;
}

/* What a crash, of the daemon or of a child of the keeper, left half written. */
static void take_back(struct overlays *overlays, const struct tools *tools)
{
	if (!saved_any_begun(overlays->saved))
		return;
	for (uint32_t i = 0; i < tools->count; i++)
		for (uint32_t k = 0; tools->items[i].overlay && k < tools->spaces; k++) {
			struct overlay_request *request =
			    is_first(tools, i, k) ? new_request(overlays) : NULL;

			if (!request)
				continue;
			request->workspace =
			    fcntl(tools->items[i].workspaces[k].fd, F_DUPFD_CLOEXEC, 3);
			ask_recovery(overlays, request);
		}
}

void overlays_answered(struct overlays *overlays, const struct keeper_told *told, int fd)
{
	struct overlay_request *request = overlays->asked;
	uint16_t op;

	while (request && request->serial != told->serial)
		request = request->next;
	if (!request) {
		cleanup_fd_(&fd);
		return;
	}
	request->serial = 0;
	request->told = *told;
	cleanup_fd_(&request->body);
	request->body = fd;
	if (request->recovery) {
		recovered(overlays, request);
		return;
	}
	op = ask_of(request)->op;
	if (told->status == ANSWER_UNAVAILABLE && op != EFFECTS_LOOK)
		take_back(overlays, overlays->launcher->planner->tools);
	if (told->status != ANSWER_OK || op == EFFECTS_LOOK) {
		answer(overlays, request, (enum answer_status)told->status, told->note.text);
		return;
	}
	if (record_written(overlays, request))
		overlays_break(overlays, -EPIPE);
}

/* All of the list was written: nothing is left to be held. */
static bool is_whole(const struct overlays *overlays, const struct overlay_request *request)
{
	const struct overlay *overlay = overlay_find(overlays, request->overlay);

	return overlay && ask_of(request)->op == EFFECTS_COMMIT &&
	       (ask_of(request)->paths.count == 0 ||
		   ask_of(request)->paths.count == overlay->count);
}

/* The trail has what was taken back: now the next one. */
static void recovery_recorded(
    struct overlays *overlays, struct overlay_request *request, uint16_t status)
{
	request->record = 0;
	if (status != ANSWER_OK) {
		request_free(overlays, request);
		return;
	}
	saved_settle(overlays->saved, request->told.call, true);
	ask_recovery(overlays, request);
}

/* What cannot be recorded is taken back, at the latest by the next start. */
static void settle(
    struct overlays *overlays, const struct overlay_request *request, uint16_t status)
{
	const struct message_effects *ask = ask_of(request);

	if (ask->op == EFFECTS_DISCARD)
		return;
	if (status == ANSWER_OK)
		saved_settle(overlays->saved, ask->call, ask->op == EFFECTS_UNDO);
	else
		take_back(overlays, overlays->launcher->planner->tools);
}

bool overlays_recorded(
    struct overlays *overlays, uint64_t serial, uint16_t status, const char *note)
{
	struct overlay_request *request = overlays->asked;
	struct err_note text = {""};
	struct overlay *whole = NULL;

	while (request && request->record != serial)
		request = request->next;
	if (!request || !serial)
		return false;
	if (request->recovery) {
		recovery_recorded(overlays, request, status);
		return true;
	}
	settle(overlays, request, status);
	if (status == ANSWER_OK && request->overlay && is_whole(overlays, request))
		whole = overlay_find(overlays, request->overlay);
	if (status != ANSWER_OK)
		(void)err_note(
		    &text, 0, "it cannot be recorded, and is put back as it was: %s", note);
	answer(overlays, request, status == ANSWER_OK ? ANSWER_OK : ANSWER_UNAVAILABLE,
	    status == ANSWER_OK ? request->told.note.text : text.text);
	if (whole)
		overlay_forget(overlays, whole, NULL, "", NULL);
	return true;
}

void overlays_begin(struct overlays *overlays, const struct tools *tools)
{
	take_back(overlays, tools);
}
