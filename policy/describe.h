/*
 * The policy language told from its own tables: a JSON Schema for editors (`policy schema`), and
 * the list of keys that callgate.yaml(5) must have. Pure. Floor 1: base.
 */
#ifndef CALLGATE_POLICY_DESCRIBE_H
#define CALLGATE_POLICY_DESCRIBE_H

#include "supervisor/base/buf.h"

/* Appends one JSON document: JSON Schema 2020-12, in words that draft-07 tools know as well. It
 * knows form only: what is checked between keys is the loader's. Keys that are not built yet are
 * left out. 0 or out's fault. */
int policy_describe(struct buf *out);

/* Appends every key, one a line, as "tools.NAME.sandbox.memory": also those not built yet. The
 * members of a list of rows follow its name directly. 0 or out's fault. */
int policy_describe_keys(struct buf *out);

#endif
