#include "sandbox/allowlist.h"

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "sandbox/cover.h"
#include "sandbox/family.h"
#include "sandbox/grants.h"
#include "sandbox/libs.h"
#include "sandbox/names.h"
#include "sandbox/survey.h"

struct allowlist {
	uint32_t owners;
	bool open;
	bool multicall;
	struct grants grants;
	struct inodes entries; /* what may be called by name: allowed commands and helpers */
	struct names missing;
	struct names interpreters;
	struct names remarks;
};

/* What exists only while a list is built. */
struct build {
	const struct allowlist_spec *spec;
	struct allowlist *list;
	struct err_note *note;
	struct libs libs;
	struct cover cover;
	struct names paths; /* resolved programs and scripts: the keys of the family table */
};

/* The name that the step under way is about. */
static void look_at(const struct build *build, const char *name)
{
	if (build->spec->culprit != NULL)
		*build->spec->culprit = name;
	survey_breathe(build->cover.survey);
}

static int remark(struct build *build, const char *what, const char *why)
{
	struct err_note text;

	(void)err_note(&text, 0, "%s: %s", what, why);
	return names_add_once(&build->list->remarks, text.text);
}

/* ---- denied: first of all, so that nothing later can grant it -------------------------------- */

static int deny_path(struct build *build, const char *path)
{
	struct stat st;

	/* A name that leads nowhere denies nothing. */
	if (stat(path, &st) < 0)
		return object_is_absent(-errno) ? 0 : -errno;
	return grants_deny(&build->list->grants, &st);
}

/* Every file that the name could mean in any directory of the path. */
static int deny_name(struct build *build, const char *name)
{
	int fault = 0;

	if (*name == '/')
		return deny_path(build, name);
	for (const char *const *dir = build->spec->path; *dir != NULL && fault == 0; dir++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s/%s", *dir, name);

		if (len > 0 && len < (int)sizeof(path))
			fault = deny_path(build, path);
	}
	return fault;
}

static int add_denied(struct build *build)
{
	int fault = 0;

	for (const char *const *name = build->spec->denied; name != NULL && *name != NULL; name++) {
		fault = deny_name(build, *name);
		if (fault < 0)
			break;
	}
	return fault;
}

/* ---- programs -------------------------------------------------------------------------------- */

static int grant_part(struct build *build, const struct program_part *part)
{
	struct object object = {.fd = part->fd};
	size_t len = strlen(part->path);
	int fault;

	if (inodes_has(&build->list->grants.denied, part->stamp.dev, part->stamp.ino))
		return 0;
	if (fstat(part->fd, &object.stat) < 0)
		return -errno;
	memcpy(object.path, part->path, len + 1);
	fault = grants_add(&build->list->grants, &object, GRANT_RUN);
	if (fault < 0)
		return fault;
	if (part->loader) {
		libs_see_loader(&build->libs, part->path);
		return 0;
	}
	fault = names_add_once(&build->paths, part->path);
	return fault < 0 ? fault : libs_close_over(&build->libs, &object, build->note);
}

static int grant_parts(struct build *build, const struct program *program)
{
	int fault = 0;

	/* Loaders first: their directory is where libraries are looked for. */
	for (uint32_t i = 0; i < program->part_count && fault == 0; i++)
		if (program->parts[i].loader)
			fault = grant_part(build, &program->parts[i]);
	for (uint32_t i = 0; i < program->part_count && fault == 0; i++)
		if (!program->parts[i].loader)
			fault = grant_part(build, &program->parts[i]);
	return fault;
}

/* A program that may be called by name. */
static int add_entry(struct build *build, const struct program *program)
{
	struct allowlist *list = build->list;
	const struct program_stamp *stamp = &program->parts[0].stamp;
	int fault;

	if (inodes_has(&list->grants.denied, stamp->dev, stamp->ino))
		return remark(build, program->name, "it is also denied, which wins");
	if (program->multicall && !list->multicall)
		return err_note(build->note, -EACCES,
		    "%s: %s is many programs in one file, so that allowing one allows all; install "
		    "the single program, or say multicall: true",
		    program->name, program->parts[program->exec_part].path);
	fault = grant_parts(build, program);
	if (fault == 0)
		fault = inodes_add(&list->entries, stamp->dev, stamp->ino);
	if (fault == 0 && program->interpreter)
		fault = names_add_once(&list->interpreters, program->name);
	return fault;
}

