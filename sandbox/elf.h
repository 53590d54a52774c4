/*
 * As much of ELF as decides what may run: kind, machine, loader, needed libraries. Every offset
 * is checked against what pread() gives; a damaged file is an error, never a crash.
 * Source: elf(5), System V gABI. Floor 1: libc only; reads the descriptor it is given.
 */
#ifndef CALLGATE_SANDBOX_ELF_H
#define CALLGATE_SANDBOX_ELF_H

#include <limits.h>
#include <link.h>
#include <stdbool.h>

#include "sandbox/names.h"

#define ELF_SEGMENTS_MAX 64

struct elf {
	int fd; /* borrowed: the caller's descriptor, which must outlive this */
	ElfW(Ehdr) header;
	ElfW(Phdr) segments[ELF_SEGMENTS_MAX];
	uint32_t segment_count;
};

/* Reads the headers. 0; -ENOEXEC: not an ELF file; -ELIBBAD: ELF of another machine or class
 * (only header.e_type is filled); -EBADMSG: damaged; -errno. */
int elf_read(struct elf *ret, int fd);

/* The ELF interpreter's path. 0; -ENOENT: none (static, or a library); -EBADMSG. */
int elf_loader(const struct elf *elf, char ret_path[PATH_MAX]);

/* What the dynamic section asks for; a zeroed struct is empty. */
struct elf_needs {
	struct names needed;
	char rpath[PATH_MAX]; /* "" if absent */
	char runpath[PATH_MAX];
	bool soname; /* it calls itself a library */
};

/* 0 (a static file needs nothing), -EBADMSG, -ENOMEM. */
int elf_needs_read(const struct elf *elf, struct elf_needs *ret);
void elf_needs_fini(struct elf_needs *needs);

/* Could `ld.so FILE` or an exec run this? ET_EXEC; or a loader named in it; or a shared object
 * with an entry point whose name has no ".so". A damaged file counts as runnable, and so does one
 * of another machine unless it is named as a library. Files that are not ELF do not.
 * 0 or -errno (unreadable). */
int elf_is_runnable(int fd, const char *name, bool *ret_runnable);

#endif
