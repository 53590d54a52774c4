/* The HTTP front and courier: started with their settings, introduced to engine, recorded, started
 * again when lost, and left alone when they do not stay. The programs are stand-ins that speak the
 * warden's messages; what they are to do stands in files beside them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/evidence/record.h"
#include "supervisor/warden/listen_http.h"
#include "supervisor/warden/warden.h"
#include "tests/unit/warden/copies.h"

/* ---- the stand-in --------------------------------------------------------------------------- */

static bool is_told(const char *folder, const char *what)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, what);
	return access(path, F_OK) == 0;
}

static int say(int fd, struct message *message)
{
	struct buf wire;
	int body = -1, fault;

	buf_init(&wire, MESSAGE_MAX);
	fault = message_encode(&wire, message, &body);
	if (!fault)
		fault = fd_send(fd, wire.data, wire.len, NULL, 0);
	buf_fini(&wire);
	return fault;
}

/* 0: the other end is gone. */
static int hear(int fd, struct message *message)
{
	static uint8_t bytes[MESSAGE_MAX];
	int fds[MESSAGE_FDS + 1];
	size_t count = 0;
	ssize_t len = fd_receive(fd, bytes, sizeof(bytes), fds, MESSAGE_FDS + 1, &count);

	if (len <= 0)
		return 0;
	return message_decode(message, bytes, (size_t)len, fds, count) ? -1 : 1;
}

static void answer_site(const char *folder, int fd, const struct message *site)
{
	struct message answer;
	bool refuse = is_told(folder, "refuse") || !strcmp(site->u.site.url, "https://refuse.me");

	message_init(&answer, MESSAGE_SITE_TAKEN);
	answer.serial = site->serial;
	answer.u.site_taken.status = refuse ? ANSWER_REFUSED : ANSWER_OK;
	answer.u.site_taken.note = refuse ? "the certificate does not fit the key" : "";
	if (say(fd, &answer))
		_exit(5);
}

static int stand_in(const char *name, const char *folder)
{
	int fd = strcmp(name, "callgate-courier") ? 5 : 4;
	struct message message, hello;

	if (is_told(folder, "die"))
		return 7;
	/* By its link to engine it says which settings it has. */
	message_init(&hello, MESSAGE_DRAIN);
	while (hear(fd, &message) > 0) {
		if (message.type == MESSAGE_SITE)
			hello.u.drain.cause = message.u.site.url;
		else if (message.type == MESSAGE_OUTGOING)
			hello.u.drain.cause = "outgoing";
		else if (message.type == MESSAGE_DRAIN)
			return 0;
		else
			continue;
		if (say(3, &hello))
			return 6;
		if (message.type == MESSAGE_SITE)
			answer_site(folder, fd, &message);
		message_fini(&message);
	}
	return 0;
}

/* ---- the rig -------------------------------------------------------------------------------- */

static struct warden warden;
static struct rig rig;
static struct config *config, *other;
static int engine, auditor; /* the other ends */
static uint16_t taken;      /* status of the answer that was awaited; 77: none yet */
static char lost[256];

/* What main.c and others are to siblings.c. */
void warden_take_answer(struct warden *self, uint64_t serial, uint16_t status, const char *note)
{
	(void)note;
	assert_int_equal(self->awaited.serial, serial);
	self->awaited.serial = 0;
	taken = status;
}
void on_engine(struct link *link, struct message *message, int fault)
{
	(void)link;
	(void)message;
	(void)fault;
}
void on_auditor(struct link *link, struct message *message, int fault)
{
	on_engine(link, message, fault);
}
void on_child_end(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
}
void on_zygote_answer(uv_poll_t *poll, int status, int events)
{
	on_child_end(poll, status, events);
}
void on_attacher_answer(uv_poll_t *poll, int status, int events)
{
	on_child_end(poll, status, events);
}
void on_signal(uv_poll_t *poll, int status, int events)
{
	on_child_end(poll, status, events);
}
void warden_log_warnings(struct buf *warnings)
{
	(void)warnings;
}

static void tell_copies(const char *what, bool yes)
{
	char exe[256] = "", path[300];
	int fd;

	assert_true(readlink("/proc/self/exe", exe, sizeof(exe) - 1) > 0);
	*strrchr(exe, '/') = '\0';
	snprintf(path, sizeof(path), "%s/%s", exe, what);
	if (yes)
		close((fd = open(path, O_WRONLY | O_CREAT, 0644)));
	else
		(void)unlink(path);
}

static int open_link(struct link *link, link_handler *handler)
{
	int pair[2];

	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(link_open(link, &warden.loop, pair[0], "test", handler, &warden), 0);
	return pair[1];
}

