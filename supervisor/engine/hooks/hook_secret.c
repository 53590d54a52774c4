#include "supervisor/engine/hooks/hook_secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/log.h"
#include "supervisor/engine/engine.h"

struct hook_secrets {
	char *lines[HOOK_SECRETS_MAX]; /* "NAME=VALUE"; owned, NULL behind the last */
};

static void wipe(char *line)
{
	key_wipe(line, strlen(line));
}

static void free_secrets(struct hook_secrets *secrets)
{
	for (size_t i = 0; secrets && i < HOOK_SECRETS_MAX && secrets->lines[i]; i++) {
		wipe(secrets->lines[i]);
		free(secrets->lines[i]);
	}
	free(secrets);
}

static struct hook_secrets *copy(const struct strv *lines, uint32_t count)
{
	struct hook_secrets *secrets = calloc(1, sizeof(*secrets));

	for (uint32_t i = 0; secrets && i < count; i++) {
		secrets->lines[i] = strdup(lines->items[i]);
		if (!secrets->lines[i]) {
			free_secrets(secrets);
			return NULL;
		}
	}
	return secrets;
}

int hook_secrets_replace(struct engine *engine, const struct strv *lines)
{
	uint32_t count = lines->count < HOOK_SECRETS_MAX ? lines->count : HOOK_SECRETS_MAX;
	struct hook_secrets *secrets = copy(lines, count);

	if (!secrets)
		return -ENOMEM;
	if (lines->count > count)
		log_warn("secrets: only the first %u of %u variables count", count, lines->count);
	for (uint32_t i = 0; i < lines->count; i++)
		wipe((char *)lines->items[i]); /* a copy that nobody needs any more */
	free_secrets(engine->secrets);
	engine->secrets = secrets;
	return 0;
}

const char *hook_secret_find(const struct engine *engine, const char *name)
{
	const struct hook_secrets *secrets = engine->secrets;
	size_t len = strlen(name);

	for (size_t i = 0; len && secrets && i < HOOK_SECRETS_MAX && secrets->lines[i]; i++)
		if (strncmp(secrets->lines[i], name, len) == 0 && secrets->lines[i][len] == '=')
			return secrets->lines[i][len + 1] ? &secrets->lines[i][len + 1] : NULL;
	return NULL;
}

void hook_secrets_free_all(struct engine *engine)
{
	free_secrets(engine->secrets);
	engine->secrets = NULL;
}
