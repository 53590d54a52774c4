#include "supervisor/warden/studio.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/log.h"
#include "supervisor/evidence/record.h"
#include "supervisor/warden/studio_file.h"
#include "supervisor/warden/warden.h"
#include "policy/remarks.h"

struct studio {
	struct warden *warden;
	uint64_t control; /* serial to answer */
	enum control_op op;
	struct studio_file file;
	struct config_child child;
	uv_timer_t timer; /* always there, as is turn: whose closing frees the memory */
	uv_idle_t turn;
	uv_poll_t end; /* of the child, while watched */
	bool watched;
	bool written;          /* the file is the new one, and the reload decides */
	int handles;           /* not closed yet */
	struct config *config; /* until the work owns it */
	struct tools_work *work;
	struct tools *tools;
	struct site *site;
	struct buf warnings;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct studio *studio = handle->data;

	if (--studio->handles > 0)
		return;
	site_free(studio->site);
	tools_end(studio->work);
	tools_free(studio->tools);
	config_free(studio->config);
	studio_file_fini(&studio->file);
	buf_fini(&studio->warnings);
	free(studio);
}

static void stop_watching(struct studio *studio)
{
	if (!studio->watched)
		return;
	studio->watched = false;
	uv_close((uv_handle_t *)&studio->end, on_handle_closed);
	uv_timer_stop(&studio->timer);
}

