#include "agent-api/web/web.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent-api/web/cors.h"
#include "agent-api/web/exchange.h"
#include "agent-api/web/routes.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/log.h"
#include "supervisor/evidence/digest.h"

#define WEB_BUSY "too busy; try again later"

void web_fail(struct web *web, const char *what, int fault)
{
	if (web->phase == WEB_FAILED || web->phase == WEB_DONE)
		return;
	log_error("%s: %s; this front ends", what, strerror(-fault));
	web->phase = WEB_FAILED;
	uv_stop(&web->loop);
}

/* Half of the link's queue is for what is new; the rest is kept for cancels and hang-ups. */
const char *web_refuses(const struct web *web)
{
	if (web->phase != WEB_SERVING)
		return "shutting down; no new requests";
	return link_backlog(&web->engine) > LINK_QUEUE_MAX / 2 ? WEB_BUSY : NULL;
}

int web_tell(struct web *web, struct message *message)
{
	int r = web->phase == WEB_DONE || web->phase == WEB_FAILED
		    ? -EPIPE
		    : link_send(&web->engine, message);

	if (r < 0)
		web_fail(web, "link to engine", r);
	return r;
}

/* ---- counting --------------------------------------------------------------------------- */

void web_report(struct web *web)
{
	struct message message;

	if (web_refuses(web))
		return; /* they go on adding up */
	message_init(&message, MESSAGE_COUNTS);
	message.u.counts = web->counts;
	message.u.counts.connections = web->server.count;
	message.u.counts.idle =
	    web->server.count > web->in_flight ? web->server.count - web->in_flight : 0;
	message.u.counts.streams = web->streams;
	web->counts = (struct message_counts){.health = 0};
	(void)web_tell(web, &message);
}

static void on_report(uv_timer_t *timer)
{
	web_report(timer->data);
}

/* ---- answers ---------------------------------------------------------------------------- */

void web_dress(const struct web *web, const struct http_request *request, struct reply *reply)
{
	reply_field(reply, "Cache-Control", "no-store");
	reply_field(reply, "X-Content-Type-Options", "nosniff");
	if (request)
		cors_fields(reply, web->site, request->head);
}

void web_answer(struct web *web, struct http_request *request, struct reply *reply)
{
	struct http_reply http;

	web->counts.answered++;
	web_dress(web, request, reply);
	http = reply_http(reply);
	(void)http_answer(request, &http); /* who is gone has hung up */
}

void web_answer_error(struct web *web, struct http_request *request, int status, const char *error)
{
	struct reply cleanup_with(reply_fini) reply;

	reply_init(&reply, status);
	reply_error(&reply, status, error, NULL);
	if (status == 503)
		reply_field(&reply, "Retry-After", "1");
	web_answer(web, request, &reply);
}

/* ---- the server's questions ------------------------------------------------------------- */

static int on_admit(void *owner, const struct http_request *request, uint64_t *body_max,
    struct http_refusal *ret_why)
{
	struct http_match match;

	/* A connection may outlive the certificate that it began with. */
	if (request->certificate &&
	    request->certificate->expires_s < (int64_t)(clock_wall_us() / 1000000)) {
		*ret_why = (struct http_refusal){403, "the client certificate has expired"};
		return ret_why->status;
	}
	return route_admit(owner, request, body_max, &match, ret_why);
}

static void on_take(void *owner, struct http_request *request)
{
	route_take(owner, request);
}

static void on_gone(void *owner, struct http_request *request, enum http_gone how)
{
	exchange_gone(owner, request, how);
}

/* The same form as everywhere. The struct stays, for the server sends it later. */
static void on_refused(
    void *owner, const struct http_refused *refused, struct http_reply *reply, struct buf *body)
{
	struct web *web = owner;
	struct reply *said = &web->refused;
	struct http_match match;
	struct http_refusal why;
	uint64_t body_max;

	web->counts.refused++;
	reply_fini(said);
	reply_init(said, refused->why.status);
	reply_error(said, refused->why.status, refused->why.reason, NULL);
	if (refused->why.status == 503 || refused->why.status == 429)
		reply_field(said, "Retry-After", "1");
	if (refused->why.status == 405 && refused->request &&
	    route_admit(web, refused->request, &body_max, &match, &why) == 405)
		reply_field(said, "Allow", "%s", match.allow);
	web_dress(web, refused->request, said);
	buf_put(body, said->body.data, said->body.len);
	if (said->overfull)
		return; /* plain words do */
	reply->type = REPLY_JSON;
	reply->fields = said->fields;
	reply->field_count = said->field_count;
}

