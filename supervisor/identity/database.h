/*
 * One SQLite file under the rules of the house: in a folder closed to others, WAL with every
 * commit on disk, nothing in the file trusted, brought to this version's form in one step or not
 * at all. The only file that includes sqlite3.h is database.c.
 *
 * For one process and one thread; no handle survives a fork. A change waits for the disk (some
 * milliseconds). Floor 2: SQLite.
 *
 * Faults, of every function: -EAGAIN (another process holds the file), -ENOSPC, -EROFS, -EACCES,
 * -EUCLEAN (the file is damaged), -EEXIST (a constraint), -ENOMEM, -EIO.
 */
#ifndef CALLGATE_IDENTITY_DATABASE_H
#define CALLGATE_IDENTITY_DATABASE_H

#include <stddef.h>
#include <stdint.h>

#include "supervisor/base/err.h"

/* Static; borrowed as long as the database is open. */
struct database_form {
	const char *what; /* for messages: "key store" */
	const char *file; /* name in the folder */
	int32_t application_id;
	const char *const *migrations; /* [i]: from form i to i + 1; never changed once published */
	int version;                   /* how many */
	const char *const *statements;
	size_t statement_count;
};

struct database;
struct sqlite3_stmt;

/* 0; -EPERM: folder or file are open to others, or somebody else's; -EPROTO: a newer version's
 * file, or another program's; or a fault. note says what to do. */
int database_open(struct database **ret, const char *folder, const struct database_form *form,
    struct err_note *note);
void database_close(struct database *database);

int database_begin(struct database *database);
/* Commits, or, with a fault, takes everything back. Returns the fault, or that of committing. */
int database_end(struct database *database, int fault);

/* The statement of this number at its beginning; NULL with *ret_fault. Every one is ended by
 * database_done() or database_run(), which also unbind. */
struct sqlite3_stmt *database_statement(struct database *database, size_t number, int *ret_fault);
/* What is bound is borrowed until then. text NULL binds NULL. */
void database_bind_text(struct sqlite3_stmt *statement, int place, const char *text);
void database_bind_number(struct sqlite3_stmt *statement, int place, uint64_t number);
void database_bind_bytes(struct sqlite3_stmt *statement, int place, const void *bytes, size_t len);
/* 1: a row; 0: no more; or a fault. */
int database_step(struct sqlite3_stmt *statement);
/* A change: to its end, and done. 0 or a fault. */
int database_run(struct sqlite3_stmt *statement);
void database_done(struct sqlite3_stmt *statement);

/* Columns of the row, from 0; pointers until the next step. "" and 0 for NULL. */
const char *database_text(struct sqlite3_stmt *row, int column);
uint64_t database_number(struct sqlite3_stmt *row, int column);
const void *database_bytes(struct sqlite3_stmt *row, int column, size_t *ret_len);

#endif
