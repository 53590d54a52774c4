/*
 * A PLAN as engine sends it: what message_decode() takes becomes the two forms of a plan. From the
 * canonical bytes, which the digest is made of, a reader of our own gets the same request back, so
 * that no two requests share them; and what people are shown has the lines that it must have, in
 * their order and no others, whatever the words of the request are.
 */
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"
#include "supervisor/base/str.h"
#include "supervisor/warden/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool truth)
{
	if (!truth)
		abort();
}

/* ---- the canonical form ---------------------------------------------------------------------- */

/* The next field: its tag is larger than any before, or one of a list's again. */
static struct bytes next_field(struct reader *in, uint8_t *ret_tag)
{
	struct bytes value = {.data = NULL};

	*ret_tag = reader_u8(in);
	value.len = reader_u32(in);
	must(!in->fault && value.len <= in->left);
	value.data = in->next;
	in->next += value.len;
	in->left -= value.len;
	return value;
}

static void take_text(struct reader *in, const char *text)
{
	uint8_t tag;
	struct bytes value = next_field(in, &tag);

	must(value.len == strlen(text) && (value.len == 0 || !memcmp(value.data, text, value.len)));
}

static uint64_t take_number(struct reader *in)
{
	uint8_t tag;
	struct bytes value = next_field(in, &tag);
	struct reader number;

	must(value.len == sizeof(uint64_t));
	reader_init(&number, value.data, value.len);
	return reader_u64(&number);
}

static void take_list(struct reader *in, const struct strv *list)
{
	must(take_number(in) == list->count);
	for (uint32_t i = 0; i < list->count; i++)
		take_text(in, list->items[i]);
}

static void check_bytes(const struct plan_input *input, const struct plan *plan)
{
	struct planner planner = {.tools = NULL};
	struct buf cleanup_with(buf_fini) out;
	struct reader in;
	uint8_t tag;

	buf_init(&out, 2 * MESSAGE_MAX);
	must(plan_bytes(&out, &planner, input, plan) == 0);
	reader_init(&in, out.data, out.len);
	(void)next_field(&in, &tag);
	must(tag == 1);
	take_text(&in, input->tool);
	take_text(&in, input->agent);
	take_text(&in, input->space);
	take_text(&in, input->principal);
	must(!memcmp(next_field(&in, &tag).data, input->policy.bytes, DIGEST_LEN));
	take_list(&in, &input->argv);
	for (uint64_t left = 2 * take_number(&in); left > 0; left--)
		(void)next_field(&in, &tag); /* the environment */
	take_text(&in, plan->workspace->path);
	(void)take_number(&in);
	(void)take_number(&in);
	take_text(&in, plan->cwd);
	(void)take_number(&in);
	(void)take_number(&in);
	must(next_field(&in, &tag).len == (input->stdin_kind == STDIN_SEALED ? DIGEST_LEN : 0));
	must(take_number(&in) == input->stdin_kind);
	take_list(&in, &input->paths);
	while (in.left > 0)
		(void)next_field(&in, &tag);
}

/* ---- for people ------------------------------------------------------------------------------ */

static const char *const labels[] = {"tool", "agent", "namespace", "principal", "command",
    "program", "reads", "reads", "directory", "workspace", "stdin", "network", "limits", "policy"};

static void check_text(const struct plan_input *input, const struct plan *plan)
{
	struct buf cleanup_with(buf_fini) out;
	const char *line;

	buf_init(&out, PLAN_TEXT_MAX);
	if (plan_text(&out, input, plan) < 0)
		return; /* too long to be shown, and then it is refused */
	must(str_is_utf8(out.data, out.len));
	line = buf_cstr(&out);
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		size_t len = strcspn(line, "\n");

		must(line[len] == '\n' && !strncmp(line, labels[i], strlen(labels[i])));
		for (size_t at = 0; at < len; at++)
			must((uint8_t)line[at] >= 0x20 && line[at] != 0x7f);
		line += len + 1;
	}
	must(*line == '\0');
}

/* The request's own words in every place that the disk could have them. */
static void check(const struct plan_input *input)
{
	static char *env[] = {(char *)"PATH=/usr/bin", (char *)"LANG=C=x", NULL};
	const char *word = input->argv.count ? input->argv.items[0] : input->tool;
	struct policy_tool policy = {.max_execution_ms = 1000};
	const struct tool tool = {.policy = &policy, .mode = CELL_WORKSPACE_RW};
	const struct workspace workspace = {.path = (char *)word};
	struct plan_file files[] = {
	    {.path = (char *)word}, {.path = (char *)word, .missed = "large"}};
	struct plan plan = {.tool = &tool,
	    .workspace = &workspace,
	    .program = {.parts = {{.path = (char *)word}}, .part_count = 1},
	    .files = {.items = files, .count = 2},
	    .env = env,
	    .cwd = (char *)input->cwd};

	/* say_files() shows paths of the disk, which are no longer than this. */
	if (strlen(word) >= PATHS_MAX)
		files[0].path = files[1].path = (char *)"/w/a";
	check_bytes(input, &plan);
	check_text(input, &plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message message;

	if (message_decode(&message, data, size, NULL, 0) == 0 && message.type == MESSAGE_PLAN)
		check(&message.u.plan.input);
	message_fini(&message);
	return 0;
}
