#include "supervisor/identity/key_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/base/str.h"
#include "supervisor/identity/database.h"

#define APPLICATION_ID 0x63676b73 /* "cgks" */
#define ID_RANDOM      8
#define TIME_MAX_S     253402300799ull

enum statement {
	STATEMENT_INSERT,
	STATEMENT_INSERT_SCOPE,
	STATEMENT_COUNT_TENANT,
	STATEMENT_ROTATE,
	STATEMENT_REVOKE,
	STATEMENT_GET,
	STATEMENT_FIND,
	STATEMENT_LIST,
	STATEMENT_SCOPE,
	STATEMENT_COUNT,
};

#define COLUMNS      "id, tenant, label, created_by, created_s, expires_s, rotated_s, revoked_s"
#define OF_TENANT(n) " AND (?" #n " IS NULL OR tenant = ?" #n ")"

static const char *const statements[STATEMENT_COUNT] = {
    [STATEMENT_INSERT] = "INSERT INTO api_key (" COLUMNS ", hash)"
			 " VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)",
    [STATEMENT_INSERT_SCOPE] = "INSERT INTO api_key_scope (key_id, kind, item) VALUES (?1, ?2, ?3)",
    [STATEMENT_COUNT_TENANT] = "SELECT count(*) FROM api_key WHERE tenant = ?1",
    [STATEMENT_ROTATE] = "UPDATE api_key SET hash = ?2, rotated_s = ?3 WHERE id = ?1",
    [STATEMENT_REVOKE] = "UPDATE api_key SET revoked_s = ?2 WHERE id = ?1 AND revoked_s = 0",
    [STATEMENT_GET] = "SELECT " COLUMNS ", hash FROM api_key WHERE id = ?1" OF_TENANT(2),
    [STATEMENT_FIND] = "SELECT " COLUMNS ", hash FROM api_key WHERE hash = ?1",
    [STATEMENT_LIST] =
	"SELECT " COLUMNS ", hash FROM api_key WHERE id > ?1" OF_TENANT(2) " ORDER BY id LIMIT ?3",
    [STATEMENT_SCOPE] = "SELECT kind, item FROM api_key_scope WHERE key_id = ?1",
};

/* Each script brings the file from version i to i + 1. Once published a script never changes. */
static const char *const migrations[] = {
    "CREATE TABLE api_key ("
    " id TEXT NOT NULL PRIMARY KEY CHECK (length(id) = 20),"
    " tenant TEXT NOT NULL,"
    " label TEXT NOT NULL,"
    " created_by TEXT NOT NULL,"
    " created_s INTEGER NOT NULL CHECK (created_s > 0),"
    " expires_s INTEGER NOT NULL CHECK (expires_s >= 0),"
    " rotated_s INTEGER NOT NULL CHECK (rotated_s >= 0),"
    " revoked_s INTEGER NOT NULL CHECK (revoked_s >= 0),"
    " hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX api_key_tenant ON api_key (tenant, id);"
    "CREATE TABLE api_key_scope ("
    " key_id TEXT NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,"
    " kind TEXT NOT NULL CHECK (kind IN"
    "  ('tools', 'agents', 'namespaces', 'roles', 'permissions')),"
    " item TEXT NOT NULL CHECK (length(item) BETWEEN 1 AND 255),"
    " PRIMARY KEY (key_id, kind, item)"
    ") STRICT, WITHOUT ROWID;",
};

static const struct database_form form = {
    .what = "key store",
    .file = KEY_STORE_FILE,
    .application_id = APPLICATION_ID,
    .migrations = migrations,
    .version = sizeof(migrations) / sizeof(migrations[0]),
    .statements = statements,
    .statement_count = STATEMENT_COUNT,
};

struct key_store {
	struct database *database; /* owned */
};

