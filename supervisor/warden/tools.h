/*
 * The tools of one policy version as the warden needs them: who may run what (allowlist), where
 * (opened workspaces), within which walls and limits. Built at load and at each reload beside
 * the old table, after the warden has its own mount namespace; read-only afterwards.
 *
 * Reading programs from the disk may take seconds on a cold cache. Tools of the same programs have
 * one allowlist, and an object that several name is opened once (sandbox/held.h).
 */
#ifndef CALLGATE_WARDEN_TOOLS_H
#define CALLGATE_WARDEN_TOOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/err.h"
#include "supervisor/warden/config.h"
#include "supervisor/warden/hashes.h"
#include "supervisor/warden/workspace.h"
#include "sandbox/allowlist.h"
#include "sandbox/cell.h"
#include "sandbox/held.h"
#include "sandbox/names.h"
#include "sandbox/survey.h"

#define TOOLS_PROGRAM_MAX (512 * 1024 * 1024) /* bytes of a program that is hashed */
#define TOOLS_ENV_COUNT   5
#define TOOLS_CLIENT      "callgate" /* how a call with a gate names the client of it */

/* Places outside /usr that the tool's programs need: bound read-only into each cell. */
struct tool_outside {
	char **paths;
	int *fds; /* O_PATH, of held */
	struct held **held;
	uint32_t count;
};

#define TOOLS_TIME_MAX 40 /* CALLGATE_TIME_MS= and a number, with NUL */

struct tool {
	const struct policy_tool *policy; /* in tools.config */
	bool open;                        /* every program of the path but the denied ones */
	char *function;               /* resolved path of a function tool's program; else NULL */
	char time[TOOLS_TIME_MAX];    /* of a function tool: when it ends its work by itself; "" */
	char *client;                 /* with a gate: resolved path of `callgate`; else NULL */
	char *client_path;            /* and what PATH lacks to find it: ":/opt/bin", or "" */
	struct digest programs;       /* what the allowlist is made of */
	struct allowlist *allowlist;  /* one for all tools of the same programs */
	struct workspace *workspaces; /* one per namespace, in the policy's order */
	struct tool_outside outside;
	uint32_t required; /* LAYER_BIT()s */
	enum cell_workspace mode;
	bool overlay; /* of the workspace: what is written stays aside */
	struct cell_limits limits;
};

struct tools {
	struct config *config; /* owned */
	struct tool *items;    /* one per tool, in the policy's order */
	uint32_t count;
	uint32_t spaces;                /* namespaces, that is workspaces of each tool */
	const char **path;              /* defaults.path, NULL-terminated */
	char *env[TOOLS_ENV_COUNT + 1]; /* NAME=VALUE, exact, NULL-terminated; owned */
	uid_t tool_uid;                 /* whom programs must not be writable by */
};

struct tools_spec {
	const struct cell_host *host;
	const char *user;          /* USER of an ordinary user's tools */
	const char *programs;      /* folder of our own programs; NULL: paths_libexec() */
	struct hashes *hashes;     /* filled with what the allowlists name */
	struct buf *warnings;      /* lines */
	struct holdings *holdings; /* what older tables hold, too; outlives all; NULL: nothing */
	/* Called often with arg while the disk is read, for what cannot wait; NULL: nothing. */
	void (*breathe)(void *arg);
	void *arg;
};

/* Tools while they are built. What is shared ends with the work: files change. */
struct tools_work {
	struct tools_spec spec;
	struct tools *tools;
	struct survey survey;
	struct names warmed; /* programs whose hashes are known */
};

/* One tool a step, so that a loop can do other things between: tools_step() says 1 while there is
 * more to do, 0 at the end; or -errno with note "file:line:column: ...". config is the work's from
 * begin on, the tools' that are taken at the end; with a fault of tools_begin() the caller's. */
int tools_begin(struct config *config, const struct tools_spec *spec, struct tools_work **ret,
    struct err_note *note);
int tools_step(struct tools_work *work, struct err_note *note);
struct tools *tools_take(struct tools_work *work);
/* Frees what was not taken. */
void tools_end(struct tools_work *work);
/* All of it at once; takes config on success only. 0 or -errno with note. */
int tools_build(struct config *config, const struct tools_spec *spec, struct tools **ret,
    struct err_note *note);
void tools_free(struct tools *tools);

/* The texts of words, NULL-terminated, in one heap block; they stay the policy's. NULL: out of
 * memory. */
const char **tools_texts(const struct policy_words *words);
/* tools_programs.c: ->allowlist and ->outside, and the hashes of what it names. 0 or -errno with
 * note. */
int tools_find_programs(struct tools_work *work, struct tool *tool, struct err_note *note);
/* tools_own.c: finds ->function and ->client and judges what the policy gives the tool. 0 or
 * -errno with note "file:line:column: ...". */
int tools_find_own(struct tool *tool, const struct tools *tools, const struct tools_spec *spec,
    struct err_note *note);
/* Whether this name is one of those two, which are trusted as this program is. */
bool tool_owns(const struct tool *tool, const char *name);

/* NULL when there is none. */
const struct tool *tools_find(const struct tools *tools, const char *name);
const struct workspace *tools_workspace(
    const struct tools *tools, const struct tool *tool, const char *space);

#endif
