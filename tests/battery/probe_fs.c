/*
 * Attacks of the battery on files, mounts, devices and sockets of the host. A verb tries every road
 * it knows; what it reads is printed, so that a secret that gets out is seen in the answer. Exit 0:
 * nothing worked, 1: something did (named on stdout), 2: no such verb. Static: the same file is a
 * called tool and the child of an allowed interpreter.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PROC_MAGIC 0x9fa0
#define UP         "../../../../../../../../../../../../../../../../../../../.."

static bool breached;

static void breach(const char *what, const char *where)
{
	printf("BREACHED: %s: %s\n", what, where);
	breached = true;
}

/* ---- roads to a file that is not granted ----------------------------------------------------- */

/* Prefixes that would make an absolute path one of the host's; %d: a number of a process or of a
 * descriptor. The names at the end are where careless set-ups leave the old root. */
static const char *const prefixes[] = {"", "/proc/self/root", "/proc/thread-self/root",
    "/proc/self/cwd/" UP, "/proc/self/exe/" UP, "/proc/self/fd/" UP, "/proc/self/ns/" UP,
    "/proc/self/map_files/" UP, "/proc/" UP, UP, "/" UP, "/tmp/" UP, "/dev/" UP, "/dev/fd/" UP,
    "/dev/shm/" UP, "/oldroot", "/.oldroot", "/put_old", "/.pivot_root", "/mnt", "/host", "/rootfs",
    "/newroot", "/run/host", "/proc/%d/root", "/proc/%d/cwd/" UP, "/proc/%d/fd/" UP,
    "/proc/%d/task/%d/root", "/proc/self/fd/%d", "/proc/self/fd/%d/" UP, "/dev/fd/%d/" UP};

#define PREFIXES (sizeof(prefixes) / sizeof(prefixes[0]))
#define NUMBERS  40

typedef void (*visit)(const char *path);

/* Calls `with` for each spelling of the absolute path. */
static void spellings(const char *path, visit with)
{
	char spelled[8192];

	for (unsigned i = 0; i < PREFIXES; i++) {
		bool numbered = strchr(prefixes[i], '%') != NULL;

		for (int n = numbered ? 0 : NUMBERS - 1; n < NUMBERS; n++) {
			char prefix[1024];

			/* the format is one of the table above */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
			(void)snprintf(prefix, sizeof(prefix), prefixes[i], n, n);
#pragma GCC diagnostic pop
			(void)snprintf(spelled, sizeof(spelled), "%s%s", prefix, path);
			with(spelled);
		}
	}
	(void)snprintf(spelled, sizeof(spelled), "/proc/%d/root%s", getppid(), path);
	with(spelled);
	(void)snprintf(spelled, sizeof(spelled), "/proc/%d/cwd/" UP "%s", getppid(), path);
	with(spelled);
	(void)snprintf(spelled, sizeof(spelled), "/%s", path);
	with(spelled);
}

/* Below each mount that can be seen: a place of the host may be under any of them. */
static void below_mounts(const char *path, visit with)
{
	char line[4096], point[4096], spelled[8192];
	FILE *mounts = fopen("/proc/self/mountinfo", "r");

	while (mounts && fgets(line, sizeof(line), mounts)) {
		if (sscanf(line, "%*s %*s %*s %*s %4095s", point) != 1)
			continue;
		(void)snprintf(spelled, sizeof(spelled), "%s%s", point, path);
		with(spelled);
		(void)snprintf(spelled, sizeof(spelled), "%s/" UP "%s", point, path);
		with(spelled);
	}
	if (mounts)
		(void)fclose(mounts);
}

static void show(int fd, const char *how)
{
	char bytes[4096];
	ssize_t n = read(fd, bytes, sizeof(bytes));

	if (n <= 0)
		return;
	breach("read", how);
	(void)fwrite(bytes, 1, (size_t)n, stdout);
	puts("");
}

