#include "supervisor/control/device_flow.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/control/command.h"
#include "supervisor/control/web.h"

#define FORM_MAX     (64 * 1024)
#define EXPIRES_MAX  3600 /* s that a code is waited for, whatever the provider says */
#define LIFETIME_MAX (10 * 365 * 86400LL)
#define INTERVAL_S   5
#define INTERVAL_MAX 120
#define US           1000000ULL

static bool is_visible(const char *text, size_t max)
{
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return len > 0 && len < max;
}

/* An integer in [low, high], or fallback where there is none. -1: it is something else. */
static json_int_t number_in(
    const json_t *document, const char *key, json_int_t fallback, json_int_t low, json_int_t high)
{
	const json_t *value = json_object_get(document, key);
	json_int_t number = json_integer_value(value);

	if (!value)
		return fallback;
	if (!json_is_integer(value) || number < low)
		return -1;
	return number < high ? number : high;
}

int device_judge(const json_t *document, bool local, struct device *ret, struct err_note *note)
{
	const char *code = json_string_value(json_object_get(document, "device_code"));
	const char *user = json_string_value(json_object_get(document, "user_code"));
	const char *page = json_string_value(json_object_get(document, "verification_uri"));
	json_int_t expires = number_in(document, "expires_in", -1, 1, EXPIRES_MAX);
	json_int_t interval = number_in(document, "interval", INTERVAL_S, 1, INTERVAL_MAX);

	*ret = (struct device){.expires_s = 0};
	if (!is_visible(code, DEVICE_CODE_MAX))
		return err_note(note, -EINVAL, "device_code: not there, or no plain text");
	if (!is_visible(user, USER_CODE_MAX))
		return err_note(note, -EINVAL, "user_code: not there, or no plain text");
	if (expires < 0)
		return err_note(note, -EINVAL, "expires_in: not there, or no number of seconds");
	if (interval < 0)
		return err_note(note, -EINVAL, "interval: no number of seconds");
	(void)snprintf(ret->device_code, DEVICE_CODE_MAX, "%s", code);
	(void)snprintf(ret->user_code, USER_CODE_MAX, "%s", user);
	ret->expires_s = (unsigned)expires;
	ret->interval_s = (unsigned)interval;
	return discovery_judge_url(page, "verification_uri", local, ret->page, note);
}

static enum token_verdict judge_error(const json_t *document, struct err_note *note)
{
	static const struct {
		const char *error;
		enum token_verdict verdict;
	} rows[] = {
	    {"authorization_pending", TOKEN_PENDING},
	    {"slow_down", TOKEN_SLOW_DOWN},
	    {"access_denied", TOKEN_DENIED},
	    {"expired_token", TOKEN_EXPIRED},
	    {"invalid_grant", TOKEN_INVALID},
	};
	const char *error = json_string_value(json_object_get(document, "error"));
	const char *why = json_string_value(json_object_get(document, "error_description"));

	(void)err_note(note, 0, "the provider says %s%s%s", error ? error : "nothing",
	    why ? ": " : "", why ? why : "");
	for (size_t i = 0; error && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].error, error) == 0)
			return rows[i].verdict;
	return TOKEN_REFUSED;
}

enum token_verdict token_judge(
    long status, const json_t *document, struct granted *ret, struct err_note *note)
{
	const char *type = json_string_value(json_object_get(document, "token_type"));
	const char *refresh = json_string_value(json_object_get(document, "refresh_token"));
	const char *scope = json_string_value(json_object_get(document, "scope"));
	json_int_t expires = number_in(document, "expires_in", 0, 1, LIFETIME_MAX);

	*ret = (struct granted){.access_token = ""};
	if (status != 200)
		return judge_error(document, note);
	ret->access_token = json_string_value(json_object_get(document, "access_token"));
	if (!is_visible(ret->access_token, CREDENTIAL_MAX)) {
		(void)err_note(note, 0, "access_token: not there, or no plain text");
		return TOKEN_REFUSED;
	}
	if (!type || strcasecmp(type, "Bearer") != 0) {
		(void)err_note(
		    note, 0, "token_type: %s: only Bearer is of use here", type ? type : "(none)");
		return TOKEN_REFUSED;
	}
	if (expires < 0 || (refresh && !is_visible(refresh, CREDENTIAL_MAX))) {
		(void)err_note(
		    note, 0, "%s: not of its kind", expires < 0 ? "expires_in" : "refresh_token");
		return TOKEN_REFUSED;
	}
	ret->refresh_token = refresh ? refresh : "";
	ret->scope = scope ? scope : "";
	ret->expires_s = (uint64_t)expires;
	return TOKEN_GRANTED;
}

/* ---- over the network ----------------------------------------------------------------------- */

