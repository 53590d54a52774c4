#include "supervisor/control/remote.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/control/command.h"
#include "supervisor/control/device_flow.h"
#include "supervisor/control/login_store.h"
#include "supervisor/control/web.h"

#define EARLY_S  30 /* a token that ends sooner is refreshed now */
#define FORM_MAX (128 * 1024)

static int is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

int remote_trim(char out[CREDENTIAL_MAX], const char *text, size_t len)
{
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	while (len > 0 && is_blank(*text)) {
		text++;
		len--;
	}
	out[0] = '\0';
	if (len == 0)
		return -ENODATA;
	if (len >= CREDENTIAL_MAX)
		return -EMSGSIZE;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return -EINVAL;
	memcpy(out, text, len);
	out[len] = '\0';
	return 0;
}

static const char *why_not(int fault)
{
	return fault == -ENODATA    ? "it is empty"
	       : fault == -EMSGSIZE ? "it is too long for a token or a key"
	       : fault == -EINVAL   ? "it holds what no token or key holds"
				    : strerror(-fault);
}

/* A file, or a pipe of a shell's <(...). */
static int from_file(const char *path, char out[CREDENTIAL_MAX], struct err_note *note)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[CREDENTIAL_MAX + 1];
	size_t len = 0;
	ssize_t got = 1;
	int result = fd < 0 ? -errno : 0;

	while (result == 0 && got != 0 && len < sizeof(text)) {
		got = read(fd, text + len, sizeof(text) - len);
		if (got < 0 && errno != EINTR)
			result = -errno;
		len += got > 0 ? (size_t)got : 0;
	}
	if (result == 0)
		result = remote_trim(out, text, len);
	OPENSSL_cleanse(text, sizeof(text));
	if (result == 0)
		return 0;
	(void)err_note(
	    note, 0, "--token-file %s: %s; it holds one token or API key", path, why_not(result));
	return COMMAND_USAGE;
}

/* ---- a stored login ------------------------------------------------------------------------- */

static int is_over(const struct login *login)
{
	return login->expires != 0 && login->expires < clock_wall_us() / 1000000 + EARLY_S;
}

static int ask_again(const struct remote *remote, struct err_note *note)
{
	(void)err_note(note, 0, "%s: your login has expired; run `callgate login --url %s`",
	    remote->url, remote->url);
	return COMMAND_NOT_AUTHENTICATED;
}

/* Another token for the refresh token; the login is replaced by it. */
static int refresh(const struct remote *remote, const struct login *old, char out[CREDENTIAL_MAX],
    struct err_note *note)
{
	struct buf cleanup_with(buf_fini) form = {0};
	struct login renewed = *old;
	json_t *document = NULL;
	enum token_verdict verdict;
	struct granted granted;
	int status = COMMAND_USAGE;

	buf_init(&form, FORM_MAX);
	web_form(&form, "grant_type", "refresh_token");
	web_form(&form, "refresh_token", old->refresh_token);
	web_form(&form, "client_id", old->client_id);
	web_form(&form, "resource", old->resource);
	if (!buf_cstr(&form))
		return ask_again(remote, note);
	verdict = token_ask(remote, old->token_endpoint, buf_cstr(&form), &document, &status, note);
	OPENSSL_cleanse(form.data, form.len);
	if (verdict != TOKEN_GRANTED)
		return status == COMMAND_UNREACHABLE ? status : ask_again(remote, note);
	(void)token_judge(200, document, &granted, note);
	renewed.access_token = granted.access_token;
	if (granted.refresh_token[0])
		renewed.refresh_token = granted.refresh_token;
	renewed.expires = granted.expires_s ? clock_wall_us() / 1000000 + granted.expires_s : 0;
	if (login_write(remote, &renewed, note) != 0)
		command_warn("login: the refreshed token was not stored: %s", note->text);
	(void)snprintf(out, CREDENTIAL_MAX, "%s", granted.access_token);
	json_decref(document);
	return COMMAND_OK;
}

/* Under the lock, what another command has refreshed meanwhile is there. */
static int renew(const struct remote *remote, char out[CREDENTIAL_MAX], struct err_note *note)
{
	int cleanup_fd lock = login_lock(remote);
	struct login cleanup_with(login_fini) login = {.url = ""};
	struct err_note why = {0};

	if (lock < 0) {
		(void)err_note(note, 0, "login: cannot lock the login: %s", strerror(-lock));
		return COMMAND_USAGE;
	}
	if (login_read(remote, &login, &why) != 0 || !login.refresh_token[0])
		return ask_again(remote, note);
	if (is_over(&login))
		return refresh(remote, &login, out, note);
	(void)snprintf(out, CREDENTIAL_MAX, "%s", login.access_token);
	return COMMAND_OK;
}

static int from_login(const struct remote *remote, char out[CREDENTIAL_MAX], struct err_note *note)
{
	struct login cleanup_with(login_fini) login = {.url = ""};
	int result = login_read(remote, &login, note);

	if (result == -ENOENT)
		return COMMAND_OK; /* nobody has logged in: the gate says what it wants */
	if (result != 0)
		return COMMAND_USAGE;
	if (is_over(&login))
		return login.refresh_token[0] ? renew(remote, out, note) : ask_again(remote, note);
	if (remote_trim(out, login.access_token, strlen(login.access_token)) == 0)
		return COMMAND_OK;
	return ask_again(remote, note);
}

int remote_credential(const struct remote *remote, char out[CREDENTIAL_MAX], struct err_note *note)
{
	const char *token = getenv("CALLGATE_TOKEN");
	int result;

	out[0] = '\0';
	if (remote->token_file)
		return from_file(remote->token_file, out, note);
	if (!token || !token[0])
		return from_login(remote, out, note);
	result = remote_trim(out, token, strlen(token));
	if (result == 0)
		return COMMAND_OK;
	(void)err_note(note, 0, "CALLGATE_TOKEN: %s; it is one token or API key", why_not(result));
	return COMMAND_USAGE;
}
