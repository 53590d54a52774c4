/*
 * Opening one program the way execve(2) would, but holding on to every link of the chain: the
 * script, its interpreters, what env starts for it, the ELF program and its loader.
 */
#include "sandbox/allowlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sandbox/elf.h"
#include "sandbox/family.h"
#include "sandbox/names.h"
#include "sandbox/object.h"
#include "sandbox/shebang.h"

#define CHAIN_SCRIPTS_MAX 4
#define CHAIN_WORDS_MAX   (2 * CHAIN_SCRIPTS_MAX + 1)

struct chain {
	struct program *program;
	const char *const *path;
	uid_t tool_uid;
	struct err_note *note;
	/* Words before the rest of argv, last first: each shebang puts its own in front. */
	const char *words[CHAIN_WORDS_MAX];
	uint32_t word_count;
	struct shebang lines[CHAIN_SCRIPTS_MAX];
	uint32_t line_count;
	bool kernel_done; /* the ELF program of execveat is found; what follows is env's doing */
};

static int part_take(struct program_part *part, struct object *object, int read_fd)
{
	part->path = strdup(object->path);
	if (part->path == NULL)
		return -ENOMEM;
	part->fd = object->fd;
	object->fd = -1;
	part->read_fd = read_fd;
	part->stamp = object_stamp(object);
	return 0;
}

static bool has_part(const struct program *program, const struct stat *st)
{
	for (uint32_t i = 0; i < program->part_count; i++)
		if (program->parts[i].stamp.dev == st->st_dev &&
		    program->parts[i].stamp.ino == st->st_ino)
			return true;
	return false;
}

/* Judges an opened object and appends it. *ret_part is NULL when it is a part already. */
static int chain_add(struct chain *chain, struct object *object, struct program_part **ret_part)
{
	struct program *program = chain->program;
	int read_fd, fault;

	*ret_part = NULL;
	if (has_part(program, &object->stat))
		return 0;
	if (!S_ISREG(object->stat.st_mode) || (object->stat.st_mode & 0111) == 0)
		return err_note(chain->note, -EACCES,
		    "%s: it is not an executable file; chmod +x "
		    "it, or name the program itself",
		    object->path);
	if (program->part_count == PROGRAM_CHAIN_MAX)
		return err_note(chain->note, -ELOOP,
		    "%s: more than %d files would have to start each "
		    "other",
		    program->name, PROGRAM_CHAIN_MAX);
	fault = chain->tool_uid == PROGRAM_TRUSTED
		    ? 0
		    : object_guard(object, chain->tool_uid, chain->note);
	if (fault < 0)
		return fault;
	read_fd = object_reopen(object);
	if (read_fd == -EACCES)
		return err_note(chain->note, -EACCES,
		    "%s: it cannot be read and so not be judged; "
		    "make it readable",
		    object->path);
	if (read_fd < 0)
		return read_fd;
	fault = part_take(&program->parts[program->part_count], object, read_fd);
	if (fault < 0) {
		close(read_fd);
		return fault;
	}
	*ret_part = &program->parts[program->part_count++];
	return 0;
}

static int chain_open(struct chain *chain, const char *path, struct program_part **ret_part)
{
	struct object object = {.fd = -1};
	int fault = object_open(&object, path);

	if (fault < 0)
		return err_note(chain->note, fault, "%s: %s", path, strerror(-fault));
	fault = chain_add(chain, &object, ret_part);
	object_fini(&object);
	return fault;
}