static struct config *make_config(const char *url, bool channel)
{
	static struct policy_channel channels[] = {{.name = "ops", .url = "https://x"}};
	struct config *made = rig_config(&rig, "version: 1\n");

	made->policy->http.port = 1;
	made->policy->http.url = url;
	made->policy->channels = channels;
	made->policy->channel_count = channel;
	return made;
}

static void give_up_config(struct config *made)
{
	made->policy->channels = NULL;
	made->policy->channel_count = 0;
	config_free(made);
}

static struct site *make_site(struct config *of)
{
	struct err_note note = {""};
	struct site *site;

	if (site_read(of, NULL, &site, &note))
		fail_msg("%s", note.text);
	return site;
}

static int setup(void **state)
{
	struct err_note note = {""};
	int tcp = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	rig_make(&rig);
	memset(&warden, 0, sizeof(warden));
	warden.phase = WARDEN_READY;
	warden.user =
	    (struct child_user){.root = geteuid() == 0, .uid = geteuid(), .gid = getegid()};
	assert_int_equal(uv_loop_init(&warden.loop), 0);
	if (nursery_start(&warden.nursery, &warden.user, &note))
		fail_msg("%s", note.text);
	engine = open_link(&warden.engine, on_engine);
	auditor = open_link(&warden.auditor, on_auditor);
	assert_int_equal(listen(tcp, 4), 0);
	warden.http_listener.fd = tcp;
	config = make_config("https://one.example", true);
	other = make_config("https://refuse.me", false);
	warden.site = make_site(config);
	siblings_init(&warden);
	taken = 77;
	lost[0] = '\0';
	tell_copies("die", false);
	tell_copies("refuse", false);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	warden.phase = WARDEN_ENDING;
	siblings_end_http(&warden, 2000);
	siblings_end_courier(&warden, 2000);
	nursery_stop(&warden.nursery);
	link_close(&warden.engine);
	link_close(&warden.auditor);
	uv_close((uv_handle_t *)&warden.siblings.http.timer, NULL);
	uv_close((uv_handle_t *)&warden.siblings.courier.timer, NULL);
	while (uv_run(&warden.loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&warden.loop), 0); /* no handle was forgotten */
	close(engine);
	close(auditor);
	close(warden.http_listener.fd);
	site_free(warden.site);
	give_up_config(config);
	give_up_config(other);
	rig_remove(&rig);
	return 0;
}

static bool is_readable(int fd)
{
	struct pollfd there = {.fd = fd, .events = POLLIN};

	return poll(&there, 1, 0) == 1;
}