static void on_ended(void *owner)
{
	struct web *web = owner;

	web->ended = true;
	if (web->phase == WEB_DONE)
		uv_stop(&web->loop);
}

static void on_failed(void *owner, const char *what, int fault)
{
	web_fail(owner, what, fault);
}

static const struct http_callbacks CALLBACKS = {
    .admit = on_admit,
    .take = on_take,
    .gone = on_gone,
    .refused = on_refused,
    .ended = on_ended,
    .failed = on_failed,
};

/* ---- how it serves ---------------------------------------------------------------------- */

static struct http_trust trust_of(const struct site *site)
{
	return (struct http_trust){.proxies = site->proxies, .local = site->local_proxies};
}

/* What the server reads at each request. */
static void use_site(struct web *web, struct site *site)
{
	struct site *old = web->site;

	web->site = site;
	web->server.config.trust = trust_of(site);
	web->server.config.body_max = site->said->body_max;
	site_free(old);
}

static int begin_serving(struct web *web, struct site *site)
{
	struct http_config config;
	int r;

	http_config_init(&config);
	config.connections_max = WEB_CONNECTIONS_MAX;
	config.trust = trust_of(site);
	config.body_max = site->said->body_max;
	r = http_server_init(&web->server, &web->loop, &config, &CALLBACKS, web);
	if (r < 0)
		return r;
	web->ended = false;
	r = http_server_listen(&web->server, web->listen_fd, site->tls);
	if (r < 0) {
		/* Of no use any more: the process ends, and the warden starts another. */
		if (!web->server.listening)
			close(web->listen_fd);
		web->listen_fd = -1;
		http_server_close(&web->server);
		return r;
	}
	web->listen_fd = -1;
	web->site = site;
	return 0;
}

static int change_site(struct web *web, struct site *site, struct err_note *note)
{
	int r = 0;

	if (!site->tls != !web->site->tls)
		return err_note(note, -EINVAL,
		    "server.tls: cannot be turned on or off by a reload; restart the daemon");
	if (site->tls)
		r = http_server_set_tls(&web->server, site->tls);
	if (r < 0)
		return err_note_errno(note, err_note(note, r, "server.tls: new certificate"));
	use_site(web, site);
	return 0;
}

static int take_site(struct web *web, struct message *message, struct err_note *note)
{
	struct site *site = NULL;
	int r;

	if (web->phase != WEB_SERVING)
		return err_note(note, -ESHUTDOWN, "the HTTP front is shutting down");
	r = site_new(message, &site, note);
	if (r < 0)
		return r;
	if (web->site)
		r = change_site(web, site, note);
	else if ((r = begin_serving(web, site)) < 0)
		(void)err_note_errno(note, err_note(note, r, "the HTTP front cannot listen"));
	if (r < 0)
		site_free(site);
	return r;
}

static void answer_site(struct web *web, struct message *message)
{
	uint64_t serial = message->serial;
	struct err_note note = {.text = ""};
	int r = take_site(web, message, &note);
	struct message answer;

	message_init(&answer, MESSAGE_SITE_TAKEN);
	answer.serial = serial;
	answer.u.site_taken.status = r == 0 ? ANSWER_OK : ANSWER_REFUSED;
	answer.u.site_taken.note = note.text;
	if (r < 0)
		log_warn("settings refused: %s", note.text);
	if (link_send(&web->warden, &answer) < 0)
		web_fail(web, "link to warden", -EPIPE);
	else if (r < 0 && web->listen_fd < 0 && !web->site)
		web_fail(web, "listen", r);
}

/* ---- from engine and warden ------------------------------------------------------------- */

/* The socket goes on answering, with 503: a balancer learns it from /health, and others are told
 * instead of being left without an answer. */
static void drain(struct web *web, const char *cause)
{
	if (web->phase != WEB_SERVING)
		return;
	log_info("taking no new requests: %s", cause);
	web->phase = WEB_DRAINING;
}

/* Engine has answered all it will; what is answered may still be read. */
static void deliver_last(struct web *web)
{
	web->phase = WEB_DONE; /* engine is told nothing any more */
	exchange_end_all(web);
	if (web->ended)
		uv_stop(&web->loop);
	else
		http_server_drain(&web->server, WEB_LAST_MS);
}