int key_store_open(struct key_store **ret, const char *folder, struct err_note *note)
{
	struct key_store *store = calloc(1, sizeof(*store));
	int fault = store ? database_open(&store->database, folder, &form, note) : -ENOMEM;

	if (fault) {
		free(store);
		return fault;
	}
	*ret = store;
	return 0;
}

void key_store_close(struct key_store *store)
{
	if (!store)
		return;
	database_close(store->database);
	free(store);
}

/* ---- reading -------------------------------------------------------------------------------- */

void key_record_fini(struct key_record *record)
{
	scope_fini(&record->scope);
	*record = (struct key_record){.id = ""};
}

static void column_text(char *out, size_t max, struct sqlite3_stmt *statement, int column)
{
	(void)snprintf(out, max, "%s", database_text(statement, column));
}

static void read_row(struct sqlite3_stmt *row, struct key_record *ret)
{
	*ret = (struct key_record){.id = ""};
	column_text(ret->id, sizeof(ret->id), row, 0);
	column_text(ret->tenant, sizeof(ret->tenant), row, 1);
	column_text(ret->label, sizeof(ret->label), row, 2);
	column_text(ret->created_by, sizeof(ret->created_by), row, 3);
	ret->created_s = database_number(row, 4);
	ret->expires_s = database_number(row, 5);
	ret->rotated_s = database_number(row, 6);
	ret->revoked_s = database_number(row, 7);
}

static int read_scope(struct key_store *store, struct key_record *record)
{
	int fault;
	struct sqlite3_stmt *rows = database_statement(store->database, STATEMENT_SCOPE, &fault);
	int have = 0;

	if (!rows)
		return fault;
	database_bind_text(rows, 1, record->id);
	while (!fault && (have = database_step(rows)) > 0) {
		enum scope_kind kind = scope_kind_by_name(database_text(rows, 0));

		fault = kind < SCOPE_KIND_COUNT
			    ? scope_add(&record->scope, kind, database_text(rows, 1))
			    : -EUCLEAN;
	}
	if (!fault)
		fault = have;
	database_done(rows);
	return fault == -EINVAL || fault == -E2BIG ? -EUCLEAN : fault;
}

int key_store_get(
    struct key_store *store, const char *tenant, const char *id, struct key_record *ret)
{
	int fault;
	struct sqlite3_stmt *row = database_statement(store->database, STATEMENT_GET, &fault);
	int have;

	*ret = (struct key_record){.id = ""};
	if (!row)
		return fault;
	database_bind_text(row, 1, id);
	database_bind_text(row, 2, tenant);
	have = database_step(row);
	if (have > 0)
		read_row(row, ret);
	database_done(row);
	if (have <= 0)
		return have ? have : -ENOENT;
	fault = read_scope(store, ret);
	if (fault)
		key_record_fini(ret);
	return fault;
}

int key_store_list(struct key_store *store, const char *tenant, const char *after,
    struct key_record *ret, size_t max, size_t *ret_count)
{
	int fault;
	struct sqlite3_stmt *rows = database_statement(store->database, STATEMENT_LIST, &fault);
	size_t count = 0;
	int have = 0;

	*ret_count = 0;
	if (!rows)
		return fault;
	database_bind_text(rows, 1, after);
	database_bind_text(rows, 2, tenant);
	database_bind_number(rows, 3, max);
	while (count < max && (have = database_step(rows)) > 0)
		read_row(rows, &ret[count++]);
	fault = have < 0 ? have : 0;
	database_done(rows);
	for (size_t i = 0; i < count && !fault; i++)
		fault = read_scope(store, &ret[i]);
	if (fault) {
		for (size_t i = 0; i < count; i++)
			key_record_fini(&ret[i]);
		return fault;
	}
	*ret_count = count;
	return 0;
}

/* The row of a digest: by the index, which could at most tell how much of a hash was guessed, and
 * then once more in constant time. 0, -ENOENT or a fault. */
