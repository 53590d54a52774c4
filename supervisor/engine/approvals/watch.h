/*
 * What waits for news: approvers, who see the list of questions and poll it (answered when it
 * changes or after 25 seconds), and through here the streams of subscribe.h, the forms of elicit.h
 * and the fetches of stream.h when their client cancels, leaves, or the daemon stops.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_WATCH_H
#define CALLGATE_ENGINE_WATCH_H

#include <stdint.h>

struct engine;
struct methods_ask;
struct viewer;

#define WATCH_HOLD_MS 25000

/* callgate/approvals/list: answers at once. */
void watch_list(const struct methods_ask *ask);
/* callgate/approvals/watch {since}: answers now if the list is newer, else later. */
void watch_start(const struct methods_ask *ask);
/* How many questions this viewer would be shown. */
uint32_t watch_seen(const struct engine *engine, const struct viewer *viewer);
/* The list has changed. */
void watch_wake(struct engine *engine);
/* One waiting request that is no call. */
void watch_cancel(struct engine *engine, uint64_t peer, uint64_t request);
void watch_drop_peer(struct engine *engine, uint64_t peer);
/* Answers all that wait, for drain. Fetches end with their calls. */
void watch_end_all(struct engine *engine);

#endif
