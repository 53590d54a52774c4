#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/base/fd.h"

static uid_t pretended; /* 0: nobody pretends */

/* An ordinary user cannot make a link of somebody else's, but can be somebody else himself. */
uid_t geteuid(void)
{
	return pretended ? pretended : getuid();
}

static void make_foreign(const char *link)
{
	if (lchown(link, 12345, 12345) < 0)
		pretended = 12345;
}

static int setup_folder(void **state)
{
	char *folder = strdup("/tmp/callgate-fd-XXXXXX");

	pretended = 0;
	*state = folder;
	return mkdtemp(folder) ? 0 : -1;
}

/* The tests leave one level of known names behind; this takes them away. */
static int teardown_folder(void **state)
{
	static const char *const names[] = {
	    "file", "link", "loop", "a/b/c", "a/b", "a", "x/y", "x"};
	char path[256];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", (char *)*state, names[i]);
		if (unlink(path) < 0)
			(void)rmdir(path);
	}
	assert_int_equal(rmdir(*state), 0); /* fails when a temporary file was left */
	free(*state);
	return 0;
}

static const char *in_folder(void **state, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", (char *)*state, name);
	return path;
}

static int open_count(void)
{
	int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void sealed_memory_is_final(void **state)
{
	int fd = fd_sealed("test", "hello", 5), before = open_count();
	const void *bytes;
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 1), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(fd_map_sealed(fd, 4, &bytes, &len), -EFBIG);
	assert_int_equal(fd_map_sealed(fd, 5, &bytes, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(bytes, "hello", 5);
	fd_unmap(bytes, len);
	assert_int_equal(open_count(), before);
	close(fd);
}

static void sealed_empty_maps(void **state)
{
	int fd = fd_sealed("test", NULL, 0);
	const void *bytes = NULL;
	size_t len = 9;

	(void)state;
	assert_int_equal(fd_map_sealed(fd, 0, &bytes, &len), 0);
	assert_non_null(bytes);
	assert_int_equal(len, 0);
	fd_unmap(bytes, len);
	fd_unmap(NULL, 0);
	close(fd);
}

static void unsealed_is_refused(void **state)
{
	static const int partial[] = {0, F_SEAL_WRITE, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW};
	const void *bytes = NULL;
	size_t len;
	int fd, pair[2];

	for (size_t i = 0; i < sizeof(partial) / sizeof(partial[0]); i++) {
		fd = memfd_create("test", MFD_ALLOW_SEALING);
		assert_int_equal(fcntl(fd, F_ADD_SEALS, partial[i]), 0);
		assert_int_equal(fd_map_sealed(fd, 100, &bytes, &len), -EPERM);
		close(fd);
	}
	fd = open(in_folder(state, "file"), O_RDWR | O_CREAT, 0600);
	assert_int_equal(fd_map_sealed(fd, 100, &bytes, &len), -EPERM);
	close(fd);
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(fd_map_sealed(pair[0], 100, &bytes, &len), -EPERM);
	close(pair[0]);
	close(pair[1]);
	assert_int_equal(fd_map_sealed(-1, 100, &bytes, &len), -EBADF);
	assert_null(bytes);
}

static void seal_closes_an_open_memfd(void **state)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);
	const void *bytes;
	size_t len;

	(void)state;
	assert_int_equal(fd_write_all(fd, "abc", 3), 0);
	assert_int_equal(fd_seal(fd), 0);
	assert_int_equal(fd_seal(fd), -EPERM);
	assert_int_equal(fd_map_sealed(fd, 3, &bytes, &len), 0);
	fd_unmap(bytes, len);
	close(fd);
}

