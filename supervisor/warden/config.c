#include "supervisor/warden/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/base/paths.h"
#include "supervisor/warden/nursery.h"
#include "supervisor/warden/workspace.h"
#include "policy/freeze.h"

#define DOTENV_NAME ".env"

extern char **environ;

/* A second name may lie in a workspace, where a tool writes what is the same file. */
static int judge_links(const struct stat *st, const char *file, struct err_note *note)
{
	if (st->st_nlink <= 1)
		return 0;
	return err_note(note, -EMLINK,
	    "%s: has %ju names (hard links), and a tool may write through another; remove those: "
	    "find / -xdev -inum %ju",
	    file, (uintmax_t)st->st_nlink, (uintmax_t)st->st_ino);
}

static int owner_of(struct nursery *nursery, int fd, const struct stat *st, uid_t *ret_uid)
{
	*ret_uid = st->st_uid;
	return nursery && st->st_uid != geteuid() ? nursery_owner(nursery, fd, ret_uid) : 0;
}

/* Only root and we ourselves may decide what the gate lets through. */
static int open_policy(struct nursery *nursery, const char *file, struct err_note *note)
{
	int cleanup_fd fd = open(file, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	uid_t uid;
	int fault;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", file));
	if (!S_ISREG(st.st_mode))
		return err_note(note, -EINVAL, "%s: not a regular file", file);
	fault = owner_of(nursery, fd, &st, &uid);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s: whose it is", file));
	if (uid != 0 && uid != geteuid())
		return err_note(note, -EPERM,
		    "%s: belongs to uid %u, who could change it; chown it to root or to uid %u",
		    file, uid, geteuid());
	if (st.st_mode & 022)
		return err_note(note, -EPERM, "%s: mode %04o lets others change it; chmod go-w it",
		    file, st.st_mode & 07777);
	if (st.st_size > POLICY_FILE_MAX)
		return err_note(note, -EFBIG, "%s: larger than %d bytes", file, POLICY_FILE_MAX);
	fault = judge_links(&st, file, note);
	return fault ? fault : take_fd(&fd);
}

/* The .env of a folder: a descriptor, -ENOENT when there is none, or a fault with note. */
static int open_dotenv(struct nursery *nursery, const char *folder, struct err_note *note)
{
	int cleanup_fd fd = -1;
	char path[PATHS_MAX];
	struct stat st;
	uid_t uid;
	int fault;

	if (paths_join(path, folder, DOTENV_NAME))
		return err_note(note, -ENAMETOOLONG, "%s: the path is too long", folder);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	fault = owner_of(nursery, fd, &st, &uid);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s: whose it is", path));
	if (!S_ISREG(st.st_mode) || (uid != 0 && uid != geteuid()))
		return err_note(note, -EPERM, "%s: not a file of root or uid %u; move it away",
		    path, geteuid());
	if (st.st_mode & 077)
		return err_note(note, -EPERM, "%s: mode %04o shows secrets to others; chmod 600 it",
		    path, st.st_mode & 07777);
	fault = judge_links(&st, path, note);
	return fault ? fault : take_fd(&fd);
}

/* *ret_path is set where there is one; returns its descriptor or that of /dev/null. */
static int dotenv_or_null(
    struct nursery *nursery, const char *folder, char **ret_path, struct err_note *note)
{
	int cleanup_fd fd = folder ? open_dotenv(nursery, folder, note) : -ENOENT;
	int empty;

	if (fd == -ENOENT) {
		empty = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (empty < 0)
			return err_note_errno(note, err_note(note, -errno, "/dev/null"));
		return empty;
	}
	if (fd < 0)
		return fd;
	*ret_path = workspace_path_of(fd);
	if (!*ret_path)
		return err_note(
		    note, -ENOENT, "%s/" DOTENV_NAME ": moved while it was read", folder);
	return take_fd(&fd);
}

static int locate(struct config *config, const char *file, int fd, struct err_note *note)
{
	char *slash;

	config->file = strdup(file);
	config->path = workspace_path_of(fd);
	config->folder = config->path ? strdup(config->path) : NULL;
	if (!config->file || !config->folder)
		return err_note(note, -ENOMEM, "%s: it cannot be said where this file is", file);
	slash = strrchr(config->folder, '/');
	slash[slash == config->folder ? 1 : 0] = '\0';
	return 0;
}

/* The child's descriptors, in the order of their numbers 3 to 10; a plain load has six. */
enum {
	FD_POLICY,
	FD_DOTENV,
	FD_HOME_DOTENV,
	FD_FROZEN,
	FD_REPORT,
	FD_VALUES,
	FD_LOAD_COUNT,
	FD_EDITED = FD_LOAD_COUNT,
	FD_RESULT,
	FD_COUNT,
};

_Static_assert((int)FD_COUNT <= CHILD_FDS_MAX, "room for all");

static bool is_studio(enum load_mode mode)
{
	return mode == LOAD_EDIT || mode == LOAD_SHOW;
}

static int open_studio(
    const struct config_request *request, int fds[FD_COUNT], struct err_note *note)
{
	fds[FD_EDITED] =
	    fd_sealed("edited", request->edited ? request->edited : "", request->edited_len);
	if (fds[FD_EDITED] < 0)
		return err_note_errno(note, err_note(note, fds[FD_EDITED], "memfd_create"));
	fds[FD_RESULT] = memfd_create("result", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fds[FD_RESULT] < 0)
		return err_note_errno(note, err_note(note, -errno, "memfd_create"));
	return 0;
}

static int open_inputs(struct config *config, const struct config_request *request,
    int fds[FD_COUNT], struct err_note *note)
{
	const char *file = request->file;
	const char *home = getenv("CALLGATE_HOME");
	int fault;

	fault = fds[FD_POLICY] = open_policy(request->nursery, file, note);
	if (fault >= 0)
		fault = locate(config, file, fds[FD_POLICY], note);
	if (fault >= 0)
		fault = fds[FD_DOTENV] =
		    dotenv_or_null(request->nursery, config->folder, &config->dotenv, note);
	if (fault >= 0)
		fault = fds[FD_HOME_DOTENV] = dotenv_or_null(request->nursery,
		    home && home[0] == '/' ? home : NULL, &config->home_dotenv, note);
	if (fault < 0)
		return fault;
	config->frozen = memfd_create("policy", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (config->frozen < 0)
		return err_note_errno(note, err_note(note, -errno, "memfd_create"));
	fds[FD_FROZEN] = config->frozen;
	fds[FD_VALUES] = memfd_create("values", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fds[FD_VALUES] < 0)
		return err_note_errno(note, err_note(note, -errno, "memfd_create"));
	return is_studio(request->mode) ? open_studio(request, fds, note) : 0;
}

static int put_request(struct buf *out, const struct config_request *request)
{
	struct load_request asked = {.mode = request->mode ? request->mode : LOAD_FILE};

	if (request->overrides)
		asked.overrides = *request->overrides;
	buf_text(out, LOAD_REQUEST_VARIABLE "=");
	return load_request_put(out, &asked);
}

/* Ours without that variable, which only we may set, and with it. NULL: no memory. */
static char **make_environment(char *request)
{
	static const char name[] = LOAD_REQUEST_VARIABLE "=";
	size_t count = 0, kept = 0;
	char **list;

	while (environ[count])
		count++;
	list = calloc(count + 2, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		if (strncmp(environ[i], name, sizeof(name) - 1) != 0)
			list[kept++] = environ[i];
	}
	if (list)
		list[kept] = request;
	return list;
}

static int start_program(struct config_child *child, const int *fds, char *request,
    const struct child_user *user, struct err_note *note)
{
	/* After its start the warden may not change uids, so a reload's child could not. */
	const struct child_user same_uid = {.root = user->root};
	char **cleanup_free environment = make_environment(request);
	struct child_spec spec = {
	    .program = "callgate-policy",
	    .argument = child->config->file,
	    .fds = fds,
	    .fd_count = is_studio(child->mode) ? FD_COUNT : FD_LOAD_COUNT,
	    .environment = environment,
	    .user = &same_uid,
	};

	return environment ? child_start(&spec, &child->child, note)
			   : err_note(note, -ENOMEM, "out of memory");
}

static int start_child(struct config_child *child, const struct config_request *request,
    int fds[FD_COUNT], const struct child_user *user, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) text;
	int report[2];
	int fault;

	buf_init(&text, LOAD_REQUEST_MAX);
	fault = put_request(&text, request);
	if (fault)
		return err_note(note, fault,
		    "an option's value is too long or not clean text; see callgated --help");

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_note_errno(note, err_note(note, -errno, "pipe"));
	fds[FD_REPORT] = report[1];
	child->report = report[0];
	fault = fd_set_nonblocking(child->report);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "pipe"));
	return start_program(child, fds, (char *)text.data, user, note);
}