static int open_program(
    struct build *build, const char *name, struct program *ret, struct err_note *why)
{
	why->text[0] = '\0';
	return program_open(ret, build->spec->path, name, build->spec->tool_uid, why);
}

static int add_allowed(struct build *build)
{
	for (const char *const *name = build->spec->allowed; name != NULL && *name != NULL;
	     name++) {
		struct program program;
		struct err_note why;
		int fault;

		look_at(build, *name);
		fault = open_program(build, *name, &program, &why);
		if (fault == -ENOENT) {
			fault = names_add_once(&build->list->missing, *name);
		} else if (fault < 0) {
			return err_note(
			    build->note, fault, "allowed command %s: %s", *name, why.text);
		} else {
			fault = add_entry(build, &program);
			program_fini(&program);
		}
		if (fault < 0)
			return fault;
	}
	return 0;
}

static int add_own(struct build *build)
{
	int fault = 0;

	for (const char *const *path = build->spec->own; path != NULL && *path != NULL; path++) {
		struct program program;
		struct err_note why = {""};

		look_at(build, NULL);
		fault = program_open(&program, build->spec->path, *path, PROGRAM_TRUSTED, &why);
		if (fault < 0)
			return err_note(build->note, fault, "%s: %s", *path,
			    why.text[0] != '\0' ? why.text : strerror(-fault));
		fault = add_entry(build, &program);
		program_fini(&program);
		if (fault < 0)
			break;
	}
	return fault;
}

/* A glob may match files that are no programs; a plain path must be one. */
static int add_helper(struct build *build, const char *pattern, const char *path)
{
	struct program program;
	struct err_note why;
	int fault = open_program(build, path, &program, &why);

	if (fault == -EACCES && strcmp(pattern, path) != 0)
		return remark(build, "helper", why.text);
	if (fault < 0)
		return err_note(build->note, fault, "helper %s: %s", pattern, why.text);
	fault = add_entry(build, &program);
	program_fini(&program);
	return fault;
}

static int add_helpers(struct build *build)
{
	int fault = 0;

	for (const char *const *helper = build->spec->helpers;
	     helper != NULL && *helper != NULL && fault == 0; helper++) {
		glob_t found = {.gl_pathc = 0};

		look_at(build, *helper);
		if (**helper != '/')
			return err_note(
			    build->note, -EINVAL, "helper %s: not an absolute path", *helper);
		if (glob(*helper, GLOB_NOSORT, NULL, &found) != 0)
			fault = remark(build, *helper, "this helper does not exist");
		for (size_t i = 0; i < found.gl_pathc && fault == 0; i++)
			fault = add_helper(build, *helper, found.gl_pathv[i]);
		globfree(&found);
	}
	return fault;
}

/* ---- deny_by_default: false ------------------------------------------------------------------ */

static int add_open_file(struct build *build, const char *path)
{
	struct program program;
	struct err_note why;
	int fault;

	look_at(build, NULL);
	fault = open_program(build, path, &program, &why);
	/* Data files, weak ones, scripts without interpreter: a list of everything has gaps. */
	if (object_is_absent(fault))
		return 0;
	if (fault < 0)
		return fault;
	if (program.multicall && !build->list->multicall)
		fault = remark(build, path, "many programs in one file; left out");
	else
		fault = grant_parts(build, &program);
	program_fini(&program);
	return fault;
}

static int add_open_dir(struct build *build, const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *found;
	int fault = 0;

	if (dir == NULL)
		return object_is_absent(-errno) ? 0 : -errno;
	while (fault == 0 && (found = readdir(dir)) != NULL) {
		char file[PATH_MAX];
		int len = snprintf(file, sizeof(file), "%s/%s", path, found->d_name);

		if (found->d_type != DT_DIR && len > 0 && len < (int)sizeof(file))
			fault = add_open_file(build, file);
	}
	closedir(dir);
	return fault;
}

static int add_open(struct build *build)
{
	int fault = 0;

	if (!build->spec->open)
		return 0;
	for (const char *const *dir = build->spec->path; *dir != NULL && fault == 0; dir++)
		fault = add_open_dir(build, *dir);
	return fault;
}

