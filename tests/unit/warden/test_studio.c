/* The studio: the policy read, judged and written by the real callgate-policy; we are engine and
 * auditor. And the file itself: what is kept, what comes back, what is never overwritten. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>

#include "supervisor/base/clock.h"
#include "supervisor/base/fd.h"
#include "supervisor/evidence/record.h"
#include "supervisor/warden/studio_file.h"
#include "supervisor/warden/warden.h"
#include "tests/unit/warden/rig.h"

#define BEFORE                                                                                     \
	"# the first line\n"                                                                       \
	"server: {studio: {enabled: true}, socket: {path: run/s.sock}}\n"                          \
	"roles: {operator: {permissions: [policy:edit]}}\n"                                        \
	"namespaces: {default: {working_directory: ws}}\n"
#define AFTER                                                                                      \
	"roles: {operator: {permissions: [policy:edit, policy:read]}}\n"                           \
	"namespaces: {default: {working_directory: ws}}\n"
#define ROLE   "roles: {operator: {permissions: [policy:edit]}}\n"
#define TOOL   "tools: {look: {type: command, deny_by_default: true, allowed_commands: [ls]}}\n"
#define SERIAL 41

static struct rig rig;
static struct err_note note;
static struct warden warden;
static struct link_ends {
	int engine;
	int auditor;
} ends;

/* ---- what main.c is ------------------------------------------------------------------------- */

void warden_take_answer(struct warden *self, uint64_t serial, uint16_t status, const char *why)
{
	assert_int_equal(self->awaited.serial, serial);
	self->awaited.status = (enum answer_status)status;
	(void)err_note(&self->awaited.note, 0, "%s", why);
	if (self->reload)
		reload_answered(self);
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
	buf_reset(warnings);
}

/* ---- the rig -------------------------------------------------------------------------------- */

static int hear(int fd, struct message *message)
{
	static uint8_t bytes[MESSAGE_MAX];
	int fds[MESSAGE_FDS + 1];
	size_t count = 0;
	ssize_t len = fd_receive(fd, bytes, sizeof(bytes), fds, MESSAGE_FDS + 1, &count);

	assert_true(len > 0);
	return message_decode(message, bytes, (size_t)len, fds, count);
}

static void turn_until(struct pollfd *there)
{
	uint64_t until = clock_monotonic_us() + 30000000;

	while (poll(there, 1, 0) != 1) {
		assert_true(clock_monotonic_us() < until);
		uv_run(&warden.loop, UV_RUN_NOWAIT);
		usleep(500);
	}
}

/* Turns the loop until fd has something, and takes it. How to log is of no interest here. */
static void next(int fd, enum message_type type, struct message *ret)
{
	struct pollfd there = {.fd = fd, .events = POLLIN};

	for (;;) {
		turn_until(&there);
		assert_int_equal(hear(fd, ret), 0);
		if (ret->type != MESSAGE_LOGGER)
			break;
		message_fini(ret);
	}
	if (ret->type != type)
		fail_msg("%s instead of %s: %s", message_name(ret->type), message_name(type),
		    ret->type == MESSAGE_CONTROLLED ? ret->u.controlled.note : "");
}

static int open_link(struct link *link, link_handler *handler)
{
	int pair[2];

	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(link_open(link, &warden.loop, pair[0], "test", handler, &warden), 0);
	return pair[1];
}

