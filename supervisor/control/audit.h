/*
 * The offline side of the trail: `callgate audit verify | tail | prove`. No daemon is asked and
 * nothing is trusted but the pin. Floor 4: may block; reads the journal, writes stdout.
 */
#ifndef CALLGATE_CONTROL_AUDIT_H
#define CALLGATE_CONTROL_AUDIT_H

#include "supervisor/base/buf.h"
#include "supervisor/control/command.h"
#include "supervisor/evidence/note.h"

/* argv[0] is the verb; `--output json|text` may be among the options. Each returns the exit
 * status: 0 OK, 1 usage or I/O, and for verify 2 TAMPERED, 3 INCOMPLETE, 4 KEY, 5 SEMANTIC. */
int audit_verify_main(int argc, char **argv);
int audit_tail_main(int argc, char **argv);
int audit_prove_main(int argc, char **argv);

enum audit_exit {
	AUDIT_OK = 0,
	AUDIT_USAGE = 1,
	AUDIT_TAMPERED = 2,
	AUDIT_INCOMPLETE = 3,
	AUDIT_KEY = 4,
	AUDIT_SEMANTIC = 5,
};

/* Opens DIR, or STATE/audit if dir is NULL. Returns the descriptor, or -errno after complaining.
 * *ret_path (PATHS_MAX bytes) is what was opened. */
int audit_open_dir(const char *dir, char *ret_path);
/* Takes --output out of argv. 0, or AUDIT_USAGE after complaining. */
int audit_take_output(int *argc, char **argv, enum command_output *ret);

/* The pin: `file`, or where that is NULL STATE/trust.pin or DIR/../trust.pin. 1: *ret is the
 * pinned key; 0: there is none; -errno after complaining; -EBADMSG: not a pin (not complained).
 * *ret_path (PATHS_MAX bytes) names the file. */
int audit_load_pin(struct note_key *ret, const char *file, const char *dir, char *ret_path);

#endif
