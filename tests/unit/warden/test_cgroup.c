/* Control groups: what /proc says, and the files of a made-up tree. */
#include <errno.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "supervisor/warden/cgroup.h"
#include "supervisor/warden/cgroup_base.h"
#include "supervisor/warden/cgroup_v2.h"
#include "supervisor/warden/witness.h"
#include "tests/unit/warden/rig.h"

static struct rig rig;
static struct cgroup_found found;

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

static void finds_a_delegated_v2(void **state)
{
	(void)state;
	cgroup_find(&found,
	    "22 1 0:20 / / rw - ext4 /dev/sda rw\n"
	    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
	    "0::/system.slice/callgate.service\n");
	assert_string_equal(
	    found.path[CGROUP_TREE_V2], "/sys/fs/cgroup/system.slice/callgate.service");
	assert_string_equal(found.path[CGROUP_TREE_MEMORY], "");
}

static void finds_v1_beside_a_bare_v2(void **state)
{
	(void)state;
	cgroup_find(&found,
	    "31 22 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	    "32 22 0:28 / /sys/fs/cgroup/memory rw shared:1 master:2 - cgroup cgroup rw,memory\n"
	    "33 22 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	    "34 22 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
	    "5:pids:/a\n4:memory:/b/c\n3:cpu,cpuacct:/\n0::/\n");
	assert_string_equal(found.path[CGROUP_TREE_MEMORY], "/sys/fs/cgroup/memory/b/c");
	assert_string_equal(found.path[CGROUP_TREE_PIDS], "/sys/fs/cgroup/pids/a");
	assert_string_equal(found.path[CGROUP_TREE_CPUACCT], "/sys/fs/cgroup/cpu,cpuacct/");
	assert_string_equal(found.path[CGROUP_TREE_V2], "/sys/fs/cgroup/unified/");
}

static void a_mount_of_a_part_is_understood(void **state)
{
	(void)state;
	cgroup_find(&found, "34 22 0:30 /docker/abc /sys/fs/cgroup\\040x rw - cgroup2 cgroup2 rw\n",
	    "0::/docker/abc/inner\n");
	assert_string_equal(found.path[CGROUP_TREE_V2], "/sys/fs/cgroup x/inner");
	/* Our group is not below what is mounted; "abcd" only looks like it. */
	cgroup_find(&found, "34 22 0:30 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
	    "0::/docker/abcd\n");
	assert_string_equal(found.path[CGROUP_TREE_V2], "");
	cgroup_find(
	    &found, "34 22 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../outside\n");
	assert_string_equal(found.path[CGROUP_TREE_V2], "");
}

static void nonsense_finds_nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "-", "a b c - cgroup2", "- - -\n",
	    "1 2 3 4 5 6 7 8 9", "1 1 0:1 / /x rw - cgroup cgroup rw,memoryx\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++) {
			cgroup_find(&found, texts[i], texts[j]);
			for (int tree = 0; tree < CGROUP_TREE_COUNT; tree++)
				assert_string_equal(found.path[tree], "");
		}
}

