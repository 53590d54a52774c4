/*
 * Answers that channels send back by POST: authentic by their type's signature, fresh, and never
 * seen before; then given to their question by channel.h. A signed message counts once, whatever
 * became of it. Only what is said in the body is heard, and nothing is decided without it.
 * Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_CALLBACK_H
#define CALLGATE_ENGINE_CALLBACK_H

struct engine;
struct methods_ask;

#define CALLBACK_SEEN_MAX 1024 /* messages of the last ten minutes that are remembered */
#define CALLBACK_SEEN_MS  (10 * 60 * 1000)
#define CALLBACK_RECORDS  10 /* records of refused ones in a minute and channel; then counted */

/* callgate/approvals/callback {channel, headers: {name: value}, text}: names in lower case, text
 * the body as it came. */
void take_callback(const struct methods_ask *ask);
/* Records the refused answers that were only counted: for drain. */
void callback_flush(struct engine *engine);
/* Forgets them, and what was seen. */
void callback_free_all(struct engine *engine);

#endif
