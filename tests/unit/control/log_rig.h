/*
 * A journal made in memory, line by line, with a key of the test's own; then stored, bent and
 * judged. Nothing of the auditor is used: the two must agree by the format alone.
 */
#ifndef TESTS_UNIT_CONTROL_LOG_RIG_H
#define TESTS_UNIT_CONTROL_LOG_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/control/audit.h"
#include "supervisor/control/audit_walk.h"
#include "supervisor/evidence/seal.h"

#define LOG_ORIGIN "gate.example/test"
#define LOG_TIME   UINT64_C(1790000000000000)
#define LOG_LINES  4096

struct log {
	char root[64];
	char dir[80];
	char pin[80];
	int dirfd;
	uint8_t seed[KEY_LEN];
	struct note_key key;
	struct record_place place;
	struct frontier frontier;
	struct buf text;
	size_t at[LOG_LINES + 1]; /* where each line starts */
	char last_note[NOTE_MAX];
};

static inline void log_key(struct log *log, uint8_t seed)
{
	uint8_t public_key[KEY_LEN];

	memset(log->seed, seed, KEY_LEN);
	assert_int_equal(key_public(public_key, log->seed), 0);
	assert_int_equal(note_key_init(&log->key, LOG_ORIGIN, public_key), 0);
}

static inline void log_begin(struct log *log)
{
	buf_reset(&log->text);
	log->place = (struct record_place){.wall_us = LOG_TIME};
	log->frontier.size = 0;
}

static inline struct log *log_new(void)
{
	struct log *log = calloc(1, sizeof(*log));

	assert_non_null(log);
	strcpy(log->root, "/tmp/callgate-test-XXXXXX");
	assert_non_null(mkdtemp(log->root));
	snprintf(log->dir, sizeof(log->dir), "%s/audit", log->root);
	snprintf(log->pin, sizeof(log->pin), "%s/trust.pin", log->root);
	assert_int_equal(mkdir(log->dir, 0700), 0);
	log->dirfd = open(log->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	buf_init(&log->text, 16 << 20);
	log_key(log, 1);
	log_begin(log);
	return log;
}

/* Takes the line that was just appended into chain and tree. */
static inline void log_advance(struct log *log, size_t start)
{
	struct digest leaf;

	assert_int_equal(log->text.fault, 0);
	assert_int_equal(merkle_leaf(&leaf, log->text.data + start, log->text.len - start), 0);
	assert_int_equal(frontier_append(&log->frontier, &leaf), 0);
	buf_text(&log->text, "\n");
	assert_true(log->place.n < LOG_LINES);
	log->at[log->place.n] = start;
	log->at[log->place.n + 1] = log->text.len;
	log->place.n++;
	log->place.prev = leaf;
}

static inline void log_fields(struct log *log, enum record_type type, const struct buf *fields)
{
	size_t start = log->text.len;

	log->place.wall_us = LOG_TIME + log->place.n * 1000000;
	assert_int_equal(record_emit(&log->text, &log->place, type, fields->data, fields->len), 0);
	log_advance(log, start);
}

static inline void log_genesis(struct log *log)
{
	struct buf fields, vkey;

	buf_init(&fields, RECORD_FIELDS_MAX);
	buf_init(&vkey, NOTE_MAX);
	assert_int_equal(note_key_text(&vkey, &log->key), 0);
	record_put_str(&fields, "origin", LOG_ORIGIN);
	record_put_str(&fields, "vkey", buf_cstr(&vkey));
	log_fields(log, RECORD_LOG_GENESIS, &fields);
	buf_fini(&fields);
	buf_fini(&vkey);
}

/* plan 0: none. allow < 0: no such member. */
static inline void log_call(
    struct log *log, enum record_type type, const char *call, uint8_t plan, int allow)
{
	struct digest digest;
	struct buf fields;

	memset(digest.bytes, plan, DIGEST_LEN);
	buf_init(&fields, RECORD_FIELDS_MAX);
	if (allow >= 0)
		record_put_bool(&fields, "allow", allow);
	record_put_str(&fields, "call", call);
	if (plan)
		record_put_digest(&fields, "plan", &digest);
	record_put_str(&fields, "text", "hello");
	log_fields(log, type, &fields);
	buf_fini(&fields);
}

/* What was written of a call's changes; receipt: number of the decision; 0: after a crash. */
static inline void log_written(struct log *log, const char *call, uint8_t effects, int receipt)
{
	struct digest digest;
	struct buf fields;

	memset(digest.bytes, effects, DIGEST_LEN);
	buf_init(&fields, RECORD_FIELDS_MAX);
	record_put_str(&fields, "call", call);
	record_put_digest(&fields, "effects", &digest);
	record_put_str(&fields, "op", receipt ? "commit" : "taken back after a crash");
	if (receipt)
		record_put_int(&fields, "receipt", receipt);
	log_fields(log, RECORD_EFFECTS_WRITTEN, &fields);
	buf_fini(&fields);
}

/* A note over the tree as it stands. */
static inline void log_note(struct log *log, struct buf *out)
{
	struct checkpoint checkpoint = {.size = log->frontier.size};
	uint8_t signature[SIGNATURE_LEN];
	struct buf body;

	strcpy(checkpoint.origin, LOG_ORIGIN);
	assert_int_equal(frontier_root(&log->frontier, &checkpoint.root), 0);
	buf_init(&body, NOTE_MAX);
	assert_int_equal(checkpoint_body(&body, &checkpoint), 0);
	assert_int_equal(key_sign(signature, log->seed, body.data, body.len), 0);
	assert_int_equal(note_assemble(out, &checkpoint, &log->key, signature), 0);
	buf_fini(&body);
}

static inline void log_seal_with(struct log *log, const char *note)
{
	size_t start = log->text.len;

	assert_int_equal(seal_emit(&log->text, &log->place, note), 0);
	log_advance(log, start);
}

static inline void log_seal(struct log *log)
{
	struct buf note;

	buf_init(&note, NOTE_MAX);
	log_note(log, &note);
	snprintf(log->last_note, sizeof(log->last_note), "%s", buf_cstr(&note));
	log_seal_with(log, buf_cstr(&note));
	buf_fini(&note);
}

/* genesis, then `batches` seals with two records before each. Every batch is three lines, the
 * first of which is the genesis record and one more. */
static inline void log_fill(struct log *log, int batches)
{
	log_begin(log);
	for (int i = 0; i < batches; i++) {
		if (i == 0)
			log_genesis(log);
		else
			log_call(log, RECORD_CALL_DECISION, "a", 1, 0);
		log_call(log, RECORD_CALL_OUTCOME, "b", 0, -1);
		log_seal(log);
	}
}

static inline void put_file(int dirfd, const char *name, const void *bytes, size_t len)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	close(fd);
}

