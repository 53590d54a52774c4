/*
 * What somebody has, as a scope: the bound of what he may give away in a key or a token. Rows of
 * the policy may give a role in one namespace and another role in a second; a scope cannot say
 * that, so it has only what is his in all that he wants to name. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_RIGHTS_H
#define CALLGATE_ENGINE_RIGHTS_H

#include <jansson.h>

#include "supervisor/identity/scope.h"

struct methods_ask;

#define RIGHTS_PAIRS_MAX 4096 /* of agents and namespaces that may be named at once */

/* What of `wants` the caller has, and for the rest of it what he has there. *ret is ended by
 * scope_fini(), also after a fault. 0; -E2BIG: more agents, namespaces, roles or tools than a scope
 * holds; -ENOMEM. */
int rights_within(const struct methods_ask *ask, const struct scope *wants, struct scope *ret);
/* Whose keys the caller manages: his credential's tenant, else the one that has all of his
 * namespaces; "" = no tenant. Valid until the policy changes or the caller is gone. */
const char *rights_tenant(const struct methods_ask *ask);
/* A list of ISO times and names in answers: time in seconds since 1970, or null for 0. */
json_t *rights_time(uint64_t time_s);

#endif
