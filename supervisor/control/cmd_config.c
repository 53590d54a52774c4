/* config: the policy of a daemon that lets it be read, judged and replaced from here (studio). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"
#include "supervisor/base/str.h"
#include "supervisor/control/client.h"
#include "supervisor/control/command.h"

#define CONFIG_MAX (1024 * 1024)

/* A file as it is; a terminal gets it line by line, with what it could act upon escaped. */
static void print_text(const char *text)
{
	if (!isatty(STDOUT_FILENO)) {
		fputs(text, stdout);
		return;
	}
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *cleanup_free line = strndup(text, len);

		command_print_rendered(line ? line : "");
		putchar('\n');
		text += len + (text[len] == '\n');
	}
}

static int get(struct command_session *session, int argc, char **argv)
{
	json_t *answer = NULL;
	int status = command_no_more(argc, argv, 0);

	if (status == 0)
		status = client_once(session, "callgate/config/read", NULL, &answer);
	if (status != 0)
		return status;
	if (session->output == COMMAND_OUTPUT_JSON) {
		status = command_print_json(answer);
	} else if (json_is_string(json_object_get(answer, "config"))) {
		print_text(command_text_of(answer, "config"));
		command_remark("config: version %s; `callgate config apply FILE --version` with it "
			       "refuses what others changed meanwhile",
		    command_text_of(answer, "version"));
	} else {
		status = command_print_json(json_object_get(answer, "config"));
	}
	json_decref(answer);
	return status;
}

/* ---- check, apply --------------------------------------------------------------------------- */

/* The whole of a file, "-" standard input. 0, or COMMAND_USAGE after complaining. */
static int read_config(const char *path, struct buf *out)
{
	int is_input = strcmp(path, "-") == 0;
	int cleanup_fd fd = is_input ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[64 * 1024];
	ssize_t got = fd < 0 ? -1 : 1;

	buf_init(out, CONFIG_MAX);
	while (fd >= 0 && got != 0) {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		if (buf_put(out, chunk, (size_t)got) != 0)
			return command_fail(COMMAND_USAGE,
			    "config: %s: longer than %d bytes; no daemon takes that", path,
			    CONFIG_MAX);
	}
	if (got < 0)
		return command_fail(COMMAND_USAGE,
		    "config: %s: %s; name a policy file, or - for "
		    "standard input",
		    path, strerror(errno));
	if (out->len == 0 || !str_is_utf8(out->data, out->len) || memchr(out->data, 0, out->len))
		return command_fail(COMMAND_USAGE, "config: %s: empty, or no text in UTF-8", path);
	return 0;
}

/* Lines of text, a list of them, or whatever else the daemon says, as JSON. */
static void print_difference(const json_t *difference)
{
	const json_t *line;
	size_t i;

	if (json_is_string(difference)) {
		print_text(json_string_value(difference));
		return;
	}
	json_array_foreach(difference, i, line)
	{
		char *cleanup_free text = json_dumps(line, JSON_COMPACT | JSON_ENCODE_ANY);

		printf("  ");
		command_print_rendered(json_is_string(line) ? json_string_value(line)
				       : text               ? text
							    : "?");
		putchar('\n');
	}
	if (json_is_object(difference))
		(void)command_print_json(difference);
}

/* The daemon judges the text as what its own file would become, and says so by that file's name.
 * Where the line is one of what was sent, it is told by the name of that; in place. */
static void name_file(
    json_t *object, const char *member, const char *path, const struct buf *config)
{
	const char *text = json_string_value(json_object_get(object, member));
	const char *at = text ? text + strcspn(text, ": \n") : "";
	uint64_t line = 0, lines = 1;
	size_t digits = *at == ':' ? strspn(at + 1, "0123456789") : 0;
	char number[24];

	for (size_t i = 0; i < config->len; i++)
		lines += ((const char *)config->data)[i] == '\n';
	if (digits == 0 || digits >= sizeof(number) || at[1 + digits] != ':')
		return;
	(void)snprintf(number, sizeof(number), "%.*s", (int)digits, at + 1);
	if (str_u64(number, lines, &line) == 0)
		(void)json_object_set_new(object, member, json_sprintf("%s%s", path, at));
}