static int find(struct key_store *store, const struct digest *shown, struct key_record *ret)
{
	int fault;
	struct sqlite3_stmt *row = database_statement(store->database, STATEMENT_FIND, &fault);
	struct digest kept = {{0}};
	const void *hash;
	size_t len;
	int have;

	if (!row)
		return fault;
	database_bind_bytes(row, 1, shown->bytes, DIGEST_LEN);
	have = database_step(row);
	if (have > 0) {
		read_row(row, ret);
		hash = database_bytes(row, 8, &len);
		if (len == DIGEST_LEN)
			memcpy(kept.bytes, hash, DIGEST_LEN);
	}
	database_done(row);
	if (have <= 0)
		return have ? have : -ENOENT;
	return digest_equal(&kept, shown) ? 0 : -ENOENT;
}

enum credential_verdict key_store_check(
    struct key_store *store, const char *text, size_t len, uint64_t now_s, struct key_record *ret)
{
	enum credential_verdict verdict = api_key_form(text, len);
	struct digest shown;
	int fault;

	*ret = (struct key_record){.id = ""};
	if (verdict != CREDENTIAL_OK)
		return verdict;
	fault = api_key_digest(&shown, text, len);
	if (!fault)
		fault = find(store, &shown, ret);
	if (fault == -ENOENT) {
		*ret = (struct key_record){.id = ""};
		return CREDENTIAL_NO_SUCH_KEY;
	}
	if (!fault && ret->revoked_s)
		return CREDENTIAL_REVOKED;
	if (!fault && ret->expires_s && now_s >= ret->expires_s)
		return CREDENTIAL_EXPIRED;
	if (!fault)
		fault = read_scope(store, ret);
	if (fault)
		key_record_fini(ret);
	return fault ? CREDENTIAL_FAULT : CREDENTIAL_OK;
}

/* ---- changing ------------------------------------------------------------------------------- */

static int make_secret(char ret_key[API_KEY_LEN + 1], struct digest *ret)
{
	uint8_t secret[API_KEY_SECRET_LEN];
	int fault = key_random(secret, sizeof(secret));

	if (!fault)
		fault = api_key_text(ret_key, secret);
	if (!fault)
		fault = api_key_digest(ret, ret_key, API_KEY_LEN);
	key_wipe(secret, sizeof(secret));
	if (fault)
		key_wipe(ret_key, API_KEY_LEN + 1);
	return fault;
}

static int make_id(char out[KEY_ID_MAX])
{
	uint8_t random[ID_RANDOM];
	int fault = key_random(random, sizeof(random));

	if (!fault) {
		memcpy(out, "key_", 4);
		str_hex(out + 4, random, sizeof(random));
	}
	return fault;
}

static bool is_text(const char *text)
{
	return text && strlen(text) <= KEY_TEXT_MAX && str_is_utf8(text, strlen(text));
}

static int fill_record(struct key_record *record, const struct key_request *request, uint64_t now_s)
{
	static const struct scope nothing;

	*record = (struct key_record){.created_s = now_s, .expires_s = request->expires_s};
	if (!is_text(request->tenant) || !is_text(request->label) || !is_text(request->created_by))
		return -EINVAL;
	if (now_s == 0 || now_s > TIME_MAX_S || request->expires_s > TIME_MAX_S ||
	    (request->expires_s && request->expires_s <= now_s))
		return -EINVAL;
	memcpy(record->tenant, request->tenant, strlen(request->tenant) + 1);
	memcpy(record->label, request->label, strlen(request->label) + 1);
	memcpy(record->created_by, request->created_by, strlen(request->created_by) + 1);
	return scope_copy(&record->scope, request->scope ? request->scope : &nothing);
}

static int check_room(struct key_store *store, const char *tenant)
{
	int fault;
	struct sqlite3_stmt *row =
	    database_statement(store->database, STATEMENT_COUNT_TENANT, &fault);

	if (!row)
		return fault;
	database_bind_text(row, 1, tenant);
	fault = database_step(row);
	if (fault > 0)
		fault = database_number(row, 0) >= KEY_STORE_PER_TENANT ? -EDQUOT : 0;
	database_done(row);
	return fault;
}