static void load(void)
{
	struct tools_spec spec;

	warden.options.config = strdup(rig_path(&rig, "p.yaml"));
	if (warden_read_policy(&warden, &note))
		fail_msg("%s", note.text);
	if (site_read(warden.config, NULL, &warden.site, &note))
		fail_msg("%s", note.text);
	spec = reload_tools_spec(&warden);
	spec.breathe = NULL;
	if (tools_build(warden.config, &spec, &warden.tools, &note))
		fail_msg("%s", note.text);
	warden.config = NULL;
	warden.planner.tools = warden.tools;
}

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	rig_dir(&rig, "ws");
	rig_file(&rig, "p.yaml", BEFORE, 0640);
	memset(&warden, 0, sizeof(warden));
	note.text[0] = '\0';
	warden.user = (struct child_user){.uid = geteuid(), .gid = getegid()};
	warden.phase = WARDEN_READY;
	warden.notify = -1;
	warden.nursery.sock = warden.http_listener.fd = -1;
	cell_look(&warden.host);
	buf_init(&warden.warnings, CONFIG_REPORT_MAX);
	assert_int_equal(uv_loop_init(&warden.loop), 0);
	ends.engine = open_link(&warden.engine, on_engine);
	ends.auditor = open_link(&warden.auditor, on_auditor);
	if (state_open(&warden.state, rig_path(&rig, "state"), geteuid(), &note))
		fail_msg("%s", note.text);
	siblings_init(&warden);
	warden.launcher.loop = &warden.loop;
	warden.launcher.engine = &warden.engine;
	warden.launcher.auditor = &warden.auditor;
	load();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	reload_abort(&warden);
	studio_abort(&warden);
	link_close(&warden.engine);
	link_close(&warden.auditor);
	uv_close((uv_handle_t *)&warden.siblings.http.timer, NULL);
	uv_close((uv_handle_t *)&warden.siblings.courier.timer, NULL);
	while (uv_run(&warden.loop, UV_RUN_DEFAULT))
		;
	assert_int_equal(uv_loop_close(&warden.loop), 0);
	close(ends.engine);
	close(ends.auditor);
	site_free(warden.site);
	tools_free(warden.tools);
	holdings_fini(&warden.holdings);
	buf_fini(&warden.warnings);
	state_close(&warden.state);
	free((char *)warden.options.config);
	rig_remove(&rig);
	return 0;
}

static void ask(enum control_op op, const char *expected, const char *text)
{
	struct message message;

	message_init(&message, MESSAGE_CONTROL);
	message.serial = SERIAL;
	message.u.control.op = (uint16_t)op;
	message.u.control.by = "uid:1000";
	message.u.control.expected = expected;
	message.u.control.body = (struct bytes){.data = text, .len = strlen(text)};
	studio_begin(&warden, &message);
}

/* The answer that engine gets: its body, or the note of a refusal. Static: until the next one. */
static const char *answered(enum answer_status status)
{
	static char text[65536];
	struct message message;

	next(ends.engine, MESSAGE_CONTROLLED, &message);
	assert_int_equal(message.serial, SERIAL);
	if (message.u.controlled.status != status)
		fail_msg("%u: %s", message.u.controlled.status, message.u.controlled.note);
	if (status == ANSWER_OK)
		snprintf(text, sizeof(text), "%.*s", (int)message.u.controlled.body.len,
		    (const char *)message.u.controlled.body.data);
	else
		snprintf(text, sizeof(text), "%s", message.u.controlled.note);
	message_fini(&message);
	assert_null(warden.studio);
	return text;
}

static void says(const char *text, const char *expected)
{
	if (!strstr(text, expected))
		fail_msg("\"%s\" says nothing of \"%s\"", text, expected);
}

static char *version_of(const char *text, char ret[DIGEST_HEX_MAX])
{
	struct digest digest;

	assert_int_equal(digest_of(&digest, text, strlen(text)), 0);
	return digest_hex(ret, &digest);
}

static void file_is(const char *name, const char *expected)
{
	int fd = open(rig_path(&rig, name), O_RDONLY);
	char text[4096] = "";

	if (!expected) {
		assert_int_equal(fd, -1);
		return;
	}
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof(text) - 1) >= 0);
	close(fd);
	assert_string_equal(text, expected);
}

static char *file_text(const char *name)
{
	int fd = open(rig_path(&rig, name), O_RDONLY);
	char *text;
	size_t len;

	assert_int_equal(fd_read_all(fd, 65536, &text, &len), 0);
	close(fd);
	return text;
}

