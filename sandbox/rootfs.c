/*
 * The root a tool sees. The zygote builds a template once (the host's /usr, the harmless part of
 * /etc, five devices) and goes to live in it; so that a cell copies forty mounts, not the host's,
 * and nothing of the host is left to be reached by a mistake. Each cell then puts a root of its
 * own together from clones of the template.
 */
#include "sandbox/enter.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "sandbox/refusal.h"

#define BUILD_PLACE    "/tmp" /* exists on every host, and in the template */
#define ETC_FILE_MAX   (4 << 20)
#define TEMPLATE_SIZE  "mode=0755,size=32m,nr_inodes=4096"
#define ROOT_SIZE      "mode=0755,size=512k,nr_inodes=512"
#define SCRATCH_FLAGS  (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define SCRATCH_BYTES  (64ULL << 20) /* where the plan says nothing */
#define SCRATCH_INODES 16384ULL

/* Links or directories, as the host has them. */
static const char *const system_dirs[] = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};

/* Copies, made when the daemon starts: no tool holds an inode of the host's /etc. Only what
 * everyone may read is copied, a link stays a link. */
static const char *const etc_files[] = {"passwd", "group", "nsswitch.conf", "hosts", "host.conf",
    "ld.so.cache", "ld.so.conf", "localtime", "timezone", "os-release", "debian_version",
    "mime.types", "protocols", "services", "gitconfig", "ssl/openssl.cnf", "mtab"};

/* Bound: they hold links into /usr, and public certificates. Never ssl/private. */
static const char *const etc_dirs[] = {"alternatives", "ssl/certs", "ld.so.conf.d"};

static const struct {
	const char *name;
	unsigned major, minor;
} devices[] = {{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}};

