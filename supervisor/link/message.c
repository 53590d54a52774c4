#include "supervisor/link/message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/link/message_table.h"

#define MESSAGE_MAGIC 0x31474c43u /* "CLG1" */
#define BODY_IN_FD    UINT32_MAX  /* instead of a length: the last descriptor holds the body */

const char *message_name(enum message_type type)
{
	const struct shape *shape = message_shape(type);

	return shape ? shape->name : "?";
}

/* A notice answers nothing and is answered by nothing; everything else belongs to a request. */
static bool serial_fits(const struct shape *shape, uint64_t serial)
{
	return (shape->type >= 128) == (serial == 0);
}

static bool fd_count_fits(const struct shape *shape, size_t count)
{
	return count <= MESSAGE_FDS && (shape->fd_counts >> count & 1);
}

static bool fields_agree(const struct shape *shape, const struct message *message, size_t count)
{
	return !shape->agrees || shape->agrees(message, count);
}

/* ---- birth and death ------------------------------------------------------------------------ */

/* What the pointers of a decoded message point into. */
struct message_storage {
	const void *body; /* mapping of the body's memfd, or NULL */
	size_t body_len;
	const char **items; /* next free slot of the string lists, which lie behind this struct */
			    /* then: the slots, then a copy of the datagram */
};

void message_init(struct message *message, enum message_type type)
{
	*message = (struct message){.type = type};
	for (size_t i = 0; i < MESSAGE_FDS; i++)
		message->fds[i] = -1;
}

void message_fini(struct message *message)
{
	struct message_storage *storage = message->storage;

	for (uint32_t i = 0; i < message->fd_count && i < MESSAGE_FDS; i++)
		cleanup_fd_(&message->fds[i]);
	if (storage)
		fd_unmap(storage->body, storage->body_len);
	free(storage);
	message_init(message, MESSAGE_NONE);
}

int message_take_fd(struct message *message, uint32_t i)
{
	if (i >= message->fd_count || i >= MESSAGE_FDS)
		return -1;
	return take_fd(&message->fds[i]);
}

/* ---- encoding ------------------------------------------------------------------------------- */

static bool above(const struct field *field, uint32_t value)
{
	return field->max != MESSAGE_ANY && value > field->max;
}