/* ---- families -------------------------------------------------------------------------------- */

/* A helper of a program: itself and its loader, but not the shell behind a #! line. */
static int add_run(struct build *build, const char *path)
{
	struct program program;
	struct err_note why;
	int fault = open_program(build, path, &program, &why);

	if (fault == -ENOENT)
		return 0;
	if (fault == -EACCES || fault == -ELOOP)
		return remark(build, path, why.text);
	if (fault < 0)
		return fault;
	if (program.parts[0].script)
		fault = grant_part(build, &program.parts[0]);
	else
		fault = grant_parts(build, &program);
	program_fini(&program);
	return fault;
}

/* Is the program of this name granted, in whichever directory it is found first? */
static bool is_granted(const struct build *build, const char *name)
{
	for (const char *const *dir = build->spec->path; *dir != NULL; dir++) {
		char path[PATH_MAX];
		struct stat st;
		int len = snprintf(path, sizeof(path), "%s/%s", *dir, name);

		if (len > 0 && len < (int)sizeof(path) && stat(path, &st) == 0)
			return inodes_has_stat(&build->list->grants.runnable, &st);
	}
	return false;
}

static int check_need(struct build *build, const char *program, const struct family_row *row)
{
	struct err_note why;

	if (is_granted(build, row->path))
		return 0;
	(void)err_note(&why, 0, "%s is not allowed, so these will fail: %s", row->path, row->why);
	return remark(build, object_base(program), why.text);
}

static int apply_path(struct build *build, enum family_kind kind, const char *path)
{
	switch (kind) {
	case FAMILY_RUNS: return add_run(build, path);
	case FAMILY_READS: return cover_add(&build->cover, path, COVER_READ, build->note);
	case FAMILY_LOADS: return cover_add(&build->cover, path, COVER_LOADS, build->note);
	case FAMILY_LINKS: return cover_links(&build->cover, path, build->note);
	case FAMILY_NEEDS: return 0;
	}
	return -EINVAL;
}

static int apply_row(struct build *build, const char *program, const struct family_row *row)
{
	glob_t found = {.gl_pathc = 0};
	char pattern[PATH_MAX];
	int fault = 0;

	if (row->kind == FAMILY_NEEDS)
		return check_need(build, program, row);
	if (family_expand(row, program, build->libs.loader_dir, pattern) < 0)
		return 0;
	if (strchr(pattern, '*') == NULL)
		return apply_path(build, row->kind, pattern);
	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc && fault == 0; i++)
			fault = apply_path(build, row->kind, found.gl_pathv[i]);
	globfree(&found);
	return fault;
}

enum pass {
	PASS_RUNS, /* all programs first: the cover rule asks what may run anyway */
	PASS_READS,
};

static int apply_family(struct build *build, const char *program, enum pass pass)
{
	const struct family_row *row = NULL;
	int fault = 0;

	while (fault == 0 && (row = family_next(program, row)) != NULL)
		if ((row->kind == FAMILY_RUNS) == (pass == PASS_RUNS))
			fault = apply_row(build, program, row);
	return fault;
}

static int add_families(struct build *build)
{
	uint32_t asked = build->paths.count; /* helpers of helpers are not looked up */
	int fault = 0;

	look_at(build, NULL);
	for (uint32_t i = 0; i < asked && fault == 0; i++)
		fault = apply_family(build, build->paths.items[i], PASS_RUNS);
	for (uint32_t i = 0; i < asked && fault == 0; i++)
		fault = apply_family(build, build->paths.items[i], PASS_READS);
	if (fault == 0)
		fault = apply_family(build, FAMILY_BASE, PASS_READS);
	if (fault == 0 && build->spec->open)
		fault = apply_family(build, FAMILY_OPEN, PASS_READS);
	return fault;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static int add_all(struct build *build)
{
	static int (*const steps[])(struct build *) = {
	    add_denied,
	    add_allowed,
	    add_helpers,
	    add_own,
	    add_open,
	    add_families,
	};
	int fault = 0;

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && fault == 0; i++)
		fault = steps[i](build);
	for (uint32_t i = 0; i < build->libs.lacking.count && fault == 0; i++)
		fault = names_add_once(&build->list->remarks, build->libs.lacking.items[i]);
	return fault;
}

