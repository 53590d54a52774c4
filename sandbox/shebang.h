/*
 * The first line of a script, read as the kernel reads it (fs/binfmt_script.c, execve(2)), and
 * the argument of env(1) in it, read more strictly than env does. Pure. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_SHEBANG_H
#define CALLGATE_SANDBOX_SHEBANG_H

#include <stddef.h>

#include "supervisor/base/err.h"

#define SHEBANG_MAX 256 /* BINPRM_BUF_SIZE: the kernel looks no further */

struct shebang {
	char interpreter[SHEBANG_MAX];
	char argument[SHEBANG_MAX]; /* the whole rest of the line; "" if none */
};

/* bytes: the first min(size, SHEBANG_MAX) bytes of the file. 0; -ENOEXEC: no script; -EACCES
 * with note: a line that the kernel would cut, or a relative interpreter. */
int shebang_parse(const char *bytes, size_t len, struct shebang *ret, struct err_note *note);

/* The program that env starts for `#!.../env ARGUMENT`. Options that change where it looks or
 * what it splits are refused. 0 or -EACCES with note. */
int shebang_env_program(const char *argument, char ret_program[SHEBANG_MAX], struct err_note *note);

#endif
