/*
 * The siblings' words become events: the answer finds the one call that awaits exactly it, facts
 * are copied, and the call takes one step. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_ANSWER_H
#define CALLGATE_ENGINE_ANSWER_H

#include "supervisor/link/message.h"

struct engine;

/* Each 0, or -EBADMSG for an answer that no honest sibling gives: the process ends. An answer
 * that nobody awaits any more is dropped and counted. */
int answer_planned(struct engine *engine, struct message *message);
int answer_recorded(struct engine *engine, struct message *message);
int answer_launched(struct engine *engine, struct message *message);
int answer_exited(struct engine *engine, struct message *message);

#endif
