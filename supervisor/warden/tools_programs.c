/* The programs of a tool: its allowlist, which tools of the same programs share, the folders that
 * its cells need for it, and the hashes of what may be called by name. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/warden/tools.h"

#define PROGRAMS_TEXT_MAX (4 * 1024 * 1024) /* a policy file's size bounds it, too */

const char **tools_texts(const struct policy_words *words)
{
	const char **texts = calloc(words->count + 1, sizeof(*texts));

	for (uint32_t i = 0; texts && i < words->count; i++)
		texts[i] = words->items[i].text;
	return texts;
}

/* What may be called by name: the one program of a typed tool, the list of any other. */
static const char **allowed_of(const struct policy_tool *policy)
{
	const struct policy_word only = {.text = policy->exec.program};
	const struct policy_words one = {.items = &only, .count = 1};

	return tools_texts(tool_is_typed(policy) ? &one : &policy->allowed_commands);
}

/* ---- which tools have the same --------------------------------------------------------------- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* One list, in an order that is always the same. */
static void put_list(struct buf *out, const char *const *texts)
{
	uint32_t count = 0;
	const char **cleanup_free sorted = NULL;

	while (texts[count])
		count++;
	sorted = calloc(count + 1, sizeof(*sorted));
	if (!sorted) {
		out->fault = -ENOMEM;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		sorted[i] = texts[i];
	qsort(sorted, count, sizeof(*sorted), compare_texts);
	for (uint32_t i = 0; i < count; i++)
		(void)buf_put(out, sorted[i], strlen(sorted[i]) + 1);
	(void)buf_put(out, "", 1);
}

/* Equal for tools whose lists come out the same; everything else of spec is the policy's. */
static int digest_spec(const struct allowlist_spec *spec, struct digest *ret)
{
	const char kind[] = {(char)('0' + spec->open), (char)('0' + spec->multicall)};
	struct buf cleanup_with(buf_fini) text;

	buf_init(&text, PROGRAMS_TEXT_MAX);
	(void)buf_put(&text, kind, sizeof(kind));
	put_list(&text, spec->allowed);
	put_list(&text, spec->denied);
	put_list(&text, spec->helpers);
	put_list(&text, spec->own);
	return text.fault ? text.fault : digest_of(ret, text.data, text.len);
}

static struct allowlist *list_of_another(const struct tools *tools, const struct tool *tool)
{
	for (const struct tool *other = tools->items; other < tool; other++)
		if (other->allowlist && digest_equal(&other->programs, &tool->programs))
			return other->allowlist;
	return NULL;
}

/* ---- the list -------------------------------------------------------------------------------- */

static struct policy_pos find_word(
    const struct policy_words *words, const char *text, struct policy_pos otherwise)
{
	for (uint32_t i = 0; text && i < words->count; i++)
		if (!strcmp(words->items[i].text, text))
			return words->items[i].pos;
	return otherwise;
}

/* Where a name of this tool is written, or the tool itself. */
static struct policy_pos place_of(const struct policy_tool *policy, const char *name)
{
	struct policy_pos pos = find_word(&policy->helpers, name, policy->pos);

	if (tool_is_typed(policy) && name && !strcmp(policy->exec.program, name))
		return policy->exec.pos;
	return find_word(&policy->allowed_commands, name, pos);
}

static int build_list(struct tool *tool, const struct tools *tools,
    const struct allowlist_spec *given, struct err_note *note)
{
	struct allowlist_spec spec = *given;
	struct err_note why = {""};
	const char *culprit = NULL;
	struct policy_pos pos;
	int fault;

	spec.culprit = &culprit;
	fault = allowlist_build(&spec, &tool->allowlist, &why);
	if (!fault)
		return 0;
	pos = place_of(tool->policy, culprit);
	return err_note(note, fault, "%s:%u:%u: tool %s: %s", tools->config->file, pos.line,
	    pos.column, tool->policy->name, why.text);
}

/* 1: another tool's list serves this one; 0: a new one; or a fault. */
static int find_list(struct tools_work *work, struct tool *tool, struct err_note *note)
{
	const struct tools *tools = work->tools;
	const char **cleanup_free allowed = allowed_of(tool->policy);
	const char **cleanup_free denied = tools_texts(&tool->policy->denied_commands);
	const char **cleanup_free helpers = tools_texts(&tool->policy->helpers);
	const char *own[] = {tool->function ? tool->function : tool->client, NULL};
	struct allowlist_spec spec = {
	    .path = tools->path,
	    .allowed = allowed,
	    .denied = denied,
	    .helpers = helpers,
	    .own = own,
	    .open = tool->open,
	    .multicall = tool->policy->multicall,
	    .tool_uid = tools->tool_uid,
	    .survey = &work->survey,
	    .holdings = work->spec.holdings,
	};
	struct allowlist *same;
	int fault;

	if (!allowed || !denied || !helpers)
		return err_note(note, -ENOMEM, "out of memory");
	fault = digest_spec(&spec, &tool->programs);
	if (fault)
		return err_note_errno(note, err_note(note, fault, "tool %s", tool->policy->name));
	same = list_of_another(tools, tool);
	if (!same)
		return build_list(tool, tools, &spec, note);
	tool->allowlist = allowlist_share(same);
	return 1;
}

/* ---- what else its cells need ---------------------------------------------------------------- */

static int open_outside(struct tool *tool, struct holdings *holdings, struct err_note *note)
{
	const char *const *places = allowlist_outside(tool->allowlist);
	struct tool_outside *outside = &tool->outside;
	uint32_t count = 0;

	while (places && places[count])
		count++;
	outside->paths = calloc(count + 1, sizeof(*outside->paths));
	outside->fds = calloc(count + 1, sizeof(*outside->fds));
	outside->held = calloc(count + 1, sizeof(*outside->held));
	if (!outside->paths || !outside->fds || !outside->held)
		return err_note(note, -ENOMEM, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		int fd = open(places[i], O_PATH | O_CLOEXEC);

		if (fd < 0)
			return err_note_errno(note, err_note(note, -errno, "%s", places[i]));
		if (held_place(holdings, fd, &outside->held[i]))
			return err_note(note, -ENOMEM, "out of memory");
		outside->fds[i] = held_fd(outside->held[i]);
		outside->count = i + 1;
		outside->paths[i] = strdup(places[i]);
		if (!outside->paths[i])
			return err_note(note, -ENOMEM, "out of memory");
	}
	return 0;
}

/* Once a load for each name, whichever tools have it. */
static void warm_hash(struct tools_work *work, const char *name, uid_t judge)
{
	struct program program;
	struct program_stamp stamp;
	struct digest digest;

	if (names_has(&work->warmed, name) || names_add(&work->warmed, name))
		return; /* without a memory of it the plan hashes */
	survey_breathe(&work->survey);
	if (program_open(&program, work->tools->path, name, judge, NULL))
		return; /* missing ones are told by tell_missing() */
	for (uint32_t i = 0; i < program.part_count; i++)
		if (program.parts[i].read_fd >= 0)
			(void)hashes_of(work->spec.hashes, program.parts[i].read_fd,
			    TOOLS_PROGRAM_MAX, &stamp,
			    &digest); /* the plan asks again and sees the fault */
	program_fini(&program);
}

/* Reads the programs once now, so that no call has to wait for a large one. */
static void warm_hashes(struct tools_work *work, const struct tool *tool)
{
	const char **cleanup_free allowed = allowed_of(tool->policy);

	for (uint32_t i = 0; allowed && allowed[i]; i++)
		warm_hash(work, allowed[i], work->tools->tool_uid);
	if (tool->function)
		warm_hash(work, tool->function, PROGRAM_TRUSTED);
}

static void tell_missing(const struct tool *tool, const struct tools *tools, struct buf *warnings)
{
	const char *const *missing = allowlist_missing(tool->allowlist);

	for (uint32_t i = 0; missing && missing[i]; i++) {
		struct policy_pos pos = place_of(tool->policy, missing[i]);

		(void)buf_textf(warnings,
		    "%s:%u:%u: tool %s: %s is in no directory of defaults.path\n",
		    tools->config->file, pos.line, pos.column, tool->policy->name, missing[i]);
	}
}

int tools_find_programs(struct tools_work *work, struct tool *tool, struct err_note *note)
{
	int shared = find_list(work, tool, note);
	int fault = shared < 0 ? shared : open_outside(tool, work->spec.holdings, note);

	if (fault)
		return fault;
	if (!shared)
		warm_hashes(work, tool);
	tell_missing(tool, work->tools, work->spec.warnings);
	return 0;
}