int config_start(const struct config_request *request, const struct child_user *user,
    struct config_child *ret, struct err_note *note)
{
	struct config_child child = {.child = {.pidfd = -1},
	    .report = -1,
	    .values = -1,
	    .result = -1,
	    .mode = request->mode};
	int fds[FD_COUNT] = {-1, -1, -1, -1, -1, -1, -1, -1};
	int fault;

	child.config = calloc(1, sizeof(*child.config));
	if (!child.config)
		return err_note(note, -ENOMEM, "out of memory");
	child.config->frozen = -1;
	fault = open_inputs(child.config, request, fds, note);
	if (!fault)
		fault = start_child(&child, request, fds, user, note);
	cleanup_fd_(&fds[FD_POLICY]);
	cleanup_fd_(&fds[FD_DOTENV]);
	cleanup_fd_(&fds[FD_HOME_DOTENV]);
	cleanup_fd_(&fds[FD_REPORT]);
	cleanup_fd_(&fds[FD_EDITED]);
	child.values = take_fd(&fds[FD_VALUES]);
	child.result = take_fd(&fds[FD_RESULT]);
	if (fault) {
		config_abort(&child);
		return fault;
	}
	*ret = child;
	return 0;
}

/* What the child wrote; it has ended, so this does not wait. */
static void read_report(int fd, struct buf *out)
{
	char piece[4096];
	ssize_t got;

	while ((got = read(fd, piece, sizeof(piece))) > 0)
		if (buf_put(out, piece, (size_t)got))
			return;
}