/* The steps of the reload: recorded, then taken by engine, which says this. */
static void reload_is(enum answer_status status, const char *why)
{
	struct message message;

	next(ends.auditor, MESSAGE_RECORD, &message);
	assert_int_equal(message.u.record.record, RECORD_POLICY_LOAD);
	warden_take_answer(&warden, message.serial, ANSWER_OK, "");
	message_fini(&message);
	next(ends.engine, MESSAGE_POLICY, &message);
	warden_take_answer(&warden, message.serial, (uint16_t)status, why);
	message_fini(&message);
}

/* ---- reading and looking -------------------------------------------------------------------- */

static void reading_leaves_the_server_out(void **state)
{
	char hex[DIGEST_HEX_MAX], expected[128];
	const char *body;

	(void)state;
	ask(CONTROL_CONFIG_READ, "", "");
	body = answered(ANSWER_OK);
	snprintf(expected, sizeof(expected), "\"version\":\"sha256:%s\"}", version_of(BEFORE, hex));
	says(body, expected);
	says(body, "{\"config\":\"");
	says(body, "# the first line\\n");
	says(body, "working_directory: ws");
	assert_null(strstr(body, "server"));
	assert_null(strstr(body, "studio"));
}

static void checking_compares_and_writes_nothing(void **state)
{
	char hex[DIGEST_HEX_MAX], expected[128];
	const char *body;

	(void)state;
	ask(CONTROL_CONFIG_CHECK, "", AFTER);
	body = answered(ANSWER_OK);
	says(body, "{\"difference\":{\"");
	says(body, "policy:read");
	says(body, "\"warnings\":[\"");
	snprintf(expected, sizeof(expected), "\"version\":\"sha256:%s\"}", version_of(BEFORE, hex));
	says(body, expected);
	file_is("p.yaml", BEFORE);
	file_is("p.yaml.0", NULL);
	file_is("p.yaml.1", NULL);
	assert_null(warden.reload);
}

static void what_a_load_refuses_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} wrong[] = {
	    {"nonsense: 1\n", "p.yaml:1:1: nonsense"},
	    {"server: {port: 1}\n" AFTER, "server configuration is immutable via studio API"},
	    {"\"server\": {}\n", "server configuration is immutable via studio API"},
	    {ROLE TOOL "namespaces: {default: {working_directory: gone}}\n", "gone"},
	    {ROLE TOOL "namespaces: {default: {working_directory: .}}\n", "holds the policy file"},
	    {"namespaces: {default: {working_directory: ws}}\n", "no role 'operator'"},
	    {"approvals: {channels: {ops: {type: standard, url: https://x.example/, "
	     "secret_env: T_NO_SUCH, roles: [operator]}}}\n" AFTER,
		"approvals.channels.ops: T_NO_SUCH is not set"},
	    {"[", "p.yaml:"},
	    {"", "p.yaml:"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		ask(i % 2 ? CONTROL_CONFIG_CHECK : CONTROL_CONFIG_WRITE, "", wrong[i].text);
		says(answered(ANSWER_REFUSED), wrong[i].why);
		file_is("p.yaml", BEFORE);
		file_is("p.yaml.0", NULL);
	}
	assert_string_equal(warden.lost.text, "");
}

static void with_the_studio_off_nobody_gets_in(void **state)
{
	(void)state;
	warden.tools->config->policy->http.studio = false;
	for (int op = CONTROL_CONFIG_READ; op <= CONTROL_CONFIG_WRITE; op++) {
		ask((enum control_op)op, "", AFTER);
		says(answered(ANSWER_REFUSED), "the studio is off");
	}
	file_is("p.yaml", BEFORE);
}

static void one_at_a_time(void **state)
{
	struct message message;

	(void)state;
	ask(CONTROL_CONFIG_CHECK, "", AFTER);
	ask(CONTROL_CONFIG_READ, "", "");
	next(ends.engine, MESSAGE_CONTROLLED, &message); /* the second one's */
	assert_int_equal(message.u.controlled.status, ANSWER_UNAVAILABLE);
	message_fini(&message);
	(void)answered(ANSWER_OK);
	/* and none while the daemon ends */
	warden.phase = WARDEN_DRAINING;
	ask(CONTROL_CONFIG_READ, "", "");
	(void)answered(ANSWER_UNAVAILABLE);
}