static bool is_one_line(const struct bytes *body)
{
	return body->len > 0 && !memchr(body->data, '\n', body->len);
}

static bool is_sound_reply(const struct message_reply *reply)
{
	if (reply->kind == REPLY_SILENT)
		return true;
	return (reply->kind == REPLY_RESULT || reply->kind == REPLY_ERROR) &&
	       is_one_line(&reply->body);
}

static void answer_ping(struct web *web, struct link *link, uint64_t serial)
{
	struct message answer;
	int r;

	message_init(&answer, MESSAGE_PONG);
	answer.serial = serial;
	r = link_send(link, &answer);
	if (r < 0)
		web_fail(web, link->name, r);
}

/* What both may say. false: none of that. */
static bool take_common(struct web *web, struct link *link, struct message *message)
{
	if (message->type == MESSAGE_PING)
		answer_ping(web, link, message->serial);
	else if (message->type == MESSAGE_LOGGER)
		log_set((enum log_level)message->u.logger.level,
		    (enum log_format)message->u.logger.format);
	else if (message->type == MESSAGE_DRAIN)
		drain(web, message->u.drain.cause);
	else
		return false;
	return true;
}

static void on_engine_message(struct link *link, struct message *message, int fault)
{
	struct web *web = link->owner;
	bool sound = true;

	if (!message) {
		if (web->phase == WEB_DRAINING)
			deliver_last(web);
		else
			web_fail(web, "link to engine lost", fault ? fault : -EPIPE);
		return;
	}
	if (message->type == MESSAGE_REPLY) {
		sound = is_sound_reply(&message->u.reply);
		if (sound)
			exchange_reply(web, message->serial, &message->u.reply);
	} else if (message->type == MESSAGE_NOTIFY) {
		sound = is_one_line(&message->u.notify.body);
		if (sound)
			exchange_notify(web, &message->u.notify);
	} else {
		sound = take_common(web, link, message);
	}
	if (!sound)
		web_fail(web, message_name(message->type), -EBADMSG);
}

static void on_warden_message(struct link *link, struct message *message, int fault)
{
	struct web *web = link->owner;

	if (!message) {
		if (web->phase == WEB_SERVING)
			web_fail(web, "link to warden lost", fault ? fault : -EPIPE);
		return;
	}
	if (message->type == MESSAGE_SITE)
		answer_site(web, message);
	else if (!take_common(web, link, message))
		web_fail(web, message_name(message->type), -EBADMSG);
}

/* ---- life ------------------------------------------------------------------------------- */

int web_open(struct web *web, int engine_fd, int listen_fd, int warden_fd)
{
	int r;

	memset(web, 0, sizeof(*web));
	web->listen_fd = listen_fd;
	web->ended = true; /* there is no server yet */
	r = key_random(&web->request_seed, sizeof(web->request_seed));
	if (r == 0)
		r = uv_loop_init(&web->loop);
	if (r == 0)
		r = uv_timer_init(&web->loop, &web->report);
	if (r < 0)
		return r;
	web->report.data = web;
	r = link_open(&web->engine, &web->loop, engine_fd, "engine", on_engine_message, web);
	if (r == 0)
		r = link_open(
		    &web->warden, &web->loop, warden_fd, "warden", on_warden_message, web);
	if (r == 0)
		r = uv_timer_start(&web->report, on_report, WEB_COUNTS_MS, WEB_COUNTS_MS);
	return r;
}

enum web_phase web_run(struct web *web)
{
	(void)uv_run(&web->loop, UV_RUN_DEFAULT); /* ended by uv_stop() */
	return web->phase;
}

void web_close(struct web *web)
{
	if (web->phase != WEB_DONE)
		web->phase = WEB_FAILED; /* nobody is told any more */
	exchange_end_all(web);
	if (web->site && !web->ended)
		http_server_close(&web->server);
	uv_close((uv_handle_t *)&web->report, NULL);
	link_close(&web->engine);
	link_close(&web->warden);
	(void)uv_run(&web->loop, UV_RUN_DEFAULT); /* the close callbacks */
	(void)uv_loop_close(&web->loop);
	site_free(web->site);
	web->site = NULL;
	reply_fini(&web->refused);
	if (web->listen_fd >= 0)
		close(take_fd(&web->listen_fd));
}