static int insert_scope(struct key_store *store, const struct key_record *record)
{
	int fault = 0;

	for (unsigned kind = 0; kind < SCOPE_KIND_COUNT; kind++) {
		const struct scope_list *list = &record->scope.lists[kind];

		for (uint32_t i = 0; i < list->count && !fault; i++) {
			struct sqlite3_stmt *row =
			    database_statement(store->database, STATEMENT_INSERT_SCOPE, &fault);

			if (!row)
				return fault;
			database_bind_text(row, 1, record->id);
			database_bind_text(row, 2, scope_kind_name((enum scope_kind)kind));
			database_bind_text(row, 3, list->items[i]);
			fault = database_run(row);
		}
	}
	return fault;
}

static int insert(
    struct key_store *store, const struct key_record *record, const struct digest *digest)
{
	int fault;
	struct sqlite3_stmt *row = database_statement(store->database, STATEMENT_INSERT, &fault);

	if (!row)
		return fault;
	database_bind_text(row, 1, record->id);
	database_bind_text(row, 2, record->tenant);
	database_bind_text(row, 3, record->label);
	database_bind_text(row, 4, record->created_by);
	database_bind_number(row, 5, record->created_s);
	database_bind_number(row, 6, record->expires_s);
	database_bind_bytes(row, 7, digest->bytes, DIGEST_LEN);
	fault = database_run(row);
	return fault ? fault : insert_scope(store, record);
}

int key_store_create(struct key_store *store, const struct key_request *request, uint64_t now_s,
    char ret_key[API_KEY_LEN + 1], struct key_record *ret)
{
	struct digest digest;
	int fault = fill_record(ret, request, now_s);

	if (!fault)
		fault = make_id(ret->id);
	if (!fault)
		fault = make_secret(ret_key, &digest);
	if (!fault)
		fault = database_begin(store->database);
	if (fault) {
		key_wipe(ret_key, API_KEY_LEN + 1);
		key_record_fini(ret);
		return fault;
	}
	fault = check_room(store, ret->tenant);
	if (!fault)
		fault = insert(store, ret, &digest);
	fault = database_end(store->database, fault);
	if (fault) {
		key_wipe(ret_key, API_KEY_LEN + 1);
		key_record_fini(ret);
	}
	return fault;
}

int key_store_rotate(struct key_store *store, const char *tenant, const char *id, uint64_t now_s,
    char ret_key[API_KEY_LEN + 1])
{
	struct key_record record;
	struct digest digest;
	struct sqlite3_stmt *row;
	int fault = key_store_get(store, tenant, id, &record);

	if (fault)
		return fault;
	if (record.revoked_s)
		fault = -EKEYREVOKED;
	else if (record.expires_s && now_s >= record.expires_s)
		fault = -EKEYEXPIRED;
	key_record_fini(&record);
	if (!fault)
		fault = make_secret(ret_key, &digest);
	if (fault)
		return fault;
	row = database_statement(store->database, STATEMENT_ROTATE, &fault);
	if (row) {
		database_bind_text(row, 1, id);
		database_bind_bytes(row, 2, digest.bytes, DIGEST_LEN);
		database_bind_number(row, 3, now_s);
		fault = database_run(row);
	}
	if (fault)
		key_wipe(ret_key, API_KEY_LEN + 1);
	return fault;
}

int key_store_revoke(struct key_store *store, const char *tenant, const char *id, uint64_t now_s)
{
	struct key_record record;
	struct sqlite3_stmt *row;
	int fault = key_store_get(store, tenant, id, &record);

	if (fault)
		return fault;
	key_record_fini(&record);
	row = database_statement(store->database, STATEMENT_REVOKE, &fault);
	if (!row)
		return fault;
	database_bind_text(row, 1, id);
	database_bind_number(row, 2, now_s ? now_s : 1);
	return database_run(row);
}
