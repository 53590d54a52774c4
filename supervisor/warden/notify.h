/*
 * Words to the service manager: sd_notify(3) without libsystemd, one datagram a state. Used by
 * main.c. Never blocks. A manager that does not take a word is its own affair; fd may be -1.
 */
#ifndef CALLGATE_WARDEN_NOTIFY_H
#define CALLGATE_WARDEN_NOTIFY_H

#include <stdint.h>

/* Socket connected to $NOTIFY_SOCKET, or -1 where nobody listens. */
int notify_open(void);
/* "READY=1\nSTATUS=...", as it stands. */
void notify_send(int fd, const char *state);
/* READY=1: calls are taken. status is what `systemctl status` shows. */
void notify_ready(int fd, const char *status);
/* RELOADING=1 with the time it must carry (sd_notify(3), Type=notify-reload). */
void notify_reloading(int fd);
void notify_stopping(int fd);
/* WATCHDOG=1. */
void notify_ping(int fd);
/* Half of what the manager waits for a ping ($WATCHDOG_USEC); 0: it does not wait for us. */
uint64_t notify_ping_ms(void);

#endif
