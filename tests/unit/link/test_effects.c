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
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/fd.h"
#include "supervisor/link/effects.h"

#define LIST_MAX (4 * 1024 * 1024)
#define SEED     "tests/fuzz/corpus/effects/all-kinds"

static const struct digest some = {{1, 2, 3}}, other = {{4, 5, 6}};

static struct effect_side file(uint16_t mode, uint64_t size, struct digest digest)
{
	return (struct effect_side){EFFECT_FILE, mode, size, digest};
}

static struct effect_side plain(uint8_t type, uint16_t mode)
{
	return (struct effect_side){.type = type, .mode = mode};
}

static struct effect added(const char *path)
{
	return (struct effect){
	    .kind = EFFECT_ADDED, .path = path, .target = "", .after = file(0644, 3, some)};
}

/* One of each kind and type. */
static uint32_t fill(struct effect items[8])
{
	uint32_t n = 0;

	items[n++] = (struct effect){.kind = EFFECT_CHANGED,
	    .marks = EFFECT_RUNS_LATER | EFFECT_UNDERNEATH,
	    .path = ".envrc",
	    .target = "",
	    .before = file(0644, 3, some),
	    .after = file(0755, 9, other)};
	items[n++] = (struct effect){.kind = EFFECT_ADDED,
	    .path = "a",
	    .target = "",
	    .after = plain(EFFECT_DIRECTORY, 0755)};
	items[n++] = (struct effect){.kind = EFFECT_REMOVED,
	    .path = "a b\n\xff",
	    .target = "",
	    .before = {.type = EFFECT_LINK, .digest = some}};
	items[n++] = (struct effect){.kind = EFFECT_ADDED,
	    .marks = EFFECT_LEADS_OUT,
	    .path = "a/out",
	    .target = "/etc",
	    .after = {.type = EFFECT_LINK, .digest = other}};
	items[n++] = (struct effect){.kind = EFFECT_MODE,
	    .path = "b",
	    .target = "",
	    .before = file(0644, 3, some),
	    .after = file(0600, 3, some)};
	items[n++] = (struct effect){
	    .kind = EFFECT_ADDED, .path = "c", .target = "", .after = plain(EFFECT_SPECIAL, 0644)};
	return n;
}

static int encode(struct buf *out, struct effect *items, uint32_t count)
{
	const struct effects list = {.items = items, .count = count};

	buf_reset(out);
	return effects_encode(out, &list);
}

/* With MESSAGE_SEEDS=write, as the seeds of messages. */
static void write_seed(const struct buf *list)
{
	int cleanup_fd fd = open(SEED, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, list->data, list->len), 0);
}

static void test_round_trip(void **state)
{
	struct effect items[8];
	const uint32_t count = fill(items);
	struct buf cleanup_with(buf_fini) out, cleanup_with(buf_fini) again;
	struct effects cleanup_with(effects_fini) read = {.count = 0};

	(void)state;
	buf_init(&out, LIST_MAX);
	buf_init(&again, LIST_MAX);
	assert_int_equal(encode(&out, items, count), 0);
	if (getenv("MESSAGE_SEEDS"))
		write_seed(&out);
	assert_int_equal(effects_decode(&read, out.data, out.len), 0);
	assert_int_equal(read.count, count);
	for (uint32_t i = 0; i < count; i++) {
		assert_string_equal(read.items[i].path, items[i].path);
		assert_string_equal(read.items[i].target, items[i].target);
		assert_int_equal(read.items[i].kind, items[i].kind);
		assert_int_equal(read.items[i].marks, items[i].marks);
		assert_memory_equal(
		    &read.items[i].before.digest, &items[i].before.digest, DIGEST_LEN);
		assert_int_equal(read.items[i].after.mode, items[i].after.mode);
		assert_int_equal(read.items[i].after.size, items[i].after.size);
	}
	assert_int_equal(effects_encode(&again, &read), 0);
	assert_int_equal(again.len, out.len);
	assert_memory_equal(again.data, out.data, out.len);
}