enum token_verdict token_ask(const struct remote *remote, const char *endpoint, const char *form,
    json_t **ret_document, int *ret_status, struct err_note *note)
{
	struct web_fetch fetch = {.remote = remote, .url = endpoint, .form = form};
	enum token_verdict verdict;
	struct granted granted;

	*ret_document = NULL;
	*ret_status = COMMAND_UNREACHABLE;
	if (web_fetch(&fetch) != 0) {
		*note = fetch.note;
		return TOKEN_REFUSED;
	}
	if (fetch.status >= 500 || fetch.status == 429) {
		json_decref(fetch.document);
		(void)err_note(
		    note, 0, "%s: HTTP status %ld; try again later", endpoint, fetch.status);
		return TOKEN_REFUSED;
	}
	*ret_status = COMMAND_NOT_AUTHENTICATED;
	verdict = token_judge(fetch.status, fetch.document, &granted, note);
	if (verdict == TOKEN_GRANTED)
		*ret_document = fetch.document;
	else
		json_decref(fetch.document);
	return verdict;
}

int device_begin(const struct remote *remote, const struct discovered *where, const char *client_id,
    const char *scope, struct device *ret, struct err_note *note)
{
	struct web_fetch fetch = {.remote = remote, .url = where->device_endpoint};
	struct buf cleanup_with(buf_fini) form = {0};
	struct err_note why = {0};
	int status = COMMAND_OK;

	buf_init(&form, FORM_MAX);
	web_form(&form, "client_id", client_id);
	web_form(&form, "scope", scope);
	web_form(&form, "resource", where->resource);
	fetch.form = buf_cstr(&form);
	if (!fetch.form) {
		(void)err_note(note, 0, "login: --client-id or --scope is too long");
		return COMMAND_USAGE;
	}
	if (web_fetch(&fetch) != 0) {
		*note = fetch.note;
		return COMMAND_UNREACHABLE;
	}
	if (fetch.status != 200) {
		(void)judge_error(fetch.document, &why);
		(void)err_note(note, 0, "%s: %s (HTTP status %ld); see --client-id and --scope",
		    fetch.url, why.text, fetch.status);
		status = COMMAND_NOT_AUTHENTICATED;
	} else if (device_judge(fetch.document, remote->at.loopback, ret, &why) != 0) {
		(void)err_note(note, 0, "%s: %s", fetch.url, why.text);
		status = COMMAND_USAGE;
	}
	json_decref(fetch.document);
	return status;
}

static void pause_s(unsigned seconds)
{
	struct timespec left = {.tv_sec = (time_t)seconds};

	while (nanosleep(&left, &left) != 0 && errno == EINTR)
		;
}

/* What ends the waiting, in words. */
static int end_of_wait(enum token_verdict verdict, struct err_note *note)
{
	struct err_note said = *note;

	if (verdict == TOKEN_DENIED)
		(void)err_note(note, 0,
		    "login: denied by the person who was asked, or by the "
		    "provider; nothing was stored");
	else if (verdict == TOKEN_EXPIRED)
		(void)err_note(note, 0,
		    "login: the code expired before it was entered; run it "
		    "again");
	else
		(void)err_note(note, 0, "login: %s; nothing was stored", said.text);
	return COMMAND_NOT_AUTHENTICATED;
}

int device_wait(const struct remote *remote, const struct discovered *where, const char *client_id,
    struct device *device, json_t **ret_document, struct err_note *note)
{
	uint64_t end = clock_monotonic_us() + device->expires_s * US;
	struct buf cleanup_with(buf_fini) form = {0};
	enum token_verdict verdict = TOKEN_EXPIRED;
	int status;

	buf_init(&form, FORM_MAX);
	web_form(&form, "grant_type", "urn:ietf:params:oauth:grant-type:device_code");
	web_form(&form, "device_code", device->device_code);
	web_form(&form, "client_id", client_id);
	web_form(&form, "resource", where->resource);
	while (buf_cstr(&form) && clock_monotonic_us() + device->interval_s * US < end) {
		pause_s(device->interval_s);
		verdict = token_ask(
		    remote, where->token_endpoint, buf_cstr(&form), ret_document, &status, note);
		if (verdict == TOKEN_SLOW_DOWN)
			device->interval_s += INTERVAL_S; /* RFC 8628 3.5 */
		else if (verdict == TOKEN_REFUSED && status == COMMAND_UNREACHABLE)
			device->interval_s *= 2; /* the same: back off where nobody answers */
		else if (verdict != TOKEN_PENDING)
			break;
		if (device->interval_s > INTERVAL_MAX)
			device->interval_s = INTERVAL_MAX;
		verdict = TOKEN_EXPIRED;
	}
	OPENSSL_cleanse(device->device_code, sizeof(device->device_code));
	return verdict == TOKEN_GRANTED ? COMMAND_OK : end_of_wait(verdict, note);
}
