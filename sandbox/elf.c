#include "sandbox/elf.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ELF_DYNAMIC_MAX 512 /* entries of a dynamic section; libraries have about 30 */

/* Our own header, put here by the linker: the machine and class that this kernel runs for us. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

static int read_at(int fd, void *out, size_t len, uint64_t offset)
{
	ssize_t got;

	if (offset > INT64_MAX)
		return -EBADMSG;
	got = pread(fd, out, len, (off_t)offset);
	if (got < 0)
		return -errno;
	return (size_t)got == len ? 0 : -EBADMSG;
}

static bool is_native(const ElfW(Ehdr) * header)
{
	return header->e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
	       header->e_ident[EI_DATA] == __ehdr_start.e_ident[EI_DATA] &&
	       header->e_machine == __ehdr_start.e_machine;
}

int elf_read(struct elf *ret, int fd)
{
	ElfW(Ehdr) *header = &ret->header;
	ssize_t got = pread(fd, header, sizeof(*header), 0);

	if (got < 0)
		return -errno;
	if (got < EI_NIDENT || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	ret->fd = fd;
	ret->segment_count = 0;
	if (got < (ssize_t)sizeof(*header))
		return -EBADMSG;
	if (!is_native(header))
		return -ELIBBAD;
	if (header->e_phnum == 0)
		return 0;
	if (header->e_phnum > ELF_SEGMENTS_MAX || header->e_phentsize != sizeof(ElfW(Phdr)))
		return -EBADMSG;
	ret->segment_count = header->e_phnum;
	return read_at(fd, ret->segments, header->e_phnum * sizeof(ElfW(Phdr)), header->e_phoff);
}

static const ElfW(Phdr) * find_segment(const struct elf *elf, ElfW(Word) type)
{
	for (uint32_t i = 0; i < elf->segment_count; i++)
		if (elf->segments[i].p_type == type)
			return &elf->segments[i];
	return NULL;
}

int elf_loader(const struct elf *elf, char ret_path[PATH_MAX])
{
	const ElfW(Phdr) *segment = find_segment(elf, PT_INTERP);
	char path[PATH_MAX];
	int fault;

	if (segment == NULL)
		return -ENOENT;
	if (segment->p_filesz < 2 || segment->p_filesz > sizeof(path))
		return -EBADMSG;
	fault = read_at(elf->fd, path, segment->p_filesz, segment->p_offset);
	if (fault < 0)
		return fault;
	if (path[segment->p_filesz - 1] != '\0' || path[0] != '/')
		return -EBADMSG;
	memcpy(ret_path, path, segment->p_filesz);
	return 0;
}

/* File offset of a virtual address; 0 (where the header is) if no segment holds it. */
static uint64_t offset_of(const struct elf *elf, ElfW(Addr) address)
{
	for (uint32_t i = 0; i < elf->segment_count; i++) {
		const ElfW(Phdr) *segment = &elf->segments[i];

		if (segment->p_type == PT_LOAD && address >= segment->p_vaddr &&
		    address - segment->p_vaddr < segment->p_filesz)
			return segment->p_offset + (address - segment->p_vaddr);
	}
	return 0;
}

/* One string of the dynamic string table, NUL included. */
static int read_string(const struct elf *elf, uint64_t offset, char out[PATH_MAX])
{
	ssize_t got;

	if (offset > INT64_MAX)
		return -EBADMSG;
	got = pread(elf->fd, out, PATH_MAX, (off_t)offset);
	if (got < 0)
		return -errno;
	return memchr(out, '\0', (size_t)got) == NULL ? -EBADMSG : 0;
}

static int take_entry(
    const struct elf *elf, const ElfW(Dyn) * entry, uint64_t strings, struct elf_needs *needs)
{
	char text[PATH_MAX];
	int fault;

	if (entry->d_tag == DT_SONAME)
		needs->soname = true;
	if (entry->d_tag == DT_RPATH)
		return read_string(elf, strings + entry->d_un.d_val, needs->rpath);
	if (entry->d_tag == DT_RUNPATH)
		return read_string(elf, strings + entry->d_un.d_val, needs->runpath);
	if (entry->d_tag != DT_NEEDED)
		return 0;
	fault = read_string(elf, strings + entry->d_un.d_val, text);
	return fault < 0 ? fault : names_add(&needs->needed, text);
}

/* Reads the section, cut off behind its DT_NULL. */
static int read_dynamic(
    const struct elf *elf, const ElfW(Phdr) * segment, ElfW(Dyn) * out, size_t *ret_count)
{
	size_t count = segment->p_filesz / sizeof(*out);
	int fault;

	if (count > ELF_DYNAMIC_MAX)
		return -EBADMSG;
	fault = read_at(elf->fd, out, count * sizeof(*out), segment->p_offset);
	if (fault < 0)
		return fault;
	for (*ret_count = 0; *ret_count < count; ++*ret_count)
		if (out[*ret_count].d_tag == DT_NULL)
			break;
	return 0;
}

int elf_needs_read(const struct elf *elf, struct elf_needs *ret)
{
	const ElfW(Phdr) *segment = find_segment(elf, PT_DYNAMIC);
	ElfW(Dyn) dynamic[ELF_DYNAMIC_MAX];
	uint64_t strings = 0;
	size_t count = 0;
	int fault;

	if (segment == NULL)
		return 0;
	fault = read_dynamic(elf, segment, dynamic, &count);
	if (fault < 0)
		return fault;
	for (size_t i = 0; i < count; i++)
		if (dynamic[i].d_tag == DT_STRTAB)
			strings = offset_of(elf, dynamic[i].d_un.d_ptr);
	if (strings == 0 && count > 0)
		return -EBADMSG;
	for (size_t i = 0; i < count && fault == 0; i++)
		fault = take_entry(elf, &dynamic[i], strings, ret);
	if (fault < 0)
		elf_needs_fini(ret);
	return fault;
}

void elf_needs_fini(struct elf_needs *needs)
{
	names_fini(&needs->needed);
}

int elf_is_runnable(int fd, const char *name, bool *ret_runnable)
{
	bool library = strstr(name, ".so") != NULL;
	struct elf elf;
	int fault = elf_read(&elf, fd);

	switch (fault) {
	case -ENOEXEC: *ret_runnable = false; return 0;
	case -EBADMSG: *ret_runnable = true; return 0;
	case -ELIBBAD: *ret_runnable = !library; return 0;
	case 0: break;
	default: return fault;
	}
	*ret_runnable = elf.header.e_type == ET_EXEC || find_segment(&elf, PT_INTERP) != NULL ||
			(elf.header.e_type == ET_DYN && elf.header.e_entry != 0 && !library);
	return 0;
}