/* The same of each warning. */
static void name_warnings(json_t *answer, const char *path, const struct buf *config)
{
	json_t *warnings = json_object_get(answer, "warnings"), *text;
	size_t i;

	json_array_foreach(warnings, i, text)
	{
		json_t *holder = json_pack("{s:O}", "text", text);

		name_file(holder, "text", path, config);
		(void)json_array_set(warnings, i, json_object_get(holder, "text"));
		json_decref(holder);
	}
}

static int print_change(const struct command_session *session, const json_t *answer, int check)
{
	const json_t *warning;
	size_t i;

	json_array_foreach(json_object_get(answer, "warnings"), i, warning)
	{
		if (json_is_string(warning))
			command_warn("%s", json_string_value(warning));
	}
	if (session->output == COMMAND_OUTPUT_JSON)
		return command_print_json(answer);
	print_difference(json_object_get(answer, "difference"));
	printf(check ? "good: it would be policy " : "applied: policy ");
	command_print_escaped(command_text_of(answer, "version"));
	putchar('\n');
	return COMMAND_OK;
}

/* Sends params, which it takes. 0 with *ret_answer, or the status after complaining. */
static int ask(const struct command_session *session, const char *path, const struct buf *config,
    json_t *params, json_t **ret_answer)
{
	static const char method[] = "callgate/config/write";
	struct client cleanup_with(client_close) client = {.transport = NULL};
	json_t *answer = NULL, *error;
	int status = client_open(&client, session);

	if (status != 0) {
		json_decref(params);
		return status;
	}
	status = client_request(&client, session, method, params, &answer);
	if (status != 0)
		return status;
	error = json_object_get(answer, "error");
	*ret_answer = json_incref(json_object_get(answer, "result"));
	if (*ret_answer)
		name_warnings(*ret_answer, path, config);
	if (error)
		name_file(error, "message", path, config);
	if (!*ret_answer)
		status = client_complain(method, error);
	json_decref(answer);
	return status;
}

static int put(struct command_session *session, int argc, char **argv, int check)
{
	const char *version = command_take_option(&argc, argv, "--version");
	struct buf cleanup_with(buf_fini) config = {0};
	json_t *params, *answer = NULL;
	int status = command_no_more(argc, argv, 1);

	if (status != 0)
		return status;
	if (argc != 2)
		return command_fail(COMMAND_USAGE, "config: which file? `callgate config %s FILE`",
		    check ? "check" : "apply");
	status = read_config(argv[1], &config);
	if (status != 0)
		return status;
	params = json_pack("{s:s%, s:b, s:s*}", "config", config.data, config.len, "check", check,
	    "version", version);
	if (!params)
		return command_fail(COMMAND_USAGE, "config: --version: not valid UTF-8");
	status = ask(session, strcmp(argv[1], "-") == 0 ? "standard input" : argv[1], &config,
	    params, &answer);
	if (status == 0)
		status = print_change(session, answer, check);
	json_decref(answer);
	return status;
}

int cmd_config(struct command_session *session, int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (!verb[0] || verb[0] == '-')
		return command_fail(
		    COMMAND_USAGE, "config: get, check or apply? see `callgate help config`");
	argv[1] = argv[0]; /* complaints name the command: policy has a check, too */
	if (strcmp(verb, "get") == 0)
		return get(session, argc - 1, argv + 1);
	if (strcmp(verb, "check") == 0 || strcmp(verb, "apply") == 0)
		return put(session, argc - 1, argv + 1, strcmp(verb, "check") == 0);
	return command_bad_word(argv[0], verb, "get check apply");
}
