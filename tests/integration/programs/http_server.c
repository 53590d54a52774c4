/*
 * A small owner of an HTTP server, for tests: routes that answer at once, later, in a stream, too
 * much, or wrongly. Prints "port N" when it listens. SIGHUP reads certificate and key anew,
 * SIGTERM drains for two seconds. Opens its files before it serves, but for the reload.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "agent-api/http/listen.h"
#include "agent-api/http/router.h"
#include "agent-api/http/server.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/str.h"

#define FILE_MAX (256 * 1024)
#define TRUSTED  8

struct app {
	uv_loop_t loop;
	struct http_server server;
	struct http_config config;
	struct http_network trusted[TRUSTED];
	const char *cert;
	const char *key;
	const char *client_ca;
	bool required;
	bool ended;
	uv_signal_t hup;
	uv_signal_t term;
	unsigned long gone;
	unsigned long half;
	unsigned long refused;
	unsigned long taken;
};

/* What a request waits for. */
struct job {
	uv_timer_t timer;
	struct http_request *request; /* NULL: over */
	bool stream;
	bool cancel; /* a client that sends no more is one that is gone */
	unsigned left;
};

enum {
	ROUTE_HEALTH = 1,
	ROUTE_ECHO,
	ROUTE_WHO,
	ROUTE_LATER,
	ROUTE_CANCEL,
	ROUTE_STREAM,
	ROUTE_FLOOD,
	ROUTE_BIG,
	ROUTE_INJECT,
	ROUTE_STATS
};

static const struct http_route ROUTES[] = {
    {HTTP_METHOD_GET, "/health", ROUTE_HEALTH},
    {HTTP_METHOD_POST, "/echo", ROUTE_ECHO},
    {HTTP_METHOD_GET, "/who", ROUTE_WHO},
    {HTTP_METHOD_GET, "/later", ROUTE_LATER},
    {HTTP_METHOD_POST, "/later", ROUTE_LATER},
    {HTTP_METHOD_GET, "/cancel", ROUTE_CANCEL},
    {HTTP_METHOD_GET, "/stream", ROUTE_STREAM},
    {HTTP_METHOD_GET, "/flood", ROUTE_FLOOD},
    {HTTP_METHOD_GET, "/big", ROUTE_BIG},
    {HTTP_METHOD_GET, "/inject", ROUTE_INJECT},
    {HTTP_METHOD_GET, "/stats", ROUTE_STATS},
};

static void answer(struct http_request *request, int status, const char *text)
{
	struct http_reply reply = {
	    .status = status, .type = "text/plain", .body = text, .len = strlen(text)};

	(void)http_answer(request, &reply);
}

static unsigned number(const struct http_request *request, const char *name, unsigned otherwise)
{
	char text[16];
	uint64_t value;

	if (http_query_value(request->head->query, name, text, sizeof(text)) < 0 ||
	    str_u64(text, UINT32_MAX, &value) < 0)
		return otherwise;
	return (unsigned)value;
}

/* ---- later and in pieces ---------------------------------------------------------------- */

static void on_job_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end_job(struct job *job)
{
	job->request = NULL;
	uv_timer_stop(&job->timer);
	uv_close((uv_handle_t *)&job->timer, on_job_closed);
}

static void on_job(uv_timer_t *timer)
{
	struct job *job = timer->data;
	struct http_event event = {.name = "progress", .data = "{\"a\":\n1}", .len = 8};

	if (!job->stream) {
		answer(job->request, 200, "later\n");
		end_job(job);
	} else if (job->left-- == 0) {
		http_stream_end(job->request);
		end_job(job);
	} else if (http_stream_event(job->request, &event) < 0) {
		end_job(job);
	}
}

