/*
 * The daemon itself: status, reload, shutdown. The last two are the warden's to do, so the answer
 * waits for its word. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_METHODS_CONTROL_H
#define CALLGATE_ENGINE_METHODS_CONTROL_H

struct engine;
struct message_control;
struct methods_ask;

void tell_status(const struct methods_ask *ask);
void reload(const struct methods_ask *ask);
void shut_down(const struct methods_ask *ask);
/* CONTROL_CONFIG_* of the studio (methods_config.h), which judges who may and takes the answer. */
void control_config(const struct methods_ask *ask, const struct message_control *asked);
/* Forgets whoever still waits. */
void controls_free(struct engine *engine);

#endif
