#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "supervisor/base/fd.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/message.h"

static const enum message_type types[] = {MESSAGE_AUDIT_OPEN, MESSAGE_AUDIT_OPENED, MESSAGE_RECORD,
    MESSAGE_RECORDED, MESSAGE_POLICY, MESSAGE_POLICY_TAKEN, MESSAGE_PLAN, MESSAGE_PLANNED,
    MESSAGE_LAUNCH, MESSAGE_LAUNCHED, MESSAGE_CONTROL, MESSAGE_CONTROLLED, MESSAGE_REQUEST,
    MESSAGE_REPLY, MESSAGE_EXITED, MESSAGE_KILL, MESSAGE_PEER, MESSAGE_PEER_GONE, MESSAGE_CANCEL,
    MESSAGE_NOTIFY, MESSAGE_DRAIN, MESSAGE_GATE, MESSAGE_RESPONSE, MESSAGE_PING, MESSAGE_PONG,
    MESSAGE_LOGGER, MESSAGE_FETCH, MESSAGE_FETCHED, MESSAGE_SITE, MESSAGE_SITE_TAKEN,
    MESSAGE_SIBLING, MESSAGE_VISITOR, MESSAGE_COUNTS, MESSAGE_OUTGOING, MESSAGE_FORGET};
#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* How many descriptors a message of this type travels with here. */
static uint32_t usual_fds(enum message_type type)
{
	if (type == MESSAGE_AUDIT_OPEN || type == MESSAGE_LAUNCHED)
		return 2;
	return type == MESSAGE_POLICY || type == MESSAGE_LAUNCH || type == MESSAGE_GATE;
}

/* A message of the type with nothing filled in but what it cannot travel without. */
static void prepare(struct message *message, enum message_type type)
{
	message_init(message, type);
	message->serial = type < 128 ? 7 : 0;
	message->fd_count = usual_fds(type);
	if (type == MESSAGE_LAUNCHED)
		message->u.launched.status = ANSWER_OK; /* nothing else has descriptors */
	if (type == MESSAGE_VISITOR)
		message->u.visitor.peer = PEER_IS_HTTP | 1;
}

static void pack(struct buf *out, const struct message *message)
{
	int body_fd = 99;

	buf_init(out, MESSAGE_MAX);
	assert_int_equal(message_encode(out, message, &body_fd), 0);
	assert_int_equal(body_fd, -1);
}

static int unpack(struct message *ret, const void *bytes, size_t len, size_t fd_count)
{
	int fds[MESSAGE_FDS + 1];
	int r;

	for (size_t i = 0; i < fd_count; i++)
		fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	r = message_decode(ret, bytes, len, fds, fd_count);
	for (size_t i = 0; i < fd_count; i++)
		assert_int_equal(fds[i], -1); /* taken, or closed */
	if (r < 0)
		assert_int_equal(ret->type, MESSAGE_NONE);
	return r;
}

static void plan_comes_back(void **state)
{
	const char *argv[] = {"git", "", "log --oneline"}, *paths[] = {"src/a.c", "."};
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_LAUNCH);
	sent.u.launch.input = (struct plan_input){.call = "c-1",
	    .tool = "bash",
	    .principal = "uid:1000",
	    .argv = {argv, 3},
	    .paths = {paths, 2},
	    .stdin_kind = STDIN_SEALED,
	    .stdin_digest = {{0xab}},
	    .policy = {{0xee}}};
	sent.u.launch.plan.bytes[31] = 0xaa;
	sent.u.launch.receipt = (struct receipt){.n = 3, .size = UINT64_MAX, .mac = {{0xbb}}};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 1), 0);
	memset(out.data, 0xff, out.len); /* the datagram may be reused */
	buf_fini(&out);
	assert_int_equal(got.type, MESSAGE_LAUNCH);
	assert_int_equal(got.serial, 7);
	assert_string_equal(got.u.launch.input.call, "c-1");
	assert_string_equal(got.u.launch.input.tool, "bash");
	assert_string_equal(got.u.launch.input.agent, ""); /* NULL when sent */
	assert_string_equal(got.u.launch.input.cwd, "");
	assert_int_equal(got.u.launch.input.argv.count, 3);
	assert_string_equal(got.u.launch.input.argv.items[0], "git");
	assert_string_equal(got.u.launch.input.argv.items[1], "");
	assert_string_equal(got.u.launch.input.argv.items[2], "log --oneline");
	assert_null(got.u.launch.input.argv.items[3]);
	assert_int_equal(got.u.launch.input.paths.count, 2);
	assert_string_equal(got.u.launch.input.paths.items[0], "src/a.c");
	assert_null(got.u.launch.input.paths.items[2]);
	assert_int_equal(got.u.launch.input.stdin_kind, STDIN_SEALED);
	assert_int_equal(got.u.launch.input.stdin_digest.bytes[0], 0xab);
	assert_int_equal(got.u.launch.input.policy.bytes[0], 0xee);
	assert_int_equal(got.u.launch.plan.bytes[31], 0xaa);
	assert_int_equal(got.u.launch.receipt.n, 3);
	assert_true(got.u.launch.receipt.size == UINT64_MAX);
	assert_int_equal(got.u.launch.receipt.mac.bytes[0], 0xbb);
	assert_int_equal(got.fd_count, 1);
	message_fini(&got);
}