static void move_gives_the_number_and_clears_cloexec(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), old = fd;

	(void)state;
	assert_int_equal(fd_move(&fd, 200), 0);
	assert_int_equal(fd, 200);
	assert_int_equal(fcntl(old, F_GETFD), -1);
	assert_int_equal(fcntl(200, F_GETFD), 0);
	assert_int_equal(fcntl(200, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(fd_move(&fd, 200), 0); /* already there */
	assert_int_equal(fcntl(200, F_GETFD), 0);
	close(fd);
	fd = -1;
	assert_int_equal(fd_move(&fd, 201), -EBADF);
	assert_int_equal(fd, -1);
}

static void close_from_closes_all_above(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	if (child == 0) {
		int low = dup(2), high = fcntl(2, F_DUPFD, 300);

		if (fd_close_from((unsigned)low + 1) < 0)
			_exit(1);
		_exit(fcntl(low, F_GETFD) < 0 || fcntl(high, F_GETFD) >= 0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void read_all_stops_at_max(void **state)
{
	int fd = open(in_folder(state, "file"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	char *bytes = NULL;
	size_t len;

	assert_int_equal(fd_read_all(fd, 10, &bytes, &len), 0);
	assert_int_equal(len, 0);
	assert_string_equal(bytes, "");
	free(bytes);
	assert_int_equal(fd_write_all(fd, "0123456789", 10), 0); /* the offset is at the end now */
	assert_int_equal(fd_read_all(fd, 10, &bytes, &len), 0);
	assert_int_equal(len, 10);
	assert_string_equal(bytes, "0123456789");
	free(bytes);
	bytes = NULL;
	assert_int_equal(fd_read_all(fd, 9, &bytes, &len), -EFBIG);
	assert_null(bytes);
	close(fd);
}

static void read_all_reads_files_of_unknown_size(void **state)
{
	int fd = open("/proc/self/status", O_RDONLY);
	char *bytes;
	size_t len;

	(void)state;
	assert_int_equal(fd_read_all(fd, 100000, &bytes, &len), 0);
	assert_true(len > 100 && strlen(bytes) == len);
	free(bytes);
	assert_int_equal(fd_read_all(fd, 100, &bytes, &len), -EFBIG);
	close(fd);
}

static void read_all_refuses_what_is_no_file(void **state)
{
	int pipe_fds[2], folder = open(*state, O_RDONLY | O_DIRECTORY);
	char *bytes = NULL;
	size_t len;

	assert_int_equal(pipe(pipe_fds), 0);
	assert_int_equal(fd_read_all(pipe_fds[0], 10, &bytes, &len), -EINVAL);
	assert_int_equal(fd_read_all(folder, 10, &bytes, &len), -EISDIR);
	assert_int_equal(fd_read_all(-1, 10, &bytes, &len), -EBADF);
	assert_null(bytes);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	close(folder);
}

static void write_file_replaces_whole(void **state)
{
	int folder = fd_make_dirs(*state, 0700);
	char *bytes;
	size_t len;
	struct stat st;
	mode_t old = umask(0077);
	int fd;

	assert_true(folder >= 0);
	assert_int_equal(fd_write_file_at(folder, "file", 0644, "first version", 13), 0);
	assert_int_equal(fd_write_file_at(folder, "file", 0640, "second", 6), 0);
	umask(old);
	assert_int_equal(stat(in_folder(state, "file"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640); /* whatever the umask */
	fd = open(in_folder(state, "file"), O_RDONLY);
	assert_int_equal(fd_read_all(fd, 100, &bytes, &len), 0);
	assert_string_equal(bytes, "second");
	free(bytes);
	close(fd);
	assert_int_equal(fd_write_file_at(folder, "a/b", 0600, "", 0), -EINVAL);
	assert_int_equal(fd_write_file_at(folder, "", 0600, "", 0), -EINVAL);
	assert_int_equal(fd_write_file_at(-1, "file", 0600, "", 0), -EBADF);
	close(folder);
}

static void write_file_does_not_follow_a_link(void **state)
{
	int folder = fd_make_dirs(*state, 0700);
	struct stat st;

	assert_int_equal(symlink("/etc/hostname-not-written", in_folder(state, "link")), 0);
	assert_int_equal(fd_write_file_at(folder, "link", 0600, "x", 1), 0);
	assert_int_equal(lstat(in_folder(state, "link"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(access("/etc/hostname-not-written", F_OK), -1);
	close(folder);
}

static void write_failure_leaves_the_old_file(void **state)
{
	int folder = fd_make_dirs(*state, 0700);

	assert_int_equal(mkdir(in_folder(state, "x"), 0700), 0);
	assert_int_equal(fd_write_file_at(folder, "x", 0600, "x", 1), -EISDIR);
	close(folder); /* teardown sees whether the temporary file is gone */
}

static void make_dirs_makes_the_missing(void **state)
{
	int fd = fd_make_dirs(in_folder(state, "a//./b/c/"), 0700);
	struct stat st, same;

	assert_true(fd >= 0);
	assert_int_equal(stat(in_folder(state, "a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(fstat(fd, &same), 0);
	assert_true(st.st_ino == same.st_ino);
	assert_true(fcntl(fd, F_GETFL) & O_PATH);
	close(fd);
	fd = fd_make_dirs(in_folder(state, "a/b/../b/c"), 0700);
	assert_int_equal(fstat(fd, &same), 0);
	assert_true(st.st_ino == same.st_ino);
	close(fd);
	fd = fd_make_dirs("/", 0700);
	assert_true(fd >= 0);
	close(fd);
}

static void make_dirs_follows_own_links_only(void **state)
{
	struct stat st;
	int fd;

	assert_int_equal(mkdir(in_folder(state, "a"), 0700), 0);
	assert_int_equal(symlink("a", in_folder(state, "link")), 0);
	fd = fd_make_dirs(in_folder(state, "link/b"), 0700);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(stat(in_folder(state, "a/b"), &st), 0);
	assert_int_equal(symlink("loop", in_folder(state, "loop")), 0);
	assert_int_equal(fd_make_dirs(in_folder(state, "loop/b"), 0700), -ELOOP);
	make_foreign(in_folder(state, "link"));
	assert_int_equal(fd_make_dirs(in_folder(state, "link/b"), 0700), -ELOOP);
	assert_int_equal(fd_make_dirs(in_folder(state, "link"), 0700), -ELOOP);
}

/* A link of our own that leads over a link of somebody else's is no way around. */
static void make_dirs_judges_every_link_of_a_chain(void **state)
{
	char target[256];

	assert_int_equal(mkdir(in_folder(state, "a"), 0700), 0);
	assert_int_equal(symlink("a", in_folder(state, "loop")), 0);
	make_foreign(in_folder(state, "loop"));
	snprintf(target, sizeof(target), "%s/loop", (char *)*state);
	assert_int_equal(symlink(target, in_folder(state, "link")), 0);
	assert_int_equal(fd_make_dirs(in_folder(state, "link/b"), 0700), -ELOOP);
}

static void make_dirs_refuses(void **state)
{
	char path[5000];
	int before = open_count();

	close(open(in_folder(state, "file"), O_RDWR | O_CREAT, 0600));
	assert_int_equal(fd_make_dirs(in_folder(state, "file/b"), 0700), -ENOTDIR);
	assert_int_equal(fd_make_dirs("", 0700), -ENOENT);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(fd_make_dirs(path, 0700), -ENAMETOOLONG);
	path[400] = '\0';
	assert_int_equal(fd_make_dirs(path, 0700), -ENAMETOOLONG);
	assert_int_equal(open_count(), before);
}

static void descriptors_travel_with_their_message(void **state)
{
	int pair[2], fds[4], count = open_count();
	size_t fd_count = 0;
	char bytes[16];

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	assert_int_equal(fd_send(pair[0], "one", 3, (int[]){0, 1}, 2), 0);
	assert_int_equal(fd_send(pair[0], "two", 3, NULL, 0), 0);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 4, &fd_count), 3);
	assert_int_equal(fd_count, 2);
	assert_memory_equal(bytes, "one", 3);
	assert_true(fcntl(fds[0], F_GETFD) & FD_CLOEXEC);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 4, &fd_count), 3);
	assert_int_equal(fd_count, 0);
	assert_int_equal(fd_send(pair[0], "", 0, NULL, 0), -EINVAL);
	close(pair[0]);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 4, &fd_count), 0);
	assert_int_equal(fd_send(pair[1], "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
	close(pair[1]);
	assert_int_equal(open_count(), count);
}

static void what_does_not_fit_is_closed(void **state)
{
	int pair[2], fds[FD_PASS_MAX], many[FD_PASS_MAX], before;
	size_t fd_count = 55;
	char bytes[16];

	(void)state;
	assert_int_equal(fd_pair(pair), 0);
	for (size_t i = 0; i < FD_PASS_MAX; i++)
		many[i] = 2;
	before = open_count();
	assert_int_equal(fd_send(pair[0], "x", 1, many, FD_PASS_MAX), 0);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 3, &fd_count), -EMSGSIZE);
	assert_int_equal(fd_send(pair[0], "longer than sixteen", 19, many, 2), 0);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 3, &fd_count), -EMSGSIZE);
	assert_int_equal(fd_count, 55);
	assert_int_equal(open_count(), before);
	assert_int_equal(fd_send(pair[0], "x", 1, many, FD_PASS_MAX + 1), -EINVAL);
	assert_int_equal(fd_set_nonblocking(pair[1]), 0);
	assert_int_equal(fd_receive(pair[1], bytes, sizeof(bytes), fds, 3, &fd_count), -EAGAIN);
	close(pair[0]);
	close(pair[1]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown_folder)

static rlim_t allowed(void)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	return limit.rlim_cur;
}

static void limit_rises_and_stays(void **state)
{
	struct rlimit before, low;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	low = before;
	low.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	assert_int_equal(fd_allow(128), 0);
	assert_int_equal(allowed(), 128);
	assert_int_equal(fd_allow(100), 0);
	assert_int_equal(allowed(), 128);
	assert_int_equal(fd_allow(UINT64_MAX), 0);
	assert_true(allowed() == before.rlim_max);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sealed_memory_is_final),
	    cmocka_unit_test(sealed_empty_maps),
	    IN_FOLDER(unsealed_is_refused),
	    cmocka_unit_test(seal_closes_an_open_memfd),
	    cmocka_unit_test(move_gives_the_number_and_clears_cloexec),
	    cmocka_unit_test(close_from_closes_all_above),
	    IN_FOLDER(read_all_stops_at_max),
	    cmocka_unit_test(read_all_reads_files_of_unknown_size),
	    IN_FOLDER(read_all_refuses_what_is_no_file),
	    IN_FOLDER(write_file_replaces_whole),
	    IN_FOLDER(write_file_does_not_follow_a_link),
	    IN_FOLDER(write_failure_leaves_the_old_file),
	    IN_FOLDER(make_dirs_makes_the_missing),
	    IN_FOLDER(make_dirs_follows_own_links_only),
	    IN_FOLDER(make_dirs_judges_every_link_of_a_chain),
	    IN_FOLDER(make_dirs_refuses),
	    cmocka_unit_test(descriptors_travel_with_their_message),
	    cmocka_unit_test(what_does_not_fit_is_closed),
	    cmocka_unit_test(limit_rises_and_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
