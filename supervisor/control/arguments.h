/*
 * key=value words to the JSON arguments of a tool, typed by the tool's own schema. Floor 4.
 */
#ifndef CALLGATE_CONTROL_ARGUMENTS_H
#define CALLGATE_CONTROL_ARGUMENTS_H

#include <jansson.h>

#include "supervisor/control/command.h"

/* words: "k=v", typed by the schema (a string as it stands, every other type as JSON; of several
 * types a string last), and "k:=JSON". A name that a closed schema does not have is an error that
 * lists those it has. base: an object to start from, or NULL; it is stolen. schema: inputSchema or
 * NULL (all strings), borrowed. Returns 0 and *ret_arguments (owned by the caller), or
 * COMMAND_USAGE after complaining. */
int arguments_parse(
    json_t *base, const json_t *schema, int count, char *const *words, json_t **ret_arguments);

/* text: the OBJECT of --json, or NULL, which is no object. what: the command, for complaints. 0 and
 * *ret_base (owned by the caller), or COMMAND_USAGE. */
int arguments_base(const char *what, const char *text, json_t **ret_base);

/* The inputSchema of one tool as this caller sees it: 0 and *ret_schema (NULL when the tool is
 * not listed; the call itself then says what an unknown tool is), or an exit status. */
int arguments_schema(const struct command_session *session, const char *tool, json_t **ret_schema);

#endif