/* Turns the loop until fd has something to read. */
static void turn_until(int fd)
{
	uint64_t until = clock_monotonic_us() + 20000000;

	while (!is_readable(fd)) {
		assert_true(clock_monotonic_us() < until);
		uv_run(&warden.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

static void turn_for(unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		uv_run(&warden.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
}

/* The next record that the warden wrote is of this type. */
static void recorded(enum record_type type)
{
	struct message message;

	turn_until(auditor);
	assert_int_equal(hear(auditor, &message), 1);
	assert_int_equal(message.type, MESSAGE_RECORD);
	assert_int_equal(message.u.record.record, type);
	message_fini(&message);
}

/* The next SIBLING that engine got: the end of its link, -1 where there is none. */
static int introduced(enum sibling_kind kind)
{
	struct message message;
	int fd;

	turn_until(engine);
	assert_int_equal(hear(engine, &message), 1);
	assert_int_equal(message.type, MESSAGE_SIBLING);
	assert_int_equal(message.u.sibling.sibling, kind);
	fd = message_take_fd(&message, 0);
	message_fini(&message);
	return fd;
}

/* What the stand-in says of its settings by its link to engine. */
static void has_settings(int fd, const char *expected)
{
	struct message message;

	turn_until(fd);
	assert_int_equal(hear(fd, &message), 1);
	assert_string_equal(message.u.drain.cause, expected);
	message_fini(&message);
}

static uint64_t offer(const struct site *site)
{
	struct err_note note = {""};
	uint64_t serial;

	if (siblings_offer(&warden, site, &serial, &note))
		fail_msg("%s", note.text);
	return serial;
}

/* Both run, engine knows them; *ret: its ends. */
static void begin(int *ret_http, int *ret_courier)
{
	uint64_t serial = offer(warden.site);

	assert_int_not_equal(serial, 0);
	warden.awaited.serial = serial;
	recorded(RECORD_ROLE_START);
	recorded(RECORD_ROLE_START);
	while (taken == 77)
		uv_run(&warden.loop, UV_RUN_ONCE);
	assert_int_equal(taken, ANSWER_OK);
	assert_false(is_readable(engine)); /* not before it has a policy */
	siblings_introduce(&warden);
	siblings_introduce(&warden); /* and once only */
	*ret_http = introduced(SIBLING_HTTP);
	*ret_courier = introduced(SIBLING_COURIER);
	assert_true(*ret_http >= 0 && *ret_courier >= 0);
	has_settings(*ret_http, "https://one.example");
	has_settings(*ret_courier, "outgoing");
}

/* ---- the tests ------------------------------------------------------------------------------ */

static void both_are_started_and_introduced(void **state)
{
	int http, courier;

	(void)state;
	begin(&http, &courier);
	turn_for(50);
	assert_false(is_readable(engine));
	close(http);
	close(courier);
}

static void a_lost_one_comes_again(void **state)
{
	int http, courier, again;

	(void)state;
	begin(&http, &courier);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(kill(warden.siblings.http.child.pid, SIGKILL), 0);
		recorded(RECORD_ROLE_LOST);
		assert_int_equal(introduced(SIBLING_HTTP), -1);
		recorded(RECORD_ROLE_START);
		again = introduced(SIBLING_HTTP);
		assert_true(again >= 0);
		has_settings(again, "https://one.example");
		close(http);
		http = again;
	}
	/* courier knows nothing of it */
	assert_true(child_is_alive(&warden.siblings.courier.child));
	/* the fourth within a minute: the daemon goes on without it */
	assert_int_equal(kill(warden.siblings.http.child.pid, SIGKILL), 0);
	recorded(RECORD_ROLE_LOST);
	assert_int_equal(introduced(SIBLING_HTTP), -1);
	turn_for(400);
	assert_false(is_readable(auditor));
	assert_false(is_readable(engine));
	assert_int_equal(warden.siblings.http.child.pid, 0);
	assert_string_equal(warden.lost.text, "");
	/* and a reload finds nobody to ask */
	assert_int_equal(offer(warden.site), 0);
	close(http);
	close(courier);
}

static void one_that_does_not_start_is_not_tried_for_ever(void **state)
{
	int http, courier;

	(void)state;
	begin(&http, &courier);
	tell_copies("die", true);
	assert_int_equal(kill(warden.siblings.courier.child.pid, SIGKILL), 0);
	recorded(RECORD_ROLE_LOST);
	assert_int_equal(introduced(SIBLING_COURIER), -1);
	for (int i = 0; i < SIBLING_STARTS_MAX; i++) {
		recorded(RECORD_ROLE_START);
		recorded(RECORD_ROLE_LOST);
		close(introduced(SIBLING_COURIER));
		assert_int_equal(introduced(SIBLING_COURIER), -1);
	}
	turn_for(400);
	assert_false(is_readable(auditor));
	close(http);
	close(courier);
}

static void settings_that_are_refused_at_a_new_start_are_a_loss(void **state)
{
	int http, courier;

	(void)state;
	begin(&http, &courier);
	tell_copies("refuse", true);
	assert_int_equal(kill(warden.siblings.http.child.pid, SIGKILL), 0);
	recorded(RECORD_ROLE_LOST);
	assert_int_equal(introduced(SIBLING_HTTP), -1);
	recorded(RECORD_ROLE_START);
	recorded(RECORD_ROLE_LOST);
	tell_copies("refuse", false);
	recorded(RECORD_ROLE_START);
	close(introduced(SIBLING_HTTP)); /* engine was told of none that did not take them */
	close(http);
	close(courier);
}

/* Offers it as a reload does, and waits for what the HTTP front says. */
static uint16_t offered(const struct site *site)
{
	taken = 77;
	warden.awaited.serial = offer(site);
	assert_int_not_equal(warden.awaited.serial, 0);
	while (taken == 77)
		uv_run(&warden.loop, UV_RUN_ONCE);
	return taken;
}

static void a_reload_asks_and_one_that_is_unwanted_leaves(void **state)
{
	struct site *site = make_site(other);
	int http, courier;

	(void)state;
	begin(&http, &courier);
	assert_int_equal(offered(site), ANSWER_REFUSED);
	has_settings(http, "https://refuse.me");
	/* a refused reload hurts nobody: the old settings again */
	assert_int_equal(offered(warden.site), ANSWER_OK);
	siblings_settle(&warden);
	has_settings(http, "https://one.example");
	has_settings(courier, "outgoing");
	assert_true(child_is_alive(&warden.siblings.http.child));
	assert_true(child_is_alive(&warden.siblings.courier.child));
	assert_false(is_readable(engine) || is_readable(auditor));
	/* the other policy, in force, has no channel: engine hears of it first */
	assert_int_equal(offered(site), ANSWER_REFUSED);
	siblings_settle(&warden);
	assert_int_equal(introduced(SIBLING_COURIER), -1);
	recorded(RECORD_ROLE_LOST);
	turn_for(300);
	assert_int_equal(warden.siblings.courier.child.pid, 0);
	assert_false(is_readable(engine));
	has_settings(http, "https://refuse.me");
	/* back to the old one: courier is started at once */
	assert_int_equal(offered(warden.site), ANSWER_OK);
	siblings_settle(&warden);
	has_settings(http, "https://one.example");
	recorded(RECORD_ROLE_START);
	close(courier);
	courier = introduced(SIBLING_COURIER);
	has_settings(courier, "outgoing");
	/* unwanted and wanted again before it has left */
	assert_int_equal(offered(site), ANSWER_REFUSED);
	siblings_settle(&warden);
	assert_int_equal(offered(warden.site), ANSWER_OK);
	siblings_settle(&warden);
	assert_int_equal(introduced(SIBLING_COURIER), -1);
	recorded(RECORD_ROLE_LOST);
	recorded(RECORD_ROLE_START);
	close(courier);
	courier = introduced(SIBLING_COURIER);
	has_settings(courier, "outgoing");
	site_free(site);
	close(http);
	close(courier);
}

static void lost_while_the_daemon_starts_is_the_end_of_the_start(void **state)
{
	(void)state;
	warden.phase = WARDEN_STARTING;
	tell_copies("die", true);
	(void)offer(warden.site);
	for (int i = 0; i < 5000 && !warden.lost.text[0]; i++) {
		uv_run(&warden.loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_non_null(strstr(warden.lost.text, ": status 7"));
	warden.lost.text[0] = '\0';
}

static void nonsense_is_a_loss(void **state)
{
	int http, courier;
	struct message message;

	(void)state;
	begin(&http, &courier);
	message_init(&message, MESSAGE_DRAIN);
	/* by its handler, as if it had come by the link */
	message.u.drain.cause = "";
	warden.siblings.courier.link.handler(&warden.siblings.courier.link, &message, 0);
	recorded(RECORD_ROLE_LOST);
	assert_int_equal(introduced(SIBLING_COURIER), -1);
	recorded(RECORD_ROLE_START);
	close(introduced(SIBLING_COURIER));
	close(http);
	close(courier);
}

static void the_nurserys_end_is_told(void **state)
{
	struct err_note note = {""};
	uint64_t serial;

	(void)state;
	assert_int_equal(kill(warden.nursery.child.pid, SIGKILL), 0);
	assert_int_equal(siblings_offer(&warden, warden.site, &serial, &note), -EPIPE);
	assert_non_null(strstr(note.text, "callgate-nursery does not answer"));
	assert_int_equal(serial, 0);
}

static void three_times_a_minute_then_once(void **state)
{
	uint64_t again[SIBLING_STARTS_MAX] = {0};

	(void)state;
	assert_true(sibling_delay(again, 1000) < 1000);
	assert_true(sibling_delay(again, 2000) < 1000);
	assert_true(sibling_delay(again, 3000) < 1000);
	assert_int_equal(sibling_delay(again, 4000), SIBLING_WINDOW_MS);
	/* a minute later it is tried, and again three times if it is lost again */
	assert_true(sibling_delay(again, 64000) < 1000);
	assert_true(sibling_delay(again, 64001) < 1000);
	assert_true(sibling_delay(again, 64002) < 1000);
	assert_int_equal(sibling_delay(again, 64003), SIBLING_WINDOW_MS);
	/* once every half minute is often, but no loop */
	memset(again, 0, sizeof(again));
	for (uint64_t now = 1000; now < 1000000; now += 30000)
		assert_true(sibling_delay(again, now) < 1000);
}

static int tests(void)
{
	const struct CMUnitTest list[] = {
	    cmocka_unit_test_setup_teardown(both_are_started_and_introduced, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_lost_one_comes_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		one_that_does_not_start_is_not_tried_for_ever, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		settings_that_are_refused_at_a_new_start_are_a_loss, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_reload_asks_and_one_that_is_unwanted_leaves, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		lost_while_the_daemon_starts_is_the_end_of_the_start, setup, teardown),
	    cmocka_unit_test_setup_teardown(nonsense_is_a_loss, setup, teardown),
	    cmocka_unit_test_setup_teardown(the_nurserys_end_is_told, setup, teardown),
	    cmocka_unit_test(three_times_a_minute_then_once),
	};

	return cmocka_run_group_tests(list, NULL, NULL);
}

int main(void)
{
	return copies_run(tests, stand_in);
}