static inline void log_put(struct log *log, const void *bytes, size_t len)
{
	put_file(log->dirfd, "0000000000000000.jsonl", bytes, len);
}

static inline void log_store(struct log *log)
{
	log_put(log, log->text.data, log->text.len);
}

/* Lines [from, to) as a segment of their own. */
static inline void log_segment(struct log *log, uint64_t from, uint64_t to)
{
	char name[SEGMENT_NAME_MAX];

	segment_name(name, from);
	put_file(log->dirfd, name, log->text.data + log->at[from], log->at[to] - log->at[from]);
}

static inline void log_pin(struct log *log)
{
	struct buf text;

	buf_init(&text, NOTE_MAX);
	assert_int_equal(pin_text(&text, &log->key), 0);
	put_file(AT_FDCWD, log->pin, text.data, text.len);
	buf_fini(&text);
}

/* The judgement, with the pin of the log's present key. setup may be NULL. */
static struct err_note judged;
static inline int log_judge(struct log *log, void (*setup)(struct walk *walk))
{
	struct walk *walk = calloc(1, sizeof(*walk));
	int exit;

	assert_non_null(walk);
	walk->dirfd = log->dirfd;
	walk->pinned = 1;
	walk->key = log->key;
	walk->now_us = LOG_TIME + 3600 * UINT64_C(1000000);
	if (setup)
		setup(walk);
	exit = walk_run(walk);
	judged = walk->verdict;
	walk_fini(walk);
	free(walk);
	return exit;
}

#define expect(log, exit, text) expect_with(log, NULL, exit, text)

static inline void expect_with(
    struct log *log, void (*setup)(struct walk *walk), int exit, const char *text)
{
	int r = log_judge(log, setup);

	if (strcmp(judged.text, text) != 0)
		print_error("said: %s\n", judged.text);
	assert_string_equal(judged.text, text);
	assert_int_equal(r, exit);
}

/* Runs one of the three mains and gives what it printed (static); complaints are not heard. */
static inline const char *run_main(
    int (*run)(int argc, char **argv), int *ret_exit, const char *const *words)
{
	static char output[1 << 20];
	char *argv[16], path[] = "/tmp/callgate-test-XXXXXX";
	int argc = 0, saved, saved_errors, fd = mkstemp(path);
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	ssize_t len;

	for (; words[argc]; argc++)
		argv[argc] = strdup(words[argc]);
	argv[argc] = NULL;
	fflush(stdout);
	saved = dup(1);
	saved_errors = dup(2);
	dup2(fd, 1);
	dup2(null, 2);
	close(null);
	{
		char *kept[16];

		memcpy(kept, argv, sizeof(kept));
		*ret_exit = run(argc, argv);
		for (int i = 0; i < argc; i++)
			free(kept[i]);
	}
	fflush(stdout);
	dup2(saved, 1);
	dup2(saved_errors, 2);
	close(saved);
	close(saved_errors);
	len = pread(fd, output, sizeof(output) - 1, 0);
	output[len > 0 ? len : 0] = '\0';
	close(fd);
	unlink(path);
	return output;
}

static inline void remove_tree(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			remove_tree(fd, entry->d_name);
	}
	if (dir)
		closedir(dir);
	(void)unlinkat(dirfd, name, dir ? AT_REMOVEDIR : 0);
}

static int setup(void **state)
{
	*state = log_new();
	return 0;
}

static int teardown(void **state)
{
	struct log *log = *state;

	buf_fini(&log->text);
	close(log->dirfd);
	remove_tree(AT_FDCWD, log->root);
	free(log);
	return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
