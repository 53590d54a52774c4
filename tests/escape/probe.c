/*
 * One attack per verb, from inside a cell. Exit 0: the wall held, 1: it did not (errno on stderr),
 * 2: no such verb. A verb looks at one wall: where two stand in the way, the other one would answer
 * with another errno. Static: it needs no library of the cell. Facts of the outside (namespace
 * numbers, budgets) are in its environment.
 */
#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELD     0
#define BREACHED 1
#define X32_BIT  0x40000000L

static int verdict(bool held, const char *what)
{
	if (!held)
		fprintf(stderr, "breached: %s: %s\n", what, errno ? strerror(errno) : "no error");
	return held ? HELD : BREACHED;
}

static uint64_t number(const char *name)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : 0;
}

/* ---- one system call, one expected errno ----------------------------------------------------- */

#define PTR(p)  ((long)(p))
#define WS_FILE "f" /* made by main() in the working directory */
#define NONE    "none"

#define GATE    3 /* of cells that have one */

static int pair[2]; /* what a call that should not have given a pair leaves */

#include "probe_table.h"

static int one_call(const struct call *call)
{
	const long *a = call->args;
	long r;

	errno = 0;
	r = syscall(call->nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (r == 0 && call->nr == SYS_clone)
		_exit(BREACHED); /* the clone itself */
	return verdict(r < 0 && errno == call->expect, call->verb);
}

/* Calls that no filter author has heard of yet. */
static int future_calls(void)
{
	for (long nr = 470; nr < 520; nr++)
		if (syscall(nr, -1, -1, -1, -1, -1, -1) >= 0 || errno != ENOSYS)
			return verdict(false, "a call above the table");
	return HELD;
}

/* In a child: the right answer is death by SIGSYS. */
static int dies_of_sigsys(void (*attack)(void), const char *what)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		attack();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return verdict(false, "fork");
	errno = 0;
	return verdict(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, what);
}

#ifdef __x86_64__
static void attack_x32(void)
{
	(void)syscall(X32_BIT | SYS_getpid);
}

static void attack_int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory");
	(void)r;
}

static int verb_x32(void)
{
	return dies_of_sigsys(attack_x32, "x32 call number");
}

static int verb_int80(void)
{
	return dies_of_sigsys(attack_int80, "i386 call");
}
#endif

/* ---- namespaces ------------------------------------------------------------------------------ */