static void request_comes_back(void **state)
{
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_REQUEST);
	sent.u.request = (struct message_request){.peer = UINT64_MAX,
	    .method = REQUEST_STREAM_READ,
	    .era = ERA_MODERN,
	    .log = REQUEST_LOG_MAX,
	    .options = REQUEST_OPTIONS_ALL,
	    .tool = "t",
	    .agent = "a",
	    .space = "s",
	    .progress = "\"p\"",
	    .retry = "{}",
	    .body = {"{\"k\":1}", 7}};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	assert_true(got.u.request.peer == UINT64_MAX);
	assert_int_equal(got.u.request.method, REQUEST_STREAM_READ);
	assert_int_equal(got.u.request.era, ERA_MODERN);
	assert_int_equal(got.u.request.log, REQUEST_LOG_MAX);
	assert_int_equal(got.u.request.options, REQUEST_OPTIONS_ALL);
	assert_string_equal(got.u.request.tool, "t");
	assert_string_equal(got.u.request.agent, "a");
	assert_string_equal(got.u.request.space, "s");
	assert_string_equal(got.u.request.progress, "\"p\"");
	assert_string_equal(got.u.request.retry, "{}");
	assert_int_equal(got.u.request.body.len, 7);
	message_fini(&got);
	buf_fini(&out);
}

static void gates_come_back(void **state)
{
	const char *groups[] = {"4"};
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_GATE);
	sent.u.gate.call = "c-1";
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 1), 0);
	assert_string_equal(got.u.gate.call, "c-1");
	assert_int_equal(got.fd_count, 1);
	message_fini(&got);
	buf_fini(&out);

	prepare(&sent, MESSAGE_PEER);
	sent.u.peer = (struct message_peer){
	    .peer = 5, .uid = 1, .gid = 2, .pid = 3, .groups = {groups, 1}, .call = "c-1"};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	assert_int_equal(got.u.peer.pid, 3);
	assert_string_equal(got.u.peer.groups.items[0], "4");
	assert_string_equal(got.u.peer.call, "c-1");
	message_fini(&got);
	buf_fini(&out);

	prepare(&sent, MESSAGE_RESPONSE);
	sent.u.response =
	    (struct message_response){.peer = 5, .id = "7", .kind = REPLY_ERROR, .body = {"{}", 2}};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	assert_int_equal(got.u.response.peer, 5);
	assert_string_equal(got.u.response.id, "7");
	assert_int_equal(got.u.response.kind, REPLY_ERROR);
	assert_memory_equal(got.u.response.body.data, "{}", 2);
	message_fini(&got);
	buf_fini(&out);
}

