/* Sockets of a service manager: which is which, and what is no use. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "supervisor/warden/handed.h"
#include "supervisor/warden/listen_http.h"
#include "tests/unit/warden/rig.h"

static struct rig rig;

static int setup(void **state)
{
	(void)state;
	rig_make(&rig);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rig_remove(&rig);
	return 0;
}

/* 'u' a listening Unix socket, 't' TCP, 'v' TCP over IPv6, 'i' one that does not listen, 'd' one
 * for datagrams, 'f' a file. */
static int make(char kind, int number)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	const struct sockaddr_in v4 = {.sin_family = AF_INET};
	const struct sockaddr_in6 v6 = {
	    .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int family = kind == 't' ? AF_INET : kind == 'v' ? AF_INET6 : AF_UNIX;
	int fd;

	if (kind == 'f')
		return open("/dev/null", O_RDWR);
	fd = socket(family, kind == 'd' ? SOCK_DGRAM : SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/s%d", rig.path, number);
	if (fd < 0 || bind(fd,
			  kind == 't'   ? (const struct sockaddr *)&v4
			  : kind == 'v' ? (const struct sockaddr *)&v6
					: (const struct sockaddr *)&at,
			  kind == 't'   ? sizeof(v4)
			  : kind == 'v' ? sizeof(v6)
					: sizeof(at)) < 0)
		return -1;
	return strchr("utv", kind) && listen(fd, 1) < 0 ? -1 : fd;
}

/* In a child, whose descriptors 3 and 4 they become. 100: the rig broke; else 10 * rpc + http, 0
 * for none; 99: refused with a note that says expected. */
static int found(const char *kinds, const char *names, const char *count, const char *expected)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err_note note = {""};
		struct handed handed;
		char own[16];
		int fds[3] = {-1, -1, -1};

		for (size_t i = 0; kinds[i]; i++) {
			int fd = make(kinds[i], (int)i);

			fds[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD, 20);
			if (fds[i] < 0)
				_exit(100);
			close(fd);
		}
		for (size_t i = 0; kinds[i]; i++)
			if (dup2(fds[i], 3 + (int)i) < 0)
				_exit(100);
		snprintf(own, sizeof(own), "%d", (int)getpid());
		setenv("LISTEN_PID", own, 1);
		setenv("LISTEN_FDS", count, 1);
		if (names)
			setenv("LISTEN_FDNAMES", names, 1);
		if (handed_find(&handed, &note))
			_exit(strstr(note.text, expected) ? 99 : 98);
		for (int i = 0; kinds[i]; i++)
			if (!(fcntl(3 + i, F_GETFD) & FD_CLOEXEC) ||
			    !(fcntl(3 + i, F_GETFL) & O_NONBLOCK))
				_exit(97);
		_exit(10 * (handed.rpc < 0 ? 0 : handed.rpc) + (handed.http < 0 ? 0 : handed.http));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	for (int i = 0; i < 3; i++) {
		char name[8];

		snprintf(name, sizeof(name), "s%d", i);
		(void)unlink(rig_path(&rig, name)); /* where there is one */
	}
	return WEXITSTATUS(status);
}

static void names_decide_and_else_the_kind(void **state)
{
	(void)state;
	assert_int_equal(found("u", NULL, "1", ""), 30);
	assert_int_equal(found("u", "callgate.socket", "1", ""), 30);
	assert_int_equal(found("t", NULL, "1", ""), 3);
	assert_int_equal(found("ut", NULL, "2", ""), 34);
	assert_int_equal(found("tu", NULL, "2", ""), 43);
	assert_int_equal(found("uv", "a:b", "2", ""), 34);
	assert_int_equal(found("uu", "http:rpc", "2", ""), 43);
	assert_int_equal(found("uu", "rpc:http", "2", ""), 34);
	assert_int_equal(found("uu", ":http", "2", ""), 34);
	assert_int_equal(found("ut", "rpc", "2", ""), 34);
	assert_int_equal(found("", NULL, "0", ""), 0);
}

static void what_is_no_use_is_refused(void **state)
{
	static const char *const no_use = "the service manager's socket is not";

	(void)state;
	assert_int_equal(found("i", NULL, "1", no_use), 99);
	assert_int_equal(found("d", NULL, "1", no_use), 99);
	assert_int_equal(found("f", NULL, "1", no_use), 99);
	assert_int_equal(found("f", "http", "1", no_use), 99);
	assert_int_equal(found("t", "rpc", "1", "\"rpc\" wants ListenStream="), 99);
	assert_int_equal(found("uu", NULL, "2", "not the only one for JSON-RPC"), 99);
	assert_int_equal(found("tv", NULL, "2", "not the only one for HTTP"), 99);
	assert_int_equal(found("tu", "http:http", "2", "not the only one for HTTP"), 99);
	assert_int_equal(found("utt", NULL, "3", "at most two"), 99);
	assert_int_equal(found("u", NULL, "x", "LISTEN_FDS=x"), 99);
	assert_int_equal(found("u", NULL, "-1", "LISTEN_FDS=-1"), 99);
}

static void what_is_for_another_process_is_not_ours(void **state)
{
	struct err_note note = {""};
	struct handed handed = {.rpc = 7, .http = 7};

	(void)state;
	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "2", 1);
	assert_int_equal(handed_find(&handed, &note), 0);
	assert_int_equal(handed.rpc, -1);
	assert_int_equal(handed.http, -1);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
}