static int other_namespace(const char *kind)
{
	char path[64], variable[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	snprintf(variable, sizeof(variable), "NS_%s", kind);
	if (stat(path, &st) < 0)
		return verdict(false, path);
	errno = 0;
	return verdict(number(variable) != 0 && st.st_ino != number(variable), path);
}

static int verb_ns_user(void)
{
	return other_namespace("user");
}

static int verb_ns_mnt(void)
{
	return other_namespace("mnt");
}

static int verb_ns_pid(void)
{
	return other_namespace("pid");
}

static int verb_ns_net(void)
{
	return other_namespace("net");
}

static int verb_ns_ipc(void)
{
	return other_namespace("ipc");
}

static int verb_ns_uts(void)
{
	return other_namespace("uts");
}

static int verb_ns_cgroup(void)
{
	return other_namespace("cgroup");
}

/* /proc of a cell shows processes; the rest of it speaks of the host. */
static int verb_proc_facts(void)
{
	static const char *const facts[] = {"/proc/cmdline", "/proc/kallsyms", "/proc/iomem",
	    "/proc/diskstats", "/proc/modules", "/proc/sys", "/proc/sys/kernel/core_pattern",
	    "/proc/fs", "/proc/bus", "/proc/keys"};

	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (open(facts[i], O_RDONLY) >= 0 || errno != ENOENT)
			return verdict(false, facts[i]);
	return HELD;
}

static int verb_pid_one(void)
{
	return verdict(getppid() == 1, "the parent is not this namespace's init");
}

static int verb_loopback_down(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		return verdict(false, "lo");
	return verdict(!(request.ifr_flags & IFF_UP), "lo is up");
}

static int verb_hostname(void)
{
	char name[65] = "";

	gethostname(name, sizeof(name) - 1);
	return verdict(strcmp(name, "callgate") == 0, "the host's name");
}

/* ---- files ----------------------------------------------------------------------------------- */

/* stat is not Landlock's: only another root hides names. */
static int verb_root_hidden(void)
{
	static const char *const hidden[] = {"/etc/shadow", "/etc/ssl/private", "/root", "/home",
	    "/sys", "/boot", "/dev/mem", "/dev/kmsg", "/dev/tty", "/dev/vda", "/dev/fuse",
	    "/dev/kvm", "/dev/pts", "/run/systemd", "/var/lib", "/etc/resolv.conf"};
	struct stat st;

	for (unsigned i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (lstat(hidden[i], &st) == 0)
			return errno = 0, verdict(false, hidden[i]);
	return HELD;
}

/* EROFS comes before Landlock is asked. */
static int read_only(const char *path)
{
	return verdict(mkdir(path, 0755) < 0 && errno == EROFS, path);
}

static int verb_root_read_only(void)
{
	return read_only("/x") || read_only("/usr/x") || read_only("/etc/x") || read_only("/dev/x");
}

static int verb_mount_flags(void)
{
	struct statvfs usr, tmp, shm;

	if (statvfs("/usr", &usr) < 0 || statvfs("/tmp", &tmp) < 0 || statvfs("/dev/shm", &shm) < 0)
		return verdict(false, "statvfs");
	errno = 0;
	return verdict((usr.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV)) ==
			       (ST_RDONLY | ST_NOSUID | ST_NODEV) &&
			   (tmp.f_flag & shm.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) ==
			       (ST_NOSUID | ST_NODEV | ST_NOEXEC),
	    "mount flags");
}

static int verb_workspace_flags(void)
{
	struct statvfs ws;

	if (statvfs(".", &ws) < 0)
		return verdict(false, "statvfs");
	errno = 0;
	return verdict(
	    (ws.f_flag & (ST_NOSUID | ST_NODEV | ST_NOEXEC)) == (ST_NOSUID | ST_NODEV | ST_NOEXEC),
	    "workspace flags");
}

static int verb_proc(void)
{
	char self[16] = "";
	struct statvfs proc;
	unsigned others = 0;
	const struct dirent *entry;
	DIR *dir = opendir("/proc");

	if (!dir || statvfs("/proc", &proc) < 0 ||
	    readlink("/proc/self", self, sizeof(self) - 1) < 1)
		return verdict(false, "/proc");
	while ((entry = readdir(dir)))
		others += atol(entry->d_name) > 2;
	errno = 0;
	return verdict(others == 0 && atol(self) == getpid() && (proc.f_flag & ST_RDONLY),
	    "processes of others are seen");
}

static int verb_landlock_root(void)
{
	return verdict(open("/", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES, "read of /");
}

static int verb_landlock_usr(void)
{
	return verdict(
	    open("/usr/bin", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES, "read of /usr/bin");
}

/* Two walls: the mount is read-only, and Landlock grants no write below /proc. */
static int verb_proc_write(void)
{
	return verdict(open("/proc/self/mem", O_RDWR) < 0 && (errno == EROFS || errno == EACCES),
	    "write to /proc/self/mem");
}

/* 0 when it ran; else the errno that kept it from running. fd >= 0: by descriptor. */
static int try_exec(const char *path, int fd)
{
	char *const argv[] = {(char *)path, (char *)"no_such_verb", NULL};
	char *const envp[] = {NULL};
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		if (fd >= 0)
			execveat(fd, "", argv, envp, AT_EMPTY_PATH);
		else
			execve(path, argv, envp);
		_exit(errno | 0x80);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return ECHILD;
	return WIFEXITED(status) && (WEXITSTATUS(status) & 0x80) ? WEXITSTATUS(status) & 0x7f : 0;
}

static int verb_exec_other(void)
{
	errno = try_exec("/usr/bin/true", -1);
	return verdict(errno == EACCES, "exec of a program that is not on the list");
}

static int verb_exec_fd(void)
{
	int fd = open("/usr/bin/true", O_PATH);

	errno = fd < 0 ? errno : try_exec("true", fd);
	return verdict(errno == EACCES, "exec by descriptor");
}

static int verb_read_other(void)
{
	return verdict(open("/usr/bin/true", O_RDONLY) < 0 && errno == EACCES,
	    "a program that is not on the list can be read, and so be run by the loader");
}

/* Our own image, copied to where we may write. */
static int copy_self(const char *to)
{
	char bytes[4096];
	int in = open("/proc/self/exe", O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0755);
	ssize_t n;

	if (in < 0 || out < 0)
		return -1;
	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			return -1;
	return close(in) + close(out);
}

static int verb_exec_copy(void)
{
	if (copy_self("/tmp/copy") < 0 || copy_self("copy") < 0)
		return verdict(false, "copy");
	errno = try_exec("/tmp/copy", -1);
	if (errno != EACCES)
		return verdict(false, "/tmp/copy");
	errno = try_exec("./copy", -1);
	return verdict(errno == EACCES, "./copy");
}

static int verb_map_code(void)
{
	int fd = open("/tmp/code", O_CREAT | O_RDWR, 0755);

	if (fd < 0 || ftruncate(fd, 4096) < 0)
		return verdict(false, "/tmp/code");
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED)
		return errno = 0, verdict(false, "code from /tmp");
	return verdict(errno == EPERM, "code from /tmp");
}

/* The workspace's files once more, over the place where a script is bound: the same, and only to
 * be read. Its owner on disk must be us there too. */
static int verb_script(void)
{
	int fd = open("script", O_RDONLY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return verdict(false, "a private script of the owner cannot be read");
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED)
		return errno = 0, verdict(false, "code from a script's bind");
	if (errno != EPERM)
		return verdict(false, "code from a script's bind");
	errno = try_exec("./script", -1);
	if (errno != EACCES)
		return verdict(false, "./script");
	if (open("script", O_WRONLY) >= 0 || errno != EROFS)
		return verdict(false, "write to the script");
	return errno = 0, verdict(st.st_uid == getuid(), "the script's owner");
}

/* Neither by the descriptor of the directory nor by a name below the folder around it, in which
 * programs do run. */
static int verb_map_workspace(void)
{
	char path[4096];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/copied", getenv("WORKSPACE"));
	if (copy_self("copied") < 0)
		return verdict(false, "copy");
	fd = open("copied", O_RDONLY);
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED ||
	    errno != EPERM)
		return verdict(false, "code from the workspace");
	fd = open(path, O_RDONLY);
	return verdict(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED &&
			   errno == EPERM,
	    path);
}

/* EPROTOTYPE: there is a server, of another type. */
static bool connects(int fd, const struct sockaddr_un *address)
{
	return connect(fd, (const struct sockaddr *)address, sizeof(*address)) >= 0 ||
	       (errno != EISCONN && errno != EPROTOTYPE);
}

static void name_server(struct sockaddr_un *address, unsigned server)
{
	address->sun_family = AF_UNIX;
	(void)snprintf(address->sun_path, sizeof(address->sun_path), "server%u", server);
}

/* Can this connected socket be turned towards a server of the host? */
static int leads_to(int fd, unsigned server)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	name_server(&address, server);
	errno = 0;
	if (sendto(fd, "x", 1, MSG_DONTWAIT, (const struct sockaddr *)&address, sizeof(address)) >=
		0 ||
	    errno != EISCONN)
		return verdict(false, "sendto with a server's name");
	return verdict(!connects(fd, &address), "connect to a server's name");
}