/* Whoever takes descriptors by has_input and has_gate finds those and no others. */
static void what_was_launched_says_what_it_brings(void **state)
{
	int before = open_count();

	(void)state;
	for (unsigned bits = 0; bits < 8; bits++) {
		for (uint32_t count = 0; count <= MESSAGE_FDS; count++) {
			unsigned status = bits & 4 ? ANSWER_OK : ANSWER_VOID;
			bool right = bits & 4 ? count == 2 + (bits & 1) + (bits >> 1 & 1)
					      : count == 0 && bits == 0;
			struct message sent, got;
			struct buf out;
			int body_fd;

			message_init(&sent, MESSAGE_LAUNCHED);
			sent.serial = 7;
			sent.fd_count = count;
			sent.u.launched.status = (uint16_t)status;
			sent.u.launched.has_input = bits & 1;
			sent.u.launched.has_gate = bits >> 1 & 1;
			buf_init(&out, MESSAGE_MAX);
			assert_int_equal(
			    message_encode(&out, &sent, &body_fd), right ? 0 : -EINVAL);
			if (right) { /* the same bytes with a flag that lies: status 16, flags 18 */
				out.data[18] ^= 1;
				assert_int_equal(unpack(&got, out.data, out.len, count), -EBADMSG);
				out.data[18] ^= 1;
				assert_int_equal(unpack(&got, out.data, out.len, count), 0);
				assert_int_equal(got.u.launched.has_input, bits & 1);
				assert_int_equal(got.u.launched.has_gate, bits >> 1 & 1);
				message_fini(&got);
			}
			buf_fini(&out);
		}
	}
	assert_int_equal(open_count(), before);
}

static void exit_comes_back(void **state)
{
	const char *layers[] = {"seccomp", "landlock:7"};
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_EXITED);
	sent.u.exited = (struct message_exited){.call = "c-1",
	    .how = EXIT_HOW_SIGNALED,
	    .code = -1,
	    .proof = 255,
	    .layers = {layers, 2},
	    .wall_us = 1,
	    .cpu_us = 2,
	    .memory_peak = 3,
	    .note = "n"};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	assert_int_equal(got.serial, 0);
	assert_int_equal(got.u.exited.how, EXIT_HOW_SIGNALED);
	assert_true(got.u.exited.code == -1);
	assert_int_equal(got.u.exited.proof, 255);
	assert_string_equal(got.u.exited.layers.items[1], "landlock:7");
	assert_int_equal(got.u.exited.memory_peak, 3);
	assert_string_equal(got.u.exited.note, "n");
	message_fini(&got);
	buf_fini(&out);
}

static void policy_comes_back(void **state)
{
	const char *approvers[] = {"ana key"};
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_POLICY);
	sent.u.policy = (struct message_policy){.version = {{0xcc}},
	    .path = "p.yaml",
	    .state = "/s",
	    .owner_uid = 7,
	    .approvers = {approvers, 1},
	    .audit_size = UINT64_MAX - 1,
	    .audit_root = {{0xdd}}};
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 1), 0);
	assert_int_equal(got.u.policy.version.bytes[0], 0xcc);
	assert_int_equal(got.u.policy.owner_uid, 7);
	assert_string_equal(got.u.policy.approvers.items[0], "ana key");
	assert_true(got.u.policy.audit_size == UINT64_MAX - 1);
	assert_int_equal(got.u.policy.audit_root.bytes[0], 0xdd);
	assert_int_equal(got.u.policy.audit_root.bytes[31], 0);
	message_fini(&got);
	buf_fini(&out);
}

/* Zeroed messages of every type travel, and what arrives says nothing but zero and "". */
static void every_type_has_a_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		struct message sent, got;
		struct buf out, again;

		assert_string_not_equal(message_name(types[i]), "?");
		prepare(&sent, types[i]);
		pack(&out, &sent);
		assert_int_equal(unpack(&got, out.data, out.len, sent.fd_count), 0);
		assert_int_equal(got.type, types[i]);
		pack(&again, &got);
		assert_int_equal(again.len, out.len);
		assert_memory_equal(again.data, out.data, out.len);
		message_fini(&got);
		buf_fini(&out);
		buf_fini(&again);
	}
	assert_string_equal(message_name(MESSAGE_NONE), "?");
	assert_string_equal(message_name((enum message_type)250), "?");
}

static void cut_or_longer_is_refused(void **state)
{
	int before = open_count();

	(void)state;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		struct message sent, got;
		struct buf out;

		prepare(&sent, types[i]);
		pack(&out, &sent);
		for (size_t cut = 0; cut < out.len; cut++)
			assert_int_equal(unpack(&got, out.data, cut, sent.fd_count), -EBADMSG);
		buf_put_u8(&out, 0);
		assert_int_equal(unpack(&got, out.data, out.len, sent.fd_count), -EBADMSG);
		buf_fini(&out);
	}
	assert_int_equal(open_count(), before);
}