/* The fuzzer's first seed is a list of today. */
static void test_seed(void **state)
{
	struct effect items[8];
	const uint32_t count = fill(items);
	struct buf cleanup_with(buf_fini) out;
	int cleanup_fd fd = open(SEED, O_RDONLY | O_CLOEXEC);
	char cleanup_free *bytes = NULL;
	size_t len = 0;

	(void)state;
	buf_init(&out, LIST_MAX);
	assert_int_equal(encode(&out, items, count), 0);
	assert_true(fd >= 0);
	assert_int_equal(fd_read_all(fd, LIST_MAX, &bytes, &len), 0);
	assert_int_equal(len, out.len);
	assert_memory_equal(bytes, out.data, len);
}

static void test_cut_anywhere(void **state)
{
	struct effect items[8];
	const uint32_t count = fill(items);
	struct buf cleanup_with(buf_fini) out;
	struct effects read;

	(void)state;
	buf_init(&out, LIST_MAX);
	assert_int_equal(encode(&out, items, count), 0);
	for (size_t len = 0; len < out.len; len++) {
		assert_int_equal(effects_decode(&read, out.data, len), -EBADMSG);
		assert_null(read.items);
		assert_null(read.storage);
	}
	buf_put_u8(&out, 0);
	assert_int_equal(effects_decode(&read, out.data, out.len), -EBADMSG);
}

static void test_paths(void **state)
{
	static const char *const bad[] = {
	    "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../b", "a/./b", "./a"};
	static const char *const good[] = {"a", "...", "a/...", ".a", "..a", "a/b.", "a\nb"};
	struct buf cleanup_with(buf_fini) out;
	char long_path[EFFECTS_PATH_MAX + 2];
	struct effect item;

	(void)state;
	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		item = added(bad[i]);
		assert_int_equal(encode(&out, &item, 1), -EINVAL);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		item = added(good[i]);
		assert_int_equal(encode(&out, &item, 1), 0);
	}
	memset(long_path, 'x', sizeof(long_path) - 1);
	long_path[sizeof(long_path) - 1] = '\0';
	item = added(long_path);
	assert_int_equal(encode(&out, &item, 1), -EINVAL);
	long_path[EFFECTS_PATH_MAX] = '\0';
	assert_int_equal(encode(&out, &item, 1), 0);
}

static void test_order(void **state)
{
	struct effect twice[] = {added("a"), added("a")};
	struct effect back[] = {added("b"), added("a")};
	struct effect bytes[] = {added("a"), added("a\xc3"), added("b")};
	struct effect folder[] = {added("d"), added("d-x"), added("d/x")};
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, LIST_MAX);
	assert_int_equal(encode(&out, twice, 2), -EINVAL);
	assert_int_equal(encode(&out, back, 2), -EINVAL);
	assert_int_equal(encode(&out, bytes, 3), 0);
	assert_int_equal(encode(&out, folder, 3), 0);
}

