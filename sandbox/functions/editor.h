/*
 * The function tool text_editor: view, create, str_replace, insert and undo on text files below the
 * working directory. One call of the program is one call of editor_run(); nothing is kept in
 * memory between two. Used by text_editor_main.c and the tests. Floor 1: base, jansson, libcrypto.
 *
 * What a caller may rely on:
 *  - Files are UTF-8 without NUL, at most EDITOR_FILE_MAX bytes; others are refused, not mangled.
 *  - A file whose every line ends in CRLF is shown, matched and edited with plain line ends, and
 *    written with CRLF again. A file that mixes both is taken byte by byte, and the answer says so.
 *    `create` writes the text exactly as given.
 *  - A write is whole or not at all (temporary file, fsync, rename), keeps the mode and, where
 *    this process may, the owner. Hard links, access lists and extended attributes are not kept.
 *  - Every edit can be undone as long as the file is still what that edit left.
 */
#ifndef CALLGATE_SANDBOX_FUNCTIONS_EDITOR_H
#define CALLGATE_SANDBOX_FUNCTIONS_EDITOR_H

#include "sandbox/functions/request.h"

#define EDITOR_FILE_MAX    (8 * 1024 * 1024)
#define EDITOR_CONTEXT     4  /* lines shown on both sides of an edit */
#define EDITOR_SNIPPET_MAX 60 /* lines shown after an edit */

/* top: the working directory. The text goes to out, or the reason to note. */
enum request_status editor_run(
    int top, const json_t *arguments, struct buf *out, struct err_note *note);

#endif