static const struct {
	const char *name, *target;
} dev_links[] = {{"fd", "/proc/self/fd"}, {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"}, {"stderr", "/proc/self/fd/2"}};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- small steps ----------------------------------------------------------------------------- */

static int make_dir(int root, const char *name)
{
	return mkdirat(root, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* Attaches a recursive clone of the tree behind fd (or of the path) as root/name. */
static int attach_clone(int fd, const char *path, int root, const char *name, uint64_t attributes)
{
	struct mount_attr set = {.attr_set = attributes};
	int cleanup_fd tree =
	    open_tree(fd, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

	if (tree < 0)
		return -errno;
	if (attributes &&
	    mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &set, sizeof(set)) < 0)
		return -errno;
	return move_mount(tree, "", root, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int copy_link(const char *from, int root, const char *name)
{
	char target[PATH_MAX];
	ssize_t len = readlink(from, target, sizeof(target) - 1);

	if (len < 0)
		return -errno;
	target[len] = '\0';
	return symlinkat(target, root, name) < 0 ? -errno : 0;
}

/* A fresh tmpfs over BUILD_PLACE; returns an O_PATH descriptor of its root. */
static int build_begin(const char *options)
{
	int fd;

	if (mount("callgate", BUILD_PLACE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options) < 0)
		return -errno;
	fd = open(BUILD_PLACE, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* root becomes "/"; the old one lies over it until umount2("."). */
static int build_pivot(int root)
{
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return -errno;
	return 0;
}

static int place_system(int root, const char *name, uint64_t attributes)
{
	char from[16];
	struct stat st;
	int r;

	(void)snprintf(from, sizeof(from), "/%s", name);
	if (lstat(from, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISLNK(st.st_mode))
		return copy_link(from, root, name);
	r = make_dir(root, name);
	return r < 0 ? r : attach_clone(AT_FDCWD, from, root, name, attributes);
}

/* What template and cell have in common. attributes: 0 where the clones carry them already. */
static int place_common(int root, uint64_t attributes)
{
	static const char *const empty[] = {"proc", "tmp", "run", "var", "etc", "dev"};
	int r = 0;

	for (unsigned i = 0; r == 0 && i < COUNT(empty); i++)
		r = make_dir(root, empty[i]);
	for (unsigned i = 0; r == 0 && i < COUNT(system_dirs); i++)
		r = place_system(root, system_dirs[i], attributes);
	if (r == 0 && symlinkat("../tmp", root, "var/tmp") < 0)
		r = -errno;
	return r;
}

/* ---- the template ---------------------------------------------------------------------------- */

static int copy_file(const char *from, int etc, const char *name)
{
	int cleanup_fd in = open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int cleanup_fd out = -1;
	char cleanup_free *bytes = NULL;
	struct stat st;
	size_t len;
	int r;

	if (in < 0)
		return errno == EACCES ? 0 : -errno;
	if (fstat(in, &st) < 0)
		return -errno;
	/* What the daemon may read and others may not is none of a tool's business. */
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IROTH))
		return 0;
	r = fd_read_all(in, ETC_FILE_MAX, &bytes, &len);
	if (r < 0)
		return r == -EFBIG ? 0 : r;
	out = openat(etc, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return out < 0 ? -errno : fd_write_all(out, bytes, len);
}

static int place_etc_file(int etc, const char *name)
{
	char from[64];
	struct stat st;

	(void)snprintf(from, sizeof(from), "/etc/%s", name);
	if (lstat(from, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	return S_ISLNK(st.st_mode) ? copy_link(from, etc, name) : copy_file(from, etc, name);
}

static int place_etc_dir(int etc, const char *name)
{
	char from[NAME_MAX + 8];
	struct stat st;
	int r;

	(void)snprintf(from, sizeof(from), "/etc/%s", name);
	if (lstat(from, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	r = make_dir(etc, name);
	return r < 0 ? r
		     : attach_clone(AT_FDCWD, from, etc, name,
			   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
			       MOUNT_ATTR_NOEXEC);
}

/* Python's sitecustomize and its like are read from /etc/python3*. */
static int place_etc_python(int etc)
{
	DIR *dir = opendir("/etc");
	const struct dirent *entry;
	int r = 0;

	if (!dir)
		return -errno;
	while (r == 0 && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "python3", 7) == 0)
			r = place_etc_dir(etc, entry->d_name);
	closedir(dir);
	return r;
}

static int place_etc(int root)
{
	int cleanup_fd etc = openat(root, "etc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = etc < 0 ? -errno : make_dir(etc, "ssl");

	for (unsigned i = 0; r == 0 && i < COUNT(etc_files); i++)
		r = place_etc_file(etc, etc_files[i]);
	for (unsigned i = 0; r == 0 && i < COUNT(etc_dirs); i++)
		r = place_etc_dir(etc, etc_dirs[i]);
	return r == 0 ? place_etc_python(etc) : r;
}

/* Opened first, judged by what was opened, bound by that descriptor. Read-only: a device takes
 * writes all the same, but its mode and times stay. */
static int place_device(int dev, const char *name, dev_t number)
{
	char from[32];
	int cleanup_fd node = -1;
	int cleanup_fd place = -1;
	struct stat st;

	(void)snprintf(from, sizeof(from), "/dev/%s", name);
	node = open(from, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (node < 0 || fstat(node, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) || st.st_rdev != number)
		return -ENODEV;
	place = openat(dev, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (place < 0)
		return -errno;
	return attach_clone(
	    node, "", dev, name, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
}

static int place_dev(int root)
{
	int cleanup_fd dev = openat(root, "dev", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = dev < 0 ? -errno : make_dir(dev, "shm");

	for (unsigned i = 0; r == 0 && i < COUNT(dev_links); i++)
		if (symlinkat(dev_links[i].target, dev, dev_links[i].name) < 0)
			r = -errno;
	for (unsigned i = 0; r == 0 && i < COUNT(devices); i++)
		r = place_device(dev, devices[i].name, makedev(devices[i].major, devices[i].minor));
	return r;
}

/* The host's proc is only for the zygote: it maps ids by it, and without one in sight no cell may
 * mount its own. */
static int place_template(int root)
{
	int r = place_common(root, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

	if (r == 0)
		r = place_etc(root);
	if (r == 0)
		r = place_dev(root);
	return r == 0 ? attach_clone(AT_FDCWD, "/proc", root, "proc", 0) : r;
}

/* An ordinary user's daemon has a user namespace by now, root's the rights of its own. */
static int refuse_mounts(int fault, struct err_note *note)
{
	struct refusal why;

	refusal_read("/proc", &why);
	return geteuid() == 0 ? refusal_root(&why, fault, note) : refusal_rights(&why, fault, note);
}

int rootfs_template(const struct walls *walls, struct err_note *note)
{
	struct mount_attr sealed = {.attr_set = MOUNT_ATTR_RDONLY};
	int cleanup_fd root = -1;
	int r;

	if (wall_is_off(walls, LAYER_MNTNS))
		return 0;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return refuse_mounts(-errno, note);
	if (wall_is_off(walls, LAYER_ROOT))
		return 0;
	root = build_begin(TEMPLATE_SIZE);
	r = root < 0 ? root : place_template(root);
	if (r == 0)
		r = build_pivot(root);
	if (r == 0 && (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ||
			  mount_setattr(AT_FDCWD, "/", 0, &sealed, sizeof(sealed)) < 0))
		r = -errno;
	if (r == 0)
		return 0;
	(void)err_note(note, r,
	    "sandbox: cannot build the private root; the host needs /usr, /proc, /tmp and the five "
	    "plain devices in /dev, and a kernel of 5.14 or newer");
	return err_note_errno(note, r);
}

/* ---- the cell -------------------------------------------------------------------------------- */

int rootfs_enter(struct entry *entry)
{
	int cleanup_fd root = build_begin(ROOT_SIZE);
	struct stat st;
	int r;

	if (root < 0)
		return root;
	if (fstat(root, &st) < 0)
		return -errno;
	entry->root_dev = st.st_dev;
	r = place_common(root, 0);
	if (r == 0)
		r = attach_clone(AT_FDCWD, "/etc", root, "etc", 0);
	if (r == 0)
		r = attach_clone(AT_FDCWD, "/dev", root, "dev", 0);
	if (r == 0 && wall_is_off(&entry->walls, LAYER_PROC))
		r = attach_clone(AT_FDCWD, "/proc", root, "proc", 0);
	return r == 0 ? build_pivot(root) : r;
}

int rootfs_proc(struct entry *entry)
{
	(void)entry;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return -errno;
	return 0;
}

/* Processes only: what else proc has (the kernel's command line, its symbols, the disks) is the
 * host's. Over the whole one, without which the kernel would refuse this one and which is where
 * limits of namespaces are set. */
int rootfs_proc_subset(struct entry *entry)
{
	(void)entry;
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "subset=pid") < 0)
		return -errno;
	return 0;
}

int rootfs_detach(struct entry *entry)
{
	(void)entry;
	return umount2(".", MNT_DETACH) < 0 || chdir("/") < 0 ? -errno : 0;
}

static void scratch_options(char out[96], uint64_t bytes, uint64_t inodes)
{
	(void)snprintf(out, 96, "size=%llu,nr_inodes=%llu",
	    (unsigned long long)(bytes ? bytes : SCRATCH_BYTES),
	    (unsigned long long)(inodes ? inodes : SCRATCH_INODES));
}

/* /tmp and /dev/shm are two directories of one tmpfs: one budget for all that is not workspace.
 * The tmpfs itself stays where it is, covered: taking it away would wait for an RCU period. */
int rootfs_scratch(struct entry *entry)
{
	int cleanup_fd tmp = -1;
	int cleanup_fd shm = -1;
	char options[96];
	struct stat st;

	scratch_options(options, 0, 0);
	if (mount("tmp", "/tmp", "tmpfs", SCRATCH_FLAGS, options) < 0 ||
	    mkdir("/tmp/tmp", 01777) < 0 || mkdir("/tmp/shm", 01777) < 0 || stat("/tmp", &st) < 0)
		return -errno;
	tmp = open_tree(AT_FDCWD, "/tmp/tmp", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	shm = open_tree(AT_FDCWD, "/tmp/shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tmp < 0 || shm < 0 ||
	    move_mount(tmp, "", AT_FDCWD, "/tmp", MOVE_MOUNT_F_EMPTY_PATH) < 0 ||
	    move_mount(shm, "", AT_FDCWD, "/dev/shm", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	entry->scratch_dev = st.st_dev;
	return 0;
}

int rootfs_budget(struct entry *entry)
{
	const struct cell_limits *limits = &entry->arm.limits;
	bool writes =
	    entry->arm.mode == CELL_WORKSPACE_RW || entry->arm.mode == CELL_WORKSPACE_EXEC;
	char options[96];

	/* Three inodes are ours: the root and the two directories. */
	scratch_options(
	    options, limits->tmp_bytes, limits->tmp_inodes ? limits->tmp_inodes + 3 : 0);
	if (mount("tmp", "/tmp", NULL, MS_REMOUNT | SCRATCH_FLAGS, options) < 0)
		return -errno;
	entry->have.disk_fsize = writes;
	return writes && limits->file_size == 0 ? ENTER_ABSENT : 0;
}

int rootfs_seal(struct entry *entry)
{
	struct mount_attr sealed = {.attr_set = MOUNT_ATTR_RDONLY};

	(void)entry;
	if (mount_setattr(AT_FDCWD, "/", 0, &sealed, sizeof(sealed)) < 0 ||
	    mount_setattr(AT_FDCWD, "/proc", 0, &sealed, sizeof(sealed)) < 0)
		return -errno;
	return 0;
}
