/* The key store on a real disk: what it keeps, what it refuses to open, what survives a kill. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/identity/key_store.h"

#define NOW 1800000000ull

struct rig {
	char folder[64];
	char path[96];
	struct key_store *store;
};

static int open_at(struct rig *rig)
{
	struct err_note note = {""};
	int fault = key_store_open(&rig->store, rig->folder, &note);

	if (fault)
		assert_non_null(strstr(note.text, "key store "));
	return fault;
}

static int setup(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	strcpy(rig->folder, "/tmp/key-store.XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->path, sizeof(rig->path), "%s/%s", rig->folder, KEY_STORE_FILE);
	assert_int_equal(open_at(rig), 0);
	*state = rig;
	return 0;
}

static void reopen(struct rig *rig)
{
	key_store_close(rig->store);
	rig->store = NULL;
	assert_int_equal(open_at(rig), 0);
}

static int teardown(void **state)
{
	struct rig *rig = *state;
	static const char *const ends[] = {"", "-wal", "-shm", "-journal"};
	char path[128];

	key_store_close(rig->store);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s%s", rig->path, ends[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(rig->folder), 0);
	free(rig);
	return 0;
}

static struct key_record create(
    struct rig *rig, const char *tenant, const struct scope *scope, char key[API_KEY_LEN + 1])
{
	const struct key_request request = {
	    .tenant = tenant, .label = "CI", .created_by = "uid:0", .scope = scope};
	struct key_record record;

	assert_int_equal(key_store_create(rig->store, &request, NOW, key, &record), 0);
	return record;
}

static enum credential_verdict check(struct rig *rig, const char *key, uint64_t now_s)
{
	struct key_record record;
	enum credential_verdict verdict =
	    key_store_check(rig->store, key, strlen(key), now_s, &record);

	key_record_fini(&record);
	return verdict;
}

static void a_key_is_created_with_nothing_granted(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key), shown;

	assert_int_equal(key_store_check(rig->store, key, strlen(key), NOW, &shown), CREDENTIAL_OK);
	assert_string_equal(shown.id, made.id);
	assert_int_equal(strlen(shown.id), 20);
	assert_string_equal(shown.tenant, "acme");
	assert_string_equal(shown.label, "CI");
	assert_string_equal(shown.created_by, "uid:0");
	assert_int_equal(shown.created_s, NOW);
	assert_int_equal(shown.expires_s, 0);
	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++)
		assert_int_equal(shown.scope.lists[kind].count, 0);
	key_record_fini(&shown);
	key_record_fini(&made);
}

static void a_scope_is_kept(void **state)
{
	struct rig *rig = *state;
	struct scope scope = {0};
	struct key_record made, shown;
	char key[API_KEY_LEN + 1];

	assert_int_equal(scope_add(&scope, SCOPE_TOOLS, "git_*"), 0);
	assert_int_equal(scope_add(&scope, SCOPE_TOOLS, "bash"), 0);
	assert_int_equal(scope_add(&scope, SCOPE_ROLES, "developer"), 0);
	assert_int_equal(scope_add(&scope, SCOPE_PERMISSIONS, "audit:read"), 0);
	made = create(rig, "acme", &scope, key);
	reopen(rig);
	assert_int_equal(key_store_get(rig->store, "acme", made.id, &shown), 0);
	assert_true(scope_covers(&shown.scope, &scope) && scope_covers(&scope, &shown.scope));
	key_record_fini(&shown);
	key_record_fini(&made);
	scope_fini(&scope);
}

/* Neither the key nor any part of it that could be used is on the disk. */
static void no_secret_is_on_the_disk(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], path[128];
	struct key_record made = create(rig, "acme", NULL, key);
	struct digest digest;
	static char bytes[1 << 20];
	bool hash_seen = false;

	assert_int_equal(api_key_digest(&digest, key, strlen(key)), 0);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", rig->path, i ? "-wal" : "");
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, bytes, sizeof(bytes));
		struct stat st;

		assert_true(n > 0);
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		close(fd);
		assert_null(memmem(bytes, (size_t)n, key + 8, 12));
		assert_null(memmem(bytes, (size_t)n, key + 30, 12));
		hash_seen |= memmem(bytes, (size_t)n, digest.bytes, DIGEST_LEN) != NULL;
	}
	assert_true(hash_seen);
	key_record_fini(&made);
}

