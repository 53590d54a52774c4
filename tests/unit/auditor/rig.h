/*
 * A trail in a directory of its own, opened as the auditor opens it, with the real signer.
 * The walls of the signer are the sandbox area's business: here they stand open, so that these
 * tests run under any sanitizer.
 */
#ifndef TESTS_UNIT_AUDITOR_RIG_H
#define TESTS_UNIT_AUDITOR_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/self.h"
#include "supervisor/auditor/opening.h"
#include "supervisor/base/fd.h"
#include "supervisor/evidence/seal.h"
#include "supervisor/evidence/trail.h"

#define RIG_SEGMENT "0000000000000000.jsonl"

int self_start(void)
{
	return 0;
}

int self_confine(enum self_role role, const int *allowed_dirs, struct err_note *note)
{
	(void)role;
	(void)allowed_dirs;
	(void)note;
	return 0;
}

struct rig {
	char root[64];
	int journal;
	int keys;
	struct commit commit;
	struct opened opened;
	struct err_note note;
};

static inline struct rig *rig_new(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	char path[128];

	assert_non_null(rig);
	rig->opened.newest.fd = -1;
	strcpy(rig->root, "/tmp/callgate-test-XXXXXX");
	assert_non_null(mkdtemp(rig->root));
	snprintf(path, sizeof(path), "%s/audit", rig->root);
	assert_int_equal(mkdir(path, 0700), 0);
	rig->journal = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/keys", rig->root);
	assert_int_equal(mkdir(path, 0700), 0);
	rig->keys = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(rig->journal >= 0 && rig->keys >= 0);
	return rig;
}

static inline int rig_open(struct rig *rig)
{
	struct opening opening = {rig->journal, rig->keys, "gate.example/test", "audit"};

	rig->commit = (struct commit){.journal = {.dirfd = -1, .fd = -1, .ballast = -1}};
	memset(rig->commit.receipt_key, 7, KEY_LEN);
	rig->note.text[0] = '\0';
	return opening_run(&rig->commit, &opening, &rig->opened, &rig->note);
}

static inline void rig_close(struct rig *rig)
{
	opening_undo(&rig->commit);
	newest_close(&rig->opened.newest);
}

static inline void rig_remove(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rig_remove(fd, entry->d_name);
	}
	if (dir)
		closedir(dir);
	(void)unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0);
}

static inline void rig_free(struct rig *rig)
{
	rig_close(rig);
	close(rig->journal);
	close(rig->keys);
	rig_remove(AT_FDCWD, rig->root);
	free(rig);
}

/* An entry as the engine sends it: text in a field of its own. */
static inline struct entry *rig_entry(enum record_type type, const char *call, const char *text)
{
	struct buf fields;
	struct entry *entry;

	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "text", text);
	entry = entry_new(type, &fields);
	assert_non_null(entry);
	buf_fini(&fields);
	entry->writer = record_type_writer(type);
	snprintf(entry->call, sizeof(entry->call), "%s", call);
	return entry;
}

static inline struct entry *rig_allow(const char *call, uint8_t plan)
{
	struct entry *entry = rig_entry(RECORD_CALL_DECISION, call, "x");

	entry->allow = 1;
	memset(entry->plan.bytes, plan, DIGEST_LEN);
	return entry;
}

/* Commits one entry and returns its status. */
static inline enum answer_status rig_write(struct rig *rig, struct entry *entry)
{
	enum answer_status status;

	assert_null(commit_batch(&rig->commit, entry));
	status = entry->status;
	rig->note = entry->note;
	entry_free(entry);
	return status;
}

static inline char *rig_read(struct rig *rig, const char *name, size_t *ret_len)
{
	int fd = openat(rig->journal, name, O_RDONLY | O_CLOEXEC);
	char *text;

	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, 128 << 20, &text, ret_len), 0);
	close(fd);
	return text;
}

static inline void rig_put(struct rig *rig, const char *name, const void *bytes, size_t len)
{
	int fd = openat(rig->journal, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	close(fd);
}

/* Follows bytes as a verifier does; every line must follow. Returns the trail after the last. */
static inline void rig_follow(struct trail *trail, const char *text, size_t len)
{
	struct digest leaf;

	trail_init(trail, NULL);
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		int step;

		assert_non_null(newline);
		step = trail_line(trail, text, (size_t)(newline - text), &leaf);
		assert_true(step == TRAIL_LINE || step == TRAIL_SEAL);
		len -= (size_t)(newline + 1 - text);
		text = newline + 1;
	}
}

#endif
