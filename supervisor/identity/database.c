#include "supervisor/identity/database.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/base/cleanup.h"
#include "supervisor/base/paths.h"

#define BUSY_MS 250

struct database {
	const struct database_form *form;
	sqlite3 *db;
	sqlite3_stmt **prepared; /* [form->statement_count], each made when first used */
};

/* ---- SQLite in our terms -------------------------------------------------------------------- */

static int fault_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE: return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return -EAGAIN;
	case SQLITE_FULL: return -ENOSPC;
	case SQLITE_READONLY: return -EROFS;
	case SQLITE_PERM:
	case SQLITE_AUTH:
	case SQLITE_CANTOPEN: return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return -EUCLEAN;
	case SQLITE_NOMEM: return -ENOMEM;
	case SQLITE_CONSTRAINT: return -EEXIST;
	default: return -EIO;
	}
}

static int run(struct database *database, const char *sql)
{
	return fault_of(sqlite3_exec(database->db, sql, NULL, NULL, NULL));
}

/* One number or text out of a PRAGMA or SELECT. */
static int ask(
    struct database *database, const char *sql, int *ret_number, char *ret_text, size_t max)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(database->db, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	if (rc == SQLITE_ROW && ret_number)
		*ret_number = sqlite3_column_int(statement, 0);
	if (rc == SQLITE_ROW && ret_text)
		(void)snprintf(
		    ret_text, max, "%s", (const char *)sqlite3_column_text(statement, 0));
	sqlite3_finalize(statement);
	return rc == SQLITE_DONE ? -EIO : fault_of(rc);
}

/* ---- opening -------------------------------------------------------------------------------- */

/* The folder must be ours alone, and so must the file, which SQLite would make readable to all. */
static int check_places(const char *folder, const struct database_form *form, struct err_note *note)
{
	int cleanup_fd dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int cleanup_fd file = -1;
	struct stat st;

	if (dir < 0 || fstat(dir, &st) < 0)
		return err_note_errno(
		    note, err_note(note, -errno, "%s %s: cannot be opened", form->what, folder));
	if (st.st_uid != geteuid() || (st.st_mode & 077))
		return err_note(note, -EPERM,
		    "%s %s: the folder is open to others; make it mode 0700 and the "
		    "daemon's own",
		    form->what, folder);
	file =
	    openat(dir, form->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &st) < 0)
		return err_note_errno(note, err_note(note, -errno, "%s %s/%s: cannot be opened",
						form->what, folder, form->file));
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 077) ||
	    st.st_nlink != 1)
		return err_note(note, -EPERM,
		    "%s %s/%s: the file is open to others; make it a plain file of mode "
		    "0600, the daemon's own",
		    form->what, folder, form->file);
	return 0;
}

