/*
 * Descriptors: close-on-exec pairs, sealed memory, safe opening, passing. Floor 0: libc only.
 * Every descriptor made here is close-on-exec and owned by the caller.
 */
#ifndef CALLGATE_BASE_FD_H
#define CALLGATE_BASE_FD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FD_PASS_MAX 250 /* the kernel takes 253 in one message */

/* A connected SOCK_SEQPACKET pair, non-blocking on neither end. 0 or -errno. */
int fd_pair(int ret_pair[2]);
int fd_set_nonblocking(int fd);
/* Clears close-on-exec and moves fd to exactly `number` (the fixed numbers of a role). */
int fd_move(int *fd, int number);
/* Closes every descriptor >= first. */
int fd_close_from(unsigned first);

/* Memory file holding exactly these bytes, sealed against write, grow, shrink and unsealing.
 * Returns the descriptor or -errno. */
int fd_sealed(const char *name, const void *bytes, size_t len);
/* Seals an existing memfd. 0 or -errno. */
int fd_seal(int fd);
/* Maps a memfd read-only after checking that all four seals are set and its size is at most
 * max. *ret_bytes is unmapped by fd_unmap(). 0, -EPERM (not sealed), -EFBIG, -errno. An empty
 * file gives a non-NULL pointer and length 0. */
int fd_map_sealed(int fd, size_t max, const void **ret_bytes, size_t *ret_len);
void fd_unmap(const void *bytes, size_t len);

/* Reads the whole of a regular file, at most max bytes, NUL-terminated (not counted).
 * *ret_bytes is freed by the caller. 0, -EFBIG, -EISDIR, -EINVAL (another kind) or -errno. */
int fd_read_all(int fd, size_t max, char **ret_bytes, size_t *ret_len);
/* Writes everything, retrying on EINTR and short writes. 0 or -errno. */
int fd_write_all(int fd, const void *bytes, size_t len);
/* temporary name, write, fsync, rename, fsync of the directory. 0 or -errno. */
int fd_write_file_at(int dirfd, const char *name, mode_t mode, const void *bytes, size_t len);

/* mkdir -p with the given mode for the missing parts; returns an O_PATH|O_DIRECTORY descriptor
 * of the last or -errno. A component that is a symbolic link owned by another uid than root or
 * the caller is refused with -ELOOP. */
int fd_make_dirs(const char *path, mode_t mode);

/* One message with up to FD_PASS_MAX descriptors. send: 0 or -errno (fds stay the caller's).
 * receive: bytes read (0 = peer gone) or -errno; -EMSGSIZE when data or descriptors did not
 * fit, all received ones being closed then. Received descriptors are close-on-exec. */
int fd_send(int sock, const void *bytes, size_t len, const int *fds, size_t fd_count);
ssize_t fd_receive(
    int sock, void *bytes, size_t max, int *ret_fds, size_t fd_max, size_t *ret_fd_count);

/* Lets this process have so many descriptors, or as many as the hard limit allows; a limit that is
 * higher stays. 0 or -errno. */
int fd_allow(uint64_t count);

#endif