static void read_path(const char *path)
{
	static const int flags[] = {O_RDONLY, O_RDWR, O_RDONLY | O_NOFOLLOW, O_RDONLY | O_NONBLOCK};
	char again[64];
	int fd;

	for (unsigned i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		fd = open(path, flags[i] | O_CLOEXEC);
		if (fd >= 0) {
			show(fd, path);
			close(fd);
		}
	}
	fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)snprintf(again, sizeof(again), "/proc/self/fd/%d", fd);
	if (open(again, O_RDONLY | O_CLOEXEC) >= 0)
		breach("reopened", path);
	close(fd);
}

/* Through links that we make ourselves, where we may: the object counts, not the name. */
static void read_by_link(const char *path)
{
	static const char *const places[] = {"./b-link", "/tmp/b-link", "/dev/shm/b-link"};
	char folder[4096], inner[4200];
	const char *base = strrchr(path, '/');

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(base - path), path);
	for (unsigned i = 0; i < 3; i++) {
		(void)unlink(places[i]);
		if (symlink(path, places[i]) == 0)
			read_path(places[i]);
		(void)unlink(places[i]);
		if (symlink(folder, places[i]) == 0) {
			(void)snprintf(inner, sizeof(inner), "%s%s", places[i], base);
			read_path(inner);
		}
		(void)unlink(places[i]);
		(void)snprintf(inner, sizeof(inner), "/proc/self/root%s", path);
		if (symlink(inner, places[i]) == 0)
			read_path(places[i]);
		(void)unlink(places[i]);
		(void)snprintf(inner, sizeof(inner), "/proc/1/root%s", path);
		if (symlink(inner, places[i]) == 0)
			read_path(places[i]);
		(void)unlink(places[i]);
	}
}

/* A second name for the same file, in every way there is to make one. */
static void hardlink(const char *path)
{
	static const char *const places[] = {"./b-hard", "/tmp/b-hard"};
	char by_fd[64];
	int fd = open(path, O_PATH | O_CLOEXEC);

	(void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	for (unsigned i = 0; i < 2; i++) {
		(void)unlink(places[i]);
		if (link(path, places[i]) == 0 ||
		    linkat(AT_FDCWD, path, AT_FDCWD, places[i], AT_SYMLINK_FOLLOW) == 0 ||
		    (fd >= 0 && linkat(fd, "", AT_FDCWD, places[i], AT_EMPTY_PATH) == 0) ||
		    (fd >= 0 &&
			linkat(AT_FDCWD, by_fd, AT_FDCWD, places[i], AT_SYMLINK_FOLLOW) == 0))
			breach("hard link", path);
		(void)unlink(places[i]);
		if (rename(path, places[i]) == 0)
			breach("renamed", path);
	}
	if (fd >= 0)
		close(fd);
}

static int read_roads(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		spellings(argv[i], read_path);
		below_mounts(argv[i], read_path);
		read_by_link(argv[i]);
		hardlink(argv[i]);
	}
	return breached;
}

/* ---- roads to make a file where none may be -------------------------------------------------- */

static void made(long r, const char *how, const char *path)
{
	if (r >= 0)
		breach(how, path);
}

