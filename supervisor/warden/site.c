#include "supervisor/warden/site.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/paths.h"
#include "supervisor/warden/workspace.h"

/* What must stand in each file, so that a wrong one is told by its name, not by OpenSSL's. */
static const struct {
	const char *key;
	const char *what;
	const char *mark;
	const char *name; /* of what the mark stands for */
	size_t max;
	bool secret;
} kinds[SITE_FILE_COUNT] = {
    [SITE_CERTIFICATE] = {"server.tls.cert", "the certificate of server.tls",
	"-----BEGIN CERTIFICATE-----", "certificate", SITE_CERTIFICATE_MAX, false},
    [SITE_KEY] = {"server.tls.key", "the private key of server.tls", "PRIVATE KEY-----",
	"private key", SITE_KEY_MAX, true},
    [SITE_CLIENT_CA] = {"server.tls.client_ca", "the client CA of server.tls",
	"-----BEGIN CERTIFICATE-----", "certificate", SITE_CERTIFICATE_MAX, false},
    [SITE_OUTGOING_CA] = {"server.outgoing.ca", "the CA of server.outgoing",
	"-----BEGIN CERTIFICATE-----", "certificate", SITE_CERTIFICATE_MAX, false},
};

const char *site_file_what(enum site_file file)
{
	return kinds[file].what;
}

/* One file on its way; every complaint names its place in the policy. */
struct reading {
	const struct config *config;
	struct nursery *nursery;
	enum site_file file;
	struct policy_pos pos;
	char path[PATHS_MAX];
	struct err_note *note;
};

static int complain(const struct reading *reading, int fault, const char *what)
{
	return err_note(reading->note, fault, "%s:%u:%u: %s: %s: %s", reading->config->file,
	    reading->pos.line, reading->pos.column, kinds[reading->file].key, reading->path, what);
}

static int judge_owner(const struct reading *reading, int fd, const struct stat *st, uid_t *ret_uid)
{
	struct err_note what;
	uid_t uid = st->st_uid;
	int fault = 0;

	if (reading->nursery && uid != geteuid())
		fault = nursery_owner(reading->nursery, fd, &uid);
	*ret_uid = uid;
	if (fault)
		return complain(reading, fault, strerror(-fault));
	if (uid == 0 || uid == geteuid())
		return 0;
	(void)err_note(&what, 0,
	    "belongs to uid %u, who could change it; chown it to root or to uid %u", uid,
	    geteuid());
	return complain(reading, -EPERM, what.text);
}

