#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "sandbox/enter.h"

#define CREATE_VERSION  1U
#define RULE_BENEATH    1

#define NET_BIND_TCP    (1ULL << 0) /* ABI 4 */
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT  (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL    (1ULL << 1)

/* What a rule on something that is not a directory may name; more is EINVAL. */
#define FILE_ACCESS                                                                                \
	(LANDLOCK_FS_EXECUTE | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_READ_FILE |                    \
	    LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV)

struct ruleset_attr {
	uint64_t fs;
	uint64_t net;   /* ABI 4 */
	uint64_t scope; /* ABI 6 */
};

struct beneath_attr {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));

int landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	if (abi < 0)
		return -errno;
	return abi > 0 ? (int)abi : -ENOSYS;
}

uint64_t landlock_workspace_access(enum cell_workspace mode)
{
	switch (mode) {
	case CELL_WORKSPACE_NONE: return 0;
	case CELL_WORKSPACE_RO: return LANDLOCK_FS_READ;
	case CELL_WORKSPACE_RW: return LANDLOCK_FS_READ | LANDLOCK_FS_WRITE;
	case CELL_WORKSPACE_EXEC: return LANDLOCK_FS_READ | LANDLOCK_FS_WRITE | LANDLOCK_FS_EXECUTE;
	}
	return 0;
}

/* All rights of this ABI are handled, so that what no rule grants is refused; the network and
 * the scopes have no rule at all. */
static size_t full_ruleset(uint32_t abi, struct ruleset_attr *ret_attr)
{
	unsigned bits = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;

	*ret_attr = (struct ruleset_attr){.fs = (1ULL << bits) - 1};
	if (abi >= 4)
		ret_attr->net = NET_BIND_TCP | NET_CONNECT_TCP;
	if (abi >= 6)
		ret_attr->scope = SCOPE_ABSTRACT | SCOPE_SIGNAL;
	return abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
}

int landlock_allow(struct entry *entry, int fd, uint64_t access)
{
	struct beneath_attr rule = {.access = access & entry->handled, .fd = fd};
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		rule.access &= FILE_ACCESS;
	if (rule.access == 0)
		return 0; /* grants nothing: the kernel would not take it as a rule */
	if (syscall(SYS_landlock_add_rule, entry->ruleset, RULE_BENEATH, &rule, 0) < 0)
		return -errno;
	return 0;
}

static int allow_path(struct entry *entry, const char *path, uint64_t access)
{
	int cleanup_fd fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : landlock_allow(entry, fd, access);
}

/* A right on a directory reaches what is mounted below it. For a workspace below /tmp its own
 * mount flags are then the narrower wall. */
static const struct {
	const char *path;
	uint64_t access;
} base[] = {
    {"/etc", LANDLOCK_FS_READ},
    {"/proc", LANDLOCK_FS_READ},
    {"/dev",
	LANDLOCK_FS_READ | LANDLOCK_FS_WRITE_FILE | LANDLOCK_FS_TRUNCATE | LANDLOCK_FS_IOCTL_DEV},
    {"/dev/shm", LANDLOCK_FS_READ | LANDLOCK_FS_WRITE},
    {"/tmp", LANDLOCK_FS_READ | LANDLOCK_FS_WRITE},
};

int landlock_prepare(struct entry *entry)
{
	struct ruleset_attr attr;
	size_t size = full_ruleset(entry->host.landlock_abi, &attr);
	long fd;
	int r = 0;

	if (entry->host.landlock_abi == 0)
		return ENTER_ABSENT;
	fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	if (fd < 0)
		return -errno;
	entry->ruleset = (int)fd;
	entry->handled = attr.fs;
	for (unsigned i = 0; r == 0 && i < sizeof(base) / sizeof(base[0]); i++)
		r = allow_path(entry, base[i].path, base[i].access);
	return r;
}

static int take_rules(struct entry *entry, struct wire_message *message, uint32_t *left)
{
	while (message->body.left > 0) {
		uint64_t access = reader_u64(&message->body);
		int cleanup_fd fd = wire_take_fd(message);
		int r;

		if (fd < 0 || message->body.fault || *left == 0)
			return -EBADMSG;
		r = entry->ruleset < 0 ? 0 : landlock_allow(entry, fd, access);
		if (r < 0)
			return r;
		(*left)--;
	}
	return message->fd_next == message->fd_count ? 0 : -EBADMSG;
}

/* Rules are used as they come: a cell of an ordinary user could not hold them all open. */
int landlock_rules(struct entry *entry)
{
	uint32_t left = entry->arm.rule_count;

	while (left > 0) {
		struct wire_message cleanup_with(wire_fini) message = {.fd_count = 0};
		uint32_t before = left;
		int r = wire_expect(entry->sock, WIRE_RULES, &message);

		if (r == 0)
			r = take_rules(entry, &message, &left);
		if (r < 0)
			return r;
		if (left == before)
			return -EBADMSG;
	}
	return 0;
}

int landlock_bind(struct entry *entry)
{
	if (entry->ruleset < 0)
		return ENTER_ABSENT;
	/* For the test of the test: everything may run, and every other right stays as it is. */
	if (wall_is_off(&entry->walls, LAYER_ALLOWLIST)) {
		int r = allow_path(entry, "/", LANDLOCK_FS_EXECUTE | LANDLOCK_FS_READ_FILE);

		if (r < 0)
			return r;
	}
	if (syscall(SYS_landlock_restrict_self, entry->ruleset, 0) < 0)
		return -errno;
	close(entry->ruleset);
	entry->ruleset = -1;
	entry->have.landlock_abi = entry->host.landlock_abi;
	return 0;
}

int landlock_attest_allowlist(struct entry *entry)
{
	entry->have.allowlist_open = entry->arm.allowlist_open;
	return entry->have.landlock_abi > 0 ? 0 : ENTER_ABSENT;
}
