#include "supervisor/engine/hooks/hook_send.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/hooks/hook_secret.h"
#include "supervisor/engine/hooks/hook_sign.h"
#include "supervisor/engine/ruleset.h"

#define BODY_MAX (4 * 1024 * 1024) /* while it is built; what goes out is far shorter */
#define URL_MAX  2048

void hook_request_fini(struct hook_request *request)
{
	for (uint32_t i = 0; i < request->header_count; i++) {
		key_wipe(request->headers[i], strlen(request->headers[i]));
		free(request->headers[i]);
	}
	request->header_count = 0;
	buf_fini(&request->url_text);
	buf_fini(&request->body);
}

/* What breaks a line would be a header of its own. */
static bool is_one_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || (unsigned char)*text == 0x7f)
			return false;
	return true;
}

static int add(struct hook_request *request, const char *name, const char *value)
{
	char *line = NULL;

	if (!is_one_line(value) || request->header_count == HOOK_HEADERS_MAX)
		return -EINVAL;
	if (asprintf(&line, "%s: %s", name, value) < 0)
		return -ENOMEM;
	request->headers[request->header_count++] = line;
	return 0;
}

/* ---- signatures ----------------------------------------------------------------------------- */

static int sign_standard(struct hook_request *request, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) value = {0};
	char seconds[24];
	int fault;

	buf_init(&value, 128);
	(void)snprintf(seconds, sizeof(seconds), "%" PRIu64, message->time_s);
	fault = hook_sign_standard(&value, message);
	if (!fault)
		fault = add(request, "webhook-id", message->id);
	if (!fault)
		fault = add(request, "webhook-timestamp", seconds);
	return fault ? fault : add(request, "webhook-signature", buf_cstr(&value));
}

static int sign_github(struct hook_request *request, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) value = {0};
	int fault;

	buf_init(&value, 128);
	fault = hook_sign_github(&value, message);
	if (!fault)
		fault = add(request, "X-GitHub-Event", "approval");
	if (!fault)
		fault = add(request, "X-GitHub-Delivery", message->id);
	return fault ? fault : add(request, "X-Hub-Signature-256", buf_cstr(&value));
}

static int sign_slack(struct hook_request *request, const struct hook_message *message)
{
	struct buf cleanup_with(buf_fini) value = {0};
	char seconds[24];
	int fault;

	buf_init(&value, 128);
	(void)snprintf(seconds, sizeof(seconds), "%" PRIu64, message->time_s);
	fault = hook_sign_slack(&value, message);
	if (!fault)
		fault = add(request, "X-Slack-Request-Timestamp", seconds);
	return fault ? fault : add(request, "X-Slack-Signature", buf_cstr(&value));
}

/* The topic of a closed server is written to with its access token. */
static int show_token(struct hook_request *request, const char *secret)
{
	struct buf cleanup_with(buf_fini) value = {0};
	int fault;

	buf_init(&value, 1024);
	buf_textf(&value, "Bearer %s", secret);
	fault = value.fault ? value.fault : add(request, "Authorization", buf_cstr(&value));
	if (value.data)
		key_wipe(value.data, value.cap);
	return fault;
}

static int sign(struct hook_request *request, enum channel_type type, const char *secret,
    const struct hook_form *form)
{
	const struct hook_message message = {.secret = secret,
	    .id = form->id,
	    .time_s = form->wall_us / 1000000,
	    .body = request->body.data,
	    .body_len = request->body.len};

	switch (type) {
	case CHANNEL_STANDARD: return sign_standard(request, &message);
	case CHANNEL_GITHUB: return sign_github(request, &message);
	case CHANNEL_SLACK: return sign_slack(request, &message);
	case CHANNEL_JSON: return secret ? sign_standard(request, &message) : 0;
	case CHANNEL_NTFY: return secret ? show_token(request, secret) : 0;
	case CHANNEL_NONE:
	case CHANNEL_TYPE_COUNT: break;
	}
	return -EINVAL;
}

static bool needs_secret(const struct policy_channel *channel)
{
	return channel->type == CHANNEL_STANDARD || channel->type == CHANNEL_GITHUB ||
	       channel->type == CHANNEL_SLACK || channel->secret_env[0];
}

/* ---- the request ---------------------------------------------------------------------------- */

static int refuse(struct hook_request *request, int fault, const char *why)
{
	request->why = why;
	return fault;
}

/* A channel whose secret is named and not there is told nothing: unsigned, it would be believed. */
static int find_place(struct hook_request *request, const struct engine *engine,
    const struct policy_channel *channel, struct hook_form *form)
{
	request->url = channel->url[0] ? channel->url : hook_secret_find(engine, channel->url_env);
	if (!request->url)
		return refuse(request, -ENOENT, "the variable of its url_env is not set");
	request->by_https = strncmp(request->url, "https://", 8) == 0;
	if (channel->type != CHANNEL_NTFY)
		return 0;
	buf_init(&request->url_text, URL_MAX);
	if (hook_form_ntfy(request->url, &request->url_text, &form->topic) ||
	    !buf_cstr(&request->url_text))
		return refuse(request, -EINVAL, "its url does not end in a topic");
	request->url = (const char *)request->url_text.data;
	return 0;
}

static int build_body(struct hook_request *request, const struct engine *engine,
    const struct policy_channel *channel, struct hook_form *form)
{
	const char *base = engine->rules->policy->http.url;
	struct buf cleanup_with(buf_fini) answer = {0};
	struct buf cleanup_with(buf_fini) page = {0};
	int fault;

	buf_init(&answer, URL_MAX);
	buf_init(&page, URL_MAX);
	if (base && base[0]) {
		buf_textf(&answer, "%s/v1/approvals/callback/%s", base, channel->name);
		buf_textf(&page, "%s/", base);
	}
	form->answer_url = buf_cstr(&answer);
	form->page_url = buf_cstr(&page);
	if (!form->answer_url || !form->page_url)
		return refuse(request, -ENOBUFS, "server.url is too long");
	buf_init(&request->body, BODY_MAX);
	fault = hook_form_body(&request->body, form, &request->whole);
	form->answer_url = form->page_url = "";
	return fault ? refuse(request, fault, "its body cannot be built") : 0;
}

int hook_request_build(struct hook_request *ret, const struct engine *engine,
    const struct policy_channel *channel, struct hook_form *form)
{
	const char *secret = hook_secret_find(engine, channel->secret_env);
	int fault;

	*ret = (struct hook_request){.url = ""};
	if (needs_secret(channel) && !secret)
		return refuse(ret, -ENOENT, "the variable of its secret_env is not set");
	fault = find_place(ret, engine, channel, form);
	if (!fault)
		fault = build_body(ret, engine, channel, form);
	if (fault)
		return fault;
	fault = add(ret, "Content-Type", "application/json");
	if (!fault)
		fault = add(ret, "X-Callgate-Event", form->event);
	if (!fault)
		fault = sign(ret, channel->type, secret, form);
	return fault ? refuse(ret, fault, "its secret cannot sign: it is not what it says") : 0;
}