static int configure(struct database *database)
{
	static const struct {
		int what, value;
	} settings[] = {
	    {SQLITE_DBCONFIG_DEFENSIVE, 1},
	    {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
	    {SQLITE_DBCONFIG_ENABLE_FKEY, 1},
	    {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
	    {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
	    {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	    {SQLITE_DBCONFIG_DQS_DDL, 0},
	    {SQLITE_DBCONFIG_DQS_DML, 0},
	};
	char mode[8] = "";
	int fault = fault_of(sqlite3_busy_timeout(database->db, BUSY_MS));

	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]) && !fault; i++)
		fault = fault_of(sqlite3_db_config(
		    database->db, settings[i].what, settings[i].value, (int *)NULL));
	if (!fault)
		fault = run(database, "PRAGMA cell_size_check=on; PRAGMA secure_delete=on; "
				      "PRAGMA temp_store=memory; PRAGMA mmap_size=0; "
				      "PRAGMA journal_size_limit=1048576;");
	if (!fault)
		fault = ask(database, "PRAGMA journal_mode=wal", NULL, mode, sizeof(mode));
	if (!fault && strcmp(mode, "wal") != 0)
		fault = -EIO;
	return fault ? fault : run(database, "PRAGMA synchronous=full;");
}

/* Between BEGIN and COMMIT, so that it happens whole or not at all. */
static int migrate(struct database *database, int from)
{
	const struct database_form *form = database->form;
	char text[96];
	int fault = database_begin(database);

	if (fault)
		return fault;
	for (int i = from; i < form->version && !fault; i++)
		fault = run(database, form->migrations[i]);
	(void)snprintf(text, sizeof(text), "PRAGMA application_id=%d; PRAGMA user_version=%d;",
	    form->application_id, form->version);
	if (!fault)
		fault = run(database, text);
	return database_end(database, fault);
}

static int check_form(struct database *database, const char *path, struct err_note *note)
{
	const struct database_form *form = database->form;
	int version = 0, application = 0, tables = 0;
	char health[16] = "";
	int fault = ask(database, "PRAGMA user_version", &version, NULL, 0);

	if (!fault)
		fault = ask(database, "PRAGMA application_id", &application, NULL, 0);
	if (!fault)
		fault = ask(database, "SELECT count(*) FROM sqlite_schema", &tables, NULL, 0);
	if (fault)
		return fault;
	if ((version || tables || application) &&
	    (application != form->application_id || version < 1))
		return err_note(note, -EPROTO,
		    "%s %s: it is another program's database; move it away", form->what, path);
	if (version > form->version)
		return err_note(note, -EPROTO,
		    "%s %s: a newer callgate made it (form %d, this one knows %d); use that one",
		    form->what, path, version, form->version);
	if (version < form->version)
		fault = migrate(database, version);
	if (!fault)
		fault = ask(database, "PRAGMA quick_check(1)", NULL, health, sizeof(health));
	if (!fault && strcmp(health, "ok") != 0)
		fault = -EUCLEAN;
	return fault;
}

static int keep_path(sqlite3_vfs *vfs, const char *path, int max, char *out)
{
	size_t len = strlen(path);

	(void)vfs;
	if (len >= (size_t)max)
		return SQLITE_CANTOPEN;
	memcpy(out, path, len + 1);
	return SQLITE_OK;
}

/* SQLite's own, but for one thing: it would replace /proc/self/fd/N by where that leads to, through
 * folders that this process may not walk. NULL: out of memory. */
static const char *path_keeper(void)
{
	static const char name[] = "callgate-path";
	const sqlite3_vfs *usual = sqlite3_vfs_find(NULL);
	sqlite3_vfs *vfs;

	if (sqlite3_vfs_find(name))
		return name;
	vfs = usual ? malloc(sizeof(*vfs)) : NULL;
	if (!vfs)
		return NULL;
	*vfs = *usual;
	vfs->zName = name;
	vfs->xFullPathname = keep_path;
	if (sqlite3_vfs_register(vfs, 0) == SQLITE_OK)
		return name; /* SQLite's from here on, to the end of the process */
	free(vfs);
	return NULL;
}

static int open_file(struct database *database, const char *path, struct err_note *note)
{
	const char *vfs = path_keeper();
	int fault =
	    vfs ? fault_of(sqlite3_open_v2(path, &database->db,
		      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs))
		: -ENOMEM;

	if (!fault)
		fault = configure(database);
	if (!fault)
		fault = check_form(database, path, note);
	if (fault && fault != -EPROTO)
		(void)err_note_errno(note,
		    err_note(note, fault,
			"%s %s: cannot be used; see to disk and rights, or bring it back from a "
			"copy",
			database->form->what, path));
	return fault;
}

int database_open(struct database **ret, const char *folder, const struct database_form *form,
    struct err_note *note)
{
	struct database *database;
	char path[PATHS_MAX];
	int fault = check_places(folder, form, note);

	if (!fault)
		fault = paths_join(path, folder, form->file);
	if (fault)
		return fault;
	database = calloc(1, sizeof(*database));
	if (!database)
		return -ENOMEM;
	database->form = form;
	database->prepared = calloc(form->statement_count, sizeof(sqlite3_stmt *));
	fault = database->prepared ? open_file(database, path, note) : -ENOMEM;
	if (fault) {
		database_close(database);
		return fault;
	}
	*ret = database;
	return 0;
}

void database_close(struct database *database)
{
	if (!database)
		return;
	for (size_t i = 0; database->prepared && i < database->form->statement_count; i++)
		sqlite3_finalize(database->prepared[i]);
	(void)sqlite3_close(database->db);
	free(database->prepared);
	free(database);
}

/* ---- using ---------------------------------------------------------------------------------- */

int database_begin(struct database *database)
{
	return run(database, "BEGIN IMMEDIATE");
}

int database_end(struct database *database, int fault)
{
	if (!fault)
		fault = run(database, "COMMIT");
	if (fault && !sqlite3_get_autocommit(database->db))
		(void)run(database, "ROLLBACK");
	return fault;
}

struct sqlite3_stmt *database_statement(struct database *database, size_t number, int *ret_fault)
{
	sqlite3_stmt **place = &database->prepared[number];

	*ret_fault =
	    *place ? 0
		   : fault_of(sqlite3_prepare_v3(database->db, database->form->statements[number],
			 -1, SQLITE_PREPARE_PERSISTENT, place, NULL));
	return *place;
}

void database_bind_text(struct sqlite3_stmt *statement, int place, const char *text)
{
	(void)sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

void database_bind_number(struct sqlite3_stmt *statement, int place, uint64_t number)
{
	(void)sqlite3_bind_int64(statement, place, (sqlite3_int64)number);
}

void database_bind_bytes(struct sqlite3_stmt *statement, int place, const void *bytes, size_t len)
{
	(void)sqlite3_bind_blob64(statement, place, bytes, len, SQLITE_STATIC);
}

int database_step(struct sqlite3_stmt *statement)
{
	int rc = sqlite3_step(statement);

	return rc == SQLITE_ROW ? 1 : fault_of(rc);
}

int database_run(struct sqlite3_stmt *statement)
{
	int fault = fault_of(sqlite3_step(statement));

	database_done(statement);
	return fault;
}

void database_done(struct sqlite3_stmt *statement)
{
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement);
}

const char *database_text(struct sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text ? text : "";
}

uint64_t database_number(struct sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

const void *database_bytes(struct sqlite3_stmt *row, int column, size_t *ret_len)
{
	const void *bytes = sqlite3_column_blob(row, column);

	*ret_len = (size_t)sqlite3_column_bytes(row, column);
	return bytes ? bytes : "";
}