static void begin_job(struct app *app, struct http_request *request, int route)
{
	struct http_reply reply = {.status = 200, .type = "text/event-stream"};
	struct job *job = calloc(1, sizeof(*job));
	unsigned ms = number(request, "ms", 50);

	if (!job)
		abort();
	job->request = request;
	job->stream = route == ROUTE_STREAM;
	job->cancel = route == ROUTE_CANCEL;
	job->left = number(request, "n", 3);
	request->data = job;
	job->timer.data = job;
	if (uv_timer_init(&app->loop, &job->timer) < 0)
		abort();
	if (job->stream && http_stream_begin(request, &reply, true) != 0)
		end_job(job);
	else
		(void)uv_timer_start(&job->timer, on_job, ms, job->stream ? ms : 0);
}

/* Says more than anybody reads. */
static void flood(struct http_request *request)
{
	static char block[16384];
	struct http_reply reply = {.status = 200, .type = "application/octet-stream"};
	unsigned long said = 0;

	memset(block, 'x', sizeof(block));
	if (http_stream_begin(request, &reply, false) != 0)
		return;
	while (http_stream_put(request, block, sizeof(block)) == 0)
		said += sizeof(block);
	printf("flood %lu\n", said);
}

/* ---- at once ---------------------------------------------------------------------------- */

static void say_who(struct http_request *request)
{
	const struct http_certificate *certificate = request->certificate;
	char address[HTTP_ADDRESS_TEXT_MAX];
	char digest[65] = "";
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, 8192);
	buf_textf(&text, "client=%s scheme=%s uid=%d\n",
	    http_address_text(address, &request->client.address),
	    request->client.https ? "https" : "http",
	    request->local.known ? (int)request->local.uid : -1);
	if (certificate) {
		str_hex(digest, certificate->sha256, sizeof(certificate->sha256));
		buf_textf(&text, "subject=%s sha256=%s expires=%lld\n", certificate->subject,
		    digest, (long long)certificate->expires_s);
		for (size_t i = 0; i < certificate->count; i++)
			buf_textf(&text, "name=%d:%s\n", (int)certificate->names[i].kind,
			    certificate->names[i].text);
	}
	answer(request, 200, buf_cstr(&text));
}

static void say_big(struct http_request *request)
{
	size_t len = number(request, "bytes", 1000000);
	struct http_reply reply = {.status = 200, .type = "text/plain", .len = len};
	char *body = malloc(len + 1);

	if (!body)
		abort();
	memset(body, 'b', len);
	reply.body = body;
	(void)http_answer(request, &reply);
	free(body);
}

static void inject(struct http_request *request)
{
	struct http_field field = {"X-Said", "a\r\nSet-Cookie: b=c"};
	struct http_reply reply = {.status = 200, .fields = &field, .field_count = 1};
	int r = http_answer(request, &reply);

	printf("inject %d\n", r == -EINVAL);
}

static void say_stats(struct app *app, struct http_request *request)
{
	char text[256];

#ifdef CALLGATE_SANITIZED
	const int sanitized = 1;
#else
	const int sanitized = 0;
#endif
	(void)snprintf(text, sizeof(text),
	    "connections=%u held=%llu gone=%lu half=%lu refused=%lu taken=%lu sanitized=%d\n",
	    app->server.count, (unsigned long long)app->server.held, app->gone, app->half,
	    app->refused, app->taken, sanitized);
	answer(request, 200, text);
}

static void on_take(void *owner, struct http_request *request)
{
	struct app *app = owner;
	struct http_reply echo = {.status = 200,
	    .type = "application/octet-stream",
	    .body = request->body,
	    .len = request->body_len};
	struct http_field allow = {.name = "Allow"};
	struct http_match match;
	struct http_refusal why;
	int status = http_route_find(
	    ROUTES, sizeof(ROUTES) / sizeof(ROUTES[0]), request->head, &match, &why);

	app->taken++;
	if (status) {
		struct http_reply no = {.status = status, .type = "text/plain"};

		allow.value = match.allow;
		no.fields = &allow;
		no.field_count = status == 405;
		no.body = why.reason;
		no.len = strlen(why.reason);
		(void)http_answer(request, &no);
		return;
	}
	switch (match.id) {
	case ROUTE_HEALTH: answer(request, 200, "ok\n"); break;
	case ROUTE_ECHO: (void)http_answer(request, &echo); break;
	case ROUTE_WHO: say_who(request); break;
	case ROUTE_FLOOD: flood(request); break;
	case ROUTE_BIG: say_big(request); break;
	case ROUTE_INJECT: inject(request); break;
	case ROUTE_STATS: say_stats(app, request); break;
	default: begin_job(app, request, match.id); break;
	}
}

