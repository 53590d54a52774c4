/*
 * What a tool writes: two pipes, read with backpressure, hashed whole, kept in part.
 *
 * Of each stream the first and the last bytes are kept, half of the limit each; what was left
 * out is replaced by a line that says how much. Nothing is read ahead of the loop: a tool that
 * writes faster than it is read waits in write(2). A tap is given what is read as it comes, and
 * says when to stop reading. Floor 3, engine only.
 */
#ifndef CALLGATE_ENGINE_OUTPUT_H
#define CALLGATE_ENGINE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "supervisor/base/buf.h"
#include "supervisor/evidence/digest.h"

#define OUTPUT_KEEP_DEFAULT (1024 * 1024)
#define OUTPUT_KEEP_MAX     (4 * 1024 * 1024)
#define OUTPUT_SEEN_MAX     4096

struct output; /* both streams; its memory outlives output_free() until the loop let go */

enum output_stream {
	OUTPUT_OUT,
	OUTPUT_ERR,
	OUTPUT_STREAMS,
};

struct output_facts {
	uint64_t bytes;       /* all that was written */
	struct digest digest; /* of all of them */
	bool truncated;       /* less was kept */
};

/* Who listens while the tool writes. Neither function may free the output. */
struct output_tap {
	/* How many bytes of this stream may be read now; 0 stops reading until output_resume(). */
	size_t (*room)(void *owner, enum output_stream stream);
	/* What was read, in order; more than there was room for only in output_finish(). */
	void (*take)(void *owner, enum output_stream stream, const void *bytes, size_t len);
	void *owner;
};

/* Begins to read. Takes both descriptors, on failure too. keep: bytes kept per stream, 0 means
 * the default. 0 or -errno. */
int output_start(uv_loop_t *loop, int out_fd, int err_fd, uint64_t keep, struct output **ret);
/* Sets the one tap; NULL takes it away. Bytes that were read before are not told again. */
void output_tap(struct output *output, const struct output_tap *tap);
/* The tap has room again. Does nothing where reading was not stopped. */
void output_resume(struct output *output, enum output_stream stream);
/* The tree is dead: reads what is left in the pipes and closes them. 0, or the first fault that
 * reading, hashing or keeping met. */
int output_finish(struct output *output);
/* After output_finish(). 0 or -EIO. */
int output_facts(const struct output *output, enum output_stream stream, struct output_facts *ret);
/* While the tool runs: how much came, and the newest of it, at most OUTPUT_SEEN_MAX bytes, valid
 * until the next call of this function. 0. */
int output_seen(const struct output *output, enum output_stream stream, uint64_t *ret_total,
    const void **ret_tail, size_t *ret_len);
/* Appends what was kept, with the marker line where something was left out. 0 or out's fault. */
int output_text(struct buf *out, const struct output *output, enum output_stream stream);
/* Closes and frees; accepts NULL. */
void output_free(struct output *output);

#endif