/* As execvp: the first directory with an executable regular file of that name. */
static int chain_find(struct chain *chain, const char *name, struct program_part **ret_part)
{
	int worst = -ENOENT;

	if (*name == '/')
		return chain_open(chain, name, ret_part);
	if (strchr(name, '/') != NULL)
		return err_note(
		    chain->note, -EINVAL, "%s: neither a name nor an absolute path", name);
	for (const char *const *dir = chain->path; *dir != NULL; dir++) {
		struct object object = {.fd = -1};
		char path[PATH_MAX];
		size_t dir_len = strlen(*dir), name_len = strlen(name);
		int fault;

		if (**dir != '/' || dir_len + name_len + 2 > sizeof(path))
			continue;
		memcpy(path, *dir, dir_len);
		path[dir_len] = '/';
		memcpy(path + dir_len + 1, name, name_len + 1);
		fault = object_open(&object, path);
		if (object_is_absent(fault))
			continue;
		if (fault < 0)
			return fault;
		if (!S_ISREG(object.stat.st_mode) || (object.stat.st_mode & 0111) == 0) {
			worst = err_note(chain->note, -EACCES, "%s: not an executable file", path);
			object_fini(&object);
			continue;
		}
		fault = chain_add(chain, &object, ret_part);
		object_fini(&object);
		return fault;
	}
	if (worst == -ENOENT)
		return err_note(
		    chain->note, -ENOENT, "%s: no directory of the path holds it", name);
	return worst;
}

static int follow_script(
    struct chain *chain, struct program_part *part, const char *head, size_t len)
{
	struct shebang *line = &chain->lines[chain->line_count];
	struct err_note why = {""};
	int fault;

	if (chain->line_count == CHAIN_SCRIPTS_MAX)
		return err_note(chain->note, -ELOOP, "%s: more than %d scripts start each other",
		    chain->program->name, CHAIN_SCRIPTS_MAX);
	fault = shebang_parse(head, len, line, &why);
	if (fault < 0)
		return err_note(chain->note, fault, "%s: %s", part->path, why.text);
	part->script = true;
	chain->line_count++;
	if (chain->kernel_done)
		return 0;
	chain->words[chain->word_count++] = part->path;
	if (line->argument[0] != '\0')
		chain->words[chain->word_count++] = line->argument;
	return 0;
}

static int follow_loader(struct chain *chain, const struct elf *elf, struct program_part *part)
{
	struct program_part *loader;
	char path[PATH_MAX];
	struct elf own;
	int fault = elf_loader(elf, path);

	if (fault == -ENOENT)
		return 0;
	if (fault < 0)
		return err_note(chain->note, -EACCES, "%s: damaged ELF file", part->path);
	fault = chain_open(chain, path, &loader);
	if (fault < 0 || loader == NULL)
		return fault;
	loader->loader = true;
	if (elf_read(&own, loader->read_fd) < 0)
		return err_note(chain->note, -EACCES,
		    "%s: its loader %s is no ELF file of this machine", part->path, path);
	return 0;
}

/* The ELF end of a chain of shebangs. */
static int follow_elf(struct chain *chain, struct program_part *part)
{
	struct elf elf;
	int fault = elf_read(&elf, part->read_fd);

	if (fault == 0 && elf.header.e_type != ET_EXEC && elf.header.e_type != ET_DYN)
		fault = -ENOEXEC;
	if (fault < 0)
		return err_note(chain->note, -EACCES,
		    "%s: neither a script nor an ELF program of this "
		    "machine (%s)",
		    part->path, strerror(-fault));
	if (!chain->kernel_done)
		chain->program->exec_part = (uint32_t)(part - chain->program->parts);
	chain->kernel_done = true;
	return follow_loader(chain, &elf, part);
}

static bool is_env(const struct program_part *part)
{
	return strcmp(object_base(part->path), "env") == 0;
}

/* One link further. *part is NULL at the end of the chain. */
static int chain_step(struct chain *chain, struct program_part **part)
{
	struct program_part *here = *part;
	char head[SHEBANG_MAX], name[SHEBANG_MAX];
	uint32_t lines = chain->line_count;
	ssize_t len = pread(here->read_fd, head, sizeof(head), 0);
	int fault;

	*part = NULL;
	if (len < 0)
		return -errno;
	if (len >= 2 && head[0] == '#' && head[1] == '!') {
		fault = follow_script(chain, here, head, (size_t)len);
		return fault < 0 ? fault : chain_open(chain, chain->lines[lines].interpreter, part);
	}
	fault = follow_elf(chain, here);
	if (fault < 0 || lines == 0 || !is_env(here))
		return fault;
	fault = shebang_env_program(chain->lines[lines - 1].argument, name, chain->note);
	return fault < 0 ? fault : chain_find(chain, name, part);
}