static void write_path(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct open_how {
		unsigned long long flags, mode, resolve;
	} how = {O_CREAT | O_WRONLY, 0644, 0};
	int s;

	made(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "open", path);
	made(open(path, O_WRONLY | O_TRUNC | O_CLOEXEC), "open to truncate", path);
	made(creat(path, 0644), "creat", path);
	made(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)), "openat2", path);
	made(mknod(path, S_IFREG | 0644, 0), "mknod", path);
	made(mknod(path, S_IFIFO | 0644, 0), "mkfifo", path);
	made(mknod(path, S_IFCHR | 0666, makedev(1, 3)), "mknod of a device", path);
	made(mkdir(path, 0755), "mkdir", path);
	made(symlink("/etc/passwd", path), "symlink", path);
	made(truncate(path, 0), "truncate", path);
	made(rmdir(path), "rmdir", path);
	made(unlink(path), "unlink", path);
	made(chmod(path, 0777), "chmod", path);
	made(chown(path, getuid(), getgid()), "chown", path);
	made(utimensat(AT_FDCWD, path, NULL, 0), "utimensat", path);
	made(setxattr(path, "user.b", "x", 1, 0), "setxattr", path);
	s = open("b-source", O_CREAT | O_RDWR | O_CLOEXEC, 0644);
	if (s >= 0) {
		made(link("b-source", path), "link", path);
		made(rename("b-source", path), "rename", path);
		made(syscall(SYS_renameat2, AT_FDCWD, "b-source", AT_FDCWD, path, RENAME_EXCHANGE),
		    "exchange", path);
		(void)unlink("b-source");
		close(s);
	}
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	if (s >= 0 && strlen(path) < sizeof(address.sun_path)) {
		strcpy(address.sun_path, path);
		made(bind(s, (struct sockaddr *)&address, sizeof(address)), "bind", path);
	}
	if (s >= 0)
		close(s);
}

static void write_by_link(const char *path)
{
	static const char *const places[] = {"./b-link", "/tmp/b-link"};
	char folder[4096], inner[4200];
	const char *base = strrchr(path, '/');

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(base - path), path);
	for (unsigned i = 0; i < 2; i++) {
		(void)unlink(places[i]);
		if (symlink(path, places[i]) == 0) /* dangling: O_CREAT follows it */
			made(open(places[i], O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "link", path);
		(void)unlink(places[i]);
		if (symlink(folder, places[i]) == 0) {
			(void)snprintf(inner, sizeof(inner), "%s%s", places[i], base);
			write_path(inner);
		}
		(void)unlink(places[i]);
	}
}

static int write_roads(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		spellings(argv[i], write_path);
		below_mounts(argv[i], write_path);
		write_by_link(argv[i]);
	}
	return breached;
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static int fds(int argc, char **argv)
{
	char name[128], target[4096];
	int files = 65536;

	(void)argc, (void)argv;
	for (int fd = 3; fd < files; fd++) {
		ssize_t n;

		if (fcntl(fd, F_GETFD) < 0)
			continue;
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		n = readlink(name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		breach("an inherited descriptor", target);
		(void)lseek(fd, 0, SEEK_SET);
		show(fd, name);
		(void)fchdir(fd);
	}
	for (int fd = 0; fd < 3;
	     fd++) { /* the three of every program: no folder, no file of the host */
		struct stat st;

		if (fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode) ||
					       S_ISSOCK(st.st_mode) || S_ISBLK(st.st_mode)))
			breach("standard descriptor of this kind", target);
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d/" UP "/etc", fd);
		if (open(name, O_RDONLY) >= 0)
			breach("a folder behind", name);
	}
	return breached;
}

/* ---- other processes ------------------------------------------------------------------------- */

static void tell_file(const char *path)
{
	char bytes[65536];
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return;
	n = read(fd, bytes, sizeof(bytes));
	if (n > 0)
		(void)fwrite(bytes, 1, (size_t)n, stdout);
	close(fd);
}

/* Prints what can be read of every process in sight: whose secret is among it, the caller sees.
 * argv: numbers of processes of the host, whose folders must not be there. */
static int processes(int argc, char **argv)
{
	static const char *const files[] = {
	    "environ", "cmdline", "auxv", "maps", "stack", "wchan", "status", "mountinfo"};
	static const char *const links[] = {"exe", "cwd", "root", "fd/3", "fd/4", "fd/5"};
	char path[128], target[4096];

	for (int pid = 1; pid < 400; pid++) {
		for (unsigned i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
			tell_file(path);
		}
		for (unsigned i = 0; i < 6; i++) {
			ssize_t n;

			(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, links[i]);
			n = readlink(path, target, sizeof(target) - 1);
			if (n > 0)
				printf("%.*s\n", (int)n, target);
		}
	}
	tell_file("/proc/self/environ");
	for (int i = 0; i < argc; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%s/stat", argv[i]);
		/* a small number may be one of ours: only a program that is the daemon's counts */
		if (atoi(argv[i]) > 400 && access(path, F_OK) == 0)
			breach("a process of the host", path);
	}
	return breached;
}