static int judge_end(int status, const char *report, struct err_note *note)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 1 && report[0])
		return err_note(note, -EINVAL, "%.*s", (int)strcspn(report, "\n"), report);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2 && report[0])
		return err_note(note, -EPERM, "%.*s", (int)strcspn(report, "\n"), report);
	if (WIFSIGNALED(status))
		return err_note(note, -EIO,
		    "callgate-policy was ended by signal %d; the file was not "
		    "read to its end",
		    WTERMSIG(status));
	return err_note(note, -EIO, "callgate-policy failed with status %d", WEXITSTATUS(status));
}

static int take_frozen(struct config *config, struct err_note *note)
{
	const void *bytes;
	size_t len;
	int fault;

	fault = fd_seal(config->frozen);
	if (!fault)
		fault = fd_map_sealed(config->frozen, POLICY_FROZEN_MAX, &bytes, &len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "frozen policy"));
	fault = digest_of(&config->version, bytes, len);
	if (!fault)
		fault = policy_thaw(bytes, len, &config->policy);
	fd_unmap(bytes, len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "frozen policy"));
	return 0;
}

/* Every entry has a name, and the last one ends. */
static bool are_entries(const char *bytes, size_t len)
{
	while (len > 0) {
		size_t entry = strnlen(bytes, len);

		if (entry == len || strcspn(bytes, "=") == 0 || !strchr(bytes, '='))
			return false;
		bytes += entry + 1;
		len -= entry + 1;
	}
	return true;
}

