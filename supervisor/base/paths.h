/*
 * Where things are when nobody said otherwise: one place for daemon and command.
 * DESIGN: $CALLGATE_HOME, else /var/lib/callgate for root, else $XDG_STATE_HOME/callgate, else
 * ~/.local/state/callgate. Floor 0: libc only; reads the environment, touches no disk.
 */
#ifndef CALLGATE_BASE_PATHS_H
#define CALLGATE_BASE_PATHS_H

#include <stddef.h>

#define PATHS_MAX 4096

/* Each writes an absolute path; 0, -ENAMETOOLONG, or -ENOENT where the environment says nothing
 * usable (no HOME). */
int paths_state(char out[PATHS_MAX]);
/* The daemon's socket: $CALLGATE_SOCKET, else /run/callgate/callgate.sock for root, else
 * $XDG_RUNTIME_DIR/callgate/callgate.sock, else STATE/run/callgate.sock. */
int paths_socket(char out[PATHS_MAX]);
/* A person's own files (approver key): $XDG_CONFIG_HOME/callgate or ~/.config/callgate. */
int paths_config(char out[PATHS_MAX]);
/* Where the roles' programs are: $CALLGATE_LIBEXEC in test builds, else ../libexec/callgate
 * beside the running program's own directory, else that directory itself (build tree). */
int paths_libexec(char out[PATHS_MAX]);
/* dir + "/" + name, or name itself if absolute. */
int paths_join(char out[PATHS_MAX], const char *dir, const char *name);

#endif