/* ---- /proc and /dev -------------------------------------------------------------------------- */

static void writable_below(const char *folder, int depth)
{
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	while (dir && (entry = readdir(dir))) {
		char path[4096];
		int fd;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (entry->d_type == DT_DIR && depth > 0)
			writable_below(path, depth - 1);
		if (entry->d_type != DT_REG)
			continue;
		fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
		if (fd >= 0) {
			breach("writable", path);
			close(fd);
		}
	}
	if (dir)
		closedir(dir);
}

/* Nothing in /proc is written and it is one: masks, redirects start with a /proc that is none. */
static int proc_writes(int argc, char **argv)
{
	static const char *const facts[] = {"/proc/sys/kernel/core_pattern",
	    "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/proc/sys/vm/overcommit_memory",
	    "/proc/self/attr/exec", "/proc/self/oom_score_adj", "/proc/self/uid_map",
	    "/proc/self/mem", "/proc/self/comm", "/proc/self/timerslack_ns", "/proc/1/mem",
	    "/proc/self/clear_refs", "/proc/self/coredump_filter", "/proc/self/loginuid",
	    "/proc/acpi/x", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/scsi",
	    "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs"};
	struct statfs fs;

	(void)argc, (void)argv;
	if (statfs("/proc/self", &fs) < 0 || fs.f_type != PROC_MAGIC)
		breach("it is no procfs", "/proc");
	for (unsigned i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (open(facts[i], O_WRONLY) >= 0 || open(facts[i], O_RDWR) >= 0)
			breach("writable", facts[i]);
	writable_below("/proc", 2);
	if (symlink("/etc", "/proc/b") == 0 || mkdir("/proc/b", 0755) == 0 ||
	    rename("/proc/self", "/proc/b") == 0)
		breach("made in", "/proc");
	return breached;
}

static void is_node(const char *path, unsigned minor_number)
{
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, minor_number))
		breach("no longer the device", path);
}

/* Puts something of ours in the place of a node, then looks whether it still is the node. */
static int dev_replace(int argc, char **argv)
{
	static const char *const nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random",
	    "/dev/urandom", "/dev/console", "/dev/tty", "/dev/pts", "/dev/ptmx", "/dev/fd",
	    "/dev/stdin", "/dev/shm", "/dev"};
	int fd = open("/dev/null", O_RDWR);

	(void)argc, (void)argv;
	for (unsigned i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		(void)unlink("b-node");
		if (unlink(nodes[i]) == 0 || rmdir(nodes[i]) == 0)
			breach("removed", nodes[i]);
		if (rename(nodes[i], "b-node") == 0 || rename(nodes[i], "/dev/b-node") == 0)
			breach("moved", nodes[i]);
		if (symlink("/proc/self/root/etc/passwd", nodes[i]) == 0)
			breach("replaced", nodes[i]);
		if (mount("/proc", nodes[i], NULL, MS_BIND, NULL) == 0)
			breach("covered", nodes[i]);
		if (strcmp(nodes[i], "/dev/shm") != 0 && /* the tool's own */
		    (chmod(nodes[i], 0600) == 0 || setxattr(nodes[i], "user.b", "x", 1, 0) == 0))
			breach("changed", nodes[i]);
	}
	if (symlink("/etc/passwd", "/dev/b-new") == 0 || mknod("/dev/b-new", S_IFREG, 0) == 0)
		breach("made in", "/dev");
	if (fd >= 0 && (fchmod(fd, 0) == 0 || fchown(fd, getuid(), getgid()) == 0))
		breach("changed by descriptor", "/dev/null");
	is_node("/dev/null", 3);
	is_node("/dev/zero", 5);
	is_node("/dev/full", 7);
	is_node("/dev/urandom", 9);
	return breached;
}

