/*
 * What a monitor may know: counts, durations, what is now; by names of tools and outcomes, never by
 * ids, principals or arguments. Bounded: what finds no place is counted as "other".
 * Floor 3, engine only; never blocks.
 */
#ifndef CALLGATE_ENGINE_METRICS_H
#define CALLGATE_ENGINE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/caller.h"

struct call;
struct engine;
struct methods_ask;

#define METRICS_SERIES  2048 /* with all their labels */
#define METRICS_BUCKETS 14

/* A call is over. */
void metrics_call(const struct call *call);
/* The auditor has written a record, or could not. */
void metrics_record(struct engine *engine, bool is_written);
/* A credential was judged. verdict: a literal. */
void metrics_auth(struct engine *engine, enum caller_proof proof, const char *verdict);
/* A question was answered, or ended. channel: where the answer came from, "none" without one. */
void metrics_approval(
    struct engine *engine, const char *channel, const char *decision, uint64_t waited_us);
/* A web hook was delivered, or not. result: a literal. */
void metrics_delivery(struct engine *engine, const char *result);
/* Another policy was taken, or refused. */
void metrics_reload(struct engine *engine, bool is_taken);

/* REQUEST_METRICS {format: "openmetrics" or "prometheus"}: {text, type}. */
void tell_metrics(const struct methods_ask *ask);
void metrics_free(struct engine *engine);

#endif