/* ---- the rest of an owner --------------------------------------------------------------- */

static void on_abandon(uv_timer_t *timer)
{
	struct job *job = timer->data;

	http_request_abandon(job->request);
	end_job(job);
}

static void on_gone(void *owner, struct http_request *request, enum http_gone how)
{
	struct app *app = owner;
	struct job *job = request->data;

	if (how == HTTP_GONE_ENTIRELY) {
		app->gone++;
		end_job(job);
		return;
	}
	app->half++;
	if (job->cancel)
		(void)uv_timer_start(&job->timer, on_abandon, 0, 0);
}

static int on_admit(
    void *owner, const struct http_request *request, uint64_t *body_max, struct http_refusal *why)
{
	struct http_text value;

	(void)owner;
	if (http_text_is(request->head->path, "/small"))
		*body_max = 10;
	if (http_head_find(request->head, "x-no", &value) == HTTP_FOUND_NONE)
		return 0;
	*why = (struct http_refusal){403, "not admitted"};
	return why->status;
}

static void on_refused(
    void *owner, const struct http_refused *refused, struct http_reply *reply, struct buf *body)
{
	struct app *app = owner;

	app->refused++;
	reply->type = "application/json";
	buf_textf(body, "{\"error\":\"%s\"}\n", refused->why.reason);
}

static void on_ended(void *owner)
{
	struct app *app = owner;

	app->ended = true;
	uv_close((uv_handle_t *)&app->hup, NULL);
	uv_close((uv_handle_t *)&app->term, NULL);
}

static void on_failed(void *owner, const char *what, int fault)
{
	(void)owner;
	fprintf(stderr, "http_server: %s: %s\n", what, strerror(-fault));
	exit(1);
}

static const struct http_callbacks CALLBACKS = {
    .admit = on_admit,
    .take = on_take,
    .gone = on_gone,
    .refused = on_refused,
    .ended = on_ended,
    .failed = on_failed,
};

static char *read_file(const char *path, size_t *ret_len)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;

	if (fd < 0 || fd_read_all(fd, FILE_MAX, &text, ret_len) < 0) {
		fprintf(stderr, "http_server: cannot read %s\n", path);
		return NULL;
	}
	return text;
}

static struct http_tls *load_tls(const struct app *app)
{
	struct http_tls_config config = {.client_required = app->required};
	char cleanup_free *cert = read_file(app->cert, &config.chain_len);
	char cleanup_free *key = read_file(app->key, &config.key_len);
	char cleanup_free *ca =
	    app->client_ca ? read_file(app->client_ca, &config.client_ca_len) : NULL;
	struct http_tls *tls = NULL;
	struct err_note note;

	config.chain = cert;
	config.key = key;
	config.client_ca = ca;
	if (cert && key && http_tls_new(&config, &tls, &note) < 0)
		fprintf(stderr, "http_server: %s\n", note.text);
	return tls;
}

static void on_hup(uv_signal_t *signal, int number)
{
	struct app *app = signal->data;
	struct http_tls *tls = load_tls(app);

	(void)number;
	printf("reload %d\n", tls ? http_server_set_tls(&app->server, tls) : -EINVAL);
	http_tls_unref(tls);
}

static void on_term(uv_signal_t *signal, int number)
{
	struct app *app = signal->data;

	(void)number;
	http_server_drain(&app->server, 2000);
}