static void open_device(const char *path)
{
	static const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR};

	for (unsigned i = 0; i < 3; i++)
		if (open(path, flags[i] | O_NONBLOCK | O_NOCTTY | O_CLOEXEC) >= 0)
			breach("opened", path);
}

/* Makes device nodes of every kind, opens those of the host by name, and the one that somebody has
 * left in the workspace (argv). */
static int devices(int argc, char **argv)
{
	static const char *const names[] = {"mem", "kmem", "port", "kmsg", "fuse", "uinput", "kvm",
	    "vda", "vda1", "sda", "sda1", "nvme0n1", "loop0", "loop-control", "mapper/control",
	    "net/tun", "vhost-net", "vhost-vsock", "vsock", "input/event0", "tty", "tty0", "tty1",
	    "console", "ptmx", "pts/0", "pts/ptmx", "hpet", "rtc0", "cuse", "snapshot", "watchdog",
	    "dri/card0", "dri/renderD128", "dma_heap/system", "udmabuf", "userfaultfd",
	    "btrfs-control", "nbd0", "ram0", "hwrng", "mcelog", "autofs", "vfio/vfio", "video0",
	    "snd/seq", "bus/usb"};
	static const char *const known[] = {
	    "null", "zero", "full", "random", "urandom", "shm", "fd", "stdin", "stdout", "stderr"};
	static const unsigned numbers[][2] = {{1, 1}, {1, 2}, {1, 3}, {1, 5}, {1, 11}, {5, 0},
	    {5, 1}, {7, 0}, {8, 0}, {10, 229}, {10, 232}, {10, 237}, {10, 200}, {253, 0}, {254, 0},
	    {0, 0}};
	const struct dirent *entry;
	char path[128];
	DIR *dir = opendir("/dev");

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "/dev/%s", names[i]);
		open_device(path);
	}
	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		for (unsigned place = 0; place < 3; place++) {
			static const char *const places[] = {
			    "b-dev", "/tmp/b-dev", "/dev/shm/b-dev"};
			dev_t number = makedev(numbers[i][0], numbers[i][1]);

			made(mknod(places[place], S_IFCHR | 0666, number), "char", places[place]);
			made(mknod(places[place], S_IFBLK | 0666, number), "block", places[place]);
			made(mknodat(AT_FDCWD, places[place], S_IFCHR | 0666, number), "char, at",
			    places[place]);
		}
	while (dir && (entry = readdir(dir))) {
		bool ours = entry->d_name[0] == '.';

		for (unsigned i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			ours |= strcmp(entry->d_name, known[i]) == 0;
		if (!ours)
			breach("in /dev", entry->d_name);
	}
	for (int i = 0; i < argc; i++)
		open_device(argv[i]);
	return breached;
}

/* ---- mounts ---------------------------------------------------------------------------------- */

static void tries_to_make(const char *when)
{
	static const char *const places[] = {
	    "/b", "/usr/b", "/usr/bin/b", "/etc/b", "/dev/b", "/proc/b", "/usr/lib/b"};

	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (mkdir(places[i], 0755) == 0 || open(places[i], O_CREAT | O_WRONLY, 0644) >= 0 ||
		    symlink("x", places[i]) == 0)
			breach(when, places[i]);
	}
}

