/*
 * Readiness for the service manager: sd_notify(3) without libsystemd, one datagram a state.
 * Used by main.c. Never blocks.
 */
#ifndef CALLGATE_WARDEN_NOTIFY_H
#define CALLGATE_WARDEN_NOTIFY_H

/* Socket connected to $NOTIFY_SOCKET, or -1 where nobody listens. */
int notify_open(void);
/* "READY=1\nSTATUS=...". A manager that does not take it is its own affair. fd may be -1. */
void notify_send(int fd, const char *state);
/* RELOADING=1 with the time it must carry (sd_notify(3), Type=notify-reload). */
void notify_reloading(int fd);

#endif