static void rotating_ends_the_old_secret_at_once(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key), shown;

	assert_int_equal(key_store_rotate(rig->store, "acme", made.id, NOW + 5, next), 0);
	assert_int_equal(check(rig, key, NOW + 5), CREDENTIAL_NO_SUCH_KEY);
	assert_int_equal(check(rig, next, NOW + 5), CREDENTIAL_OK);
	assert_int_equal(key_store_get(rig->store, NULL, made.id, &shown), 0);
	assert_int_equal(shown.rotated_s, NOW + 5);
	assert_int_equal(shown.created_s, NOW);
	key_record_fini(&shown);
	reopen(rig);
	assert_int_equal(check(rig, key, NOW + 5), CREDENTIAL_NO_SUCH_KEY);
	assert_int_equal(check(rig, next, NOW + 5), CREDENTIAL_OK);
	key_record_fini(&made);
}

static void revoking_is_for_good(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key), shown;

	assert_int_equal(key_store_revoke(rig->store, "acme", made.id, NOW + 7), 0);
	assert_int_equal(key_store_revoke(rig->store, "acme", made.id, NOW + 9), 0);
	assert_int_equal(
	    key_store_check(rig->store, key, strlen(key), NOW + 7, &shown), CREDENTIAL_REVOKED);
	assert_string_equal(shown.id, made.id);
	assert_int_equal(shown.revoked_s, NOW + 7);
	key_record_fini(&shown);
	assert_int_equal(
	    key_store_rotate(rig->store, "acme", made.id, NOW + 8, next), -EKEYREVOKED);
	reopen(rig);
	assert_int_equal(check(rig, key, NOW + 8), CREDENTIAL_REVOKED);
	key_record_fini(&made);
}

static void expiry_is_to_the_second(void **state)
{
	struct rig *rig = *state;
	struct key_request request = {
	    .tenant = "", .label = "", .created_by = "uid:0", .expires_s = NOW + 10};
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made;

	assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), 0);
	assert_int_equal(check(rig, key, NOW + 9), CREDENTIAL_OK);
	assert_int_equal(check(rig, key, NOW + 10), CREDENTIAL_EXPIRED);
	assert_int_equal(key_store_rotate(rig->store, NULL, made.id, NOW + 10, next), -EKEYEXPIRED);
	key_record_fini(&made);
	request.expires_s = NOW;
	assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), -EINVAL);
	request.expires_s = UINT64_MAX;
	assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), -EINVAL);
}

static void a_foreign_tenant_sees_nothing(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key), shown;
	static const char *const others[] = {
	    "other", "", "ACME", "acme ", "' OR 1=1 --", "%", "acm_"};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(key_store_get(rig->store, others[i], made.id, &shown), -ENOENT);
		assert_int_equal(
		    key_store_rotate(rig->store, others[i], made.id, NOW, next), -ENOENT);
		assert_int_equal(key_store_revoke(rig->store, others[i], made.id, NOW), -ENOENT);
	}
	assert_int_equal(
	    key_store_get(rig->store, "acme", "key_0000000000000000", &shown), -ENOENT);
	assert_int_equal(key_store_get(rig->store, "acme", "' OR '1'='1", &shown), -ENOENT);
	assert_int_equal(key_store_get(rig->store, "acme", "", &shown), -ENOENT);
	assert_int_equal(check(rig, key, NOW), CREDENTIAL_OK);
	key_record_fini(&made);
}