static int encode_strv(struct buf *out, const struct strv *list)
{
	if (list->count > MESSAGE_STRV_MAX)
		return -EMSGSIZE;
	buf_put_u32(out, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		buf_put_str(out, list->items[i]);
	return 0;
}

static int encode_body(struct buf *out, const struct bytes *body, int *body_fd)
{
	int fd;

	if (body->len <= MESSAGE_INLINE) {
		buf_put_bytes(out, body->data, body->len);
		return 0;
	}
	if (body->len > MESSAGE_BODY_MAX)
		return -EMSGSIZE;
	fd = fd_sealed("callgate-body", body->data, body->len);
	if (fd < 0)
		return fd;
	*body_fd = fd;
	buf_put_u32(out, BODY_IN_FD);
	return 0;
}

/* base: the struct that the table describes. Faults of out are asked for at the end. */
static int encode_fields(struct buf *out, const struct field *field, const void *base, int *body_fd)
{
	int r = 0;

	for (; field->kind != FIELD_END && r == 0; field++) {
		const uint8_t *at = (const uint8_t *)base + field->offset;

		switch (field->kind) {
		case FIELD_U8:
			r = above(field, *at) ? -EINVAL : 0;
			buf_put_u8(out, *at);
			break;
		case FIELD_U16:
			r = above(field, *(const uint16_t *)at) ? -EINVAL : 0;
			buf_put_u16(out, *(const uint16_t *)at);
			break;
		case FIELD_U32: buf_put_u32(out, *(const uint32_t *)at); break;
		case FIELD_U64: buf_put_u64(out, *(const uint64_t *)at); break;
		case FIELD_I64: buf_put_i64(out, *(const int64_t *)at); break;
		case FIELD_RAW32: buf_put(out, at, DIGEST_LEN); break;
		case FIELD_STR: buf_put_str(out, *(const char *const *)at); break;
		case FIELD_STRV: r = encode_strv(out, (const struct strv *)at); break;
		case FIELD_BODY: r = encode_body(out, (const struct bytes *)at, body_fd); break;
		case FIELD_GROUP: r = encode_fields(out, field->group, at, body_fd); break;
		case FIELD_END: break;
		}
	}
	return r;
}

int message_encode(struct buf *out, const struct message *message, int *ret_body_fd)
{
	const struct shape *shape = message_shape(message->type);
	int cleanup_fd body_fd = -1;
	size_t start = out->len;
	int r;

	if (!shape || !serial_fits(shape, message->serial) ||
	    !fd_count_fits(shape, message->fd_count) ||
	    !fields_agree(shape, message, message->fd_count))
		return -EINVAL;
	buf_put_u32(out, MESSAGE_MAGIC);
	buf_put_u16(out, (uint16_t)message->type);
	buf_put_u16(out, (uint16_t)message->fd_count);
	buf_put_u64(out, message->serial);
	r = encode_fields(out, shape->fields, &message->u, &body_fd);
	if (r < 0)
		return r;
	if (out->fault)
		return out->fault == -ENOBUFS ? -EMSGSIZE : out->fault;
	if (out->len - start > MESSAGE_MAX)
		return -EMSGSIZE;
	*ret_body_fd = take_fd(&body_fd);
	return 0;
}

/* ---- decoding ------------------------------------------------------------------------------- */

struct decoder {
	struct reader in;
	struct message_storage *storage; /* owned by the message */
	int *body_fd; /* the last descriptor; NULL once taken or where none came */
	int fault;    /* first fault besides malformed bytes */
};

/* Each string of a list takes 5 bytes and each list 4, so this many slots are enough for every
 * list with a NULL behind it: memory is at most three times the datagram. */
static size_t slots_for(size_t len)
{
	return len / 4 + 1;
}

static int storage_new(
    const void *bytes, size_t len, struct message_storage **ret_storage, const uint8_t **ret_copy)
{
	size_t slots = slots_for(len) * sizeof(const char *);
	struct message_storage *storage = malloc(sizeof(*storage) + slots + len);
	uint8_t *copy;

	if (!storage)
		return -ENOMEM;
	*storage = (struct message_storage){.items = (const char **)(storage + 1)};
	copy = (uint8_t *)(storage + 1) + slots;
	memcpy(copy, bytes, len);
	*ret_storage = storage;
	*ret_copy = copy;
	return 0;
}

static void decode_strv(struct decoder *decoder, struct strv *list)
{
	uint32_t count = reader_u32(&decoder->in);

	list->items = decoder->storage->items;
	/* A list that the bytes do not reach has no slot either. */
	if (decoder->in.fault || count > MESSAGE_STRV_MAX || count > decoder->in.left / 5) {
		decoder->in.fault = -EBADMSG;
		return;
	}
	for (uint32_t i = 0; i < count; i++)
		list->items[i] = reader_str(&decoder->in);
	list->items[count] = NULL;
	list->count = count;
	decoder->storage->items += count + 1;
}

/* A body has one form only: inline up to MESSAGE_INLINE, else in the last descriptor. */
static void decode_body(struct decoder *decoder, struct bytes *body)
{
	struct message_storage *storage = decoder->storage;
	uint32_t len = reader_u32(&decoder->in);
	int r;

	if (len != BODY_IN_FD) {
		body->data = len <= MESSAGE_INLINE ? reader_raw(&decoder->in, len) : NULL;
		body->len = len;
		if (!body->data)
			decoder->in.fault = -EBADMSG;
		return;
	}
	if (!decoder->body_fd || decoder->in.fault) {
		decoder->in.fault = -EBADMSG;
		return;
	}
	r = fd_map_sealed(*decoder->body_fd, MESSAGE_BODY_MAX, &storage->body, &storage->body_len);
	cleanup_fd_(decoder->body_fd);
	decoder->body_fd = NULL;
	if (r == -EPERM || r == -EFBIG || (r == 0 && storage->body_len <= MESSAGE_INLINE))
		r = -EBADMSG;
	decoder->fault = r;
	*body = (struct bytes){storage->body, storage->body_len};
}

static void decode_u8(struct decoder *decoder, const struct field *field, uint8_t *at)
{
	*at = reader_u8(&decoder->in);
	if (above(field, *at))
		decoder->in.fault = -EBADMSG;
}

static void decode_u16(struct decoder *decoder, const struct field *field, uint16_t *at)
{
	*at = reader_u16(&decoder->in);
	if (above(field, *at))
		decoder->in.fault = -EBADMSG;
}

static void decode_raw32(struct decoder *decoder, uint8_t *at)
{
	const void *bytes = reader_raw(&decoder->in, DIGEST_LEN);

	if (bytes)
		memcpy(at, bytes, DIGEST_LEN);
}

static void decode_fields(struct decoder *decoder, const struct field *field, void *base)
{
	for (; field->kind != FIELD_END && !decoder->fault; field++) {
		void *at = (uint8_t *)base + field->offset;

		switch (field->kind) {
		case FIELD_U8: decode_u8(decoder, field, at); break;
		case FIELD_U16: decode_u16(decoder, field, at); break;
		case FIELD_U32: *(uint32_t *)at = reader_u32(&decoder->in); break;
		case FIELD_U64: *(uint64_t *)at = reader_u64(&decoder->in); break;
		case FIELD_I64: *(int64_t *)at = reader_i64(&decoder->in); break;
		case FIELD_RAW32: decode_raw32(decoder, at); break;
		case FIELD_STR: *(const char **)at = reader_str(&decoder->in); break;
		case FIELD_STRV: decode_strv(decoder, at); break;
		case FIELD_BODY: decode_body(decoder, at); break;
		case FIELD_GROUP: decode_fields(decoder, field->group, at); break;
		case FIELD_END: break;
		}
	}
}

/* Everything after the header. count: descriptors of the message itself, as the header says. */
static int decode_rest(
    struct decoder *decoder, struct message *message, const int *fds, size_t fd_count, size_t count)
{
	const struct shape *shape = message_shape(message->type);

	message->serial = reader_u64(&decoder->in);
	if (!shape || !serial_fits(shape, message->serial) || !fd_count_fits(shape, count))
		return -EBADMSG;
	if (fd_count < count || fd_count > count + 1)
		return -EBADMSG;
	if (fd_count == count)
		decoder->body_fd = NULL;
	decode_fields(decoder, shape->fields, &message->u);
	if (decoder->fault)
		return decoder->fault;
	/* A descriptor that nothing speaks of is as wrong as trailing bytes. */
	if (reader_end(&decoder->in) < 0 || decoder->body_fd ||
	    !fields_agree(shape, message, count))
		return -EBADMSG;
	for (size_t i = 0; i < count; i++)
		message->fds[i] = fds[i];
	message->fd_count = (uint32_t)count;
	return 0;
}

int message_decode(
    struct message *message, const void *bytes, size_t len, int *fds, size_t fd_count)
{
	struct decoder decoder = {.body_fd = fd_count > 0 ? &fds[fd_count - 1] : NULL};
	const uint8_t *copy = NULL;
	int r = len == 0 || len > MESSAGE_MAX ? -EBADMSG : 0;

	message_init(message, MESSAGE_NONE);
	if (r == 0)
		r = storage_new(bytes, len, &decoder.storage, &copy);
	if (r == 0) {
		message->storage = decoder.storage;
		reader_init(&decoder.in, copy, len);
		if (reader_u32(&decoder.in) == MESSAGE_MAGIC) {
			message->type = (enum message_type)reader_u16(&decoder.in);
			r = decode_rest(&decoder, message, fds, fd_count, reader_u16(&decoder.in));
		} else {
			r = -EBADMSG;
		}
	}
	for (size_t i = 0; i < fd_count; i++) {
		if (r < 0)
			cleanup_fd_(&fds[i]);
		fds[i] = -1;
	}
	if (r < 0)
		message_fini(message);
	return r;
}
