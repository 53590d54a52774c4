/* The files of the workspace that a command names, and which of them is its code. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/plan.h"
#include "policy/lexer.h"
#include "sandbox/family.h"

/* What may stand around a file's name in a line of code. */
#define CODE_BREAKS " \t\n\r'\"`$(){}[]|&;<>,=:"

struct search {
	struct plan *plan;
	struct hashes *hashes;
	int cwd;
	struct err_note *note;
};

static int miss(const struct search *search, const char *what, const char *why)
{
	/* Its operands are code: what cannot be hashed cannot be run. */
	if (!search->plan->program.code_letters)
		return 0;
	return err_note(search->note, PLAN_REFUSED,
	    "%s: %s: what %s may run must be part of the plan; name fewer or smaller files", what,
	    why, search->plan->program.name);
}

/* Opens a word as a regular file below the workspace: a descriptor and its path, or -1. */
static int open_word(const struct search *search, const char *word, char **ret_path)
{
	const char *workspace = search->plan->workspace->path;
	int cleanup_fd fd =
	    workspace_openat2(search->cwd, word, O_PATH | O_CLOEXEC, RESOLVE_NO_MAGICLINKS);
	char *cleanup_free path = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -1;
	path = workspace_path_of(fd);
	if (!path || !workspace_is_below(workspace, path))
		return -1;
	*ret_path = take_ptr(path);
	return take_fd(&fd);
}

static struct plan_file *find_path(const struct plan_files *files, const char *path)
{
	for (uint32_t i = 0; i < files->count; i++)
		if (!strcmp(files->items[i].path, path))
			return &files->items[i];
	return NULL;
}

static int hash_file(const struct search *search, int path_fd, struct plan_file *file)
{
	struct plan_files *files = &search->plan->files;
	uint64_t left = PLAN_FILES_BYTES - files->bytes;
	char link[64];
	int cleanup_fd fd = -1;
	int fault;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	fault = fd < 0 ? -errno : hashes_of(search->hashes, fd, left, &file->stamp, &file->digest);
	switch (fault) {
	case 0: files->bytes += file->stamp.size; return 0;
	case -EFBIG: file->missed = "too large"; break;
	case -EACCES:
	case -EPERM: file->missed = "cannot be read"; break;
	case -EAGAIN: file->missed = "was changed while it was read"; break;
	default:
		return err_note_errno(search->note,
		    err_note(search->note, fault, "%s: cannot be read to be hashed", file->path));
	}
	return miss(search, file->path, file->missed);
}

static int add_more(const struct search *search)
{
	search->plan->files.more = true;
	return miss(search, "the command", "names more files than a plan holds");
}

/* A word that names no file is none of our business. */
static int add_word(const struct search *search, const char *word)
{
	struct plan_files *files = &search->plan->files;
	char *cleanup_free path = NULL;
	int cleanup_fd fd = -1;

	if (!word[0])
		return 0;
	if (files->words++ >= PLAN_WORDS_MAX)
		return add_more(search);
	fd = open_word(search, word, &path);
	if (fd < 0 || find_path(files, path))
		return 0;
	if (files->count == PLAN_FILES_MAX)
		return add_more(search);
	files->items[files->count] = (struct plan_file){.path = take_ptr(path)};
	return hash_file(search, fd, &files->items[files->count++]);
}

/* Whatever in a line of code looks like a word: sh -c 'sh ./s.sh; ls'. */
static int add_pieces(const struct search *search, const char *text)
{
	char *cleanup_free copy = strdup(text);
	int fault = 0;

	if (!copy)
		return err_note(search->note, -ENOMEM, "out of memory");
	for (char *at = copy; !fault && *at;) {
		size_t len = strcspn(at, CODE_BREAKS);
		bool last = !at[len];

		at[len] = '\0';
		fault = add_word(search, at);
		at += len + !last;
	}
	return fault;
}

/* The word itself, NAME=file, -ofile and @file. */
static int add_forms(const struct search *search, const char *word)
{
	const char *value = strchr(word, '=');
	int fault = add_word(search, word);

	if (!fault && value)
		fault = add_word(search, value + 1);
	if (!fault && word[0] == '-' && word[1] && word[1] != '-' && word[2])
		fault = add_word(search, word + 2);
	if (!fault && word[0] == '@')
		fault = add_word(search, word + 1);
	if (!fault && search->plan->program.interpreter && strpbrk(word, CODE_BREAKS))
		fault = add_pieces(search, word);
	return fault;
}

/* ---- which of them is code ----------------------------------------------------------------- */

/* -c, -ec, --eval: the code stands in argv itself. */
static bool brings_code(const char *word, const char *letters)
{
	if (word[1] != '-')
		return strpbrk(word + 1, letters) != NULL;
	return (strchr(letters, 'e') && !strncmp(word, "--eval", 6)) ||
	       (strchr(letters, 'p') && !strncmp(word, "--print", 7));
}

