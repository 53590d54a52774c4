/* The fuzzer's seeds are messages of today: each type has one, it decodes, and it is the message
 * that is written here. With MESSAGE_SEEDS=write the files are made anew. Started from the root of
 * the sources, as all tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/base/log.h"
#include "supervisor/evidence/record.h"
#include "supervisor/link/message.h"

#define PLACE     "tests/fuzz/corpus/message/"
#define PLANS     "tests/fuzz/corpus/plan/"
#define SEED_MAX  (MESSAGE_MAX + 1)
#define WORDS(of) ((struct strv){of, sizeof(of) / sizeof((of)[0])})

static const char *argv[] = {"ls", "-l"}, *paths[] = {"src/a.c"}, *layers[] = {"seccomp"};

static struct plan_input plan_input(void)
{
	return (struct plan_input){.call = "c-1",
	    .tool = "bash",
	    .agent = "coder",
	    .space = "default",
	    .principal = "uid:1000",
	    .cwd = "src",
	    .argv = WORDS(argv),
	    .paths = WORDS(paths),
	    .stdin_kind = STDIN_STREAM};
}

/* Fills the fields of the type, and says how many descriptors come along. */
static uint32_t fill(struct message *message)
{
	struct bytes body = {"{}", 2};

	switch ((unsigned)message->type) { /* the others travel empty */
	case MESSAGE_AUDIT_OPEN: return 2;
	case MESSAGE_RECORD:
		message->u.record = (struct message_record){
		    .record = RECORD_CALL_DECISION, .call = "c-1", .allow = 1, .body = {"f", 1}};
		return 0;
	case MESSAGE_POLICY:
		message->u.policy = (struct message_policy){.path = "p.yaml",
		    .state = "/s",
		    .owner_uid = 7,
		    .approvers = WORDS(layers),
		    .audit_size = 9};
		return 1;
	case MESSAGE_PLAN: message->u.plan.input = plan_input(); return 0;
	case MESSAGE_PLANNED:
		message->u.planned = (struct message_planned){
		    .status = ANSWER_OK, .text = "tool bash\n", .program = "/usr/bin/ls"};
		return 0;
	case MESSAGE_LAUNCH:
		message->u.launch.input = plan_input();
		message->u.launch.input.stdin_kind = STDIN_SEALED;
		message->u.launch.receipt.n = 3;
		return 1;
	case MESSAGE_LAUNCHED:
		message->u.launched =
		    (struct message_launched){.status = ANSWER_OK, .has_input = 1, .has_gate = 1};
		return 4;
	case MESSAGE_EXITED:
		message->u.exited = (struct message_exited){.call = "c-1",
		    .how = EXIT_HOW_EXITED,
		    .layers = WORDS(layers),
		    .effects = EFFECTS_HELD,
		    .body = body};
		return 0;
	case MESSAGE_EFFECTS:
		message->u.effects = (struct message_effects){
		    .op = EFFECTS_COMMIT, .call = "c-1", .by = "uid:7", .paths = WORDS(paths)};
		return 0;
	case MESSAGE_EFFECTED:
		message->u.effected = (struct message_effected){.status = ANSWER_OK, .body = body};
		return 0;
	case MESSAGE_REQUEST:
		message->u.request = (struct message_request){.peer = 1,
		    .method = REQUEST_TOOLS_CALL,
		    .era = ERA_MODERN,
		    .log = REQUEST_LOG_MAX,
		    .options = REQUEST_STREAM_OUTPUT,
		    .tool = "bash",
		    .progress = "1",
		    .body = body};
		return 0;
	case MESSAGE_REPLY:
		message->u.reply = (struct message_reply){.kind = REPLY_RESULT, .body = body};
		return 0;
	case MESSAGE_KILL:
		message->u.kill = (struct message_kill){.call = "c-1", .cause = "cancelled"};
		return 0;
	case MESSAGE_PEER:
		message->u.peer =
		    (struct message_peer){.peer = 1, .uid = 2, .gid = 3, .pid = 4, .call = "c-1"};
		return 0;
	case MESSAGE_NOTIFY:
		message->u.notify = (struct message_notify){.peer = 1, .body = body};
		return 0;
	case MESSAGE_GATE: message->u.gate.call = "c-1"; return 1;
	case MESSAGE_RESPONSE:
		message->u.response = (struct message_response){
		    .peer = 1, .id = "7", .kind = REPLY_RESULT, .body = body};
		return 0;
	case MESSAGE_LOGGER:
		message->u.logger =
		    (struct message_logger){.level = LOG_LEVEL_DEBUG, .format = LOG_FORMAT_JSON};
		return 0;
	case MESSAGE_FETCH:
		message->u.fetch = (struct message_fetch){.method = FETCH_GET,
		    .url = "https://a.example/jwks.json",
		    .headers = WORDS(layers),
		    .timeout_ms = 1000,
		    .answer_max = 65536};
		return 0;
	case MESSAGE_FETCHED:
		message->u.fetched =
		    (struct message_fetched){.status = ANSWER_OK, .http = 200, .body = body};
		return 0;
	case MESSAGE_SITE:
		message->u.site = (struct message_site){.has_tls = 1,
		    .has_ca = 1,
		    .listen = "127.0.0.1",
		    .trusted_proxies = WORDS(layers)};
		return 3;
	case MESSAGE_SIBLING: message->u.sibling.sibling = SIBLING_HTTP; return 1;
	case MESSAGE_VISITOR:
		message->u.visitor = (struct message_visitor){.peer = PEER_IS_HTTP | 1,
		    .address = "192.0.2.1",
		    .authorization = "Bearer x",
		    .sans = WORDS(layers),
		    .method = "GET",
		    .path = "/tools"};
		return 0;
	case MESSAGE_OUTGOING:
		message->u.outgoing =
		    (struct message_outgoing){.has_ca = 1, .networks = WORDS(layers)};
		return 1;
	default: return 0;
	}
}