/* The last step; the memory goes when the handles are closed. */
static void finish(struct studio *studio)
{
	studio->warden->studio = NULL;
	stop_watching(studio);
	uv_close((uv_handle_t *)&studio->timer, on_handle_closed);
	uv_close((uv_handle_t *)&studio->turn, on_handle_closed);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void refuse(struct studio *studio, enum answer_status status, const char *why)
{
	warden_answer_control(studio->warden, studio->control, status, why);
	finish(studio);
}

static void put_version(struct buf *out, const struct digest *version)
{
	char hex[DIGEST_HEX_MAX];

	buf_textf(out, "\"version\":\"sha256:%s\"}", digest_hex(hex, version));
}

static void put_string(struct buf *out, const char *text, size_t len)
{
	(void)record_emit_string(out, text, len);
}

static void put_warnings(struct buf *out, struct buf *warnings)
{
	const char *text = buf_cstr(warnings);
	bool first = true;

	buf_text(out, "\"warnings\":[");
	while (text && *text) {
		size_t len = strcspn(text, "\n");

		if (len) {
			buf_text(out, first ? "" : ",");
			put_string(out, text, len);
			first = false;
		}
		text += len + (text[len] == '\n');
	}
	buf_text(out, "],");
}

static void answer(struct studio *studio, const struct config *config, const struct digest *version)
{
	struct warden *warden = studio->warden;
	struct buf cleanup_with(buf_fini) body;
	struct message message;
	int fault;

	buf_init(&body, MESSAGE_BODY_MAX);
	buf_text(&body, "{");
	if (studio->op == CONTROL_CONFIG_READ) {
		buf_text(&body, "\"config\":");
		put_string(&body, config->text, config->text_len);
		buf_text(&body, ",");
	} else {
		buf_textf(&body, "\"difference\":");
		buf_text(&body, config->difference); /* JSON, made by callgate-policy */
		buf_text(&body, ",");
		put_warnings(&body, &studio->warnings);
	}
	put_version(&body, version);
	message_init(&message, MESSAGE_CONTROLLED);
	message.serial = studio->control;
	message.u.controlled.status = ANSWER_OK;
	message.u.controlled.version = warden->tools->config->version;
	message.u.controlled.note = "";
	message.u.controlled.body = (struct bytes){.data = body.data, .len = body.len};
	if (body.fault) {
		refuse(studio, ANSWER_REFUSED,
		    "the policy, or what changes in it, is more than 4 MiB of text; read the file "
		    "on the machine itself");
		return;
	}
	fault = link_send(&warden->engine, &message);
	if (fault)
		stop_lost(warden, "callgate-engine", fault);
	finish(studio);
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_file(struct studio *studio)
{
	struct warden *warden = studio->warden;
	const struct config *config = studio->tools->config;
	struct err_note note = {""};
	int fault;

	if (warden->reload) {
		refuse(studio, ANSWER_UNAVAILABLE, "a reload is under way; ask again");
		return;
	}
	fault = studio_file_put(&studio->file, config->text, config->text_len, &note);
	if (fault) {
		refuse(studio, ANSWER_REFUSED, note.text);
		return;
	}
	studio->written = true;
	reload_begin(warden, studio->control); /* studio_reloaded() is told */
}

static void put_back(struct studio *studio)
{
	struct err_note note = {""};

	studio->written = false;
	if (studio_file_restore(&studio->file, &note))
		log_error("the edited policy stays in its file and is not in force: %s", note.text);
}

bool studio_reloaded(
    struct warden *warden, uint64_t serial, enum answer_status status, const char *note)
{
	struct studio *studio = warden->studio;
	const struct config *config;
	struct digest version;
	struct err_note why;

	if (!studio || !studio->written || studio->control != serial)
		return false;
	config = studio->tools->config;
	if (status != ANSWER_OK) {
		(void)err_note(&why, 0, "%s", note); /* it may point into what ends now */
		put_back(studio);
		refuse(studio, status, why.text);
		return true;
	}
	studio->written = false;
	if (studio_file_keep(&studio->file))
		log_warn("%s.0: the old policy could not be moved to .1; it stays there",
		    studio->file.path);
	if (digest_of(&version, config->text, config->text_len))
		refuse(studio, ANSWER_UNAVAILABLE, "written and loaded, but it has no version");
	else
		answer(studio, config, &version);
	return true;
}

/* ---- judging --------------------------------------------------------------------------------- */

static void judged(struct studio *studio)
{
	studio->tools = tools_take(studio->work);
	tools_end(take_ptr(studio->work));
	policy_remarks(studio->tools->config->policy, &studio->warnings);
	if (studio->op == CONTROL_CONFIG_WRITE)
		write_file(studio);
	else
		answer(studio, studio->tools->config, &studio->file.version);
}

static void on_turn(uv_idle_t *turn)
{
	struct studio *studio = turn->data;
	struct err_note note = {""};
	int more = tools_step(studio->work, &note);

	if (more > 0)
		return;
	uv_idle_stop(turn);
	if (more < 0)
		refuse(studio, ANSWER_REFUSED, note.text);
	else
		judged(studio);
}

static void begin_to_judge(struct studio *studio)
{
	struct warden *warden = studio->warden;
	struct tools_spec spec = reload_tools_spec(warden);
	struct err_note note = {""};
	int fault = reload_judge(warden, studio->config, &studio->site, &note);

	spec.warnings = &studio->warnings;
	if (!fault)
		fault = tools_begin(studio->config, &spec, &studio->work, &note);
	if (fault) {
		refuse(studio, ANSWER_REFUSED, note.text);
		return;
	}
	studio->config = NULL;
	uv_idle_start(&studio->turn, on_turn);
}

static void on_child_read(uv_poll_t *poll, int status, int events)
{
	struct studio *studio = poll->data;
	struct err_note note = {""};
	int fault;

	(void)status;
	(void)events;
	stop_watching(studio); /* its pidfd is about to be closed */
	fault = config_finish(&studio->child, &studio->config, &studio->warnings, &note);
	if (fault)
		refuse(studio,
		    fault == -EINVAL || fault == -EPERM ? ANSWER_REFUSED : ANSWER_UNAVAILABLE,
		    note.text);
	else if (studio->op == CONTROL_CONFIG_READ)
		answer(studio, studio->config, &studio->file.version);
	else
		begin_to_judge(studio);
}

static void on_too_long(uv_timer_t *timer)
{
	struct studio *studio = timer->data;

	stop_watching(studio);
	config_abort(&studio->child);
	refuse(studio, ANSWER_UNAVAILABLE, "callgate-policy took too long");
}

/* ---- the beginning --------------------------------------------------------------------------- */

static int watch(struct studio *studio)
{
	int fault = uv_poll_init(&studio->warden->loop, &studio->end, studio->child.child.pidfd);

	if (fault)
		return fault;
	studio->handles++;
	studio->watched = true;
	studio->end.data = studio;
	fault = uv_poll_start(&studio->end, UV_READABLE, on_child_read);
	return fault ? fault : uv_timer_start(&studio->timer, on_too_long, CONFIG_DEADLINE_MS, 0);
}

/* What it was made from must be what is there. */
static int check_expected(const struct studio *studio, const char *expected, struct err_note *note)
{
	struct digest made_from;

	if (!expected[0])
		return 0;
	if (digest_unhex(&made_from, expected))
		return err_note(note, -EINVAL, "the version is not 64 hexadecimal digits");
	if (digest_equal(&made_from, &studio->file.version))
		return 0;
	return err_note(note, -ESTALE, "%s: changed meanwhile; read it again and repeat the edit",
	    studio->file.path);
}

static int start(
    struct studio *studio, const struct message_control *control, struct err_note *note)
{
	struct warden *warden = studio->warden;
	const struct config_request request = {
	    .file = warden->options.config,
	    .overrides = &warden->options.overrides,
	    .nursery = &warden->nursery,
	    .mode = studio->op == CONTROL_CONFIG_READ ? LOAD_SHOW : LOAD_EDIT,
	    .edited = control->body.data,
	    .edited_len = control->body.len,
	};
	int fault = studio_file_read(&studio->file, warden->options.config, note);

	if (!fault)
		fault = check_expected(studio, control->expected, note);
	if (!fault)
		fault = config_start(&request, &warden->user, &studio->child, note);
	if (fault)
		return fault;
	fault = watch(studio);
	if (!fault)
		return 0;
	stop_watching(studio);
	config_abort(&studio->child);
	return err_note(note, fault, "callgate-policy cannot be watched: %s", uv_strerror(fault));
}

void studio_begin(struct warden *warden, const struct message *message)
{
	const struct message_control *control = &message->u.control;
	struct err_note note = {""};
	struct studio *studio;

	/* Engine has looked already; but it is not engine's word that opens the policy file. */
	if (!warden->tools->config->policy->http.studio) {
		warden_answer_control(
		    warden, message->serial, ANSWER_REFUSED, "the studio is off (server.studio)");
		return;
	}
	if (warden->studio || warden->phase != WARDEN_READY) {
		warden_answer_control(warden, message->serial, ANSWER_UNAVAILABLE,
		    "another edit of the policy is under way, or the daemon ends; ask again");
		return;
	}
	studio = calloc(1, sizeof(*studio));
	if (!studio) {
		stop_lost(warden, "memory", -ENOMEM);
		return;
	}
	studio->warden = warden;
	studio->control = message->serial;
	studio->op = (enum control_op)control->op;
	studio->file.dir = -1;
	buf_init(&studio->warnings, CONFIG_REPORT_MAX);
	warden->studio = studio;
	uv_timer_init(&warden->loop, &studio->timer); /* cannot fail */
	uv_idle_init(&warden->loop, &studio->turn);
	studio->timer.data = studio->turn.data = studio;
	studio->handles = 2;
	if (start(studio, control, &note))
		refuse(studio, ANSWER_REFUSED, note.text);
}

void studio_abort(struct warden *warden)
{
	struct studio *studio = warden->studio;

	if (!studio)
		return;
	if (studio->watched) {
		stop_watching(studio);
		config_abort(&studio->child);
	}
	if (studio->written)
		put_back(studio);
	uv_idle_stop(&studio->turn);
	finish(studio);
}