static void explain_files(struct err_note *note, int fault)
{
	struct rlimit limit = {.rlim_cur = 0};

	(void)getrlimit(RLIMIT_NOFILE, &limit); /* 0 is as good as unknown */
	(void)err_note(note, fault,
	    "allowlist: more open files than RLIMIT_NOFILE allows (%ju); name fewer programs, or "
	    "raise the hard limit: LimitNOFILE= of the service, nofile in "
	    "/etc/security/limits.conf",
	    (uintmax_t)limit.rlim_cur);
}

/* Faults that no step has put into words, or not into words that help. */
static void explain(struct err_note *note, int fault)
{
	if (fault == -EMFILE || fault == -ENFILE)
		explain_files(note, fault);
	else if (note->text[0] != '\0')
		return;
	else if (fault == -E2BIG)
		(void)err_note(note, fault,
		    "allowlist: more than %d files would have to be granted; "
		    "name fewer programs",
		    CELL_RULES_MAX);
	else
		(void)err_note(note, fault, "allowlist: %s", strerror(-fault));
}

int allowlist_build(
    const struct allowlist_spec *spec, struct allowlist **ret, struct err_note *note)
{
	struct err_note own = {""};
	struct build build = {.spec = spec, .note = &own};
	struct survey alone = {.tool_uid = spec->tool_uid};
	int fault;

	build.list = calloc(1, sizeof(*build.list));
	if (build.list == NULL)
		return -ENOMEM;
	build.list->owners = 1;
	build.list->grants.holdings = spec->holdings;
	build.list->open = spec->open;
	build.list->multicall = spec->multicall;
	cover_init(&build.cover, &build.list->grants, &build.libs,
	    spec->survey != NULL ? spec->survey : &alone);
	fault = libs_init(&build.libs, &build.list->grants, spec->tool_uid, LIBS_CACHE);
	if (fault == 0)
		fault = add_all(&build);
	libs_fini(&build.libs);
	cover_fini(&build.cover);
	survey_fini(&alone);
	names_fini(&build.paths);
	if (fault < 0) {
		allowlist_free(build.list);
		explain(&own, fault);
		if (note != NULL)
			*note = own;
		return fault;
	}
	*ret = build.list;
	return 0;
}

struct allowlist *allowlist_share(struct allowlist *allowlist)
{
	allowlist->owners++;
	return allowlist;
}

void allowlist_free(struct allowlist *allowlist)
{
	if (allowlist == NULL || --allowlist->owners > 0)
		return;
	grants_fini(&allowlist->grants);
	inodes_fini(&allowlist->entries);
	names_fini(&allowlist->missing);
	names_fini(&allowlist->interpreters);
	names_fini(&allowlist->remarks);
	free(allowlist);
}

const struct cell_rule *allowlist_rules(const struct allowlist *allowlist, uint32_t *ret_count)
{
	*ret_count = allowlist->grants.count;
	return allowlist->grants.rules;
}

const char *const *allowlist_missing(const struct allowlist *allowlist)
{
	return names_list(&allowlist->missing);
}

const char *const *allowlist_outside(const struct allowlist *allowlist)
{
	return places_list(&allowlist->grants.outside);
}

const char *const *allowlist_remarks(const struct allowlist *allowlist)
{
	return names_list(&allowlist->remarks);
}

const char *const *allowlist_interpreters(const struct allowlist *allowlist)
{
	return names_list(&allowlist->interpreters);
}

bool allowlist_has(const struct allowlist *allowlist, const struct program *program)
{
	const struct grants *grants = &allowlist->grants;
	const struct program_stamp *first = &program->parts[0].stamp;

	if (program->part_count == 0 || (program->multicall && !allowlist->multicall))
		return false;
	for (uint32_t i = 0; i < program->part_count; i++) {
		const struct program_stamp *stamp = &program->parts[i].stamp;

		if (inodes_has(&grants->denied, stamp->dev, stamp->ino))
			return false;
		if (!allowlist->open && !inodes_has(&grants->runnable, stamp->dev, stamp->ino))
			return false;
	}
	return allowlist->open || inodes_has(&allowlist->entries, first->dev, first->ino);
}
