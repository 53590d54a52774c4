/*
 * The policy file on its way to a frozen policy: opened and judged here, parsed by the throwaway
 * child callgate-policy, thawed here. The warden itself never reads YAML.
 *
 * Two steps, so that a reload does not hold up the loop: config_start() forks the child,
 * config_finish() is called when its pidfd is readable, config_abort() at the deadline. Used by
 * main.c.
 */
#ifndef CALLGATE_WARDEN_CONFIG_H
#define CALLGATE_WARDEN_CONFIG_H

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/evidence/digest.h"
#include "supervisor/warden/children.h"
#include "policy/load_request.h"
#include "policy/policy.h"

#define CONFIG_DEADLINE_MS 10000
#define CONFIG_REPORT_MAX  (64 * 1024)
#define CONFIG_VALUES_MAX  (1024 * 1024)
#define CONFIG_RESULT_MAX  (POLICY_FILE_MAX + 16 * 1024 * 1024)

struct nursery;

/* Borrowed until config_start() is back. */
struct config_request {
	const char *file;
	const struct policy_overrides *overrides; /* of the command line; NULL: none */
	/* Tells true owners: in our own user namespace root's files are nobody's. NULL: before. */
	struct nursery *nursery;
	enum load_mode mode; /* LOAD_NONE: LOAD_FILE */
	const char *edited;  /* LOAD_EDIT: the text that takes the place of all but server: */
	size_t edited_len;
};

struct config {
	char *file;        /* as given, for messages */
	char *path;        /* where the opened file really is */
	char *folder;      /* its directory: relative paths are relative to this */
	char *dotenv;      /* the .env beside it, where it was read; else NULL */
	char *home_dotenv; /* the one in $CALLGATE_HOME; else NULL */
	int frozen;        /* sealed memfd */
	struct policy *policy;
	struct digest version; /* SHA-256 of the frozen bytes */
	char *values; /* NAME=VALUE of the .env files, each ended by a NUL; wiped at the end */
	size_t values_len;
	/* LOAD_EDIT: what the file becomes; LOAD_SHOW: the file without server:. Else NULL. */
	char *text;
	size_t text_len;
	char *difference; /* LOAD_EDIT: the JSON of policy/difference.h; else NULL */
};

struct config_child {
	struct child child;
	struct config *config; /* so far */
	int report;            /* read end of the child's descriptor 7 */
	int values;            /* its descriptor 8 */
	int result;            /* its descriptor 10; -1: none */
	enum load_mode mode;
};

/* Opens the file and its .env, judges owner and mode, starts the child. 0 or -errno with note. */
int config_start(const struct config_request *request, const struct child_user *user,
    struct config_child *ret, struct err_note *note);
/* After the child ended. 0 and *ret (freed by config_free), warnings appended line by line; or
 * -EINVAL with the child's own "file:line:column: ..." line; or -EPERM with such a line: the edited
 * text has a server: section; or -errno with note. After LOAD_SHOW there is a text and no policy.
 * The struct config_child is used up. */
int config_finish(
    struct config_child *child, struct config **ret, struct buf *warnings, struct err_note *note);
/* Kills the child; the struct is used up. */
void config_abort(struct config_child *child);
void config_free(struct config *config);

/* The value of a variable that a tool's env names: the daemon's own environment first, then the
 * .env files as they were when the policy was read. NULL: there is none. Never to be shown. */
const char *config_variable(const struct config *config, const char *name);

#endif
