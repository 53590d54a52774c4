/*
 * Credentials in the wrong place: a key that a client gave as the name of a tool, an agent or a
 * namespace would stand in records, logs and answers for good. What looks like one, or is one of
 * the policy's, is not repeated. Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_REDACT_H
#define CALLGATE_ENGINE_REDACT_H

struct engine;

#define REDACTED "[credential]"

/* A name from outside that the policy does not have: itself, or REDACTED. NULL for NULL. */
const char *redact_name(const struct engine *engine, const char *name);
/* A path of HTTP, each part of which may be a name: itself, or "/" REDACTED. */
const char *redact_path(const struct engine *engine, const char *path);

#endif
