/* A throw-away folder with a policy file and a workspace in it, and what the warden makes of it. */
#ifndef CALLGATE_TESTS_WARDEN_RIG_H
#define CALLGATE_TESTS_WARDEN_RIG_H

#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/load.h"
#include "supervisor/warden/config.h"

struct rig {
	char path[64];
};

static inline void rig_make(struct rig *rig)
{
	snprintf(rig->path, sizeof(rig->path), "/tmp/warden-test-XXXXXX");
	assert_non_null(mkdtemp(rig->path));
}

static inline int rig_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline void rig_remove(struct rig *rig)
{
	assert_int_equal(nftw(rig->path, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline const char *rig_path(const struct rig *rig, const char *name)
{
	static char paths[4][256];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", rig->path, name);
	return path;
}

static inline void rig_dir(const struct rig *rig, const char *name)
{
	assert_int_equal(mkdir(rig_path(rig, name), 0755), 0);
}

static inline void rig_file(const struct rig *rig, const char *name, const char *text, mode_t mode)
{
	int fd = open(rig_path(rig, name), O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* A config as config_finish() would make it, without the child. */
static inline struct config *rig_config(const struct rig *rig, const char *yaml)
{
	struct policy_source source = {.file = "p.yaml", .text = yaml, .len = strlen(yaml)};
	struct config *config = calloc(1, sizeof(*config));
	struct err_note note = {""};

	assert_non_null(config);
	if (policy_load(&source, &config->policy, NULL, &note))
		fail_msg("%s", note.text);
	config->file = strdup("p.yaml");
	config->path = strdup(rig_path(rig, "p.yaml"));
	config->folder = strdup(rig->path);
	config->frozen = -1;
	assert_int_equal(digest_of(&config->version, yaml, strlen(yaml)), 0);
	return config;
}

#endif
