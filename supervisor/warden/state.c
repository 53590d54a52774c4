#include "supervisor/warden/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/evidence/approval.h"
#include "supervisor/evidence/note.h"

#define PIN_NAME "trust.pin"

/* Ours or the service user's, and nobody else may even list it. The path is for the message. */
static int judge_private(int fd, const char *path, uid_t service, struct err_note *note)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	if (st.st_uid != geteuid() && st.st_uid != service)
		return err_note(note, -EPERM,
		    "%s: belongs to uid %u; run as that uid or use --state", path, st.st_uid);
	if (st.st_mode & 077)
		return err_note(note, -EPERM, "%s: mode %04o lets others in; chmod 700 it", path,
		    st.st_mode & 07777);
	return 0;
}

/* A directory of ours below dir, made if missing; readable, so that it can be synced. */
static int open_private(
    const struct state *state, const char *name, uid_t service, struct err_note *note)
{
	int cleanup_fd fd = -1;
	char path[PATHS_MAX];
	int fault = paths_join(path, state->path, name);

	if (fault)
		return err_note(note, fault, "%s: the path is too long", state->path);
	if (mkdirat(state->dir, name, 0700) < 0 && errno != EEXIST)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	fd = openat(state->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	fault = judge_private(fd, path, service, note);
	return fault ? fault : take_fd(&fd);
}

/* The auditor refuses a signer's key that others could have read; here its whole path is known. */
static int judge_key(const struct state *state, const char *name, struct err_note *note)
{
	struct stat st;

	if (fstatat(state->keys, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : err_note_errno(note, err_note(note, -errno, "%s/keys/%s",
								  state->path, name));
	if (!S_ISREG(st.st_mode))
		return err_note(note, -EINVAL,
		    "%s/keys/%s: not a regular file; put the key itself there", state->path, name);
	if (st.st_uid != geteuid() && st.st_uid != state->service)
		return err_note(note, -EPERM,
		    "%s/keys/%s: belongs to uid %u, who could change it; chown it to uid %u",
		    state->path, name, st.st_uid, geteuid());
	if (st.st_mode & 077)
		return err_note(note, -EPERM,
		    "%s/keys/%s: mode %04o lets others use the key that signs the journal; chmod "
		    "600 it, and find out who may have read it",
		    state->path, name, st.st_mode & 07777);
	return 0;
}

/* Opens (or makes) the directory at path for reading, and says where that really is. */
static int open_path(const char *path, char ret_real[PATHS_MAX], struct err_note *note)
{
	int cleanup_fd place = -1, fd = -1;
	char link[64];
	ssize_t len;

	place = fd_make_dirs(path, 0700);
	if (place < 0)
		return err_note_errno(note, err_note(note, place, "%s", path));
	fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_note_errno(note, err_note(note, -errno, "%s", path));
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, ret_real, PATHS_MAX);
	if (len <= 0 || len >= PATHS_MAX)
		return err_note(note, -ENAMETOOLONG, "%s: the path is too long", path);
	ret_real[len] = '\0';
	return take_fd(&fd);
}

static int take_lock(int dir, const char *path, struct err_note *note)
{
	int cleanup_fd fd = -1;
	char pid[32];
	ssize_t len;

	fd = openat(dir, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_note_errno(note, err_note(note, -errno, "%s/lock", path));
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_note_errno(note, err_note(note, -errno, "%s/lock", path));
		len = pread(fd, pid, sizeof(pid) - 1, 0);
		pid[len > 0 ? len : 0] = '\0';
		pid[strcspn(pid, "\n")] = '\0';
		return err_note(note, -EBUSY,
		    "%s: another callgated (pid %s) holds it; stop that one or use another --state",
		    path, pid[0] ? pid : "?");
	}
	len = snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)len, 0) != len)
		return err_note_errno(note, err_note(note, -errno, "%s/lock", path));
	return take_fd(&fd);
}

