/*
 * What looking up a name and checking a certificate need of the machine, prepared before courier
 * gives up its rights: the modules of the name service are loaded, and the files they read are
 * named. Floor 3, courier only.
 */
#ifndef CALLGATE_COURIER_RESOLVER_H
#define CALLGATE_COURIER_RESOLVER_H

#include <stdbool.h>

#include "supervisor/base/buf.h"

#define RESOLVER_PLACES_MAX 16

/* Loads the name service's modules, and says how long it may wait for a server where nobody has. */
void resolver_load(void);
/* O_PATH descriptors of the files and folders that may still be read, -1 at the end; the caller
 * closes them. Those that the machine has not are left out. */
void resolver_places(int ret_places[RESOLVER_PLACES_MAX + 1]);
/* True: a file of the name service has been replaced by one that this process may not read. */
bool resolver_is_stale(void);
/* Appends the system's authorities (PEM). 0; -ENOENT: there are none; -errno. */
int resolver_authorities(struct buf *out);

#endif
