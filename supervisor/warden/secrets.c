#include "supervisor/warden/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/cleanup.h"

/* Who names a variable, for the note. */
struct wanted {
	const char *name;
	const char *key;
	struct policy_pos pos;
};

static int complain(const struct config *config, const struct wanted *wanted, int fault,
    struct err_note *note, const char *what)
{
	return err_note(note, fault, "%s:%u:%u: %s: %s %s", config->file, wanted->pos.line,
	    wanted->pos.column, wanted->key, wanted->name, what);
}

static int find(const struct config *config, const struct wanted *wanted, const char **ret_value,
    struct err_note *note)
{
	const char *value = config_variable(config, wanted->name);

	if (!value || !value[0])
		return complain(config, wanted, -ENOENT, note,
		    "is not set; give it in the daemon's environment or in .env beside the policy");
	if (strlen(value) > SECRET_VALUE_MAX)
		return complain(config, wanted, -EINVAL, note,
		    "is longer than 4096 bytes, which no secret needs; look at what it holds");
	*ret_value = value;
	return 0;
}

static int find_key(const struct config *config, const struct wanted *wanted,
    char ret_hex[DIGEST_HEX_MAX], struct err_note *note)
{
	struct digest digest;
	const char *value;
	int fault = find(config, wanted, &value, note);

	if (fault)
		return fault;
	if (strlen(value) < SECRET_KEY_MIN)
		return complain(config, wanted, -EINVAL, note,
		    "is shorter than 32 characters and could be guessed; make another (openssl "
		    "rand -base64 32)");
	fault = digest_of(&digest, value, strlen(value));
	if (fault)
		return complain(config, wanted, fault, note, "cannot be hashed");
	(void)digest_hex(ret_hex, &digest);
	return 0;
}

static bool is_there(const struct secrets *secrets, uint32_t first, const char *name)
{
	size_t len = strlen(name);

	for (uint32_t i = first; i < secrets->count; i++)
		if (!strncmp(secrets->items[i], name, len) && secrets->items[i][len] == '=')
			return true;
	return false;
}

static int add(struct secrets *secrets, const char *name, const char *value)
{
	size_t size = strlen(name) + 1 + strlen(value) + 1;
	char **items = reallocarray(secrets->items, secrets->count + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	secrets->items = items;
	items[secrets->count] = malloc(size);
	if (!items[secrets->count])
		return -ENOMEM;
	snprintf(items[secrets->count++], size, "%s=%s", name, value);
	return 0;
}

static int add_keys(const struct config *config, struct secrets *secrets, struct err_note *note)
{
	const struct policy_auth *auth = &config->policy->http.auth;
	struct wanted wanted = {.key = "server.auth.api_keys"};
	char hex[DIGEST_HEX_MAX];
	int fault = 0;

	for (uint32_t i = 0; i < auth->api_keys.count && !fault; i++) {
		wanted.name = auth->api_keys.items[i].text;
		wanted.pos =
		    auth->api_keys.items[i].pos.line ? auth->api_keys.items[i].pos : auth->pos;
		if (is_there(secrets, 0, wanted.name))
			continue;
		fault = find_key(config, &wanted, hex, note);
		if (!fault)
			fault = add(secrets, wanted.name, hex);
	}
	secrets->key_count = secrets->count;
	if (fault || !auth->service_key_env || !auth->service_key_env[0])
		return fault;
	wanted = (struct wanted){
	    .name = auth->service_key_env, .key = "server.auth.service_key_env", .pos = auth->pos};
	return find_key(config, &wanted, secrets->service_key, note);
}

static int add_channel(const struct config *config, const struct policy_channel *channel,
    struct secrets *secrets, struct err_note *note)
{
	const char *const names[] = {channel->url_env, channel->secret_env};
	struct err_note key;
	int fault = 0;

	(void)err_note(&key, 0, "approvals.channels.%s", channel->name);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !fault; i++) {
		const struct wanted wanted = {
		    .name = names[i], .key = key.text, .pos = channel->pos};
		const char *value;

		if (!names[i] || !names[i][0] || is_there(secrets, secrets->key_count, names[i]))
			continue;
		fault = find(config, &wanted, &value, note);
		if (!fault)
			fault = add(secrets, names[i], value);
	}
	return fault;
}

int secrets_find(const struct config *config, struct secrets *ret, struct err_note *note)
{
	const struct policy *policy = config->policy;
	struct secrets secrets = {.items = NULL};
	int fault = add_keys(config, &secrets, note);

	for (uint32_t i = 0; i < policy->channel_count && !fault; i++)
		fault = add_channel(config, &policy->channels[i], &secrets, note);
	if (fault == -ENOMEM)
		(void)err_note(note, fault, "out of memory");
	if (fault)
		secrets_fini(&secrets);
	else
		*ret = secrets;
	return fault;
}

void secrets_into(const struct secrets *secrets, struct message_policy *policy)
{
	const char **items = (const char **)secrets->items;

	policy->static_keys = (struct strv){.items = items, .count = secrets->key_count};
	policy->secrets = (struct strv){.items = items ? items + secrets->key_count : NULL,
	    .count = secrets->count - secrets->key_count};
	policy->service_key = secrets->service_key;
}

void secrets_fini(struct secrets *secrets)
{
	for (uint32_t i = 0; i < secrets->count; i++) {
		explicit_bzero(secrets->items[i], strlen(secrets->items[i]));
		free(secrets->items[i]);
	}
	free(secrets->items);
	explicit_bzero(secrets, sizeof(*secrets));
}