int state_open(struct state *ret, const char *path, uid_t service, struct err_note *note)
{
	struct state state = {.service = service,
	    .dir = -1,
	    .lock = -1,
	    .keys = -1,
	    .store = -1,
	    .effects = -1,
	    .audit = -1};
	char usual[PATHS_MAX];
	int fault, approvers;

	if (!path) {
		fault = paths_state(usual);
		if (fault)
			return err_note(
			    note, fault, "no state directory: HOME is not set; use --state");
		path = usual;
	}
	state.dir = open_path(path, state.path, note);
	if (state.dir < 0)
		return state.dir;
	fault = judge_private(state.dir, state.path, geteuid(), note);
	if (!fault)
		fault = state.lock = take_lock(state.dir, state.path, note);
	if (fault >= 0)
		fault = state.keys = open_private(&state, "keys", service, note);
	if (fault >= 0)
		fault = judge_key(&state, "signer.key", note);
	if (fault >= 0)
		fault = state.store = open_private(&state, "engine", service, note);
	if (fault >= 0)
		fault = state.effects = open_private(&state, "effects", geteuid(), note);
	if (fault >= 0) {
		approvers = fault = open_private(&state, "approvers", geteuid(), note);
		cleanup_fd_(&approvers);
	}
	if (fault < 0) {
		state_close(&state);
		return fault;
	}
	*ret = state;
	return 0;
}

/* A link as the last component: whoever changes it moves the journal away from its own past. */
static int refuse_link(const char *directory, struct err_note *note)
{
	char path[PATHS_MAX];
	size_t len = strlen(directory);
	struct stat st;

	if (len >= sizeof(path))
		return err_note(note, -ENAMETOOLONG, "%s: the path is too long", directory);
	memcpy(path, directory, len + 1);
	while (len > 1 && (path[len - 1] == '/' || (path[len - 1] == '.' && path[len - 2] == '/')))
		path[--len] = '\0';
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_note_errno(note, err_note(note, -errno, "%s", path));
	if (S_ISLNK(st.st_mode))
		return err_note(
		    note, -ELOOP, "%s: is a link; name the audit directory that it leads to", path);
	return 0;
}

int state_open_journal(struct state *state, const char *directory, struct err_note *note)
{
	char usual[PATHS_MAX];
	int cleanup_fd fd = -1;
	int fault;

	if (!directory[0]) {
		fault = paths_join(usual, state->path, "audit");
		if (fault)
			return err_note(note, fault, "%s/audit: the path is too long", state->path);
		directory = usual;
	}
	fault = refuse_link(directory, note);
	if (fault)
		return fault;
	fd = open_path(directory, state->journal, note);
	if (fd < 0)
		return fd;
	fault = judge_private(fd, state->journal, state->service, note);
	if (fault)
		return fault;
	state->audit = take_fd(&fd);
	return 0;
}

static int give_directory(int dir, uid_t uid, gid_t gid, int depth);

static int give_entry(int dir, const char *name, uid_t uid, gid_t gid, int depth)
{
	int cleanup_fd inner = -1;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (S_ISREG(st.st_mode))
		return fchownat(dir, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	if (!S_ISDIR(st.st_mode) || depth == 0 || name[0] == '.')
		return 0;
	inner = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return inner < 0 ? -errno : give_directory(inner, uid, gid, depth - 1);
}

/* A directory, its files, and those of the folders in it. */
static int give_directory(int dir, uid_t uid, gid_t gid, int depth)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *entry;
	int fault = 0;

	if (!list) {
		fault = -errno;
		cleanup_fd_(&copy);
		return fault;
	}
	while (!fault && (entry = readdir(list)))
		fault = give_entry(dir, entry->d_name, uid, gid, depth);
	closedir(list);
	if (!fault && fchown(dir, uid, gid) < 0)
		fault = -errno;
	return fault;
}