static void descriptors_must_be_as_many_as_the_type_says(void **state)
{
	int before = open_count();

	(void)state;
	for (size_t i = 0; i < TYPE_COUNT; i++) {
		struct message sent, got;
		struct buf out;
		int body_fd;

		prepare(&sent, types[i]);
		pack(&out, &sent);
		for (size_t count = 0; count <= MESSAGE_FDS + 1; count++) {
			if (count != sent.fd_count)
				assert_int_equal(unpack(&got, out.data, out.len, count), -EBADMSG);
		}
		buf_fini(&out);
		buf_init(&out, MESSAGE_MAX);
		sent.fd_count = MESSAGE_FDS - 1;
		assert_int_equal(message_encode(&out, &sent, &body_fd), -EINVAL);
		sent.fd_count = UINT32_MAX;
		assert_int_equal(message_encode(&out, &sent, &body_fd), -EINVAL);
		buf_fini(&out);
	}
	assert_int_equal(open_count(), before);
}

/* Offsets in the header: magic 0, type 4, count 6, serial 8. */
static void header_is_judged(void **state)
{
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_KILL);
	pack(&out, &sent);
	out.data[0] ^= 1;
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	out.data[0] ^= 1;
	out.data[4] = 250;
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	out.data[4] = MESSAGE_KILL;
	out.data[5] = 1; /* 256 + KILL is not KILL */
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	out.data[5] = 0;
	out.data[6] = 1;
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	assert_int_equal(unpack(&got, out.data, out.len, 1), -EBADMSG);
	out.data[6] = 0;
	out.data[8] = 1; /* a notice with a serial */
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	out.data[8] = 0;
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	message_fini(&got);
	buf_fini(&out);
}

static void serials_belong_to_requests(void **state)
{
	struct message message;
	struct buf out;
	int body_fd = 99;

	(void)state;
	buf_init(&out, MESSAGE_MAX);
	message_init(&message, MESSAGE_PLAN);
	assert_int_equal(message_encode(&out, &message, &body_fd), -EINVAL);
	message_init(&message, MESSAGE_DRAIN);
	message.serial = 1;
	assert_int_equal(message_encode(&out, &message, &body_fd), -EINVAL);
	message_init(&message, MESSAGE_NONE);
	message.serial = 1;
	assert_int_equal(message_encode(&out, &message, &body_fd), -EINVAL);
	assert_int_equal(body_fd, 99);
	buf_fini(&out);
}

static void values_without_meaning_are_refused(void **state)
{
	struct message sent, got;
	struct buf out;
	int body_fd;

	(void)state;
	prepare(&sent, MESSAGE_PLANNED);
	sent.u.planned.status = ANSWER_VOID;
	pack(&out, &sent);
	out.data[16] = ANSWER_VOID + 1; /* the first field lies behind the 16 bytes of header */
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	buf_reset(&out);
	sent.u.planned.status = ANSWER_VOID + 1;
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EINVAL);
	prepare(&sent, MESSAGE_RECORD);
	sent.u.record.record = RECORD_TYPE_COUNT;
	buf_reset(&out);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EINVAL);
	sent.u.record.record = RECORD_CALL_DECISION;
	sent.u.record.allow = 2;
	buf_reset(&out);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EINVAL);
	buf_fini(&out);
}

static void nul_in_a_string_is_refused(void **state)
{
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_KILL);
	sent.u.kill.call = "abc";
	pack(&out, &sent);
	out.data[16 + 4 + 1] = '\0';
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	buf_fini(&out);
}

static void long_lists_are_refused(void **state)
{
	static const char *many[MESSAGE_STRV_MAX + 1];
	struct message sent, got;
	struct buf out;
	size_t count_at;
	int body_fd;

	(void)state;
	prepare(&sent, MESSAGE_PLAN);
	sent.u.plan.input.argv = (struct strv){many, MESSAGE_STRV_MAX + 1};
	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EMSGSIZE);
	/* as many as a datagram holds */
	buf_reset(&out);
	sent.u.plan.input.argv.count = 13000;
	assert_int_equal(message_encode(&out, &sent, &body_fd), 0);
	assert_int_equal(unpack(&got, out.data, out.len, 0), 0);
	assert_int_equal(got.u.plan.input.argv.count, 13000);
	assert_null(got.u.plan.input.argv.items[13000]);
	message_fini(&got);
	/* a count that the bytes cannot hold: six empty strings of 5 bytes stand in front */
	count_at = 16 + 6 * 5;
	memset(out.data + count_at, 0xff, 4);
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	memcpy(out.data + count_at, "\x00\x40\x00\x00", 4); /* 16384 */
	assert_int_equal(unpack(&got, out.data, out.len, 0), -EBADMSG);
	buf_fini(&out);
}