static int reaches(unsigned server, int type)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int ends[2];

	if (socketpair(AF_UNIX, type, 0, ends) < 0)
		return HELD;
	if (leads_to(ends[0], server) != HELD)
		return BREACHED;
	name_server(&address, server);
	close(ends[1]);
	if (connects(ends[0], &address))
		return verdict(false, "connect once the other end is gone");
	return close(ends[0]);
}

/* Whatever kind of pair can be made, it reaches no server in the workspace. */
static int verb_unix_servers(void)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return verdict(false, "a stream pair, which programs need");
	for (int type = 0; type < 16; type++)
		for (unsigned server = 0; server < 3; server++)
			if (reaches(server, type) != HELD)
				return BREACHED;
	return HELD;
}

static int verb_writable_code(void)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return verdict(false, "mmap");
	return verdict(mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 && errno == EACCES,
	    "data becomes code");
}

/* ---- processes ------------------------------------------------------------------------------- */

/* The value behind a name in /proc/self/status; empty if it is not there. */
static void status_field(const char *name, char out[64])
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");

	out[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, name, strlen(name)) == 0)
			sscanf(line + strlen(name), ": %63s", out);
	if (file)
		fclose(file);
}

static int verb_caps(void)
{
	static const char *const sets[] = {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"};
	char value[64];

	errno = 0;
	for (unsigned i = 0; i < 5; i++) {
		status_field(sets[i], value);
		if (strcmp(value, "0000000000000000") != 0)
			return verdict(false, sets[i]);
	}
	return verdict((prctl(PR_GET_SECUREBITS) & (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED)) ==
			   (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED),
	    "securebits");
}

static int verb_nnp(void)
{
	char value[64];

	status_field("NoNewPrivs", value);
	errno = 0;
	return verdict(strcmp(value, "1") == 0, "NoNewPrivs");
}

static int verb_filters(void)
{
	char mode[64], count[64];

	status_field("Seccomp", mode);
	status_field("Seccomp_filters", count);
	errno = 0;
	return verdict(strcmp(mode, "2") == 0 && atol(count) >= 3, "seccomp filters");
}

static int verb_groups(void)
{
	errno = 0;
	return verdict(getgroups(0, NULL) == 0, "supplementary groups");
}

static int no_fd_from(int first)
{
	errno = 0;
	for (int fd = first; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return verdict(false, "an inherited descriptor");
	return HELD;
}

static int verb_fds(void)
{
	return no_fd_from(3);
}

/* The verbs from here on are run in a cell that has a gate. It is one descriptor more, no other. */
static int verb_gate_fds(void)
{
	int type = 0;
	socklen_t len = sizeof(type);

	if (getsockopt(GATE, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM)
		return verdict(false, "no stream socket as descriptor 3");
	return no_fd_from(GATE + 1);
}

/* It leads to its other end and nowhere else, whatever is done with it. */
static int verb_gate_servers(void)
{
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};

	for (unsigned server = 0; server < 3; server++)
		if (leads_to(GATE, server) != HELD)
			return BREACHED;
	errno = 0;
	if (connect(GATE, &nobody, sizeof(nobody)) >= 0 || errno != EINVAL)
		return verdict(false, "a gate that is let go");
	return verdict(listen(GATE, 1) < 0 && errno == EINVAL, "a gate that listens");
}

/* One end of a pair goes out, with something to read from the other. */
static int verb_gate_sends(void)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.space = ""};
	struct iovec byte = {(void *)"g", 1};
	struct msghdr message = {.msg_iov = &byte,
	    .msg_iovlen = 1,
	    .msg_control = &control,
	    .msg_controllen = sizeof(control)};

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 || write(pair[0], "hello", 5) != 5)
		return verdict(false, "a stream pair");
	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_RIGHTS;
	control.head.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.head), &pair[1], sizeof(int));
	return verdict(sendmsg(GATE, &message, 0) == 1, "a descriptor over the gate");
}