static void lists_are_by_tenant_and_in_pages(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], after[KEY_ID_MAX] = "";
	struct key_record page[4];
	size_t count, seen = 0;

	for (int i = 0; i < 14; i++) {
		struct key_record made = create(rig, i % 2 ? "acme" : "other", NULL, key);

		key_record_fini(&made);
	}
	do {
		assert_int_equal(key_store_list(rig->store, "acme", after, page, 4, &count), 0);
		for (size_t i = 0; i < count; i++) {
			assert_string_equal(page[i].tenant, "acme");
			assert_true(strcmp(page[i].id, after) > 0);
			memcpy(after, page[i].id, sizeof(after));
			key_record_fini(&page[i]);
		}
		seen += count;
	} while (count == 4);
	assert_int_equal(seen, 7);
	assert_int_equal(key_store_list(rig->store, NULL, "", page, 4, &count), 0);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++)
		key_record_fini(&page[i]);
	assert_int_equal(key_store_list(rig->store, "nobody", "", page, 4, &count), 0);
	assert_int_equal(count, 0);
}

static void wrong_requests_are_refused(void **state)
{
	struct rig *rig = *state;
	const struct key_request good = {.tenant = "t", .label = "l", .created_by = "c"};
	static char long_text[KEY_TEXT_MAX + 2];
	char key[API_KEY_LEN + 1];
	struct key_record made;

	memset(long_text, 'a', KEY_TEXT_MAX + 1);
	const char *const wrong[] = {NULL, long_text, "\xff\xfe"};

	for (size_t i = 0; i < 3; i++) {
		struct key_request request = good;

		request.tenant = wrong[i];
		assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), -EINVAL);
		request = good;
		request.label = wrong[i];
		assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), -EINVAL);
		request = good;
		request.created_by = wrong[i];
		assert_int_equal(key_store_create(rig->store, &request, NOW, key, &made), -EINVAL);
	}
	assert_int_equal(key_store_create(rig->store, &good, 0, key, &made), -EINVAL);
}

static void wrong_texts_are_refused(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key);

	assert_int_equal(check(rig, "", NOW), CREDENTIAL_FORM);
	assert_int_equal(check(rig, "x", NOW), CREDENTIAL_FORM);
	assert_int_equal(check(rig, made.id, NOW), CREDENTIAL_FORM);
	key[20] = key[20] == 'a' ? 'b' : 'a';
	assert_true(check(rig, key, NOW) == CREDENTIAL_MISTYPED ||
		    check(rig, key, NOW) == CREDENTIAL_NO_SUCH_KEY);
	key[50] = '\0';
	assert_int_equal(check(rig, key, NOW), CREDENTIAL_MISTYPED);
	key_record_fini(&made);
}

/* ---- the file ------------------------------------------------------------------------------- */

static void places_open_to_others_are_refused(void **state)
{
	struct rig *rig = *state;
	char other[128];

	key_store_close(rig->store);
	rig->store = NULL;
	assert_int_equal(chmod(rig->folder, 0750), 0);
	assert_int_equal(open_at(rig), -EPERM);
	assert_int_equal(chmod(rig->folder, 0701), 0);
	assert_int_equal(open_at(rig), -EPERM);
	assert_int_equal(chmod(rig->folder, 0700), 0);
	assert_int_equal(chmod(rig->path, 0640), 0);
	assert_int_equal(open_at(rig), -EPERM);
	assert_int_equal(chmod(rig->path, 0600), 0);
	snprintf(other, sizeof(other), "%s/link", rig->folder);
	assert_int_equal(link(rig->path, other), 0);
	assert_int_equal(open_at(rig), -EPERM);
	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(symlink("link", rig->path), 0);
	assert_int_equal(open_at(rig), -ELOOP);
	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(mkfifo(rig->path, 0600), 0);
	assert_int_equal(open_at(rig), -EPERM);
	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(open_at(rig), 0);
}

