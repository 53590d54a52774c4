#include "supervisor/warden/keeper/layer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"

#define LOWER      "/l"
#define SPACE      "/u"
#define FOLDER     (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define SAFE       (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define OWN_INODES 4 /* root, upper, work, work/work */

static int set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0) < 0 ? -errno : 0;
}

static int set_number(int fs, const char *key, uint64_t value)
{
	char text[32];

	if (!value)
		return 0;
	(void)snprintf(text, sizeof(text), "%" PRIu64, value);
	return set(fs, key, text);
}

/* Returns the detached mount or -errno. */
static int create(int fs, unsigned attributes)
{
	int mount;

	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, attributes);
	return mount < 0 ? -errno : mount;
}

static int make_space(uint64_t disk, uint64_t inodes, unsigned attributes)
{
	int cleanup_fd fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fault;

	if (fs < 0)
		return -errno;
	fault = set(fs, "mode", "0700");
	if (!fault)
		fault = set_number(fs, "size", disk);
	if (!fault)
		fault = set_number(fs, "nr_inodes", inodes ? inodes + OWN_INODES : 0);
	return fault ? fault : create(fs, attributes);
}

static int attach(int mount, const char *place)
{
	return move_mount(mount, "", AT_FDCWD, place, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* Where a kernel knows an option it is off; one that it does not know, it does not do. */
static int make_overlay(bool root, unsigned attributes)
{
	static const char *const off[] = {"metacopy", "index", "xino"};
	int cleanup_fd fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int fault;

	if (fs < 0)
		return -errno;
	fault = set(fs, "source", "callgate");
	if (!fault)
		fault = set(fs, "lowerdir", LOWER);
	if (!fault)
		fault = set(fs, "upperdir", SPACE "/upper");
	if (!fault)
		fault = set(fs, "workdir", SPACE "/work");
	for (size_t i = 0; !fault && i < sizeof(off) / sizeof(*off); i++)
		fault = set(fs, off[i], "off");
	/* "off" may mean that redirects are followed, and none is ever made here. */
	if (!fault)
		fault = set(fs, "redirect_dir", "nofollow");
	if (!fault && fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0) < 0)
		fault = -errno;
	if (!fault && !root && fsconfig(fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0) < 0)
		fault = -errno;
	return fault ? fault : create(fs, attributes);
}

/* What is above looks as what is below: the overlay's top has the upper folder's owner and mode. */
static int make_folders(const struct layer_spec *spec, mode_t mode)
{
	int cleanup_fd upper = -1;

	if (mkdir(SPACE "/upper", 0700) < 0 || mkdir(SPACE "/work", 0700) < 0)
		return -errno;
	upper = open(SPACE "/upper", FOLDER);
	if (upper < 0)
		return -errno;
	if (spec->root && (fchown(upper, spec->uid, spec->gid) < 0 ||
			      chown(SPACE "/work", spec->uid, spec->gid) < 0))
		return -errno;
	return fchmod(upper, mode & 07777) < 0 ? -errno : take_fd(&upper);
}

/* Without them a folder that was made anew would show what had been in the old one. */
static int try_attribute(bool root, int upper)
{
	const char *name = root ? LAYER_OPAQUE_ROOT : LAYER_OPAQUE_USER;
	int fault = fsetxattr(upper, name, "y", 1, 0) < 0 ? -errno : 0;

	if (!fault && fremovexattr(upper, name) < 0)
		fault = -errno;
	return fault;
}

/* What cannot lie below an overlay: names compared in a way of its own, or overlays on overlays. */
static const char *kind_of(int folder)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} kinds[] = {{0x4d44, "FAT"}, {0x2011bab0, "exFAT"}, {0x794c7630, "an overlay itself"},
	    {0x65735546, "FUSE"}, {0x01021997, "9p"}, {0xf15f, "eCryptfs"}, {0x6969, "NFS"},
	    {0xfe534d42, "SMB"}, {0xef53, "ext4 with casefold"}};
	struct statfs st;

	for (size_t i = 0; fstatfs(folder, &st) == 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
		if ((unsigned long)st.f_type == kinds[i].magic)
			return kinds[i].name;
	return "a file system that cannot lie below one";
}

static int explain(const struct layer_spec *spec, int lower, int fault, struct err_note *note)
{
	if (!spec->probe)
		(void)err_note(note, fault,
		    "overlay: the kernel refuses one over this workspace, which is on %s; move "
		    "working_directory to ext4, xfs, btrfs or tmpfs, or write workspace: ro",
		    kind_of(lower));
	else
		(void)err_note(note, fault,
		    "overlay: the kernel refuses to mount it; it needs CONFIG_OVERLAY_FS (modprobe "
		    "overlay)%s",
		    spec->root ? "" : ", and for an ordinary user Linux 5.11 or newer");
	return err_note_errno(note, fault);
}

static int build(
    const struct layer_spec *spec, int lower, int *ret_upper, int *ret_mount, struct err_note *note)
{
	unsigned flags = SAFE | (spec->exec ? 0 : MOUNT_ATTR_NOEXEC);
	int cleanup_fd upper = -1, mount = -1;
	struct stat st;
	int fault = fstat(lower, &st) < 0 ? -errno : attach(lower, LOWER);

	if (fault)
		return err_note_errno(note, err_note(note, fault, "overlay: the workspace"));
	upper = make_folders(spec, st.st_mode);
	if (upper < 0)
		return err_note_errno(note, err_note(note, upper, "overlay: its folders"));
	fault = try_attribute(spec->root, upper);
	if (fault)
		return err_note(note, fault,
		    "overlay: tmpfs of this kernel takes no extended attributes of users; use "
		    "Linux 6.6 or newer with CONFIG_TMPFS_XATTR, or run the daemon as root");
	mount = make_overlay(spec->root, flags);
	if (mount < 0)
		return explain(spec, lower, mount, note);
	*ret_upper = take_fd(&upper);
	*ret_mount = take_fd(&mount);
	return 0;
}

int layer_make(
    const struct layer_spec *spec, int lower, int *ret_upper, int *ret_mount, struct err_note *note)
{
	int cleanup_fd space = make_space(spec->disk, spec->inodes, SAFE);
	int fault = space < 0 ? space : attach(space, SPACE);

	if (fault < 0)
		return err_note_errno(note, err_note(note, fault, "overlay: its memory"));
	fault = build(spec, lower, ret_upper, ret_mount, note);
	/* The overlay holds both by itself; by these paths nobody finds them any more. */
	(void)umount2(LOWER, MNT_DETACH);
	(void)umount2(SPACE, MNT_DETACH);
	return fault;
}

int layer_probe(bool root, struct err_note *note)
{
	const struct layer_spec spec = {.root = root, .probe = true, .disk = 65536, .inodes = 16};
	int cleanup_fd lower = make_space(65536, 16, SAFE);
	int cleanup_fd upper = -1, mount = -1, file = -1;
	int fault;

	if (lower < 0)
		return err_note_errno(note, err_note(note, lower, "overlay: a tmpfs"));
	fault = layer_make(&spec, lower, &upper, &mount, note);
	if (fault)
		return fault;
	file = openat(mount, "probe", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return err_note_errno(
		    note, err_note(note, -errno, "overlay: made, but not written to"));
	return 0;
}

int layer_enter_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0 ||
	    mount("callgate", "/proc", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		"size=64k,nr_inodes=8,mode=0700") < 0 ||
	    chdir("/proc") < 0 || mkdir("l", 0700) < 0 || mkdir("u", 0700) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}