/* The kernel puts a script's interpreter, its argument and the script's path before the rest. */
static int build_prefix(struct chain *chain)
{
	struct program *program = chain->program;

	if (!program->parts[0].script)
		return 0;
	chain->words[chain->word_count++] = chain->lines[program->exec_part - 1].interpreter;
	program->prefix = calloc(CHAIN_WORDS_MAX + 1, sizeof(*program->prefix));
	if (program->prefix == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < chain->word_count; i++) {
		program->prefix[i] = strdup(chain->words[chain->word_count - 1 - i]);
		if (program->prefix[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

/* A busybox may be installed as a hard link with a harmless name: look beside it. */
static bool is_multicall(const struct program_part *part)
{
	size_t dir_len = (size_t)(object_base(part->path) - part->path);
	char path[PATH_MAX];
	struct stat st;

	for (const char *const *name = family_multicall_names(); *name != NULL; name++) {
		if (dir_len + strlen(*name) + 1 > sizeof(path))
			continue;
		memcpy(path, part->path, dir_len);
		memcpy(path + dir_len, *name, strlen(*name) + 1);
		if (stat(path, &st) == 0 && st.st_dev == part->stamp.dev &&
		    st.st_ino == part->stamp.ino)
			return true;
	}
	return false;
}

static void find_traits(struct program *program)
{
	unsigned traits = 0;
	bool data = !program->parts[0].script;

	for (uint32_t i = 0; i < program->part_count; i++) {
		const struct program_part *part = &program->parts[i];

		if (part->loader)
			continue;
		traits |= family_traits(object_base(part->path));
		data = data && family_traits(object_base(part->path)) == FAMILY_DATA;
		if (program->code_letters == NULL && !program->parts[0].script)
			program->code_letters = family_code_letters(object_base(part->path));
		program->multicall = program->multicall || is_multicall(part);
	}
	traits |= family_traits(object_base(program->name));
	if (program->code_letters == NULL && !program->parts[0].script)
		program->code_letters = family_code_letters(object_base(program->name));
	program->interpreter = traits & FAMILY_INTERPRETER;
	program->finds = traits & FAMILY_FINDS;
	program->data = data && traits == FAMILY_DATA;
	program->allow_jit = traits & FAMILY_JIT;
	program->multicall = program->multicall || traits & FAMILY_MULTICALL;
	/* One of the many is a shell. */
	program->finds = program->finds || program->multicall;
}

static int chain_follow(struct chain *chain)
{
	struct program_part *part = NULL;
	int fault = chain_find(chain, chain->program->name, &part);

	while (fault == 0 && part != NULL)
		fault = chain_step(chain, &part);
	/* A part met twice ends the walk: harmless behind env, a loop before. */
	if (fault == 0 && !chain->kernel_done)
		return err_note(chain->note, -ELOOP, "%s: its scripts start each other in a circle",
		    chain->program->name);
	return fault < 0 ? fault : build_prefix(chain);
}

int program_open(struct program *ret, const char *const *path, const char *name, uid_t tool_uid,
    struct err_note *note)
{
	struct program program = {.name = strdup(name)};
	struct chain chain = {
	    .program = &program, .path = path, .tool_uid = tool_uid, .note = note};
	int fault;

	if (program.name == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < PROGRAM_CHAIN_MAX; i++)
		program.parts[i].fd = program.parts[i].read_fd = -1;
	fault = *name == '\0' ? -ENOENT : chain_follow(&chain);
	if (fault < 0) {
		program_fini(&program);
		return fault;
	}
	find_traits(&program);
	*ret = program;
	return 0;
}

void program_fini(struct program *program)
{
	for (uint32_t i = 0; i < program->part_count; i++) {
		free(program->parts[i].path);
		close(program->parts[i].fd);
		close(program->parts[i].read_fd);
	}
	for (char **word = program->prefix; word != NULL && *word != NULL; word++)
		free(*word);
	free(program->prefix);
	free(program->name);
	memset(program, 0, sizeof(*program));
}
