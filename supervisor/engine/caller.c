#include "supervisor/engine/caller.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/clock.h"

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
	caller->method = strdup("");
	caller->path = strdup("");
	if (!caller->tenant || !caller->credential || !caller->address || !caller->request_id ||
	    !caller->method || !caller->path)
		return caller_drop(caller);
	return caller;
}

int caller_set(char **place, const char *text)
{
	char *copy = strdup(text ? text : "");

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

int caller_add_maker(struct caller *caller, const char *principal)
{
	size_t count = 0;

	while (caller->makers[count])
		count++;
	if (count == CALLER_MAKERS_MAX)
		return -E2BIG;
	caller->makers[count] = strdup(principal);
	return caller->makers[count] ? 0 : -ENOMEM;
}

/* Appends the list to texts, of which *used are there; what is told of it points there. */
static int copy_globs(
    char **texts, size_t *used, const struct shown_globs *globs, struct shown_globs *ret)
{
	*ret = (struct shown_globs){(const char *const *)(texts + *used), globs->count};
	for (size_t i = 0; i < globs->count; i++) {
		texts[*used] = strdup(globs->items[i]);
		if (!texts[(*used)++])
			return -ENOMEM;
	}
	return 0;
}

int caller_set_own(struct caller *caller, const struct shown_own *own)
{
	size_t used = 0, count = own->roles.count + own->tools.count + own->agents.count +
				 own->namespaces.count;
	int fault = 0;

	caller->globs = calloc(count + 1, sizeof(*caller->globs));
	if (!caller->globs)
		return -ENOMEM;
	fault = copy_globs(caller->globs, &used, &own->roles, &caller->own.roles);
	if (!fault)
		fault = copy_globs(caller->globs, &used, &own->tools, &caller->own.tools);
	if (!fault)
		fault = copy_globs(caller->globs, &used, &own->agents, &caller->own.agents);
	if (!fault)
		fault = copy_globs(caller->globs, &used, &own->namespaces, &caller->own.namespaces);
	if (fault)
		return fault;
	caller->own.permissions = own->permissions;
	caller->own.besides = own->besides;
	caller->shown.own = &caller->own;
	return 0;
}

int caller_set_sans(struct caller *caller, const char *const *sans, size_t count)
{
	caller->sans = calloc(count + 1, sizeof(*caller->sans));
	if (!caller->sans)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		caller->sans[i] = strdup(sans[i]);
		if (!caller->sans[i])
			return -ENOMEM;
	}
	caller->shown.sans = (const char *const *)caller->sans;
	caller->shown.san_count = count;
	return 0;
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
	for (size_t i = 0; i < CALLER_MAKERS_MAX; i++)
		free(caller->makers[i]);
	free(caller->address);
	free(caller->request_id);
	free(caller->method);
	free(caller->path);
	free(caller);
	return NULL;
}

bool caller_is_proven(const struct caller *caller)
{
	return caller->proof != CALLER_NOBODY && caller->proof != CALLER_ANONYMOUS;
}

bool caller_has_expired(const struct caller *caller)
{
	return caller->expires_s && clock_wall_us() / 1000000 >= caller->expires_s;
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

static bool has_made(const char *principal, const struct caller *caller)
{
	for (size_t i = 0; i < CALLER_MAKERS_MAX && caller->makers[i]; i++)
		if (strcmp(caller->makers[i], principal) == 0)
			return true;
	return false;
}

bool caller_same(const struct caller *a, const struct caller *b)
{
	return strcmp(a->principal, b->principal) == 0 || has_made(a->principal, b) ||
	       has_made(b->principal, a);
}