/* What the child read in the .env files for tools: kept here, in no message and in no file. */
static int take_values(struct config *config, int fd, struct err_note *note)
{
	const void *bytes;
	size_t len;
	int fault = fd_seal(fd);

	if (!fault)
		fault = fd_map_sealed(fd, CONFIG_VALUES_MAX, &bytes, &len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "values of .env"));
	config->values = malloc(len + 1);
	if (config->values)
		memcpy(config->values, bytes, len);
	config->values_len = config->values ? len : 0;
	fd_unmap(bytes, len);
	if (!config->values)
		return err_note(note, -ENOMEM, "out of memory");
	if (!are_entries(config->values, len))
		return err_note(note, -EBADMSG, "values of .env: callgate-policy garbled them");
	return 0;
}

static int keep_result(struct config *config, enum load_mode mode, struct reader *reader)
{
	const char *difference = reader_str(reader);
	const void *text;

	text = reader_bytes(reader, &config->text_len);
	if (reader_end(reader))
		return -EBADMSG;
	config->text = malloc(config->text_len + 1);
	config->difference = mode == LOAD_EDIT ? strdup(difference) : NULL;
	if (!config->text || (mode == LOAD_EDIT && !config->difference))
		return -ENOMEM;
	memcpy(config->text, text, config->text_len);
	config->text[config->text_len] = '\0';
	return 0;
}

static int take_result(struct config_child *child, struct err_note *note)
{
	const void *bytes;
	struct reader reader;
	size_t len;
	int fault = fd_seal(child->result);

	if (!fault)
		fault = fd_map_sealed(child->result, CONFIG_RESULT_MAX, &bytes, &len);
	if (!fault) {
		reader_init(&reader, bytes, len);
		fault = keep_result(child->config, child->mode, &reader);
		fd_unmap(bytes, len);
	}
	return fault ? err_note_errno(note, err_note(note, fault, "edited policy")) : 0;
}

const char *config_variable(const struct config *config, const char *name)
{
	const char *value = getenv(name);
	size_t len = strlen(name), next = 0;

	while (!value && next < config->values_len) {
		const char *entry = config->values + next;

		if (!strncmp(entry, name, len) && entry[len] == '=')
			value = entry + len + 1;
		next += strlen(entry) + 1;
	}
	return value;
}

int config_finish(
    struct config_child *child, struct config **ret, struct buf *warnings, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) report;
	const char *text;
	int status, fault;

	buf_init(&report, CONFIG_REPORT_MAX);
	fault = child_reap(&child->child, &status);
	if (fault) {
		config_abort(child);
		return err_note_errno(note, err_note(note, fault, "callgate-policy"));
	}
	read_report(child->report, &report);
	text = buf_cstr(&report);
	fault = judge_end(status, text ? text : "", note);
	if (!fault && text)
		(void)buf_text(warnings, text); /* full: the rest of the warnings is dropped */
	if (!fault && child->mode != LOAD_SHOW)
		fault = take_frozen(child->config, note);
	if (!fault && child->mode != LOAD_SHOW)
		fault = take_values(child->config, child->values, note);
	if (!fault && is_studio(child->mode))
		fault = take_result(child, note);
	if (!fault)
		*ret = take_ptr(child->config);
	config_abort(child);
	return fault;
}

void config_abort(struct config_child *child)
{
	child_end(&child->child, 0);
	cleanup_fd_(&child->report);
	cleanup_fd_(&child->values);
	cleanup_fd_(&child->result);
	config_free(take_ptr(child->config));
}

void config_free(struct config *config)
{
	if (!config)
		return;
	cleanup_fd_(&config->frozen);
	policy_free(config->policy);
	if (config->values)
		explicit_bzero(config->values, config->values_len);
	free(config->values);
	free(config->file);
	free(config->path);
	free(config->folder);
	free(config->dotenv);
	free(config->home_dotenv);
	free(config->text);
	free(config->difference);
	free(config);
}
