/*
 * The list of messages on their way to channels, and what is remembered of each channel: births,
 * deaths and the timer. hook.c sends what stands here, hook_asked.c puts it here.
 * Floor 3, engine only: for these files.
 */
#ifndef CALLGATE_ENGINE_HOOK_BOOK_H
#define CALLGATE_ENGINE_HOOK_BOOK_H

#include <jansson.h>
#include <string.h>
#include <uv.h>

#include "supervisor/engine/hooks/hook.h"
#include "supervisor/engine/hooks/hook_form.h"

#define HOOK_SECOND_US   1000000ull
#define HOOK_MINUTE_US   (60 * HOOK_SECOND_US)
#define HOOK_NEVER_US    UINT64_MAX
#define HOOK_MESSAGE_LEN 12 /* random bytes of a message's id */

/* One message on its way to one channel. */
struct hook {
	struct hook *next; /* oldest first */
	struct engine *engine;
	char approval[APPROVAL_ID_MAX]; /* "": about none, or one that is over */
	char *channel;                  /* name; owned */
	char id[sizeof("msg_") + 2 * (size_t)HOOK_MESSAGE_LEN];
	char nonce[HOOK_NONCE_MAX]; /* "" = used, or never needed */
	const char *event;
	json_t *data; /* of what is no question; owned */
	uint32_t attempts;
	uint64_t due_us;   /* monotonic; HOOK_NEVER_US: nothing more to send */
	uint64_t until_us; /* the same: not tried after it */
	bool sending;
	bool slow;     /* waits for a human at the other end */
	bool whole;    /* what was sent can be answered */
	bool by_https; /* and went where the URL says */
	bool held;     /* was over HOOK_RATE */
	bool told;     /* the channel has taken it */
	bool over;     /* freed when courier has answered */
};

/* What is remembered of a channel. */
struct hook_channel {
	struct hook_channel *next;
	char *name;
	uint64_t sent_us[HOOK_RATE]; /* ring of the newest */
	uint32_t sent_next;
	uint64_t digest_us; /* of the last "N wait"; 0: never */
	uint64_t logged_us; /* of the last line about a failure; 0: never */
};

struct hooks {
	uv_timer_t timer; /* for the nearest due_us; freed in its close callback */
	struct hook *list;
	struct hook_channel *channels;
	uint64_t counts[HOOK_RESULT_COUNT];
};

/* NULL: out of memory. */
struct hooks *hook_book(struct engine *engine);
/* A new one at the end, with id and nonce; nothing is due. event: a literal. NULL: no memory, or
 * no random bytes. */
struct hook *hook_add(struct engine *engine, const char *channel, const char *event);
void hook_drop(struct hooks *hooks, struct hook *hook);
/* In the metrics. */
void hook_count_one(struct engine *engine, enum hook_result result);
/* What became of a question that was sent, in approval.sent; nothing for other events. http: 0: no
 * answer. why: "": none needed. */
void hook_record(const struct hook *hook, enum hook_result result, uint16_t http, const char *why);
/* NULL: out of memory. */
struct hook_channel *hook_channel_of(struct hooks *hooks, const char *name);
/* Puts the timer on what is due next; on what is due already, it rings in late_ms. */
void hook_set_timer(struct hooks *hooks, uint64_t late_ms);

/* Does a question go with it that still waits? */
static inline bool hook_is_question(const struct hook *hook)
{
	return !hook->data && !hook->over;
}
static inline bool hook_is_about(const struct hook *hook, const char *approval)
{
	return hook_is_question(hook) && strcmp(hook->approval, approval) == 0;
}

#endif