/* Kinds and sides that contradict each other. */
static void test_sides(void **state)
{
	const struct effect_side none = {.type = EFFECT_TYPE_NONE}, a = file(0644, 3, some),
				 b = file(0600, 3, some), c = file(0644, 4, other);
	const struct effect_side link = {.type = EFFECT_LINK, .digest = some};
	const struct effect_side fat_folder = {EFFECT_DIRECTORY, 0755, 9, {{0}}};
	const struct effect_side odd_mode = file(010000, 1, some);
	const struct effect_side no_type = {.type = EFFECT_SPECIAL + 1};
	const struct {
		uint8_t kind, marks;
		const char *target;
		struct effect_side before, after;
	} bad[] = {
	    {EFFECT_NONE, 0, "", none, a},
	    {EFFECT_MODE + 1, 0, "", a, b},
	    {EFFECT_ADDED, 0, "", a, b},
	    {EFFECT_ADDED, 0, "", none, none},
	    {EFFECT_CHANGED, 0, "", none, a},
	    {EFFECT_CHANGED, 0, "", a, none},
	    {EFFECT_REMOVED, 0, "", none, none},
	    {EFFECT_REMOVED, 0, "", a, b},
	    {EFFECT_MODE, 0, "", a, a},
	    {EFFECT_MODE, 0, "", a, c},
	    {EFFECT_MODE, 0, "x", link, link},
	    {EFFECT_ADDED, EFFECT_MARKS_ALL + 1, "", none, a},
	    {EFFECT_ADDED, 0, "", none, link}, /* a link leads somewhere */
	    {EFFECT_ADDED, 0, "x", none, a},   /* and nothing else does */
	    {EFFECT_REMOVED, 0, "x", link, none},
	    {EFFECT_ADDED, 0, "", none, fat_folder},
	    {EFFECT_ADDED, 0, "", none, odd_mode},
	    {EFFECT_ADDED, 0, "", none, no_type},
	};
	struct buf cleanup_with(buf_fini) out;

	(void)state;
	buf_init(&out, LIST_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct effect item = {.kind = bad[i].kind,
		    .marks = bad[i].marks,
		    .path = "p",
		    .target = bad[i].target,
		    .before = bad[i].before,
		    .after = bad[i].after};

		if (encode(&out, &item, 1) != -EINVAL)
			fail_msg("row %zu was taken", i);
	}
}

static void test_too_many(void **state)
{
	struct effect *items = calloc(EFFECTS_MAX + 1, sizeof(*items));
	char(*names)[8] = calloc(EFFECTS_MAX + 1, sizeof(*names));
	struct buf cleanup_with(buf_fini) out, cleanup_with(buf_fini) small;
	struct effects cleanup_with(effects_fini) read = {.count = 0};

	(void)state;
	buf_init(&out, LIST_MAX);
	buf_init(&small, 100);
	assert_non_null(items);
	assert_non_null(names);
	for (uint32_t i = 0; i <= EFFECTS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%06u", i % 1000000);
		items[i] = added(names[i]);
	}
	assert_int_equal(encode(&out, items, EFFECTS_MAX + 1), -EMSGSIZE);
	assert_int_equal(encode(&small, items, 2), -EMSGSIZE);
	assert_int_equal(encode(&out, items, EFFECTS_MAX), 0);
	assert_int_equal(effects_decode(&read, out.data, out.len), 0);
	assert_int_equal(read.count, EFFECTS_MAX);
	out.data[1]++; /* of the count */
	assert_int_equal(
	    effects_decode(&(struct effects){.count = 0}, out.data, out.len), -EBADMSG);
	free(items);
	free(names);
}

static void test_digest(void **state)
{
	/* sha256sum of "callgate-effects-v1\n" and four zero bytes */
	static const char *const empty =
	    "534f6a0876a750d6f4e7dc864443c0f51a2dd97cf1b5e062cfe8853839d5fcee";
	struct buf cleanup_with(buf_fini) out;
	char hex[DIGEST_HEX_MAX];
	struct digest digest, changed;

	(void)state;
	buf_init(&out, LIST_MAX);
	assert_int_equal(encode(&out, NULL, 0), 0);
	effects_digest(&digest, out.data, out.len);
	assert_string_equal(digest_hex(hex, &digest), empty);
	buf_put_u8(&out, 0);
	effects_digest(&changed, out.data, out.len);
	assert_false(digest_equal(&digest, &changed));
}