/* The first operand that is a file of the workspace; values of options (python3 -W ignore) are
 * not told apart, which is why all the words are hashed. -1: none, or code stands in argv. */
static int open_script(const struct search *search, const struct strv *argv, char **ret_path)
{
	const char *letters = search->plan->program.code_letters;
	bool options = true;

	for (uint32_t i = 1; i < argv->count; i++) {
		const char *word = argv->items[i];
		int fd;

		if (options && word[0] == '-') {
			if (!word[1])
				return -1; /* standard input */
			if (brings_code(word, letters))
				return -1;
			options = strcmp(word, "--") != 0;
			continue;
		}
		fd = open_word(search, word, ret_path);
		if (fd >= 0 || word[0] == '/')
			return fd;
	}
	return -1;
}

static int find_script(const struct search *search, const struct strv *argv)
{
	struct plan_script *script = &search->plan->script;
	const struct plan_file *file;
	int fault;

	if (!search->plan->program.code_letters)
		return 0;
	script->fd = open_script(search, argv, &script->path);
	if (script->fd < 0)
		return 0;
	file = find_path(&search->plan->files, script->path);
	fault = hashes_stamp(script->fd, &script->stamp);
	if (fault)
		return err_note_errno(
		    search->note, err_note(search->note, fault, "%s", script->path));
	if (!file || memcmp(&file->stamp, &script->stamp, sizeof(file->stamp)))
		return err_note(search->note, -EAGAIN, "%s: changed while it was read; try again",
		    script->path);
	script->digest = file->digest;
	return 0;
}

/* Does this command word start something that runs code it reads elsewhere? */
static bool runs_code(const char *word)
{
	const char *slash = strrchr(word, '/');

	return (family_traits(slash ? slash + 1 : word) & (FAMILY_INTERPRETER | FAMILY_FINDS)) != 0;
}

/* A line that is understood whole and whose commands read data only. */
static bool is_plain_line(const char *text)
{
	struct command command;
	bool plain;

	if (command_parse(&command, text, strlen(text)))
		return false;
	plain = command.form != COMMAND_NOT_ANALYSABLE;
	for (uint32_t i = 0; plain && i < command.word_count; i++)
		plain = !runs_code(command.words[i]);
	command_fini(&command);
	return plain;
}

/* Whoever approves is told unless it can be shown that there is nothing to tell: what a script
 * imports, a module, a Makefile, a configuration with hooks, a word that only the tool resolves.
 * Guessing from options which command is harmless was tried, and fooled. */
static bool has_unseen(const struct plan *plan, const struct strv *argv)
{
	const char *letters = plan->program.code_letters;

	if (!plan->program.interpreter && !plan->program.finds)
		return false;
	return !letters || strcmp(letters, FAMILY_SHELL_LETTERS) != 0 || argv->count != 3 ||
	       strcmp(argv->items[1], "-c") != 0 || !is_plain_line(argv->items[2]);
}

/* ---- the whole ----------------------------------------------------------------------------- */

int plan_files_find(struct plan *plan, const struct planner *planner,
    const struct plan_input *input, int cwd, struct err_note *note)
{
	struct search search = {plan, planner->hashes, cwd, note};
	int fault = 0;

	plan->files.items = calloc(PLAN_FILES_MAX, sizeof(*plan->files.items));
	if (!plan->files.items)
		return err_note(note, -ENOMEM, "out of memory");
	/* Data may change at any time (a log grows): that does not make it another plan. */
	for (uint32_t i = 1; !plan->program.data && !fault && i < input->argv.count; i++)
		fault = add_forms(&search, input->argv.items[i]);
	if (!fault)
		fault = find_script(&search, &input->argv);
	if (!fault)
		plan->unseen = has_unseen(plan, &input->argv);
	return fault;
}

int plan_files_recheck(const struct plan *plan, struct err_note *note)
{
	for (uint32_t i = 0; plan->program.interpreter && i < plan->files.count; i++) {
		const struct plan_file *file = &plan->files.items[i];
		int cleanup_fd fd = open(file->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
		struct program_stamp now;

		if (!file->missed &&
		    (fd < 0 || hashes_stamp(fd, &now) || memcmp(&now, &file->stamp, sizeof(now))))
			return err_note(
			    note, -ESTALE, "%s: changed between decision and start", file->path);
	}
	return 0;
}

void plan_files_fini(struct plan_files *files)
{
	for (uint32_t i = 0; i < files->count; i++)
		free(files->items[i].path);
	free(files->items);
	memset(files, 0, sizeof(*files));
}