static void remounts(void)
{
	static const char *const points[] = {
	    "/", "/usr", "/etc", "/proc", "/dev", "/tmp", ".", "/lib"};
	static const unsigned long flags[] = {MS_REMOUNT, MS_REMOUNT | MS_BIND, MS_BIND | MS_REC,
	    MS_REMOUNT | MS_BIND | MS_NOSUID, MS_SHARED | MS_REC, MS_PRIVATE, MS_MOVE, 0};
	static const char *const kinds[] = {
	    "tmpfs", "proc", "sysfs", "overlay", "devpts", "cgroup2"};
	struct {
		unsigned long long set, clear, propagation, userns;
	} attributes = {0, 0x00000001 | 0x00000008, 0, 0};

	for (unsigned i = 0; i < sizeof(points) / sizeof(points[0]); i++) {
		for (unsigned f = 0; f < sizeof(flags) / sizeof(flags[0]); f++)
			made(mount("/tmp", points[i], NULL, flags[f], NULL), "mount", points[i]);
		for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			made(mount("none", points[i], kinds[k], 0, NULL), kinds[k], points[i]);
		made(syscall(442, AT_FDCWD, points[i], 0x8000, &attributes, sizeof(attributes)),
		    "mount_setattr", points[i]);
		made(umount2(points[i], MNT_DETACH), "umount", points[i]);
		made(umount2(points[i], UMOUNT_NOFOLLOW | MNT_EXPIRE), "umount", points[i]);
		made(syscall(SYS_open_tree, AT_FDCWD, points[i], 1), "open_tree", points[i]);
		made(syscall(SYS_fspick, AT_FDCWD, points[i], 0), "fspick", points[i]);
		made(chroot(points[i]), "chroot", points[i]);
	}
	made(syscall(SYS_fsopen, "tmpfs", 0), "fsopen", "tmpfs");
	made(syscall(SYS_pivot_root, ".", "."), "pivot_root", ".");
}

static int remount(int argc, char **argv)
{
	(void)argc, (void)argv;
	tries_to_make("made before");
	remounts();
	tries_to_make("made after a remount");
	made(unshare(CLONE_NEWUSER | CLONE_NEWNS), "unshare", "user and mount namespace");
	made(unshare(CLONE_NEWNS), "unshare", "mount namespace");
	remounts();
	tries_to_make("made in a namespace of its own");
	return breached;
}

/* ---- sockets of the host --------------------------------------------------------------------- */

