/* diff, commit, discard, undo: what a call has changed in its overlay, and what becomes of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/approvals.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"
#include "supervisor/control/diff.h"
#include "supervisor/control/listed.h"

#define PATH_TEXT_MAX (64 * 1024)

/* ---- what is held ------------------------------------------------------------------------- */

static void print_line(const json_t *held)
{
	const char *approval = command_text_of(held, "approval");

	printf("%s  ", command_text_of(held, "call"));
	command_print_escaped(command_text_of(held, "tool"));
	printf("  %s, %lld changes\n", command_text_of(held, "state"),
	    (long long)json_integer_value(json_object_get(held, "count")));
	listed_print_field("asked by", command_text_of(held, "principal"));
	listed_print_field("agent", command_text_of(held, "agent"));
	listed_print_field("namespace", command_text_of(held, "namespace"));
	listed_print_field("command", command_text_of(held, "command"));
	listed_print_field("created", command_text_of(held, "created"));
	listed_print_field("approval", approval);
}

static int list_held(const struct command_session *session)
{
	json_t *list = NULL;
	const json_t *entries, *entry;
	size_t i;
	int status = client_once(session, "callgate/effects/list", NULL, &list);

	if (status != 0)
		return status;
	entries = json_object_get(list, "effects");
	if (session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(list);
	else if (json_array_size(entries) == 0)
		printf("no changes are held\n");
	else
		json_array_foreach(entries, i, entry) print_line(entry);
	json_decref(list);
	return status;
}

/* The call with this id or beginning of one: all that is told of its changes. */
static int get_held(const struct command_session *session, const char *id, json_t **ret)
{
	json_t *list = NULL;
	const json_t *entry;
	int status = client_once(session, "callgate/effects/list", NULL, &list);

	if (status != 0)
		return status;
	entry = listed_find(json_object_get(list, "effects"), id, "call with changes", "diff");
	status = COMMAND_USAGE;
	if (entry)
		status = client_once(session, "callgate/effects/get",
		    json_pack("{s:s}", "call", command_text_of(entry, "id")), ret);
	json_decref(list);
	return status;
}

/* ---- choosing paths -------------------------------------------------------------------------- */

/* As the daemon names it: a path typed is the path itself; one that was copied from a diff is
 * escaped already. NULL: no memory. */
static char *told_form(const char *path)
{
	struct buf cleanup_with(buf_fini) out = {0};

	buf_init(&out, PATH_TEXT_MAX);
	(void)str_escape(&out, path, strlen(path));
	return buf_cstr(&out) ? strdup(buf_cstr(&out)) : NULL;
}

/* Is path the chosen one, or below it? */
static bool is_chosen(const char *path, const char *chosen)
{
	size_t len = strlen(chosen);

	while (len > 1 && chosen[len - 1] == '/')
		len--;
	return strncmp(path, chosen, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/* Is path a folder on the way to the chosen one, that the call has made? */
static bool leads_to(const json_t *change, const char *chosen)
{
	const char *path = command_text_of(change, "path");
	const size_t len = strlen(path);

	return strcmp(command_text_of(change, "kind"), "added") == 0 &&
	       strcmp(command_text_of(change, "type"), "directory") == 0 &&
	       strncmp(chosen, path, len) == 0 && chosen[len] == '/';
}

static size_t choose(const json_t *changes, const char *chosen, json_t *paths, json_t *folders)
{
	const json_t *change;
	size_t i, count = 0;

	json_array_foreach(changes, i, change)
	{
		const char *path = command_text_of(change, "path");

		if (is_chosen(path, chosen)) {
			(void)json_array_append_new(paths, json_string(path));
			count++;
		} else if (leads_to(change, chosen)) {
			(void)json_array_append_new(folders, json_string(path));
		}
	}
	return count;
}

/* The paths that words name; NULL after complaining. A folder means what is in it, too, and what is
 * in a new folder needs the folder. */
static json_t *paths_of(const json_t *held, int argc, char **argv)
{
	const json_t *changes = json_object_get(held, "changes");
	json_t *paths = json_array(), *folders = json_array();

	for (int i = 0; i < argc; i++) {
		const char *plain = argv[i][0] == '.' && argv[i][1] == '/' ? argv[i] + 2 : argv[i];
		char *cleanup_free told = told_form(plain);

		if ((!told || !choose(changes, told, paths, folders)) &&
		    !choose(changes, plain, paths, folders)) {
			(void)command_fail(COMMAND_USAGE,
			    "%s: this call has not changed it; see `callgate diff %s`", argv[i],
			    command_text_of(held, "call"));
			json_decref(paths);
			json_decref(folders);
			return NULL;
		}
	}
	(void)json_array_extend(paths, folders);
	json_decref(folders);
	return paths;
}

/* ---- diff ---------------------------------------------------------------------------------- */

/* *ret: the contents of one path, in *ret_answer; NULL where that says why not. */
static int look(const struct command_session *session, const json_t *held, const json_t *change,
    json_t **ret_answer, json_t **ret)
{
	struct client client = {0};
	int status = client_open(&client, session);

	if (status == 0)
		status = client_request(&client, session, "callgate/effects/look",
		    json_pack("{s:s, s:s}", "call", command_text_of(held, "call"), "path",
			command_text_of(change, "path")),
		    ret_answer);
	*ret = status == 0 ? json_object_get(*ret_answer, "result") : NULL;
	client_close(&client);
	return status;
}

/* What cannot be shown of one path is said there; the others are shown. */
static int print_contents(const struct command_session *session, const json_t *held,
    const json_t *change, struct diff_style style)
{
	json_t *answer = NULL, *contents;
	int status = look(session, held, change, &answer, &contents);

	if (contents) {
		diff_print(contents, style);
	} else if (status == 0) {
		printf("  (its contents cannot be shown: ");
		command_print_escaped(command_text_of(json_object_get(answer, "error"), "message"));
		printf(")\n");
	}
	json_decref(answer);
	return status;
}

/* What is written already stands in the workspace: there is no other side any more. */
static bool has_contents(const json_t *held, const json_t *change)
{
	static const char *const kinds[] = {"file", "link"};

	if (strcmp(command_text_of(change, "kind"), "mode") == 0 ||
	    strcmp(command_text_of(held, "state"), "held") != 0 ||
	    json_is_true(json_object_get(change, "committed")))
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(command_text_of(change, "type_before"), kinds[i]) == 0 ||
		    strcmp(command_text_of(change, "type_after"), kinds[i]) == 0)
			return true;
	return false;
}

static int print_diff(const struct command_session *session, const json_t *held)
{
	const struct diff_style style = {.colour = isatty(STDOUT_FILENO) == 1};
	const json_t *change;
	int status = 0;
	size_t i;

	print_line(held);
	json_array_foreach(json_object_get(held, "changes"), i, change)
	{
		diff_print_change(change, style);
		if (status == 0 && has_contents(held, change))
			status = print_contents(session, held, change, style);
	}
	if (strcmp(command_text_of(held, "state"), "held") != 0)
		command_remark("contents are shown of changes that are held; these are %s",
		    command_text_of(held, "state"));
	if (json_integer_value(json_object_get(held, "more")) > 0)
		command_remark("%lld more changes are not shown; --output json has the count",
		    (long long)json_integer_value(json_object_get(held, "more")));
	return status;
}

static bool is_among(const json_t *paths, const char *path)
{
	const json_t *at;
	size_t i;

	json_array_foreach(paths, i, at)
	{
		if (strcmp(json_string_value(at), path) == 0)
			return true;
	}
	return false;
}

/* Only the chosen paths stay, in JSON with their contents. */
static int narrow(const struct command_session *session, json_t *held, int argc, char **argv)
{
	json_t *paths = paths_of(held, argc, argv);
	json_t *changes = json_object_get(held, "changes"), *change;
	int status = paths ? 0 : COMMAND_USAGE;

	for (size_t i = json_array_size(changes); status == 0 && i-- > 0;) {
		json_t *answer = NULL, *contents;

		change = json_array_get(changes, i);
		if (!is_among(paths, command_text_of(change, "path"))) {
			(void)json_array_remove(changes, i);
			continue;
		}
		if (session->output != COMMAND_OUTPUT_JSON || !has_contents(held, change))
			continue;
		status = look(session, held, change, &answer, &contents);
		if (contents)
			(void)json_object_update_missing(change, contents);
		json_decref(answer);
	}
	json_decref(paths);
	return status;
}

int cmd_diff(struct command_session *session, int argc, char **argv)
{
	json_t *held = NULL;
	int status = command_no_options(argc, argv);

	if (status != 0)
		return status;
	if (argc == 1)
		return list_held(session);
	status = get_held(session, argv[1], &held);
	if (status == 0 && argc > 2)
		status = narrow(session, held, argc - 2, argv + 2);
	if (status == 0)
		status = session->output == COMMAND_OUTPUT_JSON ? command_print_json(held)
								: print_diff(session, held);
	json_decref(held);
	return status;
}

/* ---- commit, undo, discard ------------------------------------------------------------------- */

static void print_done(const json_t *answer, const char *what)
{
	const long long count = json_integer_value(json_object_get(answer, "count"));
	const long long written = json_integer_value(json_object_get(answer, "committed"));

	printf("%s: %s; ", command_text_of(answer, "call"), what);
	if (written == count)
		printf("all %lld changes are in the workspace\n", count);
	else if (written == 0)
		printf("none of the %lld changes is in the workspace\n", count);
	else
		printf(
		    "%lld of %lld changes are in the workspace, the others not\n", written, count);
}

static int finish(
    const struct command_session *session, const char *method, const char *what, json_t *params)
{
	json_t *answer = NULL;
	int status = client_once(session, method, params, &answer);

	if (status == 0 && session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(answer);
	else if (status == 0)
		print_done(answer, what);
	json_decref(answer);
	return status;
}

/* What is signed names the call, the list that was looked at, and the paths. */
static int prove(const struct command_session *session, const json_t *held, const char *op,
    struct approvals_key *key, json_t *params)
{
	const json_t *list = json_object_get(params, "paths");
	const char *digest = command_text_of(held, "digest");
	const size_t count = json_array_size(list);
	const char **paths = calloc(count ? count : 1, sizeof(*paths));
	char plan[sizeof("sha256:") + 2 * DIGEST_LEN] = "sha256:";
	struct digest effects, decision;
	json_t *question;
	int status = 0;

	for (size_t i = 0; paths && i < count; i++)
		paths[i] = json_string_value(json_array_get(list, i));
	if (!paths || strncmp(digest, "sha256:", 7) != 0 || digest_unhex(&effects, digest + 7) ||
	    approval_effects_digest(
		&decision, op, command_text_of(held, "call"), &effects, paths, count))
		status = command_fail(COMMAND_USAGE,
		    "the daemon sent changes without a digest; are both programs of one version?");
	free(paths);
	if (status)
		return status;
	(void)digest_hex(plan + strlen(plan), &decision);
	question = json_pack("{s:s, s:s, s:s}", "id", EFFECTS_SIGNED_ID, "plan", plan, "principal",
	    command_text_of(held, "principal"));
	status = approvals_prove(
	    session, question, "approve", command_text_of(params, "reason"), key, params);
	json_decref(question);
	return status;
}

static int decide(
    struct command_session *session, int argc, char **argv, const char *op, const char *what)
{
	struct approvals_key key = {.given = command_take_option(&argc, argv, "--key")};
	const char *reason = command_take_option(&argc, argv, "--reason");
	json_t *held = NULL, *params = NULL;
	char method[64];
	int status = command_no_options(argc, argv);

	if (status != 0)
		return status;
	if (argc < 2)
		return command_fail(
		    COMMAND_USAGE, "%s: of which call? see `callgate diff`", argv[0]);
	if (strcmp(op, "undo") == 0 && argc > 2)
		return command_no_more(argc, argv, 1);
	status = get_held(session, argv[1], &held);
	if (status != 0)
		return status;
	params = json_pack("{s:s, s:s, s:s}", "call", command_text_of(held, "call"), "digest",
	    command_text_of(held, "digest"), "reason", reason ? reason : "");
	if (argc > 2) {
		json_t *paths = paths_of(held, argc - 2, argv + 2);

		status = paths ? 0 : COMMAND_USAGE;
		if (paths)
			(void)json_object_set_new(params, "paths", paths);
	}
	if (status == 0)
		status = prove(session, held, op, &key, params);
	(void)snprintf(method, sizeof(method), "callgate/effects/%s", op);
	if (status == 0)
		status = finish(session, method, what, json_incref(params));
	approvals_key_fini(&key);
	json_decref(params);
	json_decref(held);
	return status;
}

int cmd_commit(struct command_session *session, int argc, char **argv)
{
	return decide(session, argc, argv, "commit", "written");
}

int cmd_undo(struct command_session *session, int argc, char **argv)
{
	return decide(session, argc, argv, "undo", "taken back");
}

int cmd_discard(struct command_session *session, int argc, char **argv)
{
	json_t *held = NULL;
	int status = command_no_more(argc, argv, 1);

	if (status != 0)
		return status;
	if (argc < 2)
		return command_fail(
		    COMMAND_USAGE, "%s: of which call? see `callgate diff`", argv[0]);
	status = get_held(session, argv[1], &held);
	if (status == 0)
		status = finish(session, "callgate/effects/discard", "discarded",
		    json_pack("{s:s}", "call", command_text_of(held, "call")));
	json_decref(held);
	return status;
}