static void datagram_limit(void **state)
{
	static char text[MESSAGE_MAX];
	struct message sent;
	struct buf out;
	int body_fd = 99;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	prepare(&sent, MESSAGE_DRAIN);
	sent.u.drain.cause = text + 20; /* 16 header, 4 length, NUL */
	pack(&out, &sent);
	assert_int_equal(out.len, MESSAGE_MAX);
	buf_fini(&out);
	sent.u.drain.cause = text + 19;
	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EMSGSIZE);
	buf_fini(&out);
	buf_init(&out, 10 * MESSAGE_MAX); /* also where the caller's limit is wider */
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EMSGSIZE);
	assert_int_equal(body_fd, 99);
	buf_fini(&out);
}

/* Sends a REQUEST whose body has len bytes; its descriptor, or -1, in *ret_body_fd. */
static void pack_body(struct buf *out, size_t len, int *ret_body_fd)
{
	struct message sent;
	char *body = malloc(len + 1);

	memset(body, 'b', len);
	prepare(&sent, MESSAGE_REQUEST);
	sent.u.request.body = (struct bytes){body, len};
	buf_init(out, MESSAGE_MAX);
	assert_int_equal(message_encode(out, &sent, ret_body_fd), 0);
	free(body);
}

static void check_body(size_t len)
{
	struct message got;
	struct buf out;
	const void *data;
	int body_fd, before = open_count();

	pack_body(&out, len, &body_fd);
	assert_int_equal(body_fd >= 0, len > MESSAGE_INLINE);
	assert_int_equal(message_decode(&got, out.data, out.len, &body_fd, body_fd >= 0), 0);
	assert_int_equal(open_count(), before); /* mapped and closed */
	assert_int_equal(got.fd_count, 0);
	assert_int_equal(got.u.request.body.len, len);
	assert_non_null(got.u.request.body.data);
	for (size_t i = 0; i < len; i += 1 + len / 7)
		assert_int_equal(((const char *)got.u.request.body.data)[i], 'b');
	data = got.u.request.body.data;
	message_fini(&got);
	if (len > MESSAGE_INLINE) /* and unmapped: msync(2) knows */
		assert_int_equal(msync((void *)data, 1, MS_ASYNC), -1);
	buf_fini(&out);
}

static void bodies_of_every_size(void **state)
{
	struct message sent;
	struct buf out;
	int body_fd = 99;

	(void)state;
	check_body(0);
	check_body(1);
	check_body(MESSAGE_INLINE);
	check_body(MESSAGE_INLINE + 1);
	check_body(MESSAGE_BODY_MAX);
	prepare(&sent, MESSAGE_REQUEST);
	sent.u.request.body = (struct bytes){"", MESSAGE_BODY_MAX + 1};
	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EMSGSIZE);
	assert_int_equal(body_fd, 99);
	buf_fini(&out);
}

static void failed_encoding_leaves_no_descriptor(void **state)
{
	static char text[MESSAGE_MAX], body[MESSAGE_INLINE + 1];
	int before = open_count(), body_fd = 99;
	struct message sent;
	struct buf out;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	prepare(&sent, MESSAGE_REQUEST);
	sent.u.request.tool = text;
	sent.u.request.body = (struct bytes){body, sizeof(body)};
	buf_init(&out, MESSAGE_MAX);
	assert_int_equal(message_encode(&out, &sent, &body_fd), -EMSGSIZE);
	assert_int_equal(open_count(), before);
	buf_fini(&out);
}

/* Decodes a message that says "the body is in the last descriptor" with this one. */
static int decode_with_body(int body_fd)
{
	struct message got;
	struct buf out;
	int own, r;

	pack_body(&out, MESSAGE_INLINE + 1, &own);
	close(own);
	r = message_decode(&got, out.data, out.len, &body_fd, body_fd >= 0);
	message_fini(&got);
	buf_fini(&out);
	return r;
}