static int open_dir(const char *name)
{
	int fd = open(rig_path(&rig, name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void content(const char *name, const char *expected)
{
	char text[128];
	int dir = open_dir(".");

	assert_int_equal(cgroup_read(dir, name, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
	close(dir);
}

static void numbers_are_read_strictly(void **state)
{
	uint64_t value = 7;
	int dir = open_dir(".");

	(void)state;
	rig_file(&rig, "events", "low 1\noom 3\noom_kill 12\nmax\n", 0600);
	rig_file(&rig, "max", "max\n", 0600);
	rig_file(&rig, "huge", "99999999999999999999999\n", 0600);
	assert_int_equal(cgroup_read_u64(dir, "events", "oom_kill", &value), 0);
	assert_int_equal(value, 12);
	assert_int_equal(cgroup_read_u64(dir, "events", "oom", &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(cgroup_read_u64(dir, "events", "oom_ki", &value), -ENOENT);
	assert_int_equal(cgroup_read_u64(dir, "events", "max", &value), -ENOENT);
	assert_int_equal(cgroup_read_u64(dir, "max", NULL, &value), -EINVAL);
	assert_int_equal(cgroup_read_u64(dir, "huge", NULL, &value), -EINVAL);
	assert_int_equal(cgroup_read_u64(dir, "none", NULL, &value), -ENOENT);
	assert_int_equal(cgroup_read_u64(-1, "max", NULL, &value), -EBADF);
	assert_int_equal(value, 3); /* untouched by failures */
	close(dir);
}

static const struct cell_limits limits = {.memory = 1 << 20, .pids = 10};

static void v2_limits_and_counters(void **state)
{
	struct cgroup_leaf leaf;
	struct cgroup_usage usage;

	(void)state;
	cgroup_leaf_init(&leaf);
	leaf.dir[CGROUP_TREE_V2] = open_dir(".");
	/* A mount without controllers: rlimits must hold. */
	assert_int_equal(cgroup_leaf_limit(&leaf, &limits), -ENOTSUP);
	assert_int_equal(cgroup_leaf_kill(&leaf), -ENOTSUP);
	rig_file(&rig, "memory.max", "max\n", 0600);
	rig_file(&rig, "memory.swap.max", "max\n", 0600);
	rig_file(&rig, "pids.max", "max\n", 0600);
	rig_file(&rig, "cgroup.kill", "", 0600);
	assert_int_equal(cgroup_leaf_limit(&leaf, &limits), 0);
	content("memory.max", "1048576");
	content("memory.swap.max", "0");
	content("pids.max", "10");
	assert_int_equal(cgroup_leaf_kill(&leaf), 0);
	content("cgroup.kill", "1");
	cgroup_leaf_usage(&leaf, &usage);
	assert_int_equal(usage.populated, CGROUP_POPULATED_UNKNOWN);
	rig_file(&rig, "cgroup.events", "populated 0\nfrozen 0\n", 0600);
	rig_file(&rig, "cpu.stat", "usage_usec 123\nuser_usec 100\n", 0600);
	rig_file(&rig, "memory.events", "low 0\noom 1\noom_kill 2\n", 0600);
	rig_file(&rig, "pids.events", "max 4\n", 0600);
	rig_file(&rig, "memory.peak", "777\n", 0600);
	cgroup_leaf_usage(&leaf, &usage);
	assert_int_equal(usage.populated, CGROUP_EMPTY);
	assert_int_equal(usage.cpu_us, 123);
	assert_int_equal(usage.oom_kills, 2);
	assert_int_equal(usage.pids_refused, 4);
	assert_int_equal(usage.memory_peak, 777);
	close(leaf.dir[CGROUP_TREE_V2]);
}

static void v1_limits_and_counters(void **state)
{
	struct cgroup_leaf leaf;
	struct cgroup_usage usage;

	(void)state;
	cgroup_leaf_init(&leaf);
	leaf.dir[CGROUP_TREE_MEMORY] = open_dir(".");
	leaf.dir[CGROUP_TREE_PIDS] = leaf.dir[CGROUP_TREE_CPUACCT] = leaf.dir[CGROUP_TREE_MEMORY];
	rig_file(&rig, "memory.limit_in_bytes", "0\n", 0600);
	rig_file(&rig, "pids.max", "max\n", 0600);
	assert_int_equal(cgroup_leaf_limit(&leaf, &limits), 0);
	content("memory.limit_in_bytes", "1048576");
	content("pids.max", "10");
	rig_file(&rig, "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 0600);
	rig_file(&rig, "memory.max_usage_in_bytes", "555\n", 0600);
	rig_file(&rig, "cpuacct.usage", "5000\n", 0600);
	rig_file(&rig, "pids.events", "max 0\n", 0600);
	cgroup_leaf_usage(&leaf, &usage);
	assert_int_equal(usage.oom_kills, 1);
	assert_int_equal(usage.memory_peak, 555);
	assert_int_equal(usage.cpu_us, 5);
	assert_int_equal(usage.pids_refused, 0);
	close(leaf.dir[CGROUP_TREE_MEMORY]);
}

static void leaves_come_and_go(void **state)
{
	struct cgroup cgroup = {.kind = CGROUP_HYBRID, .base = {-1, -1, -1, -1}};
	struct cgroup_leaf one, two;

	(void)state;
	rig_dir(&rig, "v2");
	rig_dir(&rig, "memory");
	cgroup.base[CGROUP_TREE_V2] = open_dir("v2");
	cgroup.base[CGROUP_TREE_MEMORY] = open_dir("memory");
	assert_int_equal(cgroup_leaf_make(&cgroup, &one), 0);
	assert_int_equal(cgroup_leaf_make(&cgroup, &two), 0);
	assert_string_not_equal(one.name, two.name);
	/* Still in use: nothing is forgotten, and it goes later. */
	rig_dir(&rig, "memory/cell-0/busy");
	assert_int_equal(cgroup_leaf_remove(&cgroup, &one), -ENOTEMPTY);
	assert_int_equal(rmdir(rig_path(&rig, "memory/cell-0/busy")), 0);
	assert_int_equal(cgroup_leaf_remove(&cgroup, &one), 0);
	assert_int_equal(cgroup_leaf_remove(&cgroup, &one), 0);
	assert_int_equal(cgroup_leaf_remove(&cgroup, &two), 0);
	assert_int_equal(rmdir(rig_path(&rig, "v2")), 0);
	assert_int_equal(rmdir(rig_path(&rig, "memory")), 0);
	close(cgroup.base[CGROUP_TREE_V2]);
	close(cgroup.base[CGROUP_TREE_MEMORY]);
}

static bool is_there(const char *name)
{
	return access(rig_path(&rig, name), F_OK) == 0;
}

/* Another daemon's base is known by its lock, not by its pid: ours here has no such process, and
 * is still empty. */
static void only_unlocked_bases_are_swept(void **state)
{
	int parent = open_dir("."), mine, leaf;

	(void)state;
	assert_int_equal(cgroup_base_make(parent, "callgate-999999999-0badcafe", &mine), 0);
	rig_dir(&rig, "callgate-999999998-0badcafe"); /* left behind, with two leaves */
	rig_dir(&rig, "callgate-999999998-0badcafe/cell-0");
	rig_dir(&rig, "callgate-999999998-0badcafe/cell-17");
	rig_dir(&rig, "callgate-999999997-0badcafe"); /* left behind, and still in use */
	rig_dir(&rig, "callgate-999999997-0badcafe/cell-0");
	rig_dir(&rig, "callgate-999999997-0badcafe/cell-0/busy");
	rig_dir(&rig, "callgate-web"); /* not of ours */
	rig_dir(&rig, "callgate-1-0badcafe0");
	rig_dir(&rig, "callgate--0badcafe");
	cgroup_base_sweep(parent);
	assert_true(is_there("callgate-999999999-0badcafe"));
	assert_false(is_there("callgate-999999998-0badcafe"));
	assert_true(is_there("callgate-999999997-0badcafe/cell-0/busy"));
	assert_true(is_there("callgate-web"));
	assert_true(is_there("callgate-1-0badcafe0"));
	assert_true(is_there("callgate--0badcafe"));
	/* A lock is an open description's: held again only when its holder is gone. */
	leaf = open_dir("callgate-999999999-0badcafe");
	assert_int_equal(cgroup_base_lock(leaf), -EWOULDBLOCK);
	close(mine);
	assert_int_equal(cgroup_base_lock(leaf), 0);
	close(leaf);
	cgroup_base_sweep(parent);
	assert_false(is_there("callgate-999999999-0badcafe"));
	close(parent);
}

static void base_names_differ(void **state)
{
	char one[CGROUP_NAME_MAX], two[CGROUP_NAME_MAX];
	int parent = open_dir(".");

	(void)state;
	assert_int_equal(cgroup_base_name(one), 0);
	assert_int_equal(cgroup_base_name(two), 0);
	assert_string_not_equal(one, two);
	assert_int_equal(mkdirat(parent, one, 0755), 0);
	cgroup_base_sweep(parent); /* and are what a sweep looks for */
	assert_false(is_there(one));
	close(parent);
}

/* Somebody's rmdir of our empty base: made again, locked again. */
static void a_lost_base_is_made_again(void **state)
{
	struct cgroup cgroup = {
	    .kind = CGROUP_V1, .own_base = true, .base = {-1, -1, -1, -1}, .name = "callgate-7-0"};
	struct cgroup_leaf leaf;
	int again;

	(void)state;
	rig_dir(&rig, "memory");
	rig_dir(&rig, "pids");
	cgroup.parent[CGROUP_TREE_MEMORY] = open_dir("memory");
	cgroup.parent[CGROUP_TREE_PIDS] = open_dir("pids");
	for (int tree = CGROUP_TREE_MEMORY; tree <= CGROUP_TREE_PIDS; tree++)
		assert_int_equal(
		    cgroup_base_make(cgroup.parent[tree], cgroup.name, &cgroup.base[tree]), 0);
	assert_int_equal(rmdir(rig_path(&rig, "pids/callgate-7-0")), 0);
	assert_int_equal(cgroup_leaf_make(&cgroup, &leaf), -ENOENT);
	assert_false(is_there("memory/callgate-7-0/cell-0")); /* nothing half made is left */
	assert_int_equal(cgroup_restore(&cgroup), 0);
	assert_int_equal(cgroup_leaf_make(&cgroup, &leaf), 0);
	assert_true(is_there("pids/callgate-7-0/cell-1"));
	again = open_dir("pids/callgate-7-0");
	assert_int_equal(cgroup_base_lock(again), -EWOULDBLOCK);
	close(again);
	assert_int_equal(cgroup_leaf_remove(&cgroup, &leaf), 0);
	/* A hierarchy that went away altogether cannot be helped. */
	assert_int_equal(rmdir(rig_path(&rig, "pids/callgate-7-0")), 0);
	assert_int_equal(rmdir(rig_path(&rig, "pids")), 0);
	assert_int_equal(cgroup_restore(&cgroup), -ENOENT);
	cgroup.own_base = false; /* the service manager's folder is not ours to make */
	assert_int_equal(cgroup_restore(&cgroup), -ENOTSUP);
	for (int tree = CGROUP_TREE_MEMORY; tree <= CGROUP_TREE_PIDS; tree++) {
		close(cgroup.base[tree]);
		close(cgroup.parent[tree]);
	}
}

static void v2_is_only_emptied_of_ourselves(void **state)
{
	char self[32];
	int dir = open_dir(".");

	(void)state;
	rig_file(&rig, "cgroup.controllers", "cpuset cpu memory pids\n", 0600);
	assert_true(cgroup_v2_has_controllers(dir));
	rig_file(&rig, "cgroup.controllers", "cpuset cpu memory-x pids\n", 0600);
	assert_false(cgroup_v2_has_controllers(dir));
	assert_true(cgroup_v2_is_root(dir));
	rig_file(&rig, "cgroup.events", "populated 1\n", 0600);
	assert_false(cgroup_v2_is_root(dir));
	/* pid 1 is not ours: nothing is moved. */
	snprintf(self, sizeof(self), "1\n%d\n", (int)getpid());
	rig_file(&rig, "cgroup.procs", self, 0600);
	assert_int_equal(cgroup_v2_move_aside(dir), -EBUSY);
	assert_true(access(rig_path(&rig, "daemon"), F_OK) < 0);
	snprintf(self, sizeof(self), "%d\n", (int)getpid());
	rig_file(&rig, "cgroup.procs", self, 0600);
	rig_dir(&rig, "daemon");
	rig_file(&rig, "daemon/cgroup.procs", "", 0600);
	assert_int_equal(cgroup_v2_move_aside(dir), 0);
	self[strlen(self) - 1] = '\0';
	content("daemon/cgroup.procs", self);
	close(dir);
}

static void witnesses_speak_only_of_bad_ends(void **state)
{
	const struct cgroup_usage none = {0}, oom = {.oom_kills = 1}, pids = {.pids_refused = 3};

	(void)state;
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 0, CELL_REACHED_NONE, &oom), EXIT_HOW_EXITED);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 1, CELL_REACHED_NONE, &oom), EXIT_HOW_OOM);
	assert_int_equal(witness_how(EXIT_HOW_SIGNALED, 9, CELL_REACHED_NONE, &oom), EXIT_HOW_OOM);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 2, CELL_REACHED_NONE, &pids), EXIT_HOW_PIDS);
	assert_int_equal(
	    witness_how(EXIT_HOW_EXITED, 0, CELL_REACHED_NONE, &pids), EXIT_HOW_EXITED);
	assert_int_equal(
	    witness_how(EXIT_HOW_EXITED, 2, CELL_REACHED_NONE, &none), EXIT_HOW_EXITED);
	assert_int_equal(witness_how(EXIT_HOW_NONE, 0, CELL_REACHED_NONE, &none), EXIT_HOW_FAILED);
	assert_int_equal(witness_how(EXIT_HOW_NONE, 0, CELL_REACHED_NONE, &oom), EXIT_HOW_OOM);
	assert_int_equal(
	    witness_how(EXIT_HOW_DEADLINE, 0, CELL_REACHED_NONE, &oom), EXIT_HOW_DEADLINE);
	assert_int_equal(
	    witness_how(EXIT_HOW_KILLED, 0, CELL_REACHED_NONE, &pids), EXIT_HOW_KILLED);
}

static void limits_of_disk_and_cpu_are_seen(void **state)
{
	const struct cgroup_usage none = {0}, oom = {.oom_kills = 1};
	const enum cell_reached disk = CELL_REACHED_DISK, inodes = CELL_REACHED_INODES;
	struct cell_event event = {.kind = CELL_EVENT_EXITED};

	(void)state;
	assert_int_equal(witness_how(EXIT_HOW_SIGNALED, SIGXCPU, 0, &none), EXIT_HOW_CPU);
	assert_int_equal(witness_how(EXIT_HOW_SIGNALED, SIGXFSZ, 0, &none), EXIT_HOW_FILE);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, SIGXFSZ, 0, &none), EXIT_HOW_EXITED);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 1, disk, &none), EXIT_HOW_DISK);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 1, inodes, &none), EXIT_HOW_INODES);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 0, disk, &none), EXIT_HOW_EXITED);
	assert_int_equal(witness_how(EXIT_HOW_EXITED, 1, disk, &oom), EXIT_HOW_OOM);
	assert_int_equal(witness_how(EXIT_HOW_DEADLINE, 0, disk, &none), EXIT_HOW_DEADLINE);
	assert_int_equal(witness_how(EXIT_HOW_CPU, 9, 0, &oom), EXIT_HOW_CPU);
	event.reached = CELL_REACHED_CPU;
	assert_int_equal(witness_event(&event), EXIT_HOW_CPU);
	event.reached = CELL_REACHED_INODES;
	assert_int_equal(witness_event(&event), EXIT_HOW_EXITED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_a_delegated_v2),
	    cmocka_unit_test(finds_v1_beside_a_bare_v2),
	    cmocka_unit_test(a_mount_of_a_part_is_understood),
	    cmocka_unit_test(nonsense_finds_nothing),
	    cmocka_unit_test_setup_teardown(numbers_are_read_strictly, setup, teardown),
	    cmocka_unit_test_setup_teardown(v2_limits_and_counters, setup, teardown),
	    cmocka_unit_test_setup_teardown(v1_limits_and_counters, setup, teardown),
	    cmocka_unit_test_setup_teardown(leaves_come_and_go, setup, teardown),
	    cmocka_unit_test_setup_teardown(only_unlocked_bases_are_swept, setup, teardown),
	    cmocka_unit_test_setup_teardown(base_names_differ, setup, teardown),
	    cmocka_unit_test_setup_teardown(a_lost_base_is_made_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(v2_is_only_emptied_of_ourselves, setup, teardown),
	    cmocka_unit_test(witnesses_speak_only_of_bad_ends),
	    cmocka_unit_test(limits_of_disk_and_cpu_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
