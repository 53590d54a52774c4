/*
 * callgate/keys/create, list, rotate, revoke: the API keys of the key store. A key is given with
 * what is asked for and nothing else. Root, the daemon's own user and the service key manage all
 * keys; whoever has keys:manage those of his own tenant, and gives none that may more than he.
 * What was done is on disk, in the key store and in the journal, before it is answered.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_KEYS_H
#define CALLGATE_ENGINE_METHODS_KEYS_H

struct methods_ask;

/* {label?, tenant?, roles?, tools?, agents?, namespaces?, permissions?, expires_s?} */
void create_key(const struct methods_ask *ask);
/* {tenant?, after?} */
void list_keys(const struct methods_ask *ask);
/* {id} */
void rotate_key(const struct methods_ask *ask);
void revoke_key(const struct methods_ask *ask);

#endif
