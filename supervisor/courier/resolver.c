#include "supervisor/courier/resolver.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/log.h"

#define NSSWITCH        "/etc/nsswitch.conf"
#define NSSWITCH_MAX    (64 * 1024)
#define AUTHORITIES_MAX (3 * 1024 * 1024)

static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts", NSSWITCH, "/etc/host.conf",
    "/etc/gai.conf", "/etc/services", "/etc/ssl/openssl.cnf"};
/* Where others than Debian keep their authorities. */
static const char *const bundles[] = {"/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"};

/* ---- the name service ---------------------------------------------------------------------- */

/* After confinement nothing can be mapped as code, so what a look-up may load is loaded now. A
 * module that is not there is not needed: the name service passes over it. */
static void load_module(const char *service)
{
	char name[64];

	if (snprintf(name, sizeof(name), "libnss_%s.so.2", service) < (int)sizeof(name) &&
	    !dlopen(name, RTLD_NOW | RTLD_GLOBAL))
		log_debug("name service: %s is not there", name);
}

static void load_modules(char *line)
{
	char *rest, *word;

	for (word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (word[0] == '[') /* [NOTFOUND=return], which may hold blanks */
			while (word && !strchr(word, ']'))
				word = strtok_r(NULL, " \t", &rest);
		else
			load_module(word);
		if (!word)
			return;
	}
}

void resolver_load(void)
{
	int cleanup_fd fd = open(NSSWITCH, O_RDONLY | O_CLOEXEC);
	char *cleanup_free text = NULL;
	char *rest, *line;
	size_t len;

	load_module("files");
	load_module("dns");
	(void)dlopen("libgcc_s.so.1", RTLD_NOW); /* a thread's end asks for it */
	if (fd >= 0 && fd_read_all(fd, NSSWITCH_MAX, &text, &len) == 0) {
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
			line[strcspn(line, "#")] = '\0';
			line += strspn(line, " \t");
			if (!strncmp(line, "hosts:", strlen("hosts:")))
				load_modules(line + strlen("hosts:"));
		}
	}
	(void)setenv("RES_OPTIONS", "timeout:3 attempts:2", 0);
}

/* ---- places -------------------------------------------------------------------------------- */

static void add_place(int *places, size_t *count, const char *path)
{
	if (*count < RESOLVER_PLACES_MAX)
		places[*count] = open(path, O_PATH | O_CLOEXEC);
	if (*count < RESOLVER_PLACES_MAX && places[*count] >= 0)
		(*count)++;
}

/* A file that is replaced is another file. Where its folder holds only its kind, as the resolver's
 * in /run or the authorities', the folder may be read; /etc as a whole may not. */
static void add_folder(int *places, size_t *count, const char *path)
{
	char real[PATH_MAX];
	char *slash;

	if (!realpath(path, real))
		return;
	slash = strrchr(real, '/');
	*slash = '\0';
	if (strcmp(real, "/etc") != 0 && real[0])
		add_place(places, count, real);
}

static const char *bundle(void)
{
	const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;

	if (built_in && access(built_in, R_OK) == 0)
		return built_in;
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (access(bundles[i], R_OK) == 0)
			return bundles[i];
	return bundles[0];
}

void resolver_places(int ret_places[RESOLVER_PLACES_MAX + 1])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		add_place(ret_places, &count, files[i]);
	add_folder(ret_places, &count, files[0]);
	add_folder(ret_places, &count, bundle());
	add_place(ret_places, &count, "/etc/ssl/certs");
	ret_places[count] = -1;
}

bool resolver_is_stale(void)
{
	for (size_t i = 0; i < 3; i++) {
		int cleanup_fd fd = open(files[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 && errno == EACCES)
			return true;
	}
	return false;
}

/* ---- authorities --------------------------------------------------------------------------- */

static int read_bundle(struct buf *out, const char *path)
{
	int cleanup_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	char *cleanup_free text = NULL;
	size_t len;
	int fault;

	if (fd < 0)
		return -errno;
	fault = fd_read_all(fd, AUTHORITIES_MAX, &text, &len);
	if (!fault)
		fault = buf_put(out, text, len);
	return fault ? fault : buf_text(out, "\n");
}

int resolver_authorities(struct buf *out)
{
	const char *built_in = curl_version_info(CURLVERSION_NOW)->cainfo;
	int fault = built_in ? read_bundle(out, built_in) : -ENOENT;

	for (size_t i = 0; fault && i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (!out->fault)
			fault = read_bundle(out, bundles[i]);
	return fault == -EACCES ? -ENOENT : fault;
}