int state_give(const struct state *state, gid_t gid, struct err_note *note)
{
	uid_t uid = state->service;
	int fault = give_directory(state->keys, uid, gid, 1);

	if (!fault)
		fault = give_directory(state->store, uid, gid, 1);
	if (!fault)
		fault = give_directory(state->audit, uid, gid, 1);
	if (fault)
		return err_note_errno(note,
		    err_note(note, fault, "%s: keys, store and journal cannot be given to uid %u",
			state->path, uid));
	return 0;
}

static int compare_pin(const struct note_key *key, const char *text, size_t len,
    const struct state *state, struct err_note *note)
{
	struct note_key pinned;

	if (pin_parse(&pinned, text, len))
		return err_note(note, -EBADMSG,
		    "%s/" PIN_NAME ": not a pin file; restore it, or move it away to pin anew",
		    state->path);
	if (strcmp(pinned.name, key->name) || memcmp(pinned.public_key, key->public_key, KEY_LEN))
		return err_note(note, -EKEYREJECTED,
		    "%s/" PIN_NAME
		    ": the journal is signed by another key than the pinned one; find "
		    "out who changed keys/ or the journal",
		    state->path);
	return 0;
}

int state_pin(const struct state *state, const char *vkey, struct err_note *note)
{
	struct buf cleanup_with(buf_fini) text;
	struct note_key key;
	char *cleanup_free bytes = NULL;
	int cleanup_fd fd = -1;
	size_t len = 0;
	int fault;

	buf_init(&text, NOTE_MAX);
	if (note_key_parse(&key, vkey))
		return err_note(note, -EBADMSG, "the auditor's verifier key is malformed");
	fd = openat(state->dir, PIN_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		fault = fd_read_all(fd, NOTE_MAX, &bytes, &len);
		if (!fault)
			return compare_pin(&key, bytes, len, state, note);
		return err_note_errno(note, err_note(note, fault, "%s/" PIN_NAME, state->path));
	}
	fault = errno == ENOENT ? pin_text(&text, &key) : -errno;
	if (!fault)
		fault = fd_write_file_at(state->dir, PIN_NAME, 0600, text.data, text.len);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "%s/" PIN_NAME, state->path));
	return 0;
}

/* One well-formed line in a file of ours that others cannot write; NULL otherwise. */
static char *read_approver(int dir, const char *name)
{
	int cleanup_fd fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char *cleanup_free text = NULL;
	struct approver approver;
	struct stat st;
	size_t len;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	if (st.st_uid != geteuid() || (st.st_mode & 022))
		return NULL;
	if (fd_read_all(fd, NOTE_MAX, &text, &len) || strlen(text) != len)
		return NULL;
	return approver_parse(&approver, text) ? NULL : take_ptr(text);
}

static bool is_approver_name(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && name[0] != '.' && !strcmp(name + len - 4, ".pub");
}

int state_approvers(const struct state *state, struct approver_lines *ret, uint32_t *ret_skipped)
{
	int dir = openat(state->dir, "approvers", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *list = dir < 0 ? NULL : fdopendir(dir);
	struct approver_lines lines = {.count = 0};
	struct dirent *entry;
	uint32_t skipped = 0;

	if (!list) {
		int fault = -errno;

		cleanup_fd_(&dir);
		return fault;
	}
	while ((entry = readdir(list))) {
		char *line;

		if (!is_approver_name(entry->d_name))
			continue;
		line = lines.count < STATE_APPROVERS_MAX ? read_approver(dir, entry->d_name) : NULL;
		if (line)
			lines.items[lines.count++] = line;
		else
			skipped++;
	}
	closedir(list);
	*ret = lines;
	*ret_skipped = skipped;
	return 0;
}

void approvers_free(struct approver_lines *lines)
{
	for (uint32_t i = 0; i < lines->count; i++)
		free(lines->items[i]);
	lines->count = 0;
}

void state_close(struct state *state)
{
	cleanup_fd_(&state->audit);
	cleanup_fd_(&state->store);
	cleanup_fd_(&state->keys);
	cleanup_fd_(&state->lock);
	cleanup_fd_(&state->dir);
}