/* init shares our uid, our namespaces and our walls; what it holds must stay its own. */
static int verb_init_closed(void)
{
	static const char *const doors[] = {"/proc/1/mem", "/proc/1/environ", "/proc/1/maps",
	    "/proc/1/fd/4", "/proc/1/root/etc", "/proc/1/cwd/."};

	for (unsigned i = 0; i < sizeof(doors) / sizeof(doors[0]); i++)
		if (open(doors[i], O_RDONLY) >= 0 || (errno != EACCES && errno != EPERM))
			return verdict(false, doors[i]);
	return HELD;
}

static int verb_init_lives(void)
{
	if (getppid() != 1)
		return verdict(false, "init is not 1");
	kill(1, SIGKILL);
	kill(1, SIGSTOP);
	kill(1, SIGTERM);
	usleep(20000);
	return verdict(kill(1, 0) == 0 && getppid() == 1, "init");
}

/* ---- budgets --------------------------------------------------------------------------------- */

static bool limit_is(unsigned resource, uint64_t value)
{
	struct rlimit limit;

	return getrlimit((__rlimit_resource_t)resource, &limit) == 0 && limit.rlim_max == value &&
	       limit.rlim_cur == value;
}

static int verb_limits(void)
{
	errno = 0;
	return verdict(limit_is(RLIMIT_CORE, number("CORE")) &&
			   limit_is(RLIMIT_NOFILE, number("FILES")) &&
			   limit_is(RLIMIT_FSIZE, number("FILE_SIZE")) &&
			   limit_is(RLIMIT_NPROC, number("PIDS") + 1),
	    "a limit is not set");
}