static void body_descriptors_are_judged(void **state)
{
	static char bytes[MESSAGE_BODY_MAX + 1];
	int before = open_count(), fd;

	(void)state;
	assert_int_equal(decode_with_body(-1), -EBADMSG);
	assert_int_equal(decode_with_body(open("/dev/null", O_RDONLY)), -EBADMSG);
	fd = memfd_create("unsealed", MFD_ALLOW_SEALING);
	assert_int_equal(ftruncate(fd, MESSAGE_INLINE + 1), 0);
	assert_int_equal(decode_with_body(fd), -EBADMSG);
	assert_int_equal(decode_with_body(fd_sealed("huge", bytes, sizeof(bytes))), -EBADMSG);
	/* short enough for the datagram: one body, one form */
	assert_int_equal(decode_with_body(fd_sealed("short", bytes, MESSAGE_INLINE)), -EBADMSG);
	assert_int_equal(decode_with_body(fd_sealed("good", bytes, MESSAGE_INLINE + 1)), 0);
	assert_int_equal(open_count(), before);
}

/* Random damage: decodes or is refused, and gives everything back (ASan and the count watch). */
static void damage_never_leaks(void **state)
{
	const char *argv[] = {"a", "b", "c"};
	int before = open_count();
	unsigned seed = 1, decoded = 0;
	struct message sent, got;
	struct buf out;

	(void)state;
	prepare(&sent, MESSAGE_LAUNCH);
	sent.u.launch.input.argv = (struct strv){argv, 3};
	pack(&out, &sent);
	for (int round = 0; round < 20000; round++) {
		uint8_t copy[1024];

		memcpy(copy, out.data, out.len);
		for (int i = 0; i < 1 + round % 3; i++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 8) % out.len] = (uint8_t)(seed >> 20);
		}
		if (unpack(&got, copy, out.len, 1) == 0)
			decoded++;
		message_fini(&got);
	}
	assert_true(decoded > 1000); /* digests take any byte */
	assert_int_equal(open_count(), before);
	buf_fini(&out);
}

static void descriptors_are_taken_once(void **state)
{
	struct message sent, got;
	struct buf out;
	int before = open_count(), fd;

	(void)state;
	prepare(&sent, MESSAGE_AUDIT_OPEN);
	pack(&out, &sent);
	assert_int_equal(unpack(&got, out.data, out.len, 2), 0);
	fd = message_take_fd(&got, 1);
	assert_true(fd >= 0);
	assert_int_equal(message_take_fd(&got, 1), -1);
	assert_int_equal(message_take_fd(&got, 2), -1);
	assert_int_equal(message_take_fd(&got, UINT32_MAX), -1);
	message_fini(&got);
	message_fini(&got);
	assert_int_equal(open_count(), before + 1);
	close(fd);
	buf_fini(&out);
}

static void zeroed_message_can_be_finished(void **state)
{
	struct message message;

	(void)state;
	memset(&message, 0, sizeof(message));
	message_fini(&message);
	assert_true(fcntl(0, F_GETFD) >= 0); /* its zeroed fds are not descriptor 0 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plan_comes_back),
	    cmocka_unit_test(request_comes_back),
	    cmocka_unit_test(gates_come_back),
	    cmocka_unit_test(what_was_launched_says_what_it_brings),
	    cmocka_unit_test(exit_comes_back),
	    cmocka_unit_test(policy_comes_back),
	    cmocka_unit_test(every_type_has_a_row),
	    cmocka_unit_test(cut_or_longer_is_refused),
	    cmocka_unit_test(descriptors_must_be_as_many_as_the_type_says),
	    cmocka_unit_test(header_is_judged),
	    cmocka_unit_test(serials_belong_to_requests),
	    cmocka_unit_test(values_without_meaning_are_refused),
	    cmocka_unit_test(nul_in_a_string_is_refused),
	    cmocka_unit_test(long_lists_are_refused),
	    cmocka_unit_test(datagram_limit),
	    cmocka_unit_test(bodies_of_every_size),
	    cmocka_unit_test(failed_encoding_leaves_no_descriptor),
	    cmocka_unit_test(body_descriptors_are_judged),
	    cmocka_unit_test(damage_never_leaks),
	    cmocka_unit_test(descriptors_are_taken_once),
	    cmocka_unit_test(zeroed_message_can_be_finished),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
