/* A temporary working directory for the tests of the function tools, and files in it. */
#ifndef CALLGATE_TESTS_UNIT_FUNCTIONS_RIG_H
#define CALLGATE_TESTS_UNIT_FUNCTIONS_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/functions/request.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/fd.h"

struct rig {
	char folder[64]; /* the working directory */
	char outside[64];
	int top;
	struct buf out;
	struct err_note note;
};

static inline int rig_remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* Folders without permissions are part of some tests. */
static inline int rig_open_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)ftw;
	(void)st;
	if (kind == FTW_D || kind == FTW_DNR)
		(void)chmod(path, 0700);
	return 0;
}

static inline int rig_setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	umask(022);
	snprintf(rig->folder, sizeof(rig->folder), "/tmp/callgate-functions-XXXXXX");
	snprintf(rig->outside, sizeof(rig->outside), "/tmp/callgate-outside-XXXXXX");
	if (!mkdtemp(rig->folder) || !mkdtemp(rig->outside))
		return -1;
	rig->top = open(rig->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	buf_init(&rig->out, REQUEST_OUTPUT_MAX);
	*state = rig;
	return rig->top < 0 ? -1 : 0;
}

static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;

	close(rig->top);
	buf_fini(&rig->out);
	(void)nftw(rig->folder, rig_open_one, 16, FTW_PHYS);
	(void)nftw(rig->folder, rig_remove_one, 16, FTW_PHYS | FTW_DEPTH);
	(void)nftw(rig->outside, rig_remove_one, 16, FTW_PHYS | FTW_DEPTH);
	free(rig);
	return 0;
}

static inline void rig_write_bytes(struct rig *rig, const char *name, const void *bytes, size_t len)
{
	int fd = openat(rig->top, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, bytes, len), 0);
	close(fd);
}

static inline void rig_write(struct rig *rig, const char *name, const char *text)
{
	rig_write_bytes(rig, name, text, strlen(text));
}

/* The content; freed by the caller. NULL if there is none. */
static inline char *rig_read(struct rig *rig, const char *name)
{
	int fd = openat(rig->top, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *bytes = NULL;
	size_t len;

	if (fd < 0)
		return NULL;
	assert_int_equal(fd_read_all(fd, 32 * 1024 * 1024, &bytes, &len), 0);
	close(fd);
	return bytes;
}

static inline void rig_expect(struct rig *rig, const char *name, const char *text)
{
	char *have = rig_read(rig, name);

	if (!text) {
		assert_null(have);
		return;
	}
	assert_non_null(have);
	assert_string_equal(have, text);
	free(have);
}

static inline bool rig_exists(struct rig *rig, const char *name)
{
	return faccessat(rig->top, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void rig_folder(struct rig *rig, const char *name)
{
	assert_int_equal(mkdirat(rig->top, name, 0755), 0);
}

static inline void rig_link(struct rig *rig, const char *target, const char *name)
{
	assert_int_equal(symlinkat(target, rig->top, name), 0);
}

static inline const char *rig_answer(struct rig *rig)
{
	return rig->out.len > 0 ? buf_cstr(&rig->out) : rig->note.text;
}

/* Arguments from JSON in which ' stands for ", so that tests can be read. */
static inline json_t *rig_arguments(const char *text)
{
	char *json = strdup(text);
	json_error_t error;
	json_t *arguments;

	for (char *at = json; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	arguments = json_loads(json, 0, &error);
	if (!arguments)
		fail_msg("bad JSON in the test: %s: %s", error.text, json);
	free(json);
	return arguments;
}

#define RIG_HOLDS(text, part)                                                                      \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%s\" does not hold \"%s\"", text, part);                       \
	} while (0)

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

#endif