/* ---- the listener that we make ourselves ---------------------------------------------------- */

static struct config *config;
static struct err_note note;

static const struct policy *with(const char *listen, uint64_t port)
{
	config_free(config);
	config = rig_config(&rig, "version: 1\nserver: {socket: {mode: \"0660\"}}\n");
	config->policy->http.listen = listen;
	config->policy->http.port = port;
	config->policy->http.port_pos = (struct policy_pos){2, 10};
	note.text[0] = '\0';
	return config->policy;
}

static void says(const char *text)
{
	if (!strstr(note.text, text))
		fail_msg("\"%s\" says nothing of \"%s\"", note.text, text);
}

static void no_http_is_no_listener(void **state)
{
	struct listener listener;

	(void)state;
	assert_int_equal(listen_http_check(with(NULL, 0), rig.path, false, &note), 0);
	assert_int_equal(listen_http_open(config->policy, rig.path, &listener, &note), 0);
	assert_int_equal(listener.fd, -1);
	config_free(config);
	config = NULL;
}

static void a_port_is_taken_once(void **state)
{
	struct listener first, second;
	char name[LISTEN_NAME_MAX];
	uint64_t port;
	int fd;

	(void)state;
	/* any free one, found by the kernel */
	fd = make('t', 0);
	{
		struct sockaddr_in at;
		socklen_t len = sizeof(at);

		assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
		port = ntohs(at.sin_port);
	}
	assert_int_equal(listen_http_check(with(NULL, port), rig.path, false, &note), -EADDRINUSE);
	says("p.yaml:2:10: server.port: port ");
	says("another program listens there");
	assert_int_equal(listen_http_check(with(NULL, port), rig.path, true, &note), 0);
	close(fd);
	assert_int_equal(listen_http_check(with(NULL, port), rig.path, false, &note), 0);
	assert_int_equal(listen_http_open(config->policy, rig.path, &first, &note), 0);
	assert_true(fcntl(first.fd, F_GETFL) & O_NONBLOCK);
	assert_string_equal(first.path, "");
	listen_http_name(&first, name);
	assert_int_equal(strncmp(name, "127.0.0.1:", 10), 0);
	listen_http_address(&first, name);
	assert_string_equal(name, "127.0.0.1");
	assert_int_equal(listen_http_open(config->policy, rig.path, &second, &note), -EADDRINUSE);
	listen_close(&first);
	assert_int_equal(listen_http_open(config->policy, rig.path, &first, &note), 0);
	listen_close(&first);
	config_free(config);
	config = NULL;
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const wrong[] = {
	    "localhost", "1.2.3", "[::1", "::1]", "[]", "1.2.3.4 ", "[1.2.3.4]", "fe80::1%lo"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(
		    listen_http_check(with(wrong[i], 8700), rig.path, false, &note), -EINVAL);
		says("is no address; write an IPv4 or IPv6 address");
	}
	assert_int_equal(
	    listen_http_check(with("192.0.2.1", 8700), rig.path, false, &note), -EADDRNOTAVAIL);
	says("is no address of this machine");
	assert_int_equal(listen_http_check(with(NULL, 65536), rig.path, false, &note), -EINVAL);
	config_free(config);
	config = NULL;
}

static void a_path_is_a_unix_socket_with_the_other_ones_mode(void **state)
{
	struct listener listener;
	char name[LISTEN_NAME_MAX];
	struct stat st;

	(void)state;
	assert_int_equal(listen_http_check(with("./run/http.sock", 0), rig.path, false, &note), 0);
	assert_int_equal(listen_http_open(config->policy, rig.path, &listener, &note), 0);
	assert_int_equal(stat(rig_path(&rig, "run/http.sock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	listen_http_name(&listener, name);
	assert_non_null(strstr(name, "/run/http.sock"));
	assert_int_equal(listen_http_check(config->policy, rig.path, false, &note), 0);
	listen_close(&listener);
	assert_int_equal(stat(rig_path(&rig, "run/http.sock"), &st), -1);
	rig_file(&rig, "run/http.sock", "", 0600);
	assert_int_equal(listen_http_check(config->policy, rig.path, false, &note), -EEXIST);
	says("p.yaml:2:10: server.listen ");
	says("is there and is not a socket of ours");
	config_free(config);
	config = NULL;
}

/* As an ordinary user: a low port is not his. */
static void a_low_port_is_not_an_ordinary_users(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		const struct policy *policy = with(NULL, 81);
		int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY);
		char text[16] = "";

		if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
			_exit(3);
		if (geteuid() == 0 &&
		    (setresgid(54321, 54321, 54321) || setresuid(54321, 54321, 54321)))
			_exit(3);
		if (atoi(text) <= 81) /* here it is everybody's */
			_exit(listen_http_check(policy, rig.path, false, &note) == -EACCES);
		if (listen_http_check(policy, rig.path, false, &note) != -EACCES)
			_exit(1);
		_exit(strstr(note.text, "may not take a port below 1024") ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(names_decide_and_else_the_kind, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_no_use_is_refused, setup, teardown),
	    cmocka_unit_test(what_is_for_another_process_is_not_ours),
	    cmocka_unit_test_setup_teardown(no_http_is_no_listener, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_port_is_taken_once, setup, teardown),
	    cmocka_unit_test_setup_teardown(what_is_no_address_is_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		a_path_is_a_unix_socket_with_the_other_ones_mode, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_low_port_is_not_an_ordinary_users, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
