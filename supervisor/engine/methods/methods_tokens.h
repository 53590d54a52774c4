/*
 * callgate/tokens/issue, the public keys that verify such tokens, and callgate/whoami.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_TOKENS_H
#define CALLGATE_ENGINE_METHODS_TOKENS_H

struct methods_ask;

#define TOKENS_TTL_S 3600 /* where none is said */

/* {roles, tools?, permissions?, agents?, namespaces?, max_calls?, ttl_s?}: what of it the caller
 * has. Without a role, or with neither tool nor permission, it is refused: nothing is granted that
 * was not named. Agents and namespaces that are not named are the caller's own. The token stands
 * for the caller: same principal, so he never decides his own questions. */
void issue_token(const struct methods_ask *ask);
/* jwks.json */
void tell_token_keys(const struct methods_ask *ask);
/* Who the caller is, and what is his. */
void tell_who(const struct methods_ask *ask);

#endif