static int judge(const struct reading *reading, int fd)
{
	bool secret = kinds[reading->file].secret;
	struct err_note what;
	struct stat st;
	uid_t uid;
	int fault;

	if (fstat(fd, &st) < 0)
		return complain(reading, -errno, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return complain(reading, -EINVAL, "not a regular file; name one");
	fault = judge_owner(reading, fd, &st, &uid);
	if (fault)
		return fault;
	if (secret && (st.st_mode & (uid == 0 ? 037 : 077))) {
		(void)err_note(&what, 0,
		    "mode %04o shows the private key to others; chmod 600 it, and find out who "
		    "may have read it",
		    st.st_mode & 07777);
		return complain(reading, -EPERM, what.text);
	}
	if (st.st_mode & 022) {
		(void)err_note(
		    &what, 0, "mode %04o lets others change it; chmod go-w it", st.st_mode & 07777);
		return complain(reading, -EPERM, what.text);
	}
	return 0;
}

static int judge_text(const struct reading *reading, const char *text, size_t len)
{
	const char *mark = kinds[reading->file].mark;
	struct err_note what;

	if (!memmem(text, len, mark, strlen(mark))) {
		(void)err_note(&what, 0, "holds no %s in PEM; name the file that does",
		    kinds[reading->file].name);
		return complain(reading, -EINVAL, what.text);
	}
	if (kinds[reading->file].secret && (memmem(text, len, "BEGIN ENCRYPTED ", 16) ||
					       memmem(text, len, "Proc-Type: 4,ENC", 16)))
		return complain(reading, -EINVAL,
		    "the key wants a passphrase, and nobody is there to give it; write it without "
		    "one (openssl pkey -in OLD -out NEW) into a file of mode 600");
	return 0;
}

/* The sealed copy, or -errno with note. */
static int copy_in(const struct reading *reading, int fd)
{
	char *bytes = NULL;
	size_t len = 0;
	int fault = fd_read_all(fd, kinds[reading->file].max, &bytes, &len);

	if (fault == -EFBIG)
		return complain(reading, fault, "too large for what it should hold; name another");
	if (fault)
		return complain(reading, fault, strerror(-fault));
	fault = judge_text(reading, bytes, len);
	if (!fault) {
		fault = fd_sealed("pem", bytes, len);
		if (fault < 0)
			(void)complain(reading, fault, strerror(-fault));
	}
	explicit_bzero(bytes, len);
	free(bytes);
	return fault;
}

static int read_file(struct site *site, struct reading *reading, const char *name)
{
	int cleanup_fd fd = -1;
	int fault;

	if (!name || !name[0])
		return 0;
	if (paths_join(reading->path, site->config->folder, name))
		return err_note(reading->note, -ENAMETOOLONG, "%s:%u:%u: %s: the path is too long",
		    site->config->file, reading->pos.line, reading->pos.column,
		    kinds[reading->file].key);
	/* Links may lead to it: certbot renews by changing one. What it leads to is judged. */
	fd = open(reading->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return complain(reading, -errno, strerror(errno));
	fault = judge(reading, fd);
	if (fault)
		return fault;
	site->paths[reading->file] = workspace_path_of(fd);
	if (!site->paths[reading->file])
		return complain(reading, -ENOENT, "moved while it was read; try again");
	fault = copy_in(reading, fd);
	if (fault < 0)
		return fault;
	site->files[reading->file] = fault;
	return 0;
}

int site_read(
    const struct config *config, struct nursery *nursery, struct site **ret, struct err_note *note)
{
	const struct policy_http *http = &config->policy->http;
	const char *const names[SITE_FILE_COUNT] = {
	    [SITE_CERTIFICATE] = http_serves(http) ? http->tls.cert : NULL,
	    [SITE_KEY] = http_serves(http) ? http->tls.key : NULL,
	    [SITE_CLIENT_CA] = http_serves(http) ? http->tls.client_ca : NULL,
	    [SITE_OUTGOING_CA] = http->outgoing.ca,
	};
	struct site *site = calloc(1, sizeof(*site));
	int fault = site ? 0 : err_note(note, -ENOMEM, "out of memory");

	for (int i = 0; site && i < SITE_FILE_COUNT; i++)
		site->files[i] = -1;
	for (int i = 0; !fault && i < SITE_FILE_COUNT; i++) {
		struct reading reading = {
		    .config = config,
		    .nursery = nursery,
		    .file = (enum site_file)i,
		    .pos = i == SITE_OUTGOING_CA ? http->outgoing.ca_pos : http->tls.pos,
		    .note = note,
		};

		site->config = config;
		fault = read_file(site, &reading, names[i]);
	}
	if (!fault && (site->files[SITE_CERTIFICATE] < 0) != (site->files[SITE_KEY] < 0))
		fault = err_note(note, -EINVAL,
		    "%s:%u:%u: server.tls: cert and key belong together; give both", config->file,
		    http->tls.pos.line, http->tls.pos.column);
	if (!fault && site->files[SITE_CLIENT_CA] >= 0 && site->files[SITE_KEY] < 0)
		fault = err_note(note, -EINVAL,
		    "%s:%u:%u: server.tls: client_ca is of no use without cert and key; give them",
		    config->file, http->tls.pos.line, http->tls.pos.column);
	if (!fault && http->tls.require_client_cert && site->files[SITE_CLIENT_CA] < 0)
		fault = err_note(note, -EINVAL,
		    "%s:%u:%u: server.tls: require_client_cert without client_ca would let nobody "
		    "in; give client_ca",
		    config->file, http->tls.pos.line, http->tls.pos.column);
	if (fault) {
		site_free(site);
		return fault;
	}
	*ret = site;
	return 0;
}

void site_free(struct site *site)
{
	if (!site)
		return;
	for (int i = 0; i < SITE_FILE_COUNT; i++) {
		free(site->paths[i]);
		cleanup_fd_(&site->files[i]);
	}
	free(site);
}

/* ---- messages ------------------------------------------------------------------------------- */

static int add_list(
    struct site_lists *lists, size_t place, const struct policy_words *words, struct strv *ret)
{
	const char **items = calloc(words->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (uint32_t i = 0; i < words->count; i++)
		items[i] = words->items[i].text;
	lists->items[place] = items;
	*ret = (struct strv){.items = items, .count = words->count};
	return 0;
}

int site_message(
    const struct site *site, const char *address, struct site_lists *lists, struct message *ret)
{
	const struct policy_http *http = &site->config->policy->http;
	struct message_site *said = &ret->u.site;
	const struct {
		const struct policy_words *words;
		struct strv *list;
	} all[] = {
	    {&http->hosts, &said->hosts},
	    {&http->trusted_proxies, &said->trusted_proxies},
	    {&http->ip_allowlist, &said->ip_allowlist},
	    {&http->auth.ip_allowlist, &said->auth_ip_allowlist},
	    {&http->auth.excluded_paths, &said->excluded_paths},
	    {&http->cors.allowed_origins, &said->cors_origins},
	    {&http->cors.allowed_methods, &said->cors_methods},
	    {&http->cors.allowed_headers, &said->cors_headers},
	};

	*lists = (struct site_lists){.items = {NULL}};
	message_init(ret, MESSAGE_SITE);
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (add_list(lists, i, all[i].words, all[i].list))
			return -ENOMEM;
	said->has_tls = site->files[SITE_KEY] >= 0;
	said->has_ca = site->files[SITE_CLIENT_CA] >= 0;
	said->require_client_cert = http->tls.require_client_cert;
	said->metrics = http->metrics;
	said->studio = http->studio;
	said->auth = http->auth.enabled;
	said->require_auth = http->auth.require_auth;
	said->body_max = http->max_upload_bytes;
	said->cors_max_age = http->cors.max_age;
	said->url = http->url;
	said->issuer = http->auth.issuer;
	said->listen = address;
	for (int i = SITE_CERTIFICATE; i <= SITE_CLIENT_CA; i++)
		if (site->files[i] >= 0)
			ret->fds[ret->fd_count++] = site->files[i];
	return 0;
}

int site_outgoing(const struct site *site, struct site_lists *lists, struct message *ret)
{
	*lists = (struct site_lists){.items = {NULL}};
	message_init(ret, MESSAGE_OUTGOING);
	ret->u.outgoing.has_ca = site->files[SITE_OUTGOING_CA] >= 0;
	if (ret->u.outgoing.has_ca)
		ret->fds[ret->fd_count++] = site->files[SITE_OUTGOING_CA];
	return add_list(
	    lists, 0, &site->config->policy->http.outgoing.networks, &ret->u.outgoing.networks);
}

void site_lists_free(struct site_lists *lists)
{
	for (size_t i = 0; i < sizeof(lists->items) / sizeof(*lists->items); i++)
		free(lists->items[i]);
}