/* As the harness reads it: how many descriptors, then the datagram. */
static size_t make_seed(const struct message *message, uint8_t out[SEED_MAX])
{
	struct buf bytes;
	int body_fd = -1;
	size_t len;

	buf_init(&bytes, MESSAGE_MAX);
	assert_int_equal(message_encode(&bytes, message, &body_fd), 0);
	assert_int_equal(body_fd, -1);
	out[0] = (uint8_t)message->fd_count;
	memcpy(out + 1, bytes.data, bytes.len);
	len = bytes.len + 1;
	buf_fini(&bytes);
	return len;
}

static void write_seed(const char *path, const uint8_t *seed, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, seed, len), len);
	close(fd);
}

static void check_seed(const char *path, const uint8_t *seed, size_t len)
{
	static uint8_t stored[SEED_MAX + 1];
	const char *wish = getenv("MESSAGE_SEEDS");
	ssize_t got;
	int fd;

	if (wish && strcmp(wish, "write") == 0)
		write_seed(path, seed, len);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: no seed; run this with MESSAGE_SEEDS=write", path);
	got = read(fd, stored, sizeof(stored));
	close(fd);
	if (got != (ssize_t)len || memcmp(stored, seed, len) != 0)
		fail_msg("%s: not a message of today; run this with MESSAGE_SEEDS=write", path);
}

static void every_type_has_a_seed_of_today(void **state)
{
	static uint8_t seed[SEED_MAX];
	unsigned count = 0;

	(void)state;
	for (unsigned type = 1; type < 256; type++) {
		const char *name = message_name((enum message_type)type);
		struct message message;
		char path[128];

		if (strcmp(name, "?") == 0)
			continue;
		message_init(&message, (enum message_type)type);
		message.serial = type < 128 ? 6 : 0;
		message.fd_count = fill(&message);
		(void)snprintf(path, sizeof(path), PLACE "%s", name);
		check_seed(path, seed, make_seed(&message, seed));
		count++;
	}
	assert_true(count >= 23);
}

/* Those of the plan's harness are datagrams alone: words that are plain, and words that would be
 * lines, labels, colours or something else than they look like. */
static void plans_have_seeds_of_today(void **state)
{
	static const char *hostile[] = {"sh", "-c", "a\npolicy      x", "\033[2K\rtool", "\u202e/w",
	    "caf\xe9", "tool\xe2\x80\x8b", ""};
	static uint8_t seed[SEED_MAX];
	struct message message;

	(void)state;
	message_init(&message, MESSAGE_PLAN);
	message.serial = 6;
	message.u.plan.input = plan_input();
	check_seed(PLANS "plain", seed + 1, make_seed(&message, seed) - 1);
	message.u.plan.input.argv = (struct strv)WORDS(hostile);
	message.u.plan.input.paths = (struct strv)WORDS(hostile);
	message.u.plan.input.tool = hostile[2];
	message.u.plan.input.cwd = hostile[3];
	message.u.plan.input.principal = hostile[4];
	message.u.plan.input.stdin_kind = STDIN_SEALED;
	check_seed(PLANS "hostile", seed + 1, make_seed(&message, seed) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_type_has_a_seed_of_today),
	    cmocka_unit_test(plans_have_seeds_of_today)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
