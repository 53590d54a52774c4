/*
 * callgate/grants/list and callgate/grants/revoke. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_GRANTS_H
#define CALLGATE_ENGINE_METHODS_GRANTS_H

struct methods_ask;

/* Each answers exactly once. */
void list_grants(const struct methods_ask *ask);
void revoke_grant(const struct methods_ask *ask);

#endif
