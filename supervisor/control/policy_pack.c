#include "supervisor/control/policy_pack.h"

#include <stdio.h>
#include <string.h>

#include "policy/pack.h"
#include "supervisor/base/buf.h"
#include "supervisor/base/cleanup.h"

#define LIST_MAX 4096

/* The first sentence of the description, whose lines are indented by two. A pack's text is ours. */
static void first_sentence(struct buf *out, const char *text)
{
	static const char mark[] = "\ndescription: |\n  ";
	const char *at = strstr(text, mark);

	for (at = at ? at + strlen(mark) : ""; *at; at++) {
		if (*at == '.' && (at[1] == '\n' || at[1] == ' '))
			return;
		if (*at != '\n') {
			(void)buf_put(out, at, 1);
			continue;
		}
		if (strncmp(at, "\n  ", 3) != 0)
			return;
		(void)buf_text(out, " ");
		at += 2;
	}
}

static int print_list(const struct command_session *session)
{
	json_t *packs = json_object(), *document;
	int status = COMMAND_OK;

	for (const char *const *name = pack_names(); *name; name++) {
		struct buf cleanup_with(buf_fini) line = {0};
		size_t len;

		buf_init(&line, LIST_MAX);
		first_sentence(&line, pack_text(*name, &len));
		(void)json_object_set_new(
		    packs, *name, json_string(buf_cstr(&line) ? buf_cstr(&line) : ""));
		if (session->output == COMMAND_OUTPUT_TEXT)
			printf("%-8s %s\n", *name, buf_cstr(&line) ? buf_cstr(&line) : "");
	}
	document = json_pack("{s:o}", "packs", packs);
	if (session->output == COMMAND_OUTPUT_JSON)
		status = command_print_json(document);
	json_decref(document);
	return status;
}

static int complain(const char *name)
{
	struct buf cleanup_with(buf_fini) names = {0};

	buf_init(&names, LIST_MAX);
	for (const char *const *at = pack_names(); *at; at++)
		(void)buf_textf(&names, "%s%s", names.len ? " " : "", *at);
	return command_bad_word("policy pack", name, buf_cstr(&names) ? buf_cstr(&names) : "");
}

int policy_pack_main(const struct command_session *session, int argc, char **argv)
{
	int status = command_no_more(argc, argv, 1);
	json_t *document;
	const char *text;
	size_t len;

	if (status != 0)
		return status;
	if (argc < 2)
		return print_list(session);
	text = pack_text(argv[1], &len);
	if (!text)
		return complain(argv[1]);
	if (session->output == COMMAND_OUTPUT_TEXT) {
		(void)fwrite(text, 1, len, stdout);
		return COMMAND_OK;
	}
	document = json_pack("{s:s, s:s%}", "pack", argv[1], "text", text, len);
	status = command_print_json(document);
	json_decref(document);
	return status;
}