static void reach(int s, const struct sockaddr *address, socklen_t size, const char *what)
{
	struct iovec byte = {(void *)"x", 1};
	struct msghdr message = {.msg_name = (void *)(long)address,
	    .msg_namelen = size,
	    .msg_iov = &byte,
	    .msg_iovlen = 1};
	struct mmsghdr messages = {.msg_hdr = message};

	if (sendto(s, "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL, address, size) > 0)
		breach("sendto", what);
	if (sendmsg(s, &message, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		breach("sendmsg", what);
	if (sendmmsg(s, &messages, 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		breach("sendmmsg", what);
	if (connect(s, address, size) == 0)
		breach("connect", what);
}

static void reach_unix(const char *name, bool abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t size;

	(void)snprintf(address.sun_path + abstract, sizeof(address.sun_path) - 1, "%s", name);
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract + strlen(name));
	for (int type = 0; type < 11; type++) {
		static const int flags[] = {0, SOCK_CLOEXEC, SOCK_NONBLOCK};
		int ends[2];

		for (unsigned i = 0; i < 3; i++) {
			int s = socket(AF_UNIX, type | flags[i], 0);

			if (s < 0)
				continue;
			breach("a Unix socket", name);
			reach(s, (struct sockaddr *)&address, size, name);
			close(s);
		}
		if (socketpair(AF_UNIX, type, 0, ends) < 0)
			continue;
		if (type != SOCK_STREAM)
			breach("a pair that takes names", name);
		if (connect(ends[0], (struct sockaddr *)&address, size) == 0 ||
		    sendto(ends[0], "x", 1, MSG_DONTWAIT, (struct sockaddr *)&address, size) == 1)
			breach("a pair", name);
		close(ends[1]);
		if (connect(ends[0], (struct sockaddr *)&address, size) == 0)
			breach("a pair whose other end is gone", name);
		close(ends[0]);
	}
}

/* argv: paths; @name: abstract; a number: a port of 127.0.0.1. */
static int sockets(int argc, char **argv)
{
	char link_name[32];

	for (int i = 0; i < argc; i++) {
		struct sockaddr_in to = {.sin_family = AF_INET,
		    .sin_port = htons((unsigned short)atoi(argv[i])),
		    .sin_addr = {htonl(INADDR_LOOPBACK)}};

		if (argv[i][0] == '@') {
			reach_unix(argv[i] + 1, true);
		} else if (argv[i][0] != '/' && argv[i][0] != '.') {
			for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
				int s = socket(AF_INET, type | SOCK_NONBLOCK, 0);

				if (s >= 0)
					reach(s, (struct sockaddr *)&to, sizeof(to), argv[i]);
			}
		} else {
			reach_unix(argv[i], false);
			(void)snprintf(link_name, sizeof(link_name), "b-socket%d", i);
			(void)unlink(link_name);
			if (symlink(argv[i], link_name) == 0)
				reach_unix(link_name, false);
			(void)unlink(link_name);
		}
	}
	return breached;
}

/* Where desktops and services listen, and the variables that name such places. */
static int buses(int argc, char **argv)
{
	static const char *const names[] = {"DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS",
	    "SSH_AUTH_SOCK", "GPG_AGENT_INFO", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR",
	    "XAUTHORITY", "DOCKER_HOST", "PULSE_SERVER", "PIPEWIRE_REMOTE", "NOTIFY_SOCKET",
	    "LISTEN_FDS", "GNOME_KEYRING_CONTROL", "TMUX", "VSCODE_IPC_HOOK_CLI",
	    "CALLGATE_SOCKET"};
	static const char *const places[] = {"/var/run/docker.sock", "/run/docker.sock",
	    "/run/containerd/containerd.sock", "/run/podman/podman.sock", "/run/crio/crio.sock",
	    "/run/dbus/system_bus_socket", "/run/user/0/bus", "/run/user/1000/bus",
	    "/run/systemd/private", "/run/systemd/notify", "/run/systemd/journal/socket",
	    "/dev/log", "/tmp/.X11-unix/X0", "/run/user/0/wayland-0", "/run/user/0/pipewire-0",
	    "/run/user/0/gnupg/S.gpg-agent", "/run/snapd.socket", "/run/user/0/gvfs",
	    "/run/nscd/socket", "/run/libvirt/libvirt-sock", "/run/lxd.socket", "/run/udev/control",
	    "/run/acpid.socket"};

	(void)argc, (void)argv;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]))
			breach("a variable of the host", names[i]);
	for (unsigned i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct stat st;

		if (lstat(places[i], &st) == 0)
			breach("in sight", places[i]);
		reach_unix(places[i], false);
	}
	reach_unix("/tmp/.X11-unix/X0", true);
	return breached || sockets(argc, argv);
}

/* ---- files that are more than files ---------------------------------------------------------- */

static void owns_nothing(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)) && S_ISREG(st.st_mode))
		breach("a set-id file", path);
	(void)unlink(path);
}

