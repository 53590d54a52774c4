/*
 * The values of the variables that channels name (secret_env, url_env), as the warden read them.
 * They live here only, are wiped when others take their place, and are neither logged nor recorded.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_HOOK_SECRET_H
#define CALLGATE_ENGINE_HOOK_SECRET_H

#include "supervisor/link/message.h"

struct engine;

#define HOOK_SECRETS_MAX 256

/* Takes "NAME=VALUE" lines in place of all that were there, and wipes both the old ones and the
 * lines, which the message owns. 0; -ENOMEM with the old ones kept. */
int hook_secrets_replace(struct engine *engine, const struct strv *lines);
/* Valid until they are replaced. NULL: not set, or empty. */
const char *hook_secret_find(const struct engine *engine, const char *name);
/* Wipes all. */
void hook_secrets_free_all(struct engine *engine);

#endif