static void set_number(struct app *app, const char *text)
{
	static const char *const NAMES[] = {[HTTP_DEADLINE_HEAD] = "head",
	    [HTTP_DEADLINE_BODY] = "body",
	    [HTTP_DEADLINE_IDLE] = "idle",
	    [HTTP_DEADLINE_WRITE] = "write",
	    [HTTP_DEADLINE_TICK] = "tick",
	    [HTTP_DEADLINE_LINGER] = "linger"};
	const char *equals = strchr(text, '=');
	struct http_text name = {text, equals ? (size_t)(equals - text) : 0};
	uint64_t value;

	if (!equals || str_u64(equals + 1, UINT32_MAX, &value) < 0)
		exit(2);
	if (http_text_is(name, "connections"))
		app->config.connections_max = (uint32_t)value;
	else if (http_text_is(name, "held"))
		app->config.held_max = value;
	else if (http_text_is(name, "max"))
		app->config.body_max = value;
	for (int i = 1; i < HTTP_DEADLINE_COUNT; i++) {
		if (http_text_is(name, NAMES[i]))
			app->config.ms[i] = value;
	}
}

static int open_socket(const char *where, struct err_note *note)
{
	if (strcmp(where, "inherited") == 0)
		return http_listen_inherited(0, note);
	if (where[0] == '/')
		return http_listen_unix(where, 0600, note);
	return http_listen_tcp(where, 0, note);
}

static const char *read_options(struct app *app, int argc, char **argv)
{
	const char *where = "127.0.0.1";
	int option;

	app->config.trust.proxies.list = app->trusted;
	while ((option = getopt(argc, argv, "l:c:k:a:rt:us:")) != -1) {
		switch (option) {
		case 'l': where = optarg; break;
		case 'c': app->cert = optarg; break;
		case 'k': app->key = optarg; break;
		case 'a': app->client_ca = optarg; break;
		case 'r': app->required = true; break;
		case 'u': app->config.trust.local = true; break;
		case 's': set_number(app, optarg); break;
		case 't':
			if (http_network_parse(
				optarg, &app->trusted[app->config.trust.proxies.count++]) == 0)
				break;
			exit(2);
		default: exit(2);
		}
	}
	return where;
}

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int start(struct app *app, const char *where)
{
	struct http_tls *tls = app->cert ? load_tls(app) : NULL;
	struct err_note note;
	int fd = open_socket(where, &note);
	int r;

	if (fd < 0)
		fprintf(stderr, "http_server: %s\n", note.text);
	if (fd < 0 || (app->cert && !tls))
		return -EINVAL;
	r = http_server_init(&app->server, &app->loop, &app->config, &CALLBACKS, app);
	if (r == 0)
		r = http_server_listen(&app->server, fd, tls);
	http_tls_unref(tls);
	printf("port %u\n", http_listen_port(fd));
	return r;
}

int main(int argc, char **argv)
{
	static struct app app;
	const char *where;

	setvbuf(stdout, NULL, _IOLBF, 0);
	http_config_init(&app.config);
	where = read_options(&app, argc, argv);
	raise_descriptors();
	app.hup.data = &app;
	app.term.data = &app;
	if (uv_loop_init(&app.loop) < 0 || uv_signal_init(&app.loop, &app.hup) < 0 ||
	    uv_signal_init(&app.loop, &app.term) < 0 ||
	    uv_signal_start(&app.hup, on_hup, SIGHUP) < 0 ||
	    uv_signal_start(&app.term, on_term, SIGTERM) < 0 || start(&app, where) < 0)
		return 1;
	(void)uv_run(&app.loop, UV_RUN_DEFAULT);
	if (uv_loop_close(&app.loop) < 0 || !app.ended || app.server.held != 0) {
		fprintf(stderr, "http_server: something is left: held %llu\n",
		    (unsigned long long)app.server.held);
		return 1;
	}
	return 0;
}