/* ---- writing -------------------------------------------------------------------------------- */

static void a_good_one_is_written_and_loaded(void **state)
{
	const struct digest before = warden.tools->config->version;
	char hex[DIGEST_HEX_MAX], expected[128], *text;
	struct stat st;

	(void)state;
	ask(CONTROL_CONFIG_WRITE, version_of(BEFORE, hex), AFTER);
	reload_is(ANSWER_OK, "");
	says(answered(ANSWER_OK), "policy:read");
	assert_false(digest_equal(&before, &warden.tools->config->version));
	text = file_text("p.yaml");
	says(text, "policy:read");
	says(text, "server: {studio: {enabled: true}, socket: {path: run/s.sock}}");
	file_is("p.yaml.1", BEFORE);
	file_is("p.yaml.0", NULL);
	file_is("p.yaml.new", NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(stat(rig_path(&rig, i ? "p.yaml.1" : "p.yaml"), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0640);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(st.st_uid, geteuid());
	}
	/* the version that it answered is that of the file, and good for the next edit */
	ask(CONTROL_CONFIG_READ, "", "");
	snprintf(expected, sizeof(expected), "sha256:%s", version_of(text, hex));
	says(answered(ANSWER_OK), expected);
	ask(CONTROL_CONFIG_WRITE, hex, AFTER "# again\n");
	reload_is(ANSWER_OK, "");
	says(answered(ANSWER_OK), "\"version\":\"sha256:");
	file_is("p.yaml.1", text);
	file_is("p.yaml.2", BEFORE);
	free(text);
}

static void a_reload_that_is_refused_brings_the_old_one_back(void **state)
{
	struct message message;

	(void)state;
	ask(CONTROL_CONFIG_WRITE, "", AFTER);
	reload_is(ANSWER_REFUSED, "engine does not like it");
	says(answered(ANSWER_REFUSED), "engine does not like it");
	file_is("p.yaml", BEFORE);
	file_is("p.yaml.0", NULL);
	file_is("p.yaml.1", NULL);
	next(ends.auditor, MESSAGE_RECORD, &message);
	assert_int_equal(message.u.record.record, RECORD_POLICY_REFUSED);
	message_fini(&message);
}

static void the_end_of_the_daemon_brings_the_old_one_back(void **state)
{
	struct message message;

	(void)state;
	ask(CONTROL_CONFIG_WRITE, "", AFTER);
	next(ends.auditor, MESSAGE_RECORD, &message); /* the reload is under way */
	message_fini(&message);
	warden.phase = WARDEN_DRAINING;
	reload_abort(&warden);
	studio_abort(&warden);
	file_is("p.yaml", BEFORE);
	file_is("p.yaml.0", NULL);
}

static void what_was_edited_by_hand_is_not_lost(void **state)
{
	char hex[DIGEST_HEX_MAX];

	(void)state;
	(void)version_of(BEFORE, hex);
	rig_file(&rig, "p.yaml", "# mine\n" BEFORE, 0640);
	ask(CONTROL_CONFIG_WRITE, hex, AFTER);
	says(answered(ANSWER_REFUSED), "changed meanwhile");
	file_is("p.yaml", "# mine\n" BEFORE);
	/* while it is judged */
	ask(CONTROL_CONFIG_WRITE, "", AFTER);
	rig_file(&rig, "mine", "# mine, too\n" BEFORE, 0640);
	assert_int_equal(rename(rig_path(&rig, "mine"), rig_path(&rig, "p.yaml")), 0);
	says(answered(ANSWER_REFUSED), "changed meanwhile");
	file_is("p.yaml", "# mine, too\n" BEFORE);
	file_is("p.yaml.0", NULL);
	file_is("p.yaml.new", NULL);
	ask(CONTROL_CONFIG_WRITE, "nonsense", AFTER);
	says(answered(ANSWER_REFUSED), "not 64 hexadecimal digits");
}

/* ---- the file ------------------------------------------------------------------------------- */

static void five_are_kept(void **state)
{
	char text[32], name[16];

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct studio_file file;

		assert_int_equal(studio_file_read(&file, rig_path(&rig, "p.yaml"), &note), 0);
		snprintf(text, sizeof(text), "# %d\n", i);
		assert_int_equal(studio_file_put(&file, text, strlen(text), &note), 0);
		assert_int_equal(studio_file_keep(&file), 0);
		studio_file_fini(&file);
	}
	file_is("p.yaml", "# 7\n");
	for (int i = 1; i <= STUDIO_KEPT; i++) {
		snprintf(text, sizeof(text), "# %d\n", 7 - i);
		snprintf(name, sizeof(name), "p.yaml.%d", i);
		file_is(name, text);
	}
	file_is("p.yaml.6", NULL);
}

