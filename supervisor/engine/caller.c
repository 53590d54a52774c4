#include "supervisor/engine/caller.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct caller *caller_new(void)
{
	struct caller *caller = calloc(1, sizeof(*caller));

	if (!caller)
		return NULL;
	caller->holds = 1;
	caller->calls_left = UINT64_MAX;
	caller->tenant = strdup("");
	caller->credential = strdup("");
	caller->address = strdup("");
	caller->request_id = strdup("");
	if (!caller->tenant || !caller->credential || !caller->address || !caller->request_id)
		return caller_drop(caller);
	return caller;
}

struct caller *caller_of_uid(uint32_t uid, uint32_t gid)
{
	struct caller *caller = caller_new();

	if (!caller)
		return NULL;
	caller->proof = CALLER_PEER;
	caller->shown = (struct shown){.has_peer = true, .uid = uid, .gid = gid};
	(void)snprintf(caller->principal, sizeof(caller->principal), "uid:%" PRIu32, uid);
	return caller;
}

struct caller *caller_nobody(void)
{
	struct caller *caller = caller_new();

	if (caller)
		(void)snprintf(caller->principal, sizeof(caller->principal), "nobody");
	return caller;
}

struct caller *caller_hold(struct caller *caller)
{
	caller->holds++;
	return caller;
}

static void free_texts(char **texts)
{
	for (size_t i = 0; texts && texts[i]; i++)
		free(texts[i]);
	free(texts);
}

struct caller *caller_drop(struct caller *caller)
{
	if (!caller || --caller->holds > 0)
		return NULL;
	json_decref(caller->claims);
	free_texts(caller->sans);
	free_texts(caller->globs);
	free(caller->tenant);
	free(caller->credential);
	free(caller->address);
	free(caller->request_id);
	free(caller);
	return NULL;
}

const char *caller_proof_name(enum caller_proof proof)
{
	static const char *const names[] = {
#define CALLER_NAME_(id, name) [CALLER_##id] = (name),
	    CALLER_PROOFS(CALLER_NAME_)
#undef CALLER_NAME_
	};

	return (size_t)proof < sizeof(names) / sizeof(names[0]) ? names[proof] : "nobody";
}

bool caller_same(const struct caller *a, const struct caller *b)
{
	return strcmp(a->principal, b->principal) == 0;
}