static void run_sql(const struct rig *rig, const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void other_files_are_refused(void **state)
{
	struct rig *rig = *state;
	int fd;

	key_store_close(rig->store);
	rig->store = NULL;
	run_sql(rig, "PRAGMA user_version=2");
	assert_int_equal(open_at(rig), -EPROTO);
	run_sql(rig, "PRAGMA user_version=0");
	assert_int_equal(open_at(rig), -EPROTO);
	run_sql(rig, "PRAGMA user_version=1; PRAGMA application_id=1");
	assert_int_equal(open_at(rig), -EPROTO);
	assert_int_equal(unlink(rig->path), 0);
	fd = open(rig->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(write(fd, "not a database, ", 16), 16);
	close(fd);
	assert_int_equal(open_at(rig), -EUCLEAN);
	assert_int_equal(unlink(rig->path), 0);
	assert_int_equal(open_at(rig), 0);
}

static void a_damaged_file_is_noticed(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], rubbish[2048];
	int fd;

	for (int i = 0; i < 50; i++) {
		struct key_record made = create(rig, "acme", NULL, key);

		key_record_fini(&made);
	}
	key_store_close(rig->store);
	rig->store = NULL;
	memset(rubbish, 0xa5, sizeof(rubbish));
	fd = open(rig->path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, rubbish, sizeof(rubbish), 2 * 4096), sizeof(rubbish));
	close(fd);
	assert_int_equal(open_at(rig), -EUCLEAN);
	assert_int_equal(unlink(rig->path), 0);
}

/* What sits in the file cannot make us do or trust anything. */
static void the_schema_is_not_trusted(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key);

	key_store_close(rig->store);
	rig->store = NULL;
	run_sql(rig, "CREATE TRIGGER t AFTER UPDATE ON api_key BEGIN"
		     " UPDATE api_key SET revoked_s = 0; DELETE FROM api_key_scope; END");
	assert_int_equal(open_at(rig), 0);
	assert_int_equal(key_store_revoke(rig->store, NULL, made.id, NOW), 0);
	assert_int_equal(check(rig, key, NOW), CREDENTIAL_REVOKED);
	assert_int_equal(key_store_rotate(rig->store, NULL, made.id, NOW, next), -EKEYREVOKED);
	key_record_fini(&made);
}

static void a_locked_file_is_told(void **state)
{
	struct rig *rig = *state;
	const struct key_request request = {.tenant = "t", .label = "l", .created_by = "c"};
	char key[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key), more;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(key_store_create(rig->store, &request, NOW, key, &more), -EAGAIN);
	assert_int_equal(key[0], 0);
	assert_int_equal(key_store_revoke(rig->store, NULL, made.id, NOW), -EAGAIN);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_int_equal(key_store_revoke(rig->store, NULL, made.id, NOW), 0);
	key_record_fini(&made);
}

/* A process that dies right behind a change has made it; the next one finds a whole file. */
static void changes_survive_a_kill(void **state)
{
	struct rig *rig = *state;
	char key[API_KEY_LEN + 1], next[API_KEY_LEN + 1];
	struct key_record made = create(rig, "acme", NULL, key);
	int ends[2], status;
	pid_t pid;

	key_store_close(rig->store);
	rig->store = NULL;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (open_at(rig) == 0 &&
		    key_store_rotate(rig->store, NULL, made.id, NOW, next) == 0 &&
		    write(ends[1], next, sizeof(next)) == (ssize_t)sizeof(next))
			kill(getpid(), SIGKILL);
		_exit(1);
	}
	assert_int_equal(read(ends[0], next, sizeof(next)), sizeof(next));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(open_at(rig), 0);
	assert_int_equal(check(rig, key, NOW), CREDENTIAL_NO_SUCH_KEY);
	assert_int_equal(check(rig, next, NOW), CREDENTIAL_OK);
	key_record_fini(&made);
}

#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    test(a_key_is_created_with_nothing_granted),
	    test(a_scope_is_kept),
	    test(no_secret_is_on_the_disk),
	    test(rotating_ends_the_old_secret_at_once),
	    test(revoking_is_for_good),
	    test(expiry_is_to_the_second),
	    test(a_foreign_tenant_sees_nothing),
	    test(lists_are_by_tenant_and_in_pages),
	    test(wrong_requests_are_refused),
	    test(wrong_texts_are_refused),
	    test(places_open_to_others_are_refused),
	    test(other_files_are_refused),
	    test(a_damaged_file_is_noticed),
	    test(the_schema_is_not_trusted),
	    test(a_locked_file_is_told),
	    test(changes_survive_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