static void links_in_the_way_are_not_followed(void **state)
{
	struct studio_file file;

	(void)state;
	rig_file(&rig, "precious", "precious", 0600);
	assert_int_equal(symlink("precious", rig_path(&rig, "p.yaml.0")), 0);
	assert_int_equal(symlink("precious", rig_path(&rig, "p.yaml.new")), 0);
	assert_int_equal(studio_file_read(&file, rig_path(&rig, "p.yaml"), &note), 0);
	assert_int_equal(studio_file_put(&file, "x", 1, &note), 0);
	file_is("precious", "precious");
	file_is("p.yaml.0", BEFORE);
	file_is("p.yaml", "x");
	assert_int_equal(studio_file_restore(&file, &note), 0);
	file_is("p.yaml", BEFORE);
	studio_file_fini(&file);
	/* the policy itself may be a link: what it leads to is what is written */
	assert_int_equal(symlink("p.yaml", rig_path(&rig, "link.yaml")), 0);
	assert_int_equal(studio_file_read(&file, rig_path(&rig, "link.yaml"), &note), 0);
	assert_string_equal(file.name, "p.yaml");
	assert_int_equal(studio_file_put(&file, "y", 1, &note), 0);
	assert_int_equal(studio_file_keep(&file), 0);
	file_is("p.yaml", "y");
	file_is("link.yaml", "y");
	studio_file_fini(&file);
}

static void a_folder_that_is_closed_is_told(void **state)
{
	struct studio_file file;

	(void)state;
	if (geteuid() == 0) { /* a directory where the file should go stops root, too */
		rig_dir(&rig, "p.yaml.0");
	} else {
		assert_int_equal(chmod(rig.path, 0500), 0);
	}
	assert_int_equal(studio_file_read(&file, rig_path(&rig, "p.yaml"), &note), 0);
	assert_true(studio_file_put(&file, "x", 1, &note) < 0);
	says(note.text, "p.yaml: cannot be written: ");
	assert_int_equal(chmod(rig.path, 0700), 0);
	file_is("p.yaml", BEFORE);
	studio_file_fini(&file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(reading_leaves_the_server_out, setup, teardown),
	    cmocka_unit_test_setup_teardown(checking_compares_and_writes_nothing, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_a_load_refuses_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(with_the_studio_off_nobody_gets_in, setup, teardown),
	    cmocka_unit_test_setup_teardown(one_at_a_time, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_good_one_is_written_and_loaded, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_reload_that_is_refused_brings_the_old_one_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		the_end_of_the_daemon_brings_the_old_one_back, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_was_edited_by_hand_is_not_lost, setup, teardown),
	    cmocka_unit_test_setup_teardown(five_are_kept, setup, teardown),
	    cmocka_unit_test_setup_teardown(links_in_the_way_are_not_followed, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_folder_that_is_closed_is_told, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
