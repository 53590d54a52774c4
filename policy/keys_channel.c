#include <string.h>

#include "policy/keys.h"
#include "policy/policy.h"

/* The index is enum channel_type. */
static const char *const type_choices[] = {"", "standard", "github", "slack", "ntfy", "json", NULL};

_Static_assert(sizeof(type_choices) / sizeof(type_choices[0]) == CHANNEL_TYPE_COUNT + 1,
    "a name for each type");

static const char *judge_channel(const char *text)
{
	if (!strcmp(text, "terminal"))
		return "is what people have at the machine itself; give the web hook another name";
	return judge_name(text);
}

/* What stands there may be the secret itself, so no message shows it. */
static int read_variable_name(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	const char *text;
	int fault = schema_text(schema, node, &text);

	if (fault)
		return fault;
	if (judge_variable(text) || strlen(text) > 128 || !strncmp(text, "whsec_", 6))
		return schema_refuse(schema, node,
		    "is not a variable's name; write NAME, and set NAME in the environment or in "
		    ".env");
	memcpy(place_of(record, key->place), &text, sizeof(text));
	return 0;
}

static int refuse_secret(
    struct schema *schema, const struct yaml_node *node, const struct schema_key *key, void *record)
{
	(void)key;
	(void)record;
	return schema_refuse_key(schema, node,
	    "holds a secret itself; write secret_env: NAME, and set NAME in the environment or in "
	    ".env");
}

static void begin_channel(void *element)
{
	struct policy_channel *channel = element;

	channel->url = channel->url_env = channel->secret_env = "";
}

static bool is_signed(enum channel_type type)
{
	return type == CHANNEL_STANDARD || type == CHANNEL_GITHUB || type == CHANNEL_SLACK;
}

static int end_channel(struct schema *schema, const struct yaml_node *node, void *element)
{
	const struct policy_channel *channel = element;

	if (channel->type == CHANNEL_NONE)
		return schema_refuse(
		    schema, node, "has no type; write type: standard, github, slack, ntfy or json");
	if (channel->url[0] && channel->url_env[0])
		return schema_refuse_key(
		    schema, yaml_child(node, "url_env"), "stands beside url; keep one of them");
	if (!channel->url[0] && !channel->url_env[0])
		return schema_refuse(
		    schema, node, "goes nowhere; give url, or url_env where the URL is a secret");
	if (is_signed(channel->type) && !channel->secret_env[0])
		return schema_refuse(schema, node,
		    "cannot sign what it sends or judge what comes back; give secret_env");
	return 0;
}

static const struct schema_key channel_keys[] = {
    {.name = "type",
	.read = read_choice,
	.about = "What the other side understands, and how it is signed",
	.place = PLACE(policy_channel, type),
	.choices = type_choices},
    {.name = "url",
	.read = read_text,
	.about = "Where questions are sent",
	.place = PLACE(policy_channel, url),
	.max = 2048,
	.judge = judge_url},
    {.name = "url_env",
	.read = read_variable_name,
	.about = "Name of the variable that holds the URL, where that is a secret",
	.place = PLACE(policy_channel, url_env),
	.like = read_text,
	.pattern = VARIABLE_PATTERN},
    {.name = "secret_env",
	.read = read_variable_name,
	.about = "Name of the variable that holds the secret of its signatures",
	.place = PLACE(policy_channel, secret_env),
	.like = read_text,
	.pattern = VARIABLE_PATTERN},
    {.name = "secret",
	.read = refuse_secret,
	.about = "Refused: a secret never stands in the file",
	.form = "false"},
    {.name = "roles",
	.read = read_words,
	.about = "Roles of the answers that come back by it; none: none counts",
	.place = PLACE(policy_channel, roles),
	.judge = judge_name,
	.max = 64,
	.pattern = NAME_PATTERN},
    {.name = "namespaces",
	.read = read_words,
	.about = "Whose questions it gets (all)",
	.place = PLACE(policy_channel, namespaces),
	.judge = judge_name,
	.pattern = NAME_PATTERN},
    KEY_END,
};

const struct schema_list channel_list = {
    .size = sizeof(struct policy_channel),
    .count_place = PLACE(policy, channel_count),
    .pos_place = PLACE(policy_channel, pos),
    .max = CHANNELS_MAX,
    .keys = channel_keys,
    .required = "\"type\"",
    .judge = judge_channel,
    .pattern = NAME_PATTERN,
    .begin = begin_channel,
    .end = end_channel,
};
