/*
 * What is known of programs by their names: which run code of their arguments, which need
 * writable code, which are many programs in one, and which files their kind needs besides
 * libraries. Tables only; nothing is opened here. Floor 1: base.
 */
#ifndef CALLGATE_SANDBOX_FAMILY_H
#define CALLGATE_SANDBOX_FAMILY_H

#include <limits.h>
#include <stdbool.h>

enum family_trait {
	FAMILY_INTERPRETER = 1, /* runs code of its arguments or starts the programs they name */
	FAMILY_JIT = 2,         /* writes its own machine code */
	FAMILY_MULTICALL = 4,   /* is another program under another name */
	FAMILY_FINDS = 8,       /* runs code of files that its arguments need not name */
	FAMILY_DATA = 16,       /* known to run nothing: the files it is given are data to it */
};

/* Traits of a program by the last component of its resolved path (version suffix ignored). */
unsigned family_traits(const char *base);
/* For a program whose first operand is a file with code: the letters of the options that bring the
 * code themselves, so that none is (sh -c, python -m); "" for none such; NULL for all others. */
const char *family_code_letters(const char *base);
#define FAMILY_SHELL_LETTERS "cs" /* those of every shell: a string, or standard input */
/* NULL-terminated names under which multi-call binaries are installed. */
const char *const *family_multicall_names(void);

enum family_kind {
	FAMILY_RUNS,  /* programs, with what they need themselves: READ+EXECUTE */
	FAMILY_READS, /* files, and directories by the cover rule: READ */
	FAMILY_LOADS, /* the same, and the libraries of every shared object below */
	FAMILY_LINKS, /* a directory's *.o, *.a and *.so with what they point to: READ */
	FAMILY_NEEDS, /* a program that it starts, which only the policy may grant: a remark */
};

struct family_row {
	const char
	    *program; /* globs (a|b) over the name without version, or one of the two below */
	enum family_kind kind;
	/* Glob of absolute paths: @ is the parent of the program's own directory, % its name with
	 * version, ~ the version ("*" if none), & the directory of the ELF loader. */
	const char *path;
	const char *why; /* NEEDS: what fails without it; else NULL */
};

#define FAMILY_BASE "/"  /* stands for every tool */
#define FAMILY_OPEN "//" /* stands for a tool without deny_by_default */

/* The next row (after `after`; NULL: the first) for the program at this resolved path, or for
 * FAMILY_BASE or FAMILY_OPEN; NULL when there are no more. */
const struct family_row *family_next(const char *program_path, const struct family_row *after);

/* The row's path with its signs replaced. loader_dir may be "". 0, -ENAMETOOLONG, or -ENOENT (a
 * sign has no value here, so the row does not apply). */
int family_expand(const struct family_row *row, const char *program_path, const char *loader_dir,
    char ret_path[PATH_MAX]);

#endif