/* A file of our own that is its owner's when others run it, in each way a mode can be set. */
static int setids(int argc, char **argv)
{
	static const unsigned modes[] = {04755, 02755, 06755, 04111};
	static const char capability[20] = {
	    1, 0, 0, 2, (char)0xff, (char)0xff, (char)0xff, (char)0xff};

	(void)argc, (void)argv;
	for (unsigned i = 0; i < 4; i++) {
		int fd = open("b-set", O_CREAT | O_RDWR, 0755);

		(void)write(fd, "x", 1);
		(void)chmod("b-set", modes[i]);
		(void)fchmod(fd, modes[i]);
		(void)fchmodat(AT_FDCWD, "b-set", modes[i], 0);
		(void)syscall(452, AT_FDCWD, "b-set", modes[i], 0);
		if (setxattr("b-set", "security.capability", capability, 20, 0) == 0 ||
		    fsetxattr(fd, "security.capability", capability, 20, 0) == 0)
			breach("file capabilities", "b-set");
		close(fd);
		owns_nothing("b-set");
		(void)close(open("b-set", O_CREAT | O_WRONLY, modes[i]));
		owns_nothing("b-set");
		(void)close(creat("b-set", modes[i]));
		owns_nothing("b-set");
		(void)mknod("b-set", S_IFREG | modes[i], 0);
		owns_nothing("b-set");
		fd = open(".", O_TMPFILE | O_RDWR, modes[i]);
		if (fd >= 0 && linkat(fd, "", AT_FDCWD, "b-set", AT_EMPTY_PATH) == 0)
			owns_nothing("b-set");
	}
	return breached;
}

/* Runs a program that is somebody else's by its mode: `id` of this file says who it became. */
static int run_setid(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char path[4096];
		int status;
		pid_t pid;

		(void)snprintf(path, sizeof(path), "%s", argv[i]);
		pid = fork();
		if (pid == 0) {
			execl(path, path, "id", (char *)NULL);
			_exit(0);
		}
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
		    WEXITSTATUS(status) == 1)
			breach("became another", path);
	}
	return breached;
}

static int id(int argc, char **argv)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	(void)argc, (void)argv;
	if (getresuid(&r, &e, &s) < 0 || getresgid(&gr, &ge, &gs) < 0)
		return 1;
	if (r != e || e != s || e == 0 || gr != ge || ge != gs || ge == 0)
		breach("ids", "of another");
	if (setuid(0) == 0 || setgid(0) == 0 || setreuid(0, 0) == 0 || setresuid(0, 0, 0) == 0)
		breach("ids", "can be root's");
	printf("uid %u gid %u\n", e, ge);
	return breached;
}

/* ---- helpers of cases, no attacks themselves ------------------------------------------------- */

/* Swaps two names in the workspace as fast as may be, for argv[2] seconds. */
static int swap(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 2 ? atoi(argv[2]) : 1);

	while (argc > 1 && time(NULL) < end)
		for (int i = 0; i < 100; i++)
			(void)syscall(
			    SYS_renameat2, AT_FDCWD, argv[0], AT_FDCWD, argv[1], RENAME_EXCHANGE);
	return 0;
}

static int touch(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		(void)close(open(argv[i], O_CREAT | O_WRONLY, 0644));
	return 0;
}

/* Writes into each file, making folders that are missing; a file that was written is a breach. */
static int plant(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char path[4096];
		int fd;

		(void)snprintf(path, sizeof(path), "%s", argv[i]);
		for (char *p = path + 1; (p = strchr(p, '/')); *p++ = '/') {
			*p = '\0';
			(void)mkdir(path, 0755);
		}
		fd = open(path, O_CREAT | O_WRONLY | O_APPEND, 0755);
		if (fd >= 0 && write(fd, "planted\n", 8) == 8)
			breach("planted", path);
	}
	return breached;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} verbs[] = {
    {"read_roads", read_roads},
    {"write_roads", write_roads},
    {"fds", fds},
    {"processes", processes},
    {"proc_writes", proc_writes},
    {"dev_replace", dev_replace},
    {"devices", devices},
    {"remount", remount},
    {"sockets", sockets},
    {"buses", buses},
    {"setids", setids},
    {"run_setid", run_setid},
    {"id", id},
    {"swap", swap},
    {"touch", touch},
    {"plant", plant},
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* children must not print what is ours again */
	for (unsigned i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].name, argv[1]) == 0)
			return verbs[i].run(argc - 2, argv + 2);
	fprintf(stderr, "probe_fs: no verb\n");
	return 2;
}