static void test_runs_later(void **state)
{
	static const char *const yes[] = {".git/hooks/pre-commit", ".git/hooks", ".git/config",
	    ".git", "sub/.git", "sub/.git/HOOKS/x", ".GIT/Config", ".git/info/attributes",
	    ".git/modules/m/config", ".git/modules/m/hooks/x", ".git/worktrees/w/config.worktree",
	    ".gitmodules", ".gitattributes", ".envrc", "a/.envrc", "Makefile", "src/GNUmakefile",
	    "rules.mk", "CMakeLists.txt", ".github/workflows/ci.yml", ".gitlab-ci.yml",
	    ".circleci/config.yml", "package.json", "web/package.json", "setup.py", "build.rs",
	    ".vscode/tasks.json", ".vscode", ".idea/workspace.xml", "x.code-workspace", ".bashrc",
	    "home/.zshrc", ".ssh/authorized_keys", ".husky/pre-push", "JENKINSFILE",
	    ".config/systemd/user/x.service", "x.pth", ".claude/settings.json", "conftest.py",
	    "a.git/config", "a.git/hooks/update", "hooks/pre-commit", ".githooks.d/post-checkout",
	    ".git/rebase-merge/git-rebase-todo", ".hg/hgrc", ".jj/repo/config.toml", ".env",
	    ".env.local", ".envrc.private", "Makefile.inc", "Dockerfile.test", "Containerfile",
	    "compose.override.yaml", "docker-compose.override.yml", "vite.config.ts",
	    "eslint.config.mjs", ".eslintrc.cjs", ".prettierrc.js", ".pnpmfile.cjs",
	    "node_modules/.bin/tsc", "web/node_modules/a/index.js", "tsconfig.json",
	    "a/__pycache__/b.cpython-311.pyc", ".venv/bin/activate", ".pdbrc", ".pylintrc",
	    "pytest.ini", "requirements.txt", "Taskfile.dist.yml", ".justfile", "lefthook.yml",
	    "CMakePresets.json", "BUILD", "WORKSPACE", "SConstruct", "flake.nix", "main.tf",
	    "Directory.Build.props", "app.csproj", "app.gradle",
	    "gradle/wrapper/gradle-wrapper.jar", "HEAD", "x/HEAD", "AGENTS.md", "CLAUDE.md",
	    ".cursorrules", ".rspec", "x.gemspec", ".ghci", ".inputrc", ".psqlrc", "x.desktop",
	    "rust-toolchain.toml", ".devcontainer.json", ".woodpecker.yml",
	    ".forgejo/workflows/x.yml", ".vs/tasks.vs.json", ".local/bin/ls"};
	static const char *const no[] = {"a", "src/main.c", ".git/objects/aa/bb", ".git/index",
	    ".git/refs/heads/main", "hooks/x", "config", ".github/README.md", "package.json.txt",
	    "Makefile2", "my.gitx/hooks", "a.gitx/config", ".vscodex/tasks.json", "README.md",
	    ".git/hooks2/x", "notmakefile", "envrc", "a.git", "a.git/objects/aa", ".environment",
	    "head.c", "src/build.c", "requirements", "pre-commit.md", ".git/HEAD",
	    "node_modules2/x", "build", "build/a.o", "workspace", "src.js", "lib/arc.ts",
	    "x.git/HEAD", ".git/refs/remotes/origin/HEAD"};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
		if (!effects_runs_later(yes[i]))
			fail_msg("%s: not marked", yes[i]);
	for (size_t i = 0; i < sizeof(no) / sizeof(*no); i++)
		if (effects_runs_later(no[i]))
			fail_msg("%s: marked", no[i]);
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(effect_kind_name(EFFECT_ADDED), "added");
	assert_string_equal(effect_kind_name(EFFECT_MODE), "mode");
	assert_string_equal(effect_kind_name(0), "?");
	assert_string_equal(effect_kind_name(99), "?");
	assert_string_equal(effect_type_name(EFFECT_FILE), "file");
	assert_string_equal(effect_type_name(EFFECT_SPECIAL), "special");
	assert_string_equal(effect_type_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_seed),
	    cmocka_unit_test(test_cut_anywhere),
	    cmocka_unit_test(test_paths),
	    cmocka_unit_test(test_order),
	    cmocka_unit_test(test_sides),
	    cmocka_unit_test(test_too_many),
	    cmocka_unit_test(test_digest),
	    cmocka_unit_test(test_runs_later),
	    cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