/* Stops by itself a little above the limit: a missing wall must not harm the host. */
static int verb_forks(void)
{
	uint64_t allowed = number("PIDS"), made = 0;
	pid_t children[256];

	while (made < allowed + 8 && made < 256) {
		pid_t pid = fork();

		if (pid < 0)
			break;
		if (pid == 0) {
			pause();
			_exit(0);
		}
		children[made++] = pid;
	}
	for (uint64_t i = 0; i < made; i++)
		kill(children[i], SIGKILL);
	return verdict(allowed > 0 && made < allowed, "more processes than allowed");
}

static int verb_file_size(void)
{
	int fd = open("big", O_CREAT | O_WRONLY, 0644);

	signal(SIGXFSZ, SIG_IGN);
	if (fd < 0)
		return verdict(false, "big");
	return verdict(ftruncate(fd, (off_t)number("FILE_SIZE") + 1) < 0 && errno == EFBIG,
	    "a larger file than allowed");
}

static int verb_memory(void)
{
	uint64_t allowed = number("MEMORY");
	char *bytes =
	    mmap(NULL, allowed * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return verdict(bytes == MAP_FAILED && errno == ENOMEM, "more private memory than allowed");
}

/* Fills /tmp and /dev/shm together; both are one budget. */
static int verb_disk(void)
{
	static const char block[65536];
	uint64_t allowed = number("TMP_BYTES"), written = 0;
	char name[32];
	int fd = -1;

	for (unsigned i = 0; written <= allowed * 2; i++) {
		ssize_t n;

		if (i % 8 == 0) {
			if (fd >= 0)
				close(fd);
			snprintf(name, sizeof(name), "%s/b%u", i % 16 ? "/tmp" : "/dev/shm", i);
			fd = open(name, O_CREAT | O_WRONLY, 0644);
		}
		n = fd < 0 ? -1 : write(fd, block, sizeof(block));
		if (n <= 0)
			break;
		written += (uint64_t)n;
	}
	return verdict(
	    allowed > 0 && written <= allowed && errno == ENOSPC, "a larger /tmp than allowed");
}

static int verb_inodes(void)
{
	uint64_t allowed = number("TMP_INODES"), made = 0;
	char name[32];

	for (; made <= allowed; made++) {
		snprintf(name, sizeof(name), "/tmp/i%llu", (unsigned long long)made);
		if (mknod(name, S_IFREG | 0644, 0) < 0)
			break;
	}
	return verdict(
	    allowed > 0 && made <= allowed && errno == ENOSPC, "more files than allowed");
}

/* A tmpfs belongs to no process: no rlimit counts it and the watch does not see it. Only a control
 * group does, and ends the tree. */
static int verb_tree_memory(void)
{
	static const char block[65536] = {1};
	struct statvfs fs;
	uint64_t written = 0, room;
	char name[32];
	int fd = -1;

	if (statvfs("/tmp", &fs) < 0)
		return verdict(false, "statvfs");
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	for (unsigned i = 0; written + sizeof(block) <= room; i++) {
		if (i % 16 == 0) {
			if (fd >= 0)
				close(fd);
			snprintf(name, sizeof(name), "/tmp/m%u", i);
			fd = open(name, O_CREAT | O_WRONLY, 0644);
		}
		if (fd < 0 || write(fd, block, sizeof(block)) != sizeof(block))
			return 2;
		written += sizeof(block);
	}
	return verdict(false, "more memory than the tree may have");
}

static int verb_nested_user(void) /* behind the filter stands the kernel's count of them */
{
	return verdict(unshare(CLONE_NEWUSER) < 0, "a user namespace within a cell");
}

/* ---- for the driver's own cases: not attacks, they say what a cell does ---------------------- */

/* A grandchild in a session of its own, deaf to signals, which would leave a mark later. */
static int verb_leave_orphan(void)
{
	if (fork() == 0) {
		setsid();
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		if (fork() == 0) {
			sleep(1);
			(void)open("orphan-was-here", O_CREAT | O_WRONLY, 0644);
		}
		pause();
	}
	return HELD;
}

static int verb_sleep(void)
{
	pause();
	return HELD;
}

static int verb_exit_7(void)
{
	return 7;
}

static int verb_die(void)
{
	raise(SIGKILL);
	return HELD;
}

/* Shared memory is not RLIMIT_DATA's: only the watch sees it. */
static int verb_eat_shared(void)
{
	size_t size = number("MEMORY") * 3;
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (bytes == MAP_FAILED)
		return 3;
	memset(bytes, 1, size);
	pause();
	return HELD;
}

static int verb_workspace(void)
{
	struct stat st;
	char here[4096];

	errno = 0;
	return verdict(getcwd(here, sizeof(here)) && strcmp(here, getenv("WORKSPACE")) == 0 &&
			   stat(WS_FILE, &st) == 0 && st.st_uid == getuid() &&
			   st.st_gid == getgid() && getuid() != 0,
	    "the workspace is not where or whose it should be");
}

static const struct {
	const char *name;
	int (*run)(void);
} verbs[] = {
    {"future_calls", future_calls},
#ifdef __x86_64__
    {"x32", verb_x32},
    {"int80", verb_int80},
#endif
    {"ns_user", verb_ns_user},
    {"ns_mnt", verb_ns_mnt},
    {"ns_pid", verb_ns_pid},
    {"ns_net", verb_ns_net},
    {"ns_ipc", verb_ns_ipc},
    {"ns_uts", verb_ns_uts},
    {"ns_cgroup", verb_ns_cgroup},
    {"proc_facts", verb_proc_facts},
    {"pid_one", verb_pid_one},
    {"loopback_down", verb_loopback_down},
    {"hostname", verb_hostname},
    {"root_hidden", verb_root_hidden},
    {"root_read_only", verb_root_read_only},
    {"mount_flags", verb_mount_flags},
    {"workspace_flags", verb_workspace_flags},
    {"proc", verb_proc},
    {"landlock_root", verb_landlock_root},
    {"landlock_usr", verb_landlock_usr},
    {"proc_write", verb_proc_write},
    {"exec_other", verb_exec_other},
    {"exec_fd", verb_exec_fd},
    {"read_other", verb_read_other},
    {"exec_copy", verb_exec_copy},
    {"map_code", verb_map_code},
    {"script", verb_script},
    {"map_workspace", verb_map_workspace},
    {"unix_servers", verb_unix_servers},
    {"writable_code", verb_writable_code},
    {"caps", verb_caps},
    {"nnp", verb_nnp},
    {"filters", verb_filters},
    {"groups", verb_groups},
    {"fds", verb_fds},
    {"gate_fds", verb_gate_fds},
    {"gate_servers", verb_gate_servers},
    {"gate_sends", verb_gate_sends},
    {"init_closed", verb_init_closed},
    {"init_lives", verb_init_lives},
    {"limits", verb_limits},
    {"forks", verb_forks},
    {"file_size", verb_file_size},
    {"memory", verb_memory},
    {"disk", verb_disk},
    {"inodes", verb_inodes},
    {"tree_memory", verb_tree_memory},
    {"nested_user", verb_nested_user},
    {"workspace", verb_workspace},
    {"leave_orphan", verb_leave_orphan},
    {"sleep", verb_sleep},
    {"exit_7", verb_exit_7},
    {"die", verb_die},
    {"eat_shared", verb_eat_shared},
};

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	for (unsigned i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(calls[i].verb, argv[1]) == 0)
			return one_call(&calls[i]);
	for (unsigned i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run();
	fprintf(stderr, "no verb %s\n", argv[1]);
	return 2;
}
