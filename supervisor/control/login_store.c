#include "supervisor/control/login_store.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/control/discovery.h"

#define LOGIN_VERSION 1
#define LOGIN_MAX     (128 * 1024) /* bytes of a file */

void login_fini(struct login *login)
{
	json_decref(login->document);
	*login = (struct login){.url = ""};
}

/* Not the daemon's state, which has another owner where it is a service. */
int login_folder(char out[PATHS_MAX])
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	int len;

	if (state && state[0] == '/')
		len = snprintf(out, PATHS_MAX, "%s/callgate/login", state);
	else if (home && home[0] == '/')
		len = snprintf(out, PATHS_MAX, "%s/.local/state/callgate/login", home);
	else
		return -ENOENT;
	return len < PATHS_MAX ? 0 : -ENAMETOOLONG;
}

static const char *file_name(const struct remote *remote, const char *end, char out[URL_MAX + 8])
{
	char name[URL_MAX];

	(void)snprintf(out, URL_MAX + 8, "%s.%s", url_file_name(&remote->at, name), end);
	return out;
}

/* ---- what a file holds ---------------------------------------------------------------------- */

static int judge(struct login *login, struct err_note *note)
{
	const char *const texts[] = {login->client_id, login->resource, login->access_token};
	char url[URL_MAX];
	struct url at;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!texts[i] || !texts[i][0])
			return err_note(note, -EINVAL, "a field is not there");
	if (!login->url || url_read(&at, login->url, NULL) != 0)
		return err_note(note, -EINVAL, "url: no address of a gate");
	if (discovery_judge_url(login->issuer, "issuer", at.loopback, url, note) != 0)
		return -EINVAL;
	return discovery_judge_url(login->token_endpoint, "token_endpoint", at.loopback, url, note);
}

static int fill(struct login *login, json_t *document, struct err_note *note)
{
	json_int_t version = 0, expires = 0;
	json_error_t error;

	*login = (struct login){.url = "", .document = document};
	if (!document ||
	    json_unpack_ex(document, &error, 0,
		"{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "version", &version, "url",
		&login->url, "issuer", &login->issuer, "token_endpoint", &login->token_endpoint,
		"client_id", &login->client_id, "resource", &login->resource, "scope",
		&login->scope, "access_token", &login->access_token, "refresh_token",
		&login->refresh_token, "expires", &expires) != 0 ||
	    version != LOGIN_VERSION || expires < 0)
		return err_note(note, -EINVAL, "not as `callgate login` writes it");
	login->expires = (uint64_t)expires;
	return judge(login, note);
}

/* A secret that others can read, or that others wrote, is none of ours. */
static int check_file(int fd, struct err_note *note)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return err_note(note, -errno, "%s", strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_uid != geteuid() || (status.st_mode & 077))
		return err_note(note, -EPERM, "must be a file of yours with mode 0600");
	return 0;
}

static int read_at(int folder, const char *name, struct login *ret, struct err_note *note)
{
	int cleanup_fd fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char *cleanup_free text = NULL;
	json_t *document = NULL;
	size_t len = 0;
	int result;

	if (fd < 0)
		return err_note(note, -errno, "%s", strerror(errno));
	result = check_file(fd, note);
	if (result == 0)
		result = fd_read_all(fd, LOGIN_MAX, &text, &len);
	if (result != 0)
		return note->text[0] ? result : err_note(note, result, "%s", strerror(-result));
	document = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	OPENSSL_cleanse(text, len);
	result = fill(ret, document, note);
	if (result != 0)
		login_fini(ret);
	return result;
}

int login_read_file(const char *name, struct login *ret, struct err_note *note)
{
	struct err_note why = {0};
	int cleanup_fd folder = -1;
	char path[PATHS_MAX];
	int result = login_folder(path);

	*ret = (struct login){.url = ""};
	if (result != 0)
		return result;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return err_note(note, -errno, "%s: %s", path, strerror(errno));
	result = read_at(folder, name, ret, &why);
	if (result != 0)
		(void)err_note(
		    note, result, "%s/%s: %s; run `callgate login` again", path, name, why.text);
	return result;
}

int login_read(const struct remote *remote, struct login *ret, struct err_note *note)
{
	char name[URL_MAX + 8];
	int result = login_read_file(file_name(remote, "json", name), ret, note);

	if (result == 0 && strcmp(ret->url, remote->url) != 0) {
		login_fini(ret);
		return err_note(note, -ENOENT, "%s: the login there is of another address", name);
	}
	return result;
}

/* ---- writing -------------------------------------------------------------------------------- */

/* The folder, made where it is not there; a descriptor that is the caller's, or a fault. */
static int open_folder(struct err_note *note)
{
	char path[PATHS_MAX];
	int result = login_folder(path), fd, real;

	if (result != 0)
		return err_note(note, result, "login: no place for it; set HOME or XDG_STATE_HOME");
	fd = fd_make_dirs(path, 0700);
	if (fd < 0)
		return err_note(note, fd, "%s: %s", path, strerror(-fd));
	real = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = real < 0 ? -errno : 0;
	close(fd);
	return real < 0 ? err_note(note, result, "%s: %s", path, strerror(-result)) : real;
}

int login_write(const struct remote *remote, const struct login *login, struct err_note *note)
{
	json_t *document = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}",
	    "version", LOGIN_VERSION, "url", remote->url, "issuer", login->issuer, "token_endpoint",
	    login->token_endpoint, "client_id", login->client_id, "resource", login->resource,
	    "scope", login->scope, "access_token", login->access_token, "refresh_token",
	    login->refresh_token, "expires", (json_int_t)login->expires);
	char *text = document ? json_dumps(document, JSON_INDENT(2)) : NULL;
	int cleanup_fd folder = open_folder(note);
	char name[URL_MAX + 8];
	int result = folder < 0 ? folder : -ENOMEM;

	json_decref(document);
	if (text && folder >= 0) {
		result = fd_write_file_at(
		    folder, file_name(remote, "json", name), 0600, text, strlen(text));
		if (result != 0)
			(void)err_note(note, result, "login: %s: %s", name, strerror(-result));
	}
	if (text)
		OPENSSL_cleanse(text, strlen(text));
	free(text);
	return result;
}

int login_remove(const struct remote *remote)
{
	char folder[PATHS_MAX], path[PATHS_MAX], name[URL_MAX + 8];
	int result = login_folder(folder);

	if (result == 0)
		result = paths_join(path, folder, file_name(remote, "lock", name));
	if (result == 0)
		(void)unlink(path);
	if (result == 0)
		result = paths_join(path, folder, file_name(remote, "json", name));
	if (result != 0)
		return result;
	return unlink(path) == 0 ? 0 : -errno;
}

int login_lock(const struct remote *remote)
{
	int cleanup_fd folder = open_folder(NULL);
	int cleanup_fd fd = -1;
	char name[URL_MAX + 8];

	if (folder < 0)
		return folder;
	fd = openat(folder, file_name(remote, "lock", name),
	    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) != 0)
		return -errno;
	return take_fd(&fd);
}
