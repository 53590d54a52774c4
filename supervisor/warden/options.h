/*
 * The command line of callgated. Pure but for what it prints nowhere: the caller prints.
 * Used by main.c only.
 */
#ifndef CALLGATE_WARDEN_OPTIONS_H
#define CALLGATE_WARDEN_OPTIONS_H

#include "policy/overrides.h"
#include "supervisor/base/err.h"

enum options_wish {
	OPTIONS_WRONG = 0, /* note says what */
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

/* Borrowed from argv. */
struct options {
	const char *config; /* never NULL for RUN and CHECK */
	const char *state;  /* NULL: the usual place */
	struct policy_overrides overrides;
};

enum options_wish options_parse(struct options *ret, int argc, char **argv, struct err_note *note);
/* What --help prints. */
const char *options_help(void);

#endif
